/**
 * Environments that hold nothing. There is no list of environments: one is there as long as a secret is in it, so a name
 * that was mistyped looks like one that is empty. A program must not run with the wrong secrets for that reason.
 */
import type { Client } from '../../client/client.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT } from '../run/failure.ts';
import {
  describeEnvironment,
  findCloseEnvironment,
  findSource,
  listEnvironments,
  listPlaces,
  nameEnvironment,
} from './missing.ts';

export async function isEmpty(client: Client, environment: string): Promise<boolean> {
  return (await client.listSecrets({ environment, limit: 1 })).items.length === 0;
}

/** Exit code 3: the environment of this run holds nothing. Says why it is this one, and which there are instead. */
export async function emptyError(input: Input, client: Client, environment: string): Promise<CliError> {
  const empty = await describeEmpty(input, client, environment);
  return new CliError(EXIT.notFound, `${empty}; --allow-empty takes it as it is`);
}

/** That the environment of this run holds nothing, why it is this one, and which there are instead. */
export async function describeEmpty(input: Input, client: Client, environment: string): Promise<string> {
  const source = findSource(input);
  const named = source === null ? '' : ` (${source})`;
  return `${describeEnvironment(environment)}${named} holds no secrets${await describeOthers(client, environment)}`;
}

async function describeOthers(client: Client, environment: string): Promise<string> {
  const places = await listPlaces(client);
  if (places === null) return '';
  const known = [...new Set(places.map((place) => place.environment))].filter((one) => one !== environment);
  if (known.length === 0) return ', nor does any other';
  const close = findCloseEnvironment(environment, known);
  const list = listEnvironments(known.sort(), environment);
  return close === null
    ? `; there ${known.length === 1 ? 'is only' : 'are'} ${list}`
    : `; did you mean ${nameEnvironment(close, environment)}? There ${known.length === 1 ? 'is only that one' : `are ${list}`}`;
}
