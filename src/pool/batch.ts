/**
 * Gathers the calls of one turn of the event loop into batches. A batch costs one hop between threads, however many calls
 * it carries, and the writer commits it with one sync of the disk. Bodies pass through unread.
 */
import type { Batch, BatchResult, Call, Failure, Reply } from '../../workers/messages.ts';
import { type CallResult, type IsWanted, LONG_BODY, type PendingCall } from '../call-result.ts';
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
  /** Whether a call is carried out even if nobody waits for its result any more. Absent: it is not. */
  readonly isKept?: boolean;
}

/** Where calls with large results go. */
export interface Diversion {
  readonly large: Pick<LargeResults, 'isKnown' | 'note'>;
  /** The queue for such calls; null for that queue itself, which only notes how large its results are. */
  readonly queue: BatchQueue | null;
}

/** Called with what a thread replied to a call, before the caller gets it. */
export type NoteReply = (reply: Reply, call: Call) => void;

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
  readonly #note: NoteReply;
  readonly #waiting = new FairQueue<PendingCall>();
  #waitingBytes = 0;
  #inFlight = 0;
  #flushScheduled = false;
  readonly #idle: (() => void)[] = [];

  constructor(
    threads: BatchRunner,
    limits: BatchLimits,
    diversion: Diversion | null = null,
    note: NoteReply = () => {},
  ) {
    this.#threads = threads;
    this.#limits = limits;
    this.#diversion = diversion;
    this.#note = note;
  }

  /** As `push`, for a call whose caller awaits the result. Never rejects. */
  add(call: Call, isWanted: IsWanted | null = null): Promise<CallResult> {
    return new Promise((resolve) => this.push({ call, isWanted, take: resolve }));
  }

  /**
   * A full queue and a dead worker are failed results. A call that is not wanted any more when its batch is put together is
   * left out, because the clients of a flood are gone long before their calls are worked off.
   */
  push(pending: PendingCall): void {
    const { call } = pending;
    const { large, queue = null } = this.#diversion ?? {};
    // At once, so that calls with large results do not fill this queue.
    if (queue !== null && large?.isKnown(call)) return void queue.push(pending);
    const size = call.body?.length ?? 0;
    const { queuedCalls, queuedBytes } = this.#limits;
    if (this.#waiting.length >= queuedCalls || this.#waitingBytes + size > queuedBytes)
      return void refuse(pending, BUSY);
    this.#waitingBytes += size;
    this.#waiting.push(pending, call.author?.id ?? '');
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
      this.#tellIdle();
    });
  }

  /** Resolves when nothing is waiting or under way. */
  async drain(): Promise<void> {
    if (this.#inFlight === 0 && this.#waiting.length === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #tellIdle(): void {
    if (this.#inFlight === 0 && this.#waiting.length === 0)
      for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Sends as many batches as may be under way. */
  #flush(): void {
    while (this.#waiting.length > 0 && this.#inFlight < this.#limits.batchesInFlight) {
      const batch = this.#takeBatch();
      if (batch.length === 0) continue;
      this.#inFlight += 1;
      const calls = batch.map(({ call }) => call);
      this.#threads.run(calls, this.#limits.isLong === true).then(
        (result) => this.#finish(batch, result),
        (error) => this.#fail(batch, error),
      );
    }
  }

  /**
   * Takes the calls of the next batch out of the queue. Bytes are limited because what a body is parsed into becomes
   * garbage when its call is done, which would add up in a batch of large ones.
   */
  #takeBatch(): PendingCall[] {
    const { batchSize, batchBytes, isKept } = this.#limits;
    const { large, queue = null } = this.#diversion ?? {};
    const batch: PendingCall[] = [];
    let bytes = 0;
    for (let pending = this.#waiting.peek(); pending !== null; pending = this.#waiting.peek()) {
      const { call, isWanted } = pending;
      const isLeftOut = isWanted !== null && isKept !== true && !isWanted();
      const elsewhere = queue !== null && large?.isKnown(call) ? queue : null;
      const size = call.body?.length ?? 0;
      if (!isLeftOut && elsewhere === null) {
        bytes += size;
        if (batch.length > 0 && (batch.length === batchSize || bytes > batchBytes)) break;
        batch.push(pending);
      }
      this.#waiting.shift();
      this.#waitingBytes -= size;
      if (isLeftOut) refuse(pending, NOT_WANTED);
      else elsewhere?.push(pending);
    }
    return batch;
  }

  /** Hands out the results of a batch. */
  #finish(batch: readonly PendingCall[], { bytes, replies }: BatchResult): void {
    this.#inFlight -= 1;
    // First, so that the threads work while the responses are written.
    this.#flush();
    for (const [index, pending] of batch.entries()) {
      const reply = replies[index] ?? WORKER_DIED;
      const { call } = pending;
      if (reply.ok) {
        const { offset, length, ...rest } = reply;
        const body = bytes.subarray(offset, offset + length);
        this.#diversion?.large.note(call, length);
        this.#note(reply, call);
        pending.take({ ...rest, body: batch.length > 1 && length > LONG_BODY ? moveOut(body) : body });
      } else if (reply.reason === 'later' && call.body === null) {
        // A call with a body cannot be put off: its body has been transferred to the thread.
        (this.#diversion?.queue ?? this).push(pending);
      } else {
        this.#note(reply, call);
        pending.take(reply);
      }
    }
    this.#tellIdle();
  }

  /** Fails the calls of a batch that no thread took, or whose thread died. */
  #fail(batch: readonly PendingCall[], error: unknown): void {
    this.#inFlight -= 1;
    this.#flush();
    for (const pending of batch) pending.take(failureOf(error, pending.call));
    this.#tellIdle();
  }
}

/** Fails a call that no thread gets, and zeroes its body. */
function refuse(pending: PendingCall, failure: Failure): void {
  pending.call.body?.fill(0);
  pending.take(failure);
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
