/** `mav trash`: the deleted secrets that can be restored. */
import type { DeletedSecret } from '../../client/types.ts';
import { formatTime } from '../../text/format-time.ts';
import { showEnvironment } from '../formats/describe-secret.ts';
import { type Column, printTable } from '../formats/table.ts';
import type { Form, Run } from '../run/command.ts';
import type { Context } from '../run/context.ts';
import { EXIT } from '../run/failure.ts';
import { withVault } from '../vault/access.ts';
import { listDeleted } from '../vault/deleted.ts';
import { nameWriters } from '../vault/writer-names.ts';

export const run: Run = async (input) => {
  const { context, environment, output } = input;
  await withVault(input, async (client) => {
    const deleted = await listDeleted(client, environment);
    if (output === 'json') return context.printJson(JSON.stringify(deleted));
    if (output !== 'table') return printLines(context, output, deleted);
    if (deleted.length === 0)
      return context.say(`There are no deleted secrets${environment ? ' in this environment' : ''}.`);
    const writers = await nameWriters(
      client,
      deleted.map((one) => one.deleted_by),
    );
    return printDeleted(context, deleted, writers);
  });
  return EXIT.done;
};

/** To the columns of `-o plain` others are added at the end only: scripts count them. */
async function printLines(context: Context, output: Form, deleted: readonly DeletedSecret[]): Promise<void> {
  const { printPlain } = await import('../formats/plain-lines.ts');
  const rows = deleted.map(({ name, environment, deleted_at, deleted_by, kept_until, version, code }) =>
    output === 'names'
      ? [name]
      : [name, environment, deleted_at, deleted_by, kept_until, String(version), code ?? ''],
  );
  await printPlain(context, rows);
}

const COLUMNS: readonly Column[] = [
  { head: 'NAME' },
  { head: 'ENVIRONMENT' },
  { head: 'DELETED', isWhole: true },
  { head: 'KEPT UNTIL', isWhole: true },
  { head: 'BY' },
];
/** There only if a row needs it. */
const DAMAGE: Column = { head: 'NOTE' };

async function printDeleted(
  context: Context,
  deleted: readonly DeletedSecret[],
  nameWriter: (writer: string) => string,
): Promise<void> {
  const isDamaged = deleted.some(({ code }) => code !== undefined);
  const rows = deleted.map(({ name, environment, deleted_at, deleted_by, kept_until, code }) => [
    name,
    showEnvironment(environment),
    formatTime(deleted_at),
    formatTime(kept_until),
    nameWriter(deleted_by),
    ...(isDamaged ? [code === undefined ? '' : 'fails verification: changed without the key'] : []),
  ]);
  await printTable(context, isDamaged ? [...COLUMNS, DAMAGE] : COLUMNS, rows);
}
