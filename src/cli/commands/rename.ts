/** `mav rename`: another name or environment for a secret. */
import { withVault } from '../access.ts';
import type { Run } from '../command.ts';
import { describeSecret } from '../describe.ts';
import { EXIT } from '../failure.ts';
import { orExplain } from '../or-explain.ts';

export const run: Run = async (input) => {
  const { context, environment } = input;
  const [name = '', newName = ''] = input.args;
  const to = { name: newName, environment: input.text('to-env') };
  const renamed = await withVault(input, (client) =>
    orExplain(input, client, { name, environment }, client.renameSecret(name, to, { environment })),
  );
  context.say(
    `Renamed ${describeSecret(name, environment)} to ${describeSecret(renamed.name, renamed.environment)}.`,
  );
  return EXIT.done;
};
