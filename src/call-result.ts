/** What comes back for a call that was dispatched to the workers. */
import type { Failure, Success } from '../workers/messages.ts';

/** Returns whether the client still waits for the response. */
export type IsWanted = () => boolean;

/** Bytes. A body that is longer has memory of its own, which goes back when it is sent. */
export const LONG_BODY = 65_536;

/** A reply with the bytes of its body, which its sender zeroes: a view of the batch's memory, unless it is a long one. */
export type CallResult =
  | Failure
  | (Omit<Success, 'offset' | 'length'> & { readonly body: Uint8Array<ArrayBuffer> });
