/**
 * How values become bytes before they are authenticated: LP (a u32 big-endian length, then the bytes) and
 * u64 big-endian. Nothing is joined by a delimiter, so no two lists of values encode the same.
 */

import { Buffer } from 'node:buffer';
import { IntegrityError } from './integrity.ts';

export const U32_SIZE = 4;
export const U64_SIZE = 8;
const U32_RANGE = 2 ** 32;

/** Returns LP of every part, one after the other, in one buffer. */
export function encodeFields(...parts: readonly (string | Uint8Array)[]): Buffer<ArrayBuffer> {
  const bytes = parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'utf8') : part));
  const out = Buffer.allocUnsafe(bytes.reduce((size, part) => size + U32_SIZE + part.length, 0));
  let offset = 0;
  for (const part of bytes) offset = writeField(out, part, offset);
  return out;
}

/** Writes LP(bytes) at `offset`; returns where it ends. */
export function writeField(out: Buffer, bytes: Uint8Array, offset: number): number {
  out.writeUInt32BE(bytes.length, offset);
  out.set(bytes, offset + U32_SIZE);
  return offset + U32_SIZE + bytes.length;
}

/**
 * Writes LP(UTF-8 of text) at `offset`, where `size` is its `Buffer.byteLength`; returns where it ends.
 * A lone surrogate would become U+FFFD and collide with it, so it is a RangeError.
 */
export function writeText(out: Buffer, text: string, size: number, offset: number): number {
  if (!text.isWellFormed()) throw new RangeError('authenticated text must be well-formed Unicode');
  out.writeUInt32BE(size, offset);
  out.write(text, offset + U32_SIZE, size, 'utf8');
  return offset + U32_SIZE + size;
}

/**
 * Writes a u64; returns where it ends. Versions and times come out of stored rows, into which an attacker may have put
 * anything: a value that is not a safe non-negative integer was never bound, so it is an IntegrityError.
 */
export function writeU64(out: Buffer, value: number, offset: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new IntegrityError();
  out.writeUInt32BE(Math.floor(value / U32_RANGE), offset);
  return out.writeUInt32BE(value % U32_RANGE, offset + U32_SIZE);
}

export function isU64(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
