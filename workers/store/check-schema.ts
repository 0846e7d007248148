/**
 * The schema is a part of the format: before any other query, the file's schema is compared to the letter with the one
 * that this program writes. An attacker without the key could otherwise plant a trigger that undoes what is stored or
 * deleted, or a view whose reading never ends.
 */
import Database from 'better-sqlite3';
import { SCHEMA } from './schema.ts';
import { UnusableDatabaseError } from './unusable.ts';

/** The columns of `sqlite_schema` that are compared. */
interface SchemaRow {
  readonly type: string;
  readonly name: string;
  readonly tbl_name: string;
  readonly sql: string | null;
}

/** Characters. A name in a foreign file may be as long as the file. */
const MAX_SHOWN = 40;

/** Read once, from an empty database in memory: so it is SQLite's own text of the schema. Null until then. */
let expectedSchema: ReadonlyMap<string, string> | null = null;

/** Throws UnusableDatabaseError if the open file's schema differs in anything from the one that this program writes. */
export function checkSchema(db: Database.Database, path: string): void {
  expectedSchema ??= readExpectedSchema();
  const expected = expectedSchema;
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

function readExpectedSchema(): ReadonlyMap<string, string> {
  const db = new Database(':memory:');
  try {
    db.exec(SCHEMA);
    return listSchema(db);
  } finally {
    db.close();
  }
}

/**
 * Returns each entry's definition by its kind and name, such as `trigger search_texts_inserted`. A name that is given twice
 * has an empty definition, which matches no expected one.
 */
function listSchema(db: Database.Database): Map<string, string> {
  // SQLite reserves this name: the file cannot give it to another table.
  const rows = db.prepare<[], SchemaRow>('SELECT type, name, tbl_name, sql FROM main.sqlite_master').all();
  const schema = new Map<string, string>();
  for (const { type, name, tbl_name, sql } of rows) {
    const key = `${type} ${name}`;
    schema.set(key, schema.has(key) ? '' : JSON.stringify([tbl_name, sql]));
  }
  return schema;
}

/** Throws if two tables or indexes share their pages: one would then return what the other stores. */
function checkRoots(db: Database.Database, path: string): void {
  const shared = db
    .prepare<[], { name: string }>(
      'SELECT name FROM main.sqlite_master WHERE rootpage > 0 GROUP BY rootpage HAVING count(*) > 1 LIMIT 1',
    )
    .get();
  if (shared !== undefined) throw describeBreach(path, shared.name, 'has the pages of another');
}
