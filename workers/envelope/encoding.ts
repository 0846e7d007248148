/**
 * How values become bytes before they are authenticated: LP (a u32 big-endian length, then the bytes) and
 * u64 big-endian. Nothing is joined by a delimiter, so no two lists of values encode the same.
 */

import { Buffer } from 'node:buffer';
import { IntegrityError } from './integrity.ts';

const U32_SIZE = 4;
const U64_SIZE = 8;
const U32_RANGE = 2 ** 32;

/**
 * Returns the parts one after the other in one buffer: LP of each text (as UTF-8) and of bytes, u64 of each number.
 *
 * Throws RangeError for ill-formed text: a lone surrogate would become U+FFFD and collide with it. Throws IntegrityError for
 * a number that is not a safe non-negative integer: versions and times come out of stored rows, into which an attacker may
 * have put anything, and such a number was never bound.
 */
export function encodeFields(parts: readonly (string | Uint8Array | number)[]): Buffer<ArrayBuffer> {
  let size = 0;
  for (const part of parts) {
    if (typeof part === 'number') size += U64_SIZE;
    else size += U32_SIZE + (typeof part === 'string' ? Buffer.byteLength(part) : part.length);
  }
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const part of parts) {
    if (typeof part === 'number') {
      if (!isU64(part)) throw new IntegrityError();
      out.writeUInt32BE(Math.floor(part / U32_RANGE), at);
      at = out.writeUInt32BE(part % U32_RANGE, at + U32_SIZE);
    } else if (typeof part === 'string') {
      if (!part.isWellFormed()) throw new RangeError('authenticated text must be well-formed Unicode');
      const length = out.write(part, at + U32_SIZE, 'utf8');
      at = out.writeUInt32BE(length, at) + length;
    } else {
      out.set(part, out.writeUInt32BE(part.length, at));
      at += U32_SIZE + part.length;
    }
  }
  return out;
}

export function isU64(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
