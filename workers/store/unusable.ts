/** The error for a database file that cannot be used, and SQLite's codes for damage. */
import Database from 'better-sqlite3';

/** This program must not use the file; `message` says why and what to do. */
export class UnusableDatabaseError extends Error {}

/** Returns SQLite's code for an error (`SQLITE_NOTADB`), else the error's name. Never its message, which may quote a statement. */
export function sqliteCode(error: unknown): string {
  return error instanceof Database.SqliteError ? error.code : error instanceof Error ? error.name : 'unknown';
}

const DAMAGE = /^SQLITE_(CORRUPT|NOTADB)/;

/** Returns SQLite's code if the error means that the file is damaged; else null. */
export function findDamageCode(error: unknown): string | null {
  const code = sqliteCode(error);
  return DAMAGE.test(code) ? code : null;
}
