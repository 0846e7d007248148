/** What a dispatched call comes back as, on this side of the wall. */
import type { Failure, Success } from '../workers/messages.ts';

/** Whether anybody still waits for an answer. */
export type IsWanted = () => boolean;

/** A reply with its body's bytes: a view of the batch's memory that whoever sends it zeroes. */
export type Answered =
  | Failure
  | (Omit<Success, 'offset' | 'length'> & { readonly body: Uint8Array<ArrayBuffer> });
