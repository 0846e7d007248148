/** The variables that `mav exec`, `mav env` and `mav export -o dotenv` hand out, by their options. */
import type { Client } from '../../client/client.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT, usageError } from '../run/failure.ts';
import { withVault } from '../vault/access.ts';
import { noteExpired } from '../vault/expired.ts';
import { fetchEnvironment, fetchReferred, fetchSecrets, type Stored } from '../vault/fetch-secrets.ts';
import { type Choice, isChosen, readChoice } from './choice.ts';
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

/** What one environment has. */
interface Layer {
  readonly stored: readonly Stored[];
  /** The names of all that is there, chosen or not; null where only those were asked for that were named. */
  readonly names: ReadonlySet<string> | null;
}

/**
 * `access`: how the vault is reached. `maxSize`: the most bytes that `NAME=value` may have. What was not asked for by name and cannot be a variable is left
 * out, with a note. Throws CliError, and hands out nothing, if something else cannot be had.
 */
export function collectVariables(
  input: Input,
  maxSize: number = Number.POSITIVE_INFINITY,
  access: typeof withVault = withVault,
): Promise<readonly Variable[]> {
  const path = input.text('env-file');
  if (path === undefined) return collectSecrets(input, maxSize, access);
  const other = ['only', 'except', 'filter', 'prefix', 'env', 'allow-empty'].find((option) =>
    input.flag(option),
  );
  if (other !== undefined)
    throw usageError(`--env-file names variables and environments itself; leave --${other} out`);
  return collectEnvFile(input, readEnvFile(input.context, path), maxSize, access);
}

async function collectSecrets(
  input: Input,
  maxSize: number,
  access: typeof withVault,
): Promise<readonly Variable[]> {
  const choice = readChoice(input);
  const layers = await access(input, async (client) => {
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

async function collectEnvFile(
  input: Input,
  lines: readonly EnvLine[],
  maxSize: number,
  access: typeof withVault,
): Promise<Variable[]> {
  const read = await readReferences(input, lines, access);
  return lines.map(({ name, place, value }) => {
    const found = read.get(name) ?? { value: typeof value === 'string' ? value : '', source: null };
    if (isTooLong(name, found.value, maxSize)) throw unfitError(`${name} (${place})`, TOO_LONG);
    return { name, ...found };
  });
}

/** Returns what the lines with a reference get, by the name of the variable. A file without references needs no vault. */
async function readReferences(
  input: Input,
  lines: readonly EnvLine[],
  access: typeof withVault,
): Promise<Map<string, Pick<Variable, 'source' | 'value'>>> {
  const referring = lines.flatMap(({ name, place, value }) =>
    typeof value === 'string' ? [] : [{ name, place, reference: value }],
  );
  if (referring.length === 0) return new Map();
  const references = referring.map(({ reference }) => reference);
  const places = referring.map(({ place }) => place);
  const values = await access(input, (client) => fetchReferred(input, client, references, places));
  return new Map(
    referring.map(({ name, reference, place }, at) => [
      name,
      { source: reference, value: readReferred(values[at] ?? '', `${describeSource(reference)} (${place})`) },
    ]),
  );
}

function readReferred(value: string | Uint8Array, what: string): string {
  const text = readText(value);
  if (typeof text === 'string') return text;
  throw unfitError(what, text.why);
}
