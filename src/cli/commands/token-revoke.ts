/** `mav token revoke ID | --all`. */
import type { Client } from '../../client/client.ts';
import { MaestroVaultError } from '../../client/errors.ts';
import { readGivenToken, withVault } from '../access.ts';
import type { Run } from '../command.ts';
import { escapeControls } from '../escape-controls.ts';
import { CliError, EXIT } from '../failure.ts';

const HELPER_NAME = 'mav token revoke --all';
const HELPER_LIFE = '5m';

export const run: Run = async (input) => {
  const [id] = input.args;
  if ((id === undefined) !== input.flag('all'))
    throw new CliError(EXIT.usage, 'give either the ID of a token or --all');
  const revoked = await withVault(input, async (client) => {
    if (id === undefined) return revokeAll(client, readGivenToken(input.context.env) !== null);
    await revokeOne(client, id);
    return 1;
  });
  input.context.say(revoked === 1 ? 'Revoked 1 token.' : `Revoked ${revoked} tokens.`);
  return EXIT.done;
};

/** A token that was given in the place of its ID is not repeated. */
async function revokeOne(client: Client, id: string): Promise<void> {
  if (/^mv[ts]_/i.test(id))
    throw new CliError(EXIT.usage, 'this is a token, and its ID is wanted: mav token list shows the IDs');
  try {
    await client.revokeToken(id);
  } catch (error) {
    if (!(error instanceof MaestroVaultError) || error.code !== 'not_found') throw error;
    throw new CliError(
      EXIT.notFound,
      `no token has the ID ${escapeControls(id)}; mav token list shows the IDs`,
    );
  }
}

/**
 * With MAV_TOKEN one of them is our own, and the API does not say which: another token does the work and goes last. If
 * we are cut short, it soon expires.
 */
async function revokeAll(client: Client, isOwnAmongThem: boolean): Promise<number> {
  const ids = (await client.listTokens()).map((token) => token.id);
  if (isOwnAmongThem) {
    const helper = await client.createToken({ name: HELPER_NAME, scopes: ['admin'], expiresIn: HELPER_LIFE });
    await revokeEach(client.withToken(helper.token), [...ids, helper.id]);
  } else {
    await revokeEach(client, ids);
  }
  return ids.length;
}

/** Passes over those that somebody else has revoked meanwhile. */
async function revokeEach(client: Client, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    try {
      await client.revokeToken(id);
    } catch (error) {
      if (!(error instanceof MaestroVaultError) || error.code !== 'not_found') throw error;
    }
  }
}
