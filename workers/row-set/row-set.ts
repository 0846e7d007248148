/**
 * Keeps the MAC over the set of rows up to date with the writer's transactions. Holds its keys and the sums in the keyring's
 * memory, so that both are zeroed with the keyring.
 *
 * The sums follow what the statements did to rows (covered-rows.ts), also where that row was itself changed without the key:
 * then the sums stay wrong, and checking the rows finds it later.
 */
import { IntegrityError } from '../envelope/integrity.ts';
import { decryptState, encryptState } from '../envelope/row-set.ts';
import { MAC_SIZE } from '../envelope/sizes.ts';
import { SealedError } from '../errors/sealed.ts';
import { nowSeconds } from '../json/times.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { RowSetRow } from '../store/columns.ts';
import { watchRows } from '../store/covered-rows.ts';
import type { Db } from '../store/database.ts';
import { RowSetStore } from '../store/row-set.ts';
import type { RowFollower } from '../store/transactions.ts';
import { FollowedSums, MAX_DEPTH } from './followed-sums.ts';
import { mintSetKey, renewSetKey } from './row-set-keys.ts';
import type { AuditHead, RowSums } from './row-sums.ts';

const NO_MAC = new Uint8Array(MAC_SIZE);

interface Loaded {
  readonly keyring: Keyring;
  readonly sums: FollowedSums;
  /** Under a new set key: what was changed since it was made. Null unless the set key is being renewed. */
  readonly renewal: Renewal | null;
  /** As of the last commit. */
  readonly row: RowSetRow;
}

/** A set key that is to take the place of the stored one. */
export interface Renewal {
  readonly wrappedKey: Uint8Array;
  readonly sums: FollowedSums;
}

/** A commit that is on disk. */
export interface Committed {
  readonly vaultId: Uint8Array;
  readonly row: RowSetRow;
}

export class RowSet implements RowFollower {
  readonly #rows: RowSetStore;
  #keyring: Keyring | null = null;
  #loaded: Loaded | null = null;
  /** Why the stored row could not be read; null if it could, or there is no key. */
  #problem: unknown = null;
  /** The newest commit, until it was taken. */
  #committed: Committed | null = null;
  #isOpen = false;
  /** Whether the transaction under way has changed the sums. */
  #isChanged = false;
  /** The row that the transaction under way has stored. */
  #next: RowSetRow | null = null;
  /** For each savepoint whether the sums had been changed when it began. */
  readonly #marks: boolean[] = [];
  /** Whether the transaction under way puts the new set key in place. */
  #isRenewed = false;

  /** For the writer's connection: follows its changes from now on. */
  constructor(db: Db) {
    this.#rows = new RowSetStore(db);
    watchRows(db, (table, isAdded, covered) => this.#note(table, isAdded, covered));
  }

  /** The keyring of the transactions that follow. */
  use(keyring: Keyring): void {
    this.#keyring = keyring;
  }

  begin(): void {
    this.#isOpen = true;
    this.#isChanged = false;
    this.#isRenewed = false;
    this.#next = null;
    this.#marks.length = 0;
    this.#prepare();
  }

  mark(): void {
    const depth = this.#marks.length;
    if (depth === MAX_DEPTH) throw new RangeError('too many savepoints in one another');
    if (this.#isChanged) for (const sums of this.#listSums()) sums.mark(depth);
    this.#marks.push(this.#isChanged);
  }

  leave(isKept: boolean): void {
    const wasChanged = this.#marks.pop();
    if (isKept || wasChanged === undefined) return;
    if (wasChanged) for (const sums of this.#listSums()) sums.restore(this.#marks.length);
    this.#isChanged = wasChanged;
  }

  store(): void {
    if (!this.#isChanged) return;
    const { keyring, sums, row, renewal } = this.#load();
    const head = { vaultId: keyring.vaultId, epoch: row.epoch + 1, writtenAt: nowSeconds() };
    const isRenewed = this.#isRenewed && renewal !== null;
    const { keys, current } = isRenewed ? renewal.sums : sums;
    const wrappedKey = isRenewed ? renewal.wrappedKey : renewSetKey(keyring, row.wrappedKey);
    const state = encryptState(keys.stateKey, current.bytes, head);
    this.#next = { epoch: head.epoch, writtenAt: head.writtenAt, wrappedKey, state };
    this.#rows.update(this.#next);
  }

  end(isCommitted: boolean): void {
    this.#isOpen = false;
    const loaded = this.#loaded;
    if (loaded === null) return;
    // It is not known what a commit that failed has left, so the file is asked.
    if (!isCommitted) this.forget();
    else if (this.#next !== null) {
      for (const sums of this.#listSums()) sums.keep();
      this.#loaded = this.#isRenewed ? takeRenewed(loaded, this.#next) : { ...loaded, row: this.#next };
      this.#committed = { vaultId: loaded.keyring.vaultId, row: this.#next };
    }
  }

  /**
   * From now on follows the rows under a new set key, too, until `finishRenewal`, or until the stored row is read again. Runs inside a
   * transaction that has changed nothing yet. Throws as every change of a row.
   */
  startRenewal(): Renewal {
    const loaded = this.#load();
    loaded.renewal?.sums.release();
    const wrappedKey = mintSetKey(loaded.keyring);
    const renewal = { wrappedKey, sums: new FollowedSums(loaded.keyring, wrappedKey) };
    this.#loaded = { ...loaded, renewal };
    return renewal;
  }

  isRenewing(renewal: Renewal): boolean {
    return this.#loaded?.renewal === renewal && !this.#loaded.keyring.isDestroyed;
  }

  /** Puts the new set key in place with this transaction. `atStart`: the sums under it of the rows that there were at `startRenewal`. */
  finishRenewal({ sums }: Renewal, atStart: RowSums): void {
    const { auditHead } = this.#change();
    sums.current.add(atStart);
    sums.current.auditHead = auditHead;
    this.#isRenewed = true;
  }

  /** Notes, in a transaction, where the writer's audit log ends once that is committed. */
  noteAuditHead(head: AuditHead): void {
    this.#change().auditHead = head;
  }

  /** Notes, in a transaction, that the rows have no audit log any more. */
  forgetAuditLog(): void {
    this.noteAuditHead({ segment: 0, bytes: 0, mac: NO_MAC });
  }

  /** Returns the row of the newest commit since the last call; null if there was none. */
  takeCommitted(): Committed | null {
    const committed = this.#committed;
    this.#committed = null;
    return committed;
  }

  /** Reads the stored row again at the next change. */
  forget(): void {
    for (const sums of this.#listSums()) sums.release();
    this.#loaded = null;
  }

  #note(table: number, isAdded: boolean, covered: Uint8Array): void {
    // A row that changes without a commit of ours would look as if somebody had changed it without the key.
    if (!this.#isOpen) throw new RangeError('a row was written outside of Transactions');
    this.#change();
    for (const sums of this.#listSums()) sums.note(table, isAdded, covered);
  }

  /** Returns the sums of the transaction under way. */
  #change(): RowSums {
    const { current } = this.#load().sums;
    if (!this.#isChanged) for (const sums of this.#listSums()) sums.begin();
    this.#isChanged = true;
    return current;
  }

  #listSums(): readonly FollowedSums[] {
    if (this.#loaded === null) return [];
    const { sums, renewal } = this.#loaded;
    return renewal === null ? [sums] : [sums, renewal.sums];
  }

  /** Reads the stored row, if that is not known yet: SQLite lets no function that a statement calls do it. */
  #prepare(): void {
    const keyring = this.#keyring;
    if (this.#loaded !== null && this.#loaded.keyring === keyring && !keyring.isDestroyed) return;
    this.forget();
    this.#problem = null;
    if (keyring === null || keyring.isDestroyed) return;
    try {
      this.#loaded = this.#open(keyring);
    } catch (error) {
      // A transaction that changes no covered row goes on.
      this.#problem = error;
    }
  }

  /** Throws SealedError without a key, and IntegrityError if the stored row is not one that was made with it. */
  #load(): Loaded {
    if (this.#loaded !== null) return this.#loaded;
    throw this.#problem ?? new SealedError('sealed', 'the vault is sealed');
  }

  #open(keyring: Keyring): Loaded {
    const row = this.#rows.read();
    if (row === null) throw new IntegrityError();
    const sums = new FollowedSums(keyring, row.wrappedKey);
    try {
      const head = { vaultId: keyring.vaultId, ...row };
      decryptState(sums.keys.stateKey, row.state, head, sums.stored.bytes);
    } catch (error) {
      sums.release();
      throw error;
    }
    return { keyring, sums, renewal: null, row };
  }
}

/** The new set key is committed, and the one of before is forgotten. */
function takeRenewed({ keyring, sums, renewal }: Loaded, row: RowSetRow): Loaded {
  sums.release();
  return { keyring, sums: (renewal as Renewal).sums, renewal: null, row };
}
