/**
 * Encrypts and decrypts what a row stores: a fresh DEK for every value, wrapped under the current KEK and bound to the
 * row. Holds a DEK for the length of a call (`withDek` zeroes it). Plaintext is written straight into the caller's memory,
 * and zeroed by the caller.
 */
import { encodeContext } from '../envelope/context.ts';
import { IntegrityError } from '../envelope/integrity.ts';
import { type Dek, withDek } from '../envelope/keys.ts';
import { decryptPayload, encryptPayload, plaintextSize } from '../envelope/payload.ts';
import { fillRandom } from '../envelope/random.ts';
import { type BoundRow, digestRow } from '../envelope/row-digest.ts';
import { readWrap, unwrapKey } from '../envelope/wrap.ts';
import { allocateSecret, discardBytes, type SecretBytes } from '../json/secret-bytes.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Place } from './places.ts';

/** The ciphertext of a row. Without a value `version` is 0 and `payload` null. */
export interface EncryptedRow {
  readonly version: number;
  readonly wrappedDek: Uint8Array;
  readonly payload: Uint8Array | null;
}

/** A row as the lists of versions have it. */
export type EncryptedHead = Omit<EncryptedRow, 'payload'> & Partial<Pick<EncryptedRow, 'payload'>>;

/** Returns memory of `size` bytes for a plaintext. Called at most once, and only when the row is known to be genuine. */
export type MakeRoom<Room extends Uint8Array> = (size: number) => Room;

/** Encrypts a value, or none, for a row. `version` must be new to the vault; 0 if, and only if, there is no value. */
export function encryptRow(
  keyring: Keyring,
  place: Place,
  row: BoundRow,
  version: number,
  plaintext: Uint8Array | null,
): EncryptedRow {
  const ctx = encodeContext({ ...place, vaultId: keyring.vaultId, version });
  return withDek((dek) => {
    const wrappedDek = keyring.wrap(fillRandom(dek), ctx, digestRow(row));
    return { version, wrappedDek, payload: plaintext === null ? null : encryptPayload(dek, plaintext, ctx) };
  });
}

/**
 * Decrypts a row's value into the memory that `makeRoom` returns, and returns that; null if the row has no value. The
 * caller zeroes it. Throws IntegrityError, and then no plaintext is in that memory.
 */
export function decryptRow<Room extends Uint8Array>(
  keyring: Keyring,
  place: Place,
  row: BoundRow & EncryptedRow,
  makeRoom: MakeRoom<Room>,
): Room | null {
  return withRowDek(keyring, place, row, (dek, ctx) => {
    if (row.payload === null) return null;
    const room = makeRoom(plaintextSize(row.payload));
    decryptPayload(dek, row.payload, ctx, room);
    return room;
  });
}

/** Throws IntegrityError if the row or its value was changed without the key. */
export function verifyRow(keyring: Keyring, place: Place, row: BoundRow & EncryptedRow): void {
  const value = decryptRow(keyring, place, row, allocateSecret);
  if (value !== null) discardBytes(value);
}

/**
 * Returns whether the wrap of a row vouches for its plaintext columns. Does not decrypt the value. A row that was changed
 * without the key may be replaced, but the replacement must not keep any part of it.
 */
export function isVouchedFor(keyring: Keyring, place: Place, row: BoundRow & EncryptedHead): boolean {
  try {
    return withRowDek(keyring, place, row, () => true);
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
  const { version, payload } = row;
  return { version, payload, wrappedDek: rewrapDek(keyring, place, row, changed) };
}

/** As rewrapRow, for a row without its payload. Returns the new wrap. */
export function rewrapDek(
  keyring: Keyring,
  place: Place,
  row: BoundRow & EncryptedHead,
  changed: BoundRow,
): Uint8Array {
  return withRowDek(keyring, place, row, (dek, ctx) => keyring.wrap(dek, ctx, digestRow(changed)));
}

/**
 * Encrypts a value again under a new DEK, for rows that share it. `payload` is how it is stored now. Returns the new payload, of the
 * same size, and a wrap for each row. Throws IntegrityError if one of the rows or the payload is not genuine.
 */
export function renewDek(
  keyring: Keyring,
  place: Place,
  rows: readonly (BoundRow & EncryptedHead)[],
  payload: Uint8Array,
): { readonly payload: Uint8Array; readonly wrappedDeks: readonly Uint8Array[] } {
  const [first] = rows;
  if (first === undefined) throw new RangeError('a value belongs to a row');
  for (const row of rows) withRowDek(keyring, place, row, () => {});
  const value = decryptRow(keyring, place, { ...first, payload }, allocateSecret);
  if (value === null) throw new RangeError('a payload has a value');
  try {
    const ctx = encodeContext({ ...place, vaultId: keyring.vaultId, version: first.version });
    return withDek((dek) => {
      fillRandom(dek);
      const wrappedDeks = rows.map((row) => keyring.wrap(dek, ctx, digestRow(row)));
      return { payload: encryptPayload(dek, value, ctx), wrappedDeks };
    });
  } finally {
    discardBytes(value);
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
  const value: SecretBytes | null = decryptRow(keyring, from, row, allocateSecret);
  try {
    return encryptRow(keyring, to, changed, version, value);
  } finally {
    if (value !== null) discardBytes(value);
  }
}

/**
 * Hands out the DEK of a row, and the row's context, for the length of a call, and zeroes the DEK afterwards. Throws
 * IntegrityError if the DEK cannot be unwrapped, or if a bound column was changed without the key.
 */
function withRowDek<T>(
  keyring: Keyring,
  place: Place,
  row: BoundRow & EncryptedHead,
  use: (dek: Dek, ctx: Uint8Array) => T,
): T {
  // The wrap binds the version, and only version 0 has no value. So nobody can remove or add a value unnoticed.
  if (row.payload !== undefined && (row.version === 0) !== (row.payload === null)) throw new IntegrityError();
  const entry = keyring.find(readWrap(row.wrappedDek).keyId);
  if (entry === null) throw new IntegrityError();
  const ctx = encodeContext({ ...place, vaultId: keyring.vaultId, version: row.version });
  const digest = digestRow(row);
  return withDek((dek) => {
    unwrapKey(entry.kek, row.wrappedDek, ctx, digest, dek);
    return use(dek, ctx);
  });
}
