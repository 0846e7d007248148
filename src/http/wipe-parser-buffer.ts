/**
 * Node's HTTP parser reads all connections of a thread into one buffer of its own, which no API reaches and nobody
 * zeroes: the end of a long request stays there until another one is as long. What does reach it is a connection, so
 * this process has one to itself, on which it sends as many zeros as that buffer holds.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { hasBody } from './body.ts';

/** `kAllocBufferSize` of Node's node_http_parser.cc. A Unix socket of Linux takes more than that at once. */
const BUFFER_SIZE = 65_536;
const ZEROS = Buffer.alloc(BUFFER_SIZE);
/** A request that never ends: the zeros are its body. */
const HEAD = `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${Number.MAX_SAFE_INTEGER}\r\n\r\n`;
/** However many bodies come meanwhile, they are overwritten together. */
const DELAY_MS = 10;

export class ParserBuffer {
  readonly #socket: Socket;
  #isScheduled = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Makes the connection by way of a socket in `folder`, where nobody else may put one; it is gone afterwards. */
  static async open(folder: string): Promise<ParserBuffer> {
    const patient = { headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0 };
    const server = createServer(patient, (request) => request.resume());
    server.listen(join(folder, `.${randomBytes(4).toString('hex')}`));
    await once(server, 'listening');
    const socket = connect(server.address() as string).unref();
    server.once('connection', (accepted) => accepted.unref());
    socket.write(HEAD);
    await once(server, 'request');
    // Takes the socket's name away, and leaves the connection.
    server.close();
    return new ParserBuffer(socket);
  }

  /** Soon after a body has been read by `server`, or what should have been a request, nothing is left of it. */
  watch(server: Server): void {
    const watchRequest = (request: IncomingMessage) => {
      if (hasBody(request)) request.once('close', () => this.#overwriteSoon());
    };
    server.on('request', watchRequest).on('checkExpectation', watchRequest);
    server.on('clientError', () => this.#overwriteSoon());
  }

  #overwriteSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setTimeout(() => {
      this.#isScheduled = false;
      this.#socket.write(ZEROS);
    }, DELAY_MS).unref();
  }

  close(): void {
    this.#socket.destroy();
  }
}
