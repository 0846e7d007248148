/** `mav history`: the versions of a secret, newest first, without values. */
import type { Version } from '../../client/types.ts';
import { formatTime } from '../../text/format-time.ts';
import { describeSecret } from '../formats/describe-secret.ts';
import { type Column, printTable } from '../formats/table.ts';
import type { Input, Run } from '../run/command.ts';
import type { Context } from '../run/context.ts';
import { EXIT } from '../run/failure.ts';
import { withVault } from '../vault/access.ts';
import { orExplain } from '../vault/or-explain.ts';
import { nameWriters } from '../vault/writer-names.ts';

export const run: Run = async (input) => {
  const { context, environment, output } = input;
  const [name = ''] = input.args;
  await withVault(input, async (client) => {
    const asked = client.request('secrets.versions', { params: { name, env: environment } });
    const { body } = await orExplain(input, client, { name, environment }, asked);
    if (output === 'json') return context.printJson(body);
    const { versions } = JSON.parse(Buffer.from(body).toString()) as { readonly versions: Version[] };
    if (output === 'plain') return printLines(context, versions);
    const writers = await nameWriters(
      client,
      versions.map((version) => version.written_by),
    );
    return printVersions(input, versions, writers);
  });
  return EXIT.done;
};

/** To the columns of `-o plain` others are added at the end only: scripts count them. */
async function printLines(context: Context, versions: readonly Version[]): Promise<void> {
  const { printPlain } = await import('../formats/plain-lines.ts');
  const rows = versions.map(({ version, created_at, written_by, change, name, environment, code }) => [
    String(version),
    created_at,
    written_by,
    change,
    name ?? '',
    environment ?? '',
    code ?? '',
  ]);
  await printPlain(context, rows);
}

const COLUMNS: readonly Column[] = [
  { head: 'VERSION', isWhole: true },
  { head: 'WHEN', isWhole: true },
  { head: 'CHANGE', isWhole: true },
  { head: 'BY' },
];
const FORMER_NAME: Column = { head: 'NAME THEN' };
const DAMAGE: Column = { head: 'NOTE' };

/** The last two columns are there only if a row needs them. */
async function printVersions(
  { context }: Input,
  versions: readonly Version[],
  nameWriter: (writer: string) => string,
): Promise<void> {
  const wasRenamed = versions.some(({ name }) => name !== undefined);
  const isDamaged = versions.some(({ code }) => code !== undefined);
  const columns = [...COLUMNS, ...(wasRenamed ? [FORMER_NAME] : []), ...(isDamaged ? [DAMAGE] : [])];
  const rows = versions.map(({ version, created_at, written_by, change, name, environment, code }) => [
    String(version),
    formatTime(created_at),
    change,
    nameWriter(written_by),
    ...(wasRenamed ? [name === undefined ? '' : describeSecret(name, environment)] : []),
    ...(isDamaged ? [code === undefined ? '' : 'fails verification: changed without the key'] : []),
  ]);
  await printTable(context, columns, rows);
}
