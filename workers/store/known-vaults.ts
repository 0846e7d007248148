/**
 * The user's list of known vaults, `known-vaults.json` in the folder of the user's settings: written here, read by the
 * request thread's side (src/places/known-vaults.ts), which hands each thread what the list says of its vault. Holds no secret.
 *
 * Several commands may write at once. A lock, SQLite's on an empty file as for the vault itself, lets one after the
 * other read the list, change its own entry and put the new list into place; the kernel drops it with the process.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import Database from 'better-sqlite3';
import { makeFolders } from '../files/make-folders.ts';
import { isInside } from '../files/paths.ts';
import type { KnownVault } from '../messages.ts';

/** The list cannot be used or written; `message` says why and what to do, and nothing was changed. */
export class KnownVaultsError extends Error {}

interface Entry extends KnownVault {
  /** Real path of the vault's folder. */
  readonly path: string;
}

const ACCESS_BY_OTHERS = 0o077;
const MAX_SIZE = 1_048_576;
const LOCK_PATIENCE_MS = 10_000;

/** Notes what the vault in this folder is, in place of what was known; null: forgets it. Throws KnownVaultsError. */
export function recordVault(listPath: string, folder: string, vault: KnownVault | null): void {
  try {
    record(listPath, realpathSync(folder), vault);
  } catch (error) {
    if (error instanceof KnownVaultsError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'failed';
    throw new KnownVaultsError(
      `${listPath}, the list of your vaults, cannot be written (${code}); set XDG_CONFIG_HOME to a folder that can be`,
    );
  }
}

function record(listPath: string, folder: string, vault: KnownVault | null): void {
  if (!isAbsolute(listPath)) {
    throw new KnownVaultsError(
      'HOME is not set, so the list of your vaults has no place; set HOME, or XDG_CONFIG_HOME',
    );
  }
  const directory = dirname(listPath);
  if (vault === null && lstatOrNull(directory) === null) return;
  makeFolders(directory, 0o700);
  checkStat(directory, lstatSync(directory), 'folder', 'chmod 700');
  // Whoever writes the vault's folder must not write the list with it.
  if (isInside(realpathSync(directory), folder)) {
    throw new KnownVaultsError(
      `${listPath}, the list of your vaults, must not lie in a vault's folder; set MAV_HOME to another folder`,
    );
  }
  const lockPath = `${listPath}.lock`;
  const lock = takeLock(lockPath);
  try {
    const others = readList(listPath).filter(({ path }) => path !== folder);
    const list = vault === null ? others : [...others, { path: folder, ...vault }];
    if (list.length > 0) writeList(listPath, list);
    else for (const path of [listPath, lockPath]) rmSync(path, { force: true });
  } finally {
    lock.close();
  }
}

/** Waits for its turn. Whoever emptied the list took the lock's file away: a lock on that one holds off nobody. */
function takeLock(path: string): Database.Database {
  for (;;) {
    const file = openPrivate(path, constants.O_RDWR | constants.O_CREAT);
    const { dev, ino } = fstatSync(file);
    closeSync(file);
    const lock = new Database(path, { timeout: LOCK_PATIENCE_MS });
    try {
      lock.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      lock.close();
      throw error;
    }
    const there = statSync(path, { throwIfNoEntry: false });
    if (there?.dev === dev && there.ino === ino) return lock;
    lock.close();
  }
}

/** O_NOFOLLOW, O_NONBLOCK: neither a link nor a FIFO is the list. */
function openPrivate(path: string, flags: number): number {
  const before = lstatOrNull(path);
  if (before !== null) checkStat(path, before, 'file', 'chmod 600');
  const file = openSync(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
  try {
    checkStat(path, fstatSync(file), 'file', 'chmod 600');
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function lstatOrNull(path: string): Stats | null {
  return lstatSync(path, { throwIfNoEntry: false }) ?? null;
}

function checkStat(path: string, stat: Stats, kind: 'file' | 'folder', remedy: string): void {
  const isKind = kind === 'file' ? stat.isFile() : stat.isDirectory();
  if (!isKind) throw new KnownVaultsError(`${path} is not a ${kind}; move it away`);
  if (stat.uid !== process.geteuid?.())
    throw new KnownVaultsError(`${path} belongs to another user (uid ${stat.uid}); use one of your own`);
  if ((stat.mode & ACCESS_BY_OTHERS) !== 0)
    throw new KnownVaultsError(`${path} is open to other users; run: ${remedy} ${path}`);
}

/** The entries of all vaults, kept as they are; whoever uses one of them looks at it closely. */
function readList(path: string): Entry[] {
  if (lstatOrNull(path) === null) return [];
  const file = openPrivate(path, constants.O_RDONLY);
  try {
    if (fstatSync(file).size > MAX_SIZE) throw new SyntaxError('too long');
    const { vaults } = JSON.parse(readFileSync(file, 'utf8')) as { vaults: Entry[] };
    if (!Array.isArray(vaults) || !vaults.every((entry) => typeof entry?.path === 'string'))
      throw new SyntaxError('no list');
    return vaults;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    throw new KnownVaultsError(`${path} is damaged; restore it, or move it away and run: mav adopt`);
  } finally {
    closeSync(file);
  }
}

/** Beside its place and then moved there, so that the list is whole at every moment, a power failure's too. */
function writeList(path: string, vaults: readonly Entry[]): void {
  const draft = `${path}.new`;
  // Left by one that was killed: whoever has the lock is alone.
  rmSync(draft, { force: true });
  try {
    writeFileSync(draft, `${JSON.stringify({ vaults }, null, 2)}\n`, {
      mode: 0o600,
      flag: 'wx',
      flush: true,
    });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
