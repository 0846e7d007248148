/** Finds the rows that are not wrapped, or signed, under the current KEK after everything was wrapped again. */
import type { DamagedRow } from '../messages.ts';
import type { Db } from './database.ts';

/** A row that could not be wrapped again. */
export type LeftRow = Pick<
  DamagedRow,
  'table' | 'name' | 'environment' | 'version' | 'field' | 'id' | 'detail'
> & {
  /** The id of the KEK that its wrap names, or, of a row that was changed, whatever stands there. */
  readonly kekId: Uint8Array;
};

/** Where the id of the wrapping key lies in a wrap, counted from 1, and its size. See envelope/wrap.ts. */
const KEY_ID = '6, 16';
const inWrap = (column: string) => `substr(${column}, ${KEY_ID})`;

/** Each table's rows of the secrets with ids above `@after`, up to `@upTo`, that another KEK has wrapped. */
const OF_SECRETS = [
  `SELECT 'secrets' AS "table", ${inWrap('wrapped_dek')} AS kekId, name, environment, revision AS version
   FROM secrets WHERE id > @after AND id <= @upTo AND kekId <> @current`,
  `SELECT 'fields' AS "table", ${inWrap('f.wrapped_dek')} AS kekId, s.name, s.environment, s.revision AS version, f.field
   FROM fields f JOIN secrets s ON s.id = f.secret_id
   WHERE secret_id > @after AND secret_id <= @upTo AND kekId <> @current`,
  `SELECT 'versions' AS "table", ${inWrap('wrapped_dek')} AS kekId, name, environment, revision AS version
   FROM versions WHERE secret_id > @after AND secret_id <= @upTo AND kekId <> @current`,
  `SELECT 'old_fields' AS "table", ${inWrap('f.wrapped_dek')} AS kekId, v.name, v.environment, f.field,
     f.until - 1 AS version
   FROM old_fields f LEFT JOIN versions v ON v.secret_id = f.secret_id AND v.revision = f.until - 1
   WHERE f.secret_id > @after AND f.secret_id <= @upTo AND kekId <> @current`,
];

const OF_OTHERS = [
  `SELECT 'tokens' AS "table", kek_id AS kekId, id FROM tokens WHERE kek_id <> @current`,
  `SELECT 'audit' AS "table", ${inWrap('wrapped_key')} AS kekId, CAST(id AS TEXT) AS id
   FROM audit_segments WHERE kekId <> @current`,
];

/** `current`: the id of the current KEK, 16 bytes. */
export function listLeftOfSecrets(db: Db, current: Uint8Array, after: number, upTo: number): LeftRow[] {
  return OF_SECRETS.flatMap((sql) => db.prepare<[object], LeftRow>(sql).all({ current, after, upTo }));
}

export function listLeftOfOthers(db: Db, current: Uint8Array): LeftRow[] {
  return OF_OTHERS.flatMap((sql) => db.prepare<[object], LeftRow>(sql).all({ current }));
}
