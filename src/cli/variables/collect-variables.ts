/** The variables that `mav exec`, `mav env` and `mav export -o dotenv` hand out, by their options. */
import type { Client } from '../../client/client.ts';
import { VARIABLE_NAME } from '../formats/shell-quote.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT, usageError } from '../run/failure.ts';
import { withVault } from '../vault/access.ts';
import { noteExpired } from '../vault/expired.ts';
import { fetchEnvironment, fetchReferred, fetchSecrets, type Stored } from '../vault/fetch-secrets.ts';
import { type EnvLine, readEnvFile } from './env-file.ts';
import {
  describeSource,
  isTooLong,
  type LeftOut,
  layVariables,
  readText,
  TOO_LONG,
  unfitError,
  type Variable,
} from './variables.ts';

/** The secrets that the options choose. */
interface Choice {
  /** The default environment, and on top of it the named one. */
  readonly environments: readonly string[];
  readonly prefix: string;
  readonly only: readonly string[] | null;
  readonly except: readonly string[];
  /** In lower case. */
  readonly filter: string | undefined;
}

/** What one environment has. */
interface Layer {
  readonly stored: readonly Stored[];
  /** The names of all that is there, chosen or not; null where only those were asked for that were named. */
  readonly names: ReadonlySet<string> | null;
}

/**
 * `maxSize`: the most bytes that `NAME=value` may have. What was not asked for by name and cannot be a variable is left
 * out, with a note. Throws CliError, and hands out nothing, if something else cannot be had.
 */
export function collectVariables(
  input: Input,
  maxSize: number = Number.POSITIVE_INFINITY,
): Promise<readonly Variable[]> {
  const path = input.text('env-file');
  if (path === undefined) return collectSecrets(input, maxSize);
  const other = ['only', 'except', 'filter', 'prefix', 'env', 'allow-empty'].find((option) =>
    input.flag(option),
  );
  if (other !== undefined)
    throw usageError(`--env-file names variables and environments itself; leave --${other} out`);
  return collectEnvFile(input, readEnvFile(input.context, path), maxSize);
}

async function collectSecrets(input: Input, maxSize: number): Promise<readonly Variable[]> {
  const choice = readChoice(input);
  const layers = await withVault(input, async (client) => {
    const found =
      choice.only === null ? await fetchAll(client, choice) : await fetchOnly(input, client, choice);
    await checkChoice(input, client, choice, found);
    return found.map(({ stored }) => stored);
  });
  const isNamed = choice.only !== null;
  const { variables, leftOut, unaccepted, expiring } = layVariables(layers, {
    prefix: choice.prefix,
    isNamed,
    maxSize,
  });
  if (leftOut.length > 0) input.context.say(describeLeftOut(leftOut));
  noteExpired(input, expiring);
  // In spite of --quiet: a token may be at work, or what the program needs is not there.
  if (unaccepted.length > 0)
    input.context.complain((await import('./unaccepted.ts')).describeUnaccepted(unaccepted));
  return variables;
}

function readChoice(input: Input): Choice {
  const prefix = input.text('prefix') ?? '';
  if (prefix !== '' && !VARIABLE_NAME.test(prefix))
    throw usageError('--prefix takes ASCII letters, digits and underscores, and no digit first');
  const filter = input.text('filter')?.toLowerCase();
  if (filter === '') throw usageError('--filter needs a text that names contain');
  const only = readNames(input, 'only');
  const except = readNames(input, 'except') ?? [];
  const both = only?.find((name) => except.includes(name));
  if (both !== undefined) throw usageError(`${both} is in --only and in --except; leave it out of one`);
  const environments = input.environment ? ['', input.environment] : [''];
  return { environments, prefix, only, except, filter };
}

function readNames({ flag, list }: Input, option: 'only' | 'except'): string[] | null {
  if (!flag(option)) return null;
  const names = list(option).flatMap((value) => value.split(','));
  if (names.includes('')) throw usageError(`--${option} takes names of secrets, with commas between them`);
  return [...new Set(names)];
}

async function fetchAll(client: Client, { environments, except, filter }: Choice): Promise<Layer[]> {
  return Promise.all(
    environments.map(async (environment) => {
      const names = new Set<string>();
      const isWanted = (name: string) => {
        names.add(name);
        return isChosen(name, except, filter);
      };
      return { stored: await fetchEnvironment(client, environment, isWanted), names };
    }),
  );
}

function isChosen(name: string, except: readonly string[], filter: string | undefined): boolean {
  return !except.includes(name) && (filter === undefined || name.toLowerCase().includes(filter));
}

async function fetchOnly(input: Input, client: Client, choice: Choice): Promise<Layer[]> {
  const { environments, filter } = choice;
  const names = choice.only?.filter((name) => isChosen(name, [], filter)) ?? [];
  const layers = await Promise.all(environments.map((one) => fetchSecrets(client, names, one)));
  const missing = names.filter((_name, at) => layers.every((found) => found[at] === null));
  const named = environments.at(-1) ?? '';
  // What is there all the same is the default environment's: that the other one holds nothing must not go unseen.
  const hasNamed = layers.at(-1)?.some((found) => found !== null) === true;
  if (!hasNamed) await checkHeld(input, client, named);
  if (missing.length > 0) {
    const { explainMissing } = await import('../vault/missing.ts');
    const environment = environments.at(-1);
    throw await explainMissing(
      input,
      client,
      missing.map((name) => ({ name, environment, alsoInDefault: true })),
    );
  }
  return layers.map((found) => ({ stored: found.flatMap((stored) => stored ?? []), names: null }));
}

/** Throws CliError if the environment holds nothing, except with --allow-empty. */
async function checkHeld(input: Input, client: Client, environment: string): Promise<void> {
  if (input.flag('allow-empty')) return;
  const { emptyError, isEmpty } = await import('../vault/environments.ts');
  if (await isEmpty(client, environment)) throw await emptyError(input, client, environment);
}

/** Throws CliError if an option chose nothing at all, which is mostly a mistake. */
async function checkChoice(
  input: Input,
  client: Client,
  { environments, except, filter }: Choice,
  layers: readonly Layer[],
): Promise<void> {
  const named = environments.at(-1) ?? '';
  if (layers.at(-1)?.names?.size === 0) {
    await checkHeld(input, client, named);
    input.context.say(explainEmpty(named, layers));
  }
  const unknown = except.filter((name) => layers.every(({ names }) => names?.has(name) === false));
  if (unknown.length > 0) throw await explainUnknown(input, client, unknown, environments.at(-1));
  const isEmpty = layers.every(({ stored }) => stored.length === 0);
  if (isEmpty && filter !== undefined && !input.flag('allow-empty'))
    throw new CliError(EXIT.notFound, 'no secret has the text of --filter in its name');
}

function explainEmpty(environment: string, layers: readonly Layer[]): string {
  if (layers.every(({ names }) => names?.size === 0)) return 'Note: there are no secrets.';
  return `Note: there are no secrets in ${environment}; these are the default environment's alone.`;
}

/** An error, because a program would get the secret whose name was mistyped in --except. */
async function explainUnknown(
  input: Input,
  client: Client,
  names: readonly string[],
  environment: string | undefined,
): Promise<CliError> {
  const { explainMissing } = await import('../vault/missing.ts');
  const wanted = names.map((name) => ({ name, environment, alsoInDefault: true }));
  const { exitCode, message } = await explainMissing(input, client, wanted);
  return new CliError(exitCode, `--except: ${message}`);
}

/** Returns one note for all, grouped by reason. */
function describeLeftOut(leftOut: readonly LeftOut[]): string {
  const byReason = new Map<string, string[]>();
  for (const { source, why } of leftOut)
    byReason.set(why, [...(byReason.get(why) ?? []), describeSource(source)]);
  const reasons = [...byReason].map(([why, names]) => `${names.join(', ')} (${why})`);
  return `Note: left out, because no variable can be made of it: ${reasons.join('; ')}`;
}

async function collectEnvFile(input: Input, lines: readonly EnvLine[], maxSize: number): Promise<Variable[]> {
  const referring = lines.flatMap(({ name, place, value }) =>
    typeof value === 'string' ? [] : [{ name, place, reference: value }],
  );
  const references = referring.map(({ reference }) => reference);
  // A file without references needs no vault.
  const places = referring.map(({ place }) => place);
  const values =
    referring.length === 0
      ? []
      : await withVault(input, (client) => fetchReferred(input, client, references, places));
  const read = new Map(
    referring.map(({ name, reference, place }, at) => [
      name,
      { source: reference, value: readReferred(values[at] ?? '', `${describeSource(reference)} (${place})`) },
    ]),
  );
  return lines.map(({ name, place, value }) => {
    const found = read.get(name) ?? { value: typeof value === 'string' ? value : '', source: null };
    if (isTooLong(name, found.value, maxSize)) throw unfitError(`${name} (${place})`, TOO_LONG);
    return { name, ...found };
  });
}

function readReferred(value: string | Uint8Array, what: string): string {
  const text = readText(value);
  if (typeof text === 'string') return text;
  throw unfitError(what, text.why);
}
