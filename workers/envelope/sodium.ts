/**
 * libsodium, through the prebuilt addon of the package sodium-native. The package's own JavaScript is left out: it brings
 * some twenty small packages along, which have no business in a thread with keys. That JavaScript also checks the lengths,
 * and the addon itself does not: a wrong one would read or write beyond the memory. So nothing outside of this file calls
 * the addon, and each function here checks every length first. Keeps no secret.
 */
import { createRequire } from 'node:module';
import { IntegrityError } from './integrity.ts';
import { assertSize, KEY_SIZE, MAC_SIZE, NONCE_SIZE, TAG_SIZE } from './sizes.ts';

/** The functions of the addon that are used here, with libsodium's names and parameters. */
interface Sodium {
  /** Returns the length of what it wrote. */
  crypto_aead_xchacha20poly1305_ietf_encrypt(
    ciphertext: Uint8Array,
    message: Uint8Array,
    additionalData: Uint8Array,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number;
  /** Returns the length of what it wrote, or -1; then `message` is all zeros. */
  crypto_aead_xchacha20poly1305_ietf_decrypt(
    message: Uint8Array,
    ciphertext: Uint8Array,
    additionalData: Uint8Array,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number;
  /** Returns 0. */
  crypto_auth(mac: Uint8Array, input: Uint8Array, key: Uint8Array): number;
  sodium_malloc(size: number): ArrayBuffer;
  sodium_free(memory: ArrayBuffer): void;
}

/** The addon cannot be loaded: the package has none for this system, or it is for another C library. */
export class MissingSodiumError extends Error {
  override readonly name = 'MissingSodiumError';

  /** `code`: Node's, of the error with which the addon failed to load. */
  constructor(code: string) {
    const system = `${process.platform}-${process.arch}`;
    super(
      `a vault cannot be made or opened here: the prebuilt libsodium does not load on this system (${system}, ${code})`,
    );
  }
}

/** Loaded at the first use: a thread that only asks for sizes, or never opens a vault, does without. */
let loaded: Sodium | null = null;

/** Loads the addon if it is not loaded yet. Throws MissingSodiumError. */
export function loadSodium(): Sodium {
  loaded ??= requireAddon();
  return loaded;
}

function requireAddon(): Sodium {
  const { platform, arch } = process;
  try {
    return createRequire(import.meta.url)(`sodium-native/prebuilds/${platform}-${arch}/sodium-native.node`);
  } catch (error) {
    throw new MissingSodiumError(String((error as NodeJS.ErrnoException).code));
  }
}

/** Maximum length in bytes. The addon's lengths are 32 bits wide, so a longer one would wrap around. */
const MAX_SIZE = 0xffff_ffff;

/**
 * Writes ciphertext ‖ tag into `target`, which is a tag longer than `plaintext`. `key` is 32 bytes, `nonce` 24. Throws
 * RangeError for another length.
 */
export function encryptBytes(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
  target: Uint8Array,
): void {
  assertSize(key, KEY_SIZE, 'a key');
  assertSize(nonce, NONCE_SIZE, 'a nonce');
  assertSize(target, plaintext.length + TAG_SIZE, 'the target of a plaintext');
  if (target.length > MAX_SIZE) throw new RangeError('a plaintext must be shorter than 4 GiB');
  const sodium = loaded ?? loadSodium();
  const written = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(target, plaintext, aad, nonce, key);
  if (written !== target.length) throw new RangeError('libsodium did not encrypt all of a plaintext');
}

/**
 * Writes the plaintext of `sealed`, ciphertext ‖ tag, into `target`, which is a tag shorter. The caller zeroes it. Throws
 * IntegrityError if anything does not match, and then `target` is all zeros; RangeError for another length.
 */
export function decryptBytes(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array,
  target: Uint8Array,
): void {
  assertSize(key, KEY_SIZE, 'a key');
  assertSize(nonce, NONCE_SIZE, 'a nonce');
  assertSize(target, sealed.length - TAG_SIZE, 'the target of a ciphertext');
  if (sealed.length > MAX_SIZE) throw new RangeError('a ciphertext must be shorter than 4 GiB');
  const sodium = loaded ?? loadSodium();
  const written = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(target, sealed, aad, nonce, key);
  if (written !== target.length) throw new IntegrityError();
}

/** Writes the 32 bytes of HMAC-SHA-512-256 (RFC 4231's HMAC-SHA-512, cut to 32 bytes) into `target`. `key` is 32 bytes. */
export function writeMac(key: Uint8Array, input: Uint8Array, target: Uint8Array): void {
  assertSize(key, KEY_SIZE, 'a MAC key');
  assertSize(target, MAC_SIZE, 'the target of a MAC');
  const sodium = loaded ?? loadSodium();
  if (sodium.crypto_auth(target, input, key) !== 0) throw new RangeError('libsodium made no MAC');
}
