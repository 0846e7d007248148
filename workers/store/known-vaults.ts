/**
 * Writes the user's list of known vaults, `known-vaults.json` in the folder of the user's settings. The other side of the
 * wall reads it (src/places/known-vaults.ts) and gives each thread the entry of its vault.
 *
 * Several commands may write at once. A lock lets one after the other read the list, change its own entry and put the new
 * list into place. It is SQLite's lock on an empty file, as for the vault itself, so the kernel drops it with the process.
 */
import {
  closeSync,
  constants,
  fstatSync,
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
import { isInside, makeFolders, syncFolder } from '../files/folders.ts';
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

/** Records the vault in this folder, in place of an older entry; null removes that entry. Throws KnownVaultsError. */
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
  if (vault === null && lstatOrNull(dirname(listPath)) === null) return;
  prepareFolder(listPath, folder);
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

/** Makes the folder of the list, if it is missing. Throws if the list would lie in the vault's folder. */
function prepareFolder(listPath: string, vaultFolder: string): void {
  const directory = dirname(listPath);
  makeFolders(directory, 0o700);
  checkOwn(directory, lstatSync(directory), 'folder', 'chmod 700');
  // A program that may write the vault's folder must not be able to write the list.
  if (isInside(realpathSync(directory), vaultFolder)) {
    throw new KnownVaultsError(
      `${listPath}, the list of your vaults, must not lie in a vault's folder; set MAV_HOME to another folder`,
    );
  }
}

/**
 * Waits until it has the lock. A process that empties the list removes the lock's file, too, and a lock on a removed file
 * keeps nobody out. So the locked file is compared with the one at the path.
 */
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

/** O_NOFOLLOW refuses a link. O_NONBLOCK: opening a FIFO must not block. */
function openPrivate(path: string, flags: number): number {
  const before = lstatOrNull(path);
  if (before !== null) checkOwn(path, before, 'file', 'chmod 600');
  const file = openSync(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
  try {
    checkOwn(path, fstatSync(file), 'file', 'chmod 600');
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function lstatOrNull(path: string): Stats | null {
  return lstatSync(path, { throwIfNoEntry: false }) ?? null;
}

function checkOwn(path: string, stat: Stats, kind: 'file' | 'folder', remedy: string): void {
  const isKind = kind === 'file' ? stat.isFile() : stat.isDirectory();
  if (!isKind) throw new KnownVaultsError(`${path} is not a ${kind}; move it away`);
  if (stat.uid !== process.geteuid?.())
    throw new KnownVaultsError(`${path} belongs to another user (uid ${stat.uid}); use one of your own`);
  if ((stat.mode & ACCESS_BY_OTHERS) !== 0)
    throw new KnownVaultsError(`${path} is open to other users; run: ${remedy} ${path}`);
}

/** Returns the entries of all vaults. Only their paths are checked: the program that uses an entry checks the rest. */
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

/** Writes a draft and renames it, so that the list is complete at every moment, even after a power failure. */
function writeList(path: string, vaults: readonly Entry[]): void {
  const draft = `${path}.new`;
  // A process that was killed may have left its draft. This process has the lock, so no other one uses the draft.
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
  syncFolder(dirname(path));
}
