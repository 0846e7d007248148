/** The error that the content of a request causes. Its message names a member, a length or a limit, never content. */
import type { ErrorCode, Failure } from '../messages.ts';

const QUOTED_LENGTH = 64;

/** What a failure says beside its code and its message. */
export type FailureDetails = Pick<Failure, 'reason' | 'member' | 'problem' | 'at' | 'approval'>;

export class RequestError extends Error {
  override readonly name: string = 'RequestError';
  readonly code: ErrorCode;
  readonly details: FailureDetails;

  constructor(code: ErrorCode, message: string, details: FailureDetails = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }

  toFailure(): Failure {
    const { code, message, details } = this;
    return { ok: false, code, message, ...details };
  }
}

/** The body is not what the operation takes. Always becomes 400. */
export class BodyError extends RequestError {
  override readonly name = 'BodyError';

  constructor(message: string, details: FailureDetails = {}) {
    super('bad_request', message, details);
  }
}

/** Returns the name of a member as messages show it: its first 64 characters, quoted as in JSON. */
export function quoteName(name: string): string {
  if (name.length <= QUOTED_LENGTH) return JSON.stringify(name);
  // The cut may fall inside a surrogate pair.
  return JSON.stringify(`${name.slice(0, QUOTED_LENGTH).toWellFormed()}…`);
}
