/**
 * Whether a place on disk can be trusted: only this user and root can change what lies there. The rules are those
 * of OpenSSH's StrictModes, for every folder from `/` on: it belongs to this user or to root, and others cannot write
 * it. A sticky folder such as /tmp may be on the way, since users can rename only their own files there, but not be the
 * last one. Links are followed where they belong to this user or root, and what they lead to is held to the same.
 *
 * The walk begins at `/`. When a folder is looked at, all above it are known to be closed to others, so no other user
 * can exchange it afterwards. What is opened is opened relative to the folder that was looked at all the same.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  type Stats,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describeSystemError } from '../system/system-error.ts';

/** A place that must not be used; `message` says which, why, and what to do. */
export class UnsafePlaceError extends Error {
  override readonly name: string = 'UnsafePlaceError';
  readonly code: 'unsafe_place' | 'untrusted' = 'unsafe_place';
}

/** A place that another user can change, or somebody who is another user. */
export class UntrustedError extends UnsafePlaceError {
  override readonly name = 'UntrustedError';
  override readonly code = 'untrusted';
}

const ROOT = 0;
export const ACCESS_BY_OTHERS = 0o077;
export const WRITE_BY_OTHERS = 0o022;
const STICKY = 0o1000;
/** As many as Linux follows, path_resolution(7). */
const MAX_LINKS = 40;
/** open(2) of Linux: a folder that may be passed through and not be listed can be opened so. */
const O_PATH = 0o10_000_000;
const FOLDER = constants.O_DIRECTORY | constants.O_NOFOLLOW | (process.platform === 'linux' ? O_PATH : 0);
/** O_NONBLOCK: a FIFO must not make us wait. */
const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Where a path leads, with no link in it. */
interface Located {
  /** The folder that the last name lies in. */
  readonly folder: string;
  readonly folderStat: Stats;
  readonly name: string;
  /** The stat of what lies there; null if nothing does. */
  readonly stat: Stats | null;
}

/** Whether a user is this one or root, who could take everything anyway. */
export function isTrustedUser(uid: number): boolean {
  return uid === process.geteuid?.() || uid === ROOT;
}

/** The folder and all above it. What is not there yet is not looked at. Throws UntrustedError. */
export function checkFolders(path: string): void {
  if (!canCheck()) return;
  // The folder is the last on the way to what lies in it.
  locatePath(join(resolve(path), 'x'), { followsLast: false });
}

/**
 * Windows has no such owners. In a closed daemon Node's permission model keeps the folders above from being looked at:
 * its launcher has done that, and no other user can have changed them since.
 */
function canCheck(): boolean {
  if (process.geteuid === undefined) return false;
  return process.permission === undefined || process.permission.has('fs.read', '/');
}

/** Returns null if a folder on the way is missing, or is not a folder. Throws UntrustedError. */
function locatePath(path: string, { followsLast }: { readonly followsLast: boolean }): Located | null {
  let at = '/';
  let atStat = lstatSync(at);
  checkFolder(at, atStat);
  const names = splitPath(path);
  for (let links = 0, name = names.shift(); name !== undefined; name = names.shift()) {
    const isLast = names.length === 0;
    const next = name === '..' ? dirname(at) : join(at, name);
    const stat = lookAt(next);
    if (stat?.isSymbolicLink() && (!isLast || followsLast)) {
      if (++links > MAX_LINKS) throw new UntrustedError(`${path} leads in a circle; use the real path`);
      const target = readTrustedLink(next, stat);
      names.unshift(...splitPath(target));
      if (target.startsWith('/')) at = '/';
    } else if (isLast && name !== '..') {
      if ((atStat.mode & WRITE_BY_OTHERS) !== 0) throw describeWritable(at, atStat);
      return { folder: at, folderStat: atStat, name, stat };
    } else {
      if (stat === null || !stat.isDirectory()) return null;
      checkFolder(next, stat);
      [at, atStat] = [next, stat];
    }
  }
  return null;
}

/** Throws UntrustedError where another user made the link. */
function readTrustedLink(path: string, stat: Stats): string {
  checkOwner(path, stat, 'place');
  return readlinkSync(path);
}

function splitPath(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function lookAt(at: string): Stats | null {
  try {
    return lstatSync(at, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') return null;
    if (code !== 'EACCES') throw error;
    throw new UntrustedError(
      `${at} cannot be looked at: ${describeSystemError(error)}; use a folder of your own`,
    );
  }
}

function checkFolder(at: string, stat: Stats): void {
  checkOwner(at, stat, 'folder');
  if ((stat.mode & WRITE_BY_OTHERS) !== 0 && (stat.mode & STICKY) === 0) throw describeWritable(at, stat);
}

function describeWritable(at: string, { uid }: Stats): UntrustedError {
  const remedy = uid === process.geteuid?.() ? `run: chmod go-w ${at}` : 'use a folder of your own';
  return new UntrustedError(`${at} can be written by other users; ${remedy}`);
}

/** Throws UntrustedError. */
export function checkOwner(at: string, { uid }: Pick<Stats, 'uid'>, kind: string): void {
  if (isTrustedUser(uid)) return;
  // Root has another way into a user's vault: to be that user.
  const orBe = process.geteuid?.() === ROOT ? `, or be that user: sudo -u '#${uid}' mav …` : '';
  throw new UntrustedError(`${at} belongs to another user (uid ${uid}); use a ${kind} of your own${orBe}`);
}

/** A folder that is held while something in it is used. */
export class TrustedFolder {
  readonly #path: string;
  readonly #descriptor: number | null;

  private constructor(path: string, descriptor: number | null) {
    this.#path = path;
    this.#descriptor = descriptor;
  }

  /** Throws UntrustedError where it was exchanged since it was looked at. */
  static open(path: string, stat: Stats): TrustedFolder {
    if (process.platform !== 'linux') return new TrustedFolder(path, null);
    const descriptor = openSync(path, FOLDER);
    const folder = new TrustedFolder(path, descriptor);
    const { dev, ino } = fstatSync(descriptor);
    if (dev === stat.dev && ino === stat.ino) return folder;
    folder.close();
    throw new UntrustedError(`${path} was exchanged just now; nothing was done`);
  }

  /** Returns a path to what lies in the held folder, even if the folder's own path leads elsewhere by now (needs /proc). */
  locate(name: string): string {
    if (this.#descriptor === null) return join(this.#path, name);
    const held = `/proc/self/fd/${this.#descriptor}`;
    return join(existsSync(held) ? held : this.#path, name);
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
  }
}

/** Returns the folder that a socket lies in, and its name there; null if there is none. Throws UntrustedError. */
export function openSocketFolder(
  path: string,
): { readonly folder: TrustedFolder; readonly name: string } | null {
  if (!canCheck()) return null;
  const located = locatePath(resolve(path), { followsLast: true });
  if (located === null || located.stat === null) return null;
  const { name, stat } = located;
  checkOwner(join(located.folder, name), stat, 'socket');
  return { folder: TrustedFolder.open(located.folder, located.folderStat), name };
}

export interface FileRule {
  /** The modes that it must not have. */
  readonly forbidden: number;
  /** The command that takes them away. */
  readonly remedy: string;
}

/** For a file that other users must neither read nor write. */
export const SECRET: FileRule = { forbidden: ACCESS_BY_OTHERS, remedy: 'chmod 600' };
/** For a file that other users may read. */
export const UNSECRET: FileRule = { forbidden: WRITE_BY_OTHERS, remedy: 'chmod go-w' };

/**
 * Returns the bytes of a file that no other user can write, at most `maxSize`; null if it is missing. Throws UntrustedError,
 * UnsafePlaceError if it is not a file or too large, and what open(2) fails with.
 */
export function readTrustedFile(path: string, rule: FileRule, maxSize: number): Buffer | null {
  return withTrustedFile(path, rule, maxSize, (file) => readFileSync(file));
}

/** Throws as readTrustedFile does. Opens the file without reading it, so that the caller does not hold its content. */
export function checkTrustedFile(path: string, rule: FileRule, maxSize: number): void {
  withTrustedFile(path, rule, maxSize, () => {});
}

function withTrustedFile<T>(
  path: string,
  rule: FileRule,
  maxSize: number,
  use: (file: number) => T,
): T | null {
  const file = openTrustedFile(path);
  if (file === null) return null;
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new UnsafePlaceError(`${path} is not a file; move it away`);
    checkFile(path, stat, rule);
    if (stat.size > maxSize) throw new UnsafePlaceError(`${path} is larger than ${maxSize} bytes`);
    return use(file);
  } finally {
    closeSync(file);
  }
}

/** `stat`: of an open file, or of one in a trusted folder. Throws UntrustedError. */
export function checkFile(path: string, stat: Stats, { forbidden, remedy }: FileRule): void {
  if (process.geteuid === undefined) return;
  checkOwner(path, stat, 'file');
  if ((stat.mode & forbidden) !== 0)
    throw new UntrustedError(`${path} is open to other users; run: ${remedy} ${path}`);
}

function openTrustedFile(path: string): number | null {
  const located = canCheck() ? locatePath(resolve(path), { followsLast: false }) : null;
  if (located === null) return canCheck() ? null : openOrNull(path, path);
  if (located.stat === null) return null;
  const folder = TrustedFolder.open(located.folder, located.folderStat);
  try {
    return openOrNull(folder.locate(located.name), path);
  } finally {
    folder.close();
  }
}

function openOrNull(at: string, path: string): number | null {
  try {
    return openSync(at, FILE);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ELOOP') throw new UntrustedError(`${path} is a symbolic link; use the real file`);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}
