/** How a request fails: the API's error, with its status and its stable code. */
import type { ErrorCode, Reason, WrongItem } from '../../workers/messages.ts';
import type { Incoming } from './connection.ts';
import type { Approval } from './types.ts';

export type { ErrorCode, Reason, WrongItem };

interface Details {
  readonly reason?: Reason | undefined;
  readonly member?: string | undefined;
  readonly problem?: string | undefined;
  readonly at?: WrongItem | undefined;
  readonly approval?: Approval | undefined;
}

/** The vault refused. `message` is its sentence, which never holds a value. */
export class MaestroVaultError extends Error {
  override readonly name = 'MaestroVaultError';
  /** The HTTP status. */
  readonly status: number;
  readonly code: ErrorCode;
  /** Why the vault is sealed, mostly; undefined where the code says it all. */
  readonly reason: Reason | undefined;
  /** The member of the body, or the parameter, that is wrong. */
  readonly member: string | undefined;
  /**
   * Beside `reason`: `message` without what to do about it. Beside `member`: what is wrong with it, without its name; a
   * sentence where the code is `too_large`, else a predicate (`must not be empty`).
   */
  readonly problem: string | undefined;
  /** The item of a list in the body that is wrong. */
  readonly at: WrongItem | undefined;
  /** What the owner has to approve, if the request was not to wait for it. */
  readonly approval: Approval | undefined;

  constructor(status: number, code: ErrorCode, message: string, details: Details = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.reason = details.reason;
    this.member = details.member;
    this.problem = details.problem;
    this.at = details.at;
    this.approval = details.approval;
  }
}

/** Returns the error for a response with a status of 400 and more. */
export function toError({ status, body }: Incoming): MaestroVaultError {
  try {
    const { error, code, ...details } = JSON.parse(
      Buffer.from(body.buffer, body.byteOffset, body.length).toString(),
    );
    if (typeof error === 'string' && typeof code === 'string')
      return new MaestroVaultError(status, code as ErrorCode, error, details);
  } catch {
    // Not an answer of ours; said below.
  }
  return new MaestroVaultError(status, 'internal', `the vault answered with status ${status}`);
}
