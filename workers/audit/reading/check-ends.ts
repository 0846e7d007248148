/**
 * Compares where the segments end with what the database knows: each with the anchor in its row, and the one of the last commit
 * with the head in the state of the set MAC. Nothing else of the files is read; `verifyLog` follows the chains.
 */
import type { AuditHead } from '../../row-set/row-sums.ts';
import type { StoredBlock } from '../../store/audit.ts';
import { readBlockMac } from '../chain.ts';
import type { Problem, ProblemKind } from './problems.ts';
import { SegmentFile } from './segment-file.ts';
import type { AuditLog, Segment } from './segments.ts';

/** Segments between two yields: about a millisecond. */
const SLICE = 50;

/** Yields between slices, so that a thread can do something else meanwhile. All of it must see one snapshot. */
export function* checkEnds(log: AuditLog): Generator<void, Problem[]> {
  const segments = log.listSegments();
  const end = compareHead(log, segments);
  const problems: Problem[] = [];
  for (const [index, segment] of segments.entries()) {
    const problem = segment.id === end?.segment ? end.problem : compareAnchor(segment);
    if (problem !== null) problems.push(place(segment.id, problem));
    if (index % SLICE === SLICE - 1) yield;
  }
  // Its row is gone.
  if (end?.problem === 'missing_segment') problems.push(end);
  return problems;
}

function compareAnchor({ path, anchoredBytes, anchoredMac }: Segment): ProblemKind | null {
  if (anchoredBytes === 0) return null;
  const file = SegmentFile.open(path);
  if (file === null) return 'missing_file';
  try {
    if (file.size < anchoredBytes) return 'truncated';
    return file.readMac(anchoredBytes) === encode(anchoredMac) ? null : 'not_anchored';
  } finally {
    file.close();
  }
}

/** Returns what is wrong with the segment into which the last commit wrote; null if its end is there. */
export function compareHead(log: AuditLog, segments: readonly Segment[]): Problem | null {
  const head = log.findHead();
  if (head === null) return null;
  const segment = segments.find(({ id }) => id === head.segment);
  if (segment === undefined) return place(head.segment, 'missing_segment');
  const blocks = log.listBlocks().filter((block) => block.segment === head.segment);
  const problem = compareEnd(head, segment, blocks);
  return problem === null ? null : place(head.segment, problem);
}

/** What the file lacks of the log may be in the database, from where it is written into the file after a crash. */
function compareEnd(
  { bytes: end, mac }: AuditHead,
  { path }: Segment,
  blocks: readonly StoredBlock[],
): ProblemKind | null {
  const file = SegmentFile.open(path);
  let found = file?.readMac(end) ?? '';
  let reached = file?.size ?? 0;
  file?.close();
  for (const { position, block } of blocks) {
    // A batch between is missing.
    if (position > reached) break;
    reached = Math.max(reached, position + block.length);
    if (position + block.length === end) found = readBlockMac(block);
  }
  if (found === encode(mac)) return null;
  return reached < end ? 'truncated' : 'not_anchored';
}

function encode(mac: Uint8Array): string {
  return Buffer.from(mac).toString('base64url');
}

function place(segment: number, problem: ProblemKind): Problem {
  return { segment, entry: null, line: null, problem };
}
