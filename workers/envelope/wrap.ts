/**
 * The wrap: a key encrypted under another, a DEK under a KEK or a KEK under the root key.
 *
 *     "MAVK" | suite 0x02 | key id 16 | nonce 24 | wrapped key 32 | tag 16        AAD = header ‖ ctx ‖ row digest
 *
 * XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03). The header is everything before the wrapped key. The key id is that of
 * the wrapping key. Sees two keys, keeps neither and copies neither: both belong to the caller, who zeroes them after use.
 */

import { Buffer } from 'node:buffer';
import { assertHeader, createHeader, HEADER_SIZE } from './header.ts';
import { IntegrityError } from './integrity.ts';
import type { Kek, RootKey } from './keys.ts';
import { fillRandom } from './random.ts';
import { assertSize, DIGEST_SIZE, KEY_ID_SIZE, KEY_SIZE, NONCE_SIZE, TAG_SIZE } from './sizes.ts';
import { decryptBytes, encryptBytes } from './sodium.ts';
import { viewBytes } from './view.ts';

const HEADER = createHeader('MAVK');
const NONCE_OFFSET = HEADER_SIZE + KEY_ID_SIZE;
const BODY_OFFSET = NONCE_OFFSET + NONCE_SIZE;
export const WRAP_SIZE = BODY_OFFSET + KEY_SIZE + TAG_SIZE;

/**
 * `wrappingKeyId` is 16 bytes: the KEK's id, or the vault's where the root key wraps. `key` is 32 bytes, `ctx` an
 * encoded context, `rowDigest` the 32 bytes of `digestRow`.
 */
export function wrapKey(
  wrappingKey: Kek | RootKey,
  wrappingKeyId: Uint8Array,
  key: Uint8Array,
  ctx: Uint8Array,
  rowDigest: Uint8Array,
): Buffer<ArrayBuffer> {
  assertSize(wrappingKeyId, KEY_ID_SIZE, 'a key id');
  assertSize(key, KEY_SIZE, 'a key to wrap');
  const blob = Buffer.allocUnsafe(WRAP_SIZE);
  blob.set(HEADER, 0);
  blob.set(wrappingKeyId, HEADER_SIZE);
  const nonce = fillRandom(viewBytes(blob, NONCE_OFFSET, BODY_OFFSET));
  const body = viewBytes(blob, BODY_OFFSET, WRAP_SIZE);
  encryptBytes(wrappingKey, nonce, key, encodeAad(blob, ctx, rowDigest), body);
  return blob;
}

/**
 * Writes the key into the 32 bytes of `target`, for the caller to zero. Throws IntegrityError unless `blob` is what was
 * wrapped under this key, in this context, for a row of this digest; then nothing of it is in `target`.
 */
export function unwrapKey(
  wrappingKey: Kek | RootKey,
  blob: Uint8Array,
  ctx: Uint8Array,
  rowDigest: Uint8Array,
  target: Uint8Array,
): void {
  const { nonce, body } = readWrap(blob);
  decryptBytes(wrappingKey, nonce, body, encodeAad(blob, ctx, rowDigest), target);
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
    keyId: viewBytes(blob, HEADER_SIZE, NONCE_OFFSET),
    nonce: viewBytes(blob, NONCE_OFFSET, BODY_OFFSET),
    body: viewBytes(blob, BODY_OFFSET, WRAP_SIZE),
  };
}

/** Unambiguous without a prefix for `ctx`, because the parts before and after it have a fixed size. */
function encodeAad(blob: Uint8Array, ctx: Uint8Array, rowDigest: Uint8Array): Uint8Array {
  assertSize(rowDigest, DIGEST_SIZE, 'a row digest');
  // Buffer.concat takes three times as long.
  const aad = Buffer.allocUnsafe(BODY_OFFSET + ctx.length + DIGEST_SIZE);
  aad.set(viewBytes(blob, 0, BODY_OFFSET), 0);
  aad.set(ctx, BODY_OFFSET);
  aad.set(rowDigest, BODY_OFFSET + ctx.length);
  return aad;
}
