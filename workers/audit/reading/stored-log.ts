/** The audit log of an unsealed vault, as reading it sees it: from the rows of its segments and the keys that are wrapped there. */
import type { Keyring } from '../../keys/keyring.ts';
import { readAuditHead } from '../../row-set/open-state.ts';
import type { AuditHead } from '../../row-set/row-sums.ts';
import type { AuditStore, StoredBlock } from '../../store/audit.ts';
import type { SegmentRow } from '../../store/columns.ts';
import type { RowSetStore } from '../../store/row-set.ts';
import { locateLog, locateSegment } from '../segment-files.ts';
import { withSegmentKey } from '../segment-keys.ts';
import type { AuditLog, Segment } from './segments.ts';

const MS = 1_000;

/** What is read of the database. */
interface Rows {
  /** The vault's folder. */
  readonly directory: string;
  readonly segmentRows: AuditStore;
  readonly rowSetRows: RowSetStore;
}

export class StoredLog implements AuditLog {
  readonly directory: string;
  readonly #rows: Rows;
  readonly #keyring: Keyring;

  constructor(rows: Rows, keyring: Keyring) {
    this.directory = locateLog(rows.directory);
    this.#rows = rows;
    this.#keyring = keyring;
  }

  get vaultId(): string {
    return Buffer.from(this.#keyring.vaultId).toString('hex');
  }

  listSegments(): readonly Segment[] {
    return this.#rows.segmentRows.listSegments().map((row) => this.#describe(row));
  }

  findHead(): AuditHead | null {
    return readAuditHead(this.#rows.rowSetRows, this.#keyring);
  }

  listBlocks(): readonly StoredBlock[] {
    return this.#rows.segmentRows.listBlocks();
  }

  #describe(row: SegmentRow): Segment {
    return {
      id: row.id,
      openedAt: row.openedAt * MS,
      // The row has whole seconds, and the last entry may be of the same second.
      closedAt: row.closedAt === 0 ? 0 : (row.closedAt + 1) * MS,
      anchoredBytes: row.bytes,
      anchoredMac: row.mac,
      path: locateSegment(this.directory, row.id),
      withKey: (use) => withSegmentKey(this.#keyring, row, use),
    };
  }
}
