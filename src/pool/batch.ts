/**
 * Gathers the calls of one turn of the event loop into batches: a batch costs one hop between threads however many
 * calls it carries, and the writer commits it with one sync of the disk. Bodies pass through unread.
 */
import type { Batch, BatchResult, Call, Failure, Reply } from '../../workers/messages.ts';
import { type CallResult, type IsWanted, LONG_BODY } from '../call-result.ts';
import { NoThreadError, ProgramReplacedError } from './threads.ts';

/** Runs one batch on a worker thread. */
export type RunBatch = (batch: Batch) => Promise<BatchResult>;

export interface BatchLimits {
  /** Calls in one batch. */
  readonly batchSize: number;
  /** Bytes of the request bodies in one batch, unless one alone has more. */
  readonly batchBytes: number;
  /** Batches under way at once; calls that arrive meanwhile gather for the next one. */
  readonly batchesInFlight: number;
  /** Calls waiting for a batch. */
  readonly queuedCalls: number;
  /** Bytes of the request bodies waiting for a batch. */
  readonly queuedBytes: number;
}

/** Takes over calls that belong in another queue. */
export interface Diversion {
  /** Called when the call's batch is put together. */
  isFor(call: Call): boolean;
  readonly queue: BatchQueue;
}

interface Waiting {
  readonly call: Call;
  readonly isWanted: IsWanted;
  readonly resolve: (answered: CallResult) => void;
  /** Calls with a lower one come first. */
  turn: number;
}

const BUSY: Failure = { ok: false, code: 'busy', message: 'too many requests are waiting; try again' };
const NOT_WANTED: Failure = { ok: false, code: 'busy', message: 'the client has gone away' };
/** Exported: `VaultState` compares these three by identity. */
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

const ALWAYS = () => true;

export class BatchQueue {
  readonly #run: RunBatch;
  readonly #limits: BatchLimits;
  readonly #diversion: Diversion | null;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #inFlight = 0;
  #flushScheduled = false;
  readonly #idle: (() => void)[] = [];

  constructor(run: RunBatch, limits: BatchLimits, diversion: Diversion | null = null) {
    this.#diversion = diversion;
    this.#run = run;
    this.#limits = limits;
  }

  /**
   * Never rejects: a full queue and a dead worker are answers too. What is not wanted any more when its batch is put
   * together is left out: the clients of a flood are gone long before it is worked off.
   */
  add(call: Call, isWanted: IsWanted = ALWAYS): Promise<CallResult> {
    return new Promise((resolve) => this.#enqueue({ call, isWanted, resolve, turn: 0 }));
  }

  #enqueue(waiting: Waiting): void {
    const { body } = waiting.call;
    const size = body?.length ?? 0;
    const { queuedCalls, queuedBytes } = this.#limits;
    if (this.#waiting.length >= queuedCalls || this.#waitingBytes + size > queuedBytes) {
      body?.fill(0);
      waiting.resolve(BUSY);
      return;
    }
    this.#waitingBytes += size;
    this.#scheduleFlush();
    this.#line(waiting);
  }

  /** Clients take turns, each in its own order, so that the many calls of one do not hold up the few of another. */
  #line(waiting: Waiting): void {
    const author = waiting.call.author?.id;
    const last = this.#waiting.findLast(({ call }) => call.author?.id === author);
    waiting.turn = last === undefined ? (this.#waiting[0]?.turn ?? 0) : last.turn + 1;
    const before = this.#waiting.findLastIndex(({ turn }) => turn <= waiting.turn);
    this.#waiting.splice(before + 1, 0, waiting);
  }

  /** Resolves when nothing is waiting or under way. */
  async drain(): Promise<void> {
    if (this.#inFlight === 0 && this.#waiting.length === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#inFlight < this.#limits.batchesInFlight) {
      this.#sort();
      const batch = this.#waiting.splice(0, this.#countForBatch());
      if (batch.length > 0) void this.#send(batch);
    }
    if (this.#inFlight === 0 && this.#waiting.length === 0)
      for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** What a body is parsed into is garbage when its call is done, and would add up in a batch of large ones. */
  #countForBatch(): number {
    const { batchSize, batchBytes } = this.#limits;
    const most = Math.min(batchSize, this.#waiting.length);
    let bytes = 0;
    for (let count = 0; count < most; count++) {
      bytes += this.#waiting[count]?.call.body?.length ?? 0;
      if (bytes > batchBytes) return Math.max(1, count);
    }
    return most;
  }

  /** Makes the next batch one of calls that are wanted, and stay here. */
  #sort(): void {
    for (let at = 0; at < Math.min(this.#waiting.length, this.#limits.batchSize); ) {
      const waiting = this.#waiting[at] as Waiting;
      const isWanted = waiting.isWanted();
      const elsewhere = this.#diversion?.isFor(waiting.call) === true ? this.#diversion.queue : null;
      if (isWanted && elsewhere === null) {
        at += 1;
        continue;
      }
      this.#waiting.splice(at, 1);
      this.#waitingBytes -= waiting.call.body?.length ?? 0;
      if (!isWanted) leaveOut(waiting);
      else if (elsewhere !== null) elsewhere.#enqueue(waiting);
    }
  }

  /** What turned out to be large goes where such are asked for one by one. */
  #putOff(waiting: Waiting): void {
    if (this.#diversion !== null) this.#diversion.queue.#enqueue(waiting);
    else this.#enqueue(waiting);
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    this.#inFlight += 1;
    for (const { call } of batch) this.#waitingBytes -= call.body?.length ?? 0;
    try {
      const { bytes, replies } = await this.#run(batch.map(({ call }) => call));
      for (const [index, waiting] of batch.entries()) {
        if (isLater(waiting.call, replies[index])) this.#putOff(waiting);
        else waiting.resolve(toAnswered(replies[index], bytes, batch.length));
      }
    } catch (error) {
      for (const { call, resolve } of batch) resolve(failureOf(error, call));
    } finally {
      this.#inFlight -= 1;
      this.#flush();
    }
  }
}

/** A call with a body is never put off: its body has been transferred to the thread. */
function isLater({ body }: Call, reply: Reply | undefined): boolean {
  return body === null && reply?.ok === false && reply.reason === 'later';
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

/** `count`: the number of replies that share the bytes. */
function toAnswered(reply: Reply | undefined, bytes: Uint8Array<ArrayBuffer>, count: number): CallResult {
  if (reply === undefined) return WORKER_DIED;
  if (!reply.ok) return reply;
  const { offset, length, ...rest } = reply;
  const body = bytes.subarray(offset, offset + length);
  return { ...rest, body: length > LONG_BODY && count > 1 ? moveOut(body) : body };
}

function moveOut(body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const own = body.slice();
  body.fill(0);
  return own;
}
