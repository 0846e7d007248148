/** `mav token show [ID]`: what a token may do. Without an ID that of MAV_TOKEN, or of the session. */
import type { OwnToken, Token } from '../../client/types.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import { formatTime } from '../../text/format-time.ts';
import type { Run } from '../run/command.ts';
import { EXIT } from '../run/failure.ts';
import { describeLimits } from '../tokens/describe-grant.ts';
import { withVault } from '../vault/access.ts';

const LABEL_WIDTH = 11;

export const run: Run = async (input) => {
  const { context, args } = input;
  const [id] = args;
  const token = await withVault(input, (client) =>
    id === undefined ? client.getOwnToken() : client.getToken(id),
  );
  if (input.output === 'json') context.printJson(JSON.stringify(token));
  else context.print(formatToken(token));
  return EXIT.done;
};

function formatToken(token: Token | OwnToken): string {
  const limits = describeLimits(token.limits);
  const rows: [string, string][] = [
    ['id', token.id],
    ['name', token.name],
    ['scopes', token.scopes.join(', ') + (token.trusted ? ' (trusted)' : '')],
    ...(token.confirm === 'never' ? [] : [['asks', token.confirm] as [string, string]]),
    ...(limits.length === 0 ? [['reaches', 'everything'] as [string, string]] : []),
    ...limits.map((line, index): [string, string] => [index === 0 ? 'reaches' : 'and only', line]),
    ...(token.max_uses === null ? [] : [['uses', `${token.uses} of ${token.max_uses}`] as [string, string]]),
    ...(token.not_before === null ? [] : [['not before', formatTime(token.not_before)] as [string, string]]),
    ['expires', token.expires_at === null ? 'never' : formatTime(token.expires_at)],
    ...(token.created_at === null ? [] : [['created', formatTime(token.created_at)] as [string, string]]),
    ...(token.created_at === null
      ? []
      : [
          ['last used', token.last_used_at === null ? 'never' : formatTime(token.last_used_at)] as [
            string,
            string,
          ],
        ]),
  ];
  return rows.map(([label, text]) => `${label.padEnd(LABEL_WIDTH)}${escapeControls(text)}`).join('\n');
}
