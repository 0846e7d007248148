/**
 * Sealing and opening what a row stores: a fresh DEK for every value, wrapped under the current KEK and bound to the
 * row. Holds a DEK and a plaintext for the length of a call; DEKs are zeroed here, plaintexts by the caller.
 */
import { type Context, encodeContext } from '../envelope/context.ts';
import { IntegrityError } from '../envelope/integrity.ts';
import { asDek, createDek, type Dek } from '../envelope/keys.ts';
import { openPayload, sealPayload } from '../envelope/payload.ts';
import { type BoundRow, digestRow } from '../envelope/row-digest.ts';
import { readWrapKeyId, unwrapKey, wrapKey } from '../envelope/wrap.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Place } from './places.ts';

/** The ciphertext of a row. `version` is 0 and `payload` null where there is no value. */
export interface SealedRow {
  readonly version: number;
  readonly wrappedDek: Uint8Array;
  readonly payload: Uint8Array | null;
}

function encode(keyring: Keyring, place: Place, version: number): Buffer {
  const context: Context = { ...place, vaultId: keyring.vaultId, version };
  return encodeContext(context);
}

/** Seals a value (or none) for a row. `version` must be new to the vault, and 0 exactly where there is no value. */
export function sealRow(
  keyring: Keyring,
  place: Place,
  row: BoundRow,
  version: number,
  plaintext: Uint8Array | null,
): SealedRow {
  const ctx = encode(keyring, place, version);
  const { id, wrapping } = keyring.current;
  const dek = createDek();
  try {
    const wrappedDek = wrapKey(wrapping, id, dek, ctx, digestRow(row));
    return { version, wrappedDek, payload: plaintext === null ? null : sealPayload(dek, plaintext, ctx) };
  } finally {
    dek.fill(0);
  }
}

/** A row's value in memory that the caller zeroes; null where it has none. Throws IntegrityError. */
export function openRow(keyring: Keyring, place: Place, row: BoundRow & SealedRow): Buffer | null {
  const ctx = encode(keyring, place, row.version);
  const dek = unwrapDek(keyring, ctx, row);
  try {
    return row.payload === null ? null : openPayload(dek, row.payload, ctx);
  } finally {
    dek.fill(0);
  }
}

/** Throws IntegrityError unless the row, its value included, is as somebody with the key stored it. */
export function verifyRow(keyring: Keyring, place: Place, row: BoundRow & SealedRow): void {
  openRow(keyring, place, row)?.fill(0);
}

/**
 * Whether the wrap of a row vouches for what the row says, its value aside. Replacing a changed row must work, but must
 * not make the change good.
 */
export function isVouchedFor(keyring: Keyring, place: Place, row: BoundRow & SealedRow): boolean {
  try {
    unwrapDek(keyring, encode(keyring, place, row.version), row).fill(0);
    return true;
  } catch (error) {
    if (error instanceof IntegrityError) return false;
    throw error;
  }
}

/** The same value under a row that has changed, wrapped anew under the current KEK. Throws IntegrityError. */
export function rewrapRow(
  keyring: Keyring,
  place: Place,
  row: BoundRow & SealedRow,
  changed: BoundRow,
): SealedRow {
  const ctx = encode(keyring, place, row.version);
  const { id, wrapping } = keyring.current;
  const dek = unwrapDek(keyring, ctx, row);
  try {
    return { ...pickSealed(row), wrappedDek: wrapKey(wrapping, id, dek, ctx, digestRow(changed)) };
  } finally {
    dek.fill(0);
  }
}

/** The same value at another place, sealed anew under a fresh DEK. `version` as for sealRow. Throws IntegrityError. */
export function resealRow(
  keyring: Keyring,
  from: Place,
  row: BoundRow & SealedRow,
  to: Place,
  changed: BoundRow,
  version: number,
): SealedRow {
  const value = openRow(keyring, from, row);
  try {
    return sealRow(keyring, to, changed, version, value);
  } finally {
    value?.fill(0);
  }
}

function pickSealed({ version, wrappedDek, payload }: SealedRow): SealedRow {
  return { version, wrappedDek, payload };
}

/** Unwrapping checks the row too: whoever changed its metadata or times without the key is found out here. */
function unwrapDek(keyring: Keyring, ctx: Uint8Array, row: BoundRow & SealedRow): Dek {
  // A value cannot be taken away or slipped in unnoticed: only version 0, which the wrap binds, has none.
  if ((row.version === 0) !== (row.payload === null)) throw new IntegrityError();
  const kek = keyring.find(readWrapKeyId(row.wrappedDek));
  if (kek === null) throw new IntegrityError();
  return asDek(unwrapKey(kek.wrapping, row.wrappedDek, ctx, digestRow(row)));
}
