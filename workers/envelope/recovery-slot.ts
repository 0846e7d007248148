/**
 * The recovery slot's blob: the root key, wrapped under a key that comes from the 32 random bytes of a recovery code.
 *
 *     "MAVS" | suite 0x02 | kdf 0x02 | commitment 32 | nonce 24 | wrapped root key 32 | tag 16
 *                                                        AAD = all before the root key ‖ ctx
 *
 * As the passphrase slot's (slot.ts), but without Argon2id and its salt: the code cannot be guessed, and no two slots have the
 * same. Sees the code and the root key, which belong to the caller; the keys derived in between are zeroed.
 */
import { Buffer } from 'node:buffer';
import { randomFillSync, timingSafeEqual } from 'node:crypto';
import { deriveKey } from './derive.ts';
import { assertHeader, createHeader, HEADER_SIZE } from './header.ts';
import { IntegrityError } from './integrity.ts';
import { COMMITMENT_SIZE } from './kdf.ts';
import { asRootKey, type RootKey } from './keys.ts';
import { allocateSecretMemory, withSecretMemory } from './secret-memory.ts';
import { assertSize, KEY_SIZE, NONCE_SIZE, TAG_SIZE } from './sizes.ts';
import { decryptBytes, encryptBytes } from './sodium.ts';

/** The random bytes of a recovery code. */
export const RECOVERY_CODE_SIZE = 32;

const HEADER = createHeader('MAVS');
const KDF_NONE = 0x02;
const COMMITMENT_OFFSET = HEADER_SIZE + 1;
const NONCE_OFFSET = COMMITMENT_OFFSET + COMMITMENT_SIZE;
const BODY_OFFSET = NONCE_OFFSET + NONCE_SIZE;
export const RECOVERY_SLOT_SIZE = BODY_OFFSET + KEY_SIZE + TAG_SIZE;

/** `code` has 32 random bytes. `ctx` is the context of the slot. */
export function wrapForRecovery(code: Uint8Array, rootKey: RootKey, ctx: Uint8Array): Buffer<ArrayBuffer> {
  assertSize(rootKey, KEY_SIZE, 'a root key');
  const blob = Buffer.allocUnsafeSlow(RECOVERY_SLOT_SIZE).fill(0);
  blob.set(HEADER, 0);
  blob[HEADER_SIZE] = KDF_NONE;
  randomFillSync(blob, NONCE_OFFSET, NONCE_SIZE);
  withRecoveryKeys(code, ctx, (key, commitment) => {
    blob.set(commitment, COMMITMENT_OFFSET);
    encryptBytes(key, readNonce(blob), rootKey, encodeAad(blob, ctx), blob.subarray(BODY_OFFSET));
  });
  return blob;
}

/** Returns the root key, which the caller zeroes. Throws IntegrityError for a wrong code as for a damaged blob. */
export function unwrapForRecovery(code: Uint8Array, blob: Uint8Array, ctx: Uint8Array): RootKey {
  if (blob.length !== RECOVERY_SLOT_SIZE) throw new IntegrityError();
  assertHeader(blob, HEADER);
  if (blob[HEADER_SIZE] !== KDF_NONE) throw new IntegrityError();
  return withRecoveryKeys(code, ctx, (key, commitment) => {
    // Before decrypting: a key that the blob is not committed to must not be tried on the ciphertext.
    if (!timingSafeEqual(commitment, blob.subarray(COMMITMENT_OFFSET, NONCE_OFFSET)))
      throw new IntegrityError();
    const rootKey = asRootKey(allocateSecretMemory(KEY_SIZE));
    decryptBytes(key, readNonce(blob), blob.subarray(BODY_OFFSET), encodeAad(blob, ctx), rootKey);
    return rootKey;
  });
}

/** Derives the slot's key and the commitment to it, for the length of a call. */
function withRecoveryKeys<Result>(
  code: Uint8Array,
  ctx: Uint8Array,
  use: (key: Uint8Array, commitment: Uint8Array) => Result,
): Result {
  assertSize(code, RECOVERY_CODE_SIZE, 'a recovery code');
  return withSecretMemory(KEY_SIZE + COMMITMENT_SIZE, (memory) => {
    const [key, commitment] = [memory.subarray(0, KEY_SIZE), memory.subarray(KEY_SIZE)];
    deriveKey(code, 'mav.v5.recovery.key', ctx, key);
    deriveKey(code, 'mav.v5.recovery.commitment', ctx, commitment);
    return use(key, commitment);
  });
}

function readNonce(blob: Uint8Array): Uint8Array {
  return blob.subarray(NONCE_OFFSET, BODY_OFFSET);
}

function encodeAad(blob: Uint8Array, ctx: Uint8Array): Buffer {
  return Buffer.concat([blob.subarray(0, BODY_OFFSET), ctx]);
}
