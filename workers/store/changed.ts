/** Counts what a write changed, so that no reply says "stored" or "deleted" of a row that the file did not take. */
import type { RunResult } from 'better-sqlite3';

/** Throws unless the write changed `count` rows. The caller's transaction is then rolled back. */
export function expectChanges({ changes }: Pick<RunResult, 'changes'>, count = 1): void {
  if (changes !== count) throw new Error('a write did not change what it should');
}
