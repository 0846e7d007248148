/**
 * The one error a request's content can cause. Secrets it may hold: none; a message names a member, a length or a
 * limit, never content.
 */
import type { ErrorCode, Failure, Reason } from './messages.ts';

const QUOTED_LENGTH = 64;

export class RequestError extends Error {
  readonly code: ErrorCode;
  readonly reason: Reason | undefined;
  /** The member or parameter that is wrong, where it is one: `message` names it the same way. */
  readonly member: string | undefined;

  constructor(code: ErrorCode, message: string, reason?: Reason, member?: string) {
    super(message);
    this.member = member;
    this.name = 'RequestError';
    this.code = code;
    this.reason = reason;
  }

  toFailure(): Failure {
    const { code, message, reason, member } = this;
    return {
      ok: false,
      code,
      message,
      ...(reason === undefined ? {} : { reason }),
      ...(member === undefined ? {} : { member }),
    };
  }
}

/** The body is not what the operation takes: always 400. */
export class BodyError extends RequestError {
  constructor(message: string, member?: string) {
    super('bad_request', message, undefined, member);
    this.name = 'BodyError';
  }
}

/** A member's name as messages show it: JSON-quoted, its first 64 characters. */
export function quoteName(name: string): string {
  if (name.length <= QUOTED_LENGTH) return JSON.stringify(name);
  // The cut may fall inside a surrogate pair.
  return JSON.stringify(`${name.slice(0, QUOTED_LENGTH).toWellFormed()}…`);
}
