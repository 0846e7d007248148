/** `mav recover`: opens the vault with its recovery code when its key is gone, and gives it a new key. */
import type { Client } from '../../client/client.ts';
import type { AddedKey } from '../../client/types.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import { isWrongCode, requireCode, tryCodes } from '../input/recovery-code.ts';
import type { Input, Run } from '../run/command.ts';
import { EXIT } from '../run/failure.ts';
import { refuseToken, withVault } from '../vault/access.ts';
import { chooseKeyStore, readKeyStore } from '../vault/create-vault.ts';
import { joinBodies } from '../vault/join-bodies.ts';
import type { DailyKind } from '../vault/key-store-names.ts';
import { KEY_STORES } from '../vault/key-stores.ts';
import type { VaultAccess } from '../vault/vault-access.ts';
import { describeWanted, explainClosed } from '../vault/wanted-key.ts';

export const run: Run = async (input) => {
  refuseToken(input, 'recover the vault');
  const asked = readKeyStore(input);
  const given = await requireCode(input);
  const kind = asked === 'auto' ? await chooseKeyStore(input, input.home) : asked;
  const wanted = await describeWanted(input, kind);
  try {
    const recover = (client: Client, access: VaultAccess) =>
      tryCodes(input, given, (code) => recoverWith(client, access, kind, joinBodies({ kind }, wanted, code)));
    tellRecovered(input, await withVault(input, recover, { mayBeSealed: true, bringsKey: true }));
  } finally {
    if (wanted instanceof Uint8Array) wanted.fill(0);
  }
  return EXIT.done;
};

async function recoverWith(
  client: Client,
  access: VaultAccess,
  kind: DailyKind,
  body: unknown,
): Promise<AddedKey> {
  try {
    return await client.recover(body);
  } catch (error) {
    if (isWrongCode(error)) throw error;
    const status = await client.status().catch(() => null);
    throw status === null ? error : explainClosed(error, access, kind, status);
  }
}

function tellRecovered({ context: { say } }: Input, { id, kind, location }: AddedKey): void {
  const { describePlace, duty } = KEY_STORES[kind];
  say(
    escapeControls(
      `Recovered: the vault opens with ${describePlace({ file: location })} now (the key ${id}).`,
    ),
  );
  if (duty !== undefined) say(duty);
  say('Keys that were gone are removed; see: mav key list. The recovery code stays as it is.');
}
