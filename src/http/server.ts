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
import type { LogRequest } from '../log/log.ts';
import { warnSeldom } from '../log/rate-limited-warning.ts';
import { answerRequest, type Backend } from './answer-request.ts';
import { ClientGoneError } from './body.ts';
import { ClientConnection } from './client-connection.ts';
import { Connections } from './connections.ts';
import { HELD_BYTES, HeldMemory } from './held-memory.ts';
import type { HttpResponse } from './http-response.ts';
import { giveTurn, takeTurn } from './pipelining.ts';
import { type Bounds, ReceivedRequest } from './received-request.ts';
import { closeTunnel, refuseMalformed, takeOver } from './refusals.ts';
import { discardBody, endSending, sendWhole } from './send.ts';
import { sendInPieces } from './send-in-pieces.ts';

const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;
/**
 * How often Node looks for overdue requests. With its default of 30 s they would have that much more time, and all those
 * found at once would be dealt with at once, while the other clients wait.
 */
const TIMEOUT_CHECK_MS = 200;
const KEEP_ALIVE_MS = 60_000;
/** A connection whose client takes nothing of its response for this time is closed, within twice this time. */
const STALLED_MS = 60_000;

export interface ApiServerOptions {
  /** How many connections there may be. */
  readonly connections: number;
  /** How many bytes all clients together may make the daemon hold; absent: 80 MiB. */
  readonly heldBytes?: number;
  /** Called, at most once in a while, when a limit was reached. */
  readonly report: (event: 'warning', detail: string) => void;
  /** Called when a body, or what should have been a request, has gone through Node's parser. */
  readonly onParsed?: () => void;
}

/** What the server needs to answer a request. */
interface Serving extends Bounds {
  readonly server: Server;
  readonly backend: Backend;
  readonly logRequest: LogRequest;
}

const REQUEST = Symbol('received request');

/** Node's object for a response, with the request that it answers. */
type Answering = ServerResponse & { [REQUEST]?: ReceivedRequest };

const SERVER_OPTIONS: ServerOptions = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: TIMEOUT_CHECK_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  // On a Unix socket a Host header says nothing. HTTP/1.1 clients that leave it out are served.
  requireHostHeader: false,
};

export function createApiServer(
  backend: Backend,
  logRequest: LogRequest,
  { connections: cap, heldBytes = HELD_BYTES, report, onParsed = () => {} }: ApiServerOptions,
): Server {
  const warn = warnSeldom((text) => report('warning', text));
  const [connections, held] = [new Connections(cap, warn), new HeldMemory(heldBytes, warn)];
  const server = createServer(SERVER_OPTIONS);
  const serving: Serving = {
    server,
    backend,
    connections,
    held,
    logRequest,
    serve: (request) => serve(serving, request),
  };
  server.timeout = STALLED_MS;
  server.on('connection', (socket: Socket) => accept(serving, socket));
  server.on('timeout', closeUnlessServed);
  const handle = (message: IncomingMessage, response: Answering) => {
    const connection = ClientConnection.of(message.socket);
    connection.lastResponse = response;
    const request = new ReceivedRequest(connection, response, serving);
    response[REQUEST] = request;
    response.on('close', endRequest);
    if (request.hasBody) message.once('close', onParsed);
    takeTurn(connection, request);
  };
  server.on('request', handle);
  // An unknown expectation is ignored (RFC 9110 section 10.1.1). Node would answer it without a body.
  server.on('checkExpectation', handle);
  // `serve` asks for a body once its client is known. Node would ask for every body.
  server.on('checkContinue', handle);
  server.on('clientError', (error, socket) => refuseMalformed(error, socket as Socket, logRequest));
  server.on('clientError', onParsed);
  server.on('connect', (message, socket, head) => void refuseTunnel(serving, message, socket, head));
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

/**
 * Called when nothing has moved on a connection for long. While a response is being made, that is the daemon's doing; else
 * it is the client's, and the connection is closed.
 */
function closeUnlessServed(socket: Socket): void {
  const { lastResponse } = ClientConnection.of(socket);
  const isServed = lastResponse !== null && !lastResponse.closed && socket.writableLength === 0;
  if (isServed) socket.setTimeout(STALLED_MS);
  else socket.destroy();
}

/** The response is closed: its client has all of it, or is gone. */
function endRequest(this: Answering): void {
  const request = this[REQUEST];
  if (request === undefined) return;
  endSending(request);
  giveTurn(request.client);
}

/** Answers in the same turn of the event loop what the request thread can answer by itself. */
function serve(serving: Serving, request: ReceivedRequest): void {
  const { backend, connections } = serving;
  const { client, hasBody } = request;
  request.startedAtMs = performance.now();
  if (!hasBody) connections.move(client, connections.served, request.startedAtMs);
  const response = answerRequest(backend, request);
  if (response instanceof Promise) void sendLater(serving, request, response);
  else if (hasBody || response.rest !== null) void sendLater(serving, request, Promise.resolve(response));
  else send(serving, request, response);
}

async function sendLater(
  serving: Serving,
  request: ReceivedRequest,
  answering: Promise<HttpResponse>,
): Promise<void> {
  try {
    const response = await answering;
    if (request.hasBody) {
      endConnectionAfter(serving, request, response);
      await request.endBody();
    }
    if (response.rest === null) send(serving, request, response);
    else await sendList(serving, request, response);
  } catch (error) {
    if (!(error instanceof ClientGoneError)) throw error;
  } finally {
    request.releaseBody();
  }
}

function send(serving: Serving, request: ReceivedRequest, response: HttpResponse): void {
  endConnectionAfter(serving, request, response);
  sendWhole(request, response);
  const { client, method, startedAtMs } = request;
  const nowMs = performance.now();
  serving.connections.move(client, serving.connections.resting, nowMs);
  serving.logRequest({ method, response, durationMs: nowMs - startedAtMs });
}

/** Once the daemon is stopping, a connection ends with the response that it waits for. */
function endConnectionAfter(
  { server }: Serving,
  { response: message }: ReceivedRequest,
  { isLast }: HttpResponse,
): void {
  if (!server.listening || isLast) message.shouldKeepAlive = false;
}

/** Sends a response that has a rest. */
async function sendList(serving: Serving, request: ReceivedRequest, response: HttpResponse): Promise<void> {
  const { server, connections, logRequest } = serving;
  const { client, method, response: message, startedAtMs } = request;
  endConnectionAfter(serving, request, response);
  const onTaken = () => connections.move(client, connections.resting, performance.now());
  onTaken();
  const code = await sendInPieces(message, method, response, client, onTaken);
  // The daemon was told to stop meanwhile, when the head had already said that the connection stays.
  if (!server.listening && client.lastResponse === message) client.socket.destroySoon();
  logRequest({ method, response: { ...response, code }, durationMs: performance.now() - startedAtMs });
}

/** Answers a CONNECT with an error. `head`: the bytes that came behind the request. */
async function refuseTunnel(
  { backend, logRequest }: Serving,
  { method = '', url: target = '/', headers }: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
): Promise<void> {
  takeOver(socket);
  head.fill(0);
  const response = await answerRequest(backend, {
    method,
    target,
    authorization: headers.authorization,
    requestId: headers['x-request-id']?.toString(),
    ifMatch: undefined,
    ifNoneMatch: undefined,
    isWanted: () => !socket.destroyed,
    readBody: async () => null,
    // Node has let go of the socket, so the request is not told of its end.
    onGone: (listener) => socket.once('close', listener),
    onDisconnect: () => () => {},
  });
  closeTunnel(socket, response, logRequest);
}
