/** `mav accept`: what a token wrote may reach programs that `mav exec` and `mav env` hand it to unasked. */
import { withVault } from '../access.ts';
import type { Run } from '../command.ts';
import { describeSecret } from '../describe.ts';
import { EXIT } from '../failure.ts';
import { orExplain } from '../or-explain.ts';

/** One request each: where one fails, those before it are accepted, and were said to be. */
export const run: Run = async (input) => {
  const { context, environment } = input;
  await withVault(input, async (client) => {
    for (const name of new Set(input.args)) {
      await orExplain(input, client, { name, environment }, client.acceptSecret(name, { environment }));
      context.say(`Accepted ${describeSecret(name, environment)}.`);
    }
  });
  return EXIT.done;
};
