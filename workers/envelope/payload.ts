/**
 * The payload: one value or one field, encrypted under a DEK of its own.
 *
 *     "MAV5" | suite 0x02 | nonce 24 | ciphertext | tag 16        AAD = magic ‖ suite ‖ ctx
 *
 * XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03). Sees a DEK and a plaintext, keeps neither and copies neither: both
 * belong to the caller, who zeroes them after use.
 */

import { Buffer } from 'node:buffer';
import { assertHeader, createHeader, HEADER_SIZE } from './header.ts';
import { IntegrityError } from './integrity.ts';
import type { Dek } from './keys.ts';
import { fillRandom } from './random.ts';
import { NONCE_SIZE, TAG_SIZE } from './sizes.ts';
import { decryptBytes, encryptBytes } from './sodium.ts';
import { viewBytes } from './view.ts';

const HEADER = createHeader('MAV5');
const BODY_OFFSET = HEADER_SIZE + NONCE_SIZE;
/** Bytes by which a payload is longer than its plaintext. */
export const PAYLOAD_OVERHEAD = BODY_OFFSET + TAG_SIZE;

/** `ctx` is an encoded context. A DEK encrypts exactly one payload. */
export function encryptPayload(dek: Dek, plaintext: Uint8Array, ctx: Uint8Array): Buffer<ArrayBuffer> {
  const blob = Buffer.allocUnsafe(PAYLOAD_OVERHEAD + plaintext.length);
  blob.set(HEADER, 0);
  const nonce = fillRandom(viewBytes(blob, HEADER_SIZE, BODY_OFFSET));
  encryptBytes(dek, nonce, plaintext, encodeAad(ctx), viewBytes(blob, BODY_OFFSET, blob.length));
  return blob;
}

/** Bytes of the plaintext. Throws IntegrityError for a blob that is too short to be a payload. */
export function plaintextSize(blob: Uint8Array): number {
  if (blob.length < PAYLOAD_OVERHEAD) throw new IntegrityError();
  return blob.length - PAYLOAD_OVERHEAD;
}

/**
 * Writes the plaintext into `target`, of `plaintextSize` bytes, for the caller to zero. Throws IntegrityError unless `blob`
 * is what was encrypted under this DEK in this context; then nothing of it is in `target`.
 */
export function decryptPayload(dek: Dek, blob: Uint8Array, ctx: Uint8Array, target: Uint8Array): void {
  assertHeader(blob, HEADER);
  const end = BODY_OFFSET + plaintextSize(blob) + TAG_SIZE;
  const nonce = viewBytes(blob, HEADER_SIZE, BODY_OFFSET);
  decryptBytes(dek, nonce, viewBytes(blob, BODY_OFFSET, end), encodeAad(ctx), target);
}

function encodeAad(ctx: Uint8Array): Uint8Array {
  const aad = Buffer.allocUnsafe(HEADER_SIZE + ctx.length);
  aad.set(HEADER, 0);
  aad.set(ctx, HEADER_SIZE);
  return aad;
}
