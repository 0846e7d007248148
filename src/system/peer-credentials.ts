/**
 * Which user is at the other end of a Unix socket, as the kernel says: SO_PEERCRED of unix(7). Node has no API for it but
 * node:ffi, from 26.1 on and experimental.
 */
import type { dlopen } from 'node:ffi';
import type { Socket } from 'node:net';
import { loadFfi } from './load-ffi.ts';

/** socket(7), unix(7): `struct ucred` is pid, uid and gid, 4 bytes each. */
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const UCRED_SIZE = 12;
const UID_AT = 4;
/** Offset of the size that the kernel is given. */
const SIZE_AT = 16;
const SCRATCH_SIZE = 32;

const SIGNATURES = {
  getsockopt: { arguments: ['i32', 'i32', 'i32', 'u64', 'u64'], return: 'i32' },
} as const;

/** Key of `process` under which the closed daemon keeps the library that it opened while that was permitted. */
export const HELD_CREDENTIALS = Symbol.for('maestrovault.credentials');

type GetSockOpt = ReturnType<typeof dlopen<typeof SIGNATURES>>['functions']['getsockopt'];

/** Node's internal handle, which has no public API. */
type Handled = Socket & { readonly _handle?: { readonly fd?: number } };

export class PeerCredentials {
  readonly #getsockopt: GetSockOpt;
  /** Memory of its own whose address is known: finding one out takes a permission that the daemon gives up. */
  readonly #scratch = new DataView(new ArrayBuffer(SCRATCH_SIZE));
  readonly #address: bigint;

  private constructor({ dlopen, getRawPointer }: typeof import('node:ffi')) {
    // null: what this process has loaded already.
    this.#getsockopt = dlopen(null, SIGNATURES).functions.getsockopt;
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
    const descriptor = (socket as Handled)._handle?.fd;
    return descriptor === undefined ? null : this.findUserOf(descriptor);
  }

  /** As findUser, for a socket's descriptor. */
  findUserOf(descriptor: number): number | null {
    this.#scratch.setUint32(SIZE_AT, UCRED_SIZE, true);
    const [into, size] = [this.#address, this.#address + BigInt(SIZE_AT)];
    const failed = this.#getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, into, size);
    return failed === 0 ? this.#scratch.getUint32(UID_AT, true) : null;
  }
}
