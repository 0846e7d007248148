/** How messages say that what was replaced is kept, and how to get it back. */
import type { Client } from '../../client/client.ts';
import type { Version } from '../../client/types.ts';
import type { Input } from '../run/command.ts';
import { type At, writeCommand } from './write-command.ts';

/** Returns the version that a rollback without --to brings back: the newest before `version` that has something to read. */
export function findEarlier(versions: readonly Version[], version: number): Version | null {
  return (
    versions.find((one) => one.version < version && one.change !== 'delete' && one.code === undefined) ?? null
  );
}

/**
 * Returns `version 7; mav rollback db brings 6 back`, or null for a first version and with --quiet. The vault is asked which
 * versions it has, so that nothing is promised that is not kept.
 */
export async function describeWayBack(
  input: Input,
  client: Client,
  place: At,
  version: number,
): Promise<string | null> {
  if (version === 1 || input.context.isQuiet) return null;
  const versions = await listReadable(client, place);
  return versions === null ? `version ${version}` : describeVersion(input, place, version, versions);
}

/** As describeWayBack, for a change whose answer does not say the number of its version. */
export async function describeNewest(input: Input, client: Client, place: At): Promise<string | null> {
  const versions = input.context.isQuiet ? null : await listReadable(client, place);
  const [newest] = versions ?? [];
  if (versions === null || newest === undefined || newest.version === 1) return null;
  return describeVersion(input, place, newest.version, versions);
}

function describeVersion(input: Input, place: At, version: number, versions: readonly Version[]): string {
  const earlier = findEarlier(versions, version);
  return earlier === null
    ? `version ${version}; what it replaced is not kept`
    : `version ${version}; ${writeCommand(input, 'rollback', [place])} brings ${earlier.version} back`;
}

/** Returns null if they cannot be listed: a token may write and not read. The change itself is done by now. */
async function listReadable(client: Client, { name, environment }: At): Promise<Version[] | null> {
  try {
    return await client.listVersions(name, { environment });
  } catch {
    return null;
  }
}
