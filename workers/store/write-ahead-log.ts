/**
 * The write-ahead log that a killed process left, looked at before SQLite recovers from it. Holds no secret.
 *
 * SQLite reads a log up to the first frame that does not fit, and takes what comes behind for a write that was under way.
 * After a crash it is. But a transaction is synced before the next one begins: where one more begins behind the frame
 * that does not fit, that frame had been on the disk and was damaged there, and SQLite would silently forget writes that
 * were acknowledged. What is cut off at the end looks like a crash, and nobody can tell.
 *
 * The format is https://www.sqlite.org/fileformat2.html, section 4.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { type Identity, parseIdentity } from './identity.ts';

const HEADER_SIZE = 32;
const FRAME_HEADER_SIZE = 24;
/** How much of a header its checksum is over. */
const CHECKED_OF_HEADER = 24;
const CHECKED_OF_FRAME_HEADER = 8;
/** Its lowest bit says whether the words of a checksum are big-endian. */
const MAGIC = 0x377f0682;
const FIRST_PAGE = 1;

export interface LogFindings {
  /** Where the first frame lies that was on the disk and is not what it was; null where there is none. */
  readonly damagedAt: number | null;
  /** What the first page says of the database, in the newest frame that has it; null where none does. */
  readonly identity: Identity | null;
}

/** Two words. */
type Checksum = readonly [number, number];

interface Frame {
  readonly offset: number;
  readonly isCommit: boolean;
  /** Frames of an older generation stay in the file until they are written over. */
  readonly isCurrent: boolean;
  readonly stored: Checksum;
  /** What `stored` must be behind a frame with this checksum. */
  readonly compute: (before: Checksum) => Checksum;
  readonly identity: Identity | null;
}

export function inspectLog(path: string): LogFindings {
  const descriptor = openSync(path, 'r');
  try {
    const header = Buffer.alloc(HEADER_SIZE);
    const isHeader = readSync(descriptor, header, 0, HEADER_SIZE, 0) === HEADER_SIZE;
    return isHeader ? inspectFrames(header, readFrames(descriptor, header)) : NOTHING;
  } finally {
    closeSync(descriptor);
  }
}

const NOTHING: LogFindings = { damagedAt: null, identity: null };

function inspectFrames(header: Buffer, frames: Iterable<Frame>): LogFindings {
  let identity: Identity | null = null;
  let before = {
    isCommit: false,
    stored: readChecksum(header, CHECKED_OF_HEADER),
    computed: addTo([0, 0], header.subarray(0, CHECKED_OF_HEADER), isBigEndian(header)),
  };
  // Without its header SQLite ignores a log.
  let firstBad = isEqual(before.stored, before.computed) ? null : 0;
  for (const frame of frames) {
    const { stored, offset } = frame;
    const computed = frame.compute(before.stored);
    // The checksum of a damaged frame may be what is damaged of it, or what is not.
    const follows = isEqual(computed, stored) || isEqual(frame.compute(before.computed), stored);
    const isFirst = offset === HEADER_SIZE;
    if (firstBad !== null && frame.isCurrent && follows && (isFirst || before.isCommit))
      return { identity, damagedAt: firstBad };
    if (firstBad === null && frame.isCurrent && isEqual(computed, stored))
      identity = frame.identity ?? identity;
    else firstBad ??= offset;
    before = { isCommit: frame.isCommit, stored, computed };
  }
  return { identity, damagedAt: null };
}

/** To the end of the file, or to where its format ends. */
function* readFrames(descriptor: number, header: Buffer): Generator<Frame> {
  const pageSize = header.readUInt32BE(8);
  if (header.readUInt32BE(0) >>> 1 !== MAGIC >>> 1 || !isPageSize(pageSize)) return;
  const size = FRAME_HEADER_SIZE + pageSize;
  for (let offset = HEADER_SIZE; ; offset += size) {
    const bytes = Buffer.alloc(size);
    if (readSync(descriptor, bytes, 0, size, offset) < size) return;
    yield parseFrame(bytes, offset, header);
  }
}

function isPageSize(size: number): boolean {
  return size >= 512 && size <= 65_536 && (size & (size - 1)) === 0;
}

function parseFrame(bytes: Buffer, offset: number, header: Buffer): Frame {
  const page = bytes.subarray(FRAME_HEADER_SIZE);
  const isBig = isBigEndian(header);
  return {
    offset,
    isCommit: bytes.readUInt32BE(4) !== 0,
    // The salts.
    isCurrent: bytes.compare(header, 16, 24, 8, 16) === 0,
    stored: readChecksum(bytes, 16),
    compute: (before) => addTo(addTo(before, bytes.subarray(0, CHECKED_OF_FRAME_HEADER), isBig), page, isBig),
    identity: bytes.readUInt32BE(0) === FIRST_PAGE ? parseIdentity(page) : null,
  };
}

function isBigEndian(header: Buffer): boolean {
  return (header.readUInt32BE(0) & 1) === 1;
}

function readChecksum(bytes: Buffer, offset: number): Checksum {
  return [bytes.readUInt32BE(offset), bytes.readUInt32BE(offset + 4)];
}

function isEqual([a0, a1]: Checksum, [b0, b1]: Checksum): boolean {
  return a0 === b0 && a1 === b1;
}

/** The checksum of what went before and these bytes, of which there are a multiple of eight. */
function addTo([first, second]: Checksum, bytes: Buffer, isBig: boolean): Checksum {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let [s0, s1] = [first | 0, second | 0];
  for (let at = 0; at < bytes.length; at += 8) {
    s0 = (s0 + words.getUint32(at, !isBig) + s1) | 0;
    s1 = (s1 + words.getUint32(at + 4, !isBig) + s0) | 0;
  }
  return [s0 >>> 0, s1 >>> 0];
}
