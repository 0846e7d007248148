/**
 * The order in which key slots are added and removed, so that a vault opens however far it came. The list of known vaults
 * names a slot as pending before anything is made or deleted; then the vault may have the slot or not. What the key store has
 * of a pending slot that the vault does not have is a leftover. The next change removes it.
 */
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { identifyRootKey } from '../envelope/root-key-id.ts';
import { RequestError } from '../errors/request-error.ts';
import { isUnfinishedKey } from '../keys/slots/key-file.ts';
import { KeyKeptError, type OpenableSlot, type Removal } from '../keys/slots/key-slot.ts';
import { findKeySlot } from '../keys/slots/registry.ts';
import { opensVault } from '../keys/unseal.ts';
import type { KnownSlot, KnownVault } from '../messages.ts';
import type { SlotRow } from '../store/columns.ts';
import { KnownVaultsError, recordVault } from '../store/known-vaults.ts';
import { identifyVault, MAX_SLOTS } from '../store/vault.ts';
import type { Vault } from '../vault.ts';

/** One for all requests, because there is one writer thread. */
let isChanging = false;

/** What `finishBeside` does. It never fails. */
let finishing: Promise<unknown> = Promise.resolve();

/** Runs one change of slots at a time. Throws RequestError if another one is under way. */
export async function changeAlone<T>(change: () => Promise<T>): Promise<T> {
  if (isChanging) throw new RequestError('conflict', 'the key slots are being changed already; try again');
  isChanging = true;
  try {
    await finishing;
    return await change();
  } finally {
    isChanging = false;
  }
}

/** Rows to insert, and ids of rows to delete. */
export interface SlotChange {
  readonly added?: SlotRow;
  readonly removed?: readonly string[];
}

/** Names slots as pending. Throws RequestError if the list cannot be written, and then nothing was changed. */
export function announce(vault: Vault, slots: readonly KnownSlot[]): void {
  const { current } = vault.known;
  if (current === null) throw new RequestError('conflict', 'the vault is not known; run: mav adopt');
  const ids = new Set(slots.map(({ id }) => id));
  const others = current.slots.filter(({ id }) => !ids.has(id));
  if (others.length + slots.length > MAX_SLOTS)
    throw new RequestError('conflict', `a vault has at most ${MAX_SLOTS} key slots; remove one first`);
  const pending = slots.map((slot) => ({ ...slot, pending: true as const }));
  writeKnown(vault, { ...current, slots: [...others, ...pending] });
}

/** Makes the change in one transaction. The slots must have been announced. Throws SealedError. */
export function commitChange(vault: Vault, { added, removed = [] }: SlotChange): void {
  const { transactions, vault: rows } = vault.getOpenVaultNow();
  transactions.write(() => {
    vault.checkStillKnown();
    if (added !== undefined) rows.insertSlot(added);
    for (const id of removed) rows.deleteSlot(id);
  });
}

/** Records that the change has ended: no slot is pending any more but those of `leftovers`. */
export function settle(vault: Vault, leftovers: readonly KnownSlot[] = []): void {
  const found = identifyVault(vault.stores.db);
  writeKnown(vault, { ...found, slots: [...found.slots, ...leftovers] });
}

/** Throws RequestError if the list of known vaults cannot be written. */
export function writeKnown(vault: Vault, known: KnownVault): void {
  const { knownVaultsPath, databasePath } = vault.options;
  try {
    recordVault(knownVaultsPath, dirname(databasePath), known);
  } catch (error) {
    throw error instanceof KnownVaultsError ? new RequestError('conflict', error.message) : error;
  }
  vault.known.write(known);
}

/** Ends in the background what an interrupted change left behind. For a daemon whose vault was unsealed. */
export function finishBeside(vault: Vault): void {
  if (isChanging || listPending(vault).length === 0) return;
  finishing = finishing.then(() => finishEarlier(vault)).catch(() => {});
}

/** The slots that a change has not ended with. */
export function listPending(vault: Vault): readonly KnownSlot[] {
  return vault.known.current?.slots.filter((slot) => slot.pending === true) ?? [];
}

/**
 * Ends what an earlier change left behind. Returns the ids of the slots that are gone by now. A key that its store does not
 * let go of stays for the next change.
 */
export async function finishEarlier(vault: Vault): Promise<string[]> {
  const pending = listPending(vault);
  if (pending.length === 0) return [];
  const ids = new Set(vault.stores.vault.listSlots().map(({ id }) => id));
  const gone = pending.filter(({ id }) => !ids.has(id));
  const kept: KnownSlot[] = [];
  for (const slot of gone)
    if ((await removeMaterial(vault, { ...slot, blob: null }, slot.root_key_id)) !== null) kept.push(slot);
  settle(vault, kept);
  return gone.filter((slot) => !kept.includes(slot)).map(({ id }) => id);
}

/**
 * Deletes the key of a slot that the vault does not have any more. `rootKeyId`: of a root key that may lie there beside the vault's.
 * Returns why its store did not let go of it for now; null if it is gone, or if what lies in its place is none of these keys.
 */
export async function removeMaterial(
  vault: Vault,
  slot: OpenableSlot,
  rootKeyId?: string,
): Promise<string | null> {
  const keySlot = findKeySlot(slot.kind);
  const removal = describeRemoval(vault, rootKeyId);
  try {
    if (keySlot?.isRemovable(slot, removal)) await keySlot.remove(slot, removal);
    return null;
  } catch (error) {
    if (!(error instanceof KeyKeptError)) throw error;
    if (slot.location === null) return error.message;
    if (isUnfinishedKey(slot.location)) rmSync(slot.location, { force: true });
    return null;
  }
}

function describeRemoval({ stores, options }: Vault, rootKeyId: string | undefined): Removal {
  const { vault: rows } = stores;
  const vaultId = rows.getVaultId();
  return {
    vaultId,
    keychainTimeoutMs: options.keychainTimeoutMs,
    isOurs: (rootKey) =>
      identifyRootKey(rootKey, vaultId) === rootKeyId ||
      opensVault(rootKey, { vaultId, keks: rows.listKeks() }),
  };
}
