/**
 * The first five bytes of every stored blob: four of magic, which tell its kind, and one for the suite, which tells its
 * algorithms.
 */

import { Buffer } from 'node:buffer';
import { IntegrityError } from './integrity.ts';

const MAGIC_SIZE = 4;
export const HEADER_SIZE = MAGIC_SIZE + 1;
/** The only suite: XChaCha20-Poly1305, and HMAC-SHA-512-256 for derived keys. */
const SUITE = 0x02;

/** `magic` is four ASCII characters. */
export function createHeader(magic: string): Buffer<ArrayBuffer> {
  return Buffer.from([...Buffer.from(magic, 'ascii'), SUITE]);
}

/** Throws IntegrityError for another magic, an unknown suite or a stored blob too short to have either. */
export function assertHeader(blob: Uint8Array, header: Uint8Array): void {
  for (let i = 0; i < HEADER_SIZE; i++) {
    if (blob[i] !== header[i]) throw new IntegrityError();
  }
}
