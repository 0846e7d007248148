/**
 * Keeps what a secret was before a change: its row, with its DEK wrapped again for an old version, and the fields that the
 * change replaces. No value is decrypted. Without the key an old row cannot be put in the place of the current one.
 */
import { IntegrityError } from '../envelope/integrity.ts';
import { NOT_A_SECRET } from '../envelope/row-digest.ts';
import { nowSeconds } from '../json/times.ts';
import type { Change, HistoryLimits, SecretName } from '../messages.ts';
import type { WritableVault } from '../open-vault.ts';
import type { FieldHead, SecretRow } from '../store/columns.ts';
import { requireWholeSecrets } from './access.ts';
import { NEVER_ASKED } from './confirm.ts';
import { findDeletion, findNewestGenuine } from './deletions.ts';
import { secretPlace } from './places.ts';
import { encryptRow, rewrapRow } from './row-crypto.ts';

/** A row with its present fields. */
export type WholeRow = SecretRow & { readonly fields: readonly FieldHead[] };

/**
 * Keeps a row that is about to change. `isValueReplaced`: the current row will not have this value any more. Throws
 * IntegrityError if the row was changed without the key, and then keeps nothing.
 */
export function keepVersion(vault: WritableVault, before: WholeRow, isValueReplaced: boolean): void {
  const old = rewrapRow(vault.keyring, secretPlace(before), before, { ...before, isOld: true });
  if (keepsVersions(vault))
    vault.historyWriter.keep({ ...before, ...old, payload: isValueReplaced ? old.payload : null });
  pruneVersions(vault, before.id, before.revision + 1);
}

/** Returns what made the version that the operation makes. */
export function getChange({ change }: WritableVault): Change {
  if (change === null) throw new RangeError('this operation makes no version');
  return change;
}

/** Keeps a field that the version `until` of its secret replaces or deletes. */
export function keepField(vault: WritableVault, secretId: number, field: string, until: number): void {
  if (keepsVersions(vault)) vault.historyWriter.keepField(secretId, field, until);
}

/** As keepField, for all fields of a secret. */
export function keepFields(vault: WritableVault, secretId: number, until: number): void {
  if (keepsVersions(vault)) vault.historyWriter.keepFields(secretId, until);
}

function keepsVersions({ historyLimits }: WritableVault): boolean {
  return historyLimits.keptVersions > 1;
}

/** Deletes the versions that are not kept any more. `newest` is the current one, and one of those that are kept. */
export function pruneVersions(vault: WritableVault, secretId: number, newest: number): void {
  const oldest = newest - Math.max(vault.historyLimits.keptVersions, 1) + 1;
  if (oldest > 1) vault.historyWriter.prune(secretId, oldest - 1);
}

/**
 * For a row that nothing vouches for, before it is replaced or deleted. It is not kept, but the value and the fields that
 * older versions share with it are. Returns what follows from the last genuine one.
 */
export function abandonVersion(vault: WritableVault, secretId: number): Omit<NewRow, 'id'> {
  const newest = findNewestGenuine(vault, secretId);
  const revision = (newest?.revision ?? 0) + 1;
  vault.historyWriter.dropVersions(secretId, revision);
  vault.historyWriter.keepSharedValue(secretId);
  keepFields(vault, secretId, revision);
  return { revision, confirm: newest?.confirm ?? NEVER_ASKED };
}

/** The row under which a new secret is stored. */
export interface NewRow {
  readonly id: number | null;
  readonly revision: number;
  /** As of the version before: who may not lower it does not get around it by deleting the secret. */
  readonly confirm: number;
}

/** Returns the row of a secret that does not exist. One that was deleted goes on with its id and its versions. */
export function startRow(vault: WritableVault, name: SecretName): NewRow {
  const deletion = findDeletion(vault, name);
  if (deletion === null) return { id: null, revision: 1, confirm: NEVER_ASKED };
  const { id, confirm } = deletion;
  const revision = deletion.revision + 1;
  vault.historyWriter.removeDeleted(id);
  pruneVersions(vault, id, revision);
  return { id, revision, confirm };
}

/** Returns how long a deleted secret can be restored; 0 if deleting is for good. Nothing is kept where no old version is. */
export function findKeptSeconds({ keptVersions, deletedSeconds }: HistoryLimits): number {
  return keptVersions > 1 ? deletedSeconds : 0;
}

/** Deletes a secret. Unless config.json says otherwise it can be restored, and so can its versions be read. */
export function removeSecret(vault: WritableVault, row: SecretRow): void {
  requireWholeSecrets(vault);
  const { id, name, environment } = row;
  if (findKeptSeconds(vault.historyLimits) > 0) {
    vault.noteChange(row, keepDeletion(vault, row), 'delete');
    vault.historyWriter.insertDeleted({ secretId: id, name, environment, deletedAt: nowSeconds() });
  } else {
    vault.noteChange(row, 0, 'delete');
    vault.historyWriter.purge(id);
  }
  vault.writer.delete(id);
}

/**
 * The deletion is a version without a value, so that it is known who deleted the secret and when. Returns the number of that
 * version.
 */
function keepDeletion(vault: WritableVault, row: SecretRow): number {
  const { id, name, environment } = row;
  const updatedAt = nowSeconds();
  const bound = {
    ...NOT_A_SECRET,
    ...keepLast(vault, row, updatedAt),
    id,
    metadata: '{}',
    updatedAt,
    writtenBy: vault.author.id,
    accepted: vault.author.isTrusted ? 1 : 0,
    change: 'delete',
    isOld: true,
  } as const;
  const encrypted = encryptRow(vault.keyring, secretPlace(row), bound, 0, null);
  vault.historyWriter.keep({ name, environment, ...bound, ...encrypted, fieldCount: 0 });
  return bound.revision;
}

/**
 * Keeps the last version of a secret, and returns what its deletion has of it. A row that nothing vouches for is not kept:
 * the secret can then be restored as it was before that row, if anything of that is kept.
 */
function keepLast(
  vault: WritableVault,
  row: SecretRow,
  now: number,
): Pick<SecretRow, 'revision' | 'confirm' | 'createdAt'> {
  const { id, confirm, createdAt } = row;
  const revision = row.revision + 1;
  try {
    keepVersion(vault, { ...row, fields: vault.secrets.listFieldHeads(id) }, true);
    keepFields(vault, id, revision);
    return { revision, confirm, createdAt };
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
    return { ...abandonVersion(vault, id), createdAt: now };
  }
}
