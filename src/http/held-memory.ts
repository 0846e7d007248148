/**
 * The memory that clients make the daemon hold, and its bound for all of them together: bodies that are arriving or
 * wait for their answer, requests that wait behind others of their connection, answers that nobody takes. It is charged
 * before it is allocated. A client that sends or reads at an ordinary pace holds next to nothing; for the others the
 * bound is enough, and needs no clock that a slow but honest reader could run out of.
 */
import type { Socket } from 'node:net';
import type { Warn } from '../log/rate-limited-warning.ts';

/** 80 MiB: the largest body there is (of an import), and a quarter as much again. */
export const HELD_BYTES = 80 * 1_048_576;

/** Who holds it: a token's id, the owner's session, or nobody that is known yet. */
export type Holder = string | null;
/** The principal that is the command line's own. */
export const SESSION: Holder = 'session';

/** What one connection holds. */
export interface Holding {
  hold(bytes: number): void;
  release(bytes: number): void;
  /** As whose it counts from now on. */
  attribute(holder: Holder): void;
  /** Called in the place of cutting the connection off, while a body is arriving that can be refused; null: no longer. */
  onRefuse(refuse: (() => void) | null): void;
}

interface Share {
  bytes: number;
  /** When it last became less, or began. */
  sinceMs: number;
  holder: Holder;
  refuse: (() => void) | null;
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
      attribute: (holder) => {
        this.#shareOf(socket).holder = holder;
      },
      onRefuse: (refuse) => {
        this.#shareOf(socket).refuse = refuse;
      },
    };
  }

  /** Beyond the bound, requests are refused and connections cut off until it is kept: perhaps this one. */
  hold(socket: Socket, bytes: number): void {
    if (socket.destroyed) return;
    this.#shareOf(socket).bytes += bytes;
    this.#total += bytes;
    while (this.#total > this.#bound) this.#takeBack();
  }

  release(socket: Socket, bytes: number): void {
    const share = this.#shares.get(socket);
    // Its connection has ended, and all it held went with it.
    if (share === undefined) return;
    share.bytes -= bytes;
    share.sinceMs = performance.now();
    this.#total -= bytes;
  }

  /**
   * Whole bodies that a request is being answered for: they count, until the function that this returns is called, and
   * cannot be taken back.
   */
  work(bytes: number): () => void {
    let left = bytes;
    this.#total += left;
    return () => {
      this.#total -= left;
      left = 0;
    };
  }

  /** The connection has ended. */
  releaseAll(socket: Socket): void {
    this.#total -= this.#shares.get(socket)?.bytes ?? 0;
    this.#shares.delete(socket);
  }

  /** Of a connection that has ended it is kept nowhere. */
  #shareOf(socket: Socket): Share {
    const known = this.#shares.get(socket);
    if (known !== undefined) return known;
    const share: Share = { bytes: 0, sinceMs: performance.now(), holder: null, refuse: null };
    if (!socket.destroyed) this.#shares.set(socket, share);
    return share;
  }

  /** A body that is arriving gets an answer that says so; what else is held can only end with its connection. */
  #takeBack(): void {
    const [socket, share] = this.#findWorst();
    this.#warn('clients hold more memory than they may together: some are refused or cut off');
    const { bytes, refuse } = share;
    share.refuse = null;
    refuse?.();
    if (share.bytes < bytes) return;
    this.releaseAll(socket);
    socket.destroy();
  }

  /**
   * Of the holder that has held most for longest with all its connections together, the worst of these: neither a large
   * upload that is quick nor a small one that waits, and however many connections one holder opens. The owner's session
   * comes last.
   */
  #findWorst(): [Socket, Share] {
    const nowMs = performance.now();
    const costOf = ({ bytes, sinceMs }: Share) => bytes * (1 + nowMs - sinceMs);
    const costs = new Map<Holder, number>();
    for (const share of this.#shares.values())
      if (share.bytes > 0) costs.set(share.holder, (costs.get(share.holder) ?? 0) + costOf(share));
    const others = [...costs].filter(([holder]) => holder !== SESSION);
    const [holder] = others.reduce(
      (worst, one) => (one[1] > worst[1] ? one : worst),
      others[0] ?? [SESSION, 0],
    );
    let worst: [Socket, Share] | null = null;
    for (const entry of this.#shares)
      if (entry[1].holder === holder && entry[1].bytes > 0)
        if (worst === null || costOf(entry[1]) > costOf(worst[1])) worst = entry;
    if (worst === null) throw new RangeError('held by nobody');
    return worst;
  }
}
