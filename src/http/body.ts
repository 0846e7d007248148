/**
 * Reads a request body into one buffer, unparsed. The bytes are plaintext: each chunk is zeroed as soon as it has been
 * copied, and the buffer is on its own memory, so that it can be transferred to a worker whole.
 */
import type { IncomingMessage } from 'node:http';
import { HttpError } from './errors.ts';
import type { Holding } from './held-memory.ts';

/** 1 MiB: the largest request body, unless the route says otherwise. */
export const MAX_BODY_SIZE = 1_048_576;

const FIRST_CAPACITY = 4_096;
const NOTHING = Buffer.alloc(0);
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

function tooLarge(maxSize: number): HttpError {
  return new HttpError('too_large', `the body is larger than ${maxSize} bytes`);
}

/** Whether the request has one, or says so. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/**
 * The body, at most `maxSize` bytes, or null where there is none. Throws HttpError `too_large`, what it was refused
 * for, or ClientGoneError. What a client sends beyond the limit is read and dropped, so that it gets to read its
 * answer; the server's request timeout bounds that. What has arrived is held by its
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
  const collected = new Collector(announced > 0 ? announced : FIRST_CAPACITY, maxSize, holding);
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      if (!collected.add(chunk)) reject(tooLarge(maxSize));
    });
    request.once('end', () => resolve(collected.take()));
    request.once('refused', (error: HttpError) => {
      collected.wipe();
      reject(error);
    });
    request.once('close', () => {
      // It comes after 'end' as well, when there is no need of an error, which takes long to make.
      if (request.readableEnded) return;
      collected.wipe();
      reject(new ClientGoneError());
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
    request.on('data', (chunk: Buffer) => chunk.fill(0));
    for (const event of ['end', 'refused', 'close']) request.once(event, () => resolve());
  });
}

class Collector {
  readonly #maxSize: number;
  readonly #holding: Holding;
  #buffer: Buffer<ArrayBuffer>;
  #length = 0;
  #overflown = false;

  constructor(capacity: number, maxSize: number, holding: Holding) {
    this.#maxSize = maxSize;
    this.#holding = holding;
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(capacity, MIN_CAPACITY));
  }

  /** Takes the chunk's bytes and zeroes it; false once the body is too large. */
  add(chunk: Buffer): boolean {
    if (this.#length + chunk.length > this.#maxSize) this.#overflow();
    if (!this.#overflown) this.#append(chunk);
    chunk.fill(0);
    return !this.#overflown;
  }

  #overflow(): void {
    this.#overflown = true;
    this.wipe();
  }

  #append(chunk: Buffer): void {
    this.#reserve(chunk.length);
    chunk.copy(this.#buffer, this.#length);
    this.#length += chunk.length;
    this.#holding.hold(chunk.length);
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.min(this.#maxSize, Math.max(needed, this.#buffer.length * 2)));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer.fill(0, 0, this.#length);
    this.#buffer = grown;
  }

  take(): Body | null {
    const [buffer, length] = [this.#buffer, this.#length];
    this.#holding.release(length);
    this.#buffer = NOTHING;
    this.#length = 0;
    return length === 0 ? null : buffer.subarray(0, length);
  }

  /** And gives the memory back: garbage of a flood would add up until it is collected. */
  wipe(): void {
    this.#buffer.fill(0, 0, this.#length);
    this.#holding.release(this.#length);
    this.#length = 0;
    if (this.#buffer === NOTHING) return;
    this.#buffer.buffer.transfer(0);
    this.#buffer = NOTHING;
  }
}
