/**
 * The rows that the set MAC covers, and the one place through which every change of them passes: triggers on the writer's
 * connection, which call a function of this program for each row, whatever statement changed it. So no path that writes rows
 * can forget it. They are temporary triggers: the file does not have them, and nobody can change them there.
 */
import type Database from 'better-sqlite3';

/** A table whose rows are covered, and what of a row is. */
interface CoveredTable {
  readonly table: string;
  /**
   * Its columns, of which each is bound by what is covered. Those of rows with a wrap or a MAC of their own, which binds the
   * others, are these alone: a blob, and integers.
   */
  readonly columns: readonly string[];
}

/**
 * The order is part of the format. Left out: when tokens were last used, which grants nothing; the indexes, which are made from
 * the rows; the places of key files, which are compared with the known vault; and `audit_writes`, whose batches the head of the
 * audit log covers.
 */
export const COVERED_TABLES = [
  { table: 'secrets', columns: ['wrapped_dek'] },
  { table: 'fields', columns: ['wrapped_dek'] },
  { table: 'versions', columns: ['wrapped_dek'] },
  { table: 'old_fields', columns: ['wrapped_dek', 'secret_id', 'until'] },
  { table: 'deleted', columns: ['secret_id', 'name', 'environment', 'deleted_at'] },
  { table: 'tokens', columns: ['mac'] },
  { table: 'slots', columns: ['mac'] },
  { table: 'keks', columns: ['id', 'generation', 'wrapped', 'created_at'] },
  { table: 'audit_segments', columns: ['wrapped_key'] },
] as const satisfies readonly CoveredTable[];

/** Is told of each row that appears (`isAdded`) or goes. `table`: its index in COVERED_TABLES. What it throws fails the statement. */
export type NoteRow = (table: number, isAdded: boolean, covered: Uint8Array) => void;

/**
 * Returns SQL for the bytes of a row that are covered: a lone blob as it is, several columns as the literals of their bytes
 * (`X'1F'`, or `NULL`), joined by commas. The bytes of a number are its decimal digits.
 */
export function selectCovered({ columns }: CoveredTable, row = ''): string {
  const [only] = columns;
  if (columns.length === 1) return `${row}${only}`;
  return `CAST(${columns.map((column) => `quote(CAST(${row}${column} AS BLOB))`).join(` || ',' || `)} AS BLOB)`;
}

/** Has `note` called for every row that a statement of this connection changes, cascades included. */
export function watchRows(db: Database.Database, note: NoteRow): void {
  for (const [index, covered] of COVERED_TABLES.entries()) {
    const { table, columns } = covered;
    const [added, removed] = [`note_added_${table}`, `note_removed_${table}`];
    db.function(added, (bytes) => void note(index, true, bytes as Uint8Array));
    db.function(removed, (bytes) => void note(index, false, bytes as Uint8Array));
    const add = `SELECT ${added}(${selectCovered(covered, 'new.')});`;
    const remove = `SELECT ${removed}(${selectCovered(covered, 'old.')});`;
    db.exec(`
      CREATE TEMP TRIGGER covered_${table}_inserted AFTER INSERT ON main.${table} BEGIN ${add} END;
      CREATE TEMP TRIGGER covered_${table}_updated AFTER UPDATE OF ${columns.join(', ')} ON main.${table}
        BEGIN ${remove} ${add} END;
      CREATE TEMP TRIGGER covered_${table}_deleted AFTER DELETE ON main.${table} BEGIN ${remove} END;`);
  }
}

/** For destroying the vault: rows change without being noted from now on. */
export function unwatchRows(db: Database.Database): void {
  for (const { table } of COVERED_TABLES)
    for (const event of ['inserted', 'updated', 'deleted'])
      db.exec(`DROP TRIGGER IF EXISTS temp.covered_${table}_${event}`);
}
