/**
 * The worker threads of one kind and the batches that are under way on them. Whatever ends a thread, its batches fail at
 * once, its death is told once, and another takes its place: there are always as many as there should be. Bytes pass
 * through unread.
 *
 * Not a library's: piscina, which was here before, never replaced a thread again after one had died while it loaded,
 * left what waited for that one unanswered for ever, and kept silent about threads that ended between two batches.
 */
import { Worker } from 'node:worker_threads';
import type {
  Batch,
  BatchResult,
  ThreadMessage,
  ThreadReply,
  WorkerOptions,
} from '../../workers/messages.ts';

/** After a thread that died while it loaded another is tried at once, then after this, and ever more up to the last. */
const FIRST_RESTART_DELAY_MS = 100;
const LAST_RESTART_DELAY_MS = 5_000;

/** The thread that had the batch died; whether it was done is not known. */
export class ThreadDiedError extends Error {
  override readonly name = 'ThreadDiedError';
}

/** There is no thread at the moment; nothing was done. */
export class NoThreadError extends Error {
  override readonly name = 'NoThreadError';
}

export interface Thread {
  /** Posts to the thread; what it is posted first it gets first. */
  readonly tell: Worker['postMessage'];
}

export interface ThreadOptions {
  readonly file: URL;
  readonly count: number;
  /** For each thread anew. */
  readonly workerData: () => WorkerOptions;
  /** Before the thread gets its first batch. */
  readonly onStart: (thread: Thread) => void;
  /** `reason` names the kind of error, or the exit code. A replacement has started by then, or soon will. */
  readonly onDeath: (reason: string) => void;
}

interface Running {
  readonly resolve: (result: BatchResult) => void;
  readonly reject: (error: Error) => void;
}

interface RunningThread extends Thread {
  readonly worker: Worker;
  readonly running: Map<number, Running>;
  isReady: boolean;
  /** What it died of, where it said so. */
  error: unknown;
}

export class Threads {
  readonly #options: ThreadOptions;
  readonly #threads = new Set<RunningThread>();
  readonly #restarts = new Set<NodeJS.Timeout>();
  #lastBatchId = 0;
  /** Deaths while loading since a thread last was ready. */
  #failedStarts = 0;
  #isEnding = false;

  constructor(options: ThreadOptions) {
    this.#options = options;
  }

  /** Starts them all. */
  start(): void {
    for (let count = 0; count < this.#options.count; count++) this.#startOne();
  }

  /** Those that live, loading or loaded. */
  get all(): ReadonlySet<Thread> {
    return this.#threads;
  }

  /** How many have loaded and live. */
  get readyCount(): number {
    return [...this.#threads].filter(({ isReady }) => isReady).length;
  }

  /** Runs a batch on the thread that has least to do. Rejects with ThreadDiedError or NoThreadError. */
  run(batch: Batch): Promise<BatchResult> {
    const thread = this.#choose();
    if (thread === null) return Promise.reject(new NoThreadError());
    const transfer = batch.flatMap(({ body }) => (body === null ? [] : [body.buffer]));
    return new Promise((resolve, reject) => {
      this.#lastBatchId += 1;
      const message: ThreadMessage = { kind: 'batch', id: this.#lastBatchId, batch };
      thread.tell(message, transfer);
      if (thread.running.size === 0) thread.worker.ref();
      thread.running.set(this.#lastBatchId, { resolve, reject });
    });
  }

  /** Ends them all; what is under way on them fails. */
  async end(): Promise<void> {
    this.#isEnding = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()));
  }

  /** One that has loaded, if there is one: what is given to another waits until that has. */
  #choose(): RunningThread | null {
    let best: RunningThread | null = null;
    for (const thread of this.#threads) {
      const isBetter =
        best === null ||
        (thread.isReady === best.isReady ? thread.running.size < best.running.size : thread.isReady);
      if (isBetter) best = thread;
    }
    return best;
  }

  /**
   * With no `resourceLimits`: V8 gives each thread a limit of its own by the machine's memory, 4 GB at most, and ends the
   * thread alone that reaches it (ERR_WORKER_OUT_OF_MEMORY). That leaves room for the largest import, which needs more
   * than 512 MB of heap: any limit that spares it would hardly be lower. What still ends the process is one allocation
   * that is as large as all that is left, for a table of millions of entries perhaps: V8 has no other way then, and the
   * vault survives it as it survives a kill.
   */
  #startOne(): void {
    const { file, workerData, onStart } = this.#options;
    let worker: Worker;
    try {
      worker = new Worker(file, { workerData: workerData() });
    } catch (error) {
      // The system has no more threads to give, perhaps.
      this.#replace(false, describeError(error));
      return;
    }
    // What is under way keeps the process alive; a thread that waits does not.
    worker.unref();
    const tell: Thread['tell'] = worker.postMessage.bind(worker);
    const thread: RunningThread = { worker, tell, running: new Map(), isReady: false, error: null };
    worker.on('message', (reply: ThreadReply) => this.#receive(thread, reply));
    worker.on('error', (error) => (thread.error = error));
    worker.once('exit', (code) => this.#bury(thread, code));
    this.#threads.add(thread);
    onStart(thread);
  }

  #receive(thread: RunningThread, reply: ThreadReply): void {
    if (reply.kind === 'ready') {
      thread.isReady = true;
      this.#failedStarts = 0;
      return;
    }
    const running = thread.running.get(reply.id);
    thread.running.delete(reply.id);
    if (thread.running.size === 0) thread.worker.unref();
    running?.resolve(reply.result);
  }

  /** All that it said before has been heard by now: what it answered was not lost with it. */
  #bury(thread: RunningThread, code: number): void {
    this.#threads.delete(thread);
    if (!this.#isEnding) {
      this.#replace(thread.isReady, thread.error === null ? `exit ${code}` : describeError(thread.error));
    }
    for (const { reject } of thread.running.values()) reject(new ThreadDiedError());
  }

  #replace(wasReady: boolean, reason: string): void {
    this.#failedStarts = wasReady ? 0 : this.#failedStarts + 1;
    if (this.#failedStarts < 2) this.#startOne();
    else this.#startLater(FIRST_RESTART_DELAY_MS * 2 ** (this.#failedStarts - 2));
    this.#options.onDeath(reason);
  }

  #startLater(delayMs: number): void {
    const timer = setTimeout(
      () => {
        this.#restarts.delete(timer);
        this.#startOne();
      },
      Math.min(delayMs, LAST_RESTART_DELAY_MS),
    );
    this.#restarts.add(timer.unref());
  }
}

/** An error's name and code: its message may quote what it was about. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error ? `${error.name} ${String(error.code)}` : error.name;
}
