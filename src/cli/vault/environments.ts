/**
 * Environments that hold nothing. There is no list of environments: an environment exists as long as a secret is in it, so
 * a mistyped name looks like an empty environment. A program must not run with the wrong secrets because of that.
 */
import type { Client } from '../../client/client.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { findSource } from './missing.ts';
import {
  describeEnvironment,
  findCloseEnvironment,
  listEnvironments,
  listPlaces,
  nameEnvironment,
} from './place-names.ts';

export async function isEmpty(client: Client, environment: string): Promise<boolean> {
  return (await client.listSecrets({ environment, limit: 1 })).items.length === 0;
}

/** Returns an error with exit code 3: the environment of this run holds nothing. */
export async function emptyError(input: Input, client: Client, environment: string): Promise<CliError> {
  const empty = await describeEmpty(input, client, environment);
  return new CliError(EXIT.notFound, `${empty}; --allow-empty takes it as it is`);
}

/** Says that the environment of this run holds nothing, what chose it, and which environments there are. */
export async function describeEmpty(input: Input, client: Client, environment: string): Promise<string> {
  const source = findSource(input);
  const chosen = source === null ? '' : ` (${source})`;
  const others = await listOthers(client, environment);
  const instead = others === null ? '' : describeOthers(environment, others);
  return `${describeEnvironment(environment)}${chosen} holds no secrets${instead}`;
}

/** Returns the other environments, sorted; null where they may not be listed. */
async function listOthers(client: Client, environment: string): Promise<string[] | null> {
  const places = await listPlaces(client);
  if (places === null) return null;
  return [...new Set(places.map((place) => place.environment))].filter((one) => one !== environment).sort();
}

function describeOthers(environment: string, others: readonly string[]): string {
  if (others.length === 0) return ', nor does any other';
  const close = findCloseEnvironment(environment, others);
  const list = listEnvironments(others, environment);
  const isOnly = others.length === 1;
  if (close === null) return isOnly ? `; there is only ${list}` : `; there are ${list}`;
  const all = isOnly ? 'There is only that one' : `There are ${list}`;
  return `; did you mean ${nameEnvironment(close, environment)}? ${all}`;
}
