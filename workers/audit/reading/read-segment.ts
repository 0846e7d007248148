/** Reads the entries of one segment in order, from either end, and no more of it than is asked for. */
import type { Buffer } from 'node:buffer';
import { findMac, findTime } from '../lines.ts';
import { type AuditEntry, parseEntry } from './entry.ts';
import { SegmentFile } from './segment-file.ts';
import type { Segment } from './segments.ts';

export type Order = 'newest' | 'oldest';

/** An entry, and the segment that it is in. */
export interface LoggedEntry {
  readonly segment: number;
  readonly entry: AuditEntry;
}

/** Where an entry stands in the whole log: entries are in the order of their times, then segments, then numbers. */
export interface Position {
  readonly at: string;
  readonly segment: number;
  readonly seq: number;
}

/** What is read of the segments. */
export interface Reading {
  readonly order: Order;
  /** The first and the last time, both included. */
  readonly since: string;
  readonly until: string;
  /** Only entries behind this one, in the order of the reading. */
  readonly after?: Position | undefined;
  /** Texts that the line of every wanted entry has, so that the others need not be parsed. */
  readonly needles?: readonly Buffer[];
  /** Called for a line that is no entry. */
  readonly onUnreadable: () => void;
}

/** Returns a negative number if `one` is before `other` in the log. */
export function comparePositions(one: Position, other: Position): number {
  if (one.at !== other.at) return one.at < other.at ? -1 : 1;
  return one.segment - other.segment || one.seq - other.seq;
}

/** Yields the entries of a segment. Yields nothing if its file is not there, or while its first batch is being written. */
export function* readSegment(segment: Segment, reading: Reading): Generator<LoggedEntry> {
  const file = SegmentFile.open(segment.path);
  if (file === null) return;
  try {
    yield* readFile(file, segment.id, reading);
  } finally {
    file.close();
  }
}

function* readFile(file: SegmentFile, segment: number, reading: Reading): Generator<LoggedEntry> {
  const { needles = [] } = reading;
  const isNewest = reading.order === 'newest';
  const [first, last] = findBounds(reading);
  const range = file.findRange(first, last, file.findEnd());
  const lines = isNewest ? file.readBackwards(range.end) : file.readForwards(range.start, range.end);
  for (const { bytes, start } of lines) {
    if (bytes === null) return reading.onUnreadable();
    const at = findTime(bytes);
    if (at !== '' && (isNewest ? at < first : at > last)) return;
    if (at !== '' && (at < first || at > last)) continue;
    // The head, and the MACs.
    if (start === 0 || findMac(bytes, 0, bytes.length) !== null) continue;
    if (!needles.every((needle) => bytes.includes(needle))) continue;
    const entry = parseEntry(bytes.toString());
    if (entry === null) reading.onUnreadable();
    else if (isBehind({ at: entry.at, segment, seq: entry.seq }, reading)) yield { segment, entry };
  }
}

/** Returns the first and the last time that can be among the entries that are wanted. */
function findBounds({ order, since, until, after }: Reading): readonly [first: string, last: string] {
  if (after === undefined) return [since, until];
  return order === 'newest'
    ? [since, after.at < until ? after.at : until]
    : [after.at > since ? after.at : since, until];
}

function isBehind(position: Position, { order, after }: Reading): boolean {
  if (after === undefined) return true;
  const compared = comparePositions(position, after);
  return order === 'newest' ? compared < 0 : compared > 0;
}
