/** How far the long work is that is under way: an import, a check, a rotation. */
import type { LongWorkKind } from '../workers/messages.ts';

export interface WorkCount {
  readonly done: number;
  readonly total: number;
}

/** Absent: none of that kind is under way, or it has not counted yet what there is to do. */
export type LongWork = { readonly [Kind in LongWorkKind]?: WorkCount };

/** Bytes of the memory that WorkerOptions describes. */
export const LONG_WORK_SIZE = 7 * Int32Array.BYTES_PER_ELEMENT;
/** Its word with the number of sealings that are under way. */
export const SEALINGS = 4;

/** `shared`: as WorkerOptions has it. */
export function readLongWork(shared: SharedArrayBuffer): LongWork {
  const words = new Int32Array(shared);
  const [written = 0, toWrite = 0, read = 0, toRead = 0] = words;
  const [rotated = 0, toRotate = 0] = words.subarray(SEALINGS + 1);
  return {
    ...(toWrite === 0 ? {} : { writing: { done: written, total: toWrite } }),
    ...(toRead === 0 ? {} : { reading: { done: read, total: toRead } }),
    ...(toRotate === 0 ? {} : { rotating: { done: rotated, total: toRotate } }),
  };
}
