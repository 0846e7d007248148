/** `mav import`: stores what is in a file, all of it or nothing. */
import type { Client } from '../../client/client.ts';
import type { WrongItem } from '../../client/errors.ts';
import type { Conditions, ImportResult, Place } from '../../client/types.ts';
import type { Input, Run } from '../run/command.ts';
import { CliError, EXIT, isPreconditionFailed, toCliError } from '../run/failure.ts';
import { confirm } from '../terminal/confirm.ts';
import { type ImportSource, readImportSource } from '../transfer/import-source.ts';
import { StoppableImport } from '../transfer/stoppable-import.ts';
import { withVault } from '../vault/access.ts';
import { describeSecret } from '../vault/describe-secret.ts';
import { readKept } from '../vault/kept.ts';
import { showWork } from '../vault/show-work.ts';
import { writeCommand } from '../vault/write-command.ts';

/** How many names a line shows; `-o json` has all of them. */
const MAX_NAMED = 20;

export const run: Run = async (input) => {
  const stoppable = new StoppableImport(input.context, input.args[0] ?? 'FILE');
  try {
    return await importFrom(input, stoppable);
  } finally {
    stoppable.end();
  }
};

async function importFrom(input: Input, stoppable: StoppableImport): Promise<typeof EXIT.done> {
  const { context, flag } = input;
  // The file is read before the vault is opened, and the vault is closed again while the user is asked.
  const source = { ...(await readImportSource(input)), stoppable };
  if (source.lines.length === 0) return reportNothing(input, source);
  const planned = await inVault(input, (client) => planOrStore(input, client, source));
  if (planned.dry_run && flag('dry-run')) return reportImport(input, planned, context.print);
  if (!planned.dry_run) return reportStored(input, planned);
  describeResult(planned, context.say);
  const { changed } = planned;
  const them = changed.length === 1 ? 'a secret that exists' : `${changed.length} secrets that exist`;
  await confirm(input, `Change ${them} (${listNames(changed)})?`);
  const stored = await inVault(input, (client) => storeImport(input, client, source));
  return reportStored(input, stored);
}

async function reportStored(input: Input, result: ImportResult): Promise<typeof EXIT.done> {
  const { context } = input;
  reportImport(input, result, context.say);
  const [first] = result.changed;
  if (first === undefined || context.isQuiet) return EXIT.done;
  const kept = await withVault(input, readKept);
  if (kept?.hasOldVersions) {
    const command =
      result.changed.length === 1 ? writeCommand(input, 'rollback', [first]) : 'mav rollback NAME';
    context.say(`What was changed is kept; ${command} brings it back.`);
  }
  return EXIT.done;
}

/** An import and how it is stopped. */
type Source = ImportSource & { readonly stoppable: StoppableImport };

/** As withVault, with a line that says how far it is. */
function inVault(input: Input, use: (client: Client) => Promise<ImportResult>): Promise<ImportResult> {
  const text = input.flag('dry-run') ? 'Comparing secrets with the vault' : 'Storing secrets';
  return withVault(input, (client, access) =>
    showWork(input, { client, access, kind: 'writing', text }, () => use(client)),
  );
}

/** The API refuses an empty import, so it is not asked. */
function reportNothing(input: Input, { name }: ImportSource): typeof EXIT.done {
  input.context.say(`There is nothing in ${name}.`);
  const result = { dry_run: input.flag('dry-run'), added: [], changed: [], unchanged: [] };
  return reportImport(input, result, () => {});
}

/** Returns what was stored or, with --dry-run or if the user must be asked first, what would be stored. */
async function planOrStore(input: Input, client: Client, source: Source): Promise<ImportResult> {
  if (input.flag('dry-run')) return planImport(input, client, source);
  if (input.flag('force')) return storeImport(input, client, source);
  try {
    return await storeImport(input, client, source, { ifNoneMatch: '*' });
  } catch (error) {
    if (!isPreconditionFailed(error)) throw error;
  }
  if ((await readKept(client))?.hasOldVersions) return storeImport(input, client, source);
  const planned = await planImport(input, client, source);
  return planned.changed.length > 0 ? planned : storeImport(input, client, source);
}

function planImport(input: Input, client: Client, source: Source): Promise<ImportResult> {
  return sendImport(input, client, source, { isDryRun: true });
}

function storeImport(
  input: Input,
  client: Client,
  source: Source,
  conditions: Conditions = {},
): Promise<ImportResult> {
  return sendImport(input, client, source, { isDryRun: false, conditions });
}

async function sendImport(
  input: Input,
  client: Client,
  source: Source,
  { isDryRun, conditions = {} }: { readonly isDryRun: boolean; readonly conditions?: Conditions },
): Promise<ImportResult> {
  const { stoppable } = source;
  try {
    return await stoppable.run({
      isDryRun,
      send: (signal) => requestImport(client, source, { isDryRun, conditions, signal }),
      compare: () => withVault(input, (other) => requestImport(other, source, { isDryRun: true })),
    });
  } catch (error) {
    throw placeError(source, error);
  }
}

async function requestImport(
  client: Client,
  { body }: Source,
  given: { readonly isDryRun: boolean; readonly conditions?: Conditions; readonly signal?: AbortSignal },
): Promise<ImportResult> {
  const { isDryRun, conditions = {}, signal } = given;
  const parts = {
    params: { dry_run: isDryRun },
    body,
    conditions,
    ...(signal === undefined ? {} : { signal }),
  };
  const answer = await client.request('secrets.import', parts);
  return JSON.parse(Buffer.from(answer.body).toString());
}

/** The API names an entry by its index in the request, and the user needs its line in the file. */
function placeError({ name, lines }: ImportSource, error: unknown): unknown {
  const { at } = error as { at?: WrongItem };
  if (at === undefined) return error;
  const problem =
    at.same_as === undefined
      ? at.problem
      : `has the name and environment of line ${lines[at.same_as]}; give each entry once`;
  return new CliError(
    toCliError(error).exitCode,
    `${name}, line ${lines[at.index]}: ${problem}; nothing was imported`,
  );
}

function reportImport(
  { context, output }: Input,
  result: ImportResult,
  tell: (text: string) => void,
): typeof EXIT.done {
  if (output === 'json') context.printJson(JSON.stringify(result));
  else describeResult(result, tell);
  return EXIT.done;
}

function describeResult(
  { dry_run, added, changed, unchanged }: ImportResult,
  tell: (text: string) => void,
): void {
  tell(describeGroup(dry_run ? 'To add' : 'Added', added));
  tell(describeGroup(dry_run ? 'To change' : 'Changed', changed));
  tell(describeGroup('Already so', unchanged));
}

function describeGroup(verb: string, places: readonly Place[]): string {
  return `${verb}: ${places.length}${places.length === 0 ? '' : ` (${listNames(places)})`}`;
}

function listNames(places: readonly Place[]): string {
  const names = places.slice(0, MAX_NAMED).map(({ name, environment }) => describeSecret(name, environment));
  const more = places.length - names.length;
  return names.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
