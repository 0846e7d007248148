/** The HTTP server on the Unix socket: bytes in, `answerRequest`, bytes out, zeroed when they have been handed on. */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { warnSeldom } from '../log/rate-limited-warning.ts';
import { answerRequest, type Backend, type HttpResponse } from './answer-request.ts';
import { type Body, ClientGoneError, drainBody, hasBody, readBody } from './body.ts';
import { ClientConnection } from './client-connection.ts';
import { Connections } from './connections.ts';
import { HELD_BYTES, HeldMemory } from './held-memory.ts';
import { takeTurn } from './pipelining.ts';
import { closeTunnel, type LogRequest, refuseMalformed, takeOver } from './refusals.ts';
import { discardBody, sendWhole } from './send.ts';
import { sendInPieces } from './send-in-pieces.ts';

const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;
/**
 * How often Node looks for overdue requests. Its default of 30 s would let them have that much more, and all that it finds
 * at once is dealt with at once, while everybody else waits.
 */
const TIMEOUT_CHECK_MS = 200;
const KEEP_ALIVE_MS = 60_000;
/** A connection whose client takes nothing of its response for so long is closed, within twice that time. */
const STALLED_MS = 60_000;

export interface ServerLimits {
  /** How many connections there may be. */
  readonly connections: number;
  /** How many bytes all clients together may make the daemon hold; absent: 80 MiB. */
  readonly heldBytes?: number;
  /** Called, at most once in a while, when a limit was reached. */
  readonly report: (event: 'warning', detail: string) => void;
}

/** What the server needs to answer a request. */
interface Serving {
  readonly server: Server;
  readonly backend: Backend;
  readonly connections: Connections;
  readonly held: HeldMemory;
  readonly logRequest: LogRequest;
}

const SERVER_OPTIONS: ServerOptions = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: TIMEOUT_CHECK_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  // On a Unix socket a Host header says nothing. HTTP/1.1 clients that leave it out are served.
  requireHostHeader: false,
};

export function createApiServer(backend: Backend, logRequest: LogRequest, limits: ServerLimits): Server {
  const warn = warnSeldom((text) => limits.report('warning', text));
  const connections = new Connections(limits.connections, warn);
  const held = new HeldMemory(limits.heldBytes ?? HELD_BYTES, warn);
  const server = createServer(SERVER_OPTIONS);
  const serving = { server, backend, connections, held, logRequest };
  server.timeout = STALLED_MS;
  server.on('connection', (socket: Socket) => accept(serving, socket));
  server.on('timeout', closeUnlessServed);
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const connection = ClientConnection.of(request.socket);
    connection.lastResponse = response;
    takeTurn(connection, response, () => void serve(serving, connection, request, response));
  };
  server.on('request', handle);
  // An unknown expectation is ignored (RFC 9110 section 10.1.1). Node would answer it without a body.
  server.on('checkExpectation', handle);
  // `serve` asks for a body once its client is known. Node would ask for every body.
  server.on('checkContinue', handle);
  server.on('clientError', (error, socket) => refuseMalformed(error, socket as Socket, logRequest));
  server.on('connect', (request, socket, head) => void refuseTunnel(serving, request, socket, head));
  return server;
}

function accept({ connections, held }: Serving, socket: Socket): void {
  const connection = new ClientConnection(socket, held);
  connections.add(connection);
  socket.once('close', () => {
    connections.remove(connection);
    held.releaseAll(connection);
    for (const body of connection.queuedBodies) discardBody(body);
  });
}

/** Nothing has moved for long. While a response is being made that is the daemon's doing; else it is the client's. */
function closeUnlessServed(socket: Socket): void {
  const { lastResponse } = ClientConnection.of(socket);
  const isServed = lastResponse !== null && !lastResponse.closed && socket.writableLength === 0;
  if (isServed) socket.setTimeout(STALLED_MS);
  else socket.destroy();
}

async function serve(
  serving: Serving,
  connection: ClientConnection,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { server, backend, connections, logRequest } = serving;
  const startedAt = performance.now();
  const { method = '' } = request;
  const incoming = hasBody(request) ? new IncomingBody(serving, connection, response) : null;
  if (incoming === null) connections.move(connection, connections.served);
  try {
    const answer = await answerRequest(backend, {
      ...readHead(request, connection.socket),
      client: connection,
      readBody: async (maxSize) => incoming?.read(maxSize) ?? null,
    });
    // Once the daemon is stopping, a connection ends with the response that it waits for.
    if (!server.listening || answer.isLast) response.shouldKeepAlive = false;
    await incoming?.end();
    connections.move(connection, connections.resting);
    if (answer.rest === null) sendWhole(connection, response, method, answer);
    const code = answer.rest === null ? answer.code : await sendList(serving, connection, response, answer);
    logRequest({ method, answer: { ...answer, code }, durationMs: performance.now() - startedAt });
  } catch (error) {
    if (!(error instanceof ClientGoneError)) throw error;
  } finally {
    incoming?.release();
  }
}

/** The body of a request that has one, until its response is ready. */
class IncomingBody {
  readonly #serving: Serving;
  readonly #connection: ClientConnection;
  readonly #response: ServerResponse;
  /** Whether the client waits for `100 Continue`. If it is never sent, Node closes the connection after the response. */
  #isHeldBack: boolean;
  #workBytes = 0;

  constructor(serving: Serving, connection: ClientConnection, response: ServerResponse) {
    this.#serving = serving;
    this.#connection = connection;
    this.#response = response;
    this.#isHeldBack = /(?:^|\W)100-continue(?:$|\W)/i.test(response.req.headers.expect ?? '');
  }

  async read(maxSize: number): Promise<Body | null> {
    const { connections, held } = this.#serving;
    const body = await readBody(this.#response.req, maxSize, this.#connection, () => this.#invite());
    // At once: in a turn of the event loop, others could take its place.
    this.#workBytes = body?.buffer.byteLength ?? 0;
    held.startWork(this.#workBytes);
    connections.move(this.#connection, connections.served);
    return body;
  }

  #invite(): void {
    if (this.#isHeldBack) this.#response.writeContinue();
    this.#isHeldBack = false;
  }

  /** What is left of the body is not kept. Before the connection is closed, it is waited for. */
  async end(): Promise<void> {
    this.release();
    const drained = drainBody(this.#response.req);
    if (!this.#response.shouldKeepAlive && !this.#isHeldBack) await drained;
  }

  release(): void {
    this.#serving.held.endWork(this.#workBytes);
    this.#workBytes = 0;
  }
}

/** Sends a response that has a rest. Returns the code of the error that it breaks off with; else null. */
async function sendList(
  { server, connections }: Serving,
  connection: ClientConnection,
  response: ServerResponse,
  answer: HttpResponse,
): Promise<string | null> {
  const { method = '' } = response.req;
  const onTaken = () => connections.move(connection, connections.resting);
  const code = await sendInPieces(response, method, answer, connection, onTaken);
  // The daemon was told to stop meanwhile, when the head had already said that the connection stays.
  if (!server.listening && connection.lastResponse === response) connection.socket.destroySoon();
  return code;
}

/** `head`: what came behind the request. */
async function refuseTunnel(
  { backend, logRequest }: Serving,
  request: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
): Promise<void> {
  takeOver(socket);
  head.fill(0);
  const answer = await answerRequest(backend, {
    ...readHead(request, socket),
    readBody: () => Promise.resolve(null),
    // The request hears nothing of the end of this socket, which Node has let go of.
    onGone: (listener) => socket.once('close', listener),
  });
  closeTunnel(socket, answer, logRequest);
}

function readHead(request: IncomingMessage, socket: Duplex) {
  const { method = '', url: target = '/', headers } = request;
  return {
    method,
    target,
    authorization: headers.authorization,
    requestId: headers['x-request-id']?.toString(),
    ifMatch: headers['if-match'],
    ifNoneMatch: headers['if-none-match'],
    isWanted: () => !socket.destroyed,
    onGone: (listener: () => void) => {
      // The request hears of the end of its connection even while its response waits behind another.
      if (request.destroyed) listener();
      else request.once('close', listener);
    },
    onDisconnect: (listener: () => void) => {
      if (socket.destroyed) listener();
      socket.once('close', listener);
      return () => socket.off('close', listener);
    },
  };
}
