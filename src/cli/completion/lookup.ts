/**
 * Names from the vault, for completing a word; never a value. Only a running daemon is asked: pressing a key must not open
 * a vault or ask for a passphrase. A failure, or an answer that takes too long, means no candidates.
 */
import { Client } from '../../client/client.ts';
import { Connection } from '../../client/connection.ts';
import type { Place } from '../../client/types.ts';
import { readSettings } from '../../places/config.ts';
import { findSessionFile, readSessionToken } from '../../places/session-token.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import { formatTime } from '../../text/format-time.ts';
import { readGivenToken } from '../vault/access.ts';
import { listVaultNames } from '../vault/list-vaults.ts';
import type { Candidate, Lookup, Plan } from './plan.ts';

/** How long the user waits after pressing the key. */
const PATIENCE_MS = 1_000;

export async function findCandidates(
  lookup: Lookup,
  { given }: Plan,
  env: NodeJS.ProcessEnv,
): Promise<Candidate[]> {
  try {
    if (lookup.kind === 'vaults') return toCandidates(listVaultNames(env));
    const overrides = {
      home: given.get('home'),
      vault: given.get('vault'),
      socket: given.get('socket'),
      toleratesConfig: true,
    };
    const { home, config } = readSettings(env, overrides);
    const environment = given.get('env') ?? (env.MAV_ENV || config.env);
    const token = readGivenToken(env) ?? readSessionToken(findSessionFile(env, home.socketPath));
    const connection = await Connection.open(home.socketPath, { patienceMs: 0, isBrief: true });
    // A daemon that does not answer in time is hung up on, and the question fails with it.
    const timer = setTimeout(() => connection.close(), PATIENCE_MS);
    try {
      const client = new Client((outgoing) => connection.send(outgoing), token);
      return (await askDaemon(client, lookup, environment)).filter(isPlain);
    } finally {
      clearTimeout(timer);
      connection.close();
    }
  } catch {
    return [];
  }
}

async function askDaemon(
  client: Client,
  lookup: Exclude<Lookup, { readonly kind: 'vaults' }>,
  environment: string | undefined,
): Promise<Candidate[]> {
  switch (lookup.kind) {
    case 'names':
      return listByName((await client.listSecrets({ environment })).items);
    case 'deleted':
      return listByName((await client.listDeleted({ environment })).items);
    case 'versions':
      return listVersions(client, lookup.name, environment);
    case 'environments':
      return listEnvironments(client);
    case 'fields':
      return toCandidates(await client.listFieldNames(lookup.name, { environment }));
    case 'keys':
      return (await client.listKeys()).map(({ id, kind }) => ({ value: id, description: kind }));
    case 'tokens':
      return (await client.listTokens()).map(({ id, name }) => ({ value: id, description: name }));
    default:
      return lookup satisfies never;
  }
}

async function listVersions(
  client: Client,
  name: string,
  environment: string | undefined,
): Promise<Candidate[]> {
  const versions = await client.listVersions(name, { environment });
  return versions
    .filter(({ change }) => change !== 'delete')
    .map(({ version, created_at, change }) => ({
      value: String(version),
      description: `${change}, ${formatTime(created_at)}`,
    }));
}

/** Each name once, with the environments that it is in. */
function listByName(items: readonly Place[]): Candidate[] {
  const places = Map.groupBy(items, ({ name }) => name);
  return [...places].map(([value, rows]) => ({
    value,
    description: rows
      .map((row) => row.environment)
      .filter((place) => place !== '')
      .join(', '),
  }));
}

async function listEnvironments(client: Client): Promise<Candidate[]> {
  const { items } = await client.listSecrets();
  return toCandidates(
    [...new Set(items.map(({ environment }) => environment))].filter((name) => name !== ''),
  );
}

function toCandidates(values: readonly string[]): Candidate[] {
  return values.map((value) => ({ value, description: '' }));
}

/** False for a name with control characters, which somebody may have written into the database file. */
function isPlain({ value, description }: Candidate): boolean {
  const text = value + description;
  return escapeControls(text) === text;
}
