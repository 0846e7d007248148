/** `mav key rotate`: wraps every key under a new generation of the KEK. */
import { withAccess } from '../access.ts';
import type { Run } from '../command.ts';
import { EXIT } from '../failure.ts';
import { passphraseBody } from '../passphrase.ts';

export const run: Run = async (input) => {
  const rotated = await withAccess(input, async (ask) =>
    ask('POST', '/v1/keys/rotate', await passphraseBody(input, ask)),
  );
  input.context.say(`Rotated to generation ${(rotated as { kek_generation: number }).kek_generation}.`);
  return EXIT.done;
};
