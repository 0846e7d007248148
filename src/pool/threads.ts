/**
 * The worker threads of one kind and the batches that are under way on them. Whatever ends a thread, its batches fail at
 * once, its death is reported once, and another thread takes its place, so their number stays the same. Bytes pass through
 * unread. The keeper starts and ends the threads. Requests go to each thread over a channel of its own.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type {
  Batch,
  BatchResult,
  ThreadMessage,
  ThreadResult,
  WorkerOptions,
} from '../../workers/messages.ts';
import { within } from '../deadline.ts';
import { decodeResult, encodeBatch } from './flat-batch.ts';
import type { Role } from './keeper.ts';
import { startThread } from './keeper-link.ts';

/**
 * After a thread that died while it loaded, another one is started at once. If that dies too, the next one is started after
 * the first delay, which doubles each time up to the last.
 */
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

export interface ThreadOptions {
  readonly role: Role;
  /** The number of the group of threads that share a keyring. */
  readonly group: number;
  readonly count: number;
  /** The number of threads that get short batches, while none of these has a long one. Absent: all. */
  readonly spread?: number;
  /** Returns whether another thread may take the place of a dead one. */
  readonly mayStart: () => boolean;
  /** Called once for each thread. */
  readonly workerData: () => WorkerOptions;
  /** `reason` names the kind of error, or the exit code. A replacement has started by then, or soon will. */
  readonly onDeath: (reason: string) => void;
}

/** How long a thread may take to come to rest before it is ended all the same. */
const REST_MS = 500;

/** A message that a thread has not answered yet. */
interface Pending {
  readonly isLong: boolean;
  readonly resolve: (result: BatchResult) => void;
  readonly reject: (error: Error) => void;
}

/** One thread, from its start to its death. */
class LiveThread {
  readonly #port: MessagePort;
  readonly #terminate: () => void;
  readonly #pending = new Map<number, Pending>();
  readonly #ended = Promise.withResolvers<void>();
  #messages = 0;
  /** How many batches it has that take long. */
  longBatches = 0;
  isReady = false;
  #onEnd: (reason: string) => void = () => {};

  /**
   * Sets no `resourceLimits`: V8 gives each thread a limit of its own by the machine's memory, 4 GB at most, and ends only
   * the thread that reaches it (ERR_WORKER_OUT_OF_MEMORY). That leaves room for the largest import, which needs more than
   * 512 MB of heap; a limit that spares it would hardly be lower. What still ends the process is one allocation as large as
   * all that is left, perhaps for a table of millions of entries: V8 has no other way then. The vault survives it as it
   * survives a kill.
   */
  constructor({ role, group }: ThreadOptions, options: WorkerOptions) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1.on('message', (result: ThreadResult) => this.#take(result));
    this.#terminate = startThread({ role, group, options, port: port2 }, (reason) => this.#bury(reason));
  }

  get load(): number {
    return this.#pending.size;
  }

  /** `onReady`: the thread has loaded. `onEnd`: it has ended, called once with the kind of error or the exit code. */
  watch(onReady: () => void, onEnd: (reason: string) => void): void {
    this.send('hello').then(
      () => {
        this.isReady = true;
        onReady();
      },
      () => {},
    );
    this.#onEnd = onEnd;
  }

  /** Moves the bodies of a batch to the thread. Rejects with ThreadDiedError. */
  send(content: ThreadMessage[1], isLong = false): Promise<BatchResult> {
    const id = ++this.#messages;
    const bodies = typeof content === 'string' ? [] : content[3].map(({ buffer }) => buffer);
    if (isLong) this.longBatches += 1;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { isLong, resolve, reject });
      this.#port.postMessage([id, content, isLong] satisfies ThreadMessage, bodies);
    });
  }

  #take([id, result]: ThreadResult): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    if (pending.isLong) this.longBatches -= 1;
    if (result === null) {
      pending.reject(new ThreadDiedError());
      // The thread's code met an error that it did not foresee, so its state is not known.
      this.#terminate();
    } else {
      pending.resolve(decodeResult(result));
    }
  }

  #bury(reason: string): void {
    this.#port.close();
    this.#ended.resolve();
    this.#onEnd(reason);
  }

  /** Fails all that was under way on the thread, which is dead. */
  failAll(): void {
    for (const { reject } of this.#pending.values()) reject(new ThreadDiedError());
    this.#pending.clear();
  }

  /** Ends the thread at once. Resolves when it has ended, which a system call or a query that hangs can put off for ever. */
  async kill(): Promise<void> {
    this.#terminate();
    await this.#ended.promise;
  }

  /**
   * Ends the thread when it has come to rest. Otherwise, what the garbage collector has queued for better-sqlite3 during the
   * last operation would be called in the middle of the thread's end and crash the process (SIGSEGV in Node 26.10).
   */
  async end(): Promise<void> {
    const rested = this.send('rest').catch(() => {});
    await within(REST_MS, rested);
    this.#terminate();
    await this.#ended.promise;
  }
}

export class Threads {
  readonly #options: ThreadOptions;
  readonly #threads = new Set<LiveThread>();
  readonly #restarts = new Set<NodeJS.Timeout>();
  /** Deaths while loading, since a thread was last ready. */
  #failedStarts = 0;
  #toLoad: number;
  readonly #loaded = Promise.withResolvers<void>();
  #isEnding = false;

  constructor(options: ThreadOptions) {
    this.#options = options;
    this.#toLoad = options.count;
    if (options.count === 0) this.#loaded.resolve();
  }

  /** Resolves when as many threads have loaded or died as there are to be. */
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

  /** The number of threads that have loaded and live. */
  get readyCount(): number {
    return [...this.#threads].filter(({ isReady }) => isReady).length;
  }

  /**
   * Runs a batch on the thread that has the least to do. Prefers a thread that has loaded and has nothing long to do, as
   * others let a batch wait. Short batches go to the first such threads, whose work then comes in fewer and larger batches,
   * and long ones to the last. Rejects with ThreadDiedError, NoThreadError or ProgramReplacedError.
   */
  run(batch: Batch, isLong: boolean): Promise<BatchResult> {
    const spread = isLong ? this.#threads.size : (this.#options.spread ?? this.#threads.size);
    let best: LiveThread | null = null;
    let free = 0;
    for (const thread of this.#threads) {
      const isFree = thread.isReady && thread.longBatches === 0;
      if (isFree && ++free > spread) break;
      if (best === null || isBetter(thread, best) || (isLong && isFree && !isBetter(best, thread)))
        best = thread;
    }
    if (best !== null) return best.send(encodeBatch(batch, this.#options.role === 'writer'), isLong);
    return Promise.reject(this.#options.mayStart() ? new NoThreadError() : new ProgramReplacedError());
  }

  /** Ends all threads. What is under way on them fails. */
  async end(): Promise<void> {
    this.#isEnding = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    await Promise.all([...this.#threads].map((thread) => thread.end()));
  }

  /** Ends all threads at once and starts others. Resolves when the ones that were there have ended. */
  async replaceAll(): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => thread.kill()));
  }

  #startOne(): void {
    const thread = new LiveThread(this.#options, this.#options.workerData());
    this.#threads.add(thread);
    const onReady = () => {
      this.#failedStarts = 0;
      this.#noteLoaded();
    };
    thread.watch(onReady, (reason) => this.#bury(thread, reason));
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

function isBetter(thread: LiveThread, other: LiveThread): boolean {
  if (thread.isReady !== other.isReady) return thread.isReady;
  const [isTakenUp, isOtherTakenUp] = [thread.longBatches > 0, other.longBatches > 0];
  if (isTakenUp !== isOtherTakenUp) return isOtherTakenUp;
  return thread.load < other.load;
}
