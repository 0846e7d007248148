/**
 * Destroying the vault: its root key in every key slot, then the database. Holds the root key of a key file while it is
 * asked whether it is this vault's; it is zeroed at once. Needs no keyring: a vault whose passphrase is forgotten can
 * be destroyed too.
 */
import { accessSync, constants } from 'node:fs';
import type { BodyRequest } from '../bodies/schemas.ts';
import type { Outcome } from '../calls.ts';
import { IntegrityError } from '../envelope/integrity.ts';
import type { RootKey } from '../envelope/keys.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import { unwrapKeks } from '../keys/keyring.ts';
import { SealedError } from '../keys/sealed.ts';
import { destroyKeyFile, findKeyFile, KeyFileKeptError } from '../keys/slots/file.ts';
import { deleteRootKey, KeychainUnavailableError } from '../keys/slots/keychain.ts';
import type { SlotKind } from '../messages.ts';
import { RequestError } from '../request-error.ts';
import type { SlotRow, VaultStore } from '../store/vault.ts';
import type { Vault } from '../vault.ts';

/** There is one writer thread, and this is its. */
let isDestroying = false;

/**
 * Answers the kinds of slots whose key was deleted. Throws SealedError, and has deleted nothing, if a key store does not
 * let go of its key; with `force` that key stays where it is, and the rest goes.
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
    checkWritable(directory);
    const { removed, kept } = await removeKeys(vault, rows, force);
    vault.destroy();
    reply.raw(JSON.stringify({ status: 'destroyed', key_stores: removed }));
    const warning = kept.map((problem) => `destroy: ${problem}, and stays as it is`).join('; ');
    return { principals: { kind: 'replace-all', rows: [] }, ...(warning === '' ? {} : { warning }) };
  } finally {
    isDestroying = false;
  }
}

/** Before any key is deleted: afterwards it would be too late to refuse. */
function checkWritable(directory: string): void {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch {
    throw new RequestError('conflict', `nothing was deleted: the folder ${directory} cannot be written`);
  }
}

/** Notes that a key stays and why, or throws SealedError. */
type Keep = (problem: string, reason?: 'key_kept' | 'keychain_kept') => void;

interface Removal {
  readonly removed: SlotKind[];
  /** Why a key stays. */
  readonly kept: string[];
}

/** In the order of what can go wrong: what can be looked at first is, then the keychain, which may refuse. */
async function removeKeys(vault: Vault, rows: VaultStore, force: boolean): Promise<Removal> {
  const removal: Removal = { removed: [], kept: [] };
  const vaultId = rows.getVaultId();
  const keep: Keep = (problem, reason = 'key_kept') => {
    if (!force) throw new SealedError(reason, `nothing was deleted: ${problem}`);
    removal.kept.push(problem);
  };
  const slots = rows.listSlots();
  const keyFiles = slots.filter((slot) => findOwnKeyFile(slot, rows, vaultId, keep));
  for (const { kind } of slots) {
    if (kind === 'passphrase') removal.removed.push(kind);
    if (kind === 'keychain' && (await removeFromKeychain(vault, vaultId, keep))) removal.removed.push(kind);
  }
  for (const { kind, location } of keyFiles) {
    if (removeKeyFile(location ?? '', keep)) removal.removed.push(kind);
  }
  return removal;
}

function findOwnKeyFile(
  { kind, location }: SlotRow,
  rows: VaultStore,
  vaultId: Uint8Array,
  keep: Keep,
): boolean {
  if (kind !== 'file' || location === null) return false;
  try {
    return findKeyFile(location, (rootKey) => opensVault(rootKey, rows, vaultId));
  } catch (error) {
    if (!(error instanceof KeyFileKeptError)) throw error;
    keep(error.message);
    return false;
  }
}

function opensVault(rootKey: RootKey, rows: VaultStore, vaultId: Uint8Array): boolean {
  try {
    return unwrapKeks(rootKey, vaultId, rows.listKeks()).length > 0;
  } catch (error) {
    if (error instanceof IntegrityError) return false;
    throw error;
  }
}

/** Whether there was a key. One that is gone already is no reason to refuse. */
async function removeFromKeychain(vault: Vault, vaultId: Uint8Array, keep: Keep): Promise<boolean> {
  try {
    return await deleteRootKey(vaultId, vault.options.keychainTimeoutMs);
  } catch (error) {
    if (!(error instanceof KeychainUnavailableError)) throw error;
    keep(`the OS keychain, which holds the root key, ${error.message}`, 'keychain_kept');
    return false;
  }
}

function removeKeyFile(location: string, keep: Keep): boolean {
  try {
    destroyKeyFile(location);
    return true;
  } catch (error) {
    if (!(error instanceof KeyFileKeptError)) throw error;
    keep(error.message);
    return false;
  }
}
