/** The two pools, N reader threads and one writer, and the queues of the calls that go to them. */
import { availableParallelism } from 'node:os';
import type { Call, ControlOperation, WorkerOptions } from '../../workers/messages.ts';
import type { CallResult, PendingCall } from '../call-result.ts';
import { within } from '../deadline.ts';
import { LONG_WORK_SIZE, type LongWork, readLongWork, SEALINGS } from '../long-work.ts';
import type { Pool } from '../routes.ts';
import { type BatchLimits, BatchQueue, type NoteReply } from './batch.ts';
import { locateThread, type Role } from './keeper.ts';
import { createGroup } from './keeper-link.ts';
import { LargeResults } from './large-results.ts';
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
const KEY_CALLS_IN_FLIGHT = 4;
/** Bytes. More than what is known of a vault with as many slots as it may have, and with the longest paths. */
const KNOWN_SIZE = 131_072;
const QUEUE_LIMITS = {
  queuedCalls: 4_096,
  /** Bytes. The largest body there is, and as much in others before it; the server holds less for all clients together. */
  queuedBytes: 128 * 1_048_576,
  /** 1 MiB: many writes that share a commit, and a few that are large. */
  batchBytes: 1_048_576,
};
const ALONE: BatchLimits = { ...QUEUE_LIMITS, batchSize: 1, batchesInFlight: 1 };
/** Whether an operation may wait for a key store or take 64 MiB for a passphrase, so that few may run at once. */
const ASKS_FOR_KEY: Readonly<Record<ControlOperation, boolean>> = {
  'vault.status': false,
  'vault.unseal': true,
  'vault.resume': false,
  'vault.seal': false,
  'vault.init': true,
  'vault.inspect': false,
  'vault.adopt': false,
  'vault.acceptRestore': true,
  'vault.probeKeychain': true,
  'goVault.read': true,
  'goVault.replace': false,
  'keys.rotate': true,
  'vault.backup': true,
  'keys.list': false,
  'keys.add': true,
  'keys.remove': true,
  'audit.forget': true,
  'keys.changePassphrase': true,
  'vault.confirmBackup': false,
  'keys.newRecoveryCode': false,
  'vault.recover': true,
  'vault.destroy': true,
};

/** Where the vault is and what may be asked for its key. */
export type PoolOptions = Omit<
  WorkerOptions,
  'startNumber' | 'readers' | 'knownNow' | 'damage' | 'auditTaken' | 'longWork'
> & {
  /** The number of reader threads; null: as many as fit the machine. */
  readonly readers: number | null;
};

/** A thread that died. */
export interface Death {
  readonly kind: Role;
  /** The kind of error or the exit code; never what the thread was working on. */
  readonly reason: string;
  /** Whether no thread is left that had loaded before. */
  readonly isLast: boolean;
}

/** The pools whose calls travel in batches. */
type BatchedPool = Exclude<Pool, 'control'>;

/** `spread`: how many readers get short batches. A core is left to the request thread, and one reader is for what takes long. */
function countReaders(wanted: number | null): { readonly readers: number; readonly spread: number } {
  const cores = availableParallelism();
  const readers = wanted ?? Math.min(MAX_READERS, Math.max(MIN_READERS, cores - 1));
  return { readers, spread: Math.max(1, Math.min(readers, cores - 1)) };
}

export class Pools {
  readonly #readerThreads: Threads;
  readonly #writerThreads: Threads;
  readonly #readers: BatchQueue;
  readonly #longReads: BatchQueue;
  readonly #writer: BatchQueue;
  readonly #changes: BatchQueue;
  readonly #keyCalls: BatchQueue;
  readonly #large = new LargeResults();
  readonly #program = new ProgramFiles([locateThread('reader'), locateThread('writer')]);
  readonly #longWork = new SharedArrayBuffer(LONG_WORK_SIZE);

  /**
   * `onDeath` is called once for every thread that died; the pool replaces the thread by itself. `note` is called with each
   * reply to a dispatched call.
   */
  constructor(options: PoolOptions, onDeath: (death: Death) => void, note: NoteReply = () => {}) {
    const { readers, spread } = countReaders(options.readers);
    const startThreads = this.#createStarter({ ...options, readers }, onDeath);
    this.#readerThreads = startThreads('reader', readers, spread);
    this.#writerThreads = startThreads('writer', 1, 1);
    // Without readers the writer's thread reads too.
    const reading = readers === 0 ? this.#writerThreads : this.#readerThreads;
    const large = this.#large;
    const longLimits = { ...ALONE, batchesInFlight: Math.max(1, readers - 1), isLong: true };
    this.#longReads = new BatchQueue(reading, longLimits, { large, queue: null }, note);
    this.#readers = new BatchQueue(
      reading,
      {
        ...QUEUE_LIMITS,
        batchSize: READER_BATCH_SIZE,
        batchesInFlight: spread * READER_BATCHES_PER_THREAD,
      },
      { large, queue: this.#longReads },
      note,
    );
    const writerLimits = { ...ALONE, batchSize: WRITER_BATCH_SIZE, isKept: true };
    this.#writer = new BatchQueue(this.#writerThreads, writerLimits, null, note);
    this.#changes = new BatchQueue(this.#writerThreads, { ...writerLimits, isKept: false }, null, note);
    const keyLimits = { ...ALONE, batchesInFlight: KEY_CALLS_IN_FLIGHT };
    this.#keyCalls = new BatchQueue(this.#writerThreads, keyLimits);
  }

  /** Returns a function that starts the threads of one kind. All get channels to share the keyring over. */
  #createStarter(options: PoolOptions & { readonly readers: number }, onDeath: (death: Death) => void) {
    const group = createGroup();
    const damage = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const knownNow = new SharedArrayBuffer(KNOWN_SIZE);
    const auditTaken = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const longWork = this.#longWork;
    let starts = 0;
    return (role: Role, count: number, spread: number): Threads => {
      const threads = new Threads({
        role,
        group,
        count,
        spread,
        mayStart: () => !this.#program.isReplaced(),
        workerData: () => ({ ...options, knownNow, damage, auditTaken, longWork, startNumber: ++starts }),
        onDeath: (reason) => onDeath({ kind: role, reason, isLast: this.#countReady() === 0 }),
      });
      threads.start();
      return threads;
    };
  }

  get isReplaced(): boolean {
    return this.#program.wasReplaced();
  }

  /** Resolves when every thread that was started first has loaded, or died. */
  async loaded(): Promise<void> {
    await Promise.all([this.#readerThreads.loaded(), this.#writerThreads.loaded()]);
  }

  #countReady(): number {
    return this.#readerThreads.readyCount + this.#writerThreads.readyCount;
  }

  /**
   * Dispatches a call that travels in a batch with others. A long read travels alone and never to all readers at once, so
   * that a short one waits for at most one of them. A write is carried out even if nobody waits for it any more.
   */
  dispatch(pool: BatchedPool, pending: PendingCall): void {
    if (pool === 'readers') return void this.#readers.push(pending);
    if (pool === 'long-readers') return void this.#longReads.push(pending);
    if (pool === 'changes') return void this.#changes.push(pending);
    const { call } = pending;
    if (call.body !== null) this.#large.note(call, call.body.length);
    this.#writer.push(pending);
  }

  /** As `dispatch`, for a call whose caller awaits the result. Never rejects. */
  run(pool: BatchedPool, call: Call): Promise<CallResult> {
    return new Promise((resolve) => this.dispatch(pool, { call, isWanted: null, take: resolve }));
  }

  /**
   * Runs an operation on the vault's own state, on the writer's thread but never in one batch with others. Sealing waits
   * for nothing, so that key stores that hang cannot keep a vault open. Never rejects.
   */
  control(call: Call): Promise<CallResult> {
    if (ASKS_FOR_KEY[call.operation as ControlOperation]) return this.#keyCalls.add(call);
    return new BatchQueue(this.#writerThreads, ALONE).add(call);
  }

  /** Has a reader compare all rows with their set MAC, beside its requests. Never rejects. */
  checkRows(): Promise<CallResult> {
    const call: Call = { operation: 'rows.check', params: {}, body: null, mayReplace: false };
    return new BatchQueue(this.#readerThreads, ALONE).add(call);
  }

  /** How far the long requests are that are under way. */
  get longWork(): LongWork {
    return readLongWork(this.#longWork);
  }

  /** Ends long requests as soon as they can end, while `seal` runs. They fail with SealedError, and would keep it waiting. */
  async withoutLongWork<T>(seal: () => Promise<T>): Promise<T> {
    const words = new Int32Array(this.#longWork);
    Atomics.add(words, SEALINGS, 1);
    try {
      return await seal();
    } finally {
      Atomics.sub(words, SEALINGS, 1);
    }
  }

  /** Ends every thread at once, whatever it is working on, and starts others. Returns false if one does not end in time. */
  async replaceThreads(limitMs: number): Promise<boolean> {
    const ended = Promise.all([this.#readerThreads.replaceAll(), this.#writerThreads.replaceAll()]);
    return (await within(limitMs, ended)) !== null;
  }

  /** Waits for what is under way, then ends the threads. Does not wait for key stores, which may hang. */
  async close(): Promise<void> {
    await Promise.all([this.#readers.drain(), this.#writer.drain()]);
    // After the readers' queue, which may have handed something on to it.
    await this.#longReads.drain();
    // The writer last: SQLite moves the log into vault.db when the last connection closes, but not if that only reads.
    await this.#readerThreads.end();
    await this.#writerThreads.end();
  }
}
