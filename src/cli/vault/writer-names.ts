/** How lists name who wrote something: the owner, or a token by its id and its name. */
import type { Client } from '../../client/client.ts';

/** How the API writes the owner, and how people do. */
export const OWNER = 'session';
export const OWNER_NAME = 'owner';

/** Returns what names each of these writers. Only the owner may list tokens: for others an id stays an id. */
export async function nameWriters(
  client: Client,
  writers: readonly string[],
): Promise<(writer: string) => string> {
  if (writers.every((writer) => writer === OWNER)) return () => OWNER_NAME;
  const tokens = await client.listTokens().catch(() => []);
  const names = new Map(tokens.map(({ id, name }) => [id, name]));
  return (writer) => {
    if (writer === OWNER) return OWNER_NAME;
    // Nobody vouches for who it was.
    if (writer === '') return '';
    const name = names.get(writer);
    return name === undefined ? `token ${writer}` : `token ${writer} (${name})`;
  };
}
