/** Tells whether a value that somebody read is still the one that is stored. Decrypts nothing. */

import type { ReadableVault } from '../open-vault.ts';
import type { SecretRow, VersionHead } from '../store/columns.ts';
import { isGenuineVersion } from './deletions.ts';

/** A value, or a field, of one version of a secret. */
export interface ReadValue {
  readonly id: number;
  readonly version: number;
  /** Absent for the secret's own value. */
  readonly field?: string;
}

/** Changes that take the value along under another number. A deletion has none, and restoring brings it back. */
const KEEPS_VALUE: ReadonlySet<string> = new Set(['rename', 'delete', 'restore']);

/**
 * Returns false only where that is certain: the secret was deleted, or another value was set later. A rollback may have brought
 * an old value back, and versions that are not kept any more cannot say; then the value counts as stored.
 */
export function isStillStored(vault: ReadableVault, { id, version, field }: ReadValue): boolean {
  const row = vault.secrets.findById(id);
  if (row === null) return false;
  if (row.revision === version || !isGenuineVersion(vault, row)) return true;
  const rows = [row, ...vault.history.list(id)].filter(({ revision }) => revision >= version);
  return field === undefined ? isValueKept(vault, rows, version) : isFieldKept(vault, rows, version, field);
}

/** Follows the value from the current version back. `rows`: newest first. */
function isValueKept(
  vault: ReadableVault,
  rows: readonly (SecretRow | VersionHead)[],
  version: number,
): boolean {
  for (const [index, row] of rows.entries()) {
    const before = rows[index + 1];
    if (row.revision === version || before === undefined || !isGenuineVersion(vault, row)) return true;
    const isSet = row.version !== before.version && !KEEPS_VALUE.has(row.change);
    if (isSet) return row.change === 'rollback';
  }
  return true;
}

function isFieldKept(
  vault: ReadableVault,
  rows: readonly (SecretRow | VersionHead)[],
  version: number,
  field: string,
): boolean {
  const [current] = rows;
  const stored = current === undefined ? null : vault.secrets.findField(current.id, field);
  if (stored === null) return false;
  if (stored.revision <= version) return true;
  const change = rows.find(({ revision }) => revision === stored.revision)?.change;
  return change === undefined || change === 'rollback' || KEEPS_VALUE.has(change);
}
