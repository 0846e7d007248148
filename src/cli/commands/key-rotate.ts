/** `mav key rotate`: wraps every key under a new generation of the KEK. */
import { withVault } from '../access.ts';
import type { Run } from '../command.ts';
import { EXIT } from '../failure.ts';
import { givePassphrase } from '../passphrase.ts';
import { showWork } from '../show-work.ts';

export const run: Run = async (input) => {
  const rotated = await withVault(
    input,
    (client, way) =>
      givePassphrase(input, client, (body) => {
        const work = { client, way, kind: 'writing', text: 'Wrapping the keys of the secrets' } as const;
        return showWork(input, work, () => client.rotateKek(body));
      }),
    { bringsKey: true },
  );
  input.context.say(`Rotated to generation ${rotated.kek_generation}.`);
  return EXIT.done;
};
