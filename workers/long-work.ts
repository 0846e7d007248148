/**
 * Notes the progress of long work in shared memory, because the request thread cannot ask a thread that is busy. By the same
 * memory the request thread ends long work when the vault is being sealed.
 */
import { SealedError } from './errors/sealed.ts';
import type { LongWorkKind } from './messages.ts';

/**
 * Runs `work`, which calls `step` for each of `total` steps. `step` throws SealedError once the vault is being sealed. So call it
 * where the work can end: in a transaction that is rolled back then, or between two.
 */
export type CountSteps = <T>(kind: LongWorkKind, total: number, work: (step: () => void) => T) => T;

const WORDS = { writing: 0, reading: 2, rotating: 5 } as const satisfies Record<LongWorkKind, number>;
/** How many sealings are under way. */
const SEALINGS = 4;

/** `shared` is `longWork` of WorkerOptions. */
export function countStepsIn(shared: SharedArrayBuffer): CountSteps {
  const words = new Int32Array(shared);
  return (kind, total, work) => {
    const [done, all] = [WORDS[kind], WORDS[kind] + 1];
    Atomics.store(words, done, 0);
    Atomics.store(words, all, total);
    try {
      return work(() => {
        Atomics.add(words, done, 1);
        if (Atomics.load(words, SEALINGS) > 0)
          throw new SealedError('sealed', 'the vault was sealed meanwhile, which ended the request');
      });
    } finally {
      Atomics.store(words, all, 0);
    }
  };
}

/** Notes how far a rotation is. A `total` of 0: there is none. */
export function noteRotation(shared: SharedArrayBuffer, done: number, total: number): void {
  const words = new Int32Array(shared);
  Atomics.store(words, WORDS.rotating, done);
  Atomics.store(words, WORDS.rotating + 1, total);
}
