/**
 * Keys from keys: HMAC-SHA-512-256 as a pseudorandom function. Not HKDF of node:crypto, which keeps a copy of its input
 * key in native memory until the next garbage collection. Both keys belong to the caller; nothing is copied here.
 */

import { Buffer } from 'node:buffer';
import { encodeFields } from './encoding.ts';
import { writeMac } from './sodium.ts';

/**
 * Writes HMAC-SHA-512-256(inputKey, LP(label) ‖ context) into `target`. `inputKey` and `target` are 32 bytes; the input
 * key is uniformly random, or Argon2id's output. What is derived under one label says nothing of what is under another.
 */
export function deriveKey(
  inputKey: Uint8Array,
  label: string,
  context: Uint8Array,
  target: Uint8Array,
): void {
  writeMac(inputKey, Buffer.concat([encodeFields([label]), context]), target);
}
