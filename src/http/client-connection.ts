/**
 * What the server keeps of one client connection, from its acceptance to its end. The policies are elsewhere: which
 * connection is closed for a new one (connections.ts), which one has to give up memory (held-memory.ts), and how many of its
 * requests are worked on at once (pipelining.ts).
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FindAsker } from './asker.ts';
import type { InLine, Line } from './connection-line.ts';

/** The id of a token, or of the owner's session; null while it is not known. */
export type Holder = string | null;

/** Bounds what all connections hold together (held-memory.ts). */
export interface MemoryBound {
  hold(connection: ClientConnection, bytes: number): void;
  release(connection: ClientConnection, bytes: number): void;
}

const CONNECTION = Symbol('client connection');

type Accepted = Socket & { [CONNECTION]?: ClientConnection };

export class ClientConnection implements InLine<ClientConnection> {
  readonly socket: Socket;
  readonly #held: MemoryBound;
  readonly #findAsker: FindAsker;
  /** undefined: not looked for yet. */
  #asker: string | null | undefined;
  /** Node's object for the last response, sent or not. An error of the connection concerns its request, or comes after it. */
  lastResponse: ServerResponse | null = null;

  /** The line of connections in which it stands; null once it has ended. */
  line: Line<ClientConnection> | null = null;
  ahead: ClientConnection | null = null;
  behind: ClientConnection | null = null;
  inLineSinceMs = 0;

  /** Bytes of memory that it makes the daemon hold. */
  heldBytes = 0;
  /** When `heldBytes` last became less, or first became more than 0. */
  heldSinceMs = 0;
  /** The principal whose memory it counts as. */
  holder: Holder = null;
  /** Refuses the body that is arriving, which the server does rather than cut the connection off; null if none is. */
  refuse: (() => void) | null = null;

  /** Requests whose response the client has not yet received, without those that wait. */
  requestsUnderWay = 0;
  /** Starts each request that waits for its turn. */
  readonly waitingRequests: (() => void)[] = [];
  reading: 'on' | 'stopping' | 'off' = 'on';

  /** Bodies of responses that wait behind another response; each is zeroed when the connection ends. */
  readonly queuedBodies = new Set<Uint8Array<ArrayBuffer>>();

  readonly isOpen = (): boolean => !this.socket.destroyed;

  constructor(socket: Socket, held: MemoryBound, findAsker: FindAsker = () => null) {
    this.socket = socket;
    this.#held = held;
    this.#findAsker = findAsker;
    (socket as Accepted)[CONNECTION] = this;
  }

  /** The connection of a socket that the server has accepted. */
  static of(socket: Socket): ClientConnection {
    const connection = (socket as Accepted)[CONNECTION];
    if (connection === undefined) throw new RangeError('the server has not accepted this connection');
    return connection;
  }

  /** The JSON of the Asker that connected; null where the kernel does not say. Looked for once, when it is first needed. */
  get asker(): string | null {
    if (this.#asker === undefined) this.#asker = this.#findAsker(this.socket);
    return this.#asker;
  }

  /** Charges memory before it is allocated. Beyond the bound of all clients, this may cut off this very connection. */
  hold(bytes: number): void {
    this.#held.hold(this, bytes);
  }

  release(bytes: number): void {
    this.#held.release(this, bytes);
  }
}
