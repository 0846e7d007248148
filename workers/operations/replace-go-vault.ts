/**
 * Puts a new vault in the place of the Go program's, whose file stays beside it. At every moment one of the two lies there
 * whole. Reads no value, and needs no key.
 */
import { chmodSync, linkSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { RequestError } from '../errors/request-error.ts';
import { syncFolder } from '../files/folders.ts';
import { readRows } from '../go-vault/rows.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import { writeStatus } from '../json/status.ts';
import type { Call, WorkerOptions } from '../messages.ts';

const PRIVATE = 0o600;
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/**
 * The new vault is at `options.databasePath`, closed. Parameters: `path` of the Go program's database, `kept`, where its file
 * stays, and `digest` of the rows that were imported (GoVaultReport). Throws RequestError, and then nothing was replaced.
 */
export function replaceGoVault(
  { databasePath }: WorkerOptions,
  { params: { path = '', kept = '', digest } }: Call,
  reply: ReplyBuffer,
): void {
  settle(databasePath);
  const db = holdAlone(path);
  try {
    if (readRows(db, path).digest !== digest)
      throw new RequestError('conflict', `${path} was changed meanwhile; nothing was replaced, try again`);
    // Its log would otherwise lie beside the new vault, under the name of the new vault's.
    if (db.pragma('journal_mode = DELETE', { simple: true }) !== 'delete') throw isOpen(path);
    exchange(databasePath, path, kept);
  } finally {
    db.close();
  }
  writeStatus('replaced', { db_path: path, kept }, reply);
}

/** Moves what is left of a log into the database: the log has the draft's name, and would not be found after the renaming. */
function settle(path: string): void {
  const db = new Database(path, { fileMustExist: true });
  db.pragma('synchronous = FULL');
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  if (statSync(`${path}-wal`, { throwIfNoEntry: false }) !== undefined)
    throw new RequestError('conflict', `${path} is in use; nothing was replaced`);
}

/** Opens the database so that no other process can open it. Its lock ends with any descriptor of the file that this process closes. */
function holdAlone(path: string): Database.Database {
  const db = new Database(path, { fileMustExist: true, timeout: 0 });
  try {
    db.pragma('locking_mode = EXCLUSIVE');
    db.exec('BEGIN EXCLUSIVE; COMMIT');
    return db;
  } catch (error) {
    db.close();
    if ((error as { code?: unknown }).code === 'SQLITE_BUSY') throw isOpen(path);
    throw error;
  }
}

function isOpen(path: string): RequestError {
  return new RequestError(
    'conflict',
    `another program has ${path} open; end the Go program, its daemon too, and try again; nothing was replaced`,
  );
}

function exchange(draft: string, path: string, kept: string): void {
  try {
    chmodSync(path, PRIVATE);
    if (!isSameFile(path, kept)) linkSync(path, kept);
    syncFolder(dirname(path));
    renameSync(draft, path);
  } catch (error) {
    const { code = 'failed' } = error as NodeJS.ErrnoException;
    if (isSameFile(path, kept)) rmSync(kept, { force: true });
    throw FULL.has(code)
      ? new RequestError('disk_full', 'the disk is full; nothing was replaced')
      : new RequestError('conflict', `${path} cannot be replaced (${code}); nothing was`);
  }
  syncFolder(dirname(path));
}

/** A run that was killed has made the second name already. */
function isSameFile(path: string, other: string): boolean {
  const [one, two] = [path, other].map((each) => statSync(each, { throwIfNoEntry: false }));
  return two !== undefined && one?.ino === two.ino && one.dev === two.dev;
}
