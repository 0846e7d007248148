/**
 * Zeroes the buffer of Node's HTTP parser. The parser reads all connections of a thread into this one buffer, which no API
 * reaches: the end of a long request stays there until another request is as long. Only a connection can overwrite it, so
 * this process has one to itself, on which it sends as many zeros as the buffer holds.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';

/** `kAllocBufferSize` of Node's node_http_parser.cc. A Unix socket of Linux takes more than that at once. */
const BUFFER_SIZE = 65_536;
const ZEROS = Buffer.alloc(BUFFER_SIZE);
/** A request that never ends: the zeros are its body. */
const HEAD = `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${Number.MAX_SAFE_INTEGER}\r\n\r\n`;
/** All bodies that come within this time are overwritten together. */
const DELAY_MS = 10;

export class ParserBuffer {
  readonly #socket: Socket;
  #isScheduled = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Connects through a socket in `folder`, which no other user may write. The socket is gone afterwards. */
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

  /** Overwrites the buffer soon. Called when bytes that may be secret have gone through the parser. */
  overwriteSoon(): void {
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
