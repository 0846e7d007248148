/** Reads the entries of all segments in the order of their times. Threads write at the same time, each a segment of its own. */
import {
  comparePositions,
  type LoggedEntry,
  type Position,
  type Reading,
  readSegment,
} from './read-segment.ts';
import type { Segment } from './segments.ts';

/** The last time that a segment without an end can have: behind every other. */
const OPEN = '9999-12-31T23:59:59.999Z';
const MAX_MS = Date.parse(OPEN);

interface Span {
  readonly segment: Segment;
  readonly first: string;
  readonly last: string;
}

/** A segment that is being read: its next entry, and the entries after it. */
interface Source {
  next: LoggedEntry;
  readonly rest: Generator<LoggedEntry>;
}

export function findPosition({ segment, entry }: LoggedEntry): Position {
  return { at: entry.at, segment, seq: entry.seq };
}

/** Yields the entries in order. A segment's file is opened when its first entry can be the next one. */
export function* readLog(segments: readonly Segment[], reading: Reading): Generator<LoggedEntry> {
  const isNewest = reading.order === 'newest';
  const waiting = sortSpans(segments, reading);
  const sources: Source[] = [];
  try {
    for (;;) {
      let next = findNext(sources, isNewest);
      for (
        let span = waiting.at(-1);
        span !== undefined && mayBeNext(span, next, isNewest);
        span = waiting.at(-1)
      ) {
        waiting.pop();
        addSource(sources, readSegment(span.segment, reading));
        next = findNext(sources, isNewest);
      }
      if (next === undefined) return;
      yield next.next;
      advance(sources, next);
    }
  } finally {
    for (const { rest } of sources) rest.return(undefined);
  }
}

/** Returns the segments that can have entries of these times, in the order in which they are needed, the first one last. */
function sortSpans(segments: readonly Segment[], { order, since, until, after }: Reading): Span[] {
  const isNewest = order === 'newest';
  const last = isNewest && after !== undefined && after.at < until ? after.at : until;
  const first = !isNewest && after !== undefined && after.at > since ? after.at : since;
  return segments
    .map((segment) => ({
      segment,
      first: formatMs(segment.openedAt),
      last: segment.closedAt === 0 ? OPEN : formatMs(segment.closedAt),
    }))
    .filter((span) => span.first <= last && span.last >= first)
    .sort((one, other) => (isNewest ? compare(one.last, other.last) : compare(other.first, one.first)));
}

/** A row that was changed without the key may have any number. */
function formatMs(unixMs: number): string {
  return new Date(Math.min(Math.max(unixMs, 0), MAX_MS)).toISOString();
}

function compare(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}

function mayBeNext({ first, last }: Span, next: Source | undefined, isNewest: boolean): boolean {
  if (next === undefined) return true;
  const { at } = next.next.entry;
  return isNewest ? last >= at : first <= at;
}

function findNext(sources: readonly Source[], isNewest: boolean): Source | undefined {
  let found: Source | undefined;
  for (const source of sources) {
    if (found === undefined) found = source;
    else {
      const compared = comparePositions(findPosition(source.next), findPosition(found.next));
      if (isNewest ? compared > 0 : compared < 0) found = source;
    }
  }
  return found;
}

function addSource(sources: Source[], rest: Generator<LoggedEntry>): void {
  const { value, done } = rest.next();
  if (!done) sources.push({ next: value, rest });
}

function advance(sources: Source[], source: Source): void {
  const { value, done } = source.rest.next();
  if (done) sources.splice(sources.indexOf(source), 1);
  else source.next = value;
}
