/**
 * Destroys the vault: its root key in every key slot, then the database. Needs no keyring, so that a vault whose
 * passphrase is forgotten can be destroyed too. A key file's root key is held, in `key-file.ts`, only while this checks
 * whether it is the vault's, and is zeroed at once.
 */

import { accessSync, constants } from 'node:fs';
import type { BodyRequest } from '../bodies/schemas.ts';
import type { Outcome } from '../calls.ts';
import { RequestError } from '../errors/request-error.ts';
import { SealedError } from '../errors/sealed.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import { KeyKeptError, type KeySlot, type Removal } from '../keys/slots/key-slot.ts';
import { compareForRemoval, findKeySlot } from '../keys/slots/registry.ts';
import { opensVault } from '../keys/unseal.ts';
import type { SlotKind } from '../messages.ts';
import type { SlotRow } from '../store/columns.ts';
import type { VaultStore } from '../store/vault.ts';
import type { Vault } from '../vault.ts';

/** One for all requests, because there is one writer thread. */
let isDestroying = false;

/**
 * Replies with the kinds of slots whose key was deleted. If a key store does not let go of its key, throws SealedError and
 * deletes nothing; with `force` that key stays where it is, and the rest is destroyed.
 */
export async function destroyVault(
  vault: Vault,
  { force }: BodyRequest<'vault.destroy'>,
  reply: ReplyBuffer,
): Promise<Outcome> {
  if (isDestroying) throw new RequestError('conflict', 'the vault is being destroyed already');
  isDestroying = true;
  try {
    const { vault: rows, directory } = vault.currentStores;
    vault.checkStillKnown();
    checkFolderWritable(directory);
    const { kinds, kept } = await removeKeys(vault, rows, force);
    vault.destroy();
    reply.raw(JSON.stringify({ status: 'destroyed', key_stores: kinds }));
    const warning = kept.map((problem) => `destroy: ${problem}, and stays as it is`).join('; ');
    return { principals: { kind: 'replace-all', rows: [] }, ...(warning === '' ? {} : { warning }) };
  } finally {
    isDestroying = false;
  }
}

/** Runs before any key is deleted, while the vault can still refuse. */
function checkFolderWritable(directory: string): void {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch {
    throw new RequestError('conflict', `nothing was deleted: the folder ${directory} cannot be written`);
  }
}

interface Removed {
  readonly kinds: SlotKind[];
  /** Why the keys of the other slots were not deleted. */
  readonly kept: string[];
}

/** Checks every key store before the first key is removed: then a refusal can still say that nothing was deleted. */
async function removeKeys(vault: Vault, rows: VaultStore, force: boolean): Promise<Removed> {
  const removed: Removed = { kinds: [], kept: [] };
  const vaultId = rows.getVaultId();
  const removal: Removal = {
    vaultId,
    keychainTimeoutMs: vault.options.keychainTimeoutMs,
    isOurs: (rootKey) => opensVault(rootKey, { vaultId, keks: rows.listKeks() }),
  };
  const attempt = (act: () => boolean | Promise<boolean>) => askKeyStore(act, force, removed.kept);
  const slots: { readonly row: SlotRow; readonly slot: KeySlot }[] = [];
  for (const row of rows.listSlots().sort(compareForRemoval)) {
    const slot = findKeySlot(row.kind);
    if (slot !== null && (await attempt(() => slot.isRemovable(row, removal)))) slots.push({ row, slot });
  }
  for (const { row, slot } of slots)
    if ((await attempt(() => slot.remove(row, removal))) && !removed.kinds.includes(row.kind))
      removed.kinds.push(row.kind);
  return removed;
}

/** Returns what `act` returns. If the key store refuses, returns false and adds why to `kept`; without `force` it throws. */
async function askKeyStore(
  act: () => boolean | Promise<boolean>,
  force: boolean,
  kept: string[],
): Promise<boolean> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof KeyKeptError)) throw error;
    if (!force) throw new SealedError(error.reason, `nothing was deleted: ${error.message}`);
    kept.push(error.message);
    return false;
  }
}
