/** Why a vault cannot be used at the moment, in words for the user. Holds no secret. */
import type { Reason } from '../messages.ts';

/** The vault is sealed; `message` says why, and what to do follows from `reason`. Nothing was changed. */
export class SealedError extends Error {
  readonly reason: Reason;

  constructor(reason: Reason, message: string) {
    super(message);
    this.reason = reason;
  }
}
