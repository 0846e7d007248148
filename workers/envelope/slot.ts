/**
 * The passphrase slot's blob: the root key, wrapped under a key that comes from a passphrase.
 *
 *     "MAVS" | suite 0x02 | kdf 0x01 | memory KiB u32 | passes u32 | parallelism u32 | salt 16
 *            | commitment 32 | nonce 24 | wrapped root key 32 | tag 16        AAD = all before the root key ‖ ctx
 *
 * XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03). A passphrase may be guessable, and Poly1305 does not commit to its key:
 * without the commitment one blob could be made to open under many passphrases, and each answer would rule out many guesses
 * at once. Sees the passphrase and the root key, which belong to the caller; the keys derived in between are zeroed before
 * each function returns.
 */

import { Buffer } from 'node:buffer';
import { randomFillSync, timingSafeEqual } from 'node:crypto';
import { assertHeader, createHeader, HEADER_SIZE } from './header.ts';
import { IntegrityError } from './integrity.ts';
import {
  COMMITMENT_SIZE,
  DEFAULT_KDF_PARAMETERS,
  deriveSlotKeys,
  isWithinBounds,
  type KdfParameters,
  SALT_SIZE,
  type SlotKeys,
} from './kdf.ts';
import { asRootKey, type RootKey } from './keys.ts';
import { allocateSecretMemory, withSecretMemory } from './secret-memory.ts';
import { assertSize, KEY_SIZE, NONCE_SIZE, TAG_SIZE } from './sizes.ts';
import { decryptBytes, encryptBytes } from './sodium.ts';

const HEADER = createHeader('MAVS');
const KDF_ARGON2ID = 0x01;
const MEMORY_OFFSET = HEADER_SIZE + 1;
const PASSES_OFFSET = MEMORY_OFFSET + 4;
const PARALLELISM_OFFSET = PASSES_OFFSET + 4;
const SALT_OFFSET = PARALLELISM_OFFSET + 4;
const COMMITMENT_OFFSET = SALT_OFFSET + SALT_SIZE;
const NONCE_OFFSET = COMMITMENT_OFFSET + COMMITMENT_SIZE;
const BODY_OFFSET = NONCE_OFFSET + NONCE_SIZE;
export const SLOT_SIZE = BODY_OFFSET + KEY_SIZE + TAG_SIZE;

/** `ctx` is an encoded context of kind "slot". Blocks the thread while Argon2id runs. */
export function wrapRootKey(
  passphrase: Uint8Array,
  rootKey: RootKey,
  ctx: Uint8Array,
  parameters: KdfParameters = DEFAULT_KDF_PARAMETERS,
): Buffer<ArrayBuffer> {
  assertSize(rootKey, KEY_SIZE, 'a root key');
  if (passphrase.length === 0) throw new RangeError('a passphrase must not be empty');
  if (!isWithinBounds(parameters)) throw new RangeError('the parameters of Argon2id are out of bounds');
  const blob = createSlot(parameters);
  withSlotKeys((keys) => {
    deriveSlotKeys(passphrase, readSalt(blob), ctx, parameters, keys);
    blob.set(keys.commitment, COMMITMENT_OFFSET);
    encryptBytes(keys.key, readNonce(blob), rootKey, encodeAad(blob, ctx), blob.subarray(BODY_OFFSET));
  });
  return blob;
}

/**
 * Returns the root key, which the caller zeroes. Throws IntegrityError for a wrong passphrase as for a damaged blob;
 * nothing tells the two apart. Blocks the thread while Argon2id runs.
 */
export function unwrapRootKey(passphrase: Uint8Array, blob: Uint8Array, ctx: Uint8Array): RootKey {
  const parameters = readParameters(blob);
  return withSlotKeys((keys) => {
    deriveSlotKeys(passphrase, readSalt(blob), ctx, parameters, keys);
    // Before decrypting: a key that the blob is not committed to must not be tried on the ciphertext.
    if (!timingSafeEqual(keys.commitment, readCommitment(blob))) throw new IntegrityError();
    const rootKey = asRootKey(allocateSecretMemory(KEY_SIZE));
    decryptBytes(keys.key, readNonce(blob), blob.subarray(BODY_OFFSET), encodeAad(blob, ctx), rootKey);
    return rootKey;
  });
}

/** Fills in everything but the commitment and the body: header, parameters, a random salt and a random nonce. */
function createSlot({ memoryKib, passes, parallelism }: KdfParameters): Buffer<ArrayBuffer> {
  const blob = Buffer.allocUnsafeSlow(SLOT_SIZE).fill(0);
  blob.set(HEADER, 0);
  blob[HEADER_SIZE] = KDF_ARGON2ID;
  blob.writeUInt32BE(memoryKib, MEMORY_OFFSET);
  blob.writeUInt32BE(passes, PASSES_OFFSET);
  blob.writeUInt32BE(parallelism, PARALLELISM_OFFSET);
  randomFillSync(blob, SALT_OFFSET, SALT_SIZE);
  return randomFillSync(blob, NONCE_OFFSET, NONCE_SIZE);
}

/** Throws IntegrityError for anything that is not a slot's blob with parameters within bounds. */
function readParameters(blob: Uint8Array): KdfParameters {
  if (blob.length !== SLOT_SIZE) throw new IntegrityError();
  assertHeader(blob, HEADER);
  if (blob[HEADER_SIZE] !== KDF_ARGON2ID) throw new IntegrityError();
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  const parameters = {
    memoryKib: view.getUint32(MEMORY_OFFSET),
    passes: view.getUint32(PASSES_OFFSET),
    parallelism: view.getUint32(PARALLELISM_OFFSET),
  };
  if (!isWithinBounds(parameters)) throw new IntegrityError();
  return parameters;
}

function readSalt(blob: Uint8Array): Uint8Array {
  return blob.subarray(SALT_OFFSET, COMMITMENT_OFFSET);
}

function readCommitment(blob: Uint8Array): Uint8Array {
  return blob.subarray(COMMITMENT_OFFSET, NONCE_OFFSET);
}

function readNonce(blob: Uint8Array): Uint8Array {
  return blob.subarray(NONCE_OFFSET, BODY_OFFSET);
}

function encodeAad(blob: Uint8Array, ctx: Uint8Array): Buffer {
  return Buffer.concat([blob.subarray(0, BODY_OFFSET), ctx]);
}

/** Hands out memory for a slot's keys for the length of a call, and zeroes it afterwards. */
function withSlotKeys<Result>(use: (keys: SlotKeys) => Result): Result {
  return withSecretMemory(KEY_SIZE + COMMITMENT_SIZE, (memory) =>
    use({ key: memory.subarray(0, KEY_SIZE), commitment: memory.subarray(KEY_SIZE) }),
  );
}
