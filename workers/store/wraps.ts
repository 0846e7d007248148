/**
 * The wrapped DEKs of secrets and of what they were, without their payloads. A wrap is replaced only while it is the one that was
 * read, so that whoever else has changed the row meanwhile is not undone.
 */
import {
  FIELD_COLUMNS,
  type FieldRow,
  omitColumns,
  SECRET_COLUMNS,
  type SecretRow,
  selectColumns,
  VERSION_COLUMNS,
  type VersionHead,
} from './columns.ts';
import type { Db } from './database.ts';

export type SecretHead = Omit<SecretRow, 'payload'>;
export type FieldWrap = Omit<FieldRow, 'payload'>;
/** A field that the version `until` of its secret replaced or deleted. */
export type OldFieldWrap = FieldWrap & { readonly until: number };

const FIELD_WRAP = selectColumns(omitColumns(FIELD_COLUMNS, ['payload']));

/** Every table whose rows belong to a secret, with the column that has the secret's id. */
const TABLES = { secrets: 'id', versions: 'secret_id', old_fields: 'secret_id' } as const;

/** Its statements are prepared once, so make one for many secrets. */
export class WrapStore {
  readonly #nextIds;
  readonly #findSecret;
  readonly #listFields;
  readonly #listVersions;
  readonly #listOldFields;
  readonly #replaceSecret;
  readonly #replaceField;
  readonly #replaceVersion;
  readonly #replaceOldField;

  constructor(db: Db) {
    const next = Object.entries(TABLES).map(
      ([table, id]) =>
        `SELECT * FROM (SELECT DISTINCT ${id} AS id FROM ${table} WHERE ${id} > @after
         ORDER BY ${id} LIMIT @limit)`,
    );
    this.#nextIds = db.prepare<[object], number>(`${next.join(' UNION ')} ORDER BY id LIMIT @limit`).pluck();
    const secret = selectColumns(omitColumns(SECRET_COLUMNS, ['payload']));
    this.#findSecret = db.prepare<[number], SecretHead>(`SELECT ${secret} FROM secrets WHERE id = ?`);
    this.#listFields = db.prepare<[number], FieldWrap>(
      `SELECT ${FIELD_WRAP} FROM fields WHERE secret_id = ?`,
    );
    const version = selectColumns(omitColumns(VERSION_COLUMNS, ['payload']));
    this.#listVersions = db.prepare<[number], SecretHead>(
      `SELECT ${version} FROM versions WHERE secret_id = ? ORDER BY revision`,
    );
    this.#listOldFields = db.prepare<[number], OldFieldWrap>(
      `SELECT until, ${FIELD_WRAP} FROM old_fields WHERE secret_id = ?`,
    );
    const replace = (table: string, key: string) =>
      db.prepare<[object]>(`UPDATE ${table} SET wrapped_dek = @after WHERE ${key} AND wrapped_dek = @before`);
    this.#replaceSecret = replace('secrets', 'id = @id');
    this.#replaceField = replace('fields', 'secret_id = @id AND field = @field');
    this.#replaceVersion = replace('versions', 'secret_id = @id AND revision = @revision');
    this.#replaceOldField = replace('old_fields', 'secret_id = @id AND until = @until AND field = @field');
  }

  /** Returns up to `limit` ids of secrets that are there, or of which old versions are kept, in their order. */
  nextIds(after: number, limit: number): number[] {
    return this.#nextIds.all({ after, limit });
  }

  /** Null if the secret was deleted. */
  findSecret(id: number): SecretHead | null {
    return this.#findSecret.get(id) ?? null;
  }

  listFields(id: number): FieldWrap[] {
    return this.#listFields.all(id);
  }

  /** Returns the oldest first. */
  listVersions(id: number): VersionHead[] {
    return this.#listVersions.all(id).map((row) => ({ ...row, isOld: true }));
  }

  listOldFields(id: number): OldFieldWrap[] {
    return this.#listOldFields.all(id);
  }

  replaceSecret({ id, wrappedDek: before }: SecretHead, after: Uint8Array): void {
    this.#replaceSecret.run({ id, before, after });
  }

  replaceField(id: number, { field, wrappedDek: before }: FieldWrap, after: Uint8Array): void {
    this.#replaceField.run({ id, field, before, after });
  }

  replaceVersion({ id, revision, wrappedDek: before }: SecretHead, after: Uint8Array): void {
    this.#replaceVersion.run({ id, revision, before, after });
  }

  replaceOldField(id: number, row: OldFieldWrap, after: Uint8Array): void {
    const { until, field, wrappedDek: before } = row;
    this.#replaceOldField.run({ id, until, field, before, after });
  }
}
