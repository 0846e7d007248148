/** Transactions, prepared once: making a new one for each use takes longer than beginning and ending it. No secret. */
import type { Db } from './database.ts';

export class Transactions {
  readonly #db: Db;
  readonly #run;
  readonly #begin;
  readonly #commit;
  readonly #rollback;

  constructor(db: Db) {
    this.#db = db;
    this.#run = db.transaction((work: () => unknown) => work());
    this.#begin = db.prepare('BEGIN');
    this.#commit = db.prepare('COMMIT');
    this.#rollback = db.prepare('ROLLBACK');
  }

  /** One snapshot of the database for all that `work` reads; it must not write. */
  snapshot<T>(work: () => T): T {
    this.#begin.run();
    try {
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
    return this.#run.immediate(work) as T;
  }
}
