/** The HTTP server on the Unix socket: bytes in, `answerRequest`, bytes out, zeroed when they have been handed on. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../../workers/messages.ts';
import { type Answer, answerRequest, type Backend } from './answer.ts';
import { ClientGoneError, readBody } from './body.ts';
import { STATUS_OF } from './errors.ts';

/** Told of every request that was answered. */
export type LogRequest = (line: {
  readonly method: string;
  readonly answer: Answer;
  readonly durationMs: number;
}) => void;

const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;
/** Node looks for overdue requests this often; its default would let them have half a minute more. */
const TIMEOUT_CHECK_MS = 1_000;
const KEEP_ALIVE_MS = 60_000;

export function createApiServer(backend: Backend, logRequest: LogRequest): Server {
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // On a Unix socket a Host header says nothing; HTTP/1.1 clients that leave it out are served.
      requireHostHeader: false,
    },
    (request, response) => void serve(backend, request, response, logRequest),
  );
  server.on('clientError', refuseMalformed);
  return server;
}

async function serve(
  backend: Backend,
  request: IncomingMessage,
  response: ServerResponse,
  logRequest: LogRequest,
): Promise<void> {
  const startedAt = performance.now();
  const { method = '', url: target = '/', headers } = request;
  try {
    const answer = await answerRequest(backend, {
      method,
      target,
      authorization: headers.authorization,
      requestId: single(headers['x-request-id']),
      ifMatch: headers['if-match'],
      ifNoneMatch: headers['if-none-match'],
      readBody: () => readBody(request),
    });
    send(response, method, answer);
    logRequest({ method, answer, durationMs: performance.now() - startedAt });
  } catch (error) {
    if (!(error instanceof ClientGoneError)) throw error;
  }
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? undefined : header;
}

function send(response: ServerResponse, method: string, { status, headers, body }: Answer): void {
  const wipe = () => body.fill(0);
  // 'close' comes in every case; 'finish' only when the kernel has taken the bytes, but then at once.
  response.once('finish', wipe);
  response.once('close', wipe);
  response.writeHead(status, headers as string[]);
  if (method === 'HEAD') response.end();
  else response.end(body);
}

/** What Node's parser refuses before there is a request. */
const PARSER_REFUSALS: Readonly<Record<string, { readonly code: ErrorCode; readonly message: string }>> = {
  HPE_HEADER_OVERFLOW: { code: 'headers_too_large', message: 'the headers are too large' },
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'request_timeout', message: 'the request took too long to arrive' },
};
const MALFORMED = { code: 'bad_request', message: 'the request is not valid HTTP/1.1' } as const;

function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { code, message } = PARSER_REFUSALS[error.code ?? ''] ?? MALFORMED;
  const body = JSON.stringify({ error: message, code });
  socket.end(
    `HTTP/1.1 ${STATUS_OF[code]} ${code}\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n` +
      `Connection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
