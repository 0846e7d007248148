/** The rows of secrets and their fields. Values come and go as ciphertext. */

import type { SecretName } from '../messages.ts';
import { expectChanges } from './changed.ts';
import type { FieldHead, FieldRow, SecretRow, SecretSummary } from './columns.ts';
import {
  FIELD_COLUMNS,
  insertInto,
  omitColumns,
  pickColumns,
  SECRET_COLUMNS,
  selectColumns,
  setColumns,
  setExcluded,
} from './columns.ts';
import type { Db } from './database.ts';
import type { EntryMeasure, FieldReader } from './history.ts';
import { buildListStatement, type Hints, IS_DUE, type ListFilter } from './lists.ts';
import { SearchReader } from './search.ts';

export interface SecretNameRow extends SecretName {
  readonly id: number;
}

/** Either index has the name and environment of every secret. */
export const NAME_INDEXES = ['sqlite_autoindex_secrets_1', 'secrets_by_environment'] as const;
type NameIndex = (typeof NAME_INDEXES)[number];

/** What the indexes keep of a metadata object. */
export interface MetadataIndex {
  /** Its top-level members, each value as text. */
  readonly entries: readonly (readonly [key: string, value: string])[];
  /** The text in which a search looks for its (folded) query. */
  readonly searchText: string;
}

const SELECT_SUMMARY = selectColumns(
  omitColumns(SECRET_COLUMNS, ['id', 'version', 'wrappedDek', 'payload']),
  's',
);
const SELECT_SECRET = selectColumns(SECRET_COLUMNS, 's');
const SELECT_HEAD = selectColumns(pickColumns(FIELD_COLUMNS, ['field', 'version', 'writtenBy', 'accepted']));
const SELECT_FIELD = selectColumns(FIELD_COLUMNS);
/**
 * `+`, because SQLite would plan a statement with ORDER BY again for each value that a column is compared with, in case another
 * index suits that value better. Planning takes three times as long as reading three fields.
 */
const IN_ORDER_OF_NAMES = 'WHERE secret_id = +? ORDER BY field';
/** An environment with fewer secrets than this is read whole when a list filters by metadata. */
const SMALL_ENVIRONMENT = 1_000;

/** Statements that every command may need are prepared once; the others where they are used. */
export class SecretReader implements FieldReader {
  readonly #db: Db;
  readonly #find;
  readonly #listFields;
  readonly #listHeads;
  readonly #findField;
  readonly #measure;
  readonly #search;

  constructor(db: Db) {
    this.#db = db;
    this.#search = new SearchReader(db);
    this.#find = db.prepare<[string, string], SecretRow>(
      `SELECT ${SELECT_SECRET} FROM secrets s WHERE name = ? AND environment = ?`,
    );
    this.#listFields = db.prepare<[number], FieldRow>(
      `SELECT ${SELECT_FIELD} FROM fields ${IN_ORDER_OF_NAMES}`,
    );
    this.#listHeads = db.prepare<[number], FieldHead>(
      `SELECT ${SELECT_HEAD} FROM fields ${IN_ORDER_OF_NAMES}`,
    );
    this.#findField = db.prepare<[number, string], FieldRow>(
      `SELECT ${SELECT_FIELD} FROM fields WHERE secret_id = ? AND field = ?`,
    );
    this.#measure = db.prepare<[number, number], EntryMeasure>(
      `SELECT f.count AS fields, f.count + (s.payload IS NOT NULL) AS "values",
         octet_length(s.metadata) + coalesce(length(s.payload), 0) + f.bytes AS bytes
       FROM secrets s, (SELECT count(*) AS count, coalesce(sum(length(payload)), 0) AS bytes
         FROM fields WHERE secret_id = ?) f WHERE s.id = ?`,
    );
  }

  find({ name, environment }: SecretName): SecretRow | null {
    return this.#find.get(name, environment) ?? null;
  }

  /** Null if there is no such row. */
  findById(id: number): SecretRow | null {
    return (
      this.#db.prepare<[number], SecretRow>(`SELECT ${SELECT_SECRET} FROM secrets s WHERE id = ?`).get(id) ??
      null
    );
  }

  /** As listRows, but only ids, names and environments, read from one of two indexes and from no row. */
  listNames({ environment, after, limit }: ListFilter, index: NameIndex): SecretNameRow[] {
    return this.#db
      .prepare<unknown[], SecretNameRow>(
        `SELECT id, name, environment FROM secrets INDEXED BY ${index}
         WHERE (name, environment) > (?, ?) ${environment === undefined ? '' : 'AND environment = ?'}
         ORDER BY name, environment LIMIT ?`,
      )
      .all(
        after?.name ?? '',
        after?.environment ?? '',
        ...(environment === undefined ? [] : [environment]),
        limit ?? -1,
      );
  }

  /** Returns a secret's fields in the order of their names' bytes. */
  listFields(secretId: number): FieldRow[] {
    return this.#listFields.all(secretId);
  }

  /** As listFields, but yields them one at a time. Nothing else may list fields meanwhile. */
  readFields(secretId: number): IterableIterator<FieldRow> {
    return this.#listFields.iterate(secretId);
  }

  /** As listFields, without reading a payload. */
  listFieldHeads(secretId: number): FieldHead[] {
    return this.#listHeads.all(secretId);
  }

  findField(secretId: number, field: string): FieldRow | null {
    return this.#findField.get(secretId, field) ?? null;
  }

  /** Measures an entry without reading a payload. `values`: how many payloads are among its bytes. */
  measure(secretId: number): EntryMeasure {
    const found = this.#measure.get(secretId, secretId);
    if (found === undefined) throw new RangeError('no such secret');
    return found;
  }

  isJsonObject(text: string): boolean {
    const sql = `SELECT CASE WHEN json_valid(t) THEN json_type(t) = 'object' ELSE 0 END FROM (SELECT ? AS t)`;
    return this.#db.prepare<[string], number>(sql).pluck().get(text) === 1;
  }

  count(): number {
    return this.#db.prepare<[], number>('SELECT count(*) FROM secrets').pluck().get() ?? 0;
  }

  /** Counts the secrets that have a due date before that time (Unix seconds). */
  countDue(time: number): number {
    const sql = `SELECT count(*) FROM secrets s INDEXED BY secrets_due
      WHERE (s.expires_at > 0 OR s.rotate_by > 0) AND ${IS_DUE}`;
    return this.#db.prepare<[number, number], number>(sql).pluck().get(time, time) ?? 0;
  }

  /** Yields summaries in the order of name, then environment (of their UTF-8 bytes). */
  list(filter: ListFilter): IterableIterator<SecretSummary> {
    return this.#iterate<SecretSummary>(SELECT_SUMMARY, filter);
  }

  /** As list, with whole rows. */
  listRows(filter: ListFilter): IterableIterator<SecretRow> {
    return this.#iterate<SecretRow>(SELECT_SECRET, filter);
  }

  #iterate<Row>(columns: string, filter: ListFilter): IterableIterator<Row> {
    const { sql, values } = buildListStatement(columns, filter, this.#findHints(filter));
    return this.#db.prepare<(string | number)[], Row>(sql).iterate(...values);
  }

  #findHints({ environment, metadataKey, searchText }: ListFilter): Hints {
    return {
      candidates: searchText === undefined ? null : this.#search.findCandidates(searchText),
      isEnvironmentSmall:
        environment !== undefined && metadataKey !== undefined && this.#isSmall(environment),
    };
  }

  #isSmall(environment: string): boolean {
    const sql = 'SELECT count(*) FROM (SELECT 1 FROM secrets WHERE environment = ? LIMIT ?)';
    const count = this.#db.prepare<[string, number], number>(sql).pluck().get(environment, SMALL_ENVIRONMENT);
    return (count ?? 0) < SMALL_ENVIRONMENT;
  }
}

/** Binary columns as the writer takes them. */
interface Ciphertext {
  readonly wrappedDek: Uint8Array;
  readonly payload: Uint8Array | null;
}

/** A secret's row as the writer stores it. `countFields` sets the number of fields. */
export type SecretWrite = Omit<SecretRow, 'fieldCount' | keyof Ciphertext> & Ciphertext;

export type FieldWrite = Omit<FieldRow, keyof Ciphertext> &
  Ciphertext & { readonly secretId: number; readonly payload: Uint8Array };

const KEPT_BY_UPDATE = ['id', 'name', 'environment', 'fieldCount'] as const;

/** Statements that every write may need are prepared once; the others where they are used. */
export class SecretWriter {
  readonly #db: Db;
  readonly #insert;
  readonly #update;
  readonly #putField;
  readonly #countFields;
  readonly #clearEntries;
  readonly #insertEntry;
  /** A text that stays the same is not indexed again. */
  readonly #putSearchText;

  constructor(db: Db) {
    this.#db = db;
    this.#insert = db.prepare<[SecretWrite]>(
      insertInto('secrets', omitColumns(SECRET_COLUMNS, ['fieldCount'])),
    );
    this.#update = db.prepare<[SecretWrite]>(
      `UPDATE secrets SET ${setColumns(omitColumns(SECRET_COLUMNS, KEPT_BY_UPDATE))} WHERE id = @id`,
    );
    this.#putField = db.prepare<[FieldWrite]>(
      `${insertInto('fields', { secretId: 'secret_id', ...FIELD_COLUMNS })}
       ON CONFLICT DO UPDATE SET ${setExcluded(omitColumns(FIELD_COLUMNS, ['field']))}`,
    );
    this.#countFields = db.prepare<[number]>(
      `UPDATE secrets SET field_count = (SELECT count(*) FROM fields WHERE secret_id = secrets.id) WHERE id = ?`,
    );
    this.#clearEntries = db.prepare<[number]>('DELETE FROM metadata_entries WHERE secret_id = ?');
    this.#insertEntry = db.prepare<[number, string, string, string, string]>(
      `INSERT INTO metadata_entries (secret_id, key, value, name, environment) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET value = excluded.value, name = excluded.name, environment = excluded.environment`,
    );
    this.#putSearchText = db.prepare<[number, string]>(
      `INSERT INTO search_texts (secret_id, text) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET text = excluded.text WHERE text <> excluded.text`,
    );
  }

  /** Stores the row, new or changed. A changed row keeps its name: see `rename`. */
  put(row: SecretWrite, isNew: boolean): void {
    expectChanges((isNew ? this.#insert : this.#update).run(row));
  }

  /** Updates the indexes to the row's name and metadata. `isNew`: no index has the row yet. */
  index(secretId: number, { name, environment }: SecretName, index: MetadataIndex, isNew: boolean): void {
    if (!isNew) this.#clearEntries.run(secretId);
    for (const [key, value] of index.entries) {
      expectChanges(this.#insertEntry.run(secretId, key, value, name, environment));
    }
    this.#putSearchText.run(secretId, index.searchText);
  }

  /** Gives a row another name and environment; its fields stay with it. */
  rename(secretId: number, { name, environment }: SecretName): void {
    const rename = this.#db.prepare('UPDATE secrets SET name = ?, environment = ? WHERE id = ?');
    expectChanges(rename.run(name, environment, secretId));
  }

  /** Deletes the row with its fields and index entries. */
  delete(secretId: number): void {
    expectChanges(this.#db.prepare('DELETE FROM secrets WHERE id = ?').run(secretId));
  }

  putField(row: FieldWrite): void {
    expectChanges(this.#putField.run(row));
  }

  /** Returns whether there was such a field. */
  deleteField(secretId: number, field: string): boolean {
    const remove = this.#db.prepare('DELETE FROM fields WHERE secret_id = ? AND field = ?');
    return remove.run(secretId, field).changes === 1;
  }

  deleteFields(secretId: number): void {
    this.#db.prepare('DELETE FROM fields WHERE secret_id = ?').run(secretId);
  }

  /** Updates `field_count` after fields changed. */
  countFields(secretId: number): void {
    expectChanges(this.#countFields.run(secretId));
  }
}
