/** Shows what a check of the vault, or of a backup, found. */
import type { CheckedTable, DamagedRow } from '../../client/types.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import { describeSecret } from '../formats/describe-secret.ts';
import { printTable } from '../formats/table.ts';
import type { Input } from '../run/command.ts';
import type { Context } from '../run/context.ts';
import type { CheckReport } from './check-vault.ts';

/** What people call each of them. */
const TABLE_NAMES: Readonly<Record<CheckedTable, string>> = {
  database: 'database file',
  secrets: 'secrets',
  fields: 'fields',
  versions: 'old versions',
  old_fields: 'old fields',
  deleted: 'deleted secrets',
  tokens: 'tokens',
  keks: 'keys',
  slots: 'key slots',
  audit: 'audit entries',
};

/** Prints a table of what was opened and a line for each damaged row, or with `-o json` both as an object. */
export async function printReport({ context, output }: Input, { rows, damaged }: CheckReport): Promise<void> {
  if (output === 'json') {
    const status = damaged.length === 0 ? 'intact' : 'damaged';
    context.printJson(JSON.stringify({ status, rows, damaged }));
    return;
  }
  await printCounts(context, { rows, damaged });
  for (const row of damaged) context.print(escapeControls(describeDamaged(row)));
  if (damaged.length === 0) context.say('Everything opens.');
}

async function printCounts(context: Context, { rows, damaged }: CheckReport): Promise<void> {
  const tables = Object.keys(rows) as CheckedTable[];
  await printTable(
    context,
    [{ head: 'WHAT' }, { head: 'OPENED', isWhole: true }, { head: 'DAMAGED', isWhole: true }],
    tables.map((table) => [
      TABLE_NAMES[table],
      table === 'database' ? '' : `${rows[table]}`,
      `${damaged.filter((row) => row.table === table).length}`,
    ]),
  );
}

/** `version 3 of db-password in prod, field user: changed by somebody without the key, or damaged`. */
export function describeDamaged({
  table,
  name,
  environment = '',
  version,
  field,
  id,
  problem,
  detail,
}: DamagedRow): string {
  const where =
    name === undefined
      ? `${TABLE_NAMES[table]}${id === undefined ? '' : ` ${id}`}`
      : `${version === undefined ? '' : `version ${version} of `}${describeSecret(name, environment)}`;
  const part = field === undefined ? '' : `, field ${field}`;
  const old =
    table === 'deleted' ? ' (deleted)' : table === 'versions' || table === 'old_fields' ? ' (old)' : '';
  const what =
    problem === 'unreadable'
      ? 'the file is damaged there, and it cannot be read'
      : 'changed by somebody without the key, or damaged';
  return `${where}${part}${old}: ${what}${detail === undefined ? '' : ` (${detail.replaceAll('_', ' ')})`}`;
}
