/** `mav token list`. */
import { withAccess } from '../access.ts';
import type { Run } from '../command.ts';
import { outputForm } from '../context.ts';
import { EXIT } from '../failure.ts';

interface Token {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
}

export const run: Run = async (input) => {
  const { context, text } = input;
  const form = outputForm(context, text('output'));
  const tokens = (await withAccess(input, (ask) => ask('GET', '/v1/tokens'))) as Token[];
  if (form === 'json') context.print(JSON.stringify(tokens));
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
