/** `mav token rotate ID`: a new token with the same limits in the place of an old one. */
import type { Run } from '../run/command.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { describeExpiry } from '../tokens/describe-grant.ts';
import { withVault } from '../vault/access.ts';

export const run: Run = async (input) => {
  const { context, args, text } = input;
  const [id = ''] = args;
  const overlap = text('overlap');
  context.requireOutput();
  const created = await withVault(input, (client) =>
    client.rotateToken(id, overlap === undefined ? {} : { overlap }),
  );
  if (input.output === 'json') context.printJson(JSON.stringify(created));
  else {
    context.print(created.token);
    if (!(await context.flushed()))
      throw new CliError(
        EXIT.failed,
        `the new token ${created.id} was lost on the way: mav token rotate ${created.id}`,
      );
    const old = overlap === undefined ? `${id} is revoked` : `${id} ends in ${overlap}`;
    context.say(`Token ${created.id}, ${describeExpiry(created.expires_at)}; ${old}. It is shown this once.`);
  }
  return EXIT.done;
};
