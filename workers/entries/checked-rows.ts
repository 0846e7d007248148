/** What checking the vault finds, row by row. No value is kept: `verifyRow` zeroes each at once. */

import { IntegrityError } from '../envelope/integrity.ts';
import type { BoundRow } from '../envelope/row-digest.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { CheckedTable, DamagedRow } from '../messages.ts';
import type { FieldRow, SecretRow } from '../store/columns.ts';
import { findDamageCode } from '../store/unusable.ts';
import { asBoundField } from './fields.ts';
import { fieldPlace, secretPlace } from './places.ts';
import { verifyRow } from './row-crypto.ts';

/** Where the next page goes on: what the rows of a table are ordered by. Empty for the beginning of the table. */
export type Position = readonly (string | number)[];

/** A row with what belongs to it. */
export interface CheckedRow {
  readonly position: Position;
  /** How many rows were opened. */
  readonly rows: Readonly<Partial<Record<CheckedTable, number>>>;
  /** Bytes that were decrypted, about. */
  readonly bytes: number;
  readonly damaged: readonly DamagedRow[];
  /** The next page goes on behind it, however few rows this one has. */
  readonly isEnd?: true;
}

/** Runs `open`, and returns what is wrong with the row that it opens; null if nothing is. */
export function findProblem(open: () => void): DamagedRow['problem'] | null {
  try {
    open();
    return null;
  } catch (error) {
    if (error instanceof IntegrityError) return 'changed';
    if (findDamageCode(error) !== null) return 'unreadable';
    throw error;
  }
}

/** The tables of current secrets, or those of old versions. */
export interface EntryTables {
  readonly entry: 'secrets' | 'versions';
  readonly field: 'fields' | 'old_fields';
}

/** An entry and the fields that are opened with it. Its digest binds all of its fields, by name and version. */
export interface OpenedEntry {
  readonly tables: EntryTables;
  readonly row: SecretRow & BoundRow;
  readonly fields: readonly FieldRow[];
}

/** Opens an entry and these fields, each by itself, so that every damaged row is named. */
export function openEntry(
  keyring: Keyring,
  { tables, row, fields }: OpenedEntry,
): Omit<CheckedRow, 'position'> {
  const { name, environment, revision: version } = row;
  const damaged: DamagedRow[] = [];
  const problem = findProblem(() => {
    if (row.fields.length !== row.fieldCount) throw new IntegrityError();
    verifyRow(keyring, secretPlace(row), row);
  });
  if (problem !== null) damaged.push({ table: tables.entry, name, environment, version, problem });
  for (const field of fields) {
    const wrong = findProblem(() => verifyRow(keyring, fieldPlace(row, field.field), asBoundField(field)));
    if (wrong === null) continue;
    damaged.push({ table: tables.field, name, environment, version, field: field.field, problem: wrong });
  }
  const bytes = fields.reduce((sum, { payload }) => sum + payload.length, row.payload?.length ?? 0);
  return { rows: { [tables.entry]: 1, [tables.field]: fields.length }, bytes, damaged };
}
