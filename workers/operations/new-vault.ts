/**
 * Makes a vault. No other file makes a root key. Holds it until it is stored, and zeroes it before `createVault` returns or
 * throws. A failure leaves nothing behind.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { BodyRequest } from '../bodies/schemas.ts';
import { createRootKey, type RootKey } from '../envelope/keys.ts';
import { VAULT_ID_SIZE } from '../envelope/sizes.ts';
import { loadSodium } from '../envelope/sodium.ts';
import { RequestError } from '../errors/request-error.ts';
import { syncFolder } from '../files/folders.ts';
import { decodeRecoveryCode } from '../generated/recovery-code.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import { nowSeconds } from '../json/times.ts';
import { mintKek, unwrapKeyring } from '../keys/keyring.ts';
import type { KeySlot, NewSlot } from '../keys/slots/key-slot.ts';
import { probeKeychain } from '../keys/slots/keychain.ts';
import { findKeySlot, getKeySlot } from '../keys/slots/registry.ts';
import { refuseTracer } from '../keys/tracer.ts';
import type { Call, KnownVault, WorkerOptions } from '../messages.ts';
import { makeRowSet } from '../row-set/make-row-set.ts';
import type { SlotRow } from '../store/columns.ts';
import { createDatabase } from '../store/database.ts';
import { KnownVaultsError, recordVault } from '../store/known-vaults.ts';
import { RowSetStore } from '../store/row-set.ts';
import { SCHEMA_VERSION } from '../store/schema.ts';
import { VaultStore } from '../store/vault.ts';
import { createSlotId, signSlot } from './new-slots.ts';

interface NewVault {
  readonly vaultId: Buffer;
  /** The one that was asked for, and perhaps a recovery slot. */
  readonly slots: readonly [SlotRow, ...SlotRow[]];
}

/**
 * Makes vault.db and its key. Parameters: `key_store`; for `file` also `key_file` or `key_directory` (absolute). The
 * passphrase comes with the call or from the worker's passphrase file. Throws RequestError and MissingSodiumError.
 */
export async function createVault(
  options: WorkerOptions,
  call: Call,
  request: BodyRequest<'vault.init'>,
  reply: ReplyBuffer,
): Promise<void> {
  const { databasePath } = options;
  if (existsSync(databasePath))
    throw new RequestError('conflict', `there is a vault at ${databasePath} already; nothing was changed`);
  loadSodium();
  if (!options.mayBeTraced) refuseTracer();
  const keySlot = findKeySlot(call.params.key_store ?? '');
  if (keySlot === null) throw new RequestError('bad_request', 'there is no such key store');
  const { passphrase = null, recovery_code: words } = request;
  const recoveryCode = words === undefined ? null : decodeRecoveryCode(words);
  const rootKey = createRootKey();
  try {
    const made = await makeVault(options, call, { keySlot, rootKey, passphrase, recoveryCode });
    writeReport(options, made, reply);
  } finally {
    rootKey.fill(0);
    recoveryCode?.fill(0);
  }
}

interface Keys {
  readonly keySlot: KeySlot;
  readonly rootKey: RootKey;
  readonly passphrase: Uint8Array | null;
  readonly recoveryCode: Uint8Array | null;
}

/** Makes the key first: if the database cannot be made, the key is taken away again. */
async function makeVault(
  options: WorkerOptions,
  call: Call,
  { keySlot, rootKey, passphrase, recoveryCode }: Keys,
): Promise<NewVault> {
  const { databasePath, passphraseFile, keychainTimeoutMs } = options;
  const { key_file: keyFile, key_directory: keyDirectory } = call.params;
  const folder = realpathSync(dirname(databasePath));
  const vaultId = randomBytes(VAULT_ID_SIZE);
  const keys = { id: createSlotId(), rootKey, vaultId, passphrase, passphraseFile, recoveryCode };
  const planned = { ...keys, folder, keyFile, keyDirectory, keychainTimeoutMs };
  const location = keySlot.planLocation(planned);
  const created = await keySlot.create({ ...planned, location });
  const bare = { id: keys.id, kind: keySlot.kind, blob: created.blob, location };
  const recovery = recoveryCode === null ? [] : [await makeRecoverySlot({ ...planned, location: null })];
  const made: NewVault = { vaultId, slots: [signSlot(rootKey, vaultId, bare), ...recovery] };
  try {
    placeDatabase(options, made, rootKey);
    return made;
  } catch (error) {
    await created.undo();
    throw error instanceof KnownVaultsError ? new RequestError('conflict', error.message) : error;
  }
}

async function makeRecoverySlot(planned: NewSlot): Promise<SlotRow> {
  const slot = { ...planned, id: createSlotId(), kind: 'recovery' } as const;
  const { blob } = await getKeySlot(slot.kind).create(slot);
  return signSlot(slot.rootKey, slot.vaultId, { id: slot.id, kind: slot.kind, blob, location: null });
}

/** Writes the database beside its final name and renames it when complete, so that no partial vault is ever found. */
function placeDatabase(options: WorkerOptions, made: NewVault, rootKey: RootKey): void {
  const { databasePath, knownVaultsPath } = options;
  const directory = dirname(databasePath);
  const draft = `${databasePath}.new-${made.vaultId.toString('hex')}`;
  try {
    writeDatabase(draft, made, rootKey);
    // Before the rename: if that fails, the list has a vault that does not exist, and the next one made here replaces it.
    recordVault(knownVaultsPath, directory, describeAsKnown(made));
    renameSync(draft, databasePath);
    syncFolder(directory);
  } catch (error) {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(draft + suffix, { force: true });
    throw error;
  }
}

function describeAsKnown({ vaultId, slots }: NewVault): KnownVault {
  const known = slots.map(({ id, kind, location }) => ({ id, kind, location }));
  return { vault_id: vaultId.toString('hex'), slots: known, schema: SCHEMA_VERSION };
}

function writeDatabase(path: string, { vaultId, slots }: NewVault, rootKey: RootKey): void {
  const createdAt = nowSeconds();
  const db = createDatabase(path);
  try {
    const rows = new VaultStore(db);
    db.transaction(() => {
      rows.insertVault(vaultId, createdAt);
      for (const slot of slots) rows.insertSlot(slot);
      rows.insertKek(mintKek(rootKey, vaultId, 1, createdAt));
      const keyring = unwrapKeyring(rootKey, vaultId, rows.listKeks());
      try {
        makeRowSet(new RowSetStore(db), keyring, 1);
      } finally {
        keyring.destroy();
      }
    })();
    db.pragma('journal_mode = WAL');
  } finally {
    db.close();
  }
}

function writeReport({ databasePath }: WorkerOptions, made: NewVault, reply: ReplyBuffer): void {
  const [{ kind, location }] = made.slots;
  const report = {
    status: 'created',
    db_path: databasePath,
    key_store: kind,
    ...(location === null ? {} : { key_file: location }),
    known: describeAsKnown(made),
  };
  reply.raw(JSON.stringify(report));
}

/** `{"problem"}`: why the OS keychain cannot hold the key of a new vault, or null if it can. */
export async function reportKeychain(
  { keychainTimeoutMs }: WorkerOptions,
  reply: ReplyBuffer,
): Promise<void> {
  reply.raw(JSON.stringify({ problem: await probeKeychain(keychainTimeoutMs) }));
}
