/**
 * AES-256-GCM (NIST SP 800-38D), only with 96-bit nonces and 128-bit tags. The key and the plaintext belong to the
 * caller, who zeroes them; a plaintext that failed its tag is zeroed here, before the error.
 */

import { Buffer } from 'node:buffer';
import { type Cipheriv, createCipheriv, createDecipheriv, type Decipheriv } from 'node:crypto';
import { IntegrityError } from './integrity.ts';
import { KEY_SIZE } from './keys.ts';
import { assertSize } from './sizes.ts';

export const GCM_NONCE_SIZE = 12;
export const TAG_SIZE = 16;

const ALGORITHM = 'aes-256-gcm';
/** Without it Node accepts tags as short as four bytes when opening. */
const OPTIONS = { authTagLength: TAG_SIZE };
/** Bytes. Up to this size Buffer.allocUnsafeSlow takes memory of the V8 heap, which no freed memory comes from. */
const LARGEST_ON_HEAP = 64;

/** Returns ciphertext ‖ tag. `key` is 32 bytes, `nonce` 12. */
export function encryptGcm(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Buffer<ArrayBuffer> {
  assertSize(key, KEY_SIZE, 'an AES-256-GCM key');
  assertSize(nonce, GCM_NONCE_SIZE, 'an AES-256-GCM nonce');
  const cipher = createCipheriv(ALGORITHM, key, nonce, OPTIONS);
  cipher.setAAD(aad);
  const ciphertext = cipher.update(plaintext);
  cipher.final(); // GCM is a stream mode: no bytes are left over.
  return Buffer.concat([ciphertext, cipher.getAuthTag()]);
}

/**
 * Returns the plaintext in memory of its own, which the caller zeroes. Throws IntegrityError if anything does not
 * match or `blob`, ciphertext ‖ tag, is shorter than a tag; RangeError for a key that is not 32 or a nonce that is not 12 bytes.
 */
export function decryptGcm(
  key: Uint8Array,
  nonce: Uint8Array,
  blob: Uint8Array,
  aad: Uint8Array,
): Buffer<ArrayBuffer> {
  assertSize(key, KEY_SIZE, 'an AES-256-GCM key');
  assertSize(nonce, GCM_NONCE_SIZE, 'an AES-256-GCM nonce');
  if (blob.length < TAG_SIZE) throw new IntegrityError();
  const tagOffset = blob.length - TAG_SIZE;
  const decipher = createDecipheriv(ALGORITHM, key, nonce, OPTIONS);
  decipher.setAAD(aad);
  decipher.setAuthTag(blob.subarray(tagOffset));
  const ciphertext = blob.subarray(0, tagOffset);
  const plaintext = tagOffset <= PIECE ? decipher.update(ciphertext) : updateInPieces(decipher, ciphertext);
  // Node decrypts into memory with room for one byte more, copies the result and frees that memory without erasing it. The
  // allocator mostly hands the same memory to the next request of that size, so this requests it at once and erases it. In
  // the daemon on Linux the allocator itself erases freed memory; elsewhere only this does.
  const freed = Math.min(tagOffset, PIECE) + 1;
  if (freed > LARGEST_ON_HEAP) Buffer.allocUnsafeSlow(freed).fill(0);
  try {
    decipher.final();
  } catch {
    plaintext.fill(0); // Unauthenticated, so the caller must not see it.
    throw new IntegrityError();
  }
  return plaintext;
}

/** Bytes. At most this much of the output is in memory three times. */
const PIECE = 65_536;

/** As `update`, which copies its whole output twice; here only a piece at a time is copied, and zeroed. */
function updateInPieces(cipher: Cipheriv | Decipheriv, input: Uint8Array): Buffer<ArrayBuffer> {
  const output = Buffer.allocUnsafeSlow(input.length);
  for (let at = 0; at < input.length; at += PIECE) {
    const piece = cipher.update(input.subarray(at, at + PIECE));
    output.set(piece, at);
    piece.fill(0);
    // Frees the piece now rather than at the next garbage collection.
    piece.buffer.transferToFixedLength(0);
  }
  return output;
}
