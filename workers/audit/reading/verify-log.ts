/** Verifies the whole log, a segment at a time: its files, their chains and anchors, and that no segment is missing. */

import { IntegrityError } from '../../envelope/integrity.ts';
import { listSegmentFiles, locateSegment } from '../segment-files.ts';
import { compareHead } from './check-ends.ts';
import { type AuditEntry, parseHead } from './entry.ts';
import type { Problem, ProblemKind } from './problems.ts';
import { SegmentFile } from './segment-file.ts';
import type { AuditLog, Segment } from './segments.ts';
import { type VerifiedSegment, verifySegment } from './verify-segment.ts';

/** Longer than verifying takes. */
const NEW_MS = 600_000;
/** Bytes. */
const MAX_HEAD_SIZE = 1_024;

export interface VerifiedLog {
  readonly segments: number;
  readonly entries: number;
  readonly problems: readonly Problem[];
}

/** `visit`: called with each segment's bytes, when they are verified. */
export function verifyLog(
  log: AuditLog,
  segments: readonly Segment[],
  visit: (segment: Segment, bytes: Buffer) => void = () => {},
): VerifiedLog {
  const problems: Problem[] = [];
  const own: AuditEntry[] = [];
  let entries = 0;
  for (const segment of segments) {
    const verified = verifyFile(log, segment, visit);
    problems.push(...verified.problems);
    own.push(...verified.own);
    entries += verified.entries;
  }
  problems.push(...findMissing(segments, own), ...findUnknown(log, segments));
  const end = compareHead(log, segments);
  // Of a segment in which something else is wrong its end says nothing more.
  if (end !== null && !problems.some(({ segment }) => segment === end.segment)) problems.push(end);
  return { segments: segments.length, entries, problems };
}

/** Verifies one segment. `visit` as for verifyLog. */
export function verifyFile(
  { vaultId }: Pick<AuditLog, 'vaultId'>,
  segment: Segment,
  visit: (segment: Segment, bytes: Buffer) => void = () => {},
): VerifiedSegment {
  const file = SegmentFile.open(segment.path);
  // The row of a segment is written before its file is made.
  if (file === null && segment.anchoredBytes === 0) return { entries: 0, own: [], problems: [] };
  if (file === null) return failWhole(segment.id, 'missing_file');
  try {
    const bytes = file.readAll();
    const verified = segment.withKey((key) => verifySegment(bytes, vaultId, segment, key));
    visit(segment, bytes);
    return verified;
  } catch (error) {
    if (error instanceof IntegrityError) return failWhole(segment.id, 'changed_row');
    throw error;
  } finally {
    file.close();
  }
}

function failWhole(id: number, kind: ProblemKind): VerifiedSegment {
  return { entries: 0, own: [], problems: [placeWhole(id, kind)] };
}

function placeWhole(segment: number, problem: ProblemKind): Problem {
  return { segment, entry: null, line: null, problem };
}

/** Ids have no gaps. The oldest segments may be dropped, and one that was changed may be given up, which the log itself says. */
function findMissing(segments: readonly Segment[], own: readonly AuditEntry[]): Problem[] {
  const through = Math.max(
    0,
    ...own.map((entry) => (entry.op === 'audit.dropped' ? (entry.through ?? 0) : 0)),
  );
  const forgotten = new Set(own.map(({ op, segment }) => (op === 'audit.forgotten' ? segment : undefined)));
  const missing: Problem[] = [];
  let expected = through + 1;
  for (const { id } of segments) {
    while (forgotten.has(expected)) expected += 1;
    // Of a wide gap only the first one is named.
    if (id > expected) missing.push(placeWhole(expected, 'missing_segment'));
    expected = Math.max(expected, id + 1);
  }
  return missing;
}

function findUnknown({ directory }: AuditLog, segments: readonly Segment[]): Problem[] {
  const known = new Set(segments.map(({ id }) => id));
  const newest = segments.at(-1)?.id ?? 0;
  // Without a folder the files of all segments are missing, which is said of each.
  return listSegmentFiles(directory)
    .filter((id) => !known.has(id) && (id < newest || !isNew(locateSegment(directory, id))))
    .map((id) => placeWhole(id, 'unknown_file'));
}

/** A thread may have opened a segment after the rows were read. */
function isNew(path: string): boolean {
  const file = SegmentFile.open(path);
  if (file === null) return false;
  try {
    const [first] = file.readForwards(0, Math.min(file.size, MAX_HEAD_SIZE));
    // Its head is not written yet.
    if (first?.bytes == null) return file.size === 0;
    const opened = Date.parse(parseHead(first.bytes.toString())?.opened ?? '');
    return opened > Date.now() - NEW_MS;
  } finally {
    file.close();
  }
}
