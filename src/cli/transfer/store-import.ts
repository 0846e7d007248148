/** Stores what an import brings, and tells what became of it. */
import type { Client } from '../../client/client.ts';
import type { WrongItem } from '../../client/errors.ts';
import type { Conditions, ImportResult, Place } from '../../client/types.ts';
import { describeSecret } from '../formats/describe-secret.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT, type ExitCode, isPreconditionFailed, toCliError } from '../run/failure.ts';
import { confirm } from '../terminal/confirm.ts';
import { withVault } from '../vault/access.ts';
import { readKept } from '../vault/kept.ts';
import { showWork } from '../vault/show-work.ts';
import { writeCommand } from '../vault/write-command.ts';
import type { ImportSource } from './import-source.ts';
import { StoppableImport } from './stoppable-import.ts';

/** How many names a line shows; `-o json` has all of them. */
const MAX_NAMED = 20;

/** `words`: what mav import was given, for a message that says to look again. Throws CliError. */
export async function storeImport(
  input: Input,
  words: string,
  read: () => Promise<ImportSource>,
): Promise<ExitCode> {
  const stoppable = new StoppableImport(input.context, words);
  try {
    return await importFrom(input, { ...(await read()), stoppable });
  } finally {
    stoppable.end();
  }
}

async function importFrom(input: Input, source: Source): Promise<ExitCode> {
  const { context, flag } = input;
  if (source.places.length === 0) return reportNothing(input, source);
  const planned = await inVault(input, (client) => planOrStore(input, client, source));
  if (planned.dry_run && flag('dry-run')) return reportImport(input, planned, source, context.print);
  if (!planned.dry_run) return reportStored(input, planned, source);
  describeResult(planned, context.say);
  const { changed } = planned;
  const them = changed.length === 1 ? 'a secret that exists' : `${changed.length} secrets that exist`;
  await confirm(input, `Change ${them} (${listNames(changed)})?`);
  const stored = await inVault(input, (client) => storeAll(input, client, source));
  return reportStored(input, stored, source);
}

async function reportStored(input: Input, result: ImportResult, source: Source): Promise<ExitCode> {
  const { context } = input;
  if (source.isComparedAfter) await compareStored(input, source);
  reportImport(input, result, source, context.say);
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

/** Throws CliError unless all that was imported is in the vault: opened again, and equal. */
async function compareStored(input: Input, source: Source): Promise<void> {
  const { added, changed } = await withVault(input, (client) =>
    requestImport(client, source, { isDryRun: true }),
  );
  const missing = [...added, ...changed];
  if (missing.length > 0)
    throw new CliError(
      EXIT.failed,
      `the import was stored, and some secrets in the vault differ from it by now: ${listNames(missing)}; see mav history NAME`,
    );
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
function reportNothing(input: Input, source: ImportSource): ExitCode {
  input.context.say(`There is nothing in ${source.name}.`);
  const result = { dry_run: input.flag('dry-run'), added: [], changed: [], unchanged: [] };
  return reportImport(input, result, source, () => {});
}

/** Returns what was stored or, with --dry-run or if the user must be asked first, what would be stored. */
async function planOrStore(input: Input, client: Client, source: Source): Promise<ImportResult> {
  if (input.flag('dry-run')) return planImport(input, client, source);
  if (input.flag('force')) return storeAll(input, client, source);
  try {
    return await storeAll(input, client, source, { ifNoneMatch: '*' });
  } catch (error) {
    if (!isPreconditionFailed(error)) throw error;
  }
  if ((await readKept(client))?.hasOldVersions) return storeAll(input, client, source);
  const planned = await planImport(input, client, source);
  return planned.changed.length > 0 ? planned : storeAll(input, client, source);
}

function planImport(input: Input, client: Client, source: Source): Promise<ImportResult> {
  return sendImport(input, client, source, { isDryRun: true });
}

function storeAll(
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

/** Sends the import as it is. */
export async function requestImport(
  client: Client,
  { body }: Pick<ImportSource, 'body'>,
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

/** The API names an entry by its index in the request, and the user needs its place in the file. */
function placeError({ name, places }: ImportSource, error: unknown): unknown {
  const { at } = error as { at?: WrongItem };
  if (at === undefined) return error;
  const problem =
    at.same_as === undefined
      ? at.problem
      : `has the name and environment of ${places[at.same_as]}; give each entry once`;
  return new CliError(
    toCliError(error).exitCode,
    `${name}, ${places[at.index]}: ${problem}; nothing was imported`,
  );
}

/** `about`: members that JSON has of the source. */
export function reportImport(
  { context, output }: Input,
  result: ImportResult,
  { about = {} }: Pick<ImportSource, 'about'>,
  tell: (text: string) => void,
): ExitCode {
  if (output === 'json') context.printJson(JSON.stringify({ ...result, ...about }));
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

/** Returns the first names, and how many more there are. */
export function listNames(places: readonly Place[]): string {
  const names = places.slice(0, MAX_NAMED).map(({ name, environment }) => describeSecret(name, environment));
  const more = places.length - names.length;
  return names.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
