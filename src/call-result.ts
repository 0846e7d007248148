/** What a dispatched call comes back as, on this side of the wall. */
import type { Failure, Success } from '../workers/messages.ts';

/** Whether anybody still waits for an answer. */
export type IsWanted = () => boolean;

/** Bytes: a body that is longer has memory of its own, which goes back when it is sent. */
export const LONG_BODY = 65_536;

/** A reply with its body's bytes, which whoever sends it zeroes: a view of the batch's memory, unless it is a long one. */
export type CallResult =
  | Failure
  | (Omit<Success, 'offset' | 'length'> & { readonly body: Uint8Array<ArrayBuffer> });
