/**
 * The memory that clients make the daemon hold, and its bound for all of them together: bodies that are still arriving,
 * requests that wait behind others of their connection, answers that nobody takes. A client that sends or reads at an
 * ordinary pace holds next to nothing; for the others the bound is enough, and needs no clock that a slow but honest
 * reader could run out of.
 */
import type { Socket } from 'node:net';
import type { Warn } from '../seldom.ts';

/** 80 MiB: the largest body there is (of an import), and a quarter as much again. */
export const HELD_BYTES = 80 * 1_048_576;

/** What one connection holds. */
export interface Holding {
  hold(bytes: number): void;
  release(bytes: number): void;
}

interface Share {
  bytes: number;
  /** When it last became less, or began. */
  sinceMs: number;
}

export class HeldMemory {
  readonly #bound: number;
  readonly #warn: Warn;
  readonly #shares = new Map<Socket, Share>();
  #total = 0;

  /** `bound` in bytes. */
  constructor(bound: number, warn: Warn) {
    this.#bound = bound;
    this.#warn = warn;
  }

  by(socket: Socket): Holding {
    return {
      hold: (bytes) => this.hold(socket, bytes),
      release: (bytes) => this.release(socket, bytes),
    };
  }

  /** Beyond the bound, connections are cut off until it is kept: perhaps this one. */
  hold(socket: Socket, bytes: number): void {
    if (socket.destroyed) return;
    let share = this.#shares.get(socket);
    if (share === undefined) {
      share = { bytes: 0, sinceMs: performance.now() };
      this.#shares.set(socket, share);
    }
    share.bytes += bytes;
    this.#total += bytes;
    while (this.#total > this.#bound) this.#cutOff();
  }

  release(socket: Socket, bytes: number): void {
    const share = this.#shares.get(socket);
    // Its connection has ended, and all it held went with it.
    if (share === undefined) return;
    share.bytes -= bytes;
    share.sinceMs = performance.now();
    this.#total -= bytes;
    if (share.bytes <= 0) this.#shares.delete(socket);
  }

  /** The connection has ended. */
  releaseAll(socket: Socket): void {
    this.#total -= this.#shares.get(socket)?.bytes ?? 0;
    this.#shares.delete(socket);
  }

  /** Whoever has held most for longest: neither a large upload that is quick nor a small one that waits. */
  #cutOff(): void {
    const nowMs = performance.now();
    let [worst, worstCost]: [Socket | null, number] = [null, -1];
    for (const [socket, { bytes, sinceMs }] of this.#shares) {
      const cost = bytes * (1 + nowMs - sinceMs);
      if (cost > worstCost) [worst, worstCost] = [socket, cost];
    }
    if (worst === null) throw new RangeError('held by nobody');
    this.#warn('clients that send or read too slowly hold more memory than they may: some are cut off');
    this.releaseAll(worst);
    worst.destroy();
  }
}
