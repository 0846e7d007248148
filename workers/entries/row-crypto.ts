/**
 * Encrypts and decrypts what a row stores: a fresh DEK for every value, wrapped under the current KEK and bound to the
 * row. Holds a DEK and a plaintext for the length of a call; DEKs are zeroed here, plaintexts by the caller.
 */
import { encodeContext } from '../envelope/context.ts';
import { IntegrityError } from '../envelope/integrity.ts';
import { asDek, createDek, type Dek } from '../envelope/keys.ts';
import { decryptPayload, encryptPayload } from '../envelope/payload.ts';
import { type BoundRow, digestRow } from '../envelope/row-digest.ts';
import { readWrap, unwrapKey, wrapKey } from '../envelope/wrap.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Place } from './places.ts';

/** The ciphertext of a row. Without a value `version` is 0 and `payload` null. */
export interface EncryptedRow {
  readonly version: number;
  readonly wrappedDek: Uint8Array;
  readonly payload: Uint8Array | null;
}

/** Encrypts a value, or none, for a row. `version` must be new to the vault; 0 if, and only if, there is no value. */
export function encryptRow(
  keyring: Keyring,
  place: Place,
  row: BoundRow,
  version: number,
  plaintext: Uint8Array | null,
): EncryptedRow {
  const ctx = encodeContext({ ...place, vaultId: keyring.vaultId, version });
  const { id, wrapping } = keyring.current;
  const dek = createDek();
  try {
    const wrappedDek = wrapKey(wrapping, id, dek, ctx, digestRow(row));
    return { version, wrappedDek, payload: plaintext === null ? null : encryptPayload(dek, plaintext, ctx) };
  } finally {
    dek.fill(0);
  }
}

/** Returns a row's value, which the caller zeroes, or null if it has none. Throws IntegrityError. */
export function decryptRow(keyring: Keyring, place: Place, row: BoundRow & EncryptedRow): Buffer | null {
  const ctx = encodeContext({ ...place, vaultId: keyring.vaultId, version: row.version });
  const dek = unwrapDek(keyring, ctx, row);
  try {
    return row.payload === null ? null : decryptPayload(dek, row.payload, ctx);
  } finally {
    dek.fill(0);
  }
}

/** Throws IntegrityError if the row or its value was changed without the key. */
export function verifyRow(keyring: Keyring, place: Place, row: BoundRow & EncryptedRow): void {
  decryptRow(keyring, place, row)?.fill(0);
}

/**
 * Returns whether the wrap of a row vouches for its plaintext columns. Does not decrypt the value. A row that was changed
 * without the key may be replaced, but the replacement must not keep any part of it.
 */
export function isVouchedFor(keyring: Keyring, place: Place, row: BoundRow & EncryptedRow): boolean {
  try {
    unwrapDek(keyring, encodeContext({ ...place, vaultId: keyring.vaultId, version: row.version }), row).fill(
      0,
    );
    return true;
  } catch (error) {
    if (error instanceof IntegrityError) return false;
    throw error;
  }
}

/** Keeps the value and wraps its DEK again, for the changed row and under the current KEK. Throws IntegrityError. */
export function rewrapRow(
  keyring: Keyring,
  place: Place,
  row: BoundRow & EncryptedRow,
  changed: BoundRow,
): EncryptedRow {
  const ctx = encodeContext({ ...place, vaultId: keyring.vaultId, version: row.version });
  const { id, wrapping } = keyring.current;
  const dek = unwrapDek(keyring, ctx, row);
  try {
    const { version, payload } = row;
    return { version, payload, wrappedDek: wrapKey(wrapping, id, dek, ctx, digestRow(changed)) };
  } finally {
    dek.fill(0);
  }
}

/** Moves a value to another place: encrypts it again under a fresh DEK. `version` as for encryptRow. Throws IntegrityError. */
export function reencryptRow(
  keyring: Keyring,
  from: Place,
  row: BoundRow & EncryptedRow,
  to: Place,
  changed: BoundRow,
  version: number,
): EncryptedRow {
  const value = decryptRow(keyring, from, row);
  try {
    return encryptRow(keyring, to, changed, version, value);
  } finally {
    value?.fill(0);
  }
}

/** Throws IntegrityError if the DEK cannot be unwrapped, or if a bound column was changed without the key. */
function unwrapDek(keyring: Keyring, ctx: Uint8Array, row: BoundRow & EncryptedRow): Dek {
  // The wrap binds the version, and only version 0 has no value. So nobody can remove or add a value unnoticed.
  if ((row.version === 0) !== (row.payload === null)) throw new IntegrityError();
  const kek = keyring.find(readWrap(row.wrappedDek).keyId);
  if (kek === null) throw new IntegrityError();
  return asDek(unwrapKey(kek.wrapping, row.wrappedDek, ctx, digestRow(row)));
}
