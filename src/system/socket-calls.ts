/**
 * Connects Unix sockets by the C library's own calls (Linux, Node 26.1), which are there at once. node:net, the way that Node
 * offers, takes a short command longer to load than its request takes.
 */
import type { dlopen } from 'node:ffi';
import { closeSync } from 'node:fs';
import { loadFfi } from './load-ffi.ts';

/** socket(2), socket(7), shutdown(2). */
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_SNDTIMEO = 21;
const SHUT_RDWR = 2;
/** prctl(2). */
const PR_SET_NAME = 15;
/** `struct timeval`: seconds and microseconds, 8 bytes each. */
const TIMEVAL_SIZE = 16;
const MICROSECONDS_AT = 8;
/** unix(7): `struct sockaddr_un` is the family, 2 bytes, and the path with a zero byte at its end. */
const FAMILY_SIZE = 2;
const MAX_PATH_SIZE = 107;
const SCRATCH_SIZE = 128;

const SIGNATURES = {
  socket: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
  setsockopt: { arguments: ['i32', 'i32', 'i32', 'u64', 'u32'], return: 'i32' },
  connect: { arguments: ['i32', 'u64', 'u32'], return: 'i32' },
  prctl: { arguments: ['i32', 'u64'], return: 'i32' },
  shutdown: { arguments: ['i32', 'i32'], return: 'i32' },
} as const;

type Functions = ReturnType<typeof dlopen<typeof SIGNATURES>>['functions'];

export class SocketCalls {
  readonly #functions: Functions;
  readonly #scratch = Buffer.from(new ArrayBuffer(SCRATCH_SIZE));
  readonly #address: bigint;

  private constructor({ dlopen, getRawPointer }: typeof import('node:ffi')) {
    // null: what this process has loaded already.
    this.#functions = dlopen(null, SIGNATURES).functions;
    this.#address = BigInt(getRawPointer(this.#scratch.buffer));
  }

  /** Returns null on other systems than Linux, and where Node has no node:ffi. */
  static open(): SocketCalls | null {
    const ffi = process.platform === 'linux' ? loadFfi() : null;
    try {
      return ffi === null ? null : new SocketCalls(ffi);
    } catch {
      return null;
    }
  }

  /** Names this process for the kernel, which names it after Node otherwise. `name`: at most 15 bytes of ASCII. */
  nameProcess(name: string): void {
    this.#scratch.write(`${name}\0`);
    this.#functions.prctl(PR_SET_NAME, this.#address);
  }

  /**
   * Returns the descriptor of a socket that blocks; null if it cannot be connected at once, whatever the reason. Node's own
   * attempt at the same path says the reason.
   */
  connect(path: string): number | null {
    const size = Buffer.byteLength(path);
    if (size > MAX_PATH_SIZE || path.includes('\0')) return null;
    const descriptor = this.#functions.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return null;
    // Without a limit it would wait while more clients than the kernel's queue holds wait already.
    this.#limitSending(descriptor, 1);
    this.#scratch.fill(0);
    this.#scratch.writeUInt16LE(AF_UNIX);
    this.#scratch.write(path, FAMILY_SIZE);
    if (this.#functions.connect(descriptor, this.#address, FAMILY_SIZE + size + 1) === 0) {
      this.#limitSending(descriptor, 0);
      return descriptor;
    }
    closeSync(descriptor);
    return null;
  }

  /** Ends both directions: a read that waits in another thread returns. */
  shutDown(descriptor: number): void {
    this.#functions.shutdown(descriptor, SHUT_RDWR);
  }

  /** How long a connection or a write may wait; 0: without end. */
  #limitSending(descriptor: number, microseconds: number): void {
    this.#scratch.fill(0);
    this.#scratch.writeUInt32LE(microseconds, MICROSECONDS_AT);
    this.#functions.setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, this.#address, TIMEVAL_SIZE);
  }
}
