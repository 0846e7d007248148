/**
 * Wraps the DEKs of one secret again, of its current row, its fields, its old versions and their fields. A row that was changed
 * without the key stays as it is: see left-wraps.ts.
 */
import { asBoundField } from '../entries/fields.ts';
import { fieldPlace, type Place, secretPlace } from '../entries/places.ts';
import { type EncryptedHead, rewrapDek } from '../entries/row-crypto.ts';
import { openIfGenuine } from '../envelope/integrity.ts';
import type { BoundRow } from '../envelope/row-digest.ts';
import { readWrap } from '../envelope/wrap.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { WrapStore } from '../store/wraps.ts';
import { readEntry } from './read-entry.ts';

/** Runs inside a transaction. Returns how many versions of the secret there were, with the current one. */
export function rewrapSecret(wraps: WrapStore, keyring: Keyring, id: number): number {
  const { rows, fields, oldFields } = readEntry(wraps, id);
  for (const row of rows) {
    const wrap = tryRewrap(keyring, secretPlace(row), row);
    if (wrap !== null && row.isOld) wraps.replaceVersion(row, wrap);
    if (wrap !== null && !row.isOld) wraps.replaceSecret(row, wrap);
    for (const field of row.isOld ? [] : fields) {
      const fieldWrap = tryRewrap(keyring, fieldPlace(row, field.field), asBoundField(field));
      if (fieldWrap !== null) wraps.replaceField(id, field, fieldWrap);
    }
    // The version was the last to have these fields.
    for (const field of row.isOld ? oldFields.filter(({ until }) => until === row.revision + 1) : []) {
      const fieldWrap = tryRewrap(keyring, fieldPlace(row, field.field), asBoundField(field));
      if (fieldWrap !== null) wraps.replaceOldField(id, field, fieldWrap);
    }
  }
  return rows.length;
}

/** Returns null if the row is wrapped under the current KEK already, or was changed without the key. */
function tryRewrap(keyring: Keyring, place: Place, row: BoundRow & EncryptedHead): Uint8Array | null {
  return openIfGenuine(() => {
    if (Buffer.compare(readWrap(row.wrappedDek).keyId, keyring.current.id) === 0) return null;
    return rewrapDek(keyring, place, row, row);
  });
}
