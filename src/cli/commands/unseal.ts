/** `mav unseal`: lets the running daemon open its vault. */
import { withDaemon } from '../access.ts';
import type { Run } from '../command.ts';
import { EXIT } from '../failure.ts';
import { passphraseBody } from '../passphrase.ts';

export const run: Run = async (input) => {
  await withDaemon(input, async (client) => client.unseal(await passphraseBody(input, client)));
  input.context.say('The vault is unsealed.');
  return EXIT.done;
};
