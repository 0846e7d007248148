/** Prints a list of secrets: JSON as the API answers it, or a table. */
import type { Client } from '../client/client.ts';
import type { SecretSummary } from '../client/types.ts';
import type { Input } from './command.ts';
import { EXIT, type ExitCode } from './failure.ts';

type Operation = Parameters<Client['request']>[0];

/** Asks for the list and prints it; `filter` keeps only names that contain it, in any case. */
export async function printSummaries(
  { context, output }: Input,
  client: Client,
  operation: Operation & ('secrets.list' | 'secrets.search'),
  params: Readonly<Record<string, string | undefined>>,
  filter?: string,
): Promise<ExitCode> {
  const { body } = await client.request(operation, { params });
  // Untouched where nothing is left out: numbers in metadata stay as they were written.
  if (output === 'json' && filter === undefined) {
    context.write(body);
    context.print('');
    return EXIT.done;
  }
  const { parseExact } = await import('./exact-json.ts');
  const all = parseExact(Buffer.from(body).toString()) as SecretSummary[];
  const wanted = filter?.toLowerCase();
  const rows = wanted === undefined ? all : all.filter(({ name }) => name.toLowerCase().includes(wanted));
  if (output === 'json') context.print(JSON.stringify(rows));
  else if (rows.length === 0) context.say('No such secrets.');
  else await printTable(context.print, rows);
  return EXIT.done;
}

async function printTable(print: (text: string) => void, rows: readonly SecretSummary[]): Promise<void> {
  const { formatTable } = await import('./table.ts');
  const cells = rows.map((row) => [
    row.name,
    row.environment,
    String(row.field_count ?? ''),
    Object.keys(row.metadata).length === 0 ? '' : JSON.stringify(row.metadata),
    row.updated_at,
  ]);
  print(formatTable(['NAME', 'ENVIRONMENT', 'FIELDS', 'METADATA', 'UPDATED'], cells));
}
