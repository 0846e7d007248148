/**
 * The payload: one value or one field, encrypted under a DEK of its own.
 *
 *     "MAV4" | suite 0x01 | nonce 12 | ciphertext | tag 16        AAD = magic ‖ suite ‖ ctx
 *
 * Sees a DEK and a plaintext, keeps neither: both belong to the caller, who zeroes them after use.
 */

import { Buffer } from 'node:buffer';
import { decryptGcm, encryptGcm, GCM_NONCE_SIZE, TAG_SIZE } from './aes-gcm.ts';
import { assertHeader, createHeader, HEADER_SIZE } from './header.ts';
import { IntegrityError } from './integrity.ts';
import { type Dek, KEY_SIZE } from './keys.ts';
import { fillRandom } from './random.ts';
import { assertSize } from './sizes.ts';

const HEADER = createHeader('MAV4');
const BODY_OFFSET = HEADER_SIZE + GCM_NONCE_SIZE;
/** Bytes by which a payload is longer than its plaintext. */
export const PAYLOAD_OVERHEAD = BODY_OFFSET + TAG_SIZE;

/** `ctx` is an encoded context. A DEK encrypts exactly one payload, so a random 96-bit nonce can never repeat. */
export function encryptPayload(dek: Dek, plaintext: Uint8Array, ctx: Uint8Array): Buffer<ArrayBuffer> {
  assertSize(dek, KEY_SIZE, 'a DEK');
  const blob = Buffer.allocUnsafeSlow(PAYLOAD_OVERHEAD + plaintext.length);
  blob.set(HEADER, 0);
  const nonce = fillRandom(blob.subarray(HEADER_SIZE, BODY_OFFSET));
  blob.set(encryptGcm(dek, nonce, plaintext, Buffer.concat([HEADER, ctx])), BODY_OFFSET);
  return blob;
}

/**
 * Returns the plaintext in memory of its own, which the caller zeroes. Throws IntegrityError unless `blob` is what
 * was encrypted under this DEK in this context.
 */
export function decryptPayload(dek: Dek, blob: Uint8Array, ctx: Uint8Array): Buffer<ArrayBuffer> {
  assertSize(dek, KEY_SIZE, 'a DEK');
  if (blob.length < PAYLOAD_OVERHEAD) throw new IntegrityError();
  assertHeader(blob, HEADER);
  const nonce = blob.subarray(HEADER_SIZE, BODY_OFFSET);
  return decryptGcm(dek, nonce, blob.subarray(BODY_OFFSET), Buffer.concat([HEADER, ctx]));
}
