/**
 * Gathers the calls of one turn of the event loop into batches. A batch costs one hop between threads, however many calls
 * it carries, and the writer commits it with one sync of the disk. Bodies pass through unread.
 */
import type { Batch, BatchResult, Call, Failure, Reply } from '../../workers/messages.ts';
import { type CallResult, type IsWanted, LONG_BODY } from '../call-result.ts';
import { FairQueue } from './fair-queue.ts';
import type { LargeResults } from './large-results.ts';
import { NoThreadError, ProgramReplacedError } from './threads.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** The threads that run the batches of a queue. */
export interface BatchRunner {
  run(batch: Batch, isLong: boolean): Promise<BatchResult>;
}

export interface BatchLimits {
  /** Calls in one batch. */
  readonly batchSize: number;
  /** Bytes of the request bodies in one batch. A call that has more by itself travels alone. */
  readonly batchBytes: number;
  /** Batches under way at once. Calls that arrive meanwhile gather for the next batch. */
  readonly batchesInFlight: number;
  /** Calls that wait for a batch. */
  readonly queuedCalls: number;
  /** Bytes of the request bodies that wait for a batch. */
  readonly queuedBytes: number;
  /** Whether the batches take long, so that no short call is to wait behind one. Absent: they do not. */
  readonly isLong?: boolean;
}

/** Where calls with large results go. */
export interface Diversion {
  readonly large: Pick<LargeResults, 'isKnown' | 'note'>;
  /** The queue for such calls; null for that queue itself, which only notes how large its results are. */
  readonly queue: BatchQueue | null;
}

interface Waiting {
  readonly call: Call;
  /** null: the result is wanted in any case. */
  readonly isWanted: IsWanted | null;
  readonly resolve: (result: CallResult) => void;
}

const BUSY: Failure = { ok: false, code: 'busy', message: 'too many requests are waiting; try again' };
const NOT_WANTED: Failure = { ok: false, code: 'busy', message: 'the client has gone away' };
/** Exported: `VaultState` compares the next three by identity. */
export const NO_WORKER: Failure = {
  ok: false,
  code: 'busy',
  message: 'the worker threads are being started again; nothing was done, try again',
};
export const PROGRAM_REPLACED: Failure = {
  ok: false,
  code: 'internal',
  message:
    'the program was replaced while mav serve ran, and a thread that died cannot be started again; restart mav serve',
};
export const WORKER_DIED: Failure = {
  ok: false,
  code: 'internal',
  message: 'the worker that had this request died; whether a write took effect is not known',
};

export class BatchQueue {
  readonly #threads: BatchRunner;
  readonly #limits: BatchLimits;
  readonly #diversion: Diversion | null;
  readonly #waiting = new FairQueue<Waiting>();
  #waitingBytes = 0;
  #inFlight = 0;
  #flushScheduled = false;
  readonly #idle: (() => void)[] = [];

  constructor(threads: BatchRunner, limits: BatchLimits, diversion: Diversion | null = null) {
    this.#threads = threads;
    this.#limits = limits;
    this.#diversion = diversion;
  }

  /**
   * Never rejects: a full queue and a dead worker are failed results. A call that is not wanted any more when its batch is
   * put together is left out, because the clients of a flood are gone long before their calls are worked off.
   */
  add(call: Call, isWanted: IsWanted | null = null): Promise<CallResult> {
    const { large, queue = null } = this.#diversion ?? {};
    // At once, so that calls with large results do not fill this queue.
    if (queue !== null && large?.isKnown(call)) return queue.add(call, isWanted);
    return new Promise((resolve) => this.#enqueue({ call, isWanted, resolve }));
  }

  #enqueue(waiting: Waiting): void {
    const { body, author } = waiting.call;
    const size = body?.length ?? 0;
    const { queuedCalls, queuedBytes } = this.#limits;
    if (this.#waiting.length >= queuedCalls || this.#waitingBytes + size > queuedBytes) {
      body?.fill(0);
      waiting.resolve(BUSY);
      return;
    }
    this.#waitingBytes += size;
    this.#waiting.push(waiting, author?.id ?? '');
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  /** Resolves when nothing is waiting or under way. */
  async drain(): Promise<void> {
    if (this.#inFlight === 0 && this.#waiting.length === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#inFlight < this.#limits.batchesInFlight) {
      const batch = this.#takeBatch();
      if (batch.length > 0) void this.#send(batch);
    }
    if (this.#inFlight === 0 && this.#waiting.length === 0)
      for (const resolve of this.#idle.splice(0)) resolve();
  }

  /**
   * Takes the calls of the next batch out of the queue. Bytes are limited because what a body is parsed into becomes
   * garbage when its call is done, which would add up in a batch of large ones.
   */
  #takeBatch(): Waiting[] {
    const { batchSize, batchBytes } = this.#limits;
    const { large, queue = null } = this.#diversion ?? {};
    const batch: Waiting[] = [];
    let bytes = 0;
    for (let waiting = this.#waiting.peek(); waiting !== null; waiting = this.#waiting.peek()) {
      const { call, isWanted } = waiting;
      const isLeftOut = isWanted !== null && !isWanted();
      const elsewhere = queue !== null && large?.isKnown(call) ? queue : null;
      const size = call.body?.length ?? 0;
      if (!isLeftOut && elsewhere === null) {
        bytes += size;
        if (batch.length > 0 && (batch.length === batchSize || bytes > batchBytes)) break;
        batch.push(waiting);
      }
      this.#waiting.shift();
      this.#waitingBytes -= size;
      if (isLeftOut) leaveOut(waiting);
      else if (elsewhere !== null) elsewhere.#enqueue(waiting);
    }
    return batch;
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    this.#inFlight += 1;
    const calls = batch.map(({ call }) => call);
    try {
      const { bytes, replies } = await this.#threads.run(calls, this.#limits.isLong === true);
      let index = 0;
      for (const waiting of batch) this.#finish(waiting, replies[index++], bytes, batch.length > 1);
    } catch (error) {
      for (const { call, resolve } of batch) resolve(failureOf(error, call));
    } finally {
      this.#inFlight -= 1;
      this.#flush();
    }
  }

  /** `isShared`: the bytes hold the bodies of several replies. */
  #finish(waiting: Waiting, reply: Reply | undefined, bytes: Bytes, isShared: boolean): void {
    const { call, resolve } = waiting;
    if (reply?.ok) {
      const { offset, length, ...rest } = reply;
      const body = bytes.subarray(offset, offset + length);
      this.#diversion?.large.note(call, length);
      resolve({ ...rest, body: isShared && length > LONG_BODY ? moveOut(body) : body });
    } else if (reply?.reason === 'later' && call.body === null) {
      // A call with a body cannot be put off: its body has been transferred to the thread.
      (this.#diversion?.queue ?? this).#enqueue(waiting);
    } else {
      resolve(reply ?? WORKER_DIED);
    }
  }
}

function leaveOut({ call, resolve }: Waiting): void {
  call.body?.fill(0);
  resolve(NOT_WANTED);
}

/** Zeroes the body of a call that no thread has taken. */
function failureOf(error: unknown, { body }: Call): Failure {
  if (!(error instanceof NoThreadError || error instanceof ProgramReplacedError)) return WORKER_DIED;
  body?.fill(0);
  return error instanceof NoThreadError ? NO_WORKER : PROGRAM_REPLACED;
}

function moveOut(body: Bytes): Bytes {
  const own = body.slice();
  body.fill(0);
  return own;
}
