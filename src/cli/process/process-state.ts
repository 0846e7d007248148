/**
 * Restores the state that Node changed, for the program that this process becomes. Node has no API for these calls but
 * node:ffi, from 26.1 on.
 */
import { loadFfi } from '../../system/load-ffi.ts';
import { hasSignal, type Started } from '../../system/started.ts';
import { type Descriptor, isStillClosing } from './inherited-descriptors.ts';

/** fcntl(2), signal(2), pthread_sigmask(3), getrlimit(2), all as on Linux. */
const F_SETFD = 2;
const SIG_IGN = 1n;
const SIG_SETMASK = 2;
const RLIMIT_NOFILE = 7;
const LAST_SIGNAL = 64;
/** For a sigset_t, which is larger than the kernel's. */
const SCRATCH_SIZE = 256;

const SIGNATURES = {
  fcntl: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
  signal: { arguments: ['i32', 'u64'], return: 'u64' },
  pthread_sigmask: { arguments: ['i32', 'u64', 'u64'], return: 'i32' },
  getrlimit: { arguments: ['i32', 'u64'], return: 'i32' },
  setrlimit: { arguments: ['i32', 'u64'], return: 'i32' },
} as const;

export interface Wanted {
  readonly started: Started | null;
  readonly inherited: readonly Descriptor[];
}

/** Returns whether the descriptors stay open. Call it last: it removes Node's own signal handlers. */
export function restoreState({ started, inherited }: Wanted): boolean {
  const closing = inherited.filter(isStillClosing);
  if (started === null && closing.length === 0) return true;
  const calls = loadCalls();
  if (calls === null) return closing.length === 0;
  if (started !== null) restoreStarted(calls, started);
  return closing.every(({ number }) => calls.functions.fcntl(number, F_SETFD, 0) === 0);
}

type Calls = NonNullable<ReturnType<typeof loadCalls>>;

function loadCalls() {
  const ffi = process.platform === 'linux' ? loadFfi() : null;
  if (ffi === null) return null;
  try {
    const scratch = new DataView(new ArrayBuffer(SCRATCH_SIZE));
    const { functions } = ffi.dlopen(null, SIGNATURES);
    return { functions, scratch, address: BigInt(ffi.getRawPointer(scratch.buffer)) };
  } catch {
    return null;
  }
}

function restoreStarted({ functions, scratch, address }: Calls, started: Started): void {
  for (let signal = 1; signal <= LAST_SIGNAL; signal++)
    if (hasSignal(started.ignored, signal)) functions.signal(signal, SIG_IGN);
  // struct rlimit: the soft limit and the hard one, which Node leaves alone.
  if (started.openFiles !== null && functions.getrlimit(RLIMIT_NOFILE, address) === 0) {
    scratch.setBigUint64(0, started.openFiles, true);
    functions.setrlimit(RLIMIT_NOFILE, address);
  }
  scratch.setBigUint64(0, started.blocked, true);
  functions.pthread_sigmask(SIG_SETMASK, address, 0n);
}
