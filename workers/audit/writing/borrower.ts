/**
 * For a reader: the segment that it writes, which it borrows from the writer. Only that one may open files for writing and
 * change the database.
 */
import type { MessagePort } from 'node:worker_threads';
import { IntegrityError } from '../../envelope/integrity.ts';
import { AuditError } from '../../errors/audit.ts';
import type { Keyring } from '../../keys/keyring.ts';
import type { OpenVault } from '../../open-vault.ts';
import { openSegmentKey } from '../segment-keys.ts';
import type { BatchLog } from './batch-log.ts';
import type { BorrowAnswer, LentSegment, Returned, ToReader, ToWriter } from './messages.ts';
import { OpenSegment } from './open-segment.ts';

interface Borrowed {
  readonly segment: OpenSegment;
  readonly key: Uint8Array<ArrayBuffer>;
  /** The keyring with which its key was opened, and the file of whose vault it is a segment. */
  readonly keyring: Keyring;
  readonly file: OpenVault['file'];
  readonly dirty: Int32Array;
}

/** Longer than a large import keeps the writer. */
const PATIENCE_MS = 20_000;

interface Asked extends PromiseWithResolvers<void> {
  readonly number: number;
}

export class SegmentBorrower implements BatchLog {
  #port: MessagePort | null = null;
  /** Lent, but not opened yet. */
  #lent: LentSegment | null = null;
  #borrowed: Borrowed | null = null;
  /** Lent, but its key could not be opened. */
  #unopened: Returned | null = null;
  /** Whether the segment must be given back: a batch could not be written whole, or another writer looks after segments now. */
  #isSpent = false;
  /** Null unless the writer was asked and has not answered. */
  #asked: Asked | null = null;
  #questions = 0;

  /** Takes a channel to the writer. A writer that replaces a dead one brings another channel. */
  connect(port: MessagePort): void {
    this.#port = port;
    port.on('message', (message: ToReader) => this.#receive(message));
    port.once('close', () => {
      if (this.#port === port) this.#port = null;
    });
    port.unref();
    // The writer that was asked, or that lent what there is, has died.
    this.#isSpent = this.#borrowed !== null;
    if (this.#asked !== null) this.#ask(this.#asked.number);
  }

  isReady({ keyring, file }: OpenVault): boolean {
    const borrowed = this.#borrowed;
    if (borrowed !== null && borrowed.keyring === keyring && borrowed.file === file)
      return borrowed.segment.isUsable && !this.#isSpent;
    return this.#lent !== null && this.#open(this.#lent, keyring, file);
  }

  /** Returns false if the segment's key is wrapped under a KEK that has been replaced meanwhile. */
  #open(lent: LentSegment, keyring: Keyring, file: OpenVault['file']): boolean {
    this.#lent = null;
    const { row, anchor, descriptor, dirty } = lent;
    try {
      const key = openSegmentKey(keyring, row);
      const segment = new OpenSegment(row, descriptor, key, anchor);
      this.#borrowed = { segment, key, keyring, file, dirty: new Int32Array(dirty) };
      return true;
    } catch (error) {
      if (!(error instanceof IntegrityError)) throw AuditError.from(error);
      this.#unopened = { id: row.id, anchor };
      return false;
    }
  }

  async prepare(): Promise<void> {
    if (this.#asked === null) {
      this.#questions += 1;
      this.#asked = { number: this.#questions, ...Promise.withResolvers<void>() };
      this.#ask(this.#questions);
    }
    const { number, promise, reject } = this.#asked;
    const giveUp = () => {
      if (this.#asked?.number === number) this.#asked = null;
      reject(new AuditError('no answer'));
    };
    const timer = setTimeout(giveUp, PATIENCE_MS);
    await promise.finally(() => clearTimeout(timer));
  }

  #ask(number: number): void {
    const message: ToWriter = { kind: 'borrow', number, returned: this.#giveBack() };
    this.#port?.postMessage(message);
  }

  /** Nothing is written into the segment after this. */
  #giveBack(): Returned | null {
    const borrowed = this.#borrowed;
    const unopened = this.#unopened;
    this.#unopened = null;
    this.#borrowed = null;
    this.#isSpent = false;
    if (borrowed === null) return unopened;
    const { segment, key, keyring } = borrowed;
    if (key.length > 0) keyring.release(key);
    return { id: segment.id, anchor: segment.anchor };
  }

  #receive(message: ToReader): void {
    if (message.kind === 'unsealed') this.#askAhead();
    // An answer for which nobody waits any more is passed over. The writer takes that segment back at the next question.
    else if (this.#asked?.number === message.number) this.#takeAnswer(this.#asked, message.answer);
  }

  #takeAnswer({ resolve, reject }: Asked, answer: BorrowAnswer): void {
    this.#asked = null;
    if (answer.kind === 'lent') this.#lent = answer.segment;
    if (answer.kind === 'refused') reject(new AuditError(answer.code));
    // While the vault is sealed there is none. Whoever waits finds out by itself.
    else resolve();
  }

  /** Asks before the first batch needs it: then the writer may be busy with a long import, or dead. */
  #askAhead(): void {
    if (this.#borrowed === null && this.#lent === null && this.#asked === null)
      this.prepare().catch(() => {});
  }

  get nextEntry(): number {
    return (this.#borrowed?.segment.anchor.entries ?? 0) + 1;
  }

  append(lines: string, entries: number): void {
    const borrowed = this.#borrowed;
    if (borrowed === null) throw new RangeError('no segment was borrowed');
    const { segment, dirty } = borrowed;
    try {
      segment.write(segment.prepare(lines, entries));
    } catch (error) {
      // A part of the batch may be there. The writer cuts it off before it lends the segment again.
      this.#isSpent = true;
      throw AuditError.from(error);
    }
    if (Atomics.exchange(dirty, 0, 1) === 0) this.#port?.postMessage({ kind: 'written' } satisfies ToWriter);
  }
}
