/**
 * Calls of the C library that close a process and that Node does not offer itself. They are made through node:ffi, which
 * Node has from 26.1 on and calls experimental. Whatever goes wrong here leaves a protection off, which is reported.
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

/** Bytes of the memory for arguments to the kernel and its results, side by side. */
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

/** Where held-calls.ts keeps the library that was opened while that was permitted. */
export const HELD_LIBC = Symbol.for('maestrovault.libc');

type Functions = ReturnType<typeof dlopen<typeof SIGNATURES>>['functions'];
type Ffi = Pick<typeof import('node:ffi'), 'dlopen' | 'getRawPointer'>;

/** Every protecting method returns whether the protection is in force, as read back from the kernel where that is possible. */
export class Libc {
  readonly #functions: Functions;
  /** Memory whose address is known already: finding an address takes the permission that the daemon gives up. */
  readonly #scratch = new DataView(new ArrayBuffer(SCRATCH_SIZE));
  readonly #address: bigint;

  private constructor({ dlopen, getRawPointer }: Ffi) {
    // null: the libraries that this process has loaded already.
    this.#functions = dlopen(null, SIGNATURES).functions;
    this.#address = BigInt(getRawPointer(this.#scratch.buffer));
  }

  /** Returns null on other systems than Linux, and in a Node without node:ffi. */
  static open(): Libc | null {
    if (process.platform !== 'linux') return null;
    const held = (globalThis as { [HELD_LIBC]?: Libc | null })[HELD_LIBC];
    if (held !== undefined) return held;
    // Without Node's warning that it is experimental, which the user can do nothing about.
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

  /** Keeps processes of the same user from reading this one's memory and attaching to it, and prevents core dumps. */
  forbidDumping(): boolean {
    this.#prctl(PR_SET_DUMPABLE, 0n);
    return this.#prctl(PR_GET_DUMPABLE) === 0;
  }

  /** Sets a limit of 0 for this process and all that it starts. */
  forbidCores(): boolean {
    // struct rlimit: the soft limit and the hard one.
    this.#write(0n, 0n);
    this.#functions.setrlimit(RLIMIT_CORE, this.#address);
    this.#write(1n, 1n);
    this.#functions.getrlimit(RLIMIT_CORE, this.#address);
    return this.#scratch.getBigUint64(0, true) === 0n && this.#scratch.getBigUint64(8, true) === 0n;
  }

  /**
   * Filters every later system call of this thread, and of all that it becomes or starts, through `program` (classic BPF,
   * 8 bytes an instruction). It cannot be taken back.
   */
  filterSystemCalls(program: Uint8Array): boolean {
    this.forbidNewPrivileges();
    this.#writeFilter(program);
    this.#prctl(PR_SET_SECCOMP, BigInt(SECCOMP_MODE_FILTER), this.#address);
    return this.hasFilter();
  }

  /** As filterSystemCalls, but adds a filter to every thread that exists. */
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
   * Ensures that a program which this process starts never has more rights than it. Without that, only root may set a filter
   * or a fence, because either could trick a program with more rights.
   */
  forbidNewPrivileges(): boolean {
    this.#prctl(PR_SET_NO_NEW_PRIVS, 1n);
    return this.#prctl(PR_GET_NO_NEW_PRIVS) === 1;
  }

  /** Makes a system call by its number. Returns -1 where it fails. */
  call(number: number, first: bigint, second: bigint, third = 0n, fourth = 0n): number {
    return Number(this.#functions.syscall(BigInt(number), first, second, third, fourth));
  }

  /** Makes a system call with `bytes`: `build` gets their address and returns the call's number and arguments. */
  callWith(bytes: Uint8Array, build: (address: bigint) => readonly [number, bigint, bigint, bigint]): number {
    new Uint8Array(this.#scratch.buffer).set(bytes);
    return this.call(...build(this.#address));
  }

  /** Returns whether Landlock is in force: whether the kernel denies this process `/`, which every user may look into. */
  isFenced(): boolean {
    return !this.canOpen('/');
  }

  /** Returns whether the kernel lets this process open the path for reading. */
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

  /** Keeps the descriptor open across an execve. */
  keepAcrossExec(descriptor: number): boolean {
    return this.#functions.fcntl(descriptor, F_SETFD, 0) === 0;
  }

  /** Makes `/` the working directory, which Node itself denies to a closed process. */
  leaveFolder(): boolean {
    new Uint8Array(this.#scratch.buffer).set([0x2f, 0]);
    return this.#functions.chdir(this.#address) === 0;
  }

  /** Has the kernel end the process after `seconds`, unless it has ended by then. */
  alarm(seconds: number): void {
    this.#functions.alarm(seconds);
  }

  /** Ends the process without waiting for threads. */
  exitNow(exitCode: number): void {
    this.#functions._exit(exitCode);
  }
}
