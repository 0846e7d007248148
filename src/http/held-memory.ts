/**
 * Bounds the memory that all clients together make the daemon hold: request bodies that are arriving or being answered,
 * requests that wait behind others of their connection, and responses that are not read. Memory is charged before it is
 * allocated. A client that sends and reads at an ordinary pace holds next to nothing. There is no deadline, which a slow but
 * honest reader could miss.
 */
import type { Warn } from '../log/rate-limited-warning.ts';
import type { ClientConnection, Holder, MemoryBound } from './client-connection.ts';

/** 80 MiB: the largest body there is (of an import), and a quarter of it. */
export const HELD_BYTES = 80 * 1_048_576;

/** The principal of the command line. */
export const SESSION: Holder = 'session';

export class HeldMemory implements MemoryBound {
  readonly #bound: number;
  readonly #warn: Warn;
  /** Connections that have held anything. */
  readonly #connections = new Set<ClientConnection>();
  #total = 0;

  /** `bound` in bytes. */
  constructor(bound: number, warn: Warn) {
    this.#bound = bound;
    this.#warn = warn;
  }

  /** Beyond the bound, refuses bodies and cuts connections off until it is kept, perhaps this connection too. */
  hold(connection: ClientConnection, bytes: number): void {
    if (connection.socket.destroyed) return;
    this.#connections.add(connection);
    if (connection.heldBytes === 0) connection.heldSinceMs = performance.now();
    connection.heldBytes += bytes;
    this.#total += bytes;
    while (this.#total > this.#bound) this.#takeBack();
  }

  release(connection: ClientConnection, bytes: number): void {
    // The connection has ended, and releaseAll has released what it held.
    if (!this.#connections.has(connection)) return;
    connection.heldBytes -= bytes;
    connection.heldSinceMs = performance.now();
    this.#total -= bytes;
  }

  /** The connection has ended. */
  releaseAll(connection: ClientConnection): void {
    if (this.#connections.delete(connection)) this.#total -= connection.heldBytes;
  }

  /** Counts the body of a request that is being answered. That memory cannot be taken back. */
  startWork(bytes: number): void {
    this.#total += bytes;
  }

  endWork(bytes: number): void {
    this.#total -= bytes;
  }

  /** Refuses a body that is arriving, with a response. Anything else that is held ends only with its connection. */
  #takeBack(): void {
    const worst = this.#findWorst();
    this.#warn('clients hold more memory than they may together: some are refused or cut off');
    const { heldBytes, refuse } = worst;
    worst.refuse = null;
    refuse?.();
    if (worst.heldBytes < heldBytes) return;
    this.releaseAll(worst);
    worst.socket.destroy();
  }

  /**
   * Finds first the holder whose connections together have the largest product of bytes and time, then the worst of its
   * connections. So neither a large but quick upload nor a small one that waits is chosen, and opening many connections does
   * not help a holder. The owner's session comes last.
   */
  #findWorst(): ClientConnection {
    const nowMs = performance.now();
    const costOf = ({ heldBytes, heldSinceMs }: ClientConnection) => heldBytes * (1 + nowMs - heldSinceMs);
    const holding = [...this.#connections].filter(({ heldBytes }) => heldBytes > 0);
    const costs = new Map<Holder, number>();
    for (const connection of holding)
      costs.set(connection.holder, (costs.get(connection.holder) ?? 0) + costOf(connection));
    const others = [...costs].filter(([holder]) => holder !== SESSION);
    const [holder] = others.reduce(
      (worst, one) => (one[1] > worst[1] ? one : worst),
      others[0] ?? [SESSION, 0],
    );
    const candidates = holding.filter((connection) => connection.holder === holder);
    if (candidates.length === 0) throw new RangeError('no connection holds memory');
    return candidates.reduce((worst, one) => (costOf(one) > costOf(worst) ? one : worst));
  }
}
