/** How a command fails: one line on standard error and an exit code that scripts can rely on. */
import type { ErrorCode } from '../../workers/messages.ts';
import { explainSystemError } from '../system/system-error.ts';
import { escapeControls } from '../text/escape-controls.ts';

export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  notAllowed: 4,
  sealed: 5,
  /** Ctrl-C, as a shell has it: 128 and the signal's number. */
  interrupted: 130,
} as const;

/** One of EXIT, but for a command that ends as another program did. */
export type ExitCode = number;

export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  /** Whether a daemon is there and does not answer. */
  readonly isSilence: boolean;

  constructor(exitCode: ExitCode, message: string, { isSilence = false }: { isSilence?: boolean } = {}) {
    super(message);
    this.exitCode = exitCode;
    this.isSilence = isSilence;
  }
}

/** Exit code 2: what was typed cannot be done; `message` says what to type instead. */
export function usageError(message: string): CliError {
  return new CliError(EXIT.usage, message);
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

/**
 * Errors of other parts whose message is written for the user. By their names, as everywhere here: their classes stay
 * unloaded, and the bundle of the command line and what lies outside of it have each their own.
 */
const SPEAKING_ERRORS: ReadonlySet<string> = new Set([
  'UnsafePlaceError',
  'OwnedElsewhereError',
  'ConnectionError',
]);

export function toCliError(error: unknown): CliError {
  if (!(error instanceof Error)) return new CliError(EXIT.failed, 'failed');
  if (error.name === 'CliError') return error as CliError;
  const code = 'code' in error ? String(error.code) : '';
  // One line each: what they quote does not make another, which would look like ours.
  const message = escapeControls(error.message);
  if (error.name === 'MaestroVaultError') return new CliError(exitCodeOf(code), message);
  if (error.name === 'ConfigError') return usageError(message);
  if (error.name === 'UntrustedError') return new CliError(EXIT.notAllowed, message);
  if (SPEAKING_ERRORS.has(error.name)) return new CliError(EXIT.failed, message);
  return new CliError(EXIT.failed, explainSystemError(error) ?? describeFault(error, code));
}

/** A fault of the program: its kind and where it happened. Never its message, which may quote what was worked on. */
function describeFault({ name, stack = '' }: Error, code: string): string {
  const frame = stack.split('\n').find((line) => line.startsWith('    at ')) ?? '';
  const place = /[^/]+:\d+:\d+/.exec(frame)?.[0] ?? 'a place unknown';
  return `this is a fault of mav itself, and nothing you did; please report it: ${name} ${code === '' ? '' : `${code} `}at ${place}`;
}
