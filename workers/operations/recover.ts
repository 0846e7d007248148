/**
 * Opens a vault by its recovery code when its other keys are gone, and gives it a new one. Holds the code and the root key until
 * the new slot is made and the vault is unsealed; both are zeroed.
 *
 * The code also shows whose vault it is: nobody can make one that a given code opens. So a vault that is not known at its place,
 * or whose slots are not those that are known, is taken for the user's if the code opens it.
 */
import type { BodyRequest } from '../bodies/schemas.ts';
import type { Outcome } from '../calls.ts';
import { asRootKey, type RootKey } from '../envelope/keys.ts';
import { allocateSecretMemory } from '../envelope/secret-memory.ts';
import { KEY_SIZE } from '../envelope/sizes.ts';
import { loadSodium } from '../envelope/sodium.ts';
import { RequestError } from '../errors/request-error.ts';
import { SealedError } from '../errors/sealed.ts';
import { decodeRecoveryCode } from '../generated/recovery-code.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import { findKeySlot } from '../keys/slots/registry.ts';
import { refuseTracer } from '../keys/tracer.ts';
import { type SealedRows, unsealRootKey } from '../keys/unseal.ts';
import type { KnownVault, Reason } from '../messages.ts';
import { checkKnown, findDifference } from '../store/check-known.ts';
import type { SlotRow } from '../store/columns.ts';
import { inspectDatabase } from '../store/database.ts';
import { identifyVault, VaultStore } from '../store/vault.ts';
import type { Vault } from '../vault.ts';
import { placeSlot } from './new-slots.ts';
import { changeAlone, finishEarlier, writeKnown } from './slot-changes.ts';
import { reportUnsealed } from './vault.ts';
import { explainWrongCode } from './wrong-code.ts';

/** Why the key of a slot is gone for good. */
const GONE: ReadonlySet<Reason> = new Set(['keychain_entry_missing', 'key_file_missing']);

/** Every secret of the request is zeroed by the caller. */
export function recoverVault(
  vault: Vault,
  request: BodyRequest<'vault.recover'>,
  reply: ReplyBuffer,
): Promise<Outcome> {
  return changeAlone(async () => {
    const recoveryCode = decodeRecoveryCode(request.recovery_code);
    try {
      return await recoverWith(vault, recoveryCode, request, reply);
    } finally {
      recoveryCode.fill(0);
    }
  });
}

async function recoverWith(
  vault: Vault,
  recoveryCode: Uint8Array,
  request: BodyRequest<'vault.recover'>,
  reply: ReplyBuffer,
): Promise<Outcome> {
  loadSodium();
  if (!vault.options.mayBeTraced) refuseTracer();
  const seals = vault.sealCount;
  await makeKnown(vault, recoveryCode);
  const { rootKey } = await explainWrongCode(vault.openSlots({ recoveryCode }));
  const wasSealed = await vault.isSealed();
  try {
    // Before anything is written: what is stored is signed with the keys.
    const forged = vault.publishFrom(copyRootKey(rootKey), seals);
    await addKey(vault, rootKey, request, reply);
    return reportUnsealed(vault, forged);
  } catch (error) {
    if (wasSealed) vault.seal();
    throw error;
  } finally {
    rootKey.fill(0);
  }
}

async function addKey(
  vault: Vault,
  rootKey: RootKey,
  request: BodyRequest<'vault.recover'>,
  reply: ReplyBuffer,
): Promise<void> {
  const { kind, key_file: keyFile, key_directory: keyDirectory, new_passphrase: passphrase = null } = request;
  await finishEarlier(vault);
  const replaced = await findGone(vault, kind);
  const added = await placeSlot(vault, rootKey, { kind, keyFile, keyDirectory, passphrase, replaced });
  reply.raw(JSON.stringify({ status: 'recovered', id: added.id, kind, location: added.location }));
}

function copyRootKey(rootKey: RootKey): RootKey {
  const copy = allocateSecretMemory(KEY_SIZE);
  copy.set(rootKey);
  return asRootKey(copy);
}

/** Records the vault as the user's if it is not known as it is, and the code opens it. Throws SealedError for another vault. */
async function makeKnown(vault: Vault, recoveryCode: Uint8Array): Promise<void> {
  const { databasePath } = vault.options;
  const { current } = vault.known;
  const { found, rows } = readSealed(databasePath);
  if (current !== null && current.vault_id !== found.vault_id) checkKnown(databasePath, current, found);
  if (current !== null && findDifference(current, found) === null) return;
  const opened = await explainWrongCode(
    unsealRootKey(rows, { ...vault.options, passphrase: null, recoveryCode, folder: vault.folder }),
  );
  opened.rootKey.fill(0);
  writeKnown(vault, found);
}

function readSealed(databasePath: string): { readonly found: KnownVault; readonly rows: SealedRows } {
  let read: { readonly found: KnownVault; readonly rows: SealedRows } | null = null;
  inspectDatabase(databasePath, (db) => {
    const store = new VaultStore(db);
    const rows = { vaultId: store.getVaultId(), slots: store.listSlots(), keks: store.listKeks() };
    read = { found: identifyVault(db), rows };
  });
  if (read === null) throw new RequestError('busy', `${databasePath} is being written; try again`);
  return read;
}

/** Returns the ids of slots that the new one replaces: those whose key is gone, and one in the keychain, of which there is one. */
async function findGone(vault: Vault, kind: string): Promise<string[]> {
  const gone: string[] = [];
  for (const slot of vault.stores.vault.listSlots())
    if ((kind === 'keychain' && slot.kind === kind) || (await isGone(vault, slot))) gone.push(slot.id);
  return gone;
}

async function isGone(vault: Vault, slot: SlotRow): Promise<boolean> {
  if (slot.kind !== 'keychain' && slot.kind !== 'file') return false;
  const sources = { ...vault.options, passphrase: null, recoveryCode: null, folder: vault.folder };
  try {
    const opened = await findKeySlot(slot.kind)?.open(slot, vault.stores.vault.getVaultId(), sources);
    opened?.fill(0);
    return false;
  } catch (error) {
    if (!(error instanceof SealedError)) throw error;
    return GONE.has(error.reason);
  }
}
