/**
 * The calls of the C library that close a process and for which Node has no other name. They come by node:ffi, which
 * Node has from 26.1 on and calls experimental: whatever goes wrong here leaves a protection off, and that is told.
 */
import type { dlopen } from 'node:ffi';
import { constants } from 'node:fs';

/** prctl(2), seccomp(2), linux/prctl.h. */
const PR_GET_DUMPABLE = 3;
const PR_SET_DUMPABLE = 4;
const PR_GET_SECCOMP = 21;
const PR_SET_SECCOMP = 22;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_GET_NO_NEW_PRIVS = 39;
const SECCOMP_MODE_FILTER = 2;
/** The number of the call. */
const SECCOMP: Readonly<Partial<Record<NodeJS.Architecture, number>>> = { x64: 317, arm64: 277 };
const SECCOMP_SET_MODE_FILTER = 1n;
const SECCOMP_FILTER_FLAG_TSYNC = 1n;
/** getrlimit(2). */
const RLIMIT_CORE = 4;
/** fcntl(2). */
const F_SETFD = 2;

/** For what is handed to the kernel and taken from it, side by side. */
const SCRATCH_SIZE = 4_096;

const SIGNATURES = {
  prctl: { arguments: ['i32', 'u64', 'u64', 'u64', 'u64'], return: 'i32' },
  setrlimit: { arguments: ['i32', 'u64'], return: 'i32' },
  getrlimit: { arguments: ['i32', 'u64'], return: 'i32' },
  fcntl: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
  chdir: { arguments: ['u64'], return: 'i32' },
  alarm: { arguments: ['u32'], return: 'u32' },
  open: { arguments: ['u64', 'i32'], return: 'i32' },
  close: { arguments: ['i32'], return: 'i32' },
  syscall: { arguments: ['i64', 'u64', 'u64', 'u64', 'u64'], return: 'i64' },
  _exit: { arguments: ['i32'], return: 'void' },
} as const;

/** Where held-calls.ts leaves the one that was opened while that was permitted. */
export const HELD_LIBC = Symbol.for('maestrovault.libc');

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
    const held = (globalThis as { [HELD_LIBC]?: Libc | null })[HELD_LIBC];
    if (held !== undefined) return held;
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
    this.forbidNewPrivileges();
    this.#writeFilter(program);
    this.#prctl(PR_SET_SECCOMP, BigInt(SECCOMP_MODE_FILTER), this.#address);
    return this.hasFilter();
  }

  /** As filterSystemCalls, a filter more for every thread that there is. */
  filterAllThreads(program: Uint8Array): boolean {
    const number = SECCOMP[process.arch];
    if (number === undefined) return false;
    this.forbidNewPrivileges();
    this.#writeFilter(program);
    return this.call(number, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, this.#address) === 0;
  }

  /** struct sock_fprog: how many instructions, and behind the padding where they are. */
  #writeFilter(program: Uint8Array): void {
    this.#write(BigInt(program.length / 8), this.#address + 16n);
    new Uint8Array(this.#scratch.buffer).set(program, 16);
  }

  /**
   * What this process starts never has more rights than it. Without that only root may set a filter or a fence, which a
   * program with more rights could be tricked by.
   */
  forbidNewPrivileges(): boolean {
    this.#prctl(PR_SET_NO_NEW_PRIVS, 1n);
    return this.#prctl(PR_GET_NO_NEW_PRIVS) === 1;
  }

  /** A system call by its number. Returns -1 where it fails. */
  call(number: number, first: bigint, second: bigint, third = 0n, fourth = 0n): number {
    return Number(this.#functions.syscall(BigInt(number), first, second, third, fourth));
  }

  /** A system call that is given `bytes`: `build` gets their address and returns the call's number and arguments. */
  callWith(bytes: Uint8Array, build: (address: bigint) => readonly [number, bigint, bigint, bigint]): number {
    new Uint8Array(this.#scratch.buffer).set(bytes);
    return this.call(...build(this.#address));
  }

  /** Whether the kernel keeps us out of `/`, which every user may look into: Landlock does. */
  isFenced(): boolean {
    return !this.canOpen('/');
  }

  /** For reading, as the kernel says. */
  canOpen(path: string): boolean {
    const bytes = Buffer.from(`${path}\0`);
    if (bytes.length > SCRATCH_SIZE) return false;
    new Uint8Array(this.#scratch.buffer).set(bytes);
    const descriptor = this.#functions.open(this.#address, constants.O_RDONLY);
    if (descriptor >= 0) this.#functions.close(descriptor);
    return descriptor >= 0;
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
