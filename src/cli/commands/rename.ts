/** `mav rename`: another name or environment for a secret. */

import { describeSecret } from '../formats/describe-secret.ts';
import type { Run } from '../run/command.ts';
import { EXIT } from '../run/failure.ts';
import { withVault } from '../vault/access.ts';
import { orExplain } from '../vault/or-explain.ts';

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
