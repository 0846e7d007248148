/** `mav token revoke ID… | --all`. */
import type { Client } from '../../client/client.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import type { Input, Run } from '../run/command.ts';
import { CliError, EXIT, type ExitCode, hasErrorCode, usageError } from '../run/failure.ts';
import { confirm } from '../terminal/confirm.ts';
import { readGivenToken, withVault } from '../vault/access.ts';

const HELPER_NAME = 'mav token revoke';
const HELPER_LIFE = '5m';

export const run: Run = async (input) => {
  const ids = [...new Set(input.args)];
  if ((ids.length === 0) !== input.flag('all')) throw usageError('give either the IDs of tokens or --all');
  // A token that was given in the place of its ID is not repeated.
  if (ids.some((id) => /^mv[ts]_/i.test(id)))
    throw usageError('this is a token, and its ID is wanted: mav token list shows the IDs');
  if (ids.length === 0) return revokeAll(input);
  await withVault(input, (client) =>
    ids.length === 1 ? revokeOne(client, ids) : revokeSome(input, client, ids),
  );
  sayRevoked(input, ids.length);
  return EXIT.done;
};

/** Works without listing the tokens, because a token may revoke itself and not list others. */
async function revokeOne(client: Client, [id = '']: readonly string[]): Promise<void> {
  try {
    await client.revokeToken(id);
  } catch (error) {
    throw hasErrorCode(error, 'not_found') ? explainUnknown([id]) : error;
  }
}

/** Revokes nothing if one of the tokens does not exist. */
async function revokeSome(input: Input, client: Client, ids: readonly string[]): Promise<void> {
  const known = new Set((await client.listTokens()).map((token) => token.id));
  const missing = ids.filter((id) => !known.has(id));
  if (missing.length > 0) throw explainUnknown(missing);
  await revokeMany(input, client, ids);
}

function explainUnknown(ids: readonly string[]): CliError {
  const named = ids.map(escapeControls).join(', ');
  return new CliError(EXIT.notFound, `no token has the ID ${named}; mav token list shows the IDs`);
}

async function revokeAll(input: Input): Promise<ExitCode> {
  // Closed again while somebody thinks.
  const { length: count } = await withVault(input, (client) => client.listTokens());
  if (count === 0) {
    input.context.say('There are no tokens.');
    return EXIT.done;
  }
  await confirm(input, `Revoke ${count === 1 ? 'the one token' : `all ${count} tokens`}?`);
  const revoked = await withVault(input, async (client) => {
    const ids = (await client.listTokens()).map((token) => token.id);
    await revokeMany(input, client, ids);
    return ids.length;
  });
  sayRevoked(input, revoked);
  return EXIT.done;
}

function sayRevoked({ context }: Input, count: number): void {
  context.say(count === 1 ? 'Revoked 1 token.' : `Revoked ${count} tokens.`);
}

/**
 * With MAV_TOKEN one of the tokens may be that of this command, and the API does not say which. So a helper token revokes
 * them and itself last.
 * If this command is ended early, the helper soon expires.
 */
async function revokeMany({ context }: Input, client: Client, ids: readonly string[]): Promise<void> {
  if (readGivenToken(context.env) === null) return revokeEach(client, ids);
  const helper = await client.createToken({ name: HELPER_NAME, scopes: ['admin'], expiresIn: HELPER_LIFE });
  await revokeEach(client.withToken(helper.token), [...ids, helper.id]);
}

/** Passes over tokens that another client has revoked meanwhile. */
async function revokeEach(client: Client, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    try {
      await client.revokeToken(id);
    } catch (error) {
      if (!hasErrorCode(error, 'not_found')) throw error;
    }
  }
}
