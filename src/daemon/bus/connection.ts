/**
 * A connection to a message bus (D-Bus), which calls methods of the bus and of its services and hears signals. It connects only
 * once.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Message, MethodCall } from './message.ts';
import { BadMessageError, decodeMessage, ERROR, encodeCall, measureMessage, SIGNAL } from './message.ts';

/** "Message Bus Messages". */
const BUS = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
} as const;
const CALL_MS = 2_000;
const MAX_LINE = 16_384;

/** Another program's error, or none of its answers in time. */
export class BusError extends Error {}

interface Waiting {
  readonly resolve: (reply: Message) => void;
  readonly reject: (error: Error) => void;
}

export class BusConnection {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  #received = Buffer.alloc(0);
  #serial = 0;
  /** Called for each signal, once `begin` has resolved. */
  onSignal: (signal: Message) => void = () => {};
  readonly #ended = Promise.withResolvers<void>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => this.#end());
  }

  /** `address`: as DBUS_SESSION_BUS_ADDRESS has it. Returns null if no bus of it can be reached. */
  static async open(address: string): Promise<BusConnection | null> {
    for (const path of listPaths(address)) {
      const socket = connect(path);
      try {
        await once(socket, 'connect', { signal: AbortSignal.timeout(CALL_MS) });
        return new BusConnection(socket);
      } catch {
        socket.destroy();
      }
    }
    return null;
  }

  /** Authenticates as this user ("Authentication Protocol", EXTERNAL). Rejects with BusError. */
  async begin(): Promise<void> {
    const user = Buffer.from(String(process.geteuid?.())).toString('hex');
    this.#socket.write(`\0AUTH EXTERNAL ${user}\r\n`);
    if (!(await this.#readLine()).startsWith('OK ')) throw new BusError('the bus refused this user');
    this.#socket.write('BEGIN\r\n');
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    await this.callBus('Hello');
  }

  async #readLine(): Promise<string> {
    const signal = AbortSignal.timeout(CALL_MS);
    let line = '';
    while (!line.includes('\r\n')) {
      const [chunk] = (await once(this.#socket, 'data', { signal }).catch(() => {
        throw new BusError('the bus did not answer');
      })) as [Buffer];
      line += chunk.toString('latin1');
      if (line.length > MAX_LINE) throw new BusError('the bus sent too much');
    }
    return line;
  }

  /** Calls a method of the bus itself. Rejects with BusError. */
  callBus(member: string, ...texts: readonly string[]): Promise<Message> {
    return this.call({ ...BUS, member, arguments: { texts } });
  }

  /** From now on this connection hears the signals of these rules, and the bus takes nothing from it. Rejects with BusError. */
  async becomeMonitor(rules: readonly string[]): Promise<void> {
    const monitoring = { ...BUS, interface: 'org.freedesktop.DBus.Monitoring', member: 'BecomeMonitor' };
    await this.call({ ...monitoring, arguments: { list: rules } });
  }

  /** Rejects with BusError if the answer is an error, or does not come in time. */
  call(method: MethodCall): Promise<Message> {
    this.#serial += 1;
    const serial = this.#serial;
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    const timer = setTimeout(() => reject(new BusError(`${method.member} was not answered`)), CALL_MS);
    this.#waiting.set(serial, { resolve, reject });
    this.#socket.write(encodeCall(serial, method));
    return promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(serial);
    });
  }

  /** Resolves when the bus has closed the connection or sent what is no message, or after `close`. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    try {
      for (;;) {
        const size = measureMessage(this.#received);
        if (size === null || this.#received.length < size) return;
        const message = decodeMessage(this.#received.subarray(0, size));
        this.#received = this.#received.subarray(size);
        this.#take(message);
      }
    } catch (error) {
      if (!(error instanceof BadMessageError)) throw error;
      this.#socket.destroy();
    }
  }

  #take(message: Message): void {
    const waiting = this.#waiting.get(message.replySerial);
    if (message.type === SIGNAL) this.onSignal(message);
    else if (message.type === ERROR) waiting?.reject(new BusError('the call failed'));
    else waiting?.resolve(message);
  }

  #end(): void {
    for (const { reject } of this.#waiting.values()) reject(new BusError('the bus is gone'));
    this.#ended.resolve();
  }
}

/** The paths of an address's Unix sockets ("Server Addresses"); an abstract one begins with a NUL. */
function listPaths(address: string): string[] {
  return address.split(';').flatMap((one) => {
    const [, kind, value = ''] = /^unix:(?:[^=]*=[^,]*,)*?(path|abstract)=([^,]*)/.exec(one) ?? [];
    if (kind === undefined) return [];
    const path = unescapeValue(value);
    return [kind === 'path' ? path : `\0${path}`];
  });
}

function unescapeValue(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
