/** `mav key list`: the ways to open the vault. */
import type { KeyEntry } from '../../client/types.ts';
import type { Run } from '../run/command.ts';
import type { Context } from '../run/context.ts';
import { EXIT } from '../run/failure.ts';
import { withVault } from '../vault/access.ts';

export const run: Run = async (input) => {
  const { context } = input;
  const keys = await withVault(input, (client) => client.listKeys(), { mayBeSealed: true });
  if (input.output === 'json') context.printJson(JSON.stringify(keys));
  else if (input.output === 'plain') await printLines(context, keys);
  else await printKeys(context, keys);
  return EXIT.done;
};

/** To the columns of `-o plain` others are added at the end only: scripts count them. */
async function printLines(context: Context, keys: readonly KeyEntry[]): Promise<void> {
  const { printPlain } = await import('../formats/plain-lines.ts');
  await printPlain(
    context,
    keys.map(({ id, kind, created_at: createdAt, location }) => [id, kind, createdAt, location ?? '']),
  );
}

const COLUMNS = [
  { head: 'ID', isWhole: true },
  { head: 'KIND', isWhole: true },
  { head: 'CREATED', isWhole: true },
];
/** Only if a key lies in a file. */
const PLACE = { head: 'FILE' };

async function printKeys(context: Context, keys: readonly KeyEntry[]): Promise<void> {
  const [{ printTable }, { formatTime }] = await Promise.all([
    import('../formats/table.ts'),
    import('../../text/format-time.ts'),
  ]);
  const hasFile = keys.some(({ location }) => location !== null);
  const rows = keys.map(({ id, kind, created_at: createdAt, location }) => [
    id,
    kind,
    formatTime(createdAt),
    ...(hasFile ? [location ?? ''] : []),
  ]);
  await printTable(context, hasFile ? [...COLUMNS, PLACE] : COLUMNS, rows);
}
