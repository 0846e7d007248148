/** The rows of the audit log: its segments, and the entries of writes until their file is synced. */
import { expectChanges } from './changed.ts';
import { insertInto, SEGMENT_COLUMNS, type SegmentRow, selectColumns } from './columns.ts';
import type { Db } from './database.ts';

/** A batch of entries about writes, as it lies, or is to lie, in the file of its segment. */
export interface StoredBlock {
  readonly segment: number;
  /** Where it begins in the file. */
  readonly position: number;
  readonly block: Buffer;
}

export class AuditStore {
  readonly #db: Db;
  readonly #insertBlock;
  readonly #deleteBlocks;

  constructor(db: Db) {
    this.#db = db;
    this.#insertBlock = db.prepare<[number, number, Uint8Array]>(
      'INSERT INTO audit_writes (segment, position, block) VALUES (?, ?, ?)',
    );
    this.#deleteBlocks = db.prepare<[number, number]>(
      'DELETE FROM audit_writes WHERE segment = ? AND position < ?',
    );
  }

  /** Returns the oldest first. */
  listSegments(): SegmentRow[] {
    const columns = selectColumns(SEGMENT_COLUMNS);
    return this.#db.prepare<[], SegmentRow>(`SELECT ${columns} FROM audit_segments ORDER BY id`).all();
  }

  listOpenSegments(): SegmentRow[] {
    const columns = selectColumns(SEGMENT_COLUMNS);
    const sql = `SELECT ${columns} FROM audit_segments WHERE closed_at = 0 ORDER BY id`;
    return this.#db.prepare<[], SegmentRow>(sql).all();
  }

  /** Null if there is no such segment. */
  findSegment(id: number): SegmentRow | null {
    const columns = selectColumns(SEGMENT_COLUMNS);
    const sql = `SELECT ${columns} FROM audit_segments WHERE id = ?`;
    return this.#db.prepare<[number], SegmentRow>(sql).get(id) ?? null;
  }

  /** Returns an id that no segment has had: the newest segment is never dropped. */
  nextSegmentId(): number {
    const sql = 'SELECT coalesce(max(id), 0) + 1 FROM audit_segments';
    return this.#db.prepare<[], number>(sql).pluck().get() ?? 1;
  }

  insertSegment(row: SegmentRow): void {
    expectChanges(this.#db.prepare<[SegmentRow]>(insertInto('audit_segments', SEGMENT_COLUMNS)).run(row));
  }

  updateSegment({ id, closedAt, bytes, entries, mac, wrappedKey }: SegmentRow): void {
    const sql =
      'UPDATE audit_segments SET closed_at = ?, bytes = ?, entries = ?, mac = ?, wrapped_key = ? WHERE id = ?';
    expectChanges(this.#db.prepare(sql).run(closedAt, bytes, entries, mac, wrappedKey, id));
  }

  deleteSegment(id: number): void {
    expectChanges(this.#db.prepare('DELETE FROM audit_segments WHERE id = ?').run(id));
  }

  insertBlock(segment: number, position: number, block: Uint8Array): void {
    expectChanges(this.#insertBlock.run(segment, position, block));
  }

  /** Deletes the blocks of a segment that begin before `position`: its file has them, and is synced. */
  deleteBlocks(segment: number, position: number): void {
    this.#deleteBlocks.run(segment, position);
  }

  /** Returns the oldest of each segment first. */
  listBlocks(): StoredBlock[] {
    const sql = 'SELECT segment, position, block FROM audit_writes ORDER BY id';
    return this.#db.prepare<[], StoredBlock>(sql).all();
  }
}
