/** `mav token list`. */

import type { Token } from '../../client/types.ts';
import { withVault } from '../access.ts';
import type { Run } from '../command.ts';
import { EXIT } from '../failure.ts';

export const run: Run = async (input) => {
  const { context } = input;
  const tokens = await withVault(input, (client) => client.listTokens());
  if (input.output === 'json') context.print(JSON.stringify(tokens));
  else if (tokens.length === 0) context.say('There are no tokens yet.');
  else await printTokens(context.print, tokens);
  return EXIT.done;
};

async function printTokens(print: (text: string) => void, tokens: readonly Token[]): Promise<void> {
  const { formatTable } = await import('../table.ts');
  const rows = tokens.map((token) => [
    token.id,
    token.name,
    token.scopes.join(','),
    token.created_at,
    token.expires_at ?? 'never',
    token.last_used_at ?? 'never',
  ]);
  print(formatTable(['ID', 'NAME', 'SCOPES', 'CREATED', 'EXPIRES', 'LAST USED'], rows));
}
