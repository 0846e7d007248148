/** The error of a vault that cannot be used at the moment. */
import type { Reason } from '../messages.ts';

/** The vault is sealed. `message` says why; `reason` decides what the user is told to do. Nothing was changed. */
export class SealedError extends Error {
  readonly reason: Reason;

  constructor(reason: Reason, message: string) {
    super(message);
    this.reason = reason;
  }
}
