/**
 * Stores an entry under another name, or an old version as the current one. Every envelope is bound to its place and its
 * version, so the value and each field are decrypted and encrypted again. row-crypto.ts holds one plaintext at a time, as
 * bytes, and zeroes it.
 */
import { parseMetadata } from '../json/parse.ts';
import { nowSeconds } from '../json/times.ts';
import type { SecretName } from '../messages.ts';
import type { WritableVault } from '../open-vault.ts';
import type { FieldRow, SecretRow } from '../store/columns.ts';
import type { FieldWrite } from '../store/secrets.ts';
import { requireWholeSecrets } from './access.ts';
import { indexMetadata } from './entries.ts';
import { asBoundField } from './fields.ts';
import { getChange } from './history.ts';
import { fieldPlace, secretPlace } from './places.ts';
import { reencryptRow, verifyRow } from './row-crypto.ts';

/** An entry as it is stored, of the current version or of an old one. */
export type StoredEntry = SecretRow & { readonly isOld?: boolean; readonly fields: readonly FieldRow[] };

export interface Target extends SecretName {
  readonly id: number;
  readonly revision: number;
  /** Whether the owner is asked for the secret until now. The entry that is stored does not lower it. */
  readonly confirm: number;
  /** Whether the fields have the values of today. Otherwise the author of the write answers for them. */
  readonly hasFieldsOfToday: boolean;
  /** Whether `secrets` has no row of this id. */
  readonly isNew: boolean;
}

/**
 * Stores the entry as the version `target.revision` of a secret. Fields that the target has and the entry has not stay: the
 * caller deletes them. Throws IntegrityError unless the entry is as somebody with the key stored it.
 */
export function storeAgain(vault: WritableVault, from: StoredEntry, target: Target): void {
  requireWholeSecrets(vault);
  verifyRow(vault.keyring, secretPlace(from), from);
  const fields = from.fields.map((field) => reencryptField(vault, from, field, target));
  const { id, revision, isNew, name, environment } = target;
  const { metadata, createdAt, expiresAt, rotateBy } = from;
  const { author } = vault;
  const bound = {
    ...{ id, metadata, createdAt, expiresAt, rotateBy, revision, change: getChange(vault), fields },
    confirm: Math.max(from.confirm, target.confirm),
    updatedAt: nowSeconds(),
    writtenBy: author.id,
    accepted: author.isTrusted && from.accepted === 1 ? 1 : 0,
  };
  const version = from.payload === null ? 0 : vault.nextVersion();
  const encrypted = reencryptRow(vault.keyring, secretPlace(from), from, secretPlace(target), bound, version);
  vault.writer.put({ name, environment, ...bound, ...encrypted }, isNew);
  vault.noteChange(target, revision, bound.change);
  for (const field of fields) vault.writer.putField(field);
  vault.writer.countFields(id);
  indexMetadata(vault, id, target, parseMetadata(metadata), isNew);
}

/** The field keeps its times and, unless somebody else now answers for its value, its writer. */
function reencryptField(vault: WritableVault, secret: SecretName, row: FieldRow, target: Target): FieldWrite {
  const { field } = row;
  const stored = asBoundField(row);
  const { author } = vault;
  const isAnsweredFor = target.hasFieldsOfToday || author.isTrusted || row.accepted === 0;
  const { writtenBy, accepted } = isAnsweredFor ? row : { writtenBy: author.id, accepted: 0 };
  const bound = { ...stored, revision: target.revision, writtenBy, accepted };
  const [from, to] = [fieldPlace(secret, field), fieldPlace(target, field)];
  const version = vault.nextVersion();
  const { wrappedDek, payload } = reencryptRow(vault.keyring, from, stored, to, bound, version);
  if (payload === null) throw new RangeError('a field has a value');
  return { ...bound, secretId: target.id, version, wrappedDek, payload };
}
