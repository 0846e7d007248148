/** Reads the file of a segment: from either end in pieces, or whole. The file may grow meanwhile. It holds names, and no secret. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { readLastMac } from '../chain.ts';
import { findMac, findTime, NEWLINE } from '../lines.ts';
import { readPart } from '../segment-files.ts';
import { MAX_LINE_SIZE, MAX_SEGMENT_SIZE } from './segments.ts';

/** Bytes. The pieces grow while no line ends in them. */
const PIECE_SIZE = 65_536;
/** Bytes that are read at first to find one entry. */
const PROBE_SIZE = 4_096;
const EMPTY: Buffer = Buffer.alloc(0);

/** A line of the file, from `start` to `end`, which is behind its newline. */
export interface Line {
  readonly start: number;
  readonly end: number;
  /** Without the newline; null for a line that is too long to be one of the log. */
  readonly bytes: Buffer | null;
}

export class SegmentFile {
  readonly #fd: number;
  readonly size: number;

  private constructor(fd: number, size: number) {
    this.#fd = fd;
    this.size = size;
  }

  /** Returns null if no regular file lies there: a link or a pipe in its place is not the log. */
  static open(path: string): SegmentFile | null {
    let fd: number;
    try {
      fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch {
      return null;
    }
    const stat = fstatSync(fd);
    if (stat.isFile()) return new SegmentFile(fd, stat.size);
    closeSync(fd);
    return null;
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Returns the whole file. Of one that is too long for a segment it returns the beginning. */
  readAll(): Buffer {
    return readPart(this.#fd, 0, Math.min(this.size, MAX_SEGMENT_SIZE));
  }

  /** Returns the MAC of the batch that ends at `end`, in base64url; an empty text if none does. */
  readMac(end: number): string {
    return readLastMac(this.#fd, end);
  }

  /** Returns where the last complete batch ends. What follows is being written, or was cut off by a crash. */
  findEnd(): number {
    for (const { bytes, end } of this.readBackwards(this.size))
      if (bytes !== null && findMac(bytes, 0, bytes.length) !== null) return end;
    return 0;
  }

  /** Returns the part of the bytes before `end` that has all entries of these times, both included, and few others. */
  findRange(first: string, last: string, end: number): { readonly start: number; readonly end: number } {
    return {
      start: this.#bisect(end, (time) => time < first).low,
      end: this.#bisect(end, (time) => time <= last).high,
    };
  }

  /**
   * Returns two beginnings of lines: every entry before `low` is early, and none from `high` on is. Within a segment times do not go
   * back.
   */
  #bisect(end: number, isEarly: (time: string) => boolean): { readonly low: number; readonly high: number } {
    let [low, high, unsearched] = [0, end, end];
    while (unsearched - low > PIECE_SIZE) {
      const middle = Math.floor((low + unsearched) / 2);
      const found = this.#findEntry(middle, unsearched);
      if (found !== null && isEarly(found.time)) low = found.start;
      else {
        unsearched = middle;
        high = found?.start ?? high;
      }
    }
    return { low, high };
  }

  /** Returns the first entry whose line begins behind `from`, or null if none does before `to`. */
  #findEntry(from: number, to: number): { readonly start: number; readonly time: string } | null {
    for (let size = PROBE_SIZE; ; size *= 8) {
      const bytes = readPart(this.#fd, from, Math.min(to, from + size));
      for (let start = bytes.indexOf(NEWLINE) + 1; start > 0; start = bytes.indexOf(NEWLINE, start) + 1) {
        const time = findTime(bytes.subarray(start));
        if (time !== '') return { start: from + start, time };
      }
      if (from + size >= to) return null;
    }
  }

  /**
   * Yields the lines before `end`, the last one first. Bytes behind the last newline are no line. A line that is too long ends the
   * reading.
   */
  *readBackwards(end: number): Generator<Line> {
    let start = end;
    // The bytes from `start` on that were not yielded yet. They end with a newline.
    let rest = EMPTY;
    let pieceSize = PIECE_SIZE;
    while (start > 0) {
      const from = Math.max(0, start - pieceSize);
      const piece = readPart(this.#fd, from, start);
      rest = rest.length > 0 ? Buffer.concat([piece, rest]) : upToNewline(piece);
      start = from;
      for (let at = findLine(rest); rest.length > 0 && (at > 0 || start === 0); at = findLine(rest)) {
        if (rest.length - at > MAX_LINE_SIZE) break;
        yield { start: start + at, end: start + rest.length, bytes: rest.subarray(at, -1) };
        rest = rest.subarray(0, at);
      }
      if (rest.length > MAX_LINE_SIZE) return yield { start, end: start + rest.length, bytes: null };
      pieceSize = Math.max(PIECE_SIZE, rest.length);
    }
  }

  /** Yields the lines from one that begins at `from` up to `end`, the first one first. A line that is too long ends the reading. */
  *readForwards(from: number, end: number): Generator<Line> {
    let start = from;
    // The bytes from `start` on that were not yielded yet.
    let rest = EMPTY;
    while (start + rest.length < end) {
      const next = start + rest.length;
      const piece = readPart(this.#fd, next, Math.min(end, next + Math.max(PIECE_SIZE, rest.length)));
      if (piece.length === 0) return;
      rest = Buffer.concat([rest, piece]);
      for (let at = rest.indexOf(NEWLINE); at >= 0; at = rest.indexOf(NEWLINE)) {
        if (at >= MAX_LINE_SIZE) break;
        yield { start, end: start + at + 1, bytes: rest.subarray(0, at) };
        start += at + 1;
        rest = rest.subarray(at + 1);
      }
      if (rest.length > MAX_LINE_SIZE) return yield { start, end: start + rest.length, bytes: null };
    }
  }
}

function upToNewline(piece: Buffer): Buffer {
  return piece.subarray(0, piece.lastIndexOf(NEWLINE) + 1);
}

/** Returns where the last line of bytes that end with a newline begins; 0 if its beginning may lie before them. */
function findLine(bytes: Buffer): number {
  return bytes.length < 2 ? 0 : bytes.lastIndexOf(NEWLINE, bytes.length - 2) + 1;
}
