/**
 * The three kinds of key. They are the secrets themselves, and lie in secret memory (secret-memory.ts): the code that
 * creates, unwraps or receives one zeroes it (`fill(0)`) as soon as it has been wrapped or used.
 */

import { fillRandom } from './random.ts';
import { allocateSecretMemory } from './secret-memory.ts';
import { assertSize, KEY_SIZE } from './sizes.ts';

declare const brand: unique symbol;
type Key<Name extends string> = Uint8Array<ArrayBuffer> & { readonly [brand]: Name };

/** Wraps generations of the KEK; held by the slots. */
export type RootKey = Key<'root key'>;
/** Key-encryption key: wraps DEKs. */
export type Kek = Key<'KEK'>;
/** Data-encryption key: encrypts exactly one payload. */
export type Dek = Key<'DEK'>;

/** Brands 32 bytes without copying them. Throws RangeError for another length. */
export function asRootKey(bytes: Uint8Array<ArrayBuffer>): RootKey {
  assertSize(bytes, KEY_SIZE, 'a root key');
  return bytes as RootKey;
}

/** Brands 32 bytes without copying them. Throws RangeError for another length. */
export function asKek(bytes: Uint8Array<ArrayBuffer>): Kek {
  assertSize(bytes, KEY_SIZE, 'a KEK');
  return bytes as Kek;
}

/** Brands 32 bytes without copying them. Throws RangeError for another length. */
export function asDek(bytes: Uint8Array<ArrayBuffer>): Dek {
  assertSize(bytes, KEY_SIZE, 'a DEK');
  return bytes as Dek;
}

/** Returns a new root key, which the caller zeroes. Throws MissingSodiumError. */
export function createRootKey(): RootKey {
  return asRootKey(fillRandom(allocateSecretMemory(KEY_SIZE)));
}

/** Null until the first DEK is needed. */
let dekMemory: Dek | null = null;
let isDekInUse = false;

/**
 * Hands out memory for one DEK for the length of a call, all zeros, and zeroes it afterwards. It is the only such memory
 * of the thread: `use` is synchronous, and must not ask for another DEK, which would overwrite the first.
 */
export function withDek<T>(use: (dek: Dek) => T): T {
  if (isDekInUse) throw new RangeError('a thread has one DEK at a time');
  dekMemory ??= asDek(allocateSecretMemory(KEY_SIZE));
  const dek = dekMemory;
  isDekInUse = true;
  try {
    return use(dek);
  } finally {
    dek.fill(0);
    isDekInUse = false;
  }
}
