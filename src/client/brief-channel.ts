/**
 * The channel of a process that sends a few short requests and ends. It reads and writes the socket as a file, for which all
 * of Node that is needed is loaded already. What is more than one short request at a time goes by node:net, over the same
 * socket.
 *
 * A read waits in one of Node's threads for files, of which there are four. That is why a long-lived program has no such channel.
 */
import { closeSync, read, writevSync } from 'node:fs';
import type { SocketCalls } from '../system/socket-calls.ts';
import { type Channel, type ChannelListener, NetChannel } from './channel.ts';

const READ_SIZE = 65_536;
/** Of an answer. What is longer takes less time by node:net, the loading included. */
const MAX_ANSWER_SIZE = 131_072;
/** So much always fits into an empty socket, so that writing it never waits. */
const MAX_SHORT_SIZE = 16_384;

type Request = readonly [head: string, body: Uint8Array | null];

export class BriefChannel implements Channel {
  readonly #descriptor: number;
  readonly #calls: SocketCalls;
  /** Node waits for its threads when it exits, and so for a read. */
  readonly #onExit = () => this.#calls.shutDown(this.#descriptor);
  #listener: ChannelListener | null = null;
  #unsent: Request[] = [];
  #isReading = false;
  #awaitsAnswer = false;
  /** How much of the answer has arrived. */
  #arrivedSize = 0;
  #isDestroyed = false;
  /** The same socket, once node:net has it. */
  #successor: NetChannel | null = null;

  /** Takes the descriptor over. */
  constructor(descriptor: number, calls: SocketCalls) {
    this.#descriptor = descriptor;
    this.#calls = calls;
  }

  listen(listener: ChannelListener): void {
    this.#listener = listener;
  }

  send(head: string, body: Uint8Array | null): void {
    if (this.#successor !== null) {
      this.#successor.send(head, body);
      return;
    }
    this.#unsent.push([head, body]);
    // Not at once, because more requests may be made together with this one.
    if (this.#unsent.length === 1) process.nextTick(() => this.#begin());
  }

  rest(): void {
    this.#awaitsAnswer = false;
    this.#successor?.rest();
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    if (this.#successor === null) this.#close();
    else this.#successor.destroy();
  }

  #close(): void {
    this.#calls.shutDown(this.#descriptor);
    // While a thread reads it, its number must not become another file's.
    if (!this.#isReading) closeSync(this.#descriptor);
    process.nextTick(() => this.#listener?.onClose());
  }

  #begin(): void {
    // The read ends with the answer that is on its way, and goes on here.
    if (this.#isDestroyed || this.#isReading) return;
    const [first, ...more] = this.#unsent;
    if (first === undefined) return;
    const [head, body] = first;
    const isShort = head.length + (body?.length ?? 0) <= MAX_SHORT_SIZE;
    if (more.length > 0 || this.#awaitsAnswer || !isShort) this.#handOver();
    else this.#exchange(head, body);
  }

  #exchange(...[head, body]: Request): void {
    this.#unsent = [];
    this.#awaitsAnswer = true;
    this.#arrivedSize = 0;
    try {
      writevSync(this.#descriptor, [Buffer.from(head, 'latin1'), ...(body === null ? [] : [body])]);
    } catch {
      // The other side closed the connection. What it still said can be read, and then the end.
    }
    this.#read();
  }

  #read(): void {
    this.#isReading = true;
    process.once('exit', this.#onExit);
    read(this.#descriptor, Buffer.allocUnsafeSlow(READ_SIZE), 0, READ_SIZE, null, (error, size, bytes) => {
      this.#isReading = false;
      process.off('exit', this.#onExit);
      if (this.#isDestroyed) closeSync(this.#descriptor);
      else this.#take(error, bytes.subarray(0, size));
    });
  }

  #take(error: Error | null, chunk: Buffer): void {
    if (error !== null) this.#listener?.onError(error);
    else if (chunk.length > 0) this.#listener?.onData(chunk);
    if (error !== null || chunk.length === 0) this.destroy();
    if (this.#isDestroyed) return;
    this.#arrivedSize += chunk.length;
    if (this.#unsent.length > 0) this.#begin();
    else if (this.#awaitsAnswer && this.#arrivedSize > MAX_ANSWER_SIZE) this.#handOver();
    else if (this.#awaitsAnswer) this.#read();
  }

  /** Gives the socket, and what is to be sent, to node:net. */
  #handOver(): void {
    const { Socket } = process.getBuiltinModule('node:net');
    this.#successor = new NetChannel(new Socket({ fd: this.#descriptor, readable: true, writable: true }));
    if (this.#listener !== null) this.#successor.listen(this.#listener);
    for (const [head, body] of this.#unsent) this.#successor.send(head, body);
    this.#unsent = [];
  }
}
