/**
 * Random bytes for keys and nonces, fetched many at a time: encrypting a value takes three pieces, and each call of the
 * generator costs time. Holds the bytes of future keys; bytes that are taken are zeroed here at once. Each thread has a
 * stock of its own, in the process that also holds the KEK.
 */
import { randomFillSync } from 'node:crypto';

const STOCK_SIZE = 4_096;

/** Above 64 bytes, so that it is never inside the V8 heap (see keys.ts). */
const stock = new Uint8Array(new ArrayBuffer(STOCK_SIZE));
let taken = STOCK_SIZE;

/** Fills `target`, at most 4 KiB, with random bytes that nobody else gets, and returns it. */
export function fillRandom<Target extends Uint8Array>(target: Target): Target {
  const { length } = target;
  if (length > STOCK_SIZE) throw new RangeError(`at most ${STOCK_SIZE} random bytes at once`);
  if (taken + length > STOCK_SIZE) {
    randomFillSync(stock);
    taken = 0;
  }
  const bytes = stock.subarray(taken, taken + length);
  target.set(bytes);
  bytes.fill(0);
  taken += length;
  return target;
}
