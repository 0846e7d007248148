/** `mav key rotate`: wraps every key under a new generation of the KEK. */
import { withVault } from '../access.ts';
import type { Run } from '../command.ts';
import { EXIT } from '../failure.ts';
import { passphraseBody } from '../passphrase.ts';

export const run: Run = async (input) => {
  const rotated = await withVault(input, async (client) =>
    client.rotateKek(await passphraseBody(input, client)),
  );
  input.context.say(`Rotated to generation ${rotated.kek_generation}.`);
  return EXIT.done;
};
