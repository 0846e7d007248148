/** For the writer: lends each reader the segment that it writes, and looks after all segments of the process. */
import { closeSync, fdatasyncSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import { AuditError } from '../../errors/audit.ts';
import { SealedError } from '../../errors/sealed.ts';
import type { OpenVault } from '../../open-vault.ts';
import type { Vault } from '../../vault.ts';
import type { BorrowAnswer, Returned, ToReader, ToWriter } from './messages.ts';
import { findEnd } from './recovery.ts';
import { anchorSegment, type ReadySegment } from './segment-rows.ts';
import type { SegmentStock } from './segment-stock.ts';
import type { SyncedFile, Syncing } from './syncing.ts';

interface Lent {
  readonly ready: ReadySegment;
  readonly file: OpenVault['file'];
  readonly synced: SyncedFile;
}

export class SegmentLender {
  readonly #stock: SegmentStock;
  readonly #syncing: Syncing;
  readonly #vault: Vault;
  readonly #ports = new Set<MessagePort>();
  readonly #lent = new Map<MessagePort, Lent>();

  constructor(stock: SegmentStock, syncing: Syncing, vault: Vault) {
    this.#stock = stock;
    this.#syncing = syncing;
    this.#vault = vault;
  }

  /** Takes a channel to a reader. */
  connect(port: MessagePort): void {
    port.on('message', (message: ToWriter) => {
      if (message.kind === 'written') this.#syncing.schedule();
      else void this.#reply(port, message.number, message.returned);
    });
    port.once('close', () => {
      this.#ports.delete(port);
      this.#reclaim(port);
    });
    port.unref();
    this.#ports.add(port);
    if (this.#vault.hasKeys) this.#invite(port);
  }

  /** Tells the readers that they may ask. */
  invite(): void {
    for (const port of this.#ports) this.#invite(port);
  }

  #invite(port: MessagePort): void {
    port.postMessage({ kind: 'unsealed' } satisfies ToReader);
  }

  async #reply(port: MessagePort, number: number, returned: Returned | null): Promise<void> {
    const answer = await this.#lend(port, returned);
    port.postMessage({ kind: 'answer', number, answer } satisfies ToReader);
  }

  async #lend(port: MessagePort, returned: Returned | null): Promise<BorrowAnswer> {
    try {
      await this.#vault.getOpenVault();
      // Once more, at the last moment: a rotation may have gone on before this did.
      const open = this.#vault.getOpenVaultNow();
      const lent = this.#takeBack(port);
      // What was lent and not returned came too late to be used.
      const back = returned ?? (lent === null ? null : { id: lent.ready.row.id, anchor: lent.ready.anchor });
      if (back !== null) this.#stock.giveBack(lent?.file ?? open.file, back.id, back.anchor);
      if (this.#syncing.failure !== null) throw new AuditError(this.#syncing.failure);
      const ready = this.#stock.take(open);
      const dirty = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
      const synced = { descriptor: ready.descriptor, dirty: new Int32Array(dirty) };
      this.#syncing.add(synced);
      this.#lent.set(port, { ready, file: open.file, synced });
      return { kind: 'lent', segment: { ...ready, dirty } };
    } catch (error) {
      if (error instanceof SealedError) return { kind: 'sealed' };
      return { kind: 'refused', code: AuditError.from(error).code };
    }
  }

  /** Takes back the segment of a reader that has ended. The chain tells where it ends. */
  #reclaim(port: MessagePort): void {
    const lent = this.#lent.get(port);
    if (lent === undefined) return;
    try {
      const open = this.#vault.getOpenVaultNow();
      const row = open.segmentRows.findSegment(lent.ready.row.id);
      if (row !== null && lent.file === open.file)
        this.#stock.giveBack(lent.file, row.id, findEnd(open.keyring, row, lent.ready.descriptor));
    } catch {
      // The next process that takes stock finds it.
    }
    this.#takeBack(port);
  }

  /** Syncs and closes the file of what a reader had, and returns that. */
  #takeBack(port: MessagePort): Lent | null {
    const lent = this.#lent.get(port);
    if (lent === undefined) return null;
    this.#lent.delete(port);
    this.#syncing.remove(lent.synced);
    try {
      fdatasyncSync(lent.ready.descriptor);
    } finally {
      closeSync(lent.ready.descriptor);
    }
    return lent;
  }

  /** Anchors what the readers have written so far. Throws what the system and SQLite say. */
  anchor(open: OpenVault): void {
    const lent = [...this.#lent.values()].filter(({ file }) => file === open.file);
    const ends = lent.flatMap(({ ready: { row, descriptor } }) => {
      const current = open.segmentRows.findSegment(row.id);
      if (current === null) return [];
      fdatasyncSync(descriptor);
      return [{ row: current, anchor: findEnd(open.keyring, current, descriptor) }];
    });
    open.transactions.write(() => {
      for (const { row, anchor } of ends) if (anchor.bytes > row.bytes) anchorSegment(open, row, anchor, 0);
    });
  }
}
