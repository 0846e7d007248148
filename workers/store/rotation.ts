/** The row of a rotation that is not finished. It says how far the rotation is, so that the next process goes on from there. */
import { expectChanges } from './changed.ts';
import { insertInto, ROTATION_COLUMNS, type RotationRow, selectColumns, setColumns } from './columns.ts';
import type { Db } from './database.ts';

export class RotationStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Null unless a rotation is under way, or was interrupted. */
  find(): RotationRow | null {
    const sql = `SELECT ${selectColumns(ROTATION_COLUMNS)} FROM rotation`;
    return this.#db.prepare<[], RotationRow>(sql).get() ?? null;
  }

  /** Notes that a rotation to this generation begins. Its `total` is what the vault has now; what comes later is wrapped again, too. */
  begin(generation: number, reencrypts: boolean, startedAt: number): void {
    const sql = `SELECT version_count + (SELECT count(*) FROM secrets)
      + (SELECT count(*) FROM tokens) + (SELECT count(*) FROM audit_segments) AS total FROM vault`;
    const whole = this.#db.prepare<[], Pick<RotationRow, 'total'>>(sql).get();
    if (whole === undefined) throw new Error('vault.db has no vault row');
    const columns = { one: 'one', ...ROTATION_COLUMNS };
    const start = { stage: 'secrets', doneId: 0, done: 0, startedAt };
    const row = { one: 1, generation, reencrypts: reencrypts ? 1 : 0, ...start, ...whole };
    expectChanges(this.#db.prepare<[object]>(insertInto('rotation', columns)).run(row));
  }

  update(row: RotationRow): void {
    const sql = `UPDATE rotation SET ${setColumns(ROTATION_COLUMNS)}`;
    expectChanges(this.#db.prepare<[RotationRow]>(sql).run(row));
  }

  end(): void {
    expectChanges(this.#db.prepare('DELETE FROM rotation').run());
  }
}
