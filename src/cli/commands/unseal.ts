/** `mav unseal`: lets the running daemon open its vault. */
import type { Client } from '../../client/client.ts';
import { givePassphrase } from '../input/passphrase.ts';
import type { Input, Run } from '../run/command.ts';
import { EXIT } from '../run/failure.ts';
import { refuseToken, withDaemon } from '../vault/access.ts';

export const run: Run = async (input) => {
  refuseToken(input, 'unseal the vault');
  const didUnseal = await withDaemon(input, (client) => unsealDaemon(input, client), { bringsKey: true });
  input.context.say(didUnseal ? 'The vault is unsealed.' : 'The vault is unsealed already.');
  return EXIT.done;
};

/** Returns false if the vault was not sealed. */
async function unsealDaemon(input: Input, client: Client): Promise<boolean> {
  if (!(await client.status()).sealed) return false;
  await givePassphrase(input, client, (body) => client.unseal(body));
  return true;
}
