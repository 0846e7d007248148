/**
 * Reads a request body into one buffer, unparsed. The bytes are plaintext: each chunk is zeroed as soon as it has been
 * copied. The buffer has memory of its own, so that it can be transferred to a worker. That memory grows with what has
 * arrived, whatever length was announced, and is charged before it is allocated.
 */
import type { IncomingMessage } from 'node:http';
import type { ClientConnection } from './client-connection.ts';
import { HttpError } from './errors.ts';

/** 1 MiB: the largest request body, unless the route says otherwise. */
export const MAX_BODY_SIZE = 1_048_576;

const FIRST_CAPACITY = 4_096;
/** Bytes. A body of up to this size gets all of its memory at once. A larger one grows in place, by this much each time. */
const STEP = 65_536;
/** Bytes. The memory of a chunk of this size is given back as soon as it is copied. */
const LARGE_CHUNK = 16_384;
/** Bytes. Node puts 64 bytes and less into the V8 heap, where the garbage collector moves them and leaves a copy behind. */
const MIN_CAPACITY = 128;

export type Body = Uint8Array<ArrayBuffer>;

/** The client went away before its request was complete, so no response can reach it. */
export class ClientGoneError extends Error {}

/** Requests whose bodies cannot arrive whole, each with the reason. */
const refused = new WeakMap<IncomingMessage, HttpError>();

/** A `collectBody` of this request, under way or later, rejects with `error`. */
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

/**
 * Resolves with the body, at most `maxSize` bytes, or with null if it is empty. Rejects with HttpError (`too_large`, `busy`
 * when all clients hold too much together, or the error of `refuseBody`) or ClientGoneError. What a client sends beyond the
 * limit is read and dropped, so that the client gets to read its response; the server's request timeout bounds that. Until
 * the body is whole, its memory counts as the connection's. `invite` is called before the body is read, for clients that
 * wait for `100 Continue`.
 */
export function collectBody(
  request: IncomingMessage,
  maxSize: number,
  connection: ClientConnection,
  invite: () => void,
): Promise<Body | null> {
  const earlier = refused.get(request);
  if (earlier !== undefined) return Promise.reject(earlier);
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxSize) return Promise.reject(tooLarge(maxSize));
  invite();
  return collectChunks(request, new Collector(announced, maxSize, connection), connection);
}

/** Resolves and rejects as `collectBody` does. */
function collectChunks(
  request: IncomingMessage,
  collected: Collector,
  connection: ClientConnection,
): Promise<Body | null> {
  return new Promise((resolve, reject) => {
    const give = (error: Error) => {
      collected.wipe();
      reject(error);
    };
    connection.refuse = () => give(tooMuch());
    request.on('data', (chunk: Buffer<ArrayBuffer>) => {
      const problem = collected.add(chunk);
      if (problem !== null) give(problem);
    });
    request.once('end', () => resolve(collected.take()));
    request.once('refused', give);
    request.once('close', () => {
      // It also comes after 'end'. An error takes long to make, so none is made then.
      if (!request.readableEnded) give(new ClientGoneError());
    });
  });
}

/**
 * Reads and zeroes what is left of a body. Node would drop it without zeroing, and a client whose connection is closed
 * while it sends may never read its response.
 */
export function drainBody(request: IncomingMessage): Promise<void> {
  if (request.readableEnded || request.destroyed || refused.has(request)) return Promise.resolve();
  return new Promise((resolve) => {
    request.on('data', discard);
    for (const event of ['end', 'refused', 'close']) request.once(event, () => resolve());
  });
}

class Collector {
  readonly #announced: number;
  readonly #maxSize: number;
  readonly #connection: ClientConnection;
  #buffer: ArrayBuffer | null = null;
  #length = 0;
  #charged = 0;
  /** Set once no more chunks are wanted. */
  #isOver = false;

  constructor(announced: number, maxSize: number, connection: ClientConnection) {
    this.#announced = announced;
    this.#maxSize = maxSize;
    this.#connection = connection;
  }

  /** Copies the chunk and zeroes it. Returns why the body cannot be taken; else null. */
  add(chunk: Buffer<ArrayBuffer>): HttpError | null {
    try {
      if (this.#isOver) return null;
      const needed = this.#length + chunk.length;
      if (needed > this.#maxSize) return tooLarge(this.#maxSize);
      const target = this.#reserve(needed);
      if (target === null) return this.#isOver ? null : tooMuch();
      new Uint8Array(target).set(chunk, this.#length);
      this.#length = needed;
      return null;
    } finally {
      discard(chunk);
    }
  }

  /** Returns null where there is no memory for it, or if HeldMemory refuses the body while it is charged. */
  #reserve(needed: number): ArrayBuffer | null {
    const [old, capacity] = [this.#buffer, this.#buffer?.byteLength ?? 0];
    if (old !== null && needed <= capacity) return old;
    const wanted = this.#chooseCapacity(needed);
    this.#charged += wanted - capacity;
    this.#connection.hold(wanted - capacity);
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

  /** Returns the body; null if it is empty. From now on the caller charges its memory. */
  take(): Body | null {
    const [buffer, length] = [this.#buffer, this.#length];
    this.#buffer = null;
    this.#end();
    if (buffer === null || length === 0) return null;
    if (buffer.resizable) buffer.resize(length);
    return new Uint8Array(buffer, 0, length);
  }

  /** Zeroes what has arrived and gives the memory back: as garbage, the bodies of a flood would add up. */
  wipe(): void {
    free(this.#buffer);
    this.#buffer = null;
    this.#end();
  }

  #end(): void {
    this.#isOver = true;
    this.#length = 0;
    this.#connection.refuse = null;
    this.#connection.release(this.#charged);
    this.#charged = 0;
  }
}

/** Zeroes the memory and gives it back now. */
function free(buffer: ArrayBuffer | null): void {
  if (buffer === null) return;
  new Uint8Array(buffer).fill(0);
  buffer.transferToFixedLength(0);
}

/** Zeroes a chunk, and gives the memory of a large one back now: as garbage, the chunks of an upload would add up. */
function discard(chunk: Buffer<ArrayBuffer>): void {
  const { buffer, length } = chunk;
  // A chunk of a refused body comes here twice.
  if (buffer.detached) return;
  chunk.fill(0);
  if (length >= LARGE_CHUNK && length === buffer.byteLength) buffer.transferToFixedLength(0);
}
