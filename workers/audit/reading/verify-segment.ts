/**
 * Verifies the bytes of one segment: every MAC of its chain, and the anchor. Says where something is wrong, and what, as far as
 * the numbers of the entries tell. Sees the segment's key, which the caller zeroes.
 */

import { BatchMacs, isMac } from '../batch-macs.ts';
import { type Batch, splitBatches } from '../batches.ts';
import { type AuditEntry, parseEntry, parseHead } from './entry.ts';
import type { Problem, ProblemKind } from './problems.ts';
import type { Segment } from './segments.ts';

export type SegmentFacts = Pick<Segment, 'id' | 'closedAt' | 'anchoredBytes' | 'anchoredMac'>;

export interface VerifiedSegment {
  readonly entries: number;
  readonly problems: readonly Problem[];
  /** The log's own entries of batches that are genuine. */
  readonly own: readonly AuditEntry[];
}

/** Before the first batch. */
const BEGINNING = { end: 0, closingLine: 0 };

const OWN = Buffer.from('"op":"audit.');

/** `key`: 32 bytes. `vaultId`: 32 hexadecimal digits. */
export function verifySegment(
  bytes: Buffer,
  vaultId: string,
  facts: SegmentFacts,
  key: Uint8Array,
): VerifiedSegment {
  const batches = [...splitBatches(bytes)];
  const anchor = Buffer.from(facts.anchoredMac).toString('base64url');
  const anchored = batches.findIndex(({ mac }) => mac === anchor);
  // What follows the end of a closed segment is one problem, whatever it is.
  const isEnd = facts.closedAt > 0 && (anchored >= 0 || facts.anchoredBytes === 0);
  const counted = isEnd ? batches.slice(0, anchored + 1) : batches;
  const failed = findFailed(bytes, counted, key);
  const entries = batches.slice(1).reduce((sum, { sequences }) => sum + sequences.length, 0);
  // Where some batches are genuine it is this segment, and its head was changed.
  if (isForeign(bytes, vaultId, facts) && (failed.size === 0 || failed.size === counted.length))
    return { entries, own: [], problems: [{ segment: facts.id, entry: null, line: 1, problem: 'foreign' }] };
  const problems = placeFailed(facts, counted, failed);
  const end = placeEnd(bytes, facts, batches, anchored, problems.length > 0);
  return { entries, own: findOwn(bytes, counted, failed), problems: [...problems, ...end] };
}

/**
 * Returns the batches whose MAC is wrong, each with the line to which that points. Behind a wrong batch the chain goes on from the
 * MAC that should be there, the one that is written there, or the last genuine one. So one change is one wrong batch.
 */
function findFailed(bytes: Buffer, batches: readonly Batch[], key: Uint8Array): Map<Batch, number> {
  const macs = new BatchMacs(key);
  const failed = new Map<Batch, number>();
  let computed: Buffer | null = null;
  let others: Buffer[] = [];
  let genuine: Buffer[] = [];
  let before: Batch | null = null;
  for (const batch of batches) {
    const lines = bytes.subarray(batch.start, batch.linesEnd);
    const mac = macs.compute(computed, lines);
    const found: Buffer | undefined = isMac(batch.mac, mac)
      ? mac
      : others.map((other) => macs.compute(other, lines)).find((other) => isMac(batch.mac, other));
    if (found === undefined) failed.set(batch, batch.firstLine);
    // The lines of the batch before were right, so its MAC was changed.
    else if (found === mac && before !== null && failed.has(before)) failed.set(before, before.closingLine);
    if (found !== undefined) genuine = [found];
    others = found === undefined ? [Buffer.from(batch.mac, 'base64url'), ...genuine] : [];
    computed = found ?? mac;
    before = batch;
  }
  return failed;
}

function isForeign(bytes: Buffer, vaultId: string, { id }: SegmentFacts): boolean {
  const head = parseHead(bytes.toString('utf8', 0, Math.max(0, bytes.indexOf('\n'))));
  return head !== null && (head.vault !== vaultId || head.segment !== id);
}

/** Returns a problem for each run of neighbouring wrong batches of one kind. */
function placeFailed(
  { id }: SegmentFacts,
  batches: readonly Batch[],
  failed: ReadonlyMap<Batch, number>,
): Problem[] {
  if (failed.size === 0) return [];
  const all = new Set(batches.flatMap(({ sequences }) => sequences));
  const earlier = new Set<number>();
  const problems: Problem[] = [];
  let last = 0;
  for (const batch of batches) {
    const line = failed.get(batch);
    const found = line === undefined ? null : classify(batch, last, earlier, all);
    if (found !== null && line !== undefined)
      addProblem(problems, batch, placeProblem(id, found.kind, found.sequence, line, batch));
    const isInOrder = found === null || found.kind === 'changed' || found.kind === 'removed';
    if (isInOrder) last = batch.sequences.at(-1) || last;
    for (const sequence of batch.sequences) earlier.add(sequence);
  }
  return problems;
}

/** One that goes on where the one before it ends becomes a part of that. */
function addProblem(problems: Problem[], batch: Batch, problem: Problem): void {
  const before = problems.at(-1);
  const end = before === undefined ? 0 : (before.last_line ?? before.line ?? 0);
  // The end is the line of a MAC or the one before it.
  const isNext = end >= batch.firstLine - 2;
  if (before?.problem === problem.problem && isNext)
    problems[problems.length - 1] = { ...before, last_line: batch.closingLine };
  else problems.push(problem);
}

function placeProblem(
  id: number,
  problem: ProblemKind,
  sequence: number,
  line: number,
  { sequences, closingLine }: Batch,
): Problem {
  const entry = sequence === 0 ? null : `${id}.${sequence}`;
  const isOneLine = line === closingLine || sequences.length === 1 || problem === 'removed';
  return { segment: id, entry, line, ...(isOneLine ? {} : { last_line: closingLine - 1 }), problem };
}

/** Tells from the numbers of its entries what is wrong with a batch. `last`: the number before it. `earlier`: those before. `all`: those of the segment. */
function classify(
  { sequences }: Batch,
  last: number,
  earlier: ReadonlySet<number>,
  all: ReadonlySet<number>,
): { readonly kind: ProblemKind; readonly sequence: number } {
  const seen = new Set<number>();
  for (const [index, sequence] of sequences.entries()) {
    const expected = last + 1 + index;
    // A line that is no entry, such as the head.
    if (sequence === 0) return { kind: 'changed', sequence: index === 0 ? 0 : expected };
    if (sequence !== expected) {
      if (seen.has(sequence) || earlier.has(sequence)) return { kind: 'duplicated', sequence };
      const isMissing = sequence > expected && !all.has(expected);
      return isMissing ? { kind: 'removed', sequence: expected } : { kind: 'reordered', sequence };
    }
    seen.add(sequence);
  }
  return { kind: 'changed', sequence: sequences[0] ?? 0 };
}

/** Compares the end of the file with the anchor. `anchored`: which batch has the anchor's MAC; -1 for none. */
function* placeEnd(
  bytes: Buffer,
  { id, closedAt, anchoredBytes }: SegmentFacts,
  batches: readonly Batch[],
  anchored: number,
  hasProblems: boolean,
): Generator<Problem> {
  const last = batches.at(-1);
  const line = (last?.closingLine ?? 0) + 1;
  // A segment that was just opened has no anchor yet.
  const at = anchoredBytes === 0 ? BEGINNING : batches[anchored];
  if (at === undefined) {
    const entry = `${id}.${(last?.sequences.at(-1) ?? 0) + 1}`;
    if (bytes.length < anchoredBytes) yield { segment: id, entry, line, problem: 'truncated' };
    // The anchor is in a batch that seems to have no end.
    else if (bytes.length > (last?.end ?? 0)) yield { segment: id, entry, line, problem: 'changed' };
    else if (!hasProblems) yield { segment: id, entry: null, line: null, problem: 'not_anchored' };
  } else if (closedAt > 0 && bytes.length > at.end)
    yield { segment: id, entry: null, line: at.closingLine + 1, problem: 'added' };
  else if (at.end !== anchoredBytes && !hasProblems)
    yield { segment: id, entry: null, line: null, problem: 'not_anchored' };
}

function findOwn(bytes: Buffer, batches: readonly Batch[], failed: ReadonlyMap<Batch, number>): AuditEntry[] {
  return batches
    .filter((batch) => !failed.has(batch))
    .map(({ start, linesEnd }) => bytes.subarray(start, linesEnd))
    .filter((lines) => lines.includes(OWN))
    .flatMap((lines) => lines.toString().split('\n'))
    .map(parseEntry)
    .filter((entry) => entry?.op.startsWith('audit.'))
    .filter((entry) => entry !== null);
}
