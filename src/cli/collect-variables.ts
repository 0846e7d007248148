/** The variables that `mav exec` and `mav env` hand out, by their options. */
import type { Client } from '../client/client.ts';
import { withVault } from './access.ts';
import type { Input } from './command.ts';
import { type EnvLine, readEnvFile } from './env-file.ts';
import { usageError } from './failure.ts';
import { fetchEnvironment, fetchReferred, fetchSecrets } from './fetch.ts';
import { layVariables, readText, type Stored, VARIABLE_NAME, type Variable } from './variables.ts';

/** Throws CliError, and hands out nothing, if one of them cannot be had. */
export function collectVariables(input: Input): Promise<Variable[]> {
  const path = input.text('env-file');
  if (path === undefined) return collectSecrets(input);
  const other = ['only', 'prefix', 'env'].find((option) => input.flag(option));
  if (other !== undefined)
    throw usageError(`--env-file names variables and environments itself; leave --${other} out`);
  return collectEnvFile(input, readEnvFile(input.context, path));
}

async function collectSecrets(input: Input): Promise<Variable[]> {
  const prefix = readPrefix(input);
  const only = readOnly(input);
  const environments = input.environment ? ['', input.environment] : [''];
  const layers = await withVault(input, (client) =>
    only === null ? fetchAll(input, client, environments) : fetchOnly(input, client, environments, only),
  );
  return layVariables(layers, prefix);
}

function readPrefix({ text }: Input): string {
  const prefix = text('prefix') ?? '';
  if (prefix !== '' && !VARIABLE_NAME.test(prefix))
    throw usageError('--prefix takes ASCII letters, digits and underscores, and no digit first');
  return prefix;
}

function readOnly({ flag, list }: Input): string[] | null {
  if (!flag('only')) return null;
  const names = list('only').flatMap((value) => value.split(','));
  if (names.includes('')) throw usageError('--only takes names of secrets, with commas between them');
  return [...new Set(names)];
}

async function fetchAll(
  { context, environment }: Input,
  client: Client,
  environments: readonly string[],
): Promise<Stored[][]> {
  const layers = await Promise.all(environments.map((one) => fetchEnvironment(client, one)));
  if (environments.length > 1 && layers[1]?.length === 0)
    context.say(`Note: there are no secrets in ${environment}; these are the default environment's alone.`);
  else if (layers.flat().length === 0) context.say('Note: there are no secrets.');
  return layers;
}

async function fetchOnly(
  input: Input,
  client: Client,
  environments: readonly string[],
  names: readonly string[],
): Promise<Stored[][]> {
  const layers = await Promise.all(environments.map((one) => fetchSecrets(client, names, one)));
  const missing = names.filter((_name, at) => layers.every((found) => found[at] === null));
  if (missing.length > 0) {
    const { explainMissing } = await import('./missing.ts');
    const environment = environments.at(-1);
    throw await explainMissing(
      input,
      client,
      missing.map((name) => ({ name, environment, alsoInDefault: true })),
    );
  }
  return layers.map((found) => found.flatMap((stored) => stored ?? []));
}

async function collectEnvFile(input: Input, lines: readonly EnvLine[]): Promise<Variable[]> {
  const referring = lines.flatMap(({ name, place, value }) =>
    typeof value === 'string' ? [] : [{ name, place, source: value }],
  );
  const sources = referring.map(({ source }) => source);
  // A file without references needs no vault.
  const places = referring.map(({ place }) => place);
  const values =
    sources.length === 0
      ? []
      : await withVault(input, (client) => fetchReferred(input, client, sources, places));
  const read = new Map(
    referring.map(({ name, source }, at) => [name, { source, value: readText(source, values[at] ?? '') }]),
  );
  return lines.map(({ name, value }) => {
    const found = read.get(name);
    if (found !== undefined) return { name, ...found };
    return { name, value: typeof value === 'string' ? value : '', source: null };
  });
}
