/**
 * The calls of the C library that close a process and for which Node has no other name. They come by node:ffi, which
 * Node has from 26.1 on and calls experimental: whatever goes wrong here leaves a protection off, and that is told.
 */
import type { dlopen } from 'node:ffi';

/** prctl(2), seccomp(2), linux/prctl.h. */
const PR_GET_DUMPABLE = 3;
const PR_SET_DUMPABLE = 4;
const PR_GET_SECCOMP = 21;
const PR_SET_SECCOMP = 22;
const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_MODE_FILTER = 2;
/** getrlimit(2). */
const RLIMIT_CORE = 4;
/** fcntl(2). */
const F_SETFD = 2;

/** For what is handed to the kernel and taken from it, side by side. */
const SCRATCH_SIZE = 1_024;

const SIGNATURES = {
  prctl: { arguments: ['i32', 'u64', 'u64', 'u64', 'u64'], return: 'i32' },
  setrlimit: { arguments: ['i32', 'u64'], return: 'i32' },
  getrlimit: { arguments: ['i32', 'u64'], return: 'i32' },
  fcntl: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
  chdir: { arguments: ['u64'], return: 'i32' },
  alarm: { arguments: ['u32'], return: 'u32' },
  _exit: { arguments: ['i32'], return: 'void' },
} as const;

type Functions = ReturnType<typeof dlopen<typeof SIGNATURES>>['functions'];
type Ffi = Pick<typeof import('node:ffi'), 'dlopen' | 'getRawPointer'>;

/** Every method answers whether it is so now, by asking the kernel where it can be asked. */
export class Libc {
  readonly #functions: Functions;
  /** Memory of its own whose address is known: finding one out takes the permission that the daemon gives up. */
  readonly #scratch = new DataView(new ArrayBuffer(SCRATCH_SIZE));
  readonly #address: bigint;

  private constructor({ dlopen, getRawPointer }: Ffi) {
    // null: what this process has loaded already.
    this.#functions = dlopen(null, SIGNATURES).functions;
    this.#address = BigInt(getRawPointer(this.#scratch.buffer));
  }

  /** null where there is no Linux, or a Node without node:ffi. */
  static open(): Libc | null {
    if (process.platform !== 'linux') return null;
    // That it is experimental is no news for the user.
    const { emitWarning } = process;
    process.emitWarning = () => {};
    try {
      const ffi: Ffi | undefined = process.getBuiltinModule('node:ffi');
      return ffi === undefined ? null : new Libc(ffi);
    } catch {
      return null;
    } finally {
      process.emitWarning = emitWarning;
    }
  }

  #prctl(option: number, first = 0n, second = 0n): number {
    return this.#functions.prctl(option, first, second, 0n, 0n);
  }

  /** No process of the same user may read this one's memory or attach to it, and its end leaves no core. */
  forbidDumping(): boolean {
    this.#prctl(PR_SET_DUMPABLE, 0n);
    return this.#prctl(PR_GET_DUMPABLE) === 0;
  }

  /** A limit of 0 for this process and all that it starts. */
  forbidCores(): boolean {
    // struct rlimit: the soft limit and the hard one.
    this.#write(0n, 0n);
    this.#functions.setrlimit(RLIMIT_CORE, this.#address);
    this.#write(1n, 1n);
    this.#functions.getrlimit(RLIMIT_CORE, this.#address);
    return this.#scratch.getBigUint64(0, true) === 0n && this.#scratch.getBigUint64(8, true) === 0n;
  }

  /**
   * Every later system call of this thread, and of all that it becomes or starts, goes through `program` (classic BPF,
   * 8 bytes an instruction). It cannot be taken back.
   */
  filterSystemCalls(program: Uint8Array): boolean {
    // Without it only root may set a filter, which a program with more rights could be tricked by.
    this.#prctl(PR_SET_NO_NEW_PRIVS, 1n);
    // struct sock_fprog: how many instructions, and behind the padding where they are.
    this.#write(BigInt(program.length / 8), this.#address + 16n);
    new Uint8Array(this.#scratch.buffer).set(program, 16);
    this.#prctl(PR_SET_SECCOMP, BigInt(SECCOMP_MODE_FILTER), this.#address);
    return this.hasFilter();
  }

  #write(first: bigint, second: bigint): void {
    this.#scratch.setBigUint64(0, first, true);
    this.#scratch.setBigUint64(8, second, true);
  }

  hasFilter(): boolean {
    return this.#prctl(PR_GET_SECCOMP) === SECCOMP_MODE_FILTER;
  }

  /** The descriptor outlives an execve. */
  keepAcrossExec(descriptor: number): boolean {
    return this.#functions.fcntl(descriptor, F_SETFD, 0) === 0;
  }

  /** Makes `/` the working directory: Node itself denies that to a closed process. */
  leaveFolder(): boolean {
    new Uint8Array(this.#scratch.buffer).set([0x2f, 0]);
    return this.#functions.chdir(this.#address) === 0;
  }

  /** The kernel ends the process after so many seconds, unless it has ended by then. */
  alarm(seconds: number): void {
    this.#functions.alarm(seconds);
  }

  /** Ends the process, and waits for no thread. */
  exitNow(exitCode: number): void {
    this.#functions._exit(exitCode);
  }
}
