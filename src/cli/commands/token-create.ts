/** `mav token create`: a token for a client of the API. */
import { withAccess } from '../access.ts';
import type { Run } from '../command.ts';
import { outputForm } from '../context.ts';
import { CliError, EXIT } from '../failure.ts';

interface Created {
  readonly token: string;
  readonly id: string;
  readonly expires_at: string | null;
}

export const run: Run = async (input) => {
  const { context, text } = input;
  const form = outputForm(context, text('output'));
  const [name, scope, expires] = [text('name'), text('scope'), text('expires')];
  if (name === undefined) throw new CliError(EXIT.usage, 'say what the token is for: --name NAME');
  if (scope === undefined)
    throw new CliError(EXIT.usage, 'say what the token permits: --scope read,write,generate,admin');
  const scopes = scope.split(',').map((part) => part.trim());
  const body = { name, scopes, ...(expires === undefined ? {} : { expires_in: expires }) };
  const created = (await withAccess(input, (ask) => ask('POST', '/v1/tokens', body))) as Created;
  if (form === 'json') context.print(JSON.stringify(created));
  else {
    context.print(created.token);
    context.say(`Token ${created.id}, ${describeExpiry(created.expires_at)}. It is shown this once.`);
  }
  return EXIT.done;
};

function describeExpiry(expiresAt: string | null): string {
  return expiresAt === null ? 'without expiry' : `valid until ${expiresAt}`;
}
