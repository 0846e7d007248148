/**
 * Standard output or error. What goes into a pipe or a file is written by write(2) at once: the first use of process.stdout
 * loads net, streams and parts of the REPL, which takes a fifth of the time that Node takes to start. Writing blocks in both
 * ways (Node's documentation, "A note on process I/O").
 */
import { writeSync } from 'node:fs';

export interface StreamOptions {
  readonly descriptor: 1 | 2;
  readonly isTerminal: boolean;
  /** Called with each error, of which EPIPE and ECONNRESET say that nobody reads any more. */
  readonly onError: (error: NodeJS.ErrnoException) => void;
}

export class StandardStream {
  readonly #descriptor: 1 | 2;
  readonly #onError: (error: NodeJS.ErrnoException) => void;
  readonly #isTerminal: boolean;
  /** Node's own; null while it is not needed. */
  #stream: NodeJS.WriteStream | null = null;
  #isBroken = false;

  constructor({ descriptor, isTerminal, onError }: StreamOptions) {
    this.#descriptor = descriptor;
    this.#isTerminal = isTerminal;
    this.#onError = onError;
  }

  write(data: string | Uint8Array): void {
    if (this.#isBroken) return;
    if (this.#stream !== null || this.#isTerminal) this.#open().write(data);
    else this.#writeNow(typeof data === 'string' ? Buffer.from(data) : data);
  }

  /** Waits until all is written. Returns false if it could not be written, or the reader has gone away. */
  async flushed(): Promise<boolean> {
    const stream = this.#stream;
    if (stream === null || this.#isBroken) return !this.#isBroken;
    return new Promise((resolve) => stream.write('', (error) => resolve(!error)));
  }

  #writeNow(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(this.#descriptor, bytes, at);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
          this.#fail(error as Error);
          return;
        }
        // Somebody else made it non-blocking, and it is full. Node's own stream waits; the caller may zero its bytes meanwhile.
        this.#open().write(Buffer.from(bytes.subarray(at)));
        return;
      }
    }
  }

  #open(): NodeJS.WriteStream {
    if (this.#stream !== null) return this.#stream;
    this.#stream = this.#descriptor === 1 ? process.stdout : process.stderr;
    return this.#stream.on('error', (error) => this.#fail(error));
  }

  #fail(error: NodeJS.ErrnoException): void {
    this.#isBroken = true;
    this.#onError(error);
  }
}
