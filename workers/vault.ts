/**
 * One thread's view of the vault: its database connection and the keyring, or why it is sealed. Holds the keyring
 * (through the holder) while the vault is unsealed; never the root key, which lives only inside `unseal`.
 */
import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { StoredLog } from './audit/reading/stored-log.ts';
import { removeLog } from './audit/segment-files.ts';
import type { RootKey } from './envelope/keys.ts';
import { isGenuineSlot } from './envelope/slot-mac.ts';
import { loadSodium } from './envelope/sodium.ts';
import { SealedError } from './errors/sealed.ts';
import { RefusedError } from './failures.ts';
import { removeAllDrafts } from './files/backup-drafts.ts';
import { nowSeconds } from './json/times.ts';
import type { Keyring } from './keys/keyring.ts';
import { SharedKeyringHolder } from './keys/sharing.ts';
import { refuseTracer } from './keys/tracer.ts';
import { type OpenedSlot, openKeyring, unsealRootKey } from './keys/unseal.ts';
import type { Failure, Reply, WorkerOptions } from './messages.ts';
import type { FileId, OpenVault } from './open-vault.ts';
import { SeenEpoch } from './row-set/seen-epoch.ts';
import { checkKnown } from './store/check-known.ts';
import { type Db, destroyDatabase, type Judge, openForReading, openForWriting } from './store/database.ts';
import { recordVault } from './store/known-vaults.ts';
import { eraseLog } from './store/log-eraser.ts';
import { SearchIndexer } from './store/search.ts';
import { SharedKnown } from './store/shared-known.ts';
import { findDamageCode, UnusableDatabaseError } from './store/unusable.ts';
import { identifyVault } from './store/vault.ts';
import { makeStores, type Stores } from './stores.ts';

const SEALED = 'the vault is sealed';
/** The request thread then tries to unseal the vault again, without a passphrase. */
const LOST = 'the threads that had the keys of the vault have died';

/** The most attempts at opening a file that is exchanged meanwhile. */
const OPEN_ATTEMPTS = 3;

/** What came with a request to open a slot with. */
export interface GivenSecrets {
  readonly passphrase?: Uint8Array | null | undefined;
  /** The 32 bytes of a recovery code. */
  readonly recoveryCode?: Uint8Array | null | undefined;
}

export class Vault {
  readonly options: WorkerOptions;
  /** How the vault is known to the user. */
  readonly known: SharedKnown;
  readonly #isWriter: boolean;
  readonly #open: (path: string, judge: Judge) => Db;
  readonly #holder: SharedKeyringHolder;
  /** Opened at the first use, so that a file that cannot be opened is a failure of a call, not the end of the thread. */
  #stores: Stores | null = null;
  #indexer: SearchIndexer | null = null;
  #isDestroyed = false;
  #seals = 0;
  readonly #damage: Int32Array;
  #seen: SeenEpoch | null = null;

  constructor(options: WorkerOptions, access: 'reading' | 'writing') {
    this.options = options;
    this.known = new SharedKnown(options.known, options.knownNow);
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

  /** Throws SealedError if the file is not the vault that is known here. */
  readonly #judge: Judge = (db) =>
    checkKnown(this.options.databasePath, this.known.current, identifyVault(db));

  #openStores(): Stores {
    const { databasePath } = this.options;
    for (let attempt = 0; attempt < OPEN_ATTEMPTS; attempt++) {
      const before = statSync(databasePath, { throwIfNoEntry: false });
      const db = this.#open(databasePath, this.#judge);
      const { dev = 0, ino = 0 } = before ?? {};
      if (!this.#wasReplaced({ dev, ino })) return makeStores(db, { dev, ino }, this.options, this.#isWriter);
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
    stores.rowSet?.use(keyring);
    return { ...stores, keyring, audit: new StoredLog(stores, keyring) };
  }

  /** Whether this thread has been told the keys. */
  get hasKeys(): boolean {
    return this.#holder.keyring !== null;
  }

  async isSealed(): Promise<boolean> {
    return (await this.#holder.find()) === null;
  }

  /** Whether no thread has the keys, although nobody has sealed the vault since they were shared. */
  async isLost(): Promise<boolean> {
    return (await this.#holder.find()) === null && this.#holder.knowsNothing;
  }

  /**
   * Opens a slot and shares the keyring with every thread. Returns the ids of slots whose rows were changed without the key. Throws SealedError, also if the vault was sealed while its key was
   * being fetched: sealing has the last word.
   */
  async unseal(given: GivenSecrets = {}): Promise<string[]> {
    const seals = this.#seals;
    return this.publishFrom((await this.openSlots(given)).rootKey, seals);
  }

  /**
   * Shares the keyring that a root key opens, and zeroes the root key. `seals`: `sealCount` from before the key was fetched.
   * Returns and throws as unseal.
   */
  publishFrom(rootKey: RootKey, seals: number): string[] {
    try {
      if (seals !== this.#seals) throw new SealedError('sealed', 'the vault was sealed meanwhile');
      // Looked up again, because the vault may have been destroyed while its key was being fetched.
      const { transactions, vault } = this.stores;
      const vaultId = vault.getVaultId();
      const forged = vault.listSlots().filter((slot) => !isGenuineSlot(rootKey, vaultId, slot));
      this.#holder.publish(
        transactions.snapshot(() => {
          const keyring = openKeyring(rootKey, vaultId, vault.listKeks());
          this.#compareEpoch(keyring);
          return keyring;
        }),
      );
      return forged.map(({ id }) => id);
    } finally {
      rootKey.fill(0);
    }
  }

  /** Destroys the keyring and throws SealedError if the vault was put back from an older copy. */
  #compareEpoch(keyring: Keyring): void {
    try {
      this.seen.compare(this.stores.rowSetRows, keyring);
    } catch (error) {
      keyring.destroy();
      throw error;
    }
  }

  /** Opens the file once more, for reading aside. The caller closes it. */
  openAside(): Db {
    const { databasePath, readers } = this.options;
    return openForReading(databasePath, Math.max(readers, 1), this.#judge);
  }

  /** What the account has seen of this vault. */
  get seen(): SeenEpoch {
    this.#seen ??= new SeenEpoch({ ...this.options, folder: this.folder });
    return this.#seen;
  }

  /** For the writer: has the last commit written down outside of the vault's folder. */
  tellEpoch(isLast: boolean): void {
    const committed = this.#stores?.rowSet?.takeCommitted() ?? null;
    if (committed !== null) this.seen.note(committed);
    this.#seen?.tell(isLast);
  }

  /** Returns the root key, which the caller zeroes. Zeroes the passphrase. Throws SealedError and MissingSodiumError. */
  async readRootKey(passphrase: Uint8Array | null): Promise<RootKey> {
    return (await this.openSlots({ passphrase })).rootKey;
  }

  /** How often the vault was sealed. */
  get sealCount(): number {
    return this.#seals;
  }

  /** The vault's folder, a real path. */
  get folder(): string {
    return realpathSync(dirname(this.options.databasePath));
  }

  /** As readRootKey, but says which slot opened. The slot `without` is not tried. */
  async openSlots(
    { passphrase = null, recoveryCode = null }: GivenSecrets,
    without?: string,
  ): Promise<OpenedSlot> {
    // Before anybody is asked for a passphrase, or a keychain for a key.
    loadSodium();
    if (!this.options.mayBeTraced) refuseTracer();
    const { transactions, vault } = this.currentStores;
    // One snapshot: the slots that are opened are those that were compared, even if the file changes meanwhile.
    const rows = transactions.snapshot(() => {
      this.checkStillKnown();
      const slots = vault.listSlots().filter(({ id }) => id !== without);
      return { slots, vaultId: vault.getVaultId(), keks: vault.listKeks() };
    });
    return unsealRootKey(rows, { ...this.options, folder: this.folder, passphrase, recoveryCode });
  }

  /** Compares the open vault again with the known one, because its rows may have been changed in place. Throws SealedError. */
  checkStillKnown(): void {
    this.#judge(this.stores.db);
  }

  /** Takes up a keyring with other generations than before, and tells every thread. */
  publish(keyring: Keyring): void {
    this.#holder.publish(keyring);
  }

  /** Returns whether every thread has the keyring of this one, which a long read may delay; waits some seconds for it. */
  async isKeyringEverywhere(): Promise<boolean> {
    return this.#holder.isTakenByAll();
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
    if (!this.isDamaged) return;
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

  /** Whether a thread found the file damaged. Then nothing is written into it any more. */
  get isDamaged(): boolean {
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
    if (this.#stores === null || this.isDamaged) return false;
    this.#indexer ??= new SearchIndexer(this.#stores.db);
    try {
      const indexer = this.#indexer;
      return this.#stores.transactions.write(() => indexer.index(limit));
    } catch (error) {
      if (findDamageCode(error) !== null) this.markDamaged();
      throw error;
    }
  }

  /** For the writer, while it is unsealed: purges up to `limit` secrets whose time is over. Returns whether more may be left. */
  purgeDeleted(limit: number): boolean {
    if (this.#stores === null || this.isDamaged || !this.hasKeys) return false;
    const { transactions, secrets, history, historyWriter, historyLimits } = this.getOpenVaultNow();
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
    if (this.#stores === null || this.isDamaged || this.#wasReplaced(this.#stores.file)) return true;
    return eraseLog(this.#stores.db, this.options.databasePath);
  }

  /** For the writer: drops the keyring in every thread and removes the database. After this there is no vault here. */
  destroy(): void {
    const { db, databasePath, directory, vault } = this.stores;
    const [seen, vaultId] = [this.seen, vault.getVaultId()];
    this.seal();
    this.#isDestroyed = true;
    this.#stores = null;
    destroyDatabase(db, databasePath);
    removeAllDrafts(databasePath);
    removeLog(directory);
    try {
      seen.forget(vaultId);
      recordVault(this.options.knownVaultsPath, directory, null);
    } catch {
      // The entry of the destroyed vault stays in the list. The next vault made here replaces it.
    }
  }
}
