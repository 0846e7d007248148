/**
 * Opens vault.db, for writing (one thread) or for reading (each reader thread). Holds no secret: what the file
 * stores of one is ciphertext.
 */
import { closeSync, existsSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { APPLICATION_ID, migrationFrom, OLDEST_SCHEMA_VERSION, SCHEMA_VERSION } from './migrations.ts';

export type Db = Database.Database;

/**
 * What all readers together keep of the file in memory: better-sqlite3's own figure for one. With less, a GET among a
 * million secrets takes a tenth longer; reading all of a large vault fills it.
 */
const READER_CACHES_KIB = 16_000;

/** The file is not one this program may touch; `message` says why and what to do. */
export class UnusableDatabaseError extends Error {}

/** How long a statement waits for a lock; only a checkpoint can make it wait, since there is one writer. */
const BUSY_TIMEOUT_MS = 5_000;

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
export function openForWriting(path: string): Db {
  return openChecked(path, false, (db, version) => {
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('secure_delete = ON');
    db.pragma('foreign_keys = ON');
    if (version < SCHEMA_VERSION) upgrade(db, path, version);
  });
}

/** The connection of one of so many readers. It cannot write, whatever it is told to. */
export function openForReading(path: string, readers: number): Db {
  return openChecked(path, true, (db, version) => {
    if (version < SCHEMA_VERSION) {
      throw new UnusableDatabaseError(
        `${path} has schema ${version} and was not upgraded to ${SCHEMA_VERSION}; try again with: mav unseal`,
      );
    }
    db.pragma('query_only = ON');
    db.pragma(`cache_size = -${Math.floor(READER_CACHES_KIB / readers)}`);
  });
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
    db.exec('DELETE FROM slots; DELETE FROM keks');
    db.pragma('wal_checkpoint(TRUNCATE)');
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

function openChecked(path: string, readonly: boolean, prepare: (db: Db, version: number) => void): Db {
  if (!existsSync(path))
    throw new UnusableDatabaseError(`there is no vault at ${path}; make one with: mav init`);
  const db = openFile(path, readonly);
  try {
    prepare(db, checkSchema(db, path));
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

/** Answers the file's schema version: the newest, or an older one of ours. */
function checkSchema(db: Db, path: string): number {
  const { application, version } = readIdentity(db, path);
  if (application !== APPLICATION_ID || version < OLDEST_SCHEMA_VERSION) {
    throw new UnusableDatabaseError(`${path} is not a MaestroVault database; nothing in it was changed`);
  }
  if (version > SCHEMA_VERSION) {
    throw new UnusableDatabaseError(
      `${path} has schema ${version}, newer than this program's ${SCHEMA_VERSION}; update MaestroVault`,
    );
  }
  return version;
}

function readIdentity(db: Db, path: string): { application: number; version: number } {
  try {
    return {
      application: db.pragma('application_id', { simple: true }) as number,
      version: db.pragma('user_version', { simple: true }) as number,
    };
  } catch (error) {
    throw new UnusableDatabaseError(`${path} cannot be read: ${sqliteCode(error)}; restore it from a backup`);
  }
}

/** SQLite's own word for what went wrong (`SQLITE_NOTADB`); never the message, which may quote a statement. */
export function sqliteCode(error: unknown): string {
  return error instanceof Database.SqliteError ? error.code : error instanceof Error ? error.name : 'unknown';
}
