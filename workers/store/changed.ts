/**
 * What a write has changed, counted: no answer says "stored" or "deleted" of a row that the file did not take, whatever
 * made it so. Holds no secret.
 */
import type { RunResult } from 'better-sqlite3';

/** Throws where another number of rows was changed than `count`; the transaction is then rolled back. */
export function expectChanges({ changes }: Pick<RunResult, 'changes'>, count = 1): void {
  if (changes !== count) throw new Error('a write did not change what it should');
}
