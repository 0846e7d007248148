/**
 * The worker threads of one kind and the batches that are under way on them. Whatever ends a thread, its batches fail at
 * once, its death is told once, and another takes its place: there are always as many as there should be. Bytes pass
 * through unread. The only importer of piscina.
 *
 * Each thread is a pool of its own, which ends with it. A pool of several never replaces a thread again after one has
 * died while it loaded, leaves what waits for that one unanswered for ever, keeps silent about threads that end between
 * two tasks, and does not say which of its threads gets a task.
 */
import { MessagePort, type Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Batch, BatchResult, ThreadMessage, WorkerOptions } from '../../workers/messages.ts';

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

/** There is no thread, and none can be started: other files lie by now where the program's were. */
export class ProgramReplacedError extends Error {
  override readonly name = 'ProgramReplacedError';
}

export interface Thread {
  /** Hands the thread a message; what it is handed first it gets first. */
  tell(message: ThreadMessage, transfer: readonly Transferable[]): void;
}

type Transferable = ArrayBuffer | MessagePort;

export interface ThreadOptions {
  readonly file: URL;
  /** Node's own flags for the thread; undefined: those of this process. */
  readonly execArgv: string[] | undefined;
  readonly count: number;
  /** Asked before a thread takes a dead one's place. */
  readonly mayStart: () => boolean;
  /** For each thread anew. */
  readonly workerData: () => WorkerOptions;
  /** Before the thread gets its first batch. */
  readonly onStart: (thread: Thread) => void;
  /** `reason` names the kind of error, or the exit code. A replacement has started by then, or soon will. */
  readonly onDeath: (reason: string) => void;
}

/** More than are ever under way on one thread. */
const TASKS = 4_096;
/** A thread that is too busy to come to rest is ended all the same. */
const REST_MS = 500;
const MINUTE_MS = 60_000;

/** One thread, from its start to its death. */
class LiveThread implements Thread {
  readonly #pool: Piscina<ThreadMessage, BatchResult>;
  readonly #worker: Worker;
  /** What is under way on it. */
  readonly #running = new Set<(error: Error) => void>();
  isReady = false;
  #onEnd: (reason: string) => void = () => {};

  /**
   * Throws where the system has no more threads to give.
   *
   * With no `resourceLimits`: V8 gives each thread a limit of its own by the machine's memory, 4 GB at most, and ends the
   * thread alone that reaches it (ERR_WORKER_OUT_OF_MEMORY). That leaves room for the largest import, which needs more
   * than 512 MB of heap: any limit that spares it would hardly be lower. What still ends the process is one allocation
   * that is as large as all that is left, for a table of millions of entries perhaps: V8 has no other way then, and the
   * vault survives it as it survives a kill.
   */
  constructor({ file, execArgv }: ThreadOptions, workerData: WorkerOptions) {
    this.#pool = new Piscina({
      filename: file.href,
      ...(execArgv === undefined ? {} : { execArgv }),
      minThreads: 1,
      maxThreads: 1,
      // minThreads = maxThreads: the thread is never idle out of the pool.
      idleTimeout: MINUTE_MS,
      concurrentTasksPerWorker: TASKS,
      // An idle thread must hear what the other ones have to say about the keyring.
      atomics: 'disabled',
      maxQueue: TASKS,
      // Nobody reads the pool's own statistics.
      recordTiming: false,
      workerData,
    });
    const [worker] = this.#pool.threads;
    if (worker === undefined) throw new ThreadDiedError('it was not started');
    this.#worker = worker;
    // Before the pool's own listeners, which would start another thread in it.
    worker.prependListener('error', (error) => this.#abandon(describeError(error)));
    worker.prependListener('exit', (code) => this.#abandon(`exit ${code}`));
    // What is wrong has been told by then; without a listener it would end the process.
    this.#pool.on('error', () => {});
  }

  get load(): number {
    return this.#running.size;
  }

  /** `onReady`: it has loaded. `onEnd`: it ends, told once; `reason` names the kind of error or the exit code. */
  watch(onReady: () => void, onEnd: (reason: string) => void): void {
    const hello: ThreadMessage = { kind: 'hello' };
    this.#pool.run(hello).then(
      () => {
        this.isReady = true;
        onReady();
      },
      () => {},
    );
    this.#onEnd = onEnd;
  }

  tell(message: ThreadMessage, transfer: readonly Transferable[]): void {
    this.#post(message, transfer).catch(() => {
      // It never got there: whoever has the other end must not wait for it.
      for (const moved of transfer) if (moved instanceof MessagePort) moved.close();
    });
  }

  /** Rejects with ThreadDiedError. */
  run(batch: Batch): Promise<BatchResult> {
    const transfer = batch.flatMap(({ body }) => (body === null ? [] : [body.buffer]));
    return new Promise((resolve, reject) => {
      this.#running.add(reject);
      this.#post({ kind: 'batch', batch }, transfer)
        .then(resolve, () => {
          reject(new ThreadDiedError());
          // An error that its code did not foresee: what state it is in is not known.
          void this.#worker.terminate();
        })
        .finally(() => this.#running.delete(reject));
    });
  }

  #post(message: ThreadMessage, transfer: readonly Transferable[]): Promise<BatchResult> {
    // piscina's own name for the type of a transfer list resolves to another type under these compiler settings.
    return this.#pool.run(message, { transferList: transfer as never });
  }

  /** An exit comes after an error, too. */
  #abandon(reason: string): void {
    void this.#pool.destroy();
    const onEnd = this.#onEnd;
    this.#onEnd = () => {};
    onEnd(reason);
  }

  /** It is dead: nothing that was under way on it ends any more. */
  failAll(): void {
    for (const reject of this.#running) reject(new ThreadDiedError());
    this.#running.clear();
  }

  /** At once; resolves when it has ended, which a system call or a query that does not end can put off for ever. */
  async kill(): Promise<void> {
    await this.#worker.terminate();
  }

  /**
   * Lets the thread come to rest first: what the garbage collector has queued for better-sqlite3 while the last operation
   * ran would be called in the middle of the thread's end otherwise, and crash the process (SIGSEGV in Node 26.10).
   */
  async end(): Promise<void> {
    const timeout = Promise.withResolvers<void>();
    const timer = setTimeout(timeout.resolve, REST_MS);
    await Promise.race([this.#post({ kind: 'rest' }, []).catch(() => {}), timeout.promise]);
    clearTimeout(timer);
    await this.#pool.destroy();
  }
}

export class Threads {
  readonly #options: ThreadOptions;
  readonly #threads = new Set<LiveThread>();
  readonly #restarts = new Set<NodeJS.Timeout>();
  /** Deaths while loading since a thread last was ready. */
  #failedStarts = 0;
  #toLoad: number;
  readonly #loaded = Promise.withResolvers<void>();
  #isEnding = false;

  constructor(options: ThreadOptions) {
    this.#options = options;
    this.#toLoad = options.count;
    if (options.count === 0) this.#loaded.resolve();
  }

  /** Resolves when as many have loaded or died as there are to be. */
  loaded(): Promise<void> {
    return this.#loaded.promise;
  }

  #noteLoaded(): void {
    this.#toLoad -= 1;
    if (this.#toLoad <= 0) this.#loaded.resolve();
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

  /** Runs a batch on the thread that has least to do. Rejects with ThreadDiedError, NoThreadError or ProgramReplacedError. */
  run(batch: Batch): Promise<BatchResult> {
    const thread = this.#choose();
    if (thread !== null) return thread.run(batch);
    return Promise.reject(this.#options.mayStart() ? new NoThreadError() : new ProgramReplacedError());
  }

  /** Ends them all; what is under way on them fails. */
  async end(): Promise<void> {
    this.#isEnding = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    await Promise.all([...this.#threads].map((thread) => thread.end()));
  }

  /** Ends them at once, and starts others. Resolves when those have ended that were there. */
  async replaceAll(): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => thread.kill()));
  }

  /** One that has loaded, if there is one: what is given to another waits until that has. */
  #choose(): LiveThread | null {
    let best: LiveThread | null = null;
    for (const thread of this.#threads) {
      const isBetter =
        best === null || (thread.isReady === best.isReady ? thread.load < best.load : thread.isReady);
      if (isBetter) best = thread;
    }
    return best;
  }

  #startOne(): void {
    let thread: LiveThread;
    try {
      thread = new LiveThread(this.#options, this.#options.workerData());
    } catch (error) {
      this.#replace(false, describeError(error));
      return;
    }
    this.#threads.add(thread);
    const onReady = () => {
      this.#failedStarts = 0;
      this.#noteLoaded();
    };
    thread.watch(onReady, (reason) => this.#bury(thread, reason));
    this.#options.onStart(thread);
  }

  #bury(thread: LiveThread, reason: string): void {
    this.#threads.delete(thread);
    if (!this.#isEnding) this.#replace(thread.isReady, reason);
    thread.failAll();
  }

  #replace(wasReady: boolean, reason: string): void {
    if (!wasReady) this.#noteLoaded();
    if (!this.#options.mayStart()) {
      this.#options.onDeath(`${reason}; the program was replaced, so no other is started: restart mav serve`);
      return;
    }
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
