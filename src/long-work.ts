/** How far the long requests are that are under way: an import or a rotation, and a check. */
import type { LongWorkKind } from '../workers/messages.ts';

export interface WorkCount {
  readonly done: number;
  readonly total: number;
}

/** Absent: none of that kind is under way, or it has not counted yet what there is to do. */
export type LongWork = { readonly [Kind in LongWorkKind]?: WorkCount };

/** `shared`: as WorkerOptions has it. */
export function readLongWork(shared: SharedArrayBuffer): LongWork {
  const [written = 0, toWrite = 0, read = 0, toRead = 0] = new Int32Array(shared);
  return {
    ...(toWrite === 0 ? {} : { writing: { done: written, total: toWrite } }),
    ...(toRead === 0 ? {} : { reading: { done: read, total: toRead } }),
  };
}
