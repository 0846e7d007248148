/**
 * Derives keys from keys: HMAC-SHA-512-256 as a pseudorandom function. HKDF of node:crypto would keep a copy of its input
 * key in native memory until the next garbage collection. Both keys belong to the caller; nothing is copied here.
 */

import { Buffer } from 'node:buffer';
import { encodeFields } from './encoding.ts';
import { writeMac } from './sodium.ts';

/**
 * Writes HMAC-SHA-512-256(inputKey, LP(label) ‖ context) into `target`. `inputKey` and `target` are 32 bytes; the input
 * key is uniformly random, or Argon2id's output. A key derived under one label tells nothing about a key under another.
 */
export function deriveKey(
  inputKey: Uint8Array,
  label: string,
  context: Uint8Array,
  target: Uint8Array,
): void {
  writeMac(inputKey, Buffer.concat([encodeFields([label]), context]), target);
}
