/**
 * Random bytes for keys and nonces, fetched many at a time: encrypting a value takes three pieces, and each call of the
 * generator costs time. Holds the bytes of future keys, in secret memory; bytes that are taken are zeroed there at once.
 * Each thread has a stock of its own, in the process that also holds the KEK.
 */
import { randomFillSync } from 'node:crypto';
import { allocateSecretMemory } from './secret-memory.ts';
import { viewBytes } from './view.ts';

const STOCK_SIZE = 4_096;

/** Null until the first bytes are wanted. */
let stock: Uint8Array<ArrayBuffer> | null = null;
let taken = STOCK_SIZE;

/** Fills `target`, at most 4 KiB, with random bytes that nobody else gets, and returns it. Throws MissingSodiumError. */
export function fillRandom<Target extends Uint8Array>(target: Target): Target {
  const { length } = target;
  if (length > STOCK_SIZE) throw new RangeError(`at most ${STOCK_SIZE} random bytes at once`);
  stock ??= allocateSecretMemory(STOCK_SIZE);
  if (taken + length > STOCK_SIZE) {
    randomFillSync(stock);
    taken = 0;
  }
  const bytes = viewBytes(stock, taken, taken + length);
  target.set(bytes);
  bytes.fill(0);
  taken += length;
  return target;
}
