/** What reading the audit log needs to know of its segments. Their rows and keys come from the vault. */
import type { AuditHead } from '../../row-set/row-sums.ts';
import type { StoredBlock } from '../../store/audit.ts';

/** 64 MiB. A segment has 16 MiB and at most one batch more, such as that of a large import. */
export const MAX_SEGMENT_SIZE = 67_108_864;
/** 4 MiB: 1,000 secrets with the longest names fit. The newline counts. */
export const MAX_LINE_SIZE = 4_194_304;

/** A segment as its row has it. */
export interface Segment {
  readonly id: number;
  /** Unix time in milliseconds; no entry is older. */
  readonly openedAt: number;
  /** Unix time in milliseconds; no entry is newer. 0 while the segment is open. */
  readonly closedAt: number;
  /** The file has at least these bytes; exactly these once the segment is closed. */
  readonly anchoredBytes: number;
  /** The chain's MAC at that length, 32 bytes; empty while the length is 0, as in a segment that was just opened. */
  readonly anchoredMac: Uint8Array;
  readonly path: string;
  /** Calls `use` with the key of the segment, 32 bytes, and zeroes it afterwards. Throws IntegrityError if the row was changed. */
  withKey<T>(use: (key: Uint8Array) => T): T;
}

export interface AuditLog {
  /** 32 hexadecimal digits. */
  readonly vaultId: string;
  /** Absolute path of the folder of the segments. */
  readonly directory: string;
  /** Returns the segments that are kept, the oldest first. Reads no file and no key. */
  listSegments(): readonly Segment[];
  /** Returns where the log ended at the last commit; null if that is not known. */
  findHead(): AuditHead | null;
  /** Returns the batches that the database has because files may lack them, the oldest of each segment first. */
  listBlocks(): readonly StoredBlock[];
}
