/** Changing the ways to open the vault: each change shows first that the vault can be opened, with the passphrase if it needs one. */
import type { Client } from '../../client/client.ts';
import { givePassphrase } from '../input/passphrase.ts';
import type { Input } from '../run/command.ts';
import { refuseToken, withDaemon, withVault } from './access.ts';
import type { VaultAccess } from './vault-access.ts';

/** `body`: `{"passphrase": …}`, or undefined if no passphrase is given. May be called again with another one. */
type KeyRequest<T> = (client: Client, body: unknown, access: VaultAccess) => Promise<T>;

/**
 * The passphrase is asked for once, also where the vault is sealed. `needsPassphrase`: also where another key opens the vault.
 * Throws CliError.
 */
export function changeKeys<T>(
  input: Input,
  request: KeyRequest<T>,
  { needsPassphrase = false }: { readonly needsPassphrase?: boolean } = {},
): Promise<T> {
  refuseToken(input, 'change the keys of the vault');
  return withVault(
    input,
    (client, access) =>
      givePassphrase(
        input,
        client,
        async (body) => {
          if ((await client.status()).sealed) await unseal(input, client, body, access);
          return request(client, body, access);
        },
        needsPassphrase,
      ),
    { mayBeSealed: true, bringsKey: true },
  );
}

async function unseal(input: Input, client: Client, body: unknown, access: VaultAccess): Promise<void> {
  // Without a passphrase it is as for every other command, which offers to unseal the vault, or says how.
  if (body === undefined && access === 'daemon') return void (await withDaemon(input, (one) => one.info()));
  // A body of bytes is moved away.
  await client.unseal(body instanceof Uint8Array ? body.slice() : body);
}
