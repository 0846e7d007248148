/**
 * How many connections the daemon has, and which one it closes for a new one when it can have no more. Nobody is turned
 * away: whoever floods the socket loses connections of the flood, not the owner of the vault a way in.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Warn } from '../log/rate-limited-warning.ts';

/** Connections in the order in which they came there, and when each did. */
type Line = Map<Socket, number>;

/**
 * How much older than it is a connection counts that was never good for a whole request: it has sent nothing, or headers
 * or a body in drips. An honest client sends its request within milliseconds, and then rests for seconds.
 */
const UNPROVEN_WEIGHT = 4;

/**
 * Three lines of connections. The one that goes is the one that has been idle for longest, whether it has yet to be good
 * for a request, or rests after an answer or before it takes that; only then one whose answer is being made.
 */
export class Connections {
  readonly #cap: number;
  readonly #warn: Warn;
  readonly #unproven: Line = new Map();
  readonly #resting: Line = new Map();
  readonly #served: Line = new Map();

  /** `cap`: how many there may be, 2 at least. */
  constructor(cap: number, warn: Warn) {
    if (!(cap >= 2)) throw new RangeError('a server needs two connections: one to close, one to serve');
    this.#cap = cap;
    this.#warn = warn;
  }

  /** Has an eye on every connection of `server`; tells `onEnd` of the end of each. */
  watch(server: Server, onEnd: (socket: Socket) => void): void {
    server.on('connection', (socket: Socket) => {
      if (this.#count() >= this.#cap) this.#closeOne();
      this.#unproven.set(socket, performance.now());
      socket.once('close', () => {
        this.#leave(socket);
        onEnd(socket);
      });
    });
  }

  /** A whole request has arrived; its answer is being made. */
  noteRequest(socket: Socket): void {
    this.#move(socket, this.#served);
  }

  /** An answer, or a piece of it, is the client's to take now. */
  noteAnswer(socket: Socket): void {
    this.#move(socket, this.#resting);
  }

  #count(): number {
    return this.#unproven.size + this.#resting.size + this.#served.size;
  }

  #move(socket: Socket, line: Line): void {
    // One that was closed meanwhile must not come back.
    if (this.#leave(socket)) line.set(socket, performance.now());
  }

  #leave(socket: Socket): boolean {
    return this.#resting.delete(socket) || this.#served.delete(socket) || this.#unproven.delete(socket);
  }

  #closeOne(): void {
    const socket = this.#findIdlest();
    if (socket === undefined) return;
    this.#warn(`more than ${this.#cap} connections: those that were idle longest are closed`);
    this.#leave(socket);
    socket.destroy();
  }

  #findIdlest(): Socket | undefined {
    const nowMs = performance.now();
    const [unproven, unprovenSinceMs = nowMs] = first(this.#unproven);
    const [resting, restingSinceMs = nowMs] = first(this.#resting);
    const unprovenMs = (nowMs - unprovenSinceMs) * UNPROVEN_WEIGHT;
    const idle = unprovenMs > nowMs - restingSinceMs ? (unproven ?? resting) : (resting ?? unproven);
    return idle ?? first(this.#served)[0];
  }
}

function first(line: Line): [Socket, number] | [] {
  return line.entries().next().value ?? [];
}
