/** For the writer: the segments of the open vault that nobody writes at the moment. A thread that needs one gets it from here. */
import { closeSync, fdatasyncSync, fstatSync } from 'node:fs';
import type { Anchor } from '../../envelope/segment-digest.ts';
import { AuditError } from '../../errors/audit.ts';
import { nowSeconds } from '../../json/times.ts';
import type { OpenVault } from '../../open-vault.ts';
import type { Vault } from '../../vault.ts';
import { findExpiryMs } from './open-segment.ts';
import {
  anchorSegment,
  createSegment,
  type Inventory,
  type ReadySegment,
  reopenSegment,
  type Torn,
  takeStock,
} from './segment-rows.ts';

/** Bytes. A segment that has more is closed instead of being written again. */
const FULL = 15 * 1_048_576;

/** Whether it can take more than a few batches. A time before its last entry would break the order of the log. */
function isWorthwhile({ row, anchor, descriptor }: ReadySegment): boolean {
  const nowMs = Date.now();
  return nowMs < findExpiryMs(row) && anchor.bytes < FULL && fstatSync(descriptor).mtimeMs <= nowMs;
}

export class SegmentStock {
  readonly #vault: Vault;
  /** Not 0: a writer of this process has taken stock, so that open segments may be in use by threads that live on. */
  readonly #taken: Int32Array;
  /** Of which vault file the segments are. */
  #file: OpenVault['file'] | null = null;
  #free = new Map<number, Anchor>();
  #broken: number[] = [];
  #torn: Torn[] = [];
  /** Segments up to this id are closed instead of being written again. */
  #retiredTo = 0;
  #newest = 0;

  constructor(vault: Vault) {
    this.#vault = vault;
    this.#taken = new Int32Array(vault.options.auditTaken);
  }

  /** Returns a segment that is the caller's until it gives it back. Throws AuditError and what the system says. */
  take(open: OpenVault): ReadySegment {
    // Each segment takes a row in the database.
    if (this.#vault.isDamaged) throw new AuditError('the database is damaged');
    this.#follow(open);
    for (const [id, anchor] of this.#free) {
      this.#free.delete(id);
      const ready = reopenSegment(open, id, anchor);
      if (ready === null) continue;
      if (id > this.#retiredTo && isWorthwhile(ready)) return this.#note(ready);
      this.#close(open, ready);
    }
    return this.#note(createSegment(open));
  }

  #note(ready: ReadySegment): ReadySegment {
    this.#newest = Math.max(this.#newest, ready.row.id);
    return ready;
  }

  /** After another file was put in the vault's place, its segments are others. */
  #follow(open: OpenVault): void {
    if (this.#file === open.file) return;
    const isFirst = this.#file !== null || Atomics.exchange(this.#taken, 0, 1) === 0;
    this.#file = open.file;
    this.#free = new Map();
    if (!isFirst) return;
    const { free, broken, torn } = takeStock(open);
    this.#free = free;
    this.#broken.push(...broken);
    this.#torn.push(...torn);
  }

  #close(open: OpenVault, { row, anchor, descriptor }: ReadySegment): void {
    fdatasyncSync(descriptor);
    closeSync(descriptor);
    open.transactions.write(() => anchorSegment(open, row, anchor, nowSeconds()));
  }

  /** Takes back a segment that ends at `anchor`. Its file is closed. */
  giveBack(file: OpenVault['file'], id: number, anchor: Anchor): void {
    if (file === this.#file) this.#free.set(id, anchor);
  }

  /** Anchors the segments that nobody writes. Their files are synced. */
  anchor(open: OpenVault): void {
    if (this.#file !== open.file) return;
    open.transactions.write(() => {
      for (const [id, anchor] of this.#free) {
        const row = open.segmentRows.findSegment(id);
        if (row !== null && anchor.bytes > row.bytes) anchorSegment(open, row, anchor, 0);
      }
    });
  }

  /** Lets no segment of before be written again, because the KEK under which its key was wrapped is being replaced. */
  retire(): void {
    this.#retiredTo = Math.max(this.#newest, ...this.#free.keys());
  }

  /** Closes those of them that no thread has: nobody can add to a closed segment, not even with its key. */
  closeRetired(open: OpenVault): void {
    if (this.#file !== open.file) return;
    for (const [id, anchor] of this.#free) {
      if (id > this.#retiredTo) continue;
      this.#free.delete(id);
      const ready = reopenSegment(open, id, anchor);
      if (ready !== null) this.#close(open, ready);
    }
  }

  /** What was found out about segments of earlier processes, and was not forgotten yet. */
  get findings(): Pick<Inventory, 'broken' | 'torn'> {
    return { broken: this.#broken, torn: this.#torn };
  }

  forgetFindings(): void {
    this.#broken = [];
    this.#torn = [];
  }
}
