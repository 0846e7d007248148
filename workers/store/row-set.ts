/** The row of the set MAC. Its key and its state are ciphertext. */
import { expectChanges } from './changed.ts';
import { insertInto, ROW_SET_COLUMNS, type RowSetRow, selectColumns, setColumns } from './columns.ts';
import { COVERED_TABLES, selectCovered } from './covered-rows.ts';
import type { Db } from './database.ts';

export interface NamedRow {
  readonly covered: Uint8Array;
  /** The row in words. */
  readonly label: string;
}

/** A row that does not fit those of other tables. */
export interface Misfit {
  /** The tables in one of which a row was changed, if this is why. */
  readonly tables: readonly string[];
  readonly what: 'put back' | 'dropped' | 'other fields';
  /** The row in words. */
  readonly label: string;
  /** The version that it has now; null where that says nothing. */
  readonly version: number | null;
}

/** The name of a secret as the command line writes it. */
const nameOf = (row: string) =>
  `json_quote(${row}name) || iif(${row}environment = '', '', ' in ' || json_quote(${row}environment))`;
const SECRET_OF_FIELD = `coalesce((SELECT ${nameOf('s.')} FROM secrets s WHERE s.id = secret_id), 'a secret that is not there')`;

/** The words for a row of each table. */
const NAMES: Readonly<Record<(typeof COVERED_TABLES)[number]['table'], string>> = {
  secrets: nameOf(''),
  fields: `'field ' || json_quote(field) || ' of ' || ${SECRET_OF_FIELD}`,
  versions: `'version ' || revision || ' of ' || ${nameOf('')}`,
  old_fields: `'an old field ' || json_quote(field) || ' of ' || ${SECRET_OF_FIELD}`,
  deleted: `'the deleted ' || ${nameOf('')}`,
  tokens: `'token ' || id`,
  slots: `'key slot ' || id`,
  keks: `'KEK generation ' || generation`,
  audit_segments: `'segment ' || id || ' of the audit log'`,
};

const NEWEST_OLD = '(SELECT max(revision) FROM versions v WHERE v.secret_id = s.id)';
const MISFITS = [
  {
    tables: ['secrets'],
    what: 'put back',
    sql: `SELECT ${nameOf('s.')} AS label, s.revision AS version FROM secrets s WHERE s.revision <= ${NEWEST_OLD}`,
  },
  {
    tables: ['versions'],
    what: 'dropped',
    sql: `SELECT 'version ' || (s.revision - 1) || ' of ' || ${nameOf('s.')} AS label, NULL AS version
      FROM secrets s WHERE ${NEWEST_OLD} < s.revision - 1`,
  },
  {
    tables: ['secrets', 'deleted'],
    what: 'dropped',
    sql: `SELECT ${nameOf('v.')} AS label, NULL AS version FROM versions v
      WHERE NOT EXISTS (SELECT 1 FROM secrets s WHERE s.id = v.secret_id)
        AND NOT EXISTS (SELECT 1 FROM deleted d WHERE d.secret_id = v.secret_id)
      GROUP BY v.secret_id HAVING v.revision = max(v.revision)`,
  },
  {
    tables: ['fields'],
    what: 'other fields',
    sql: `SELECT ${nameOf('s.')} AS label, NULL AS version FROM secrets s
      WHERE s.field_count <> (SELECT count(*) FROM fields f WHERE f.secret_id = s.id)`,
  },
] as const satisfies readonly (Pick<Misfit, 'tables' | 'what'> & { readonly sql: string })[];

export class RowSetStore {
  readonly #db: Db;
  readonly #read;
  readonly #update;

  constructor(db: Db) {
    this.#db = db;
    this.#read = db.prepare<[], RowSetRow>(`SELECT ${selectColumns(ROW_SET_COLUMNS)} FROM row_set`);
    this.#update = db.prepare<[RowSetRow]>(`UPDATE row_set SET ${setColumns(ROW_SET_COLUMNS)}`);
  }

  /** Null if somebody deleted it. */
  read(): RowSetRow | null {
    return this.#read.get() ?? null;
  }

  update(row: RowSetRow): void {
    expectChanges(this.#update.run(row));
  }

  /** Stores the row in place of one that may be there. */
  replace(row: RowSetRow): void {
    this.#db.prepare('DELETE FROM row_set').run();
    const insert = insertInto('row_set', ROW_SET_COLUMNS);
    expectChanges(this.#db.prepare<[RowSetRow]>(insert).run(row));
  }

  /** As readCovered, with what names each row. */
  readNamed(table: number): IterableIterator<NamedRow> {
    const covered = COVERED_TABLES[table];
    if (covered === undefined) throw new RangeError('no such table');
    const sql = `SELECT ${selectCovered(covered)} AS covered, ${NAMES[covered.table]} AS label FROM ${covered.table}`;
    return this.#db.prepare<[], NamedRow>(sql).iterate();
  }

  /** Names rows that do not fit the others, as they are left by somebody who put back or dropped a row in a table. */
  listMisfits(limit: number): Misfit[] {
    return MISFITS.flatMap(({ tables, what, sql }) =>
      this.#db
        .prepare<[number], Pick<Misfit, 'label' | 'version'>>(`${sql} LIMIT ?`)
        .all(limit)
        .map((row) => ({ tables, what, ...row })),
    );
  }

  /** Yields of each row of a table what is covered. `table`: its index in COVERED_TABLES. */
  readCovered(table: number): IterableIterator<Uint8Array> {
    const covered = COVERED_TABLES[table];
    if (covered === undefined) throw new RangeError('no such table');
    const sql = `SELECT ${selectCovered(covered)} FROM ${covered.table}`;
    return this.#db.prepare<[], Uint8Array>(sql).pluck().iterate();
  }
}
