/**
 * Compares the rows of a vault with its set MAC, and names what differs as far as the data allows. The sums tell in which tables
 * rows were changed, and how many more or fewer there are. A lone row that was added has just the number that the sums lack, so it is
 * found. Rows that were put back or dropped are gone: they are named where the rows of another table show it.
 */
import { IntegrityError } from '../envelope/integrity.ts';
import { decryptState, takeFromSum } from '../envelope/row-set.ts';
import { withSecretMemory } from '../envelope/secret-memory.ts';
import { MAC_SIZE } from '../envelope/sizes.ts';
import type { Keyring } from '../keys/keyring.ts';
import { COVERED_TABLES } from '../store/covered-rows.ts';
import type { Misfit, RowSetStore } from '../store/row-set.ts';
import { nameRow, sumRows } from './count-rows.ts';
import { openRowSetKeys, type RowSetKeys } from './row-set-keys.ts';
import { RowSums, SUMS_SIZE } from './row-sums.ts';

/** A table whose rows are not those that were stored. */
export interface ChangedTable {
  readonly table: string;
  /** How many rows it has more than were stored; below 0: fewer. 0: rows were exchanged. */
  readonly more: number;
}

export interface RowFindings {
  /** `unreadable`: the set MAC itself was changed without the key, or deleted. */
  readonly state: 'ok' | 'changed' | 'unreadable';
  readonly tables: readonly ChangedTable[];
  /** Rows in words, such as `"db" was put back to version 3`. */
  readonly rows: readonly string[];
}

/** The most rows of one kind that are named. */
const MAX_NAMED = 20;
const UNREADABLE: RowFindings = { state: 'unreadable', tables: [], rows: [] };

/**
 * Returns the findings, and yields every millisecond or so. All of it must see one snapshot, and the keyring must not be destroyed
 * before the end; then it is closed with `return`.
 */
export function* checkRows(rows: RowSetStore, keyring: Keyring): Generator<void, RowFindings> {
  const row = rows.read();
  if (row === null) return UNREADABLE;
  const memory = keyring.allocate(2 * SUMS_SIZE);
  try {
    const keys = openRowSetKeys(keyring, row.wrappedKey);
    try {
      const [stored, found] = [memory.subarray(0, SUMS_SIZE), memory.subarray(SUMS_SIZE)];
      decryptState(keys.stateKey, row.state, { vaultId: keyring.vaultId, ...row }, stored);
      const sums = new RowSums(found);
      yield* sumRows(rows, keys, sums);
      return compareSums(rows, keys, new RowSums(stored), sums);
    } finally {
      keys.release();
    }
  } catch (error) {
    if (error instanceof IntegrityError) return UNREADABLE;
    throw error;
  } finally {
    keyring.release(memory);
  }
}

/** Runs the check without a pause. */
export function finish(steps: ReturnType<typeof checkRows>): RowFindings {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** As finish, but gives up after so many slices, and returns null. */
export function finishSoon(steps: ReturnType<typeof checkRows>, slices: number): RowFindings | null {
  for (let slice = 0; slice < slices; slice++) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
  steps.return(UNREADABLE);
  return null;
}

function compareSums(rows: RowSetStore, keys: RowSetKeys, stored: RowSums, found: RowSums): RowFindings {
  const changed = [...COVERED_TABLES.keys()].filter(
    (table) =>
      stored.count(table) !== found.count(table) || Buffer.compare(stored.sum(table), found.sum(table)) !== 0,
  );
  if (changed.length === 0) return { state: 'ok', tables: [], rows: [] };
  const tables = changed.map((table) => ({
    table: (COVERED_TABLES[table] as (typeof COVERED_TABLES)[number]).table,
    more: found.count(table) - stored.count(table),
  }));
  const added = changed.flatMap((table) => nameAdded(rows, keys, table, stored.sum(table), found.sum(table)));
  return { state: 'changed', tables, rows: [...added, ...nameMisfits(rows, tables)] };
}

/** Names the row that was added to a table, if there is one alone. */
function nameAdded(
  rows: RowSetStore,
  keys: RowSetKeys,
  table: number,
  stored: Uint8Array,
  found: Uint8Array,
): string[] {
  return withSecretMemory(MAC_SIZE, (difference) => {
    difference.set(found);
    takeFromSum(difference, stored);
    const label = nameRow(rows, keys, table, difference);
    return label === null ? [] : [`${label} was added`];
  });
}

function nameMisfits(rows: RowSetStore, changed: readonly ChangedTable[]): string[] {
  return rows
    .listMisfits(MAX_NAMED)
    .filter(({ tables }) => changed.some(({ table }) => tables.includes(table)))
    .map(({ what, label, version }) => `${label} ${describeMisfit(what, version)}`);
}

function describeMisfit(what: Misfit['what'], version: number | null): string {
  if (what === 'put back') return `was put back to version ${version}`;
  return what === 'dropped' ? 'was dropped' : 'was found with other fields than it had';
}

/** Returns the findings in a line for the log, without what to do; empty if nothing is wrong. */
export function describeRows({ state, tables, rows }: RowFindings): string {
  if (state === 'ok') return '';
  if (state === 'unreadable') return 'what vault.db says of its own rows was changed without the key';
  const counted = tables.map(({ table, more }) => `${table} (${describeCount(more)})`);
  return `rows were changed without the key: ${counted.join(', ')}${rows.length === 0 ? '' : `; ${rows.join('; ')}`}`;
}

function describeCount(more: number): string {
  if (more === 0) return 'exchanged';
  return more > 0 ? `${more} more` : `${-more} fewer`;
}
