/** A Send over the daemon's socket that keeps its connection between requests and opens another when it is gone. */
import { monotonicMs } from '../system/clock.ts';
import { Connection, type Incoming, type Outgoing } from './connection.ts';
import type { SocketOptions } from './open-socket.ts';

/** Well below what the daemon keeps an idle connection for: a request must not cross its end on the way. */
const REUSE_WITHIN_MS = 20_000;

export class SocketTransport {
  readonly #socketPath: string;
  readonly #options: SocketOptions;
  #opening: Promise<Connection> | null = null;
  /** The connection that `#opening` resolved to; null until then. */
  #live: Connection | null = null;
  #lastUsedMs = 0;

  constructor(socketPath: string, options: SocketOptions = {}) {
    this.#socketPath = socketPath;
    this.#options = options;
  }

  /** Rejects with Node's own error if no program listens, with ConnectionError if the daemon goes away meanwhile. */
  async send(outgoing: Outgoing): Promise<Incoming> {
    if (outgoing.onBody !== undefined) return this.#sendAlone(outgoing);
    const connection = await this.#connect();
    try {
      return await connection.send(outgoing);
    } finally {
      this.#lastUsedMs = monotonicMs();
    }
  }

  /** Other requests would have to wait for the end of a stream. */
  async #sendAlone(outgoing: Outgoing): Promise<Incoming> {
    const connection = await Connection.open(this.#socketPath, this.#options);
    try {
      outgoing.signal?.throwIfAborted();
      return await connection.send(outgoing);
    } finally {
      connection.close();
    }
  }

  /** Ends the connection; the next request opens a new one. */
  close(): void {
    this.#live?.close();
    this.#live = null;
    this.#opening = null;
  }

  #connect(): Promise<Connection> {
    if (this.#opening === null || this.#isStale()) {
      this.close();
      this.#opening = this.#open();
    }
    return this.#opening;
  }

  #isStale(): boolean {
    const live = this.#live;
    if (live === null) return false;
    return !live.isOpen || (live.isIdle && monotonicMs() - this.#lastUsedMs > REUSE_WITHIN_MS);
  }

  async #open(): Promise<Connection> {
    try {
      this.#live = await Connection.open(this.#socketPath, this.#options);
      return this.#live;
    } catch (error) {
      this.#opening = null;
      throw error;
    }
  }
}
