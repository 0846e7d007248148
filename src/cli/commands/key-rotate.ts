/** `mav key rotate`: wraps every key under a new generation of the KEK. */
import type { Client } from '../../client/client.ts';
import { givePassphrase } from '../input/passphrase.ts';
import type { Input, Run } from '../run/command.ts';
import { EXIT } from '../run/failure.ts';
import { withDaemon, withVault } from '../vault/access.ts';
import { showWork } from '../vault/show-work.ts';

export const run: Run = async (input) => {
  const rotated = await withVault(
    input,
    (client, access) =>
      givePassphrase(input, client, async (body) => {
        if (access === 'daemon') await unsealFirst(input, client, body);
        const work = { client, access, kind: 'writing', text: 'Wrapping the keys of the secrets' } as const;
        return showWork(input, work, () => client.rotateKek(body));
      }),
    { bringsKey: true },
  );
  input.context.say(`Rotated to generation ${rotated.kek_generation}.`);
  return EXIT.done;
};

/** Unseals a sealed vault with the key that was given for the rotation. Throws CliError or MaestroVaultError. */
async function unsealFirst(input: Input, client: Client, body: unknown): Promise<void> {
  if (!(await client.status()).sealed) return;
  // Without a passphrase it is as for every other command, which offers to unseal the vault, or says how.
  if (body === undefined) return void (await withDaemon(input, (one) => one.info()));
  // A body of bytes is moved away.
  await client.unseal(body instanceof Uint8Array ? body.slice() : body);
  input.context.say('The vault is unsealed.');
}
