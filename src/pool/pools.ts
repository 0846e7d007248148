/**
 * The worker threads: N readers and one writer. The only importer of piscina, and the only place that names the
 * workers' files; it loads none of them into this thread.
 */
import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { Piscina } from 'piscina';
import type {
  Batch,
  BatchResult,
  Call,
  Operation,
  ReadOperation,
  WorkerOptions,
} from '../../workers/messages.ts';
import type { Answered } from '../answered.ts';
import { BatchQueue } from './batch.ts';

const MAX_READERS = 4;
/** Small enough that two threads overlap instead of taking turns, large enough to pay for the hop. */
const READER_BATCH_SIZE = 16;
const READER_BATCHES_PER_THREAD = 4;
/** What a reader works on for milliseconds: entries by the hundred. */
const LONG_READS: ReadonlySet<Operation> = new Set<ReadOperation>([
  'secrets.list',
  'secrets.search',
  'secrets.export',
  'secrets.batchGet',
  'vault.check',
]);
/** The writer's batch is one commit: all that gathered while the last one was being synced. */
const WRITER_BATCH_SIZE = 256;
const QUEUED_CALLS = 4_096;
/** The largest body there is, and as much again in others before it. */
const QUEUED_BYTES = 128 * 1_048_576;
const MINUTE_MS = 60_000;

/** Where the vault is and what may be asked for its key; `readers`: null for as many as fit the machine. */
export type PoolOptions = Omit<WorkerOptions, 'channelName' | 'readers' | 'damage'> & {
  readonly readers: number | null;
};

export class Pools {
  /** The writer's where there are no readers. */
  readonly #readerPool: Piscina<Batch, BatchResult>;
  readonly #writerPool: Piscina<Batch, BatchResult>;
  readonly #readers: BatchQueue;
  readonly #longReads: BatchQueue;
  readonly #writer: BatchQueue;

  /** `onWorkerError` hears of every thread that died; the pool replaces it by itself. */
  constructor(options: PoolOptions, onWorkerError: (error: unknown) => void) {
    const { readers: wanted, ...rest } = options;
    const readers = wanted ?? Math.min(MAX_READERS, Math.max(1, availableParallelism() - 1));
    // Random, so that two pools of one process never share a key.
    const workerData: WorkerOptions = {
      ...rest,
      readers,
      channelName: `keyring-${randomUUID()}`,
      damage: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
    };
    const readerPool = readers === 0 ? null : startThreads('reader', readers, workerData, onWorkerError);
    this.#writerPool = startThreads('writer', 1, workerData, onWorkerError);
    this.#readerPool = readerPool ?? this.#writerPool;
    const queued = { queuedCalls: QUEUED_CALLS, queuedBytes: QUEUED_BYTES };
    this.#readers = new BatchQueue(
      (batch) => runBatch(this.#readerPool, batch),
      {
        batchSize: READER_BATCH_SIZE,
        batchesInFlight: Math.max(1, readers) * READER_BATCHES_PER_THREAD,
        ...queued,
      },
      onWorkerError,
    );
    this.#longReads = new BatchQueue(
      (batch) => runBatch(this.#readerPool, batch),
      { batchSize: 1, batchesInFlight: Math.max(1, readers - 1), ...queued },
      onWorkerError,
    );
    this.#writer = new BatchQueue(
      (batch) => runBatch(this.#writerPool, batch),
      { batchSize: WRITER_BATCH_SIZE, batchesInFlight: 1, ...queued },
      onWorkerError,
    );
  }

  /**
   * What takes long travels alone and not to all threads at once, so that what else the readers are asked waits for one
   * of its kind at most.
   */
  read(call: Call): Promise<Answered> {
    return LONG_READS.has(call.operation) ? this.#longReads.add(call) : this.#readers.add(call);
  }

  write(call: Call): Promise<Answered> {
    return this.#writer.add(call);
  }

  /** An operation on the vault's own state: the writer's too, but never in one batch with others. */
  async control(call: Call): Promise<Answered> {
    const alone = new BatchQueue(
      (batch) => runBatch(this.#writerPool, batch),
      ALONE,
      () => {},
    );
    return alone.add(call);
  }

  /** Waits for what is under way (piscina's own close would kill it), then ends the threads. */
  async close(): Promise<void> {
    await Promise.all([this.#readers.drain(), this.#longReads.drain(), this.#writer.drain()]);
    // The writer last: SQLite moves the log into vault.db when the last connection closes, but not if that only reads.
    await this.#readerPool.destroy();
    await this.#writerPool.destroy();
  }
}

const ALONE = { batchSize: 1, batchesInFlight: 1, queuedCalls: 1, queuedBytes: QUEUED_BYTES };

function startThreads(
  name: 'reader' | 'writer',
  threads: number,
  workerData: WorkerOptions,
  onWorkerError: (error: unknown) => void,
): Piscina<Batch, BatchResult> {
  // .ts when run from source, .js when built: the compiler rewrites imports, but not this.
  const file = new URL(`../../workers/${name}${extname(import.meta.url)}`, import.meta.url);
  const pool = new Piscina<Batch, BatchResult>({
    filename: file.href,
    minThreads: threads,
    maxThreads: threads,
    // minThreads = maxThreads: no thread is ever idle out of the pool.
    idleTimeout: MINUTE_MS,
    concurrentTasksPerWorker: READER_BATCHES_PER_THREAD,
    // An idle thread must hear when another one asks it for the keyring.
    atomics: 'disabled',
    maxQueue: QUEUED_CALLS,
    // Nobody reads the pool's own statistics.
    recordTiming: false,
    workerData,
  });
  // A thread that dies between tasks is reported here; without a listener it would end the process.
  pool.on('error', onWorkerError);
  return pool;
}

function runBatch(pool: Piscina<Batch, BatchResult>, batch: Batch): Promise<BatchResult> {
  const transferList = batch.flatMap(({ body }) => (body === null ? [] : [body.buffer]));
  // piscina's own name for the type of a transfer list resolves to another type under these compiler settings.
  return pool.run(batch, { transferList: transferList as never });
}
