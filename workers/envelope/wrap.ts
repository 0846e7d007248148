/**
 * The wrap: a key encrypted under another, a DEK under a KEK or a KEK under the root key.
 *
 *     "MAVK" | suite 0x01 | key id 16 | nonce 24 | wrapped key 32 | tag 16        AAD = header ‖ ctx ‖ row digest
 *
 * The header is everything before the wrapped key. The key id is that of the wrapping key. Sees two keys and keeps
 * neither: the wrapped one belongs to the caller, who zeroes it after use.
 */

import { Buffer } from 'node:buffer';
import { TAG_SIZE } from './aes-gcm.ts';
import { assertHeader, createHeader, HEADER_SIZE } from './header.ts';
import { IntegrityError } from './integrity.ts';
import { KEY_SIZE } from './keys.ts';
import { fillRandom } from './random.ts';
import { assertSize, DIGEST_SIZE, KEY_ID_SIZE } from './sizes.ts';
import { XAES_NONCE_SIZE, type XaesKey } from './xaes.ts';

const HEADER = createHeader('MAVK');
const NONCE_OFFSET = HEADER_SIZE + KEY_ID_SIZE;
const BODY_OFFSET = NONCE_OFFSET + XAES_NONCE_SIZE;
export const WRAP_SIZE = BODY_OFFSET + KEY_SIZE + TAG_SIZE;

/**
 * `wrappingKeyId` is 16 bytes: the KEK's id, or the vault's where the root key wraps. `key` is 32 bytes, `ctx` an
 * encoded context, `rowDigest` the 32 bytes of `digestRow`.
 */
export function wrapKey(
  wrappingKey: XaesKey,
  wrappingKeyId: Uint8Array,
  key: Uint8Array,
  ctx: Uint8Array,
  rowDigest: Uint8Array,
): Buffer<ArrayBuffer> {
  assertSize(wrappingKeyId, KEY_ID_SIZE, 'a key id');
  assertSize(key, KEY_SIZE, 'a key to wrap');
  const blob = Buffer.allocUnsafeSlow(WRAP_SIZE);
  blob.set(HEADER, 0);
  blob.set(wrappingKeyId, HEADER_SIZE);
  const nonce = fillRandom(blob.subarray(NONCE_OFFSET, BODY_OFFSET));
  blob.set(wrappingKey.encrypt(nonce, key, encodeAad(blob, ctx, rowDigest)), BODY_OFFSET);
  return blob;
}

/**
 * Returns the 32 bytes of the key in unpooled memory, which the caller zeroes. Throws IntegrityError unless `blob`
 * is what was wrapped under this key, in this context, for a row of this digest.
 */
export function unwrapKey(
  wrappingKey: XaesKey,
  blob: Uint8Array,
  ctx: Uint8Array,
  rowDigest: Uint8Array,
): Buffer<ArrayBuffer> {
  assertWrap(blob);
  const nonce = blob.subarray(NONCE_OFFSET, BODY_OFFSET);
  return wrappingKey.decrypt(nonce, blob.subarray(BODY_OFFSET), encodeAad(blob, ctx, rowDigest));
}

/** The id of the key that wrapped it: a view into `blob`, not yet authenticated. Throws IntegrityError. */
export function readWrapKeyId(blob: Uint8Array): Uint8Array {
  assertWrap(blob);
  return blob.subarray(HEADER_SIZE, NONCE_OFFSET);
}

/** The nonce: a view into `blob`, not yet authenticated; new for every wrap. Throws IntegrityError. */
export function readWrapNonce(blob: Uint8Array): Uint8Array {
  assertWrap(blob);
  return blob.subarray(NONCE_OFFSET, BODY_OFFSET);
}

function assertWrap(blob: Uint8Array): void {
  if (blob.length !== WRAP_SIZE) throw new IntegrityError();
  assertHeader(blob, HEADER);
}

/** Unambiguous without a prefix for `ctx`: what stands before it and after it has a fixed size. */
function encodeAad(blob: Uint8Array, ctx: Uint8Array, rowDigest: Uint8Array): Buffer {
  assertSize(rowDigest, DIGEST_SIZE, 'a row digest');
  const aad = Buffer.allocUnsafe(BODY_OFFSET + ctx.length + DIGEST_SIZE);
  aad.set(blob.subarray(0, BODY_OFFSET), 0);
  aad.set(ctx, BODY_OFFSET);
  aad.set(rowDigest, BODY_OFFSET + ctx.length);
  return aad;
}
