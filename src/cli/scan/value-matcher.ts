/**
 * Finds many byte sequences at once in what comes piece by piece. The sequences are sorted, those with the same first
 * bytes lie together, and a filter of one bit for each group says no for nearly every place of an ordinary file. So the
 * time depends on what is looked through, and hardly on how much is looked for.
 */

/** Bytes that the filter looks at. */
const HEAD_SIZE = 4;
/** Bits of a hash in the filter. With 60,000 groups it lets one place of 70 through. */
const FILTER_BITS = 22;
/** Spreads what differs in any bit (Knuth's multiplicative hash). */
const MULTIPLIER = 0x9e3779b1;
const NEWLINE = 0x0a;

export interface Pattern<Owner> {
  readonly bytes: Uint8Array;
  readonly owner: Owner;
}

export interface Found<Owner> {
  readonly owner: Owner;
  /** Counted from 1. */
  readonly line: number;
}

/** A byte sequence, and the values that it belongs to. */
interface Entry<Owner> {
  readonly bytes: Buffer;
  readonly owners: Owner[];
  /** Index of the longest other entry that this one begins with; -1 if there is none. */
  shorter: number;
}

export class ValueMatcher<Owner> {
  readonly #entries: readonly Entry<Owner>[];
  /** By an entry's first bytes, the range of entries that begin with them; the end is not included. */
  readonly #groups = new Map<number, readonly [from: number, to: number]>();
  readonly #filter = new Uint8Array(2 ** (FILTER_BITS - 3));
  /** Bytes of the longest entry. */
  readonly #maxSize: number;

  /** Throws RangeError for a pattern shorter than four bytes. */
  constructor(patterns: readonly Pattern<Owner>[]) {
    this.#entries = sortEntries(patterns);
    linkShorter(this.#entries);
    this.#maxSize = this.#entries.reduce((most, { bytes }) => Math.max(most, bytes.length), HEAD_SIZE);
    for (const [index, { bytes }] of this.#entries.entries()) this.#addToGroup(index, bytes.readUInt32BE(0));
  }

  /** Looks through one file, or whatever comes in pieces; `report` may hear of one line more than once. */
  start(report: (found: Found<Owner>) => void): Search<Owner> {
    return new Search(this, this.#maxSize, report);
  }

  /** Calls `report` with each place from `from` on and before `to` where an entry begins that lies in `bytes` whole. */
  find(
    bytes: Buffer,
    from: number,
    to: number,
    report: (at: number, owners: readonly Owner[]) => void,
  ): void {
    const last = Math.min(to, bytes.length - HEAD_SIZE + 1);
    if (from >= last || this.#entries.length === 0) return;
    const filter = this.#filter;
    let head = bytes.readUIntBE(from, HEAD_SIZE - 1);
    for (let at = from; at < last; at++) {
      head = (head << 8) | (bytes[at + HEAD_SIZE - 1] as number);
      const hash = Math.imul(head, MULTIPLIER) >>> (32 - FILTER_BITS);
      if (((filter[hash >>> 3] as number) & (1 << (hash & 7))) === 0) continue;
      const group = this.#groups.get(head >>> 0);
      if (group !== undefined) this.#findInGroup(bytes, at, group, report);
    }
  }

  #addToGroup(index: number, head: number): void {
    const [from] = this.#groups.get(head) ?? [index];
    this.#groups.set(head, [from, index + 1]);
    const hash = Math.imul(head, MULTIPLIER) >>> (32 - FILTER_BITS);
    this.#filter[hash >>> 3] = (this.#filter[hash >>> 3] as number) | (1 << (hash & 7));
  }

  /**
   * Every entry that the bytes begin with sorts before them or equals them, and each such entry begins with the shorter
   * ones: so the last one that is not greater leads to all.
   */
  #findInGroup(
    bytes: Buffer,
    at: number,
    [from, to]: readonly [number, number],
    report: (at: number, owners: readonly Owner[]) => void,
  ): void {
    let [low, high] = [from, to];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareAt((this.#entries[middle] as Entry<Owner>).bytes, bytes, at) <= 0) low = middle + 1;
      else high = middle;
    }
    for (let index = low - 1; index >= from; index = (this.#entries[index] as Entry<Owner>).shorter) {
      const entry = this.#entries[index] as Entry<Owner>;
      if (isAt(entry.bytes, bytes, at)) report(at, entry.owners);
    }
  }
}

function sortEntries<Owner>(patterns: readonly Pattern<Owner>[]): Entry<Owner>[] {
  const sorted = patterns
    .map(({ bytes, owner }) => ({ bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), owner }))
    .sort((one, other) => Buffer.compare(one.bytes, other.bytes));
  const entries: Entry<Owner>[] = [];
  for (const { bytes, owner } of sorted) {
    if (bytes.length < HEAD_SIZE) throw new RangeError('a pattern is too short');
    const last = entries.at(-1);
    if (last?.bytes.equals(bytes)) last.owners.push(owner);
    else entries.push({ bytes, owners: [owner], shorter: -1 });
  }
  return entries;
}

/** Links each entry to the longest other one that it begins with, by way of the entries before it in sorted order. */
function linkShorter<Owner>(entries: readonly Entry<Owner>[]): void {
  for (const [index, entry] of entries.entries()) {
    let candidate = index - 1;
    while (candidate >= 0 && !isAt((entries[candidate] as Entry<Owner>).bytes, entry.bytes, 0))
      candidate = (entries[candidate] as Entry<Owner>).shorter;
    entry.shorter = candidate;
  }
}

/** As memcmp of the entry with so many of the bytes; an entry is greater than what it would go beyond. */
function compareAt(entry: Buffer, bytes: Buffer, at: number): number {
  return entry.compare(bytes, at, Math.min(at + entry.length, bytes.length));
}

function isAt(entry: Buffer, bytes: Buffer, at: number): boolean {
  return at + entry.length <= bytes.length && compareAt(entry, bytes, at) === 0;
}

/** One run over bytes that come in pieces. */
export class Search<Owner> {
  readonly #matcher: ValueMatcher<Owner>;
  readonly #maxSize: number;
  readonly #report: (found: Found<Owner>) => void;
  /** The end of the last piece: what begins there may end in the next one. */
  #rest: Buffer = Buffer.alloc(0);
  /** The line in which `#rest` begins. */
  #line = 1;

  constructor(matcher: ValueMatcher<Owner>, maxSize: number, report: (found: Found<Owner>) => void) {
    this.#matcher = matcher;
    this.#maxSize = maxSize;
    this.#report = report;
  }

  /** The caller may reuse the piece's memory afterwards. */
  add(piece: Buffer): void {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    const to = Math.max(0, bytes.length - this.#maxSize + 1);
    this.#find(bytes, to);
    this.#rest = Buffer.from(bytes.subarray(to));
  }

  end(): void {
    this.#find(this.#rest, this.#rest.length);
    this.#rest = Buffer.alloc(0);
  }

  #find(bytes: Buffer, to: number): void {
    let counted = 0;
    const countTo = (at: number) => {
      this.#line += countNewlines(bytes, counted, at);
      counted = at;
    };
    this.#matcher.find(bytes, 0, to, (at, owners) => {
      countTo(at);
      for (const owner of owners) this.#report({ owner, line: this.#line });
    });
    countTo(to);
  }
}

function countNewlines(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE, from); at >= 0 && at < to; at = bytes.indexOf(NEWLINE, at + 1))
    count += 1;
  return count;
}
