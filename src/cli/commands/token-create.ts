/** `mav token create`: a token for a client of the API. */

import type { Client } from '../../client/client.ts';
import type { TokenScope } from '../../client/types.ts';
import { formatTime } from '../../text/format-time.ts';
import type { Input, Run } from '../run/command.ts';
import { CliError, EXIT, usageError } from '../run/failure.ts';
import { withVault } from '../vault/access.ts';

export const run: Run = async (input) => {
  const { context } = input;
  const wanted = readToken(input);
  context.requireOutput();
  const created = await withVault(input, (client) => client.createToken(wanted));
  if (input.output === 'json') context.printJson(JSON.stringify(created));
  else {
    context.print(created.token);
    if (!(await context.flushed())) throw explainLost(created.id);
    context.say(`Token ${created.id}, ${describeExpiry(created.expires_at)}. It is shown this once.`);
  }
  return EXIT.done;
};

/** Throws CliError. Which scopes there are is for the vault to say. */
function readToken({ text, list, flag }: Input): Parameters<Client['createToken']>[0] {
  const [name, expiresIn] = [text('name'), text('expires')];
  const given = list('scope');
  if (name === undefined) throw usageError('say what the token is for: --name NAME');
  if (given.length === 0) throw usageError('say what the token permits: --scope read,write,generate,admin');
  const scopes = given.flatMap((part) => part.split(',')).map((part) => part.trim());
  return {
    name,
    scopes: [...new Set(scopes)] as TokenScope[],
    ...(expiresIn === undefined ? {} : { expiresIn }),
    ...(flag('trusted') ? { trusted: true } : {}),
  };
}

function explainLost(id: string): CliError {
  return new CliError(
    EXIT.failed,
    `the token ${id} is made, and was lost on the way: mav token revoke ${id}`,
  );
}

function describeExpiry(expiresAt: string | null): string {
  return expiresAt === null ? 'without expiry' : `valid until ${formatTime(expiresAt)}`;
}
