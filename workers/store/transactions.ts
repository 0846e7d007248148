/** Runs transactions. Their statements are prepared once, because preparing one takes longer than running it. */
import type { Db } from './database.ts';

/** Differs from every count that a file can have. */
const NOT_READ = -1;

export class Transactions {
  readonly #db: Db;
  /** Every change of the schema, by any program, raises this count. SQLite itself accepts such a change silently. */
  readonly #readSchemaCount;
  #schemaCount = NOT_READ;
  readonly #checkSchema: () => void;
  readonly #run;
  readonly #begin;
  readonly #commit;
  readonly #rollback;

  /** `checkSchema` throws if the schema is not this program's. */
  constructor(db: Db, checkSchema: () => void) {
    this.#db = db;
    this.#checkSchema = checkSchema;
    this.#readSchemaCount = db.prepare<[], number>('PRAGMA schema_version').pluck();
    this.#run = db.transaction((work: () => unknown) => work());
    this.#begin = db.prepare('BEGIN');
    this.#commit = db.prepare('COMMIT');
    this.#rollback = db.prepare('ROLLBACK');
  }

  /** Runs `work`, whose reads all see one snapshot of the database. It must not write. */
  snapshot<T>(work: () => T): T {
    this.#begin.run();
    try {
      this.#noticeSchema();
      return work();
    } finally {
      try {
        this.#commit.run();
      } catch {
        // After a page that could not be read SQLite may refuse to commit, although nothing was written.
        if (this.#db.inTransaction) this.#rollback.run();
      }
    }
  }

  /** Commits when `work` returns, rolls back when it throws. Inside another transaction it is a savepoint. */
  write<T>(work: () => T): T {
    if (this.#db.inTransaction) return this.#run(work) as T;
    return this.#run.immediate(() => {
      this.#noticeSchema();
      return work();
    }) as T;
  }

  /** Runs inside a transaction, which sees one schema to its end. Throws what `checkSchema` throws. */
  #noticeSchema(): void {
    const count = this.#readSchemaCount.get() ?? 0;
    if (count === this.#schemaCount) return;
    this.#checkSchema();
    this.#schemaCount = count;
  }
}
