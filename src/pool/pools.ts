/**
 * The two pools: N reader threads and one writer. What is asked goes to the one that it is for.
 */
import { availableParallelism } from 'node:os';
import type { Call, ControlOperation, WorkerOptions } from '../../workers/messages.ts';
import type { CallResult, IsWanted } from '../call-result.ts';
import { within } from '../deadline.ts';
import { type LongWork, readLongWork } from '../long-work.ts';
import { BatchQueue } from './batch.ts';
import { locateThread } from './keeper.ts';
import { createGroup } from './keeper-link.ts';
import { LargeAnswers } from './large-answers.ts';
import { ProgramFiles } from './program-files.ts';
import { Threads } from './threads.ts';

/** One for what takes long, and one that is free for what does not. */
const MIN_READERS = 2;
const MAX_READERS = 4;
/** Small enough that two threads overlap instead of taking turns, large enough to pay for the hop. */
const READER_BATCH_SIZE = 16;
const READER_BATCHES_PER_THREAD = 4;
/** The writer's batch is one commit: all that gathered while the last one was being synced. */
const WRITER_BATCH_SIZE = 256;
const QUEUED_CALLS = 4_096;
/** The largest body there is, and as much again in others before it; the server holds less for all clients together. */
const QUEUED_BYTES = 128 * 1_048_576;
/** Many writes that share a commit, and a few that are large. */
const BATCH_BYTES = 1_048_576;
/** Whether an operation may wait for a key store or take 64 MiB for a passphrase, so that few may run at once. */
const ASKS_FOR_KEY: Readonly<Record<ControlOperation, boolean>> = {
  'vault.status': false,
  'vault.unseal': true,
  'vault.resume': false,
  'vault.seal': false,
  'vault.init': true,
  'vault.inspect': false,
  'vault.adopt': false,
  'vault.probeKeychain': true,
  'keys.rotate': true,
  'vault.destroy': true,
};
const KEY_CALLS_IN_FLIGHT = 4;

/** Where the vault is and what may be asked for its key; `readers`: null for as many as fit the machine. */
export type PoolOptions = Omit<WorkerOptions, 'startNumber' | 'readers' | 'damage' | 'longWork'> & {
  readonly readers: number | null;
};

/** A thread that died, and whether any is left that had loaded before. */
export interface Death {
  readonly kind: 'reader' | 'writer';
  /** The kind of error or the exit code; never what the thread was working on. */
  readonly reason: string;
  readonly isLast: boolean;
}

export class Pools {
  readonly #readerThreads: Threads;
  readonly #writerThreads: Threads;
  readonly #readers: BatchQueue;
  readonly #longReads: BatchQueue;
  readonly #writer: BatchQueue;
  readonly #keyCalls: BatchQueue;
  readonly #large = new LargeAnswers();
  readonly #program = new ProgramFiles([locateThread('reader'), locateThread('writer')]);
  readonly #longWork = new SharedArrayBuffer(4 * Int32Array.BYTES_PER_ELEMENT);

  /** `onDeath` hears of every thread that died, once; the pool replaces it by itself. */
  constructor(options: PoolOptions, onDeath: (death: Death) => void) {
    const readers =
      options.readers ?? Math.min(MAX_READERS, Math.max(MIN_READERS, availableParallelism() - 1));
    // A core is left to the request thread, and one reader is for what takes long.
    const spread = Math.max(1, Math.min(readers, availableParallelism() - 1));
    let starts = 0;
    const damage = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const longWork = this.#longWork;
    const workerData = (): WorkerOptions => {
      return { ...options, readers, damage, longWork, startNumber: ++starts };
    };
    const tellDeath = (kind: Death['kind'], reason: string) =>
      onDeath({ kind, reason, isLast: this.#countReady() === 0 });
    const mayStart = () => !this.#program.isReplaced();
    // Every reader gets a channel to the writer, so that they can share what the vault's keys are.
    const group = createGroup();
    this.#readerThreads = new Threads({
      role: 'reader',
      group,
      count: readers,
      spread,
      mayStart,
      workerData,
      onDeath: (reason) => tellDeath('reader', reason),
    });
    this.#writerThreads = new Threads({
      role: 'writer',
      group,
      count: 1,
      mayStart,
      workerData,
      onDeath: (reason) => tellDeath('writer', reason),
    });
    this.#readerThreads.start();
    this.#writerThreads.start();
    // Without readers the writer's thread reads too.
    const reading = readers === 0 ? this.#writerThreads : this.#readerThreads;
    const queued = { queuedCalls: QUEUED_CALLS, queuedBytes: QUEUED_BYTES, batchBytes: BATCH_BYTES };
    this.#longReads = new BatchQueue((batch) => reading.run(batch, true), {
      batchSize: 1,
      batchesInFlight: Math.max(1, readers - 1),
      ...queued,
    });
    this.#readers = new BatchQueue(
      (batch) => reading.run(batch),
      {
        batchSize: READER_BATCH_SIZE,
        batchesInFlight: spread * READER_BATCHES_PER_THREAD,
        ...queued,
      },
      { isFor: (call) => this.#large.isKnown(call), queue: this.#longReads },
    );
    this.#writer = new BatchQueue((batch) => this.#writerThreads.run(batch), {
      batchSize: WRITER_BATCH_SIZE,
      batchesInFlight: 1,
      ...queued,
    });
    this.#keyCalls = new BatchQueue((batch) => this.#writerThreads.run(batch), {
      batchSize: 1,
      batchesInFlight: KEY_CALLS_IN_FLIGHT,
      ...queued,
    });
  }

  get isReplaced(): boolean {
    return this.#program.isReplaced();
  }

  /** Resolves when every thread that was started first has loaded, or died. */
  async loaded(): Promise<void> {
    await Promise.all([this.#readerThreads.loaded(), this.#writerThreads.loaded()]);
  }

  #countReady(): number {
    return this.#readerThreads.readyCount + this.#writerThreads.readyCount;
  }

  /**
   * A read that takes long travels alone and never to all readers at once, so that a short one waits for at most one of
   * them.
   */
  readLong(call: Call, isWanted?: IsWanted): Promise<CallResult> {
    return this.#longReads.add(call, isWanted);
  }

  async read(call: Call, isWanted?: IsWanted): Promise<CallResult> {
    // Here, too: they must not fill the queue that they are taken out of.
    const queue = this.#large.isKnown(call) ? this.#longReads : this.#readers;
    const answered = await queue.add(call, isWanted);
    if (answered.ok) this.#large.note(call, answered.body.length);
    return answered;
  }

  write(call: Call): Promise<CallResult> {
    if (call.body !== null && call.params.name !== undefined) this.#large.note(call, call.body.length);
    return this.#writer.add(call);
  }

  /**
   * An operation on the vault's own state: the writer's too, but never in one batch with others. Sealing waits for
   * nothing, so that key stores that hang cannot keep a vault open.
   */
  control(call: Call): Promise<CallResult> {
    if (ASKS_FOR_KEY[call.operation as ControlOperation]) return this.#keyCalls.add(call);
    return new BatchQueue((batch) => this.#writerThreads.run(batch), ALONE).add(call);
  }

  /** How far the long requests are that are under way. */
  get longWork(): LongWork {
    return readLongWork(this.#longWork);
  }

  /** Ends every thread at once, whatever it is working on, and starts others. Returns false if one does not end in time. */
  async replaceThreads(limitMs: number): Promise<boolean> {
    const ended = Promise.all([this.#readerThreads.replaceAll(), this.#writerThreads.replaceAll()]);
    return (await within(limitMs, ended)) !== null;
  }

  /** Waits for what is under way, then ends the threads; not for key stores, which may hang. */
  async close(): Promise<void> {
    await Promise.all([this.#readers.drain(), this.#writer.drain()]);
    // After the readers' queue, which may have handed something on to it.
    await this.#longReads.drain();
    // The writer last: SQLite moves the log into vault.db when the last connection closes, but not if that only reads.
    await this.#readerThreads.end();
    await this.#writerThreads.end();
  }
}

const ALONE = {
  batchSize: 1,
  batchBytes: 0,
  batchesInFlight: 1,
  queuedCalls: 1,
  queuedBytes: QUEUED_BYTES,
};
