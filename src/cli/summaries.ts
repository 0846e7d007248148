/** Prints a list of secrets: JSON as the API answers it, or a table. */
import type { Client } from '../client/client.ts';
import type { SecretSummary } from '../client/types.ts';
import type { Input } from './command.ts';
import type { Context } from './context.ts';
import { showEnvironment } from './describe.ts';
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
  const all = await readSummaries(body);
  const wanted = filter?.toLowerCase();
  const rows = wanted === undefined ? all : all.filter(({ name }) => name.toLowerCase().includes(wanted));
  if (output === 'json') context.print(JSON.stringify(rows));
  else if (rows.length === 0) context.say('No such secrets.');
  else await printSecrets(context, rows);
  return EXIT.done;
}

/** Numbers in metadata keep their digits: JSON.stringify writes them as they were written. */
async function readSummaries(body: Uint8Array): Promise<SecretSummary[]> {
  const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString();
  const rows: SecretSummary[] = JSON.parse(text);
  // Most vaults have no numbers there, and exact ones take ten times as long.
  if (!rows.some(({ metadata }) => holdsNumber(metadata))) return rows;
  const { parseExact } = await import('./exact-json.ts');
  return parseExact(text) as SecretSummary[];
}

function holdsNumber(value: unknown): boolean {
  if (typeof value === 'number') return true;
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(holdsNumber);
}

const COLUMNS = [
  { head: 'NAME' },
  { head: 'ENVIRONMENT' },
  { head: 'FIELDS', isWhole: true },
  { head: 'UPDATED', isWhole: true },
  { head: 'METADATA' },
];

async function printSecrets(context: Context, rows: readonly SecretSummary[]): Promise<void> {
  const [{ printTable }, { formatTime }] = await Promise.all([import('./table.ts'), import('./times.ts')]);
  const cells = rows.map(({ name, environment, field_count: fields, metadata, updated_at: updated }) => [
    name,
    showEnvironment(environment),
    // An exact number is an object that String() cannot convert.
    fields === undefined ? '' : JSON.stringify(fields),
    formatTime(updated),
    formatMetadata(metadata),
  ]);
  await printTable(context, COLUMNS, cells);
}

function formatMetadata(metadata: SecretSummary['metadata']): string {
  const text = JSON.stringify(metadata);
  return text === '{}' ? '' : text;
}
