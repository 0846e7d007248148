/** Transactions, prepared once: making a new one for each use takes longer than beginning and ending it. No secret. */
import type { Db } from './database.ts';

export class Transactions {
  readonly #run;

  constructor(db: Db) {
    this.#run = db.transaction((work: () => unknown) => work());
  }

  /** One snapshot of the database for all that `work` reads. */
  snapshot<T>(work: () => T): T {
    return this.#run.deferred(work) as T;
  }

  /** Committed when `work` returns, rolled back when it throws; inside of another one a savepoint. */
  write<T>(work: () => T): T {
    return this.#run.immediate(work) as T;
  }
}
