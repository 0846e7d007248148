/**
 * The payloads of one secret's values and fields, each in the one row that has it, and how they are replaced by others of the same
 * size. A value that several versions share has one number, and lies in one row of them.
 */
import type { Db } from './database.ts';
import type { FieldWrap, OldFieldWrap } from './wraps.ts';

/** Its statements are prepared once, so make one for many secrets. */
export class PayloadStore {
  readonly #readValue;
  readonly #readField;
  readonly #readOldField;
  readonly #replaceValue;
  readonly #replaceOldValue;
  readonly #replaceField;
  readonly #replaceOldField;

  constructor(db: Db) {
    const read = (table: string, key: string) =>
      `SELECT payload FROM ${table} WHERE ${key} AND payload IS NOT NULL`;
    const value = (table: string, id: string) => read(table, `${id} = @id AND version = @version`);
    this.#readValue = db
      .prepare<[object], Buffer>(
        `${value('secrets', 'id')} UNION ALL ${value('versions', 'secret_id')} LIMIT 1`,
      )
      .pluck();
    const field = 'secret_id = @id AND field = @field';
    const oldField = `${field} AND until = @until`;
    this.#readField = db.prepare<[object], Buffer>(read('fields', field)).pluck();
    this.#readOldField = db.prepare<[object], Buffer>(read('old_fields', oldField)).pluck();
    const replace = (table: string, key: string) =>
      db.prepare<[object]>(`UPDATE ${table} SET payload = @payload WHERE ${key} AND payload IS NOT NULL`);
    this.#replaceValue = replace('secrets', 'id = @id AND version = @version');
    this.#replaceOldValue = replace('versions', 'secret_id = @id AND version = @version');
    this.#replaceField = replace('fields', field);
    this.#replaceOldField = replace('old_fields', oldField);
  }

  /** Null if no row has it, as after somebody has taken it away. */
  readValue(id: number, version: number): Buffer | null {
    return this.#readValue.get({ id, version }) ?? null;
  }

  readField(id: number, { field }: FieldWrap): Buffer | null {
    return this.#readField.get({ id, field }) ?? null;
  }

  readOldField(id: number, { field, until }: OldFieldWrap): Buffer | null {
    return this.#readOldField.get({ id, field, until }) ?? null;
  }

  replaceValue(id: number, version: number, payload: Uint8Array): void {
    this.#replaceValue.run({ id, version, payload });
    this.#replaceOldValue.run({ id, version, payload });
  }

  replaceField(id: number, { field }: FieldWrap, payload: Uint8Array): void {
    this.#replaceField.run({ id, field, payload });
  }

  replaceOldField(id: number, { field, until }: OldFieldWrap, payload: Uint8Array): void {
    this.#replaceOldField.run({ id, field, until, payload });
  }
}
