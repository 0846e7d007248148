/** Messages about a daemon that does not answer. Loaded only when one does not. */
import { readFileSync } from 'node:fs';
import { isAlive } from '../../client/alive.ts';
import { isAnswering } from '../../client/silence.ts';
import type { Home } from '../../places/home.ts';
import { readOwner } from '../../places/owner.ts';

/** How long a command waits that must say something soon. */
const PATIENCE_MS = 3_000;

/** Whether somebody listens there who does not answer. */
export async function isSilent({ socketPath }: Home): Promise<boolean> {
  return (await isAlive(socketPath)) && !(await isAnswering(socketPath, PATIENCE_MS));
}

/** Which process it is, if that is known, and how to go on. */
export function describeSilence(home: Home): string {
  const pid = findDaemon(home);
  if (pid === null)
    return `whatever listens on ${home.socketPath} does not answer; end it, then start a daemon: mav serve`;
  const how = isStopped(pid)
    ? `it is stopped. Let it go on with \`fg\` in its terminal, or: kill -CONT ${pid}`
    : `end it with: kill ${pid} (if that does not help: kill -KILL ${pid}), then start it again: mav serve`;
  return `the daemon, process ${pid}, does not answer; ${how}`;
}

/** Returns the daemon's process id from owner.json, if it still runs; null if it listens on another socket. */
export function findDaemon({ ownerPath, socketPath }: Home): number | null {
  const owner = readOwner(ownerPath);
  if (owner?.command !== 'serve') return null;
  return owner.socket === undefined || owner.socket === socketPath ? owner.pid : null;
}

/** As Linux says; elsewhere it is not known. proc_pid_stat(5): the name, in parentheses, may have any character in it. */
function isStopped(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return /^ [Tt] /.test(stat.slice(stat.lastIndexOf(')') + 1));
  } catch {
    return false;
  }
}
