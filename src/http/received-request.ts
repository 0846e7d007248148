/** A request that the server has received: its head, and its body until the response is ready. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { IsWanted } from '../call-result.ts';
import { type Body, collectBody, drainBody } from './body.ts';
import type { ClientConnection } from './client-connection.ts';
import type { Connections } from './connections.ts';
import type { HeldMemory } from './held-memory.ts';
import type { Request } from './request.ts';

/** The limits on connections and memory that a request counts towards while it is answered. */
export interface Bounds {
  readonly connections: Connections;
  readonly held: HeldMemory;
}

const AWAITS_CONTINUE = /(?:^|\W)100-continue(?:$|\W)/i;

export class ReceivedRequest implements Request {
  readonly client: ClientConnection;
  readonly message: IncomingMessage;
  /** Node's own object for the response. */
  readonly response: ServerResponse;
  readonly method: string;
  readonly target: string;
  readonly authorization: string | undefined;
  readonly requestId: string | undefined;
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly purpose: string | undefined;
  readonly lastEventId: string | undefined;
  readonly approval: string | undefined;
  readonly isWanted: IsWanted;
  startedAtMs = 0;
  /** The bytes of the response while the kernel may not have taken them; zeroed when the response is closed. */
  sentBody: Body | null = null;
  /** Bytes that the connection is charged with until the response is closed. */
  sentBytes = 0;
  /** Whether the request has a body or declares one. */
  readonly hasBody: boolean;
  readonly #bounds: Bounds;
  /** Whether the client waits for `100 Continue`. If it is never sent, Node closes the connection after the response. */
  #isHeldBack: boolean;
  /** Bytes of the body that are charged while the request is answered. */
  #workBytes = 0;

  constructor(client: ClientConnection, response: ServerResponse, bounds: Bounds) {
    const message = response.req;
    const { method = '', url = '/', headers } = message;
    this.client = client;
    this.message = message;
    this.response = response;
    this.method = method;
    this.target = url;
    this.authorization = headers.authorization;
    this.requestId = headers['x-request-id']?.toString();
    this.ifMatch = headers['if-match'];
    this.ifNoneMatch = headers['if-none-match'];
    this.purpose = headers['x-purpose']?.toString();
    this.lastEventId = headers['last-event-id']?.toString();
    this.approval = headers['x-approval']?.toString();
    this.isWanted = client.isOpen;
    this.hasBody = headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
    this.#bounds = bounds;
    this.#isHeldBack = headers.expect !== undefined && AWAITS_CONTINUE.test(headers.expect);
  }

  get asker(): string | null {
    return this.client.asker;
  }

  async readBody(maxSize: number): Promise<Body | null> {
    if (!this.hasBody) return null;
    const body = await collectBody(this.message, maxSize, this.client, () => this.#invite());
    // At once: in a turn of the event loop, others could take its place.
    this.#workBytes = body?.buffer.byteLength ?? 0;
    this.#bounds.held.startWork(this.#workBytes);
    this.#bounds.connections.move(this.client, this.#bounds.connections.served, performance.now());
    return body;
  }

  #invite(): void {
    if (this.#isHeldBack) this.response.writeContinue();
    this.#isHeldBack = false;
  }

  /** Discards the rest of the body. If the connection is to be closed, resolves when the client has sent all of it. */
  async endBody(): Promise<void> {
    this.releaseBody();
    const drained = drainBody(this.message);
    if (!this.response.shouldKeepAlive && !this.#isHeldBack) await drained;
  }

  releaseBody(): void {
    this.#bounds.held.endWork(this.#workBytes);
    this.#workBytes = 0;
  }

  onGone(listener: () => void): void {
    // The request is told of the end of its connection even while its response waits behind another.
    if (this.message.destroyed) listener();
    else this.message.once('close', listener);
  }

  onDisconnect(listener: () => void): () => void {
    const { socket } = this.client;
    if (socket.destroyed) listener();
    socket.once('close', listener);
    return () => socket.off('close', listener);
  }
}
