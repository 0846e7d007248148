/**
 * For the writer: makes the segments of the audit log, their rows and their files, and finds again those that an earlier process
 * left open. Holds no key longer than a call.
 */

import { closeSync } from 'node:fs';
import { IntegrityError } from '../../envelope/integrity.ts';
import type { Anchor } from '../../envelope/segment-digest.ts';
import { nowSeconds } from '../../json/times.ts';
import type { OpenVault } from '../../open-vault.ts';
import type { AuditHead } from '../../row-set/row-sums.ts';
import type { StoredBlock } from '../../store/audit.ts';
import type { SegmentRow } from '../../store/columns.ts';
import { NO_MAC } from '../chain.ts';
import { createSegmentFile, cutOff, listSegmentFiles, locateLog, openSegmentFile } from '../segment-files.ts';
import { mintSegmentKey, rewrapSegmentKey } from '../segment-keys.ts';
import { BrokenSegmentError, type Recovered, recoverSegment } from './recovery.ts';
import { writeHead } from './segment-head.ts';

/** A segment that is ready to be written. The caller closes the descriptor. */
export interface ReadySegment {
  readonly row: SegmentRow;
  readonly anchor: Anchor;
  readonly descriptor: number;
}

export interface Torn {
  readonly segment: number;
  readonly bytes: number;
}

/** What an earlier process left. */
export interface Inventory {
  /** The ends of the segments that can be written again, by id. */
  readonly free: Map<number, Anchor>;
  /** The ids of those that somebody changed without the key. They are closed as they are. */
  readonly broken: readonly number[];
  /** Where a batch was not written whole, as after a power failure, and how many bytes were cut off. */
  readonly torn: readonly Torn[];
}

/** Bytes behind an anchor that are not worth a new one. */
const SMALL = 65_536;

/** Makes a segment: a row, then a file with a head. Throws what the system says. */
export function createSegment(open: OpenVault): ReadySegment {
  const { segmentRows, transactions, directory, keyring } = open;
  const folder = locateLog(directory);
  const newestFile = listSegmentFiles(folder).at(-1) ?? 0;
  const row = transactions.write(() => {
    // Never an id that a file has already: a restored database may be older than the log. Nor that of a lost segment, so that
    // it stays missing.
    const lost = open.audit.findHead()?.segment ?? 0;
    const id = Math.max(segmentRows.nextSegmentId(), newestFile + 1, lost + 1);
    const bound = { openedAt: nowSeconds(), closedAt: 0, bytes: 0, entries: 0, mac: NO_MAC };
    const made = { id, ...bound, wrappedKey: mintSegmentKey(keyring, id, bound) };
    segmentRows.insertSegment(made);
    return made;
  });
  const descriptor = createSegmentFile(folder, row.id);
  return { row, descriptor, anchor: writeHead(keyring, row, descriptor) };
}

/** Opens a segment that nobody writes, and that ends at `anchor`. Returns null if its row or its file has gone. */
export function reopenSegment(open: OpenVault, id: number, anchor: Anchor): ReadySegment | null {
  const row = open.segmentRows.findSegment(id);
  const descriptor = row === null ? null : openSegmentFile(locateLog(open.directory), id);
  if (row === null || descriptor === null) return null;
  // A batch that could not be written whole may lie there.
  cutOff(descriptor, anchor.bytes);
  return { row, anchor, descriptor };
}

/** Takes stock of the segments that are open in the database, and that no thread has. Throws what the system says. */
export function takeStock(open: OpenVault): Inventory {
  const rows = open.segmentRows.listOpenSegments();
  const blocks = rows.length === 0 ? [] : open.segmentRows.listBlocks();
  const free = new Map<number, Anchor>();
  const broken: SegmentRow[] = [];
  const torn: Torn[] = [];
  const head = open.audit.findHead();
  for (const row of rows) {
    const own = blocks.filter(({ segment }) => segment === row.id);
    try {
      const { anchor, tornBytes } = recoverFile(open, row, own, row.id === head?.segment ? head : null);
      free.set(row.id, anchor);
      if (tornBytes > 0) torn.push({ segment: row.id, bytes: tornBytes });
    } catch (error) {
      if (!(error instanceof BrokenSegmentError || error instanceof IntegrityError)) throw error;
      broken.push(row);
    }
  }
  storeStock(open, rows, free, broken, blocks.length > 0, head);
  return { free, torn, broken: [...broken.map(({ id }) => id), ...findLost(open, head)] };
}

/** Returns the segment into which the last commit wrote, if its row is gone. */
function findLost({ segmentRows }: OpenVault, head: AuditHead | null): number[] {
  return head === null || segmentRows.findSegment(head.segment) !== null ? [] : [head.segment];
}

function recoverFile(
  open: OpenVault,
  row: SegmentRow,
  blocks: readonly StoredBlock[],
  head: AuditHead | null,
): Recovered {
  const folder = locateLog(open.directory);
  const found = openSegmentFile(folder, row.id);
  // Its file was not synced yet.
  if (found === null && row.bytes > 0) throw new BrokenSegmentError();
  const descriptor = found ?? createSegmentFile(folder, row.id);
  try {
    return recoverSegment(open.keyring, row, descriptor, blocks, head);
  } finally {
    closeSync(descriptor);
  }
}

function storeStock(
  open: OpenVault,
  rows: readonly SegmentRow[],
  free: ReadonlyMap<number, Anchor>,
  broken: readonly SegmentRow[],
  hasBlocks: boolean,
  head: AuditHead | null,
): void {
  const least = hasBlocks ? 0 : SMALL;
  const grown = rows.filter((row) => (free.get(row.id)?.bytes ?? 0) > row.bytes + least);
  if (grown.length + broken.length === 0) return;
  open.transactions.write(() => {
    for (const row of grown) anchorSegment(open, row, free.get(row.id) ?? row, 0);
    for (const row of broken) closeBroken(open, row, row.id === head?.segment ? head : null);
  });
}

/**
 * The anchor stays, or becomes the end that the last commit knew, so that verifying the log finds what was changed. A row that was
 * itself changed stays as it is.
 */
function closeBroken(open: OpenVault, row: SegmentRow, head: AuditHead | null): void {
  const { bytes, mac } = head === null || head.bytes < row.bytes ? row : head;
  try {
    anchorSegment(open, row, { bytes, mac, entries: row.entries }, nowSeconds());
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
  }
}

/**
 * Stores how far the file of a segment reaches, and when it was closed (Unix seconds; 0: it is open). The blocks that the file
 * then has are deleted; the caller has synced it. Runs inside a transaction. Throws IntegrityError if the row was changed.
 */
export function anchorSegment(open: OpenVault, row: SegmentRow, anchor: Anchor, closedAt: number): void {
  const changed = { openedAt: row.openedAt, closedAt, ...anchor };
  const wrappedKey = rewrapSegmentKey(open.keyring, row, changed);
  open.segmentRows.updateSegment({ id: row.id, ...changed, wrappedKey });
  open.segmentRows.deleteBlocks(row.id, anchor.bytes);
}
