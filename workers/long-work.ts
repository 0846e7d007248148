/** Notes the progress of long work in shared memory, because the request thread cannot ask a thread that is busy. */
import type { LongWorkKind } from './messages.ts';

/** Runs `work`, which calls `step` for each of `total` steps. */
export type CountSteps = <T>(kind: LongWorkKind, total: number, work: (step: () => void) => T) => T;

const WORDS = { writing: 0, reading: 2 } as const;

/** `shared` is `longWork` of WorkerOptions. */
export function countStepsIn(shared: SharedArrayBuffer): CountSteps {
  const words = new Int32Array(shared);
  return (kind, total, work) => {
    const [done, all] = [WORDS[kind], WORDS[kind] + 1];
    Atomics.store(words, done, 0);
    Atomics.store(words, all, total);
    try {
      return work(() => Atomics.add(words, done, 1));
    } finally {
      Atomics.store(words, all, 0);
    }
  };
}
