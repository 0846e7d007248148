/**
 * Accepts a vault as it is: one that was put back from an older copy, and one in which rows were changed without the key. Only a
 * short command can ask for it; no request to a daemon can. Holds the root key until the KEKs are unwrapped.
 */

import { RequestError } from '../errors/request-error.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import type { Keyring } from '../keys/keyring.ts';
import { openKeyring } from '../keys/unseal.ts';
import type { Call } from '../messages.ts';
import { readGenuine } from '../row-set/check-epoch.ts';
import { checkRows, describeRows, finish } from '../row-set/check-rows.ts';
import { makeRowSet } from '../row-set/make-row-set.ts';
import type { Vault } from '../vault.ts';

/**
 * Without the parameter `epoch` writes `{"epoch", "from", "commits", "known_from", "rows"}`: `from` and `known_from` are Unix
 * seconds, or null; `commits` is null if the vault is not behind; `rows` is empty if no row was changed. With `epoch`, which must be what was
 * written then, accepts the vault and writes `{"status"}`. Zeroes the passphrase. Throws SealedError and RequestError.
 */
export async function acceptRestore(
  vault: Vault,
  { params }: Call,
  passphrase: Uint8Array | null,
  reply: ReplyBuffer,
): Promise<undefined> {
  const rootKey = await vault.readRootKey(passphrase);
  const { vault: rows, transactions } = vault.stores;
  const keyring = transactions.snapshot(() => openKeyring(rootKey, rows.getVaultId(), rows.listKeks()));
  let isPublished = false;
  try {
    if (params.epoch === undefined) describe(vault, keyring, reply);
    else {
      accept(vault, keyring, Number(params.epoch));
      // So that it is recorded in the audit log.
      vault.publish(keyring);
      isPublished = true;
      reply.ascii('{"status":"accepted"}');
    }
  } finally {
    if (!isPublished) keyring.destroy();
  }
}

function describe(vault: Vault, keyring: Keyring, reply: ReplyBuffer): void {
  const { rowSetRows, transactions } = vault.stores;
  const known = vault.seen.read(keyring.vaultId);
  const found = transactions.snapshot(() => ({
    row: readGenuine(rowSetRows, keyring),
    behind: vault.seen.find(rowSetRows, keyring),
    rows: describeRows(finish(checkRows(rowSetRows, keyring))),
  }));
  reply.raw(
    JSON.stringify({
      epoch: found.row?.epoch ?? 0,
      from: found.row?.writtenAt ?? null,
      commits: found.behind?.commits ?? null,
      known_from: known?.writtenAt ?? null,
      rows: found.rows,
    }),
  );
}

/** The next epoch is above every epoch that this vault had, here or before it was put back. */
function accept(vault: Vault, keyring: Keyring, shown: number): void {
  const { rowSetRows, rowSet, transactions } = vault.stores;
  const known = vault.seen.read(keyring.vaultId);
  const row = transactions.write(() => {
    const found = readGenuine(rowSetRows, keyring)?.epoch ?? 0;
    if (found !== shown)
      throw new RequestError('conflict', 'the vault was exchanged meanwhile; nothing was done');
    return makeRowSet(rowSetRows, keyring, Math.max(found, known?.epoch ?? 0) + 1);
  });
  rowSet?.forget();
  vault.seen.note({ vaultId: keyring.vaultId, row });
  vault.tellEpoch(true);
}
