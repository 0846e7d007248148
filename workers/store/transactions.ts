/** Runs transactions. Their statements are prepared once, because preparing one takes longer than running it. */
import type { Db } from './database.ts';

/** Differs from every count that a file can have. */
const NOT_READ = -1;

/** Follows the rows that transactions change, and stores with each commit what it knows of them then. */
export interface RowFollower {
  /** The outermost transaction has begun. */
  begin(): void;
  /** A savepoint begins. */
  mark(): void;
  /** The newest savepoint ended. `isKept`: else what was changed since it began is undone. */
  leave(isKept: boolean): void;
  /** The last statement before the commit. */
  store(): void;
  /** The transaction ended. `isCommitted`: else nothing of it is in the file, or that is not known. */
  end(isCommitted: boolean): void;
}

export class Transactions {
  readonly #db: Db;
  readonly #rows: RowFollower | null;
  /** Every change of the schema, by any program, raises this count. SQLite itself accepts such a change silently. */
  readonly #readSchemaCount;
  #schemaCount = NOT_READ;
  readonly #checkSchema: () => void;
  readonly #run;
  readonly #begin;
  readonly #commit;
  readonly #rollback;

  /** `checkSchema` throws if the schema is not this program's. `rows`: null for a connection that does not write. */
  constructor(db: Db, checkSchema: () => void, rows: RowFollower | null) {
    this.#db = db;
    this.#rows = rows;
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
    if (this.#db.inTransaction) return this.#runInSavepoint(work);
    const rows = this.#rows;
    let isCommitted = false;
    try {
      const result = this.#run.immediate(() => {
        this.#noticeSchema();
        rows?.begin();
        const done = work();
        rows?.store();
        return done;
      });
      isCommitted = true;
      return result as T;
    } finally {
      rows?.end(isCommitted);
    }
  }

  #runInSavepoint<T>(work: () => T): T {
    const rows = this.#rows;
    let isKept = false;
    rows?.mark();
    try {
      const result = this.#run(work) as T;
      isKept = true;
      return result;
    } finally {
      rows?.leave(isKept);
    }
  }

  /** Runs inside a transaction, which sees one schema to its end. Throws what `checkSchema` throws. */
  #noticeSchema(): void {
    const count = this.#readSchemaCount.get() ?? 0;
    if (count === this.#schemaCount) return;
    this.#checkSchema();
    this.#schemaCount = count;
  }
}
