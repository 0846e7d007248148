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
import { answerRequest, Exchange, type Respond } from './answer-request.ts';
import type { FindAsker } from './asker.ts';
import type { Backend } from './backend.ts';
import { ClientConnection } from './client-connection.ts';
import { Connections } from './connections.ts';
import { HELD_BYTES, HeldMemory } from './held-memory.ts';
import type { HttpResponse } from './http-response.ts';
import { awaitTurn, giveTurn, takeTurn } from './pipelining.ts';
import { type Bounds, ReceivedRequest } from './received-request.ts';
import { closeTunnel, refuseMalformed, takeOver } from './refusals.ts';
import { discardBody, endSending, sendWhole, type WholeResponse } from './send.ts';
import { type ListResponse, sendInPieces } from './send-in-pieces.ts';

const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;
/**
 * How often Node looks for overdue requests. With its default of 30 s they would have that much more time, and all those
 * found at once would be dealt with at once, while the other clients wait.
 */
const TIMEOUT_CHECK_MS = 200;
/**
 * A connection on which nothing has moved for this time is closed: its client has sent no request, or takes nothing of its
 * response (then within twice this time).
 */
const IDLE_MS = 60_000;
/** Tells the client of it. */
const KEEP_ALIVE = `timeout=${IDLE_MS / 1_000}`;

export interface ApiServerOptions {
  /** How many connections there may be. */
  readonly connections: number;
  /** How many bytes all clients together may make the daemon hold; absent: 80 MiB. */
  readonly heldBytes?: number;
  /** Absent: nobody says who asks. */
  readonly findAsker?: FindAsker | undefined;
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
  readonly respond: Respond<ReceivedRequest>;
}

const REQUEST = Symbol('received request');

/** Node's object for a response, with the request that it answers. */
type Answering = ServerResponse & { [REQUEST]?: ReceivedRequest };

const SERVER_OPTIONS: ServerOptions = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: TIMEOUT_CHECK_MS,
  // `server.timeout` ends idle connections, too. Node would start a timer at the end of each response, and another one at the
  // next request.
  keepAliveTimeout: 0,
  // On a Unix socket a Host header says nothing. HTTP/1.1 clients that leave it out are served.
  requireHostHeader: false,
};

export function createApiServer(
  backend: Backend,
  logRequest: LogRequest,
  { connections: cap, heldBytes = HELD_BYTES, findAsker, report, onParsed = () => {} }: ApiServerOptions,
): Server {
  const warn = warnSeldom((text) => report('warning', text));
  const [connections, held] = [new Connections(cap, warn), new HeldMemory(heldBytes, warn)];
  const server = createServer(SERVER_OPTIONS);
  const respondTo: Respond<ReceivedRequest> = (request, response) => respond(serving, request, response);
  const serving: Serving = { server, backend, connections, held, logRequest, respond: respondTo };
  server.timeout = IDLE_MS;
  server.on('connection', (socket: Socket) => accept(serving, socket, findAsker));
  server.on('timeout', closeUnlessServed);
  listenForRequests(serving, onParsed);
  server.on('clientError', (error, socket) => refuseMalformed(error, socket as Socket, logRequest));
  server.on('clientError', onParsed);
  server.on('connect', (message, socket, head) => void refuseTunnel(serving, message, socket, head));
  return server;
}

function listenForRequests(serving: Serving, onParsed: () => void): void {
  const { server } = serving;
  const receive = (message: IncomingMessage, response: Answering) => {
    const connection = ClientConnection.of(message.socket);
    connection.lastResponse = response;
    const request = new ReceivedRequest(connection, response, serving);
    response[REQUEST] = request;
    response.on('close', endRequest);
    if (request.hasBody) message.once('close', onParsed);
    if (takeTurn(connection)) serve(serving, request);
    else awaitTurn(connection, () => serve(serving, request));
  };
  server.on('request', receive);
  // An unknown expectation is ignored (RFC 9110 section 10.1.1). Node would answer it without a body.
  server.on('checkExpectation', receive);
  // `serve` asks for a body once its client is known. Node would ask for every body.
  server.on('checkContinue', receive);
}

function accept({ connections, held }: Serving, socket: Socket, findAsker?: FindAsker): void {
  const connection = new ClientConnection(socket, held, findAsker);
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
  if (isServed) socket.setTimeout(IDLE_MS);
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
function serve({ backend, connections, respond }: Serving, request: ReceivedRequest): void {
  request.startedAtMs = performance.now();
  if (!request.hasBody) connections.move(request.client, connections.served, request.startedAtMs);
  new Exchange(backend, request, respond).start();
}

/** Sends the response at once, unless something has to be waited for. null: the client has gone away. */
function respond(serving: Serving, request: ReceivedRequest, response: HttpResponse | null): void {
  if (response === null) return void request.releaseBody();
  const { response: message } = request;
  // Once the daemon is stopping, a connection ends with the response that it waits for.
  if (!serving.server.listening || response.isLast) message.shouldKeepAlive = false;
  // After a response of unknown length to a client that takes no chunks, Node ends the connection.
  const isKept = message.shouldKeepAlive && (response.rest === null || message.useChunkedEncodingByDefault);
  if (isKept) response.headers.push('Keep-Alive', KEEP_ALIVE);
  if (request.hasBody || response.rest !== null) void respondInSteps(serving, request, response);
  else send(serving, request, response);
}

async function respondInSteps(
  serving: Serving,
  request: ReceivedRequest,
  response: HttpResponse,
): Promise<void> {
  if (request.hasBody) await request.endBody();
  if (response.rest === null) send(serving, request, response);
  else await sendList(serving, request, response);
}

function send({ connections, logRequest }: Serving, request: ReceivedRequest, response: WholeResponse): void {
  sendWhole(request, response);
  const { client, method, startedAtMs } = request;
  const nowMs = performance.now();
  connections.move(client, connections.resting, nowMs);
  logRequest({ method, response, durationMs: nowMs - startedAtMs });
}

/** Sends a response that has a rest. */
async function sendList(
  { server, connections, logRequest }: Serving,
  { client, method, response: message, startedAtMs }: ReceivedRequest,
  response: ListResponse,
): Promise<void> {
  const line = response.isLive ? connections.served : connections.resting;
  const onTaken = () => connections.move(client, line, performance.now());
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
    ...{ method, target, authorization: headers.authorization, asker: null },
    requestId: headers['x-request-id']?.toString(),
    // No answer to a CONNECT depends on these.
    ...{ ifMatch: undefined, ifNoneMatch: undefined, purpose: undefined, approval: undefined },
    isWanted: () => !socket.destroyed,
    readBody: async () => null,
    // Node has let go of the socket, so the request is not told of its end.
    onGone: (listener) => socket.once('close', listener),
    onDisconnect: () => () => {},
  });
  closeTunnel(socket, response, logRequest);
}
