/** Finds tokens by what people call them. The audit log knows the names of those that are revoked. */
import type { Client } from '../../client/client.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import { CliError, EXIT, usageError } from '../run/failure.ts';
import { OWNER, OWNER_NAME } from '../vault/writer-names.ts';
import { readLoggedNames } from './token-names.ts';

const ID = /^[0-9a-f]{16}$/;

export interface FoundToken {
  readonly id: string;
  readonly isRevoked: boolean;
}

/** Returns all tokens that have or had this name, or the one with this id. Throws CliError if there is none. */
export async function findTokens(client: Client, given: string): Promise<readonly FoundToken[]> {
  if (/^mv[ts]_/i.test(given))
    throw usageError(
      'this is a token, and its name or ID is wanted; it says them itself: MAV_TOKEN=… mav token show',
    );
  const live = (await client.listTokens()).map(({ id, name }) => ({ id, name }));
  const liveIds = new Set(live.map(({ id }) => id));
  if (given === OWNER_NAME || given === OWNER) return [{ id: OWNER, isRevoked: false }];
  const ids = ID.test(given)
    ? [given]
    : [
        ...new Set([
          ...live.filter(({ name }) => name === given).map(({ id }) => id),
          ...(await listNamed(client, given)),
        ]),
      ];
  if (ids.length > 0) return ids.map((id) => ({ id, isRevoked: id !== OWNER && !liveIds.has(id) }));
  throw new CliError(
    EXIT.notFound,
    `no token is or was called ${escapeControls(given)}; mav token list shows those that there are`,
  );
}

/** Returns the ids of the tokens that the log says were made with this name. */
async function listNamed(client: Client, name: string): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const logged of readLoggedNames(client)) if (logged.name === name) ids.push(logged.id);
  return ids;
}

/** As findTokens, for what takes one token only. */
export async function findToken(client: Client, given: string): Promise<string> {
  const found = await findTokens(client, given);
  const [first, second] = found;
  if (first === undefined || second === undefined) return first?.id ?? given;
  const ids = found.map(({ id, isRevoked }) => (isRevoked ? `${id} (revoked)` : id));
  throw usageError(
    `several tokens are or were called ${escapeControls(given)}; give the ID of one: ${ids.join(', ')}`,
  );
}
