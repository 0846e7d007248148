/**
 * Bounds the number of connections: at the bound, each new connection closes an old one. No client is turned away, so a
 * flood of the socket loses its own connections, and the owner of the vault can still connect.
 */
import type { Warn } from '../log/rate-limited-warning.ts';
import type { ClientConnection } from './client-connection.ts';
import { Line } from './connection-line.ts';

/**
 * Multiplies the idle time of a connection that has not yet sent a complete request: it has sent nothing, or sends
 * headers or a body in drips. An honest client sends its request within milliseconds, and then rests for seconds.
 */
const UNPROVEN_WEIGHT = 4;

/**
 * Each connection stands in one of three lines. The connection that has been idle longest is closed: it has not yet sent a
 * request, or has its response, or does not read it. Only if there is no such connection, one is closed whose response is
 * being made.
 */
export class Connections {
  readonly #cap: number;
  readonly #warn: Warn;
  readonly #unproven = new Line<ClientConnection>();
  /** Connections whose client has a response, or a piece of one, to read. */
  readonly resting = new Line<ClientConnection>();
  /** Connections with a whole request, whose response is being made. */
  readonly served = new Line<ClientConnection>();

  /** `cap`: how many connections there may be, at least 2. */
  constructor(cap: number, warn: Warn) {
    if (!(cap >= 2)) throw new RangeError('a server needs two connections: one to close, one to serve');
    this.#cap = cap;
    this.#warn = warn;
  }

  add(connection: ClientConnection): void {
    if (this.#unproven.size + this.resting.size + this.served.size >= this.#cap) this.#closeOne();
    this.#unproven.join(connection, performance.now());
  }

  move(connection: ClientConnection, line: Line<ClientConnection>, nowMs: number): void {
    // A connection that was closed meanwhile must not come back.
    if (connection.line === null) return;
    connection.line.leave(connection);
    line.join(connection, nowMs);
  }

  remove(connection: ClientConnection): void {
    connection.line?.leave(connection);
  }

  #closeOne(): void {
    const connection = this.#findIdlest();
    if (connection === null) return;
    this.#warn(`more than ${this.#cap} connections: those that were idle longest are closed`);
    this.remove(connection);
    connection.socket.destroy();
  }

  #findIdlest(): ClientConnection | null {
    const nowMs = performance.now();
    const { first: unproven } = this.#unproven;
    const { first: resting } = this.resting;
    const unprovenMs = (nowMs - (unproven?.inLineSinceMs ?? nowMs)) * UNPROVEN_WEIGHT;
    const restingMs = nowMs - (resting?.inLineSinceMs ?? nowMs);
    const idle = unprovenMs > restingMs ? (unproven ?? resting) : (resting ?? unproven);
    return idle ?? this.served.first;
  }
}
