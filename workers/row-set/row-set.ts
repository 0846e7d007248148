/**
 * Keeps the MAC over the set of rows up to date with the writer's transactions. Holds its keys and the sums in the keyring's
 * memory, so that both are zeroed with the keyring.
 *
 * The sums follow what the statements did to rows (covered-rows.ts), also where that row was itself changed without the key:
 * then the sums stay wrong, and checking the rows finds it later.
 */
import { IntegrityError } from '../envelope/integrity.ts';
import { decryptState, encryptState, hashCovered } from '../envelope/row-set.ts';
import { MAC_SIZE } from '../envelope/sizes.ts';
import { SealedError } from '../errors/sealed.ts';
import { nowSeconds } from '../json/times.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { RowSetRow } from '../store/columns.ts';
import { watchRows } from '../store/covered-rows.ts';
import type { Db } from '../store/database.ts';
import { RowSetStore } from '../store/row-set.ts';
import type { RowFollower } from '../store/transactions.ts';
import { openRowSetKeys, type RowSetKeys, renewSetKey } from './row-set-keys.ts';
import { type AuditHead, RowSums, SUMS_SIZE } from './row-sums.ts';

/** Savepoints inside savepoints. A batch has one for each call, and an operation one more. */
const MAX_DEPTH = 8;

interface Loaded {
  readonly keyring: Keyring;
  readonly keys: RowSetKeys;
  readonly memory: Uint8Array<ArrayBuffer>;
  /** As of the last commit, and as the transaction under way has made them. */
  readonly stored: RowSums;
  readonly current: RowSums;
  /** The number of a row, until it is in a sum. */
  readonly number: Uint8Array;
  /** As the sums were when each savepoint began. */
  readonly marks: readonly Uint8Array[];
  /** As of the last commit. */
  row: RowSetRow;
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
    this.#next = null;
    this.#marks.length = 0;
    this.#prepare();
  }

  mark(): void {
    if (this.#marks.length === MAX_DEPTH) throw new RangeError('too many savepoints in one another');
    if (this.#isChanged) this.#markOf(this.#marks.length).set(this.#load().current.bytes);
    this.#marks.push(this.#isChanged);
  }

  leave(isKept: boolean): void {
    const wasChanged = this.#marks.pop();
    if (isKept || wasChanged === undefined) return;
    if (wasChanged) this.#load().current.bytes.set(this.#markOf(this.#marks.length));
    this.#isChanged = wasChanged;
  }

  store(): void {
    if (!this.#isChanged) return;
    const { keyring, keys, current, row } = this.#load();
    const head = { vaultId: keyring.vaultId, epoch: row.epoch + 1, writtenAt: nowSeconds() };
    const wrappedKey = renewSetKey(keyring, row.wrappedKey);
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
      loaded.stored.bytes.set(loaded.current.bytes);
      loaded.row = this.#next;
      this.#committed = { vaultId: loaded.keyring.vaultId, row: this.#next };
    }
  }

  /** Notes, in a transaction, where the writer's audit log ends once that is committed. */
  noteAuditHead(head: AuditHead): void {
    this.#change().auditHead = head;
  }

  /** Returns the row of the newest commit since the last call; null if there was none. */
  takeCommitted(): Committed | null {
    const committed = this.#committed;
    this.#committed = null;
    return committed;
  }

  /** Reads the stored row again at the next change. */
  forget(): void {
    const loaded = this.#loaded;
    this.#loaded = null;
    if (loaded === null || loaded.keyring.isDestroyed) return;
    loaded.keys.release();
    loaded.keyring.release(loaded.memory);
  }

  #note(table: number, isAdded: boolean, covered: Uint8Array): void {
    // A row that changes without a commit of ours would look as if somebody had changed it without the key.
    if (!this.#isOpen) throw new RangeError('a row was written outside of Transactions');
    const { keys, number } = this.#load();
    hashCovered(keys.rowKeys[table] as Uint8Array, covered, number);
    this.#change().note(table, isAdded, number);
  }

  /** Returns the sums of the transaction under way. */
  #change(): RowSums {
    const { stored, current } = this.#load();
    if (!this.#isChanged) current.bytes.set(stored.bytes);
    this.#isChanged = true;
    return current;
  }

  #markOf(depth: number): Uint8Array {
    return this.#load().marks[depth] as Uint8Array;
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
    const keys = openRowSetKeys(keyring, row.wrappedKey);
    const memory = keyring.allocate((2 + MAX_DEPTH) * SUMS_SIZE + MAC_SIZE);
    const piece = (index: number) => memory.subarray(index * SUMS_SIZE, (index + 1) * SUMS_SIZE);
    const [stored, current] = [new RowSums(piece(0)), new RowSums(piece(1))];
    try {
      decryptState(keys.stateKey, row.state, { vaultId: keyring.vaultId, ...row }, stored.bytes);
    } catch (error) {
      keys.release();
      keyring.release(memory);
      throw error;
    }
    const marks = Array.from({ length: MAX_DEPTH }, (_, depth) => piece(depth + 2));
    const number = memory.subarray((2 + MAX_DEPTH) * SUMS_SIZE);
    return { keyring, keys, memory, stored, current, number, marks, row };
  }
}
