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
  const aad = encodeAad(blob, ctx, rowDigest);
  blob.set(wrappingKey.encrypt(nonce, key, aad), BODY_OFFSET);
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
  const { nonce, body } = readWrap(blob);
  return wrappingKey.decrypt(nonce, body, encodeAad(blob, ctx, rowDigest));
}

/** The parts of a wrap, not yet authenticated, as views into it. */
interface WrapParts {
  /** The id of the key that wrapped it. */
  readonly keyId: Uint8Array;
  /** New for every wrap. */
  readonly nonce: Uint8Array;
  readonly body: Uint8Array;
}

/** Throws IntegrityError for another length or header. */
export function readWrap(blob: Uint8Array): WrapParts {
  if (blob.length !== WRAP_SIZE) throw new IntegrityError();
  assertHeader(blob, HEADER);
  return {
    keyId: blob.subarray(HEADER_SIZE, NONCE_OFFSET),
    nonce: blob.subarray(NONCE_OFFSET, BODY_OFFSET),
    body: blob.subarray(BODY_OFFSET),
  };
}

/** Unambiguous without a prefix for `ctx`, because the parts before and after it have a fixed size. */
function encodeAad(blob: Uint8Array, ctx: Uint8Array, rowDigest: Uint8Array): Buffer {
  assertSize(rowDigest, DIGEST_SIZE, 'a row digest');
  return Buffer.concat([blob.subarray(0, BODY_OFFSET), ctx, rowDigest]);
}
