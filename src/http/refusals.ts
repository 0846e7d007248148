/** Ends connections on which a client sends bytes that are not a request, or asks for a tunnel, each with a response. */
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../../workers/messages.ts';
import type { LogRequest } from '../log/log.ts';
import { refuseBody } from './body.ts';
import { ClientConnection } from './client-connection.ts';
import { HttpError } from './errors.ts';
import { buildRefusal, type HttpResponse } from './http-response.ts';

/** How long a client that was refused a tunnel may take to close its end. */
const TUNNEL_LINGER_MS = 1_000;

interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Errors of Node's parser, by its code. */
const PARSER_REFUSALS: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: { code: 'headers_too_large', message: 'the headers are too large' },
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'request_timeout', message: 'the request took too long to arrive' },
};
const MALFORMED: Refusal = { code: 'bad_request', message: 'the request is not valid HTTP/1.1' };

interface ParserError extends NodeJS.ErrnoException {
  /** A copy of the bytes in which the parser found the error. */
  readonly rawPacket?: Uint8Array;
}

/** Refuses malformed bytes. Requests that came before them get their own responses first. */
export function refuseMalformed(error: ParserError, socket: Socket, logRequest: LogRequest): void {
  error.rawPacket?.fill(0);
  const isSilent = socket.bytesRead === 0;
  if (error.code === 'ECONNRESET' || !socket.writable || isSilent) return void socket.destroy();
  const refusal = PARSER_REFUSALS[error.code ?? ''] ?? MALFORMED;
  const { lastResponse } = ClientConnection.of(socket);
  if (lastResponse === null || (lastResponse.closed && lastResponse.req.complete)) {
    sendRefusal(socket, refusal, logRequest);
  } else if (lastResponse.req.complete) {
    lastResponse.once('close', () => sendRefusal(socket, refusal, logRequest));
  } else {
    refuseRest(lastResponse, refusal);
  }
}

/** Refuses a request whose body is malformed or late, unless its response has been sent. */
function refuseRest(response: ServerResponse, { code, message }: Refusal): void {
  // A response that has been sent has no socket any more; its request has.
  if (response.headersSent) return void response.req.socket.destroySoon();
  response.shouldKeepAlive = false;
  refuseBody(response.req, new HttpError(code, message));
}

/**
 * Takes over the socket of a CONNECT, which Node lets go of. Without listeners, an error of the socket would end the daemon,
 * and what the client sends would be neither read nor zeroed.
 */
export function takeOver(socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Uint8Array) => chunk.fill(0));
}

/** Sends the response and closes the socket soon: else the daemon could not stop before the client closes its end. */
export function closeTunnel(socket: Duplex, response: HttpResponse, logRequest: LogRequest): void {
  const linger = setTimeout(() => socket.destroy(), TUNNEL_LINGER_MS);
  socket.once('close', () => clearTimeout(linger));
  sendLast(socket, 'CONNECT', response, logRequest);
}

function sendRefusal(socket: Duplex, { code, message }: Refusal, logRequest: LogRequest): void {
  sendLast(socket, null, buildRefusal(code, message), logRequest);
}

/** Writes a response for which Node has no ServerResponse, and ends the connection with it. */
function sendLast(
  socket: Duplex,
  method: string | null,
  response: HttpResponse,
  logRequest: LogRequest,
): void {
  if (!socket.writable) return void socket.destroy();
  const { status, headers, body } = response;
  const pairs = [...headers, 'Connection', 'close'];
  const lines = pairs.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${pairs[index + 1]}`] : []));
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('\r\n')}\r\n\r\n`);
  socket.end(body);
  logRequest({ method, response, durationMs: 0 });
}
