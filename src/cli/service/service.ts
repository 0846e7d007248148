/** `mav serve` as a service: what it is made of, and what a service manager makes of that. */

/** What goes into the service's files; every path is absolute. */
export interface Facts {
  /** The daemon: program and arguments. */
  readonly command: readonly string[];
  /** Stands in the names of the files; null for the default vault. */
  readonly vault: string | null;
  /** What the daemon needs to find this vault; empty for the default one. */
  readonly environment: Readonly<Record<string, string>>;
  readonly socketPath: string;
  readonly userHome: string;
  readonly configHome: string;
  readonly uid: number;
}

export interface ServiceFile {
  readonly path: string;
  readonly content: string;
}

/** A program with its arguments, run without a shell. */
export interface Step {
  readonly argv: readonly string[];
  /** Its failure is ignored, because there may be nothing to do. */
  readonly mayFail?: true;
  /** Worth another try: the step before it may still be taking effect. */
  readonly mayNeedTime?: true;
}

/** `mav serve` as one service manager knows it. */
export interface Service {
  readonly manager: string;
  readonly files: readonly ServiceFile[];
  /** What enabling leaves behind where disabling could not run: symbolic links. */
  readonly links: readonly string[];
  /** Once the files are written; the last step succeeds only if the daemon runs. */
  readonly install: readonly Step[];
  readonly start: readonly Step[];
  readonly stop: readonly Step[];
  /** Before the files are removed, and after. */
  readonly disable: readonly Step[];
  readonly forget: readonly Step[];
  readonly status: Step;
  /** Succeeds only while the daemon runs. */
  readonly isRunning: Step;
  /** Succeeds if the manager has the socket, or the daemon, in hand. */
  readonly isManaged: Step;
  logs(lines: string, follow: boolean): Step;
}

/** Stands in every file that mav writes. Other files are never overwritten. */
export const MARKER = 'Written by mav service';
