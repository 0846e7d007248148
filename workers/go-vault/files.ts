/**
 * The files of a vault of the Go program, copied into a private folder. SQLite changes the files beside a database in WAL mode
 * as soon as it opens it, and these belong to another program. The values in them are ciphertext.
 */
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { RequestError } from '../errors/request-error.ts';

/** The database, its write-ahead log, and the journal of a transaction that was cut short. */
const SUFFIXES = ['', '-wal', '-journal'];
/** The name of a copy's folder, after that of the place. */
const ENDING = '.copy-';
/** Longer than copying takes. */
const COPYING_MS = 60_000;
const ATTEMPTS = 5;
const PAUSE_MS = 100;
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/**
 * Copies the database at `path` into a new folder beside `place`, runs `use` with the path of the copy, and removes the copy. `use`
 * calls `opened` when it has the files open: from then on they have no names, so that nothing of them outlasts a process that is
 * killed. Throws RequestError.
 */
export function withCopy<T>(path: string, place: string, use: (copy: string, opened: () => void) => T): T {
  removeOld(place);
  const folder = explainErrors(path, () => mkdtempSync(`${place}${ENDING}`));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const copy = join(folder, 'vault.db');
    explainErrors(path, () => copyUnchanged(path, copy));
    return use(copy, remove);
  } finally {
    remove();
  }
}

/** A process that was killed while it copied has left its folder. Others may be copying at this moment. */
function removeOld(place: string): void {
  const [folder, start] = [dirname(place), basename(place) + ENDING];
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const old = join(folder, name);
    const changedAt = name.startsWith(start) ? statSync(old, { throwIfNoEntry: false })?.mtimeMs : undefined;
    if (changedAt !== undefined && changedAt < Date.now() - COPYING_MS)
      rmSync(old, { recursive: true, force: true });
  }
}

/** Copies all files again if one of them changed meanwhile, because the copies would then not belong together. */
function copyUnchanged(path: string, copy: string): void {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = describeFiles(path);
    for (const suffix of SUFFIXES) copyIfThere(path + suffix, copy + suffix);
    if (describeFiles(path) === before) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  }
  throw new RequestError(
    'conflict',
    `${path} is being written; end the Go program, its daemon too, and try again`,
  );
}

function describeFiles(path: string): string {
  return SUFFIXES.map((suffix) => {
    const stat = statSync(path + suffix, { throwIfNoEntry: false, bigint: true });
    return stat === undefined ? 'none' : [stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(' ');
  }).join();
}

function copyIfThere(from: string, to: string): void {
  rmSync(to, { force: true });
  if (statSync(from, { throwIfNoEntry: false }) === undefined) return;
  copyFileSync(from, to);
  chmodSync(to, 0o600);
}

/** Says what a failed system call was about. `path` stands in the message. */
function explainErrors<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof RequestError) throw error;
    const { code = 'failed' } = error as NodeJS.ErrnoException;
    if (FULL.has(code))
      throw new RequestError(
        'disk_full',
        `the disk is full: there is no room for a copy of ${path}; nothing was changed`,
      );
    throw new RequestError('bad_request', `${path} cannot be copied (${code}); nothing was changed`);
  }
}
