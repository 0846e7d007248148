/** How a command fails: one line on standard error and an exit code that scripts can rely on. */
import type { ErrorCode } from '../../workers/messages.ts';

export const EXIT = { done: 0, failed: 1, usage: 2, notFound: 3, notAllowed: 4, sealed: 5 } as const;

/** One of EXIT, but for a command that ends as another program did. */
export type ExitCode = number;

export class CliError extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The exit code of what the API answered; 1 for what has none of its own. */
export function exitCodeOf(code: ErrorCode | string): ExitCode {
  switch (code) {
    case 'not_found':
      return EXIT.notFound;
    case 'unauthorized':
    case 'forbidden':
      return EXIT.notAllowed;
    case 'sealed':
      return EXIT.sealed;
    case 'bad_request':
      return EXIT.usage;
    default:
      return EXIT.failed;
  }
}
