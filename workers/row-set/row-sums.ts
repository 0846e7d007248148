/**
 * The sums of a set of rows, as the state keeps them: for each table how many rows it has and the sum of their numbers, and
 * after them the head of the audit log. Their memory belongs to the caller, and is secret.
 */
import { addToSum, takeFromSum } from '../envelope/row-set.ts';
import { assertSize, MAC_SIZE } from '../envelope/sizes.ts';
import { viewBytes } from '../envelope/view.ts';
import { COVERED_TABLES } from '../store/covered-rows.ts';

const U64_SIZE = 8;
const TABLE_SIZE = U64_SIZE + MAC_SIZE;
const HEAD_OFFSET = COVERED_TABLES.length * TABLE_SIZE;
/** Bytes: for each table its u64 count and its sum, then u64 segment, u64 bytes and the MAC of the audit log's head. */
export const SUMS_SIZE = HEAD_OFFSET + 2 * U64_SIZE + MAC_SIZE;

/** Where the audit log of the writer ended when it last committed; segment 0: it had written nothing. */
export interface AuditHead {
  readonly segment: number;
  readonly bytes: number;
  readonly mac: Uint8Array;
}

export class RowSums {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #sums: readonly Uint8Array[];

  /** `bytes`: SUMS_SIZE of them; zeros are the sums of no rows. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    assertSize(bytes, SUMS_SIZE, 'the sums of a vault');
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#sums = COVERED_TABLES.map((_, table) =>
      viewBytes(bytes, table * TABLE_SIZE + U64_SIZE, (table + 1) * TABLE_SIZE),
    );
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** Adds a row with this number to a table, or takes it away. */
  note(table: number, isAdded: boolean, number: Uint8Array): void {
    const at = table * TABLE_SIZE;
    const sum = this.#sums[table] as Uint8Array;
    this.#view.setBigInt64(at, this.#view.getBigInt64(at) + (isAdded ? 1n : -1n));
    if (isAdded) addToSum(sum, number);
    else takeFromSum(sum, number);
  }

  /** Adds the rows of other sums, without their audit head. */
  add(other: RowSums): void {
    for (const [table, sum] of this.#sums.entries()) {
      const at = table * TABLE_SIZE;
      this.#view.setBigInt64(at, this.#view.getBigInt64(at) + BigInt(other.count(table)));
      addToSum(sum, other.sum(table));
    }
  }

  /** How many rows a table has. Below 0 if rows were deleted that somebody had added without the key. */
  count(table: number): number {
    return Number(this.#view.getBigInt64(table * TABLE_SIZE));
  }

  sum(table: number): Uint8Array {
    return this.#sums[table] as Uint8Array;
  }

  get auditHead(): AuditHead {
    const segment = Number(this.#view.getBigUint64(HEAD_OFFSET));
    const bytes = Number(this.#view.getBigUint64(HEAD_OFFSET + U64_SIZE));
    return { segment, bytes, mac: this.#bytes.slice(HEAD_OFFSET + 2 * U64_SIZE) };
  }

  set auditHead({ segment, bytes, mac }: AuditHead) {
    this.#view.setBigUint64(HEAD_OFFSET, BigInt(segment));
    this.#view.setBigUint64(HEAD_OFFSET + U64_SIZE, BigInt(bytes));
    this.#bytes.set(mac, HEAD_OFFSET + 2 * U64_SIZE);
  }
}
