/**
 * One connection to the daemon, HTTP/1.1 written and read by hand: loading `node:http` alone would take a short command
 * longer than all it does here. It speaks to one server only, which frames every answer by Content-Length or in chunks,
 * so it needs little of the protocol (RFC 9112) and refuses the rest. Bytes in, bytes out; what they mean is the caller's
 * business.
 */
import { monotonicMs } from '../system/clock.ts';
import type { Channel } from './channel.ts';
import { ChunkedBody } from './chunked-body.ts';
import { ConnectionError } from './connection-error.ts';
import { openChannel, type SocketOptions } from './open-socket.ts';
import { SilenceWatch } from './silence.ts';

export interface Outgoing {
  readonly method: string;
  /** Path and query, percent-encoded. */
  readonly target: string;
  /** Without those about the body's length. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  /** Gives the request up: the connection ends. What became of the request is not known then, but in the same process. */
  readonly signal?: AbortSignal | undefined;
  /** Gets the body of a response in chunks as it arrives. The body that `send` resolves with is empty then. */
  readonly onBody?: OnBody | undefined;
}

type OnBody = (piece: Uint8Array) => void;

export interface Incoming {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Sends a request to a vault. Rejects if there is no response. */
export type Send = (outgoing: Outgoing) => Promise<Incoming>;

/** An answer of which the body is still to come: of a known size, or in chunks. */
type Head = Omit<Incoming, 'body'> & { readonly framing: number | ChunkedBody };

interface Waiting {
  readonly resolve: (incoming: Incoming) => void;
  readonly reject: (error: Error) => void;
  readonly onBody: OnBody | undefined;
}

const NOTHING = Buffer.alloc(0);
const HEAD_END = Buffer.from('\r\n\r\n');
/** Far more than our daemon ever sends. */
const MAX_HEAD_SIZE = 65_536;
const CROWD_PATIENCE_MS = 5_000;
const CROWD_PAUSE_MS = 5;

export interface ConnectionOptions extends SocketOptions {
  readonly patienceMs?: number;
}

export class Connection {
  readonly #channel: Channel;
  /** Requests are pipelined; answers come in the order of their requests (RFC 9112 section 9.3.2). */
  readonly #waiting: Waiting[] = [];
  readonly #received = new Received();
  #closed: Error | null = null;
  readonly #silence: SilenceWatch;

  private constructor(channel: Channel, socketPath: string, options: SocketOptions) {
    this.#channel = channel;
    this.#silence = new SilenceWatch(socketPath, options, () => this.giveUp());
    channel.listen({
      onData: (chunk) => this.#take(chunk),
      onError: (error) => this.#fail(error),
      onClose: () => this.#fail(new ConnectionError('the daemon closed the connection')),
    });
  }

  /**
   * Rejects with UntrustedError if another user might listen there, and with Node's own error (`ECONNREFUSED`, `ENOENT` …) if
   * no program does. If the kernel's queue of clients is full (`EAGAIN`), it tries again for `patienceMs`, so that a client
   * which crowds the socket shuts no other out.
   */
  static async open(socketPath: string, options: ConnectionOptions = {}): Promise<Connection> {
    const giveUpAtMs = monotonicMs() + (options.patienceMs ?? CROWD_PATIENCE_MS);
    for (;;) {
      try {
        return new Connection(await openChannel(socketPath, options), socketPath, options);
      } catch (error) {
        const isCrowded = (error as NodeJS.ErrnoException).code === 'EAGAIN';
        if (!isCrowded || monotonicMs() >= giveUpAtMs) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, CROWD_PAUSE_MS));
    }
  }

  get isOpen(): boolean {
    return this.#closed === null;
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  /** Rejects with ConnectionError, or Node's own error, if the connection ends before the answer does, or the daemon is silent. */
  send(outgoing: Outgoing): Promise<Incoming> {
    if (this.#closed !== null) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      // Before anything waits: what cannot be sent gets no answer.
      const head = encodeHead(outgoing);
      outgoing.signal?.addEventListener('abort', () => this.close(), { once: true });
      this.#waiting.push({ resolve, reject, onBody: outgoing.onBody });
      this.#silence.start();
      this.#channel.send(head, outgoing.body);
    });
  }

  close(): void {
    this.#channel.destroy();
  }

  /** Closes the connection; requests under way are rejected because the daemon does not answer. */
  giveUp(): void {
    this.#fail(new ConnectionError('the daemon does not answer', { isSilence: true }));
    this.#channel.destroy();
  }

  #take(chunk: Buffer): void {
    this.#silence.noteHeard();
    try {
      this.#received.add(chunk);
      for (;;) {
        const incoming = this.#received.take(this.#waiting[0]?.onBody);
        if (incoming === null) return void this.#noteStream();
        const first = this.#waiting.shift();
        if (first === undefined) throw new ConnectionError('the daemon answered what nobody asked');
        first.resolve(incoming);
        // An idle connection must not keep a program from ending.
        if (!this.isIdle) continue;
        this.#silence.stop();
        this.#channel.rest();
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error : new ConnectionError('failed'));
      this.#channel.destroy();
    }
  }

  /** A stream may be silent for long. Who follows it knows for how long. */
  #noteStream(): void {
    if (this.#received.hasHead && this.#waiting[0]?.onBody !== undefined) this.#silence.stop();
  }

  #fail(error: Error): void {
    this.#closed ??= error;
    this.#silence.stop();
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

/** One character for each byte. Throws RangeError for what would break the framing. */
function encodeHead({ method, target, headers, body }: Outgoing): string {
  const all = { Host: 'localhost', ...headers, 'Content-Length': String(body?.length ?? 0) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const start = `${method} ${target} HTTP/1.1`;
  for (const text of [start, ...Object.values(all)]) {
    if (/[^\t\x20-\x7e\x80-\xff]/.test(text))
      throw new RangeError('a request line or header has a character it must not');
  }
  return `${start}\r\n${lines.join('')}\r\n`;
}

/** Bytes that have arrived and are not taken yet. */
class Received {
  #chunks: Buffer[] = [];
  #size = 0;
  /** The head of the answer whose body is still arriving. */
  #head: Head | null = null;

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  get hasHead(): boolean {
    return this.#head !== null;
  }

  /** The next whole answer, or null until all of it has arrived; `onBody` gets the chunks of its body. Throws ConnectionError. */
  take(onBody: OnBody | undefined): Incoming | null {
    this.#head ??= this.#takeHead();
    if (this.#head === null) return null;
    const { framing, status, headers } = this.#head;
    const body = typeof framing === 'number' ? this.#takeSized(framing) : this.#takeChunked(framing, onBody);
    if (body === null) return null;
    this.#head = null;
    return { status, headers, body };
  }

  #takeSized(size: number): Buffer | null {
    if (this.#size < size) return null;
    const all = this.#join();
    this.#keep(all.subarray(size));
    return all.subarray(0, size);
  }

  #takeChunked(body: ChunkedBody, onBody: OnBody | undefined): Buffer | null {
    const rest = body.add(this.#join());
    this.#keep(rest ?? NOTHING);
    if (onBody !== undefined) for (const piece of body.takeArrived()) onBody(piece);
    return rest === null ? null : body.join();
  }

  #takeHead(): Head | null {
    const all = this.#join();
    const end = all.indexOf(HEAD_END);
    if (end < 0) {
      if (all.length > MAX_HEAD_SIZE) throw new ConnectionError('the daemon sent no HTTP/1.1');
      return null;
    }
    const head = parseHead(all.toString('latin1', 0, end));
    this.#keep(all.subarray(end + HEAD_END.length));
    // An interim answer (RFC 9110 section 15.2) has no body, and the final one follows.
    return head.status < 200 ? this.#takeHead() : head;
  }

  /** As one buffer; joined only when there is something to look for, so that a large body is copied once. */
  #join(): Buffer {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }

  #keep(rest: Buffer): void {
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#size = rest.length;
  }
}

function parseHead(text: string): Head {
  const [start = '', ...lines] = text.split('\r\n');
  const status = /^HTTP\/1\.1 ([1-5][0-9]{2})(?: |$)/.exec(start)?.[1];
  if (status === undefined) throw new ConnectionError('the daemon sent no HTTP/1.1');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { status: Number(status), headers, framing: status.startsWith('1') ? 0 : findFraming(headers) };
}

/** RFC 9112 section 6.3. Both headers at once mean different ends of the answer to different readers. */
function findFraming(headers: Incoming['headers']): number | ChunkedBody {
  const { 'content-length': length, 'transfer-encoding': encoding } = headers;
  if (encoding?.toLowerCase() === 'chunked' && length === undefined) return new ChunkedBody();
  if (encoding === undefined && length !== undefined && /^[0-9]{1,12}$/.test(length)) return Number(length);
  throw new ConnectionError('the daemon sent an answer without a length');
}
