/**
 * The worker threads of one kind and the batches that are under way on them. One thread runs from the start. Others are started
 * when a batch would have to wait for a long one, and end when a minute has passed in which one thread was enough. Whatever else
 * ends a thread, its batches fail at once, its death is reported once, and another takes its place. Bytes pass through unread. The keeper starts and ends the threads. Requests go to each thread over a channel of its own.
 */
import type { Batch, BatchResult, WorkerOptions } from '../../workers/messages.ts';
import { encodeBatch } from './flat-batch.ts';
import type { Role } from './keeper.ts';
import { isBetter, LiveThread } from './live-thread.ts';

/**
 * After a thread that died while it loaded, another one is started at once. If that dies too, the next one is started after
 * the first delay, which doubles each time up to the last.
 */
const FIRST_RESTART_DELAY_MS = 100;
const LAST_RESTART_DELAY_MS = 5_000;

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
  /** The most threads at once. The first is started at once. */
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

/** How long one thread must have been enough before another ends. */
const IDLE_MS = 60_000;

/** A batch that waits until a thread has nothing long to do. */
interface Held {
  readonly batch: Batch;
  readonly isLong: boolean;
  readonly resolve: (result: BatchResult | Promise<BatchResult>) => void;
}

export class Threads {
  readonly #options: ThreadOptions;
  readonly #threads = new Set<LiveThread>();
  /** Threads that are not needed any more, until they have ended. They get no batches. */
  readonly #retiring = new Set<LiveThread>();
  readonly #restarts = new Set<NodeJS.Timeout>();
  #held: Held[] = [];
  /** Ends a thread that is not needed. Null while there is only one. */
  #idle: NodeJS.Timeout | null = null;
  /** Deaths while loading, since a thread was last ready. */
  #failedStarts = 0;
  #toLoad: number;
  readonly #loaded = Promise.withResolvers<void>();
  #isEnding = false;

  constructor(options: ThreadOptions) {
    this.#options = options;
    this.#toLoad = Math.min(options.count, 1);
    if (options.count === 0) this.#loaded.resolve();
  }

  /** Resolves when the first thread has loaded or died. */
  loaded(): Promise<void> {
    return this.#loaded.promise;
  }

  #noteLoaded(): void {
    this.#toLoad -= 1;
    if (this.#toLoad <= 0) this.#loaded.resolve();
  }

  /** Starts the first thread. */
  start(): void {
    if (this.#options.count > 0) this.#startOne();
  }

  /** The number of threads that have loaded and live. */
  get readyCount(): number {
    return [...this.#threads].filter(({ isReady }) => isReady).length;
  }

  /**
   * Runs a batch on the thread that has the least to do. Prefers a thread that has loaded and has nothing long to do, as
   * others let a batch wait. Short batches go to the first such threads, whose work then comes in fewer and larger batches,
   * and long ones to the last. If all have something long to do and another thread may be started, the batch waits until that
   * one has loaded or the long work is done. Rejects with ThreadDiedError, NoThreadError or ProgramReplacedError.
   */
  run(batch: Batch, isLong: boolean): Promise<BatchResult> {
    const best = this.#choose(isLong);
    if (best === null)
      return Promise.reject(this.#options.mayStart() ? new NoThreadError() : new ProgramReplacedError());
    if (best.longBatches > 0 && this.#startAnother())
      return new Promise((resolve) => this.#held.push({ batch, isLong, resolve }));
    if (best.load > 1 && this.#threads.size < this.#spread) this.#startAnother();
    if (this.#idle !== null && this.#isAtWork()) this.#idle.refresh();
    const running = best.send(encodeBatch(batch), isLong);
    return isLong ? running.finally(() => this.#releaseHeld()) : running;
  }

  get #spread(): number {
    return this.#options.spread ?? this.#options.count;
  }

  #choose(isLong: boolean): LiveThread | null {
    const spread = isLong ? this.#threads.size : this.#spread;
    let best: LiveThread | null = null;
    let free = 0;
    for (const thread of this.#threads) {
      const { isFree } = thread;
      if (isFree && ++free > spread) break;
      if (best === null || isBetter(thread, best) || (isLong && isFree && !isBetter(best, thread)))
        best = thread;
    }
    return best;
  }

  #isAtWork(): boolean {
    for (const { load } of this.#threads) if (load > 0) return true;
    return false;
  }

  /** Returns whether another thread is on its way. */
  #startAnother(): boolean {
    const { count, mayStart } = this.#options;
    const isStarting = this.#restarts.size > 0 || [...this.#threads].some(({ isReady }) => !isReady);
    if (isStarting || this.#isEnding) return isStarting;
    if (this.#threads.size >= count || !mayStart()) return false;
    this.#startOne();
    this.#idle ??= this.#retireLater();
    return true;
  }

  #retireLater(): NodeJS.Timeout {
    return setTimeout(() => {
      this.#retireOne();
      this.#idle = this.#threads.size > 1 ? this.#retireLater() : null;
    }, IDLE_MS).unref();
  }

  /** Ends the thread that was started last, unless it has something to do. */
  #retireOne(): void {
    const last = [...this.#threads].at(-1);
    if (last?.load === 0 && this.readyCount === this.#threads.size && !this.#isEnding) {
      this.#threads.delete(last);
      this.#retiring.add(last);
      void last.end();
    }
  }

  /** Runs the batches that waited, or lets them wait again. */
  #releaseHeld(): void {
    const held = this.#held;
    this.#held = [];
    for (const { batch, isLong, resolve } of held) resolve(this.run(batch, isLong));
  }

  /** Ends all threads. What is under way on them fails. */
  async end(): Promise<void> {
    this.#isEnding = true;
    if (this.#idle !== null) clearTimeout(this.#idle);
    for (const timer of this.#restarts) clearTimeout(timer);
    await Promise.all(this.#listAll().map((thread) => thread.end()));
  }

  /** Ends all threads at once and starts others. Resolves when the ones that were there have ended. */
  async replaceAll(): Promise<void> {
    await Promise.all(this.#listAll().map((thread) => thread.kill()));
  }

  #listAll(): LiveThread[] {
    return [...this.#threads, ...this.#retiring];
  }

  #startOne(): void {
    const { role, group, workerData } = this.#options;
    const thread = new LiveThread(role, group, workerData());
    this.#threads.add(thread);
    const onReady = () => {
      this.#failedStarts = 0;
      this.#noteLoaded();
      this.#releaseHeld();
    };
    thread.watch(onReady, (reason) => this.#bury(thread, reason));
  }

  #bury(thread: LiveThread, reason: string): void {
    this.#threads.delete(thread);
    if (!this.#retiring.delete(thread) && !this.#isEnding) this.#replace(thread.isReady, reason);
    thread.failAll();
    this.#releaseHeld();
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
