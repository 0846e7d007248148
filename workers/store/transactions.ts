/** Transactions, prepared once: making a new one for each use takes longer than beginning and ending it. No secret. */
import type { Db } from './database.ts';

/** No file's count of schemas. */
const NOT_READ = -1;

export class Transactions {
  readonly #db: Db;
  /** Changes with every change of the schema, whoever made it; SQLite follows such a change without a word. */
  readonly #readSchemaCount;
  #schemaCount = NOT_READ;
  readonly #checkSchema: () => void;
  readonly #run;
  readonly #begin;
  readonly #commit;
  readonly #rollback;

  /** `checkSchema` throws where the schema is not this program's. */
  constructor(db: Db, checkSchema: () => void) {
    this.#db = db;
    this.#checkSchema = checkSchema;
    this.#readSchemaCount = db.prepare<[], number>('PRAGMA schema_version').pluck();
    this.#run = db.transaction((work: () => unknown) => work());
    this.#begin = db.prepare('BEGIN');
    this.#commit = db.prepare('COMMIT');
    this.#rollback = db.prepare('ROLLBACK');
  }

  /** One snapshot of the database for all that `work` reads; it must not write. */
  snapshot<T>(work: () => T): T {
    this.#begin.run();
    try {
      this.#noticeSchema();
      return work();
    } finally {
      this.#end();
    }
  }

  /** After a page that could not be read SQLite may refuse to commit, although nothing was written: what was read stands. */
  #end(): void {
    try {
      this.#commit.run();
    } catch {
      if (this.#db.inTransaction) this.#rollback.run();
    }
  }

  /** Committed when `work` returns, rolled back when it throws; inside of another one a savepoint. */
  write<T>(work: () => T): T {
    if (this.#db.inTransaction) return this.#run(work) as T;
    return this.#run.immediate(() => {
      this.#noticeSchema();
      return work();
    }) as T;
  }

  /** Inside of a transaction, which sees one schema to its end. Throws what `checkSchema` throws. */
  #noticeSchema(): void {
    const count = this.#readSchemaCount.get() ?? 0;
    if (count === this.#schemaCount) return;
    this.#checkSchema();
    this.#schemaCount = count;
  }
}
