/**
 * Imported first by the process that asks the keychain: no other program of the same user may read its memory
 * (prctl(2)). Where Node has no node:ffi it may. The daemon does it to itself on the other side of the wall.
 */
const PR_SET_DUMPABLE = 4;
const SIGNATURE = { arguments: ['i32', 'u64', 'u64', 'u64', 'u64'], return: 'i32' } as const;

function forbidDumping(): void {
  const { dlopen } = process.getBuiltinModule('node:ffi');
  dlopen(null, { prctl: SIGNATURE }).functions.prctl(PR_SET_DUMPABLE, 0n, 0n, 0n, 0n);
}

if (process.platform === 'linux') {
  try {
    forbidDumping();
  } catch {
    // The daemon says of itself whether it could.
  }
}

export {};
