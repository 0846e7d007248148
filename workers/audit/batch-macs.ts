/** The MACs of a segment's batches, for comparison. Sees the segment's key, which the caller zeroes. */
import { Buffer } from 'node:buffer';
import { timingSafeEqual } from 'node:crypto';
import { MAC_SIZE } from '../envelope/sizes.ts';
import { writeMac } from '../envelope/sodium.ts';

const EMPTY: Buffer = Buffer.alloc(0);

/** Computes the MACs of batches: HMAC-SHA-512-256 over the MAC before and the batch's lines with their newlines. */
export class BatchMacs {
  readonly #key: Uint8Array;
  #input: Buffer = EMPTY;

  /** `key`: 32 bytes, which must stay until the last call. */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** `before`: 32 bytes; null or empty for the head, which begins the chain. */
  compute(before: Uint8Array | null, lines: Uint8Array): Buffer {
    const mac = Buffer.alloc(MAC_SIZE);
    writeMac(this.#key, before === null ? lines : this.#join(before, lines), mac);
    return mac;
  }

  #join(before: Uint8Array, lines: Uint8Array): Buffer {
    const size = before.length + lines.length;
    if (this.#input.length < size) this.#input = Buffer.allocUnsafe(size * 2);
    this.#input.set(before);
    this.#input.set(lines, before.length);
    return this.#input.subarray(0, size);
  }
}

/** Returns whether a MAC as a line has it, 43 characters, is this one. Two texts of one MAC do not count as equal. */
export function isMac(text: string, mac: Buffer): boolean {
  return timingSafeEqual(Buffer.from(text, 'latin1'), Buffer.from(mac.toString('base64url'), 'latin1'));
}
