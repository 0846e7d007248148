/**
 * One owner at a time: whoever has the vault open holds an exclusive lock for as long. The lock is SQLite's, on an
 * empty file of its own: the kernel drops it with the process, however that ends, so there is nothing to clean up.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { Home } from '../home.ts';

/** Somebody else has the vault open; `message` says who. */
export class OwnedElsewhereError extends Error {
  override readonly name = 'OwnedElsewhereError';
}

/** In module scope: a Database object that nothing refers to is collected, and drops its lock. */
const held = new Map<string, Database.Database>();

/** What is told of the owner to whoever finds the vault taken. */
interface Owner {
  readonly pid: number;
  readonly command: string;
  readonly since: string;
}

/** Takes the lock or throws OwnedElsewhereError; `command` is what is said of us to others. */
export function takeOwnership(home: Home, command: string): void {
  if (!lock(home.lockPath)) throw new OwnedElsewhereError(describeOwner(home));
  const owner: Owner = { pid: process.pid, command, since: new Date().toISOString() };
  writeFileSync(home.ownerPath, `${JSON.stringify(owner)}\n`, { mode: 0o600 });
}

export function releaseOwnership(home: Home): void {
  rmSync(home.ownerPath, { force: true });
  held.get(home.lockPath)?.close();
  held.delete(home.lockPath);
}

/** Whether the lock is ours now. */
function lock(path: string): boolean {
  const db = new Database(path, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch {
    db.close();
    return false;
  }
  held.set(path, db);
  return true;
}

function describeOwner(home: Home): string {
  try {
    const { pid, command, since } = JSON.parse(readFileSync(home.ownerPath, 'utf8')) as Owner;
    return `the vault in ${home.directory} is held by \`mav ${command}\`, process ${pid}, since ${since}`;
  } catch {
    return `the vault in ${home.directory} is held by another process`;
  }
}
