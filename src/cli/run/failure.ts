/** How a command fails: one line on standard error and an exit code that scripts can rely on. */
import type { ErrorCode } from '../../../workers/messages.ts';
import { explainSystemError } from '../../system/system-error.ts';
import { escapeControls } from '../../text/escape-controls.ts';

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

/** One of EXIT, or the exit code of another program that the command ran. */
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

/** Codes of errors that do not come from the API. Their messages are written for the user, too. */
type LocalCode = 'unsafe_place' | 'untrusted' | 'bad_config' | 'owned_elsewhere' | 'no_answer';

/**
 * Goes by codes and not by classes: that leaves the classes unloaded, and the bundle has other copies of them than the files
 * outside of it.
 */
const EXIT_CODES: Readonly<Record<ErrorCode | LocalCode, ExitCode>> = {
  bad_request: EXIT.usage,
  unauthorized: EXIT.notAllowed,
  forbidden: EXIT.notAllowed,
  not_approved: EXIT.notAllowed,
  not_found: EXIT.notFound,
  method_not_allowed: EXIT.failed,
  request_timeout: EXIT.failed,
  gone: EXIT.notFound,
  conflict: EXIT.failed,
  precondition_failed: EXIT.failed,
  too_large: EXIT.failed,
  headers_too_large: EXIT.failed,
  integrity: EXIT.failed,
  internal: EXIT.failed,
  sealed: EXIT.sealed,
  busy: EXIT.failed,
  disk_full: EXIT.failed,
  unsafe_place: EXIT.failed,
  untrusted: EXIT.notAllowed,
  bad_config: EXIT.usage,
  owned_elsewhere: EXIT.failed,
  no_answer: EXIT.failed,
};

export function exitCodeOf(code: ErrorCode): ExitCode {
  return EXIT_CODES[code];
}

/** Whether the API, or another part of the program, failed with one of these codes. */
export function hasErrorCode(error: unknown, ...codes: readonly (ErrorCode | LocalCode)[]): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return codes.some((one) => one === code);
}

/** Whether a secret was not as the request's If-Match or If-None-Match wanted it. */
export function isPreconditionFailed(error: unknown): boolean {
  return hasErrorCode(error, 'precondition_failed');
}

/** Whether the vault itself refused a request, so that nothing of it was done. Only its own errors have a status. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'status' in error && !hasErrorCode(error, 'internal');
}

export function isCliError(error: unknown): error is CliError {
  return error instanceof Error && 'exitCode' in error;
}

export function toCliError(error: unknown): CliError {
  if (!(error instanceof Error)) return new CliError(EXIT.failed, 'failed');
  if (isCliError(error)) return error;
  const code = 'code' in error ? String(error.code) : '';
  // Escaped: a newline in what the message quotes would look like another message.
  if (Object.hasOwn(EXIT_CODES, code))
    return new CliError(EXIT_CODES[code as ErrorCode | LocalCode], escapeControls(error.message));
  return new CliError(EXIT.failed, explainSystemError(error) ?? describeFault(error, code));
}

/** Names the kind and the place of a fault of the program. Not its message, which may quote a secret. */
function describeFault({ name, stack = '' }: Error, code: string): string {
  const frame = stack.split('\n').find((line) => line.startsWith('    at ')) ?? '';
  const place = /[^/]+:\d+:\d+/.exec(frame)?.[0] ?? 'a place unknown';
  return `this is a fault of mav itself, and nothing you did; please report it: ${name} ${code === '' ? '' : `${code} `}at ${place}`;
}
