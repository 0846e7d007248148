/** Prints a list of secrets: JSON as the API returns it, a table, or lines for programs. */
import type { Client } from '../../client/client.ts';
import type { Incoming } from '../../client/connection.ts';
import type { SecretSummary } from '../../client/types.ts';
import { showEnvironment } from '../formats/describe-secret.ts';
import type { Column } from '../formats/table.ts';
import type { Form, Input } from '../run/command.ts';
import type { Context } from '../run/context.ts';
import { EXIT, type ExitCode } from '../run/failure.ts';
import { Progress } from '../terminal/progress.ts';
import { filterSummaries, intersectSummaries, readListParams } from './select-summaries.ts';

/** Asks for the list, or with a query for what contains it, and prints what the options leave of it. */
export async function printSummaries(input: Input, client: Client, query?: string): Promise<ExitCode> {
  const { context, output, text } = input;
  const params = readListParams(input);
  const isNarrowed = query !== undefined && Object.values(params).some((value) => value !== undefined);
  const { body } = await fetchList(input, client, params, query);
  const filter = text('filter');
  // Untouched where nothing is left out: numbers in metadata stay as they were written.
  if (output === 'json' && filter === undefined && !isNarrowed) {
    context.printJson(body);
    return EXIT.done;
  }
  let rows = await readSummaries(body);
  // The API's search has no filters, so the list is filtered and both are intersected.
  if (isNarrowed)
    rows = intersectSummaries(
      rows,
      await readSummaries((await client.request('secrets.list', { params })).body),
    );
  if (filter !== undefined) rows = filterSummaries(rows, filter);
  if (output === 'json') context.printJson(JSON.stringify(rows));
  else if (output !== 'table') await printLines(context, output, rows);
  else if (rows.length === 0) context.say(await describeNothing(input, client, query));
  else await printSecrets(context, rows);
  return EXIT.done;
}

/** Returns the whole list, or what a query finds, and shows meanwhile how long it takes. */
function fetchList(
  input: Input,
  client: Client,
  params: ReturnType<typeof readListParams>,
  query: string | undefined,
): Promise<Incoming> {
  const progress = new Progress(input);
  progress.showElapsed('Listing secrets');
  const asked =
    query === undefined
      ? client.request('secrets.list', { params })
      : client.request('secrets.search', { params: { q: query } });
  return asked.finally(() => progress.end());
}

/** Why nothing is listed: nothing matches, nothing is in this environment, or nothing is stored at all. */
async function describeNothing(input: Input, client: Client, query: string | undefined): Promise<string> {
  const { environment, text } = input;
  const isNarrowed = ['metadata-key', 'filter'].some((option) => text(option) !== undefined);
  if (query === undefined && !isNarrowed && text('due') !== undefined) return 'Nothing is due until then.';
  if (query !== undefined || isNarrowed) return 'No secrets match.';
  if (environment === undefined) return 'There are no secrets yet; store one: mav set NAME';
  const { describeEmpty } = await import('./environments.ts');
  return `${await describeEmpty(input, client, environment)}.`;
}

/** Numbers in metadata keep their digits: JSON.stringify writes them as they were written. */
async function readSummaries(body: Uint8Array): Promise<SecretSummary[]> {
  const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString();
  const rows: SecretSummary[] = JSON.parse(text);
  // Then no digit was lost. To parse exact numbers takes several times as long, and to compare a tenth of a large table.
  if (rows.every(({ metadata }) => isText(metadata)) || JSON.stringify(rows) === text) return rows;
  const { parseExact } = await import('../formats/exact-json.ts');
  return parseExact(text) as SecretSummary[];
}

/** Whether all values are texts, and no member is one that JSON.parse would move to the front. */
function isText(metadata: SecretSummary['metadata']): boolean {
  return Object.entries(metadata).every(([key, value]) => typeof value === 'string' && !/^\d+$/.test(key));
}

/** To the columns of `-o plain` others are added at the end only: scripts count them. */
async function printLines(context: Context, output: Form, rows: readonly SecretSummary[]): Promise<void> {
  const { formatJsonCell, printPlain } = await import('../formats/plain-lines.ts');
  const cells = rows.map((row) => {
    const { name, environment, field_count: fields = 0, metadata, updated_at: updated } = row;
    if (output === 'names') return [name];
    const dates = [row.expires_at ?? '', row.rotate_by ?? ''];
    return [name, environment, JSON.stringify(fields), updated, formatJsonCell(metadata), ...dates];
  });
  await printPlain(context, cells);
}

/** A column of the table. */
interface SecretColumn extends Column {
  readonly show: (row: SecretSummary) => string;
  /** It is there only if it is of use to a row. */
  readonly isOf?: (row: SecretSummary) => boolean;
}

async function printSecrets(context: Context, rows: readonly SecretSummary[]): Promise<void> {
  const [{ printTable }, { formatTime }] = await Promise.all([
    import('../formats/table.ts'),
    import('../../text/format-time.ts'),
  ]);
  const columns = listColumns(formatTime).filter(({ isOf }) => isOf === undefined || rows.some(isOf));
  const cells = rows.map((row) => columns.map(({ show }) => show(row)));
  await printTable(context, columns, cells);
}

function listColumns(formatTime: (time: string) => string): readonly SecretColumn[] {
  return [
    { head: 'NAME', show: ({ name }) => name },
    { head: 'ENVIRONMENT', show: ({ environment }) => showEnvironment(environment) },
    // An exact number is an object that String() cannot convert.
    {
      head: 'FIELDS',
      isWhole: true,
      show: ({ field_count: fields }) => (fields === undefined ? '' : JSON.stringify(fields)),
    },
    { head: 'UPDATED', isWhole: true, show: ({ updated_at: updated }) => formatTime(updated) },
    dateColumn('EXPIRES', 'expired', formatTime, ({ expires_at: at }) => at),
    dateColumn('ROTATE BY', 'overdue', formatTime, ({ rotate_by: at }) => at),
    { head: 'ASKS', show: ({ confirm = '' }) => confirm, isOf: ({ confirm }) => confirm !== undefined },
    { head: 'METADATA', show: ({ metadata }) => formatMetadata(metadata) },
    // Only where there is something for the owner to look at.
    { head: 'WRITTEN BY', isWhole: true, show: describeWriter, isOf: ({ accepted }) => !accepted },
  ];
}

/** `ifOver`: what is said of a date in the past. */
function dateColumn(
  head: string,
  ifOver: string,
  formatTime: (time: string) => string,
  findDate: (row: SecretSummary) => string | undefined,
): SecretColumn {
  const show = (row: SecretSummary) => {
    const time = findDate(row);
    if (time === undefined) return '';
    return `${formatTime(time)}${Date.parse(time) <= Date.now() ? ` (${ifOver})` : ''}`;
  };
  return { head, isWhole: true, show, isOf: (row) => findDate(row) !== undefined };
}

/** Empty for what is the owner's own, as most is. */
function describeWriter({ written_by: writer, accepted }: SecretSummary): string {
  if (writer === 'session' && accepted) return '';
  return accepted ? writer : `${writer} (not accepted)`;
}

function formatMetadata(metadata: SecretSummary['metadata']): string {
  const text = JSON.stringify(metadata);
  return text === '{}' ? '' : text;
}
