/** A process that outlives this one, to remove what must not stay. */
import { spawn } from 'node:child_process';

/**
 * It is in a session of its own, so that a signal to the program's group leaves it alone, and no child of the program, which might
 * wait for all its children. The outer shell is gone before this one is.
 */
const SCRIPT = `
  (
    trap '' HUP INT TERM QUIT
    while kill -0 "$1" 2>/dev/null; do sleep 0.2; done
    rm -rf -- "$2"
  ) </dev/null >/dev/null 2>&1 &
`;

/** Removes the folder when the process has ended. */
export function startGuard(pid: number, folder: string): void {
  const outer = spawn('/bin/sh', ['-c', SCRIPT, 'mav-guard', String(pid), folder], {
    detached: true,
    stdio: 'ignore',
    cwd: '/',
  });
  outer.unref();
}
