/** The two ends of a Connection's bytes: what it needs of a socket, and node:net's socket as that. */
import type { Socket } from 'node:net';

export interface ChannelListener {
  onData(chunk: Buffer): void;
  onError(error: Error): void;
  /** No more bytes come; also after `destroy`. */
  onClose(): void;
}

export interface Channel {
  /** Once, before anything else. */
  listen(listener: ChannelListener): void;
  /** Sends a request's head, which is latin1, and its body. An answer is awaited from now on, and keeps the process running. */
  send(head: string, body: Uint8Array | null): void;
  /** No answer is awaited any more. */
  rest(): void;
  destroy(): void;
}

export class NetChannel implements Channel {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  listen({ onData, onError, onClose }: ChannelListener): void {
    this.#socket.on('data', onData).on('error', onError).on('close', onClose);
  }

  send(head: string, body: Uint8Array | null): void {
    this.#socket.ref();
    this.#socket.cork();
    this.#socket.write(head, 'latin1');
    if (body !== null) this.#socket.write(body);
    this.#socket.uncork();
  }

  rest(): void {
    this.#socket.unref();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
