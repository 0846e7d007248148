/**
 * Gives the MAC over the set of rows another key, beside the requests. All rows are compared with the stored MAC and summed up under the
 * new key, in slices and as one snapshot has them, on a connection of its own; what changes meanwhile is followed under the new key,
 * too (row-set/row-set.ts). Holds the sums in the keyring's memory.
 */
import type { Keyring } from '../keys/keyring.ts';
import type { OpenVault } from '../open-vault.ts';
import { checkRows, describeRows } from '../row-set/check-rows.ts';
import { sumRows } from '../row-set/count-rows.ts';
import type { Renewal, RowSet } from '../row-set/row-set.ts';
import { RowSums, SUMS_SIZE } from '../row-set/row-sums.ts';
import type { Db } from '../store/database.ts';
import { RowSetStore } from '../store/row-set.ts';

/** `problem`: why the key stays; null if it is another. */
type End = { readonly problem: string | null };

export class SetKeyRenewal {
  readonly #rowSet: RowSet;
  readonly #keyring: Keyring;
  readonly #db: Db;
  readonly #renewal: Renewal;
  readonly #sums: RowSums;
  readonly #steps: Generator<void, string>;
  #isClosed = false;

  /** `db`: a connection of its own, which `close` closes. Runs inside a transaction that has changed nothing yet. */
  constructor({ keyring }: OpenVault, rowSet: RowSet, db: Db) {
    [this.#rowSet, this.#keyring, this.#db] = [rowSet, keyring, db];
    db.exec('BEGIN');
    const rows = new RowSetStore(db);
    // From this statement on the connection sees what was committed so far, and the renewal follows what comes after.
    rows.read();
    this.#renewal = rowSet.startRenewal();
    this.#sums = new RowSums(keyring.allocate(SUMS_SIZE));
    this.#steps = this.#sumUp(rows);
  }

  *#sumUp(rows: RowSetStore): Generator<void, string> {
    // Else a row that somebody dropped or put back would belong to the set from now on.
    const problem = describeRows(yield* checkRows(rows, this.#keyring));
    if (problem === '') yield* sumRows(rows, this.#renewal.sums.keys, this.#sums);
    return problem;
  }

  /** Whether it can go on: false once the vault was sealed, or a commit has failed. */
  isGood({ keyring, rowSet }: OpenVault): boolean {
    const isSame = keyring === this.#keyring && rowSet === this.#rowSet && !keyring.isDestroyed;
    return isSame && !this.#isClosed && this.#rowSet.isRenewing(this.#renewal);
  }

  /** Works until `endMs`, inside a transaction. Puts the new key in place with that when all rows are summed up; before, returns null. */
  work(endMs: number): End | null {
    while (performance.now() < endMs) {
      const { done, value } = this.#steps.next();
      if (done !== true) continue;
      if (value === '') this.#rowSet.finishRenewal(this.#renewal, this.#sums);
      return { problem: value === '' ? null : value };
    }
    return null;
  }

  /** Can be called again. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // Lets go of the statement that is under way before its connection is closed.
    this.#steps.return('');
    this.#db.close();
    if (!this.#keyring.isDestroyed) this.#keyring.release(this.#sums.bytes);
  }
}
