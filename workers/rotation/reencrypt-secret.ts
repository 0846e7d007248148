/**
 * Encrypts the values and fields of one secret again, under new DEKs: for a KEK or a DEK that somebody else has. Holds one
 * plaintext at a time, which row-crypto.ts zeroes. What was changed without the key stays as it is, and so does the DEK that such a
 * row shares with others: under a new one it could not be repaired any more.
 */
import { asBoundField } from '../entries/fields.ts';
import { fieldPlace, type Place, secretPlace } from '../entries/places.ts';
import { type EncryptedHead, renewDek } from '../entries/row-crypto.ts';
import { openIfGenuine } from '../envelope/integrity.ts';
import type { BoundRow } from '../envelope/row-digest.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { SecretName } from '../messages.ts';
import type { PayloadStore } from '../store/payloads.ts';
import type { FieldWrap, WrapStore } from '../store/wraps.ts';
import { readEntry, type WholeEntry } from './read-entry.ts';
import { rewrapSecret } from './rewrap-secret.ts';

export interface ReencryptingStores {
  readonly wraps: WrapStore;
  readonly payloads: PayloadStore;
}

/** As rewrapSecret: runs inside a transaction, and returns how many versions there were. */
export function reencryptSecret(stores: ReencryptingStores, keyring: Keyring, id: number): number {
  // First everything is wrapped again. What has no payload needs no more, and what is damaged is left here.
  const count = rewrapSecret(stores.wraps, keyring, id);
  const entry = readEntry(stores.wraps, id);
  renewValues(stores, keyring, id, entry);
  renewFields(stores, keyring, id, entry);
  return count;
}

/** A value, and the rows that share it. */
type Sharing = readonly WholeEntry['rows'][number][];

function renewValues(
  { wraps, payloads }: ReencryptingStores,
  keyring: Keyring,
  id: number,
  { rows }: WholeEntry,
): void {
  const valued = rows.filter(({ version }) => version !== 0);
  for (const [version, sharing] of Map.groupBy(valued, (row) => row.version)) {
    const [first] = sharing as Sharing;
    if (first === undefined) continue;
    const renewed = tryRenew(keyring, secretPlace(first), sharing, payloads.readValue(id, version));
    if (renewed === null) continue;
    payloads.replaceValue(id, version, renewed.payload);
    for (const [index, row] of sharing.entries()) {
      const wrap = renewed.wrappedDeks[index] as Uint8Array;
      if (row.isOld) wraps.replaceVersion(row, wrap);
      else wraps.replaceSecret(row, wrap);
    }
  }
}

function renewFields(
  { wraps, payloads }: ReencryptingStores,
  keyring: Keyring,
  id: number,
  { rows, fields, oldFields }: WholeEntry,
): void {
  const renew = (row: SecretName, field: FieldWrap, payload: Uint8Array | null) =>
    tryRenew(keyring, fieldPlace(row, field.field), [asBoundField(field)], payload);
  for (const row of rows) {
    for (const field of row.isOld ? [] : fields) {
      const renewed = renew(row, field, payloads.readField(id, field));
      if (renewed === null) continue;
      payloads.replaceField(id, field, renewed.payload);
      wraps.replaceField(id, field, renewed.wrappedDeks[0] as Uint8Array);
    }
    // The version was the last to have these fields.
    for (const field of row.isOld ? oldFields.filter(({ until }) => until === row.revision + 1) : []) {
      const renewed = renew(row, field, payloads.readOldField(id, field));
      if (renewed === null) continue;
      payloads.replaceOldField(id, field, renewed.payload);
      wraps.replaceOldField(id, field, renewed.wrappedDeks[0] as Uint8Array);
    }
  }
}

/** Returns null if one of the rows, or the payload, is not as somebody with the key stored it. */
function tryRenew(
  keyring: Keyring,
  place: Place,
  rows: readonly (BoundRow & EncryptedHead)[],
  payload: Uint8Array | null,
): ReturnType<typeof renewDek> | null {
  return payload === null ? null : openIfGenuine(() => renewDek(keyring, place, rows, payload));
}
