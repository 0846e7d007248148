/** `mav audit --leaked TOKEN`: everything that a token has read, as a list to rotate. */
import type { Client } from '../../client/client.ts';
import type { AuditRead, AuditReads } from '../../client/types.ts';
import { formatTime } from '../../text/format-time.ts';
import { showEnvironment } from '../formats/describe-secret.ts';
import { type Column, printTable } from '../formats/table.ts';
import type { Input } from '../run/command.ts';
import { EXIT, type ExitCode } from '../run/failure.ts';
import { OWNER } from '../vault/writer-names.ts';
import { type FoundToken, findTokens } from './find-tokens.ts';

/** A name may have had several tokens, one after the other: what any of them has read is listed. */
export async function printLeaked(input: Input, client: Client, given: string): Promise<ExitCode> {
  const { context, output } = input;
  const tokens = await findTokens(client, given);
  const answers: AuditReads[] = [];
  for (const { id } of tokens) answers.push(await client.listReads(id));
  const reads = mergeReads(answers.flatMap(({ secrets }) => secrets));
  const isIntact = answers.every(({ status }) => status === 'intact');
  if (output === 'json') context.printJson(JSON.stringify(reads));
  else if (output === 'jsonl') for (const read of reads) context.printJson(JSON.stringify(read));
  else if (reads.length === 0) context.say('The log has no value that this token has read.');
  else await printReads(input, reads);
  if (!isIntact)
    context.complain('mav: the audit log was changed, so more may have been read; see mav audit verify');
  if (reads.length > 0) context.say(adviseOn(tokens, reads));
  return isIntact ? EXIT.done : EXIT.failed;
}

/** Returns one row for each version of a value, in the order of the API. */
function mergeReads(reads: readonly AuditRead[]): readonly AuditRead[] {
  const merged = new Map<string, AuditRead>();
  for (const read of reads) {
    const key = JSON.stringify([read.environment, read.name, read.field ?? null, read.version]);
    const known = merged.get(key);
    merged.set(key, known === undefined ? read : mergeTimes(known, read));
  }
  return [...merged.values()];
}

function mergeTimes(one: AuditRead, other: AuditRead): AuditRead {
  const [first] = [one.first_read_at, other.first_read_at].sort();
  const [, last] = [one.last_read_at, other.last_read_at].sort();
  return {
    ...one,
    first_read_at: first ?? one.first_read_at,
    last_read_at: last ?? one.last_read_at,
    count: one.count + other.count,
  };
}

const COLUMNS: readonly Column[] = [
  { head: 'SECRET' },
  { head: 'ENVIRONMENT' },
  { head: 'FIELD' },
  { head: 'VERSION', isWhole: true },
  { head: 'LAST READ', isWhole: true },
  { head: 'TIMES', isWhole: true },
  { head: 'STILL STORED', isWhole: true },
];

async function printReads({ context }: Input, reads: readonly AuditRead[]): Promise<void> {
  const rows = reads.map(({ name, environment, field, version, last_read_at, count, is_current }) => [
    name,
    showEnvironment(environment),
    field ?? '',
    String(version),
    formatTime(last_read_at),
    String(count),
    is_current ? 'yes: rotate it' : 'no',
  ]);
  await printTable(context, COLUMNS, rows);
}

/** One sentence with what is left to do. */
function adviseOn(tokens: readonly FoundToken[], reads: readonly AuditRead[]): string {
  const live = tokens.filter(({ isRevoked, id }) => !isRevoked && id !== OWNER).map(({ id }) => id);
  const current = reads.filter(({ is_current }) => is_current);
  const steps = [
    ...(live.length === 0 ? [] : [`Revoke the token: mav token revoke ${live.join(' ')}.`]),
    ...(current.length === 0
      ? []
      : [`Replace ${count(current.length)} where it is used, and store what is new with mav set NAME.`]),
  ];
  if (steps.length > 0) return steps.join(' ');
  return 'Nothing is left to do: the token is revoked, and nothing that it read is still stored.';
}

function count(values: number): string {
  return values === 1
    ? 'the value that is still stored'
    : `each of the ${values} values that are still stored`;
}
