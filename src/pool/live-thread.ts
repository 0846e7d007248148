/** One worker thread, from its start to its death, and the batches that are under way on it. Bytes pass through unread. */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { BatchResult, ThreadMessage, ThreadResult, WorkerOptions } from '../../workers/messages.ts';
import { within } from '../deadline.ts';
import { decodeResult } from './flat-batch.ts';
import type { Role } from './keeper.ts';
import { startThread } from './keeper-link.ts';

/** The thread that had the batch died; whether it was done is not known. */
export class ThreadDiedError extends Error {
  override readonly name = 'ThreadDiedError';
}

/** How long a thread may take to come to rest before it is ended all the same. On a busy machine the writer's last syncs take long. */
const REST_MS = 3_000;

/** A message that a thread has not answered yet. */
interface Pending {
  readonly isLong: boolean;
  readonly resolve: (result: BatchResult) => void;
  readonly reject: (error: Error) => void;
}

/** One thread, from its start to its death. */
export class LiveThread {
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
  constructor(role: Role, group: number, options: WorkerOptions) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1.on('message', (result: ThreadResult) => this.#take(result));
    this.#terminate = startThread({ role, group, options, port: port2 }, (reason) => this.#bury(reason));
  }

  get load(): number {
    return this.#pending.size;
  }

  /** Whether it has loaded and has nothing long to do. */
  get isFree(): boolean {
    return this.isReady && this.longBatches === 0;
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

/** Whether a batch is better given to the first of the two. */
export function isBetter(thread: LiveThread, other: LiveThread): boolean {
  if (thread.isReady !== other.isReady) return thread.isReady;
  const [isTakenUp, isOtherTakenUp] = [thread.longBatches > 0, other.longBatches > 0];
  if (isTakenUp !== isOtherTakenUp) return isOtherTakenUp;
  return thread.load < other.load;
}
