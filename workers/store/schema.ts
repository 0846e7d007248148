/**
 * The schema is a part of the format: what a file's schema says is compared with what this program would have written, to
 * the letter, before anything else is asked of the file. Whoever writes into it without the key could otherwise lay a
 * trigger there that makes lies of "stored" and "deleted", or a view whose reading never ends. Holds no secret.
 */
import Database from 'better-sqlite3';
import { migrationFrom } from './migrations.ts';
import { UnusableDatabaseError } from './unusable.ts';

/** What of `sqlite_schema` is compared. */
interface SchemaRow {
  readonly type: string;
  readonly name: string;
  readonly tbl_name: string;
  readonly sql: string | null;
}

/** A name in a foreign file may be as long as the file. */
const MAX_SHOWN = 40;

/** By the version of the schema; read in an empty database of this process, so that it is SQLite's own text. */
const known = new Map<number, ReadonlyMap<string, string>>();

/**
 * Throws UnusableDatabaseError where the open file has anything in its schema that this program does not write into a
 * file of schema `version`, or lacks something of it.
 */
export function checkSchema(db: Database.Database, path: string, version: number): void {
  const expected = listExpected(version);
  const found = listSchema(db);
  for (const [name, text] of found)
    if (expected.get(name) !== text)
      throw describeBreach(path, name, expected.has(name) ? 'was changed' : 'is foreign');
  for (const name of expected.keys()) if (!found.has(name)) throw describeBreach(path, name, 'is missing');
  checkRoots(db, path);
}

function describeBreach(path: string, name: string, what: string): UnusableDatabaseError {
  const shown = name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}…` : name;
  return new UnusableDatabaseError(
    `in ${path} the ${shown} ${what}: no version of this program writes that; restore the file from a backup`,
  );
}

function listExpected(version: number): ReadonlyMap<string, string> {
  const before = known.get(version);
  if (before !== undefined) return before;
  const db = new Database(':memory:');
  try {
    db.exec(migrationFrom(0, version));
    const expected = listSchema(db);
    known.set(version, expected);
    return expected;
  } finally {
    db.close();
  }
}

/** By kind and name, such as `trigger search_texts_inserted`. Two of one name are two that fit none. */
function listSchema(db: Database.Database): Map<string, string> {
  // The name that the file cannot give to anything else.
  const rows = db.prepare<[], SchemaRow>('SELECT type, name, tbl_name, sql FROM main.sqlite_master').all();
  const schema = new Map<string, string>();
  for (const { type, name, tbl_name, sql } of rows) {
    const key = `${type} ${name}`;
    schema.set(key, schema.has(key) ? '' : JSON.stringify([tbl_name, sql]));
  }
  return schema;
}

/** Each table and index has its own pages: with those of another it would answer what that one stores. */
function checkRoots(db: Database.Database, path: string): void {
  const shared = db
    .prepare<[], { name: string }>(
      'SELECT name FROM main.sqlite_master WHERE rootpage > 0 GROUP BY rootpage HAVING count(*) > 1 LIMIT 1',
    )
    .get();
  if (shared !== undefined) throw describeBreach(path, shared.name, 'has the pages of another');
}
