/** `mav audit`: what was done, by whom and when. */
import type { Client } from '../../client/client.ts';
import type { AuditEntry, AuditFilter } from '../../client/types.ts';
import { findToken } from '../audit/find-tokens.ts';
import { collectEntries } from '../audit/read-entries.ts';
import { TokenNames } from '../audit/token-names.ts';
import { readWhole } from '../input/numbers.ts';
import { readPastTime } from '../input/past-times.ts';
import type { Input, Run } from '../run/command.ts';
import { EXIT, type ExitCode, usageError } from '../run/failure.ts';
import { withDaemon, withVault } from '../vault/access.ts';

const DEFAULT_LIMIT = 100;
const DEFAULT_LIMIT_OF_FOLLOWING = 10;
/** Entries in memory at a time. mav audit export has no limit. */
const MAX_LIMIT = 1_000_000;
const FILTERS = ['since', 'until', 'name', 'env', 'token', 'operation', 'limit', 'follow'];

export const run: Run = async (input) => {
  const leaked = input.text('leaked');
  if (leaked !== undefined) {
    const other = FILTERS.find((option) => input.text(option) !== undefined || input.flag(option));
    if (other !== undefined) throw usageError(`--${other} does not go with --leaked`);
    const { printLeaked } = await import('../audit/leaked.ts');
    return withVault(input, (client) => printLeaked(input, client, leaked));
  }
  const wanted = readWanted(input);
  if (!input.flag('follow')) return withVault(input, (client) => printNewest(input, client, wanted));
  if (input.text('until') !== undefined) throw usageError('--until does not go with --follow');
  // A vault that this process opened itself would be kept from every other one.
  return withDaemon(input, (client) => follow(input, client, wanted));
};

/** What the options ask for; the token by whatever it is called. */
interface Wanted {
  readonly filter: AuditFilter;
  readonly token: string | undefined;
  /** How many entries. */
  readonly limit: number;
}

/** Throws CliError, before the vault is opened. */
function readWanted(input: Input): Wanted {
  const { text, environment, flag } = input;
  const [since, until] = [readPastTime(input, 'since'), readPastTime(input, 'until')];
  const limit = readWhole(input, 'limit', 1, MAX_LIMIT);
  return {
    filter: { since, until, name: text('name'), environment, operation: text('operation') },
    token: text('token'),
    limit: limit ?? (flag('follow') ? DEFAULT_LIMIT_OF_FOLLOWING : DEFAULT_LIMIT),
  };
}

async function completeFilter(client: Client, { filter, token }: Wanted): Promise<AuditFilter> {
  return token === undefined ? filter : { ...filter, token: await findToken(client, token) };
}

async function printNewest(input: Input, client: Client, wanted: Wanted): Promise<ExitCode> {
  const { context, output } = input;
  const { limit } = wanted;
  const filter = await completeFilter(client, wanted);
  const { entries, unreadable, hasMore } = await collectEntries(client, filter, limit);
  if (output === 'json') context.printJson(JSON.stringify(entries));
  else if (output === 'jsonl') for (const entry of entries) context.printJson(JSON.stringify(entry));
  else if (entries.length === 0) context.say('Nothing of this is in the log.');
  else await printTableOf(input, client, entries);
  if (hasMore && output === 'table')
    context.say(`These are the newest ${limit}; --limit shows more, and mav audit export all of them.`);
  if (unreadable > 0)
    context.complain(`mav: ${unreadable} lines of the log cannot be read; see mav audit verify`);
  return EXIT.done;
}

async function printTableOf(
  { context }: Input,
  client: Client,
  entries: readonly AuditEntry[],
): Promise<void> {
  const { printEntries } = await import('../audit/entry-table.ts');
  await printEntries(context, entries, await new TokenNames(client).learn(entries));
}

async function follow(input: Input, client: Client, wanted: Wanted): Promise<ExitCode> {
  const { followEntries } = await import('../audit/follow.ts');
  const filter = await completeFilter(client, wanted);
  const { entries } = await collectEntries(client, filter, wanted.limit);
  const show = input.output === 'table' ? await showLines(input, client) : showJson(input);
  return followEntries(client, filter, entries.toReversed(), show);
}

type Show = (entries: readonly AuditEntry[]) => Promise<boolean>;

async function showLines({ context }: Input, client: Client): Promise<Show> {
  const { formatGrowingHead, formatGrowingLine } = await import('../audit/entry-table.ts');
  const names = new TokenNames(client);
  context.print(formatGrowingHead());
  return async (entries) => {
    if (entries.length === 0) return true;
    const nameToken = await names.learn(entries);
    for (const entry of entries) context.print(formatGrowingLine(entry, nameToken));
    return context.flushed();
  };
}

function showJson({ context }: Input): Show {
  return async (entries) => {
    for (const entry of entries) context.printJson(JSON.stringify(entry));
    return context.flushed();
  };
}
