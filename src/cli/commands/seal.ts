/** `mav seal`: makes the running daemon forget its keys. */

import type { Run } from '../run/command.ts';
import { EXIT } from '../run/failure.ts';
import { refuseToken, withDaemon } from '../vault/access.ts';

export const run: Run = async (input) => {
  refuseToken(input, 'seal the vault');
  const wasSealed = await withDaemon(
    input,
    async (client) => {
      // By the thread that answers: a worker may be what is stuck.
      const { sealed } = await client.health();
      // Even so: a key that is just being fetched must not unseal it.
      await client.seal();
      return sealed;
    },
    { mayBeSealed: true },
  );
  input.context.say(wasSealed ? 'The vault is sealed already.' : 'The vault is sealed.');
  return EXIT.done;
};
