/**
 * Opens vault.db, for writing (one thread) or for reading (each reader thread). Secrets in the file are ciphertext.
 */
import { existsSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { syncFolder } from '../files/folders.ts';
import { checkSchema } from './check-schema.ts';
import { unwatchRows } from './covered-rows.ts';
import { type Identity, isOurs, judgeHeader, judgeIdentity } from './identity.ts';
import { eraseLog } from './log-eraser.ts';
import { SCHEMA } from './schema.ts';
import { sqliteCode, UnusableDatabaseError } from './unusable.ts';
import { inspectLog, type LogFindings } from './write-ahead-log.ts';

export type Db = Database.Database;

/** Inspects an open file before anything is written into it. Throws if it must not be used. */
export type Judge = (db: Db) => void;

/**
 * KiB of the file that all readers together keep in memory: better-sqlite3's default for one connection. With less, a GET
 * among a million secrets takes a tenth longer. Reading all of a large vault fills it.
 */
const READER_CACHES_KIB = 16_000;

/** SQLite's codes for a disk that has no room for the log or its index. The file is as it should be. */
const NO_ROOM: ReadonlySet<string> = new Set(['SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE']);

/** How long a statement waits for a lock. With one writer, only a checkpoint makes it wait. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Loads SQLite's library, which otherwise loads with the first connection: by then an upgrade may have replaced a running
 * daemon's files.
 */
export function loadSqlite(): void {
  new Database(':memory:').close();
}

/** Makes a new vault.db at `path`, which must not exist. The caller moves it into place when it is complete. */
export function createDatabase(path: string): Db {
  if (existsSync(path)) throw new UnusableDatabaseError(`${path} exists already`);
  const db = new Database(path);
  // A deleted secret's ciphertext is overwritten, not just unlinked from the tree.
  db.pragma('secure_delete = ON');
  db.pragma('synchronous = FULL');
  db.transaction(() => db.exec(SCHEMA)).immediate();
  return db;
}

/**
 * Opens the writer's connection. WAL with synchronous=FULL: a commit is on disk when it returns. The caller owns the vault
 * alone, and the writer opens it before the readers do.
 */
export function openForWriting(path: string, judge: Judge): Db {
  checkExists(path);
  checkFiles(path, judge);
  return openChecked(path, false, (db) => {
    // A second time, on the connection that stays: another file may lie there by now.
    judge(db);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('secure_delete = ON');
    db.pragma('foreign_keys = ON');
    // Temporary files would lie outside the vault's folder, where the daemon may not write.
    db.pragma('temp_store = MEMORY');
  });
}

/** Opens the connection of one of `readers` readers. It cannot write. */
export function openForReading(path: string, readers: number, judge: Judge): Db {
  checkExists(path);
  judgeHeader(path);
  return openChecked(path, true, (db) => {
    judge(db);
    db.pragma('query_only = ON');
    db.pragma('temp_store = MEMORY');
    db.pragma(`cache_size = -${Math.floor(READER_CACHES_KIB / readers)}`);
  });
}

/**
 * Inspects the file, changes nothing in it and closes it. The caller owns the vault alone. Throws UnusableDatabaseError.
 */
export function inspectDatabase(path: string, judge: Judge): void {
  checkExists(path);
  checkFiles(path, judge);
  // A connection that may write moves a log into the file when it is closed; without a log it leaves nothing behind.
  if (isCleanlyClosed(path)) openChecked(path, false, judge).close();
}

/**
 * Closes the writer's connection and removes the database. Deletes the wrapped keys first, which overwrites them: remains
 * of the file on the disk can then not be decrypted, not even by guessing a passphrase.
 */
export function destroyDatabase(db: Db, path: string): void {
  try {
    db.transaction(() => {
      checkSchema(db, path);
      unwatchRows(db);
      db.exec('DELETE FROM slots; DELETE FROM keks');
    }).immediate();
    eraseLog(db, path);
  } catch {
    // A full disk or a damaged file must not keep the vault alive.
  }
  db.close();
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
  syncFolder(dirname(path));
}

function checkExists(path: string): void {
  if (!existsSync(path))
    throw new UnusableDatabaseError(`there is no vault at ${path}; make one with: mav init`);
}

/**
 * Checks the files without a connection that may write: such a connection recovers the log and moves it into the file when
 * it is closed. The caller owns the vault alone. Throws UnusableDatabaseError, and then the files are as they were.
 */
function checkFiles(path: string, judge: Judge): void {
  if (isCleanlyClosed(path)) judgeHeader(path);
  else recoverForReading(path, inspectLog(`${path}-wal`), judge);
}

function isCleanlyClosed(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0;
}

function recoverForReading(path: string, { damagedAt, identity }: LogFindings, judge: Judge): void {
  const log = `${path}-wal`;
  if (damagedAt !== null) {
    throw new UnusableDatabaseError(
      `${log} is damaged at byte ${damagedAt}, so that writes stored after it cannot be read; restore the folder from a ` +
        `backup, or, to give those up, copy the folder and run: truncate -s ${damagedAt} ${log}`,
    );
  }
  // A power failure may leave the file's first page half written; then the log has the whole page.
  const isTorn = isOurs(identity) && !isHeaderOurs(path);
  if (!isTorn) judgeHeader(path);
  openChecked(path, true, (db) => {
    if (isTorn && !isSound(db)) judgeHeader(path);
    judge(db);
  }).close();
}

function isSound(db: Db): boolean {
  try {
    return db.pragma('quick_check(1)', { simple: true }) === 'ok';
  } catch {
    return false;
  }
}

function isHeaderOurs(path: string): boolean {
  try {
    judgeHeader(path);
    return true;
  } catch {
    return false;
  }
}

function openChecked(path: string, readonly: boolean, prepare: Judge): Db {
  const db = openFile(path, readonly);
  try {
    // The file is data: functions in its schema must not have the rights of trusted ones.
    db.pragma('trusted_schema = OFF');
    db.pragma('cell_size_check = ON');
    judgeIdentity(
      path,
      explainUnreadable(path, () => readIdentity(db)),
    );
    explainUnreadable(path, () => checkSchema(db, path));
    prepare(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function openFile(path: string, readonly: boolean): Db {
  try {
    return new Database(path, { readonly, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  } catch (error) {
    throw new UnusableDatabaseError(`${path} cannot be opened: ${sqliteCode(error)}`);
  }
}

function readIdentity(db: Db): Identity {
  return {
    application: db.pragma('application_id', { simple: true }) as number,
    version: db.pragma('user_version', { simple: true }) as number,
  };
}

/** Runs one of the first reads of the file. An error of SQLite is then about the file, so the message names the file. */
function explainUnreadable<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnusableDatabaseError || NO_ROOM.has(sqliteCode(error))) throw error;
    throw new UnusableDatabaseError(`${path} cannot be read: ${sqliteCode(error)}; restore it from a backup`);
  }
}
