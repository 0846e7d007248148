/**
 * One owner at a time: the process that has the vault open holds an exclusive lock. It is a lock of SQLite on an empty file
 * of its own, which the kernel drops when the process ends, however it ends, so there is nothing to clean up.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import type { Home } from '../places/home.ts';
import { type Owner, readOwner, removeOwner, writeOwner } from '../places/owner.ts';
import { formatTime } from '../text/format-time.ts';

/** Loads SQLite now. With the first file it would be too late, as loading takes the permission for native code. */
export function loadSqlite(): void {
  new Database(':memory:').close();
}

/** Another process has the vault open; `message` says which. */
export class OwnedElsewhereError extends Error {
  override readonly name = 'OwnedElsewhereError';
  readonly code = 'owned_elsewhere';
}

/** Time between two attempts: at first, and after a long wait. */
const FIRST_PAUSE_MS = 15;
const LONGEST_PAUSE_MS = 250;

/** In module scope, because a Database object that nothing refers to is collected, which drops its lock. */
const held = new Map<string, Database.Database>();

/** Takes the lock, or throws OwnedElsewhereError. `command` names this process to others. */
export function takeOwnership(home: Home, command: string): void {
  if (!lock(home.lockPath)) throw new OwnedElsewhereError(describeOwner(home));
  try {
    writeOwner(home.ownerPath, command);
  } catch (error) {
    releaseOwnership(home);
    throw error;
  }
}

/** Tells other processes, once this one listens, where it listens and what protects it. */
export function tellProtections(
  home: Home,
  command: string,
  told: Pick<Owner, 'protections' | 'widened'>,
): void {
  writeOwner(home.ownerPath, command, { socket: home.socketPath, ...told });
}

/**
 * Waits for the lock and takes it. Resolves with false if `isInVain` does so meanwhile. Throws OwnedElsewhereError when
 * patience ends.
 */
export async function awaitOwnership(
  home: Home,
  command: string,
  patienceMs: number,
  isInVain: () => Promise<boolean> = async () => false,
): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.3, LONGEST_PAUSE_MS)) {
    try {
      takeOwnership(home, command);
      return true;
    } catch (error) {
      if (!(error instanceof OwnedElsewhereError) || performance.now() > deadline) throw error;
    }
    if (await isInVain()) return false;
    // At random, so that those that wait do not all try at the same moment.
    await sleep(pauseMs * (0.5 + Math.random()));
  }
}

export function releaseOwnership(home: Home): void {
  removeOwner(home.ownerPath);
  held.get(home.lockPath)?.close();
  held.delete(home.lockPath);
}

/** Returns whether this process has the lock now. Throws the system's error if the disk has no room for it: waiting would not help. */
function lock(path: string): boolean {
  const db = new Database(path, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if ((error as { code?: unknown }).code !== 'SQLITE_FULL') return false;
    throw Object.assign(new Error('no room for the lock'), { code: 'ENOSPC', syscall: 'write', path });
  }
  held.set(path, db);
  return true;
}

function describeOwner({ directory, ownerPath }: Home): string {
  const owner = readOwner(ownerPath);
  if (owner === null) return `the vault in ${directory} is held by another process`;
  const { pid, command, since } = owner;
  return `the vault in ${directory} is held by \`mav ${command}\`, process ${pid}, since ${formatTime(since)}`;
}
