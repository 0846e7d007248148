/** What a command knows of the process it runs in. */
export interface Context {
  readonly env: NodeJS.ProcessEnv;
  /** The user's umask, for programs that mav starts. This process itself has a stricter one. */
  readonly umask: number;
  /**
   * Prints data to standard output. On a terminal control characters, and characters that hide or turn text, are escaped;
   * elsewhere data goes as it is. The same holds for `printJson` and `write`. `mark`: a coloured word before the text.
   */
  readonly print: (text: string, mark?: string) => void;
  /** JSON, which on a terminal has its own escapes. */
  readonly printJson: (json: string | Uint8Array) => void;
  /** Data as it is, nothing added. */
  readonly write: (data: string | Uint8Array) => void;
  /** Waits until all output is written. Returns false if it could not be written, or the reader has gone away. */
  readonly flushed: () => Promise<boolean>;
  /** Call it before doing something of which only the output tells. Throws CliError if that output would be lost. */
  readonly requireOutput: () => void;
  /** Prints a note to standard error; `--quiet` leaves it out. */
  readonly say: (text: string) => void;
  /** Prints what is wrong to standard error, even with `--quiet`. */
  readonly complain: (text: string) => void;
  readonly isQuiet: boolean;
  /** Whether somebody can be asked: both ends are a terminal, and `--no-input` was not given. */
  readonly canAsk: boolean;
  /**
   * Whether somebody can be asked for a passphrase: standard error is a terminal, whatever is piped in and out. It is typed
   * on the terminal that the process was started from.
   */
  readonly canAskPassphrase: boolean;
  readonly isInputTerminal: boolean;
  readonly isOutputTerminal: boolean;
  readonly isErrorTerminal: boolean;
  /** Whether output on a terminal may be coloured. */
  readonly hasColor: boolean;
}
