/**
 * The Go program's ciphertexts: `nonce 12 ‖ ciphertext ‖ tag 16`, AES-256-GCM without additional data. A value is encrypted
 * under a data key of its own, and the data key in the same form under the master key. Returns plaintexts and unwraps data
 * keys; zeroes the data keys, and the caller zeroes the plaintexts. Only the import from that program uses this.
 */
import { createDecipheriv } from 'node:crypto';
import { IntegrityError } from '../envelope/integrity.ts';
import { assertSize, KEY_SIZE } from '../envelope/sizes.ts';

const NONCE_SIZE = 12;
const TAG_SIZE = 16;
/** Bytes by which a ciphertext is longer than its plaintext. */
export const SEALED_OVERHEAD = NONCE_SIZE + TAG_SIZE;

/** A value as a row has it. */
export interface SealedValue {
  readonly sealed: Uint8Array;
  readonly wrappedDataKey: Uint8Array;
}

/** Returns the value, for the caller to zero. `masterKey` is 32 bytes. Throws IntegrityError if either ciphertext is not genuine. */
export function openSealedValue(masterKey: Uint8Array, { sealed, wrappedDataKey }: SealedValue): Buffer {
  assertSize(masterKey, KEY_SIZE, 'a master key');
  const dataKey = open(masterKey, wrappedDataKey);
  try {
    if (dataKey.length !== KEY_SIZE) throw new IntegrityError();
    return open(dataKey, sealed);
  } finally {
    dataKey.fill(0);
  }
}

function open(key: Uint8Array, sealed: Uint8Array): Buffer {
  if (sealed.length < SEALED_OVERHEAD) throw new IntegrityError();
  const end = sealed.length - TAG_SIZE;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_SIZE), {
    authTagLength: TAG_SIZE,
  });
  decipher.setAuthTag(sealed.subarray(end));
  const plaintext = decipher.update(sealed.subarray(NONCE_SIZE, end));
  try {
    decipher.final();
    return plaintext;
  } catch {
    plaintext.fill(0);
    throw new IntegrityError();
  }
}
