/**
 * Making a vault: the only place where a root key and a first KEK are minted. Holds both until they are stored and
 * wrapped; they are zeroed before it returns, whatever happens. A failure leaves nothing behind.
 */
import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createRootKey, type RootKey } from '../envelope/keys.ts';
import { VAULT_ID_SIZE } from '../envelope/sizes.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import { nowSeconds } from '../json/times.ts';
import { mintKek } from '../keys/keyring.ts';
import { writeKeyFile } from '../keys/slots/file.ts';
import { deleteRootKey, KeychainUnavailableError, storeRootKey } from '../keys/slots/keychain.ts';
import { MIN_PASSPHRASE_LENGTH, readPassphraseFile, sealPassphraseSlot } from '../keys/slots/passphrase.ts';
import { refuseTracer } from '../keys/tracer.ts';
import type { Call, KnownVault, SlotKind, WorkerOptions } from '../messages.ts';
import { isInside } from '../paths.ts';
import { RequestError } from '../request-error.ts';
import { createDatabase } from '../store/database.ts';
import { KnownVaultsError, recordVault } from '../store/known-vaults.ts';
import { makeFolders } from '../store/make-folders.ts';
import { SCHEMA_VERSION } from '../store/migrations.ts';
import { type SlotRow, VaultStore } from '../store/vault.ts';

/** What is decided before anything is written. */
interface Plan {
  readonly keyStore: SlotKind;
  readonly vaultId: Buffer;
  readonly location: string | null;
  readonly passphrase: Uint8Array | null;
}

/**
 * Makes vault.db and its key. Parameters: `key_store`; for `file` also `key_file` or `key_directory` (absolute). The
 * passphrase comes with the call or from the worker's passphrase file. Throws RequestError.
 */
export async function createVault(
  options: WorkerOptions,
  call: Call,
  passphrase: Uint8Array | null,
  reply: ReplyBuffer,
): Promise<void> {
  if (existsSync(options.databasePath)) {
    throw new RequestError(
      'conflict',
      `there is a vault at ${options.databasePath} already; nothing was changed`,
    );
  }
  if (!options.mayBeTraced) refuseTracer();
  const plan = makePlan(options, call, passphrase);
  const rootKey = createRootKey();
  try {
    await storeVault(options, plan, rootKey);
  } finally {
    rootKey.fill(0);
    plan.passphrase?.fill(0);
  }
  report(options, plan, reply);
}

function makePlan(options: WorkerOptions, call: Call, given: Uint8Array | null): Plan {
  const keyStore = call.params.key_store as SlotKind;
  const vaultId = randomBytes(VAULT_ID_SIZE);
  const location = keyStore === 'file' ? planKeyFile(options, call, vaultId) : null;
  return {
    keyStore,
    vaultId,
    location,
    passphrase: keyStore === 'passphrase' ? planPassphrase(options, given) : null,
  };
}

function planPassphrase({ passphraseFile }: WorkerOptions, given: Uint8Array | null): Uint8Array {
  const passphrase = given ?? (passphraseFile === null ? null : readPassphraseFile(passphraseFile));
  if (passphrase === null) throw new RequestError('bad_request', 'a passphrase is needed');
  // It has to be typed, and sent as JSON, ever after.
  if (!isUtf8(passphrase)) throw new RequestError('bad_request', 'the passphrase must be valid UTF-8');
  if (countCharacters(passphrase) < MIN_PASSPHRASE_LENGTH) {
    throw new RequestError(
      'bad_request',
      `the passphrase must have at least ${MIN_PASSPHRASE_LENGTH} characters`,
    );
  }
  return passphrase;
}

/** Of UTF-8, without making a string of it: every byte that does not continue a character. */
function countCharacters(utf8: Uint8Array): number {
  return utf8.reduce((count, byte) => ((byte & 0xc0) === 0x80 ? count : count + 1), 0);
}

/** The key file must not share the vault's folder: whoever copies that folder would have both. */
function planKeyFile({ databasePath }: WorkerOptions, call: Call, vaultId: Buffer): string {
  const { key_file: keyFile, key_directory: keyDirectory = '' } = call.params;
  const location = keyFile ?? join(keyDirectory, `${vaultId.toString('hex')}.key`);
  if (existsSync(location))
    throw new RequestError('conflict', `${location} exists already; nothing was changed`);
  if (keyFile === undefined) makeKeyFolder(keyDirectory);
  if (!existsSync(dirname(location))) {
    throw new RequestError('bad_request', `the folder ${dirname(location)} is not there; make it first`);
  }
  if (isInside(realpathSync(dirname(location)), realpathSync(dirname(databasePath)))) {
    throw new RequestError('bad_request', "the key file must lie outside the vault's folder");
  }
  return resolve(location);
}

function makeKeyFolder(path: string): void {
  try {
    makeFolders(path, 0o700);
  } catch (error) {
    throw new RequestError(
      'bad_request',
      `the folder ${path} for the key file cannot be made (${codeOf(error)}); choose another --key-file`,
    );
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'failed';
}

/** Written beside its final name and moved there when complete, so that no half-made vault is ever found. */
async function storeVault(options: WorkerOptions, plan: Plan, rootKey: RootKey): Promise<void> {
  const draft = `${options.databasePath}.new-${plan.vaultId.toString('hex')}`;
  let undo: () => Promise<void> | void = () => {};
  try {
    writeDatabase(draft, plan, rootKey);
    undo = await storeKey(options, plan, rootKey);
    // Before the vault is there: if what follows fails, something is known of a vault that is not.
    recordVault(options.knownVaultsPath, dirname(options.databasePath), describeAsKnown(plan));
    renameSync(draft, options.databasePath);
    syncFolder(dirname(options.databasePath));
  } catch (error) {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(draft + suffix, { force: true });
    await undo();
    throw toRequestError(error);
  }
}

function describeAsKnown({ vaultId, keyStore, location }: Plan): KnownVault {
  return {
    vault_id: vaultId.toString('hex'),
    slots: [{ kind: keyStore, location }],
    schema: SCHEMA_VERSION,
  };
}

function toRequestError(error: unknown): unknown {
  if (error instanceof KnownVaultsError) return new RequestError('conflict', error.message);
  if (!(error instanceof KeychainUnavailableError)) return error;
  return new RequestError('bad_request', `the OS keychain ${error.message}; choose another --key-store`);
}

/** A new name in a folder survives a power failure only when the folder itself is synced. */
function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function writeDatabase(path: string, plan: Plan, rootKey: RootKey): void {
  const { vaultId, keyStore, location, passphrase } = plan;
  const createdAt = nowSeconds();
  const blob = passphrase === null ? null : sealPassphraseSlot(passphrase, rootKey, vaultId);
  const db = createDatabase(path);
  try {
    const rows = new VaultStore(db);
    db.transaction(() => {
      rows.insertVault(vaultId, createdAt);
      rows.insertSlot({ kind: keyStore, blob, location, createdAt } satisfies SlotRow);
      rows.insertKek(mintKek(rootKey, vaultId, 1, createdAt));
    })();
    db.pragma('journal_mode = WAL');
  } finally {
    db.close();
  }
}

/** Puts the root key where it will be found; answers how to take it away again. */
async function storeKey(
  options: WorkerOptions,
  plan: Plan,
  rootKey: RootKey,
): Promise<() => Promise<void> | void> {
  const { keyStore, vaultId, location } = plan;
  if (keyStore === 'keychain') {
    await storeRootKey(vaultId, rootKey, options.keychainTimeoutMs);
    return async () => {
      await deleteRootKey(vaultId, options.keychainTimeoutMs);
    };
  }
  if (location !== null) {
    writeNewKeyFile(location, rootKey);
    return () => rmSync(location, { force: true });
  }
  return () => {};
}

function writeNewKeyFile(location: string, rootKey: RootKey): void {
  try {
    writeKeyFile(location, rootKey);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOSPC') throw new RequestError('disk_full', 'the disk is full; nothing was stored');
    throw new RequestError(
      'bad_request',
      `the key file ${location} cannot be written (${code}); choose another --key-file`,
    );
  }
}

function report(options: WorkerOptions, plan: Plan, reply: ReplyBuffer): void {
  reply.ascii('{"status":"created","db_path":');
  reply.string(options.databasePath);
  reply.ascii(',"key_store":');
  reply.string(plan.keyStore);
  if (plan.location !== null) {
    reply.ascii(',"key_file":');
    reply.string(plan.location);
  }
  reply.ascii(',"known":');
  reply.raw(JSON.stringify(describeAsKnown(plan)));
  reply.ascii('}');
}
