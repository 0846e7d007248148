/** Prints entries of the audit log as a table. */
import type { AuditEntry } from '../../client/types.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import { formatTimeToSecond } from '../../text/format-time.ts';
import { type Column, printTable } from '../formats/table.ts';
import type { Context } from '../run/context.ts';
import {
  describeOperation,
  describeProgram,
  describeResult,
  describeSubject,
  describeVersion,
} from './describe-entry.ts';
import type { NameToken } from './token-names.ts';

interface EntryColumn extends Column {
  readonly show: (entry: AuditEntry, nameToken: NameToken) => string;
  /** It is there only if an entry has something for it. */
  readonly isOptional?: true;
}

const COLUMNS: readonly EntryColumn[] = [
  { head: 'WHEN', isWhole: true, show: ({ at }) => formatTimeToSecond(at) },
  { head: 'WHO', show: ({ by }, nameToken) => nameToken(by) },
  { head: 'PROGRAM', show: describeProgram, isOptional: true },
  { head: 'WHAT', isWhole: true, show: describeOperation },
  { head: 'SECRET', show: describeSubject },
  { head: 'VERSION', isWhole: true, show: describeVersion },
  { head: 'RESULT', isWhole: true, show: describeResult },
  { head: 'PURPOSE', show: ({ purpose = '' }) => purpose, isOptional: true },
];

export async function printEntries(
  context: Context,
  entries: readonly AuditEntry[],
  nameToken: NameToken,
): Promise<void> {
  const columns = COLUMNS.filter(
    ({ isOptional, show }) => !isOptional || entries.some((entry) => show(entry, nameToken) !== ''),
  );
  const rows = entries.map((entry) => columns.map(({ show }) => show(entry, nameToken)));
  await printTable(context, columns, rows);
}

/** Characters that a cell takes at least, so that the lines of a table that grows stay below each other. */
const GROWING_WIDTHS = [19, 10, 16, 14, 28, 7, 9, 0];

function formatGrowing(cells: readonly string[]): string {
  const padded = cells.map((cell, column) => escapeControls(cell).padEnd(GROWING_WIDTHS[column] ?? 0));
  return padded.join('  ').trimEnd();
}

/** The heading of a table whose lines are not known yet. */
export function formatGrowingHead(): string {
  return formatGrowing(COLUMNS.map(({ head }) => head));
}

export function formatGrowingLine(entry: AuditEntry, nameToken: NameToken): string {
  return formatGrowing(COLUMNS.map(({ show }) => show(entry, nameToken)));
}
