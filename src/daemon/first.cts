/**
 * The first lines that the daemon's process runs after its launcher's execve, which made it readable to every program of
 * the same user again. They close it before anything else is loaded, and then start the program. A CommonJS file of its
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

// Thrown where nobody catches it, as if the program had been started directly.
void import('../bin.ts');
