/**
 * The segment of the writer's own thread. The entries of writes are stored in the transaction of the writes too, so that one
 * sync makes both of them last. After the commit they go into the file.
 */
import { closeSync, fdatasyncSync } from 'node:fs';
import { AuditError } from '../../errors/audit.ts';
import type { OpenVault } from '../../open-vault.ts';
import { openSegmentKey } from '../segment-keys.ts';
import type { BatchLog } from './batch-log.ts';
import { OpenSegment, type PreparedBatch } from './open-segment.ts';
import type { SegmentStock } from './segment-stock.ts';
import type { SyncedFile, Syncing } from './syncing.ts';

/** What needs no key. */
type Rows = Pick<OpenVault, 'segmentRows' | 'transactions'>;

interface Own extends Pick<OpenVault, 'keyring' | 'file'> {
  readonly segment: OpenSegment;
  readonly key: Uint8Array<ArrayBuffer>;
  readonly synced: SyncedFile;
}

export class OwnLog implements BatchLog {
  readonly #stock: SegmentStock;
  readonly #syncing: Syncing;
  readonly #onSynced: () => void;
  #own: Own | null = null;
  /** A batch that is committed and could not be written into the file yet. */
  #pending: PreparedBatch | null = null;
  /** Whether the file has batches that neither are synced nor stand in the database. */
  #isLoose = false;
  /** Whether the database has batches of it. */
  #isStored = false;
  /** Bytes of the file that are synced, so that the database need not have them any more. */
  #syncedTo = 0;

  /** `onSynced` is called when batches have been synced that the database has, too: see `forgetSynced`. */
  constructor(stock: SegmentStock, syncing: Syncing, onSynced: () => void) {
    this.#onSynced = onSynced;
    this.#stock = stock;
    this.#syncing = syncing;
  }

  isReady({ keyring, file }: OpenVault): boolean {
    if (this.#syncing.failure !== null) throw new AuditError(this.#syncing.failure);
    const own = this.#own;
    return own !== null && own.keyring === keyring && own.file === file && own.segment.isUsable;
  }

  async prepare(open: OpenVault): Promise<void> {
    try {
      this.putAway(open);
      const { row, anchor, descriptor } = this.#stock.take(open);
      const key = openSegmentKey(open.keyring, row);
      const segment = new OpenSegment(row, descriptor, key, anchor);
      const synced = this.#watch(segment, descriptor);
      this.#own = { segment, key, keyring: open.keyring, file: open.file, synced };
    } catch (error) {
      throw AuditError.from(error);
    }
  }

  #watch(segment: OpenSegment, descriptor: number): SyncedFile {
    this.#syncedTo = 0;
    const synced: SyncedFile = {
      descriptor,
      dirty: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
      size: () => segment.anchor.bytes,
      noteSynced: (size) => {
        this.#syncedTo = Math.max(this.#syncedTo, size);
        this.#isLoose &&= size < segment.anchor.bytes;
        if (this.#isStored) this.#onSynced();
      },
    };
    this.#syncing.add(synced);
    return synced;
  }

  get nextEntry(): number {
    return this.#get().segment.anchor.entries + 1;
  }

  append(lines: string, entries: number): void {
    const { segment } = this.#get();
    this.#writePending();
    this.#write(segment.prepare(lines, entries));
    this.#isLoose = true;
  }

  /**
   * For a transaction that writes: stores its entries with it. The caller hands the result to `keep` after the commit. Throws
   * AuditError, and what SQLite throws.
   */
  store({ segmentRows, rowSet }: OpenVault, lines: string, entries: number): PreparedBatch {
    const { segment, synced } = this.#get();
    this.#writePending();
    // After a power failure the database must not have a batch that follows one that is lost.
    if (this.#isLoose) this.#sync(synced.descriptor);
    const batch = segment.prepare(lines, entries);
    segmentRows.insertBlock(segment.id, batch.position, batch.bytes);
    rowSet?.noteAuditHead({ segment: segment.id, bytes: batch.after.bytes, mac: batch.mac });
    if (this.#syncedTo > 0) segmentRows.deleteBlocks(segment.id, this.#syncedTo);
    this.#syncedTo = 0;
    this.#isStored = true;
    return batch;
  }

  /** Writes a batch that `store` returned into the file, once it is committed. If that fails, the next batch tries again. */
  keep(batch: PreparedBatch): void {
    this.#pending = batch;
    try {
      this.#writePending();
    } catch {
      // It is in the database, so nothing is lost.
    }
  }

  /** Deletes the batches from the database that the file has for good: what was purged is then in the log alone. */
  forgetSynced({ segmentRows, transactions }: Rows): void {
    if (this.#own === null || !this.#isStored || this.#syncedTo === 0) return;
    const { id, anchor } = this.#own.segment;
    transactions.write(() => segmentRows.deleteBlocks(id, this.#syncedTo));
    this.#isStored = this.#syncedTo < anchor.bytes;
    this.#syncedTo = 0;
  }

  /** Syncs the segment and gives it back. `rows`: null while nothing may be written into the database. Another is taken for the next batch. Throws AuditError, and what SQLite throws. */
  putAway(rows: Rows | null): void {
    const own = this.#own;
    if (own === null) return;
    this.#writePending();
    if (Atomics.load(own.synced.dirty, 0) === 1) this.#sync(own.synced.descriptor);
    const { id, anchor } = own.segment;
    if (this.#isStored) rows?.transactions.write(() => rows.segmentRows.deleteBlocks(id, anchor.bytes));
    this.#isStored = false;
    this.#own = null;
    this.#syncing.remove(own.synced);
    closeSync(own.synced.descriptor);
    if (own.key.length > 0) own.keyring.release(own.key);
    this.#stock.giveBack(own.file, id, anchor);
  }

  #get(): Own {
    if (this.#own === null) throw new RangeError('the log was not prepared');
    return this.#own;
  }

  #writePending(): void {
    const batch = this.#pending;
    if (batch === null) return;
    this.#write(batch);
    this.#pending = null;
  }

  #write(batch: PreparedBatch): void {
    const { segment, synced } = this.#get();
    try {
      segment.write(batch);
    } catch (error) {
      throw AuditError.from(error);
    }
    Atomics.store(synced.dirty, 0, 1);
    this.#syncing.schedule();
  }

  #sync(descriptor: number): void {
    try {
      fdatasyncSync(descriptor);
    } catch (error) {
      throw AuditError.from(error);
    }
    this.#isLoose = false;
  }
}
