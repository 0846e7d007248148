/**
 * What the server keeps of one client connection, from its acceptance to its end. What is decided by it is decided
 * elsewhere: which connection is closed for a new one (connections.ts), which has to give up memory (held-memory.ts), how
 * many of its requests are worked on at once (pipelining.ts).
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The id of a token, or of the owner's session; null while it is not known. */
export type Holder = string | null;

/** Bounds what all connections hold together (held-memory.ts). */
export interface MemoryBound {
  hold(connection: ClientConnection, bytes: number): void;
  release(connection: ClientConnection, bytes: number): void;
}

const CONNECTION = Symbol('client connection');

type Accepted = Socket & { [CONNECTION]?: ClientConnection };

export class ClientConnection {
  readonly socket: Socket;
  readonly #held: MemoryBound;
  /** Sent or not. An error of the connection belongs to the request of this response, or comes after it. */
  lastResponse: ServerResponse | null = null;

  /** The line of connections in which it stands, and since when; null once it has ended. */
  line: Set<ClientConnection> | null = null;
  inLineSinceMs = 0;

  /** Bytes of memory that it makes the daemon hold. */
  heldBytes = 0;
  /** When `heldBytes` last became less, or first became more than 0. */
  heldSinceMs = 0;
  /** Whose memory it counts as. */
  holder: Holder = null;
  /** Called instead of cutting the connection off, while a body is arriving that can be refused. */
  refuse: (() => void) | null = null;

  /** Requests whose response the client has not yet received, without those that wait. */
  requestsUnderWay = 0;
  readonly waitingRequests: (() => void)[] = [];
  reading: 'on' | 'stopping' | 'off' = 'on';

  /** Bodies of responses that wait behind another response; each is zeroed when the connection ends. */
  readonly queuedBodies = new Set<Uint8Array<ArrayBuffer>>();

  constructor(socket: Socket, held: MemoryBound) {
    this.socket = socket;
    this.#held = held;
    (socket as Accepted)[CONNECTION] = this;
  }

  /** The connection of a socket that the server has accepted. */
  static of(socket: Socket): ClientConnection {
    const connection = (socket as Accepted)[CONNECTION];
    if (connection === undefined) throw new RangeError('the server has not accepted this connection');
    return connection;
  }

  /** Charges it before the memory is allocated. Beyond the bound of all clients, this may cut off its own connection. */
  hold(bytes: number): void {
    this.#held.hold(this, bytes);
  }

  release(bytes: number): void {
    this.#held.release(this, bytes);
  }
}
