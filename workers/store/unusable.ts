/** Why a database file cannot be used, in words for the user, and SQLite's own words for it. Holds no secret. */
import Database from 'better-sqlite3';

/** The file is not one this program may touch; `message` says why and what to do. */
export class UnusableDatabaseError extends Error {}

/** SQLite's own word for what went wrong (`SQLITE_NOTADB`); never the message, which may quote a statement. */
export function sqliteCode(error: unknown): string {
  return error instanceof Database.SqliteError ? error.code : error instanceof Error ? error.name : 'unknown';
}

const DAMAGE = /^SQLITE_(CORRUPT|NOTADB)/;

/** SQLite's word for a file whose pages are not what they were; null where the error is about something else. */
export function findDamageCode(error: unknown): string | null {
  const code = sqliteCode(error);
  return DAMAGE.test(code) ? code : null;
}
