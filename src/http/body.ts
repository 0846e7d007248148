/**
 * Reads a request body into one buffer, unparsed. The bytes are plaintext: each chunk is zeroed as soon as it has been
 * copied, and the buffer is on its own memory, so that it can be transferred to a worker whole. That memory grows with
 * what has arrived, whatever length was announced, and is charged before it is there.
 */
import type { IncomingMessage } from 'node:http';
import { HttpError } from './errors.ts';
import type { Holding } from './held-memory.ts';

/** 1 MiB: the largest request body, unless the route says otherwise. */
export const MAX_BODY_SIZE = 1_048_576;

const FIRST_CAPACITY = 4_096;
/** Up to here a body has its memory at once. A larger one grows in place, by as much each time, and leaves no copy behind. */
const STEP = 65_536;
/** Bytes. */
const LARGE_CHUNK = 16_384;
/** Node lays 64 bytes and less into the V8 heap, where the garbage collector moves them and leaves a copy behind. */
const MIN_CAPACITY = 128;

export type Body = Uint8Array<ArrayBuffer>;

/** The client went away before its request was complete: there is nobody to answer. */
export class ClientGoneError extends Error {}

/** Bodies whose rest cannot arrive, and why. */
const refused = new WeakMap<IncomingMessage, HttpError>();

/** Whoever reads this body, now or later, gets `error`. */
export function refuseBody(request: IncomingMessage, error: HttpError): void {
  refused.set(request, error);
  request.emit('refused', error);
}

function tooMuch(): HttpError {
  return new HttpError('busy', 'clients hold more memory than they may together; try again', [
    'Retry-After',
    '1',
  ]);
}

function tooLarge(maxSize: number): HttpError {
  return new HttpError('too_large', `the body is larger than ${maxSize} bytes`);
}

/** Whether the request has one, or says so. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/**
 * The body, at most `maxSize` bytes, or null where there is none. Throws HttpError `too_large`, `busy` when clients hold
 * too much together, what it was refused for, or ClientGoneError. What a client sends beyond the limit is read and
 * dropped, so that it gets to read its answer; the server's request timeout bounds that. What has arrived is held by its
 * connection until the body is whole. `invite` is called when it is to be read, for clients that wait to be asked for it.
 */
export function readBody(
  request: IncomingMessage,
  maxSize: number,
  holding: Holding,
  invite: () => void,
): Promise<Body | null> {
  const earlier = refused.get(request);
  if (earlier !== undefined) return Promise.reject(earlier);
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxSize) return Promise.reject(tooLarge(maxSize));
  invite();
  const collected = new Collector(announced, maxSize, holding);
  return new Promise((resolve, reject) => {
    const give = (error: Error) => {
      collected.wipe();
      reject(error);
    };
    holding.onRefuse(() => give(tooMuch()));
    request.on('data', (chunk: Buffer<ArrayBuffer>) => {
      const problem = collected.add(chunk);
      if (problem !== null) give(problem);
    });
    request.once('end', () => resolve(collected.take()));
    request.once('refused', give);
    request.once('close', () => {
      // It comes after 'end' as well, when there is no need of an error, which takes long to make.
      if (!request.readableEnded) give(new ClientGoneError());
    });
  });
}

/**
 * Reads and zeroes what nobody has read: Node would only drop it. And a client that is cut off while it sends may never
 * read its answer.
 */
export function drainBody(request: IncomingMessage): Promise<void> {
  if (!hasBody(request) || request.readableEnded || request.destroyed || refused.has(request))
    return Promise.resolve();
  return new Promise((resolve) => {
    request.on('data', discard);
    for (const event of ['end', 'refused', 'close']) request.once(event, () => resolve());
  });
}

class Collector {
  readonly #announced: number;
  readonly #maxSize: number;
  readonly #holding: Holding;
  #buffer: ArrayBuffer | null = null;
  #length = 0;
  #charged = 0;
  /** No more of it is wanted. */
  #isOver = false;

  constructor(announced: number, maxSize: number, holding: Holding) {
    this.#announced = announced;
    this.#maxSize = maxSize;
    this.#holding = holding;
  }

  /** Takes the chunk's bytes and zeroes it; null, or why the body cannot be taken. */
  add(chunk: Buffer<ArrayBuffer>): HttpError | null {
    try {
      return this.#isOver ? null : this.#append(chunk);
    } finally {
      discard(chunk);
    }
  }

  #append(chunk: Buffer): HttpError | null {
    const needed = this.#length + chunk.length;
    if (needed > this.#maxSize) return tooLarge(this.#maxSize);
    const target = this.#reserve(needed);
    // Refused meanwhile: this may have been one too many.
    if (target === null) return this.#isOver ? null : tooMuch();
    new Uint8Array(target).set(chunk, this.#length);
    this.#length = needed;
    return null;
  }

  /** null where there is no room for it. */
  #reserve(needed: number): ArrayBuffer | null {
    const [old, capacity] = [this.#buffer, this.#buffer?.byteLength ?? 0];
    if (old !== null && needed <= capacity) return old;
    const wanted = this.#chooseCapacity(needed);
    this.#charge(wanted - capacity);
    if (this.#isOver) return null;
    try {
      if (old?.resizable) old.resize(wanted);
      else this.#buffer = this.#move(old, wanted);
      return this.#buffer;
    } catch (error) {
      if (error instanceof RangeError) return null;
      throw error;
    }
  }

  /** In bytes. */
  #chooseCapacity(needed: number): number {
    const isSmall = this.#announced <= STEP && needed <= STEP;
    if (isSmall && this.#announced >= needed) return Math.max(this.#announced, MIN_CAPACITY);
    if (needed <= FIRST_CAPACITY) return FIRST_CAPACITY;
    return Math.min(Math.max(this.#maxSize, MIN_CAPACITY), Math.ceil(needed / STEP) * STEP);
  }

  #move(old: ArrayBuffer | null, size: number): ArrayBuffer {
    const most = Math.max(this.#announced, this.#maxSize, size);
    const grown = size < STEP ? new ArrayBuffer(size) : new ArrayBuffer(size, { maxByteLength: most });
    if (old !== null) new Uint8Array(grown).set(new Uint8Array(old, 0, this.#length));
    free(old);
    return grown;
  }

  #charge(bytes: number): void {
    this.#charged += bytes;
    this.#holding.hold(bytes);
  }

  /** What it holds is whoever takes it's to charge. */
  take(): Body | null {
    const [buffer, length] = [this.#buffer, this.#length];
    this.#buffer = null;
    this.#end();
    if (buffer === null || length === 0) return null;
    if (buffer.resizable) buffer.resize(length);
    return new Uint8Array(buffer, 0, length);
  }

  /** And gives the memory back: garbage of a flood would add up until it is collected. */
  wipe(): void {
    free(this.#buffer);
    this.#buffer = null;
    this.#end();
  }

  #end(): void {
    this.#isOver = true;
    this.#length = 0;
    this.#holding.onRefuse(null);
    this.#holding.release(this.#charged);
    this.#charged = 0;
  }
}

/** Zeroes it, and gives it back now. */
function free(buffer: ArrayBuffer | null): void {
  if (buffer === null) return;
  new Uint8Array(buffer).fill(0);
  buffer.transferToFixedLength(0);
}

/** Zeroes a chunk, and gives the memory of a large one back now: as garbage of an upload they would add up. */
function discard(chunk: Buffer<ArrayBuffer>): void {
  const { buffer, length } = chunk;
  // One whose body was refused is heard of twice.
  if (buffer.detached) return;
  chunk.fill(0);
  if (length >= LARGE_CHUNK && length === buffer.byteLength) buffer.transferToFixedLength(0);
}
