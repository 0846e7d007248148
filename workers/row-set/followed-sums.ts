/**
 * Sums that follow the rows which the writer's transactions change, under one set key. Holds the keys and the sums in the keyring's
 * memory, so that they are zeroed with it.
 */
import { hashCovered } from '../envelope/row-set.ts';
import { MAC_SIZE } from '../envelope/sizes.ts';
import type { Keyring } from '../keys/keyring.ts';
import { openRowSetKeys, type RowSetKeys } from './row-set-keys.ts';
import { RowSums, SUMS_SIZE } from './row-sums.ts';

/** Savepoints inside savepoints. A batch has one for each call, and an operation one more. */
export const MAX_DEPTH = 8;

export class FollowedSums {
  readonly keys: RowSetKeys;
  /** As of the last commit, and as the transaction under way has made them. */
  readonly stored: RowSums;
  readonly current: RowSums;
  readonly #keyring: Keyring;
  readonly #memory: Uint8Array<ArrayBuffer>;
  /** As the sums were when each savepoint began. */
  readonly #marks: readonly Uint8Array[];
  /** The number of a row, until it is in a sum. */
  readonly #number: Uint8Array;

  /** Begins with the sums of no rows. Throws IntegrityError if the wrap is not of this vault's key. */
  constructor(keyring: Keyring, wrappedKey: Uint8Array) {
    this.keys = openRowSetKeys(keyring, wrappedKey);
    const memory = keyring.allocate((2 + MAX_DEPTH) * SUMS_SIZE + MAC_SIZE);
    const piece = (index: number) => memory.subarray(index * SUMS_SIZE, (index + 1) * SUMS_SIZE);
    [this.stored, this.current] = [new RowSums(piece(0)), new RowSums(piece(1))];
    this.#marks = Array.from({ length: MAX_DEPTH }, (_, depth) => piece(depth + 2));
    this.#number = memory.subarray((2 + MAX_DEPTH) * SUMS_SIZE);
    [this.#keyring, this.#memory] = [keyring, memory];
  }

  note(table: number, isAdded: boolean, covered: Uint8Array): void {
    hashCovered(this.keys.rowKeys[table] as Uint8Array, covered, this.#number);
    this.current.note(table, isAdded, this.#number);
  }

  /** A transaction begins to change the sums. */
  begin(): void {
    this.current.bytes.set(this.stored.bytes);
  }

  /** What the transaction has changed is committed. */
  keep(): void {
    this.stored.bytes.set(this.current.bytes);
  }

  mark(depth: number): void {
    (this.#marks[depth] as Uint8Array).set(this.current.bytes);
  }

  restore(depth: number): void {
    this.current.bytes.set(this.#marks[depth] as Uint8Array);
  }

  /** Zeroes all of it, and gives the memory back. */
  release(): void {
    if (this.#keyring.isDestroyed) return;
    this.keys.release();
    this.#keyring.release(this.#memory);
  }
}
