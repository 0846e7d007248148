/**
 * The writer's part in the audit log: it records its own batches, lends readers their segments, and puts the log in order when
 * the vault is unsealed, sealed, rotated or left.
 */
import type { MessagePort } from 'node:worker_threads';
import { RequestError } from '../../errors/request-error.ts';
import type { Call, Reply, Success } from '../../messages.ts';
import type { OpenVault } from '../../open-vault.ts';
import type { Vault } from '../../vault.ts';
import { verifyFile } from '../reading/verify-log.ts';
import { locateLog, removeSegmentFile, setSegmentAside } from '../segment-files.ts';
import { type EntryLines, isAudited, NOTHING_DONE } from './audit-entry.ts';
import { SegmentLender } from './lender.ts';
import type { PreparedBatch } from './open-segment.ts';
import { OwnLog } from './own-log.ts';
import { Recorder } from './recorder.ts';
import { SegmentStock } from './segment-stock.ts';
import { Syncing } from './syncing.ts';

/** What became of a segment that was given up. */
export interface Forgotten {
  /** How many its row said that it had. */
  readonly entries: number;
  /** Where its file lies now; null if there was none. */
  readonly file: string | null;
}

const SEALED: Success = { ok: true, offset: 0, length: 0 };

export class WriterLog extends Recorder {
  readonly #vault: Vault;
  readonly #own: OwnLog;
  readonly #stock: SegmentStock;
  readonly #lender: SegmentLender;
  /** Attempts to unseal that failed while there was no key to record them with. */
  #refused = 0;

  /** `onSynced` is called when `forgetSynced` has something to do. */
  static of(vault: Vault, onSynced: () => void): WriterLog {
    const stock = new SegmentStock(vault);
    const syncing = new Syncing();
    const own = new OwnLog(stock, syncing, onSynced);
    return new WriterLog(vault, stock, own, new SegmentLender(stock, syncing, vault));
  }

  private constructor(vault: Vault, stock: SegmentStock, own: OwnLog, lender: SegmentLender) {
    super(own, vault);
    this.#vault = vault;
    this.#stock = stock;
    this.#own = own;
    this.#lender = lender;
  }

  connect(port: MessagePort): void {
    this.#lender.connect(port);
  }

  override begin(open: OpenVault): EntryLines {
    const lines = super.begin(open);
    const { broken, torn } = this.#stock.findings;
    for (const segment of broken) lines.addOwn('audit.broken', { segment });
    for (const { segment, bytes } of torn) lines.addOwn('audit.torn', { segment, bytes });
    if (this.#refused > 0) lines.addOwn('audit.refused', { count: this.#refused });
    return lines;
  }

  protected override noteTold(): void {
    super.noteTold();
    this.#stock.forgetFindings();
    this.#refused = 0;
  }

  /**
   * Stores the lines of a batch in its transaction. The caller hands the result to `keep` after the commit. Returns null if nothing
   * was stored. Throws AuditError and what SQLite throws.
   */
  store(open: OpenVault, lines: EntryLines): PreparedBatch | null {
    if (lines.count === 0) return null;
    return this.write(open, lines, () => this.#own.store(open, lines.text, lines.count));
  }

  keep(batch: PreparedBatch | null): void {
    if (batch === null) return;
    this.#own.keep(batch);
    this.noteTold();
  }

  /**
   * Records a control operation that has ended. Sealing is recorded before. What has been done stays done even if it cannot be
   * recorded; the next request then fails.
   */
  async recordControl(call: Call, reply: Reply): Promise<void> {
    if (!isAudited(call) || call.operation === 'vault.seal') return;
    if (reply.ok) this.#lender.invite();
    try {
      await this.run((open) => this.#recordAlone(open, call, reply));
    } catch {
      if (!reply.ok) this.#refused += 1;
    }
  }

  #recordAlone(open: OpenVault, call: Call, reply: Reply): void {
    const lines = this.begin(open);
    lines.add(call, reply, NOTHING_DONE);
    this.append(open, lines);
  }

  /** Lets no segment of before be written again: a KEK that is replaced may have been seen, and the segments' keys with it. */
  retire(): void {
    this.#stock.retire();
    this.#lender.invite();
  }

  /** Records that a rotation has ended, and how many rows could not be wrapped again. As recordControl, it stays done anyway. */
  async recordRotation(generation: number, left: number): Promise<void> {
    try {
      await this.run((open) => {
        const lines = this.begin(open);
        lines.addOwn('keys.rotated', { generation, ...(left === 0 ? {} : { damaged: left }) });
        this.append(open, lines);
        this.#stock.closeRetired(open);
      });
    } catch {
      // The vault was sealed at this moment, or the log cannot be written, which the next request finds out.
    }
  }

  /** Records that the vault is sealed, and puts the log in order, while there is still a key for it. */
  async recordSealing(call: Call): Promise<void> {
    try {
      await this.run((open) => {
        this.#recordAlone(open, call, SEALED);
        this.#settle(open);
      });
    } catch {
      // Sealing goes before anything else. What is lacking is found when the vault is unsealed.
    }
  }

  /** Deletes from the database what the files have for good. Needs no key. */
  forgetSynced(): void {
    if (!this.#vault.isDamaged) this.#own.forgetSynced(this.#vault.stores);
  }

  /** Drops the oldest segments that were closed before a time, in Unix seconds. The log then says so. Returns false. */
  dropOld(before: number): boolean {
    const open = this.#vault.getOpenVaultNow();
    const rows = open.segmentRows.listSegments();
    const kept = rows.findIndex(({ closedAt }) => closedAt === 0 || closedAt >= before);
    const old = rows.slice(0, kept);
    const last = old.at(-1);
    if (last === undefined || this.#vault.isDamaged || !this.#own.isReady(open)) return false;
    const lines = this.begin(open);
    const entries = old.reduce((sum, row) => sum + row.entries, 0);
    lines.addOwn('audit.dropped', { through: last.id, entries });
    const stored = open.transactions.write(() => {
      for (const { id } of old) open.segmentRows.deleteSegment(id);
      return this.#own.store(open, lines.text, lines.count);
    });
    this.keep(stored);
    for (const { id } of old) removeSegmentFile(locateLog(open.directory), id);
    return false;
  }

  /**
   * Gives up a segment that was changed without the key, so that no old KEK is kept for it. The log then says so, and the file is put
   * aside. Throws RequestError not_found, and conflict for a segment that is intact, or still written.
   */
  forget(id: number): Promise<Forgotten> {
    return this.run((open) => {
      this.#vault.checkWritable();
      const row = open.segmentRows.findSegment(id);
      // Its row may have gone before a power failure, and its file not.
      if (row === null) return { entries: 0, file: setAsideOrThrow(open, id) };
      refuseUseful(open, id);
      const lines = this.begin(open);
      lines.addOwn('audit.forgotten', { segment: id, entries: row.entries });
      const stored = open.transactions.write(() => {
        open.segmentRows.deleteSegment(id);
        const prepared = this.store(open, lines);
        // Without an entry the segment would be missing, as if somebody had taken it away.
        if (prepared === null) throw new RequestError('busy', 'the audit log cannot be written; try again');
        return prepared;
      });
      this.keep(stored);
      return { entries: row.entries, file: setSegmentAside(locateLog(open.directory), id) };
    });
  }

  /** Puts the log in order before the thread ends. */
  rest(): void {
    const { isDamaged, options } = this.#vault;
    try {
      this.#own.putAway(isDamaged ? null : this.#vault.stores);
      if (options.readers > 0) this.#settle(this.#vault.getOpenVaultNow());
    } catch {
      // The next process finds out by itself where the segments end.
    }
  }

  /** Syncs all segments and anchors them in the database. */
  #settle(open: OpenVault): void {
    if (this.#vault.isDamaged) return;
    this.#own.putAway(open);
    this.#lender.anchor(open);
    this.#stock.anchor(open);
  }
}

/** Throws RequestError unless the segment was changed without the key, and nobody writes it. */
function refuseUseful({ audit }: OpenVault, id: number): void {
  const segment = audit.listSegments().find((one) => one.id === id);
  const problems = segment === undefined ? [] : verifyFile(audit, segment).problems;
  if (problems.length === 0)
    throw new RequestError('conflict', `segment ${id} is intact; keep_audit_days says how long it is kept`);
  const isOpen = segment?.closedAt === 0 && problems.every(({ problem }) => problem !== 'changed_row');
  if (isOpen)
    throw new RequestError(
      'conflict',
      `segment ${id} is still written; it is closed when the daemon starts again`,
    );
}

function setAsideOrThrow({ directory }: OpenVault, id: number): string {
  const file = setSegmentAside(locateLog(directory), id);
  if (file === null) throw new RequestError('not_found', 'the audit log has no such segment');
  return file;
}
