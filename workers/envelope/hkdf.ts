/**
 * HKDF with SHA-256 (RFC 5869). The input key belongs to the caller. The output is key material in memory of its own,
 * which the caller zeroes.
 */

import { Buffer } from 'node:buffer';
import { hkdfSync, type KeyObject } from 'node:crypto';

/** The input keys are uniformly random, or Argon2id's salted output: RFC 5869 §3.1 then needs no salt. */
export const NO_SALT = new Uint8Array(0);
/** Node's limit for `info`. */
export const MAX_INFO_SIZE = 1024;
const MAX_OUTPUT_SIZE = 255 * 32; // RFC 5869 §2.3

/** Throws RangeError for an `info` longer than 1,024 bytes or a `size` above 8,160. */
export function deriveBytes(
  inputKey: Uint8Array | KeyObject,
  salt: Uint8Array,
  info: Uint8Array,
  size: number,
): Buffer<ArrayBuffer> {
  if (info.length > MAX_INFO_SIZE) {
    throw new RangeError(`HKDF info must be at most ${MAX_INFO_SIZE} bytes long`);
  }
  if (size > MAX_OUTPUT_SIZE) throw new RangeError(`HKDF-SHA256 gives at most ${MAX_OUTPUT_SIZE} bytes`);
  return Buffer.from(hkdfSync('sha256', inputKey, salt, info, size));
}
