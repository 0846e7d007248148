/**
 * Finds what is kept of deleted secrets. Whoever can write the file can point a row of `deleted` at any secret, so it counts
 * only if the newest version of that secret is a deletion under that name, made by somebody with the key.
 */
import { IntegrityError } from '../envelope/integrity.ts';
import type { SecretName } from '../messages.ts';
import type { ReadableVault } from '../open-vault.ts';
import type { DeletedRow, SecretRow, VersionHead } from '../store/columns.ts';
import { secretPlace } from './places.ts';
import { isVouchedFor } from './row-crypto.ts';

/** Returns whether the wrap of a version, current or old, vouches for its columns and its list of fields. */
export function isGenuineVersion(vault: ReadableVault, row: SecretRow | VersionHead): boolean {
  const reader = 'isOld' in row ? vault.history.readFieldsAt(row) : vault.secrets;
  const fields = row.fieldCount === 0 ? [] : reader.listFieldHeads(row.id);
  return isVouchedFor(vault.keyring, secretPlace(row), { ...row, fields });
}

/** Returns a secret's newest old version that is genuine, or undefined. */
export function findNewestGenuine(vault: ReadableVault, secretId: number): VersionHead | undefined {
  return vault.history.list(secretId).find((row) => isGenuineVersion(vault, row));
}

/** Returns the version that a row of `deleted` stands for; null if the row is not genuine. */
export function findDeletionOf(vault: ReadableVault, deleted: DeletedRow): VersionHead | null {
  const newest = findNewestGenuine(vault, deleted.secretId);
  if (newest?.change !== 'delete' || !isSameName(newest, deleted)) return null;
  return vault.secrets.findById(deleted.secretId) === null ? newest : null;
}

/** Returns the last deletion of a secret of this name; null if there is none that is genuine. */
export function findDeletion(vault: ReadableVault, name: SecretName): VersionHead | null {
  for (const row of vault.history.listDeletedAs(name)) {
    const deletion = findDeletionOf(vault, row);
    if (deletion !== null) return deletion;
  }
  return null;
}

/** As findDeletion, but throws IntegrityError if there are deletions and none of them is genuine. */
export function getDeletion(vault: ReadableVault, name: SecretName): VersionHead | null {
  const deletion = findDeletion(vault, name);
  if (deletion === null && vault.history.listDeletedAs(name).length > 0) throw new IntegrityError();
  return deletion;
}

export function isSameName(a: SecretName, b: SecretName): boolean {
  return a.name === b.name && a.environment === b.environment;
}
