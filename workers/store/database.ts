/**
 * Opens vault.db, for writing (one thread) or for reading (each reader thread). Holds no secret: what the file
 * stores of one is ciphertext.
 */
import { closeSync, existsSync, fsyncSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { type Identity, isOurs, judgeHeader, judgeIdentity } from './identity.ts';
import { eraseLog } from './log-eraser.ts';
import { migrationFrom, SCHEMA_VERSION } from './migrations.ts';
import { checkSchema } from './schema.ts';
import { sqliteCode, UnusableDatabaseError } from './unusable.ts';
import { inspectLog, type LogFindings } from './write-ahead-log.ts';

export type Db = Database.Database;

/** Looks at an open file of this schema before anything is written into it. Throws if it is not to be used. */
export type Judge = (db: Db, schema: number) => void;

/**
 * What all readers together keep of the file in memory: better-sqlite3's own figure for one. With less, a GET among a
 * million secrets takes a tenth longer; reading all of a large vault fills it.
 */
const READER_CACHES_KIB = 16_000;

/** How long a statement waits for a lock; only a checkpoint can make it wait, since there is one writer. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Loads SQLite itself, which otherwise comes with the first connection: a daemon's program may be replaced by then, and its
 * file be gone.
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
  migrate(db, 0);
  return db;
}

/**
 * The writer's connection. WAL with synchronous=FULL: a commit is on disk when it returns. Brings a file of an older
 * schema up to the newest one; whoever has the vault open has it alone, and its writer opens it first.
 */
export function openForWriting(path: string, judge: Judge): Db {
  checkThere(path);
  checkFiles(path, judge);
  return openChecked(path, false, (db, version) => {
    // Once more, on the connection that stays: another file may lie there by now.
    judge(db, version);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('secure_delete = ON');
    db.pragma('foreign_keys = ON');
    // The daemon may write no file elsewhere, and nothing of a vault should lie there.
    db.pragma('temp_store = MEMORY');
    if (version < SCHEMA_VERSION) upgrade(db, path, version);
  });
}

/** The connection of one of so many readers. It cannot write, whatever it is told to. */
export function openForReading(path: string, readers: number, judge: Judge): Db {
  checkThere(path);
  judgeHeader(path);
  return openChecked(path, true, (db, version) => {
    judge(db, version);
    if (version < SCHEMA_VERSION) {
      throw new UnusableDatabaseError(
        `${path} has schema ${version} and was not upgraded to ${SCHEMA_VERSION}; try again with: mav unseal`,
      );
    }
    db.pragma('query_only = ON');
    db.pragma('temp_store = MEMORY');
    db.pragma(`cache_size = -${Math.floor(READER_CACHES_KIB / readers)}`);
  });
}

/**
 * Looks at the file, changes nothing in it and closes it. Whoever calls this has the vault alone. Throws
 * UnusableDatabaseError.
 */
export function lookInto(path: string, judge: Judge): void {
  checkThere(path);
  checkFiles(path, judge);
  // A connection that may write moves a log into the file when it is closed; without a log it leaves nothing behind.
  if (isCleanlyClosed(path)) openChecked(path, false, judge).close();
}

function upgrade(db: Db, path: string, version: number): void {
  try {
    migrate(db, version);
  } catch (error) {
    throw new UnusableDatabaseError(
      `${path} has schema ${version} and cannot be upgraded to ${SCHEMA_VERSION}: ${sqliteCode(error)}; ` +
        'nothing in it was changed',
    );
  }
}

/** All of it or nothing. */
function migrate(db: Db, version: number): void {
  db.transaction(() => db.exec(migrationFrom(version))).immediate();
}

/**
 * Closes the writer's connection and removes the database for ever. The wrapped keys are deleted first, which overwrites
 * them: what a disk keeps of the file for a while cannot be opened, not even by guessing a passphrase.
 */
export function destroyDatabase(db: Db, path: string): void {
  try {
    db.transaction(() => {
      checkSchema(db, path, SCHEMA_VERSION);
      db.exec('DELETE FROM slots; DELETE FROM keks');
    }).immediate();
    eraseLog(db, path);
  } catch {
    // A full disk or a damaged file must not keep the vault alive.
  }
  db.close();
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function checkThere(path: string): void {
  if (!existsSync(path))
    throw new UnusableDatabaseError(`there is no vault at ${path}; make one with: mav init`);
}

/**
 * What can be told without a connection that writes: one recovers what the log has, and puts it into the file when it is
 * closed. Whoever calls this has the vault alone. Throws UnusableDatabaseError, and the files are as they were.
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
  // A power failure may tear the first page while it is written into the file; the log has it whole then.
  const isTorn = isOurs(identity) && !isHeaderOurs(path);
  if (!isTorn) judgeHeader(path);
  openChecked(path, true, (db, version) => {
    if (isTorn && !isSound(db)) judgeHeader(path);
    judge(db, version);
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

function openChecked(path: string, readonly: boolean, prepare: (db: Db, version: number) => void): Db {
  const db = openFile(path, readonly);
  try {
    // Nothing in the file is more than data: no function of its schema may do what only a trusted one does.
    db.pragma('trusted_schema = OFF');
    db.pragma('cell_size_check = ON');
    const version = judgeIdentity(
      path,
      orExplain(path, () => readIdentity(db)),
    );
    orExplain(path, () => checkSchema(db, path, version));
    prepare(db, version);
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

/** What reads the file for the first time: whatever SQLite makes of it is about the file. */
function orExplain<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnusableDatabaseError) throw error;
    throw new UnusableDatabaseError(`${path} cannot be read: ${sqliteCode(error)}; restore it from a backup`);
  }
}
