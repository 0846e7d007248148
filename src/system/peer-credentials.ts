/**
 * Which user and which process is at the other end of a Unix socket, as the kernel says: SO_PEERCRED of unix(7), and
 * /proc/PID/comm of proc(5). Node has no API for the first but node:ffi, from 26.1 on and experimental, and its permission
 * model forbids the daemon the second.
 */
import type { dlopen } from 'node:ffi';
import { constants } from 'node:fs';
import type { Socket } from 'node:net';
import { loadFfi } from './load-ffi.ts';

/** socket(7), unix(7): `struct ucred` is pid, uid and gid, 4 bytes each. The pid is 0 if it has no number here. */
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const UCRED_SIZE = 12;
const PID_AT = 0;
const UID_AT = 4;
/** Offset of the size that the kernel is given. */
const SIZE_AT = 16;
const SCRATCH_SIZE = 64;
/** TASK_COMM_LEN of the kernel, the newline counted. */
const COMM_SIZE = 16;
/** Node names its first thread so, which hides what started it. */
const NODE_MAIN_THREAD = 'node-MainThread';

const SIGNATURES = {
  getsockopt: { arguments: ['i32', 'i32', 'i32', 'u64', 'u64'], return: 'i32' },
  open: { arguments: ['u64', 'i32'], return: 'i32' },
  read: { arguments: ['i32', 'u64', 'u64'], return: 'i64' },
  close: { arguments: ['i32'], return: 'i32' },
} as const;

/** Key of `process` under which the closed daemon keeps the library that it opened while that was permitted. */
export const HELD_CREDENTIALS = Symbol.for('maestrovault.credentials');

type Functions = ReturnType<typeof dlopen<typeof SIGNATURES>>['functions'];

/** Node's internal handle, which has no public API. */
type Handled = Socket & { readonly _handle?: { readonly fd?: number } };

/** The process that connected. */
export interface Peer {
  readonly userId: number;
  /** null if the process has no number that this one could know it by: it lives in another PID namespace. */
  readonly pid: number | null;
}

export class PeerCredentials {
  readonly #functions: Functions;
  /** Memory of its own whose address is known: finding one out takes a permission that the daemon gives up. */
  readonly #scratch = new DataView(new ArrayBuffer(SCRATCH_SIZE));
  readonly #address: bigint;

  private constructor({ dlopen, getRawPointer }: typeof import('node:ffi')) {
    // null: what this process has loaded already.
    this.#functions = dlopen(null, SIGNATURES).functions;
    this.#address = BigInt(getRawPointer(this.#scratch.buffer));
  }

  /** Returns null on other systems than Linux, and where Node has no node:ffi. */
  static open(): PeerCredentials | null {
    if (process.platform !== 'linux') return null;
    const held = (globalThis as { [HELD_CREDENTIALS]?: PeerCredentials | null })[HELD_CREDENTIALS];
    if (held !== undefined) return held;
    const ffi = loadFfi();
    try {
      return ffi === null ? null : new PeerCredentials(ffi);
    } catch {
      return null;
    }
  }

  /** Returns the user who connected or, for a client, who listens; null if the kernel does not say. */
  findUser(socket: Socket): number | null {
    return this.findPeer(socket)?.userId ?? null;
  }

  /** As findUser, for a socket's descriptor. */
  findUserOf(descriptor: number): number | null {
    return this.#findPeerOf(descriptor)?.userId ?? null;
  }

  /** Returns the user and the process at the time when they connected; null if the kernel does not say. */
  findPeer(socket: Socket): Peer | null {
    const descriptor = (socket as Handled)._handle?.fd;
    return descriptor === undefined ? null : this.#findPeerOf(descriptor);
  }

  #findPeerOf(descriptor: number): Peer | null {
    this.#scratch.setUint32(SIZE_AT, UCRED_SIZE, true);
    const [into, size] = [this.#address, this.#address + BigInt(SIZE_AT)];
    if (this.#functions.getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, into, size) !== 0) return null;
    const pid = this.#scratch.getInt32(PID_AT, true);
    return { userId: this.#scratch.getUint32(UID_AT, true), pid: pid > 0 ? pid : null };
  }

  /**
   * Returns the name of the program that the process runs, at most 15 bytes of it; null if it cannot be read. The kernel sets
   * the name when the program starts, and the process may choose another.
   */
  findProgram(pid: number): string | null {
    const bytes = Buffer.from(this.#scratch.buffer);
    bytes.write(`/proc/${pid}/comm\0`);
    const descriptor = this.#functions.open(this.#address, constants.O_RDONLY);
    if (descriptor < 0) return null;
    const size = Number(this.#functions.read(descriptor, this.#address, BigInt(COMM_SIZE)));
    this.#functions.close(descriptor);
    if (size <= 1) return null;
    const name = bytes.toString('utf8', 0, size - 1);
    return name === NODE_MAIN_THREAD ? 'node' : name;
  }
}
