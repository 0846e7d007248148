/**
 * The three kinds of key. They are the secrets themselves: the code that creates, unwraps or receives one zeroes it
 * (`fill(0)`) as soon as it has been wrapped, used or turned into a KeyObject. This file keeps no reference.
 */

import { fillRandom } from './random.ts';
import { assertSize } from './sizes.ts';

export const KEY_SIZE = 32;

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

export function createRootKey(): RootKey {
  return asRootKey(createRandomKey());
}

export function createKek(): Kek {
  return asKek(createRandomKey());
}

export function createDek(): Dek {
  return asDek(createRandomKey());
}

/**
 * Allocates outside the V8 heap, so that zeroing the key is enough. Buffer.allocUnsafeSlow would take 64 bytes or less
 * from the heap, where the garbage collector moves them and leaves the old copy behind.
 */
function createRandomKey(): Uint8Array<ArrayBuffer> {
  return fillRandom(new Uint8Array(new ArrayBuffer(KEY_SIZE)));
}
