/**
 * The worker threads of one kind and the batches that are under way on them. Whatever ends a thread, its batches fail at
 * once, its death is told once, and another takes its place: there are always as many as there should be. Bytes pass
 * through unread. The keeper starts and ends them; requests go to each over a channel of its own.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type {
  Batch,
  BatchResult,
  ThreadAnswer,
  ThreadMessage,
  WorkerOptions,
} from '../../workers/messages.ts';
import { within } from '../deadline.ts';
import type { Role } from './keeper.ts';
import { startThread } from './keeper-link.ts';

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

export interface ThreadOptions {
  readonly role: Role;
  /** Of the threads that share a keyring. */
  readonly group: number;
  readonly count: number;
  /** On how many of them short batches are spread, while none of these has a long one. Absent: all. */
  readonly spread?: number;
  /** Asked before a thread takes a dead one's place. */
  readonly mayStart: () => boolean;
  /** For each thread anew. */
  readonly workerData: () => WorkerOptions;
  /** `reason` names the kind of error, or the exit code. A replacement has started by then, or soon will. */
  readonly onDeath: (reason: string) => void;
}

/** A thread that is too busy to come to rest is ended all the same. */
const REST_MS = 500;

/** What is under way on a thread. */
interface Pending {
  readonly resolve: (result: BatchResult) => void;
  readonly reject: (error: Error) => void;
}

/** One thread, from its start to its death. */
class LiveThread {
  readonly #port: MessagePort;
  readonly #terminate: () => void;
  readonly #pending = new Map<number, Pending>();
  readonly #ended = Promise.withResolvers<void>();
  #calls = 0;
  #longBatches = 0;
  isReady = false;
  #onEnd: (reason: string) => void = () => {};

  /**
   * With no `resourceLimits`: V8 gives each thread a limit of its own by the machine's memory, 4 GB at most, and ends the
   * thread alone that reaches it (ERR_WORKER_OUT_OF_MEMORY). That leaves room for the largest import, which needs more
   * than 512 MB of heap: any limit that spares it would hardly be lower. What still ends the process is one allocation
   * that is as large as all that is left, for a table of millions of entries perhaps: V8 has no other way then, and the
   * vault survives it as it survives a kill.
   */
  constructor({ role, group }: ThreadOptions, options: WorkerOptions) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1.on('message', (answer: ThreadAnswer) => this.#take(answer));
    this.#terminate = startThread({ role, group, options, port: port2 }, (reason) => this.#bury(reason));
  }

  get load(): number {
    return this.#pending.size;
  }

  /** Whether it works on what takes long, or will. */
  get isTakenUp(): boolean {
    return this.#longBatches > 0;
  }

  /** `onReady`: it has loaded. `onEnd`: it has ended, told once; `reason` names the kind of error or the exit code. */
  watch(onReady: () => void, onEnd: (reason: string) => void): void {
    this.#post({ kind: 'hello' }, []).then(
      () => {
        this.isReady = true;
        onReady();
      },
      () => {},
    );
    this.#onEnd = onEnd;
  }

  /** Rejects with ThreadDiedError. */
  run(batch: Batch, isLong: boolean): Promise<BatchResult> {
    const transfer = batch.flatMap(({ body }) => (body === null ? [] : [body.buffer]));
    const result = this.#post({ kind: 'batch', batch, isLong }, transfer);
    return isLong ? this.#countLong(result) : result;
  }

  async #countLong(result: Promise<BatchResult>): Promise<BatchResult> {
    this.#longBatches += 1;
    try {
      return await result;
    } finally {
      this.#longBatches -= 1;
    }
  }

  #post(message: ThreadMessage, transfer: readonly ArrayBuffer[]): Promise<BatchResult> {
    const call = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#pending.set(call, { resolve, reject });
      this.#port.postMessage({ call, message }, [...transfer]);
    });
  }

  #take({ call, result }: ThreadAnswer): void {
    const pending = this.#pending.get(call);
    this.#pending.delete(call);
    if (result !== null) {
      pending?.resolve(result);
      return;
    }
    pending?.reject(new ThreadDiedError());
    // An error that its code did not foresee: what state it is in is not known.
    this.#terminate();
  }

  #bury(reason: string): void {
    this.#port.close();
    this.#ended.resolve();
    this.#onEnd(reason);
  }

  /** It is dead: nothing that was under way on it ends any more. */
  failAll(): void {
    for (const { reject } of this.#pending.values()) reject(new ThreadDiedError());
    this.#pending.clear();
  }

  /** At once; resolves when it has ended, which a system call or a query that does not end can put off for ever. */
  async kill(): Promise<void> {
    this.#terminate();
    await this.#ended.promise;
  }

  /**
   * Lets the thread come to rest first: what the garbage collector has queued for better-sqlite3 while the last operation
   * ran would be called in the middle of the thread's end otherwise, and crash the process (SIGSEGV in Node 26.10).
   */
  async end(): Promise<void> {
    const rested = this.#post({ kind: 'rest' }, []).catch(() => {});
    await within(REST_MS, rested);
    this.#terminate();
    await this.#ended.promise;
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

  /** How many have loaded and live. */
  get readyCount(): number {
    return [...this.#threads].filter(({ isReady }) => isReady).length;
  }

  /**
   * Runs a batch on the thread that has least to do, and has nothing long to do. Rejects with ThreadDiedError,
   * NoThreadError or ProgramReplacedError.
   */
  run(batch: Batch, isLong = false): Promise<BatchResult> {
    const thread = this.#choose(isLong);
    if (thread !== null) return thread.run(batch, isLong);
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

  /**
   * One that has loaded, if there is one: what is given to another waits until that has. Short batches go to the first
   * threads, whose work is then in fewer and larger batches; long ones to the last.
   */
  #choose(isLong: boolean): LiveThread | null {
    const threads = [...this.#threads];
    const free = threads.filter(({ isReady, isTakenUp }) => isReady && !isTakenUp);
    const candidates =
      free.length === 0 ? threads : isLong ? free.reverse() : free.slice(0, this.#options.spread);
    let best: LiveThread | null = null;
    for (const thread of candidates) if (best === null || isBetter(thread, best)) best = thread;
    return best;
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
  if (thread.isTakenUp !== other.isTakenUp) return other.isTakenUp;
  return thread.load < other.load;
}
