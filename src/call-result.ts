/** A call that is dispatched to the workers, and what comes back for it. */
import type { Call, Failure, Success } from '../workers/messages.ts';

/** Returns whether the client still waits for the response. */
export type IsWanted = () => boolean;

/** Bytes. A body that is longer has memory of its own, which goes back when it is sent. */
export const LONG_BODY = 65_536;

/** A reply with the bytes of its body, which its sender zeroes: a view of the batch's memory, unless it is a long one. */
export type CallResult =
  | Failure
  | (Omit<Success, 'offset' | 'length'> & { readonly body: Uint8Array<ArrayBuffer> });

/** A call on its way. A request is this itself, so that neither a promise nor a function is made for each. */
export interface PendingCall {
  readonly call: Call;
  /** null: the result is wanted in any case. */
  readonly isWanted: IsWanted | null;
  /** Takes the result. Called once, and never while the call is being dispatched unless the call is refused. Must not throw. */
  take(result: CallResult): void;
}
