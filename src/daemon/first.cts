/**
 * The first lines that the daemon's process runs after its launcher's execve, which made it readable to every program of
 * the same user again. They close it before anything else is loaded, give up what the program needs no more, and start it. A CommonJS file of its
 * own, because Node runs that some ten milliseconds earlier than a module.
 */

/** prctl(2), getrlimit(2). */
const PR_SET_DUMPABLE = 4;
const RLIMIT_CORE = 4;
/** struct rlimit: the soft limit and the hard one, 8 bytes each. */
const RLIMIT_SIZE = 16;

function closeToTheSameUser(): void {
  const { dlopen, getRawPointer } = process.getBuiltinModule('node:ffi');
  const { functions } = dlopen(null, {
    prctl: { arguments: ['i32', 'u64', 'u64', 'u64', 'u64'], return: 'i32' },
    setrlimit: { arguments: ['i32', 'u64'], return: 'i32' },
  });
  functions.prctl(PR_SET_DUMPABLE, 0n, 0n, 0n, 0n);
  const none = new ArrayBuffer(RLIMIT_SIZE);
  functions.setrlimit(RLIMIT_CORE, BigInt(getRawPointer(none)));
}

if (process.platform === 'linux') {
  try {
    closeToTheSameUser();
  } catch {
    // No node:ffi here. What does not hold is told by mav doctor.
  }
}

/** Of the request thread, which keeps what it needs of them: see below. */
const GIVEN_UP = ['worker', 'ffi', 'addon', 'wasi', 'inspector'];

/**
 * All that takes these permissions is made here, and they are given up before the program loads the first dependency: the
 * thread that starts all others and hands them their channels, the calls of the C library, SQLite. That the keeper's thread
 * runs is waited for: afterwards nothing of it comes by its Worker, which only this function can reach.
 */
async function giveUpEarly(): Promise<void> {
  const permission = process.permission as { drop?(scope: string): void } | undefined;
  if (permission?.drop === undefined) return;
  const { MessageChannel, Worker } = process.getBuiltinModule('node:worker_threads');
  const { port1, port2 } = new MessageChannel();
  const file = new URL(`../pool/keeper-thread.${__filename.slice(-2)}`, `file://${encodeURI(__filename)}`);
  const worker = new Worker(file, {
    execArgv: [],
    workerData: { port: port2 },
    transferList: [port2],
    stdout: true,
    stderr: true,
  });
  const running = new Promise((resolve, reject) => worker.once('online', resolve).once('error', reject));
  await Promise.all([running, import('./held-calls.ts')]);
  worker.unref();
  Object.defineProperty(globalThis, Symbol.for('maestrovault.keeper'), { value: port1 });
  for (const scope of GIVEN_UP) permission.drop(scope);
}

// Thrown where nobody catches it, as if the program had been started directly.
void giveUpEarly().then(() => import('../bin.ts'));
