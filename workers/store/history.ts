/**
 * The rows of what secrets were: their versions before each change, the fields of those, and the secrets that were deleted.
 * Values come and go as ciphertext.
 */
import type { SecretName } from '../messages.ts';
import { expectChanges } from './changed.ts';
import {
  DELETED_COLUMNS,
  type DeletedRow,
  FIELD_COLUMNS,
  type FieldHead,
  type FieldRow,
  insertInto,
  omitColumns,
  pickColumns,
  type SecretRow,
  selectColumns,
  setExcluded,
  VERSION_COLUMNS,
  type VersionHead,
  type VersionRow,
} from './columns.ts';
import type { Db } from './database.ts';

/** What reads the fields of one version of a secret: of the current one, or of an old one. */
export interface FieldReader {
  /** In the order of the fields' names. */
  listFields(secretId: number): FieldRow[];
  /** As listFields, but yields them one at a time. */
  readFields(secretId: number): IterableIterator<FieldRow>;
  /** As listFields, without reading a payload. */
  listFieldHeads(secretId: number): FieldHead[];
  findField(secretId: number, field: string): FieldRow | null;
  /** Measures an entry without reading a payload. `values`: how many payloads are among its bytes. */
  measure(secretId: number): EntryMeasure;
}

export interface EntryMeasure {
  readonly fields: number;
  readonly values: number;
  readonly bytes: number;
}

/** A deletion that a list of them starts after. */
export interface DeletedFilter {
  readonly environment?: string;
  readonly after?: SecretName & { readonly secretId: number };
  readonly limit: number;
}

const SELECT_VERSION = selectColumns(VERSION_COLUMNS);
const SELECT_DELETED = selectColumns(DELETED_COLUMNS);
const SELECT_FIELD = selectColumns(FIELD_COLUMNS);
const SELECT_HEAD = selectColumns(pickColumns(FIELD_COLUMNS, ['field', 'version', 'writtenBy', 'accepted']));

/** The fields of a version: those of today that it had already, and those that were replaced after it. */
function selectFieldsAt(columns: string, condition = ''): string {
  const at = (table: string, until: string) =>
    `SELECT ${columns} FROM ${table} WHERE secret_id = @secretId AND revision <= @revision ${until} ${condition}`;
  return `${at('fields', '')} UNION ALL ${at('old_fields', 'AND until > @revision')} ORDER BY field`;
}

export interface VersionKey {
  readonly secretId: number;
  readonly revision: number;
}

interface At {
  readonly secretId: number;
  readonly revision: number;
}

export class HistoryReader {
  readonly #db: Db;
  readonly #listDeletedAs;

  constructor(db: Db) {
    this.#db = db;
    // Every new secret asks for it, and mostly there is none: a sorter that SQLite made for nothing would take 10 us.
    this.#listDeletedAs = db.prepare<[string, string], DeletedRow>(
      `SELECT ${SELECT_DELETED} FROM deleted WHERE name = ? AND environment = ?`,
    );
  }

  /** Returns up to `limit` old versions of a secret, newest first, without their payloads. The current one is in `secrets`. */
  list(secretId: number, limit = -1): VersionHead[] {
    const columns = selectColumns(omitColumns(VERSION_COLUMNS, ['payload']));
    const sql = `SELECT ${columns} FROM versions WHERE secret_id = ? ORDER BY revision DESC LIMIT ?`;
    return this.#db
      .prepare<[number, number], Omit<SecretRow, 'payload'>>(sql)
      .all(secretId, limit)
      .map(asOld);
  }

  /** Returns a secret's old version with its payload, or null if it is not kept. */
  find(secretId: number, revision: number): VersionRow | null {
    const sql = `SELECT ${SELECT_VERSION} FROM versions WHERE secret_id = @secretId AND revision = @revision`;
    const row = this.#db.prepare<[At], SecretRow>(sql).get({ secretId, revision });
    if (row === undefined) return null;
    return asOld(
      row.version === 0 || row.payload !== null ? row : { ...row, payload: this.#findPayload(row) },
    );
  }

  /** A value that several versions have lies in the newest of them. */
  #findPayload({ id, version }: SecretRow): Buffer | null {
    const kept = `SELECT payload FROM versions WHERE secret_id = @id AND version = @version AND payload IS NOT NULL`;
    const sql = `${kept} UNION ALL SELECT payload FROM secrets WHERE id = @id AND version = @version LIMIT 1`;
    return this.#db.prepare<[object], Buffer>(sql).pluck().get({ id, version }) ?? null;
  }

  /** Returns the deleted secrets of this name, the last one that was deleted first. */
  listDeletedAs({ name, environment }: SecretName): DeletedRow[] {
    const rows = this.#listDeletedAs.all(name, environment);
    return rows.sort((one, other) => other.deletedAt - one.deletedAt || other.secretId - one.secretId);
  }

  /** Returns deleted secrets in the order of name, environment and id. */
  listDeleted({ environment, after, limit }: DeletedFilter): DeletedRow[] {
    const inEnvironment = environment === undefined ? '' : 'AND environment = @environment';
    const sql = `SELECT ${SELECT_DELETED} FROM deleted
      WHERE (name, environment, secret_id) > (@name, @in, @id) ${inEnvironment}
      ORDER BY name, environment, secret_id LIMIT @limit`;
    const start = { name: after?.name ?? '', in: after?.environment ?? '', id: after?.secretId ?? 0 };
    return this.#db
      .prepare<[object], DeletedRow>(sql)
      .all({ ...start, limit, ...(environment === undefined ? {} : { environment }) });
  }

  countDeleted(): number {
    return this.#db.prepare<[], number>('SELECT count(*) FROM deleted').pluck().get() ?? 0;
  }

  /** Returns up to `limit` secrets that were deleted before that time (Unix seconds), the oldest first. */
  listDeletedBefore(time: number, limit: number): DeletedRow[] {
    const sql = `SELECT ${SELECT_DELETED} FROM deleted WHERE deleted_at < ? ORDER BY deleted_at LIMIT ?`;
    return this.#db.prepare<[number, number], DeletedRow>(sql).all(time, limit);
  }

  /** Returns up to `limit` old versions behind this one, in the order of secret and version. Reads an index only. */
  listAfter(secretId: number, revision: number, limit: number): VersionKey[] {
    const sql = `SELECT secret_id AS secretId, revision FROM versions
      WHERE (secret_id, revision) > (?, ?) ORDER BY secret_id, revision LIMIT ?`;
    return this.#db.prepare<[number, number, number], VersionKey>(sql).all(secretId, revision, limit);
  }

  /** Returns the ids of all secrets that have old versions, deleted ones among them. */
  listIds(): number[] {
    return this.#db.prepare<[], number>('SELECT DISTINCT secret_id FROM versions').pluck().all();
  }

  /** Returns the fields that the version `until` of a secret replaced or deleted. */
  listOldFields(secretId: number, until: number): FieldRow[] {
    const sql = `SELECT ${SELECT_FIELD} FROM old_fields WHERE secret_id = ? AND until = ?`;
    return this.#db.prepare<[number, number], FieldRow>(sql).all(secretId, until);
  }

  /** Reads the fields of an old version. */
  readFieldsAt(row: VersionHead): FieldReader {
    return new VersionFields(this.#db, row);
  }
}

function asOld<Row>(row: Row): Row & { readonly isOld: true } {
  return { ...row, isOld: true };
}

/** As SecretReader, for one old version: it ignores the id that it is given. */
class VersionFields implements FieldReader {
  readonly #db: Db;
  readonly #row: VersionHead & { readonly payload?: Buffer | null };
  readonly #at: At;

  constructor(db: Db, row: VersionHead) {
    this.#db = db;
    this.#row = row;
    this.#at = { secretId: row.id, revision: row.revision };
  }

  listFields(): FieldRow[] {
    return this.#db.prepare<[At], FieldRow>(selectFieldsAt(SELECT_FIELD)).all(this.#at);
  }

  readFields(): IterableIterator<FieldRow> {
    return this.#db.prepare<[At], FieldRow>(selectFieldsAt(SELECT_FIELD)).iterate(this.#at);
  }

  listFieldHeads(): FieldHead[] {
    return this.#db.prepare<[At], FieldHead>(selectFieldsAt(SELECT_HEAD)).all(this.#at);
  }

  findField(_secretId: number, field: string): FieldRow | null {
    const sql = selectFieldsAt(SELECT_FIELD, 'AND field = @field');
    return this.#db.prepare<[At & { field: string }], FieldRow>(sql).get({ ...this.#at, field }) ?? null;
  }

  measure(): EntryMeasure {
    const lengths = selectFieldsAt('field, length(payload) AS length');
    const sql = `SELECT count(*) AS fields, coalesce(sum(length), 0) AS bytes FROM (${lengths})`;
    const { fields, bytes } = this.#db.prepare<[At], EntryMeasure>(sql).get(this.#at) ?? {
      fields: 0,
      bytes: 0,
    };
    const { metadata, payload = null } = this.#row;
    return {
      fields,
      values: fields + (payload === null ? 0 : 1),
      bytes: bytes + Buffer.byteLength(metadata) + (payload?.length ?? 0),
    };
  }
}

/** A row as the writer keeps it. */
export type VersionWrite = Omit<SecretRow, 'wrappedDek' | 'payload'> & {
  readonly wrappedDek: Uint8Array;
  readonly payload: Uint8Array | null;
};

const OLD_FIELD_COLUMNS = Object.values(FIELD_COLUMNS).join(', ');

export class HistoryWriter {
  readonly #db: Db;
  readonly #keep;
  readonly #keepFields;
  readonly #keepField;
  readonly #prune;
  readonly #pruneFields;

  constructor(db: Db) {
    this.#db = db;
    this.#keep = db.prepare<[VersionWrite]>(
      `${insertInto('versions', VERSION_COLUMNS)}
       ON CONFLICT DO UPDATE SET ${setExcluded(omitColumns(VERSION_COLUMNS, ['id', 'revision']))}`,
    );
    const copy = `INSERT INTO old_fields (secret_id, until, ${OLD_FIELD_COLUMNS})
      SELECT secret_id, @until, ${OLD_FIELD_COLUMNS} FROM fields WHERE secret_id = @secretId AND revision < @until`;
    const replace = `ON CONFLICT DO UPDATE SET ${setExcluded(omitColumns(FIELD_COLUMNS, ['field']))}`;
    this.#keepFields = db.prepare<[object]>(`${copy} ${replace}`);
    this.#keepField = db.prepare<[object]>(`${copy} AND field = @field ${replace}`);
    this.#prune = db.prepare<[number, number]>('DELETE FROM versions WHERE secret_id = ? AND revision <= ?');
    this.#pruneFields = db.prepare<[number, number]>(
      'DELETE FROM old_fields WHERE secret_id = ? AND until <= ?',
    );
  }

  /**
   * Keeps a row as an old version. One of the same number is replaced, as after somebody has put an older row into the file: a
   * secret that was tampered with can still be replaced or deleted.
   */
  keep(row: VersionWrite): void {
    expectChanges(this.#keep.run(row));
  }

  /** Keeps a field that the version `until` replaces or deletes. A field that came with that version is not kept. */
  keepField(secretId: number, field: string, until: number): void {
    this.#keepField.run({ secretId, field, until });
  }

  /** As keepField, for all fields of a secret. */
  keepFields(secretId: number, until: number): void {
    this.#keepFields.run({ secretId, until });
  }

  /** Deletes the versions up to `revision`, and the fields that only they had. */
  prune(secretId: number, revision: number): void {
    this.#prune.run(secretId, revision);
    this.#pruneFields.run(secretId, revision + 1);
  }

  /** Deletes the versions from `revision` on. */
  dropVersions(secretId: number, revision: number): void {
    this.#db.prepare('DELETE FROM versions WHERE secret_id = ? AND revision >= ?').run(secretId, revision);
  }

  /** Gives the newest old version the value that it shares with the current one, which is about to be replaced. */
  keepSharedValue(secretId: number): void {
    const sql = `UPDATE versions SET payload = (SELECT payload FROM secrets WHERE id = @secretId)
      WHERE secret_id = @secretId AND version <> 0 AND payload IS NULL
        AND revision = (SELECT max(revision) FROM versions WHERE secret_id = @secretId)`;
    this.#db.prepare<[object]>(sql).run({ secretId });
  }

  /** Gives an old version, and each old field, the DEK that was wrapped again. */
  rewrap(secretId: number, revision: number, wrappedDek: Uint8Array): void {
    const sql = 'UPDATE versions SET wrapped_dek = ? WHERE secret_id = ? AND revision = ?';
    expectChanges(this.#db.prepare(sql).run(wrappedDek, secretId, revision));
  }

  rewrapField(secretId: number, until: number, field: string, wrappedDek: Uint8Array): void {
    const sql = 'UPDATE old_fields SET wrapped_dek = ? WHERE secret_id = ? AND until = ? AND field = ?';
    expectChanges(this.#db.prepare(sql).run(wrappedDek, secretId, until, field));
  }

  /** Notes that a secret was deleted and can be restored. */
  insertDeleted(row: DeletedRow): void {
    const sql = `${insertInto('deleted', DELETED_COLUMNS)}
      ON CONFLICT DO UPDATE SET ${setExcluded(omitColumns(DELETED_COLUMNS, ['secretId']))}`;
    expectChanges(this.#db.prepare<[DeletedRow]>(sql).run(row));
  }

  /** The secret is there again, or was purged. */
  removeDeleted(secretId: number): void {
    this.#db.prepare('DELETE FROM deleted WHERE secret_id = ?').run(secretId);
  }

  /** Deletes everything that is kept of a secret. */
  purge(secretId: number): void {
    this.#db.prepare('DELETE FROM versions WHERE secret_id = ?').run(secretId);
    this.#db.prepare('DELETE FROM old_fields WHERE secret_id = ?').run(secretId);
    this.removeDeleted(secretId);
  }
}
