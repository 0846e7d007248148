/** Sums up all rows of a vault, to make its set MAC or to compare with it. Holds the sums in memory of the caller's. */
import { hashCovered } from '../envelope/row-set.ts';
import { withSecretMemory } from '../envelope/secret-memory.ts';
import { MAC_SIZE } from '../envelope/sizes.ts';
import { COVERED_TABLES } from '../store/covered-rows.ts';
import type { RowSetStore } from '../store/row-set.ts';
import type { RowSetKeys } from './row-set-keys.ts';
import type { RowSums } from './row-sums.ts';

/** Rows between two yields: about a millisecond. */
const SLICE = 200;

/** Adds every row to `sums`. Yields between slices, so that a thread can do something else meanwhile. The caller's transaction must not end before. */
export function* sumRows(rows: RowSetStore, keys: RowSetKeys, sums: RowSums): Generator<void> {
  const number = new Uint8Array(MAC_SIZE);
  let done = 0;
  try {
    for (const [table] of COVERED_TABLES.entries()) {
      for (const covered of rows.readCovered(table)) {
        hashCovered(keys.rowKeys[table] as Uint8Array, covered, number);
        sums.note(table, true, number);
        done += 1;
        if (done % SLICE === 0) yield;
      }
    }
  } finally {
    number.fill(0);
  }
}

/** Returns the words for the row of a table that has this number, or null if none has. */
export function nameRow(
  rows: RowSetStore,
  keys: RowSetKeys,
  table: number,
  wanted: Uint8Array,
): string | null {
  return withSecretMemory(MAC_SIZE, (number) => {
    for (const { covered, label } of rows.readNamed(table)) {
      hashCovered(keys.rowKeys[table] as Uint8Array, covered, number);
      if (Buffer.compare(number, wanted) === 0) return label;
    }
    return null;
  });
}
