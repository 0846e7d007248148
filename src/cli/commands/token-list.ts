/** `mav token list`. */

import type { Token } from '../../client/types.ts';
import type { Run } from '../run/command.ts';
import type { Context } from '../run/context.ts';
import { EXIT } from '../run/failure.ts';
import { withVault } from '../vault/access.ts';

export const run: Run = async (input) => {
  const { context } = input;
  const tokens = await withVault(input, (client) => client.listTokens());
  if (input.output === 'json') context.printJson(JSON.stringify(tokens));
  else if (input.output === 'plain') await printLines(context, tokens);
  else if (tokens.length === 0) context.say('There are no tokens yet.');
  else await printTokens(context, tokens);
  return EXIT.done;
};

/** To the columns of `-o plain` others are added at the end only: scripts count them. */
async function printLines(context: Context, tokens: readonly Token[]): Promise<void> {
  const { printPlain } = await import('../formats/plain-lines.ts');
  const rows = tokens.map((token) => [
    token.id,
    token.name,
    token.scopes.join(','),
    token.expires_at ?? '',
    token.last_used_at ?? '',
    token.created_at,
    token.trusted ? 'trusted' : '',
    token.limits.length === 0 ? '' : JSON.stringify(token.limits),
  ]);
  await printPlain(context, rows);
}

const COLUMNS = [
  { head: 'ID', isWhole: true },
  { head: 'NAME' },
  { head: 'SCOPES' },
  { head: 'EXPIRES', isWhole: true },
  { head: 'LAST USED', isWhole: true },
  { head: 'CREATED', isWhole: true },
];
/** Only if a token has limits. */
const REACHES = { head: 'REACHES' };

async function printTokens(context: Context, tokens: readonly Token[]): Promise<void> {
  const [{ printTable }, { formatTime }, { describeLimits }] = await Promise.all([
    import('../formats/table.ts'),
    import('../../text/format-time.ts'),
    import('../tokens/describe-grant.ts'),
  ]);
  const hasLimits = tokens.some(({ limits }) => limits.length > 0);
  const rows = tokens.map((token) => [
    token.id,
    token.name,
    token.scopes.join(',') + (token.trusted ? ' (trusted)' : ''),
    token.expires_at === null ? NEVER : formatTime(token.expires_at),
    token.last_used_at === null ? NEVER : formatTime(token.last_used_at),
    formatTime(token.created_at),
    ...(hasLimits ? [describeLimits(token.limits).join('; and only ')] : []),
  ]);
  await printTable(context, hasLimits ? [...COLUMNS, REACHES] : COLUMNS, rows);
}

const NEVER = 'never';
