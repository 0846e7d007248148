/** The HTTP server on the Unix socket: bytes in, `answerRequest`, bytes out, zeroed when they have been handed on. */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../../workers/messages.ts';
import { warnSeldom } from '../log/rate-limited-warning.ts';
import { type Answer, answerRequest, type Backend, refuse } from './answer.ts';
import { ClientGoneError, drainBody, hasBody, readBody, refuseBody } from './body.ts';
import { Connections } from './connections.ts';
import { HttpError } from './errors.ts';
import { HELD_BYTES, HeldMemory } from './held-memory.ts';
import { takeTurn } from './pipelining.ts';
import { streamAnswer } from './stream.ts';
import { holdUntilTaken, separate, wipeWhenSent } from './wipe.ts';

/** Told of every request that was answered. */
export type LogRequest = (line: {
  /** null where none could be read. */
  readonly method: string | null;
  readonly answer: Answer;
  readonly durationMs: number;
}) => void;

const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;
/**
 * Node looks for overdue requests this often. Its default would let them have half a minute more; and all that it finds at
 * once is dealt with at once, while everybody else waits.
 */
const TIMEOUT_CHECK_MS = 200;
const KEEP_ALIVE_MS = 60_000;
/** A client that has taken nothing of its answer for so long does not want it; found within twice that time. */
const STALLED_MS = 60_000;

/** A client that was refused a tunnel has so long to close its end. */
const TUNNEL_LINGER_MS = 1_000;

const LAST_RESPONSE = Symbol('last response');

/** With its last response, sent or not: an error of the connection is its request's, or comes after it. */
interface Connection extends Duplex {
  [LAST_RESPONSE]?: ServerResponse;
}

export interface ServerLimits {
  /** How many connections there may be. */
  readonly connections: number;
  /** How many bytes all clients together may make it hold; absent: 80 MiB. */
  readonly heldBytes?: number;
  /** Told, seldom, that one of these was reached. */
  readonly report: (event: 'warning', detail: string) => void;
}

/** What the server knows while it answers a request. */
interface Serving {
  readonly backend: Backend;
  readonly connections: Connections;
  readonly held: HeldMemory;
  readonly logRequest: LogRequest;
  isStopping(): boolean;
}

export function createApiServer(backend: Backend, logRequest: LogRequest, limits: ServerLimits): Server {
  const warn = warnSeldom((text) => limits.report('warning', text));
  const connections = new Connections(limits.connections, warn);
  const held = new HeldMemory(limits.heldBytes ?? HELD_BYTES, warn);
  const serving = { backend, connections, held, logRequest, isStopping: () => !server.listening };
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    (request.socket as Connection)[LAST_RESPONSE] = response;
    takeTurn(response, held, () => void serve(serving, request, response));
  };
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // On a Unix socket a Host header says nothing; HTTP/1.1 clients that leave it out are served.
      requireHostHeader: false,
    },
    handle,
  );
  server.timeout = STALLED_MS;
  server.on('timeout', closeUnlessServed);
  connections.watch(server, (socket) => held.releaseAll(socket));
  // An expectation that we do not know is passed over (RFC 9110 section 10.1.1); Node would answer with no body.
  server.on('checkExpectation', handle);
  // A body is asked for by whoever reads it, when its client is known; Node would ask for each.
  server.on('checkContinue', handle);
  server.on('clientError', (error, socket) => refuseMalformed(error, socket, logRequest));
  server.on('connect', (request, socket, head) => void refuseTunnel(serving, request, socket, head));
  return server;
}

/** Nothing has moved for long: that is the daemon's doing while it makes an answer, and else the client's. */
function closeUnlessServed(socket: Socket): void {
  const response = (socket as Connection)[LAST_RESPONSE];
  const isServed = response !== undefined && !response.closed && socket.writableLength === 0;
  if (isServed) socket.setTimeout(STALLED_MS);
  else socket.destroy();
}

async function serve(serving: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { backend, connections, held, isStopping, logRequest } = serving;
  const startedAt = performance.now();
  const { method = '', socket } = request;
  if (!hasBody(request)) connections.noteRequest(socket);
  let isHeldBack = waitsForInvitation(request);
  const invite = () => {
    if (isHeldBack) response.writeContinue();
    isHeldBack = false;
  };
  const holding = held.by(socket);
  let endWork = () => {};
  try {
    const answer = await answerRequest(backend, {
      ...readHead(request),
      isWanted: () => !socket.destroyed,
      readBody: async (maxSize) => {
        const body = await readBody(request, maxSize, holding, invite);
        // Without a turn of the loop in between, in which others could take its place.
        endWork = held.work(body?.buffer.byteLength ?? 0);
        connections.noteRequest(socket);
        return body;
      },
      onGone: (listener) => callWhenGone(request, listener),
      onDisconnect: (listener) => callWhenClosed(socket, listener),
      onPrincipal: ({ id }) => holding.attribute(id),
    });
    endWork();
    // Once the daemon is stopping, a connection ends with the answer that it waits for.
    if (isStopping() || answer.isLast) response.shouldKeepAlive = false;
    const drained = drainBody(request);
    if (!response.shouldKeepAlive && !isHeldBack) await drained;
    let sent = answer;
    connections.noteAnswer(socket);
    if (answer.rest === null) send(response, method, answer, held);
    else sent = await sendInPieces(serving, response, method, answer);
    logRequest({ method, answer: sent, durationMs: performance.now() - startedAt });
  } catch (error) {
    if (!(error instanceof ClientGoneError)) throw error;
  } finally {
    endWork();
  }
}

/** Whether its client sends the body once it is asked for it. If it never is, Node closes behind the answer. */
function waitsForInvitation({ headers }: IncomingMessage): boolean {
  return /(?:^|\W)100-continue(?:$|\W)/i.test(headers.expect ?? '');
}

function readHead({ method = '', url: target = '/', headers }: IncomingMessage) {
  return {
    method,
    target,
    authorization: headers.authorization,
    requestId: single(headers['x-request-id']),
    ifMatch: headers['if-match'],
    ifNoneMatch: headers['if-none-match'],
  };
}

/** The request hears of its connection's end even while its response waits behind another. */
function callWhenGone(request: IncomingMessage, listener: () => void): void {
  if (request.destroyed) listener();
  else request.once('close', listener);
}

/** Returns how to stop listening: a connection is used for many requests. */
function callWhenClosed(socket: Duplex, listener: () => void): () => void {
  if (socket.destroyed) listener();
  socket.once('close', listener);
  return () => socket.off('close', listener);
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? undefined : header;
}

function send(
  response: ServerResponse,
  method: string,
  { status, headers, body: given }: Answer,
  held: HeldMemory,
): void {
  const body = separate(response, given);
  if (!wipeWhenSent(response, body)) return;
  response.writeHead(status, headers as string[]);
  if (method === 'HEAD') return void response.end();
  response.end(body);
  holdUntilTaken(response, body, held);
}

/** As send, for an answer that has a rest; what the log should say of it. */
async function sendInPieces(
  { connections, held, isStopping }: Serving,
  response: ServerResponse,
  method: string,
  answer: Answer,
): Promise<Answer> {
  const { socket } = response.req;
  const onTaken = () => connections.noteAnswer(socket);
  const code = await streamAnswer(response, method, answer, held.by(socket), onTaken);
  // Told to stop meanwhile, when the head had said already that the connection stays.
  if (isStopping() && (socket as Connection)[LAST_RESPONSE] === response) socket.destroySoon();
  return { ...answer, code };
}

interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What Node's parser refuses before there is a request. */
const PARSER_REFUSALS: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: { code: 'headers_too_large', message: 'the headers are too large' },
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'request_timeout', message: 'the request took too long to arrive' },
};
const MALFORMED: Refusal = { code: 'bad_request', message: 'the request is not valid HTTP/1.1' };

interface ParserError extends NodeJS.ErrnoException {
  /** A copy of the bytes in which the parser found it. */
  readonly rawPacket?: Uint8Array;
}

/** Requests that came before the malformed bytes get their own answers first. */
function refuseMalformed(error: ParserError, socket: Duplex, logRequest: LogRequest): void {
  error.rawPacket?.fill(0);
  if (error.code === 'ECONNRESET' || !socket.writable || isSilent(socket as Socket)) {
    return void socket.destroy();
  }
  const refusal = PARSER_REFUSALS[error.code ?? ''] ?? MALFORMED;
  const response = (socket as Connection)[LAST_RESPONSE];
  if (response === undefined || (response.closed && response.req.complete)) {
    sendRefusal(socket, refusal, logRequest);
  } else if (response.req.complete) {
    response.once('close', () => sendRefusal(socket, refusal, logRequest));
  } else {
    refuseRest(response, refusal);
  }
}

/** It was opened and never used: nobody waits for an answer there. */
function isSilent(socket: Socket): boolean {
  return socket.bytesRead === 0;
}

/** The request's body is what is malformed or late: that is its answer, unless it has one already. */
function refuseRest(response: ServerResponse, { code, message }: Refusal): void {
  // By way of the request: a response that has been sent has let go of its socket.
  if (response.headersSent) return void response.req.socket.destroySoon();
  response.shouldKeepAlive = false;
  refuseBody(response.req, new HttpError(code, message));
}

/**
 * Node lets go of the socket of a CONNECT. Nobody else would hear its errors, which end the daemon, read it to its end,
 * or close it in time; and the daemon could not stop before its client left. `head`: what came behind the request.
 */
async function refuseTunnel(
  { backend, logRequest }: Serving,
  request: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
): Promise<void> {
  socket.on('error', () => socket.destroy());
  head.fill(0);
  socket.on('data', (chunk: Uint8Array) => chunk.fill(0));
  const answer = await answerRequest(backend, {
    ...readHead(request),
    isWanted: () => !socket.destroyed,
    readBody: () => Promise.resolve(null),
    onGone: (listener) => socket.once('close', listener),
    onDisconnect: (listener) => callWhenClosed(socket, listener),
  });
  const linger = setTimeout(() => socket.destroy(), TUNNEL_LINGER_MS);
  socket.once('close', () => clearTimeout(linger));
  sendLast(socket, 'CONNECT', answer, logRequest);
}

function sendRefusal(socket: Duplex, { code, message }: Refusal, logRequest: LogRequest): void {
  sendLast(socket, null, refuse(code, message), logRequest);
}

/** Writes an answer for which there is no ServerResponse, and ends the connection with it. */
function sendLast(socket: Duplex, method: string | null, answer: Answer, logRequest: LogRequest): void {
  if (!socket.writable) return void socket.destroy();
  const { status, headers, body } = answer;
  const pairs = [...headers, 'Connection', 'close'];
  const lines = pairs.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${pairs[index + 1]}`] : []));
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('\r\n')}\r\n\r\n`);
  socket.end(body);
  logRequest({ method, answer, durationMs: 0 });
}
