/**
 * Forbids other programs of the same user to read this process's memory (prctl(2)). The process that asks the keychain
 * imports this file first. A Node without node:ffi cannot forbid it. The daemon closes its own memory in src/daemon/.
 */
const PR_SET_DUMPABLE = 4;
const SIGNATURE = { arguments: ['i32', 'u64', 'u64', 'u64', 'u64'], return: 'i32' } as const;

if (process.platform === 'linux') {
  try {
    const { dlopen } = process.getBuiltinModule('node:ffi');
    dlopen(null, { prctl: SIGNATURE }).functions.prctl(PR_SET_DUMPABLE, 0n, 0n, 0n, 0n);
  } catch {
    // Nothing to report here: the daemon, which runs on the same Node, says that its memory is open.
  }
}

export {};
