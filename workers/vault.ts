/**
 * One thread's view of the vault: its database connection and the keyring, or why it is sealed. Holds the keyring
 * (through the holder) while the vault is unsealed; never the root key, which lives only inside `unseal`.
 */
import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { type Access, ALL_ACCESS } from './entries/access.ts';
import type { RootKey } from './envelope/keys.ts';
import { loadSodium } from './envelope/sodium.ts';
import { RequestError } from './errors/request-error.ts';
import { SealedError } from './errors/sealed.ts';
import { RefusedError } from './failures.ts';
import { nowSeconds } from './json/times.ts';
import type { Keyring } from './keys/keyring.ts';
import { SharedKeyringHolder } from './keys/sharing.ts';
import { refuseTracer } from './keys/tracer.ts';
import { openKeyring, unsealRootKey } from './keys/unseal.ts';
import { type CountSteps, countStepsIn } from './long-work.ts';
import type {
  Author,
  Change,
  EntryLimits,
  Failure,
  HistoryLimits,
  Reply,
  WorkerOptions,
} from './messages.ts';
import { checkKnown } from './store/check-known.ts';
import { checkSchema } from './store/check-schema.ts';
import { type Db, destroyDatabase, type Judge, openForReading, openForWriting } from './store/database.ts';
import { type FieldReader, HistoryReader, HistoryWriter } from './store/history.ts';
import { recordVault } from './store/known-vaults.ts';
import { eraseLog } from './store/log-eraser.ts';
import { SearchIndexer } from './store/search.ts';
import { SecretReader, SecretWriter } from './store/secrets.ts';
import { TokenStore } from './store/tokens.ts';
import { Transactions } from './store/transactions.ts';
import { findDamageCode, UnusableDatabaseError } from './store/unusable.ts';
import { identifyVault, VaultStore } from './store/vault.ts';

const SEALED = 'the vault is sealed';
/** The request thread then tries to unseal the vault again, without a passphrase. */
const LOST = 'the threads that had the keys of the vault have died';

/** What is read of secrets. A limited token has a source of its own (`limitVault`). */
export type SecretSource = { readonly [Method in keyof SecretReader]: SecretReader[Method] };
export type HistorySource = { readonly [Method in keyof HistoryReader]: HistoryReader[Method] };

/** What an operation that only reads works with. */
export interface ReadableVault {
  readonly keyring: Keyring;
  readonly databasePath: string;
  readonly directory: string;
  readonly secrets: SecretSource;
  /** What the token that asks may reach. */
  readonly access: Access;
  /** Reads the fields of a secret: of its current version, or of an old one that was asked for. */
  readonly fields: FieldReader;
  readonly history: HistorySource;
  readonly tokens: TokenStore;
  readonly vault: VaultStore;
  readonly countSteps: CountSteps;
  /** Limits of one entry that are lower than the program's own. */
  readonly entryLimits: Partial<EntryLimits>;
  readonly historyLimits: HistoryLimits;
  /** Whether short calls wait for this thread. A large entry is then refused, and asked for again in the queue of long calls. */
  readonly isForShort?: boolean;
}

/** What an operation inside the writer's transaction works with. */
export interface WritableVault extends ReadableVault {
  readonly writer: SecretWriter;
  readonly historyWriter: HistoryWriter;
  /** What the versions of secrets that the operation makes say made them; null if it makes none. */
  readonly change: Change | null;
  /** A version that no value of this vault has had before. */
  readonly nextVersion: () => number;
  /** The principal to which a write is bound. */
  readonly author: Author;
}

/** Unless config.json sets others. */
const HISTORY_LIMITS: HistoryLimits = { keptVersions: 10, deletedSeconds: 30 * 86_400 };

/** The author of a write that no principal asked for. */
const NOBODY: Author = { id: '', isTrusted: false };

/** An unsealed vault, for code that runs the transactions of operations. */
export interface OpenVault extends WritableVault {
  readonly db: Db;
  readonly transactions: Transactions;
  /** Identifies the file that is open. */
  readonly file: FileId;
}

type Stores = Omit<OpenVault, 'keyring'>;

/** Tells a file from another one that was put in its place. */
interface FileId {
  readonly dev: number;
  readonly ino: number;
}

/** The most attempts at opening a file that is exchanged meanwhile. */
const OPEN_ATTEMPTS = 3;

export class Vault {
  readonly options: WorkerOptions;
  readonly #isWriter: boolean;
  readonly #open: (path: string, judge: Judge) => Db;
  readonly #holder: SharedKeyringHolder;
  /** Opened at the first use, so that a file that cannot be opened is a failure of a call, not the end of the thread. */
  #stores: Stores | null = null;
  #indexer: SearchIndexer | null = null;
  #isDestroyed = false;
  #seals = 0;
  readonly #damage: Int32Array;

  constructor(options: WorkerOptions, access: 'reading' | 'writing') {
    this.options = options;
    const { readers, startNumber } = options;
    this.#isWriter = access === 'writing';
    this.#open = this.#isWriter ? openForWriting : (path, judge) => openForReading(path, readers, judge);
    this.#holder = new SharedKeyringHolder(this.#isWriter ? 'writer' : 'reader', startNumber);
    this.#damage = new Int32Array(options.damage);
  }

  /** Takes a channel to another thread, to share the keyring. */
  connect(port: MessagePort): void {
    this.#holder.connect(port);
  }

  /** Throws UnusableDatabaseError, or SealedError once the vault was destroyed. */
  get stores(): Stores {
    if (this.#isDestroyed)
      throw new SealedError('destroyed', 'the vault was destroyed; make a new one with: mav init');
    this.#stores ??= this.#openStores();
    return this.#stores;
  }

  /**
   * As `stores`, for the beginning of an operation. If another file now lies in the vault's place, as after restoring a
   * backup, opens that one, if it is the known vault, too. A write into the old file would be lost.
   */
  get currentStores(): Stores {
    const stores = this.#stores;
    if (stores !== null && !this.#wasReplaced(stores.file)) return stores;
    stores?.db.close();
    this.#stores = null;
    this.#indexer = null;
    return this.stores;
  }

  #wasReplaced({ dev, ino }: FileId): boolean {
    const there = statSync(this.options.databasePath, { throwIfNoEntry: false });
    return there !== undefined && (there.ino !== ino || there.dev !== dev);
  }

  #openStores(): Stores {
    const { databasePath, known } = this.options;
    for (let attempt = 0; attempt < OPEN_ATTEMPTS; attempt++) {
      const before = statSync(databasePath, { throwIfNoEntry: false });
      const db = this.#open(databasePath, (opened) => checkKnown(databasePath, known, identifyVault(opened)));
      const { dev = 0, ino = 0 } = before ?? {};
      if (!this.#wasReplaced({ dev, ino })) return makeStores(db, { dev, ino }, this.options);
      db.close();
    }
    throw new UnusableDatabaseError(`${databasePath} is being exchanged again and again; try again`);
  }

  /** Returns the unsealed vault, asking other threads for the keys if needed. Throws SealedError or UnusableDatabaseError. */
  async getOpenVault(): Promise<OpenVault> {
    if (this.#holder.keyring === null) await this.#holder.find();
    return this.getOpenVaultNow();
  }

  /** As getOpenVault, with what this thread has been told so far. */
  getOpenVaultNow(): OpenVault {
    const stores = this.currentStores;
    const { keyring } = this.#holder;
    if (keyring === null)
      throw this.#holder.knowsNothing
        ? new SealedError('keys_lost', LOST)
        : new SealedError('sealed', SEALED);
    return { ...stores, keyring };
  }

  async isSealed(): Promise<boolean> {
    return (await this.#holder.find()) === null;
  }

  /** Whether no thread has the keys, although nobody has sealed the vault since they were shared. */
  async isLost(): Promise<boolean> {
    return (await this.#holder.find()) === null && this.#holder.knowsNothing;
  }

  /**
   * Opens a slot and shares the keyring with every thread. Throws SealedError, also if the vault was sealed while its key was
   * being fetched: sealing has the last word.
   */
  async unseal(passphrase: Uint8Array | null): Promise<void> {
    const seals = this.#seals;
    const rootKey = await this.readRootKey(passphrase);
    try {
      if (seals !== this.#seals) throw new SealedError('sealed', 'the vault was sealed meanwhile');
      // Looked up again, because the vault may have been destroyed while its key was being fetched.
      const { transactions, vault } = this.stores;
      const open = () => openKeyring(rootKey, vault.getVaultId(), vault.listKeks());
      this.#holder.publish(transactions.snapshot(open));
    } finally {
      rootKey.fill(0);
    }
  }

  /** Returns the root key, which the caller zeroes. Throws SealedError and MissingSodiumError. */
  async readRootKey(passphrase: Uint8Array | null): Promise<RootKey> {
    // Before anybody is asked for a passphrase, or a keychain for a key.
    loadSodium();
    if (!this.options.mayBeTraced) refuseTracer();
    const { transactions, vault } = this.currentStores;
    const folder = realpathSync(dirname(this.options.databasePath));
    // One snapshot: the slots that are opened are those that were compared, even if the file changes meanwhile.
    const { slots, vaultId } = transactions.snapshot(() => {
      this.checkStillKnown();
      return { slots: vault.listSlots(), vaultId: vault.getVaultId() };
    });
    return unsealRootKey(slots, vaultId, { ...this.options, folder, passphrase });
  }

  /** Compares the open vault again with the known one, because its rows may have been changed in place. Throws SealedError. */
  checkStillKnown(): void {
    const { databasePath, known } = this.options;
    checkKnown(databasePath, known, identifyVault(this.stores.db));
  }

  /**
   * Takes up a keyring with other generations than before, and waits until every thread has it. The vault may have been
   * sealed when it returns. Throws RequestError busy if a thread does not take it in time.
   */
  async publish(keyring: Keyring): Promise<void> {
    if (await this.#holder.publishToAll(keyring)) return;
    throw new RequestError('busy', 'a long request keeps a thread from taking the new key; try again');
  }

  seal(): void {
    this.#seals += 1;
    this.#holder.forget();
  }

  /** As seal. Returns false if a thread still has the keys after some seconds, because it is busy. */
  async sealEverywhere(): Promise<boolean> {
    this.#seals += 1;
    return this.#holder.forgetInAll();
  }

  /** Throws RefusedError once a thread has found the file damaged, because writing could make it worse. */
  checkWritable(): void {
    if (!this.#isDamaged) return;
    throw new RefusedError({ ...this.#describeDamage(), damage: 'found before' });
  }

  /** Notes the damage that a reply reports, and adds to its message what to do. */
  noteDamage<R extends Reply>(reply: R): R {
    if (reply.damage === undefined) return reply;
    this.markDamaged();
    return reply.ok ? reply : { ...reply, ...this.#describeDamage() };
  }

  /** After this no thread writes. */
  markDamaged(): void {
    Atomics.store(this.#damage, 0, 1);
  }

  get #isDamaged(): boolean {
    return Atomics.load(this.#damage, 0) !== 0;
  }

  #describeDamage(): Failure {
    const { databasePath } = this.options;
    return {
      ok: false,
      code: 'integrity',
      message:
        `${databasePath} is damaged, and nothing is written to it any more; save what can be read with ` +
        'mav export --skip-unreadable, then restore a backup',
    };
  }

  /** For the writer, sealed or not: indexes the texts of up to `limit` secrets. Returns whether more may be left. */
  indexSearches(limit: number): boolean {
    if (this.#stores === null || this.#isDamaged) return false;
    this.#indexer ??= new SearchIndexer(this.#stores.db);
    try {
      const indexer = this.#indexer;
      return this.#stores.transactions.write(() => indexer.index(limit));
    } catch (error) {
      if (findDamageCode(error) !== null) this.markDamaged();
      throw error;
    }
  }

  /** For the writer, sealed or not: purges up to `limit` secrets whose time is over. Returns whether more may be left. */
  purgeDeleted(limit: number): boolean {
    if (this.#stores === null || this.#isDamaged) return false;
    const { transactions, secrets, history, historyWriter, historyLimits } = this.#stores;
    const before = nowSeconds() - historyLimits.deletedSeconds;
    const old = history.listDeletedBefore(before, limit);
    if (old.length > 0)
      transactions.write(() => {
        for (const { secretId } of old) {
          // Without a key it is not known who wrote the row. One that names a secret that is there must not harm it.
          if (secrets.findById(secretId) === null) historyWriter.purge(secretId);
          else historyWriter.removeDeleted(secretId);
        }
      });
    return old.length === limit;
  }

  /** For the writer, sealed or not: erases the log. Returns false if a reader keeps it from that at the moment. */
  eraseLog(): boolean {
    // The log of a damaged file stays. If another file lies in the place of ours, the log there belongs to that one.
    if (this.#stores === null || this.#isDamaged || this.#wasReplaced(this.#stores.file)) return true;
    return eraseLog(this.#stores.db, this.options.databasePath);
  }

  /** For the writer: drops the keyring in every thread and removes the database. After this there is no vault here. */
  destroy(): void {
    const { db, databasePath, directory } = this.stores;
    this.seal();
    this.#isDestroyed = true;
    this.#stores = null;
    destroyDatabase(db, databasePath);
    try {
      recordVault(this.options.knownVaultsPath, directory, null);
    } catch {
      // The entry of the destroyed vault stays in the list. The next vault made here replaces it.
    }
  }
}

function makeStores(
  db: Db,
  file: FileId,
  { databasePath, longWork, entryLimits = {}, historyLimits }: WorkerOptions,
): Stores {
  const vault = new VaultStore(db);
  const secrets = new SecretReader(db);
  return {
    db,
    file,
    transactions: new Transactions(db, () => checkSchema(db, databasePath)),
    databasePath,
    directory: dirname(databasePath),
    secrets,
    access: ALL_ACCESS,
    fields: secrets,
    history: new HistoryReader(db),
    writer: new SecretWriter(db),
    historyWriter: new HistoryWriter(db),
    historyLimits: { ...HISTORY_LIMITS, ...historyLimits },
    change: null,
    tokens: new TokenStore(db),
    vault,
    nextVersion: () => vault.takeVersions(1),
    author: NOBODY,
    countSteps: countStepsIn(longWork),
    entryLimits,
  };
}
