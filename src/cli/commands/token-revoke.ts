/** `mav token revoke ID | --all`. */
import type { Client } from '../../client/client.ts';
import { withVault } from '../access.ts';
import type { Run } from '../command.ts';
import { CliError, EXIT } from '../failure.ts';

export const run: Run = async (input) => {
  const [id] = input.args;
  if ((id === undefined) !== input.flag('all'))
    throw new CliError(EXIT.usage, 'give either the ID of a token or --all');
  const revoked = await withVault(input, (client) =>
    id === undefined ? revokeAll(client) : revoke(client, [id]),
  );
  input.context.say(revoked === 1 ? 'Revoked 1 token.' : `Revoked ${revoked} tokens.`);
  return EXIT.done;
};

async function revokeAll(client: Client): Promise<number> {
  const ids = (await client.listTokens()).map((token) => token.id);
  return revoke(client, ids);
}

async function revoke(client: Client, ids: readonly string[]): Promise<number> {
  for (const id of ids) await client.revokeToken(id);
  return ids.length;
}
