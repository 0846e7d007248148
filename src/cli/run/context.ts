/** What a command knows of the process it runs in. */
export interface Context {
  readonly env: NodeJS.ProcessEnv;
  /** The user's own, for what is not ours to close to others: this process runs with a stricter one. */
  readonly umask: number;
  /**
   * Data goes to standard output, everything else to standard error. On a terminal no control character of it arrives, nor
   * what hides or turns text; elsewhere data goes as it is. The same holds for the two below. `mark`: what stands before the
   * text, in the program's own colours.
   */
  readonly print: (text: string, mark?: string) => void;
  /** JSON, which on a terminal has its own escapes. */
  readonly printJson: (json: string | Uint8Array) => void;
  /** Data as bytes, nothing added. */
  readonly write: (bytes: Uint8Array) => void;
  /** Before something is done whose only trace is what is printed. Throws CliError where that would be lost. */
  readonly requireOutput: () => void;
  /** What is good to know; `--quiet` leaves it out. */
  readonly say: (text: string) => void;
  /** What is wrong; always said. */
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
