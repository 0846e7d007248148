/** The process that has the vault open, as it wrote down itself. For messages only: nothing is decided by it. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';

/** How long to wait for other commands that have the vault just now: enough for a hundred short ones at once. */
export const TURN_PATIENCE_MS = 30_000;

/** What protects a daemon, in the words that the log and `mav doctor` use. */
export type Protection =
  | 'permission model'
  | 'no inspector'
  | 'no child processes'
  | 'no network (Node)'
  | 'no network (kernel)'
  | 'no files outside (Node)'
  | 'no files outside (kernel)'
  /** Told only where it does not hold. */
  | 'your home closed (kernel)'
  | 'no new privileges'
  | 'no connections to others'
  | 'no core dumps'
  | 'memory closed to the same user'
  | 'peers checked';

/** Whether each protection holds. Those that this daemon does not need are absent. */
export type Protections = { readonly [Name in Protection]?: boolean };

export interface Owner {
  readonly pid: number;
  /** `serve`, or the command that has the vault in a daemon's stead. */
  readonly command: string;
  readonly since: string;
  /** Where a daemon listens, once it does. */
  readonly socket?: string;
  /** The protections of a daemon that listens. */
  readonly protections?: Protections;
  /** Says what Node's permission model allows beyond what the daemon needs, and what to do about it; absent if nothing. */
  readonly widened?: string;
}

/** `more`: what is known only later, in a second writing. */
export function writeOwner(
  path: string,
  command: string,
  more: Pick<Owner, 'protections' | 'socket' | 'widened'> = {},
): void {
  const owner: Owner = { pid: process.pid, command, since: new Date().toISOString(), ...more };
  try {
    writeFileSync(path, `${JSON.stringify(owner)}\n`, { mode: 0o600 });
  } catch (error) {
    // Node does not name the file that it could open and not write.
    throw Object.assign(error as Error, { path });
  }
}

/** Returns null if no process has said that it is the owner, or that process does not run any more. */
export function readOwner(path: string): Owner | null {
  try {
    const owner = JSON.parse(readFileSync(path, 'utf8')) as Owner;
    return isRunning(owner.pid) ? owner : null;
  } catch {
    return null;
  }
}

export function isRunning(pid: number): boolean {
  try {
    // Sends nothing: kill(2) looks whether there is such a process.
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export function removeOwner(path: string): void {
  rmSync(path, { force: true });
}
