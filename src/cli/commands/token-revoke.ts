/** `mav token revoke ID | --all`. */
import { type Ask, withAccess } from '../access.ts';
import type { Run } from '../command.ts';
import { CliError, EXIT } from '../failure.ts';

export const run: Run = async (input) => {
  const [id] = input.args;
  if ((id === undefined) !== input.flag('all'))
    throw new CliError(EXIT.usage, 'give either the ID of a token or --all');
  const revoked = await withAccess(input, (ask) => (id === undefined ? revokeAll(ask) : revoke(ask, [id])));
  input.context.say(revoked === 1 ? 'Revoked 1 token.' : `Revoked ${revoked} tokens.`);
  return EXIT.done;
};

async function revokeAll(ask: Ask): Promise<number> {
  const tokens = (await ask('GET', '/v1/tokens')) as { id: string }[];
  return revoke(
    ask,
    tokens.map((token) => token.id),
  );
}

async function revoke(ask: Ask, ids: readonly string[]): Promise<number> {
  for (const id of ids) await ask('DELETE', `/v1/tokens/${encodeURIComponent(id)}`);
  return ids.length;
}
