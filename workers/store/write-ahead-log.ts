/**
 * Inspects the write-ahead log that a killed process left, before SQLite recovers from it.
 *
 * SQLite reads a log up to the first frame with a wrong checksum, and treats the frames after it as a write that was under
 * way. After a crash that is right. But SQLite syncs each transaction to the disk before it begins the next one. So if
 * another transaction begins after the wrong frame, that frame was on the disk and was damaged there, and SQLite would
 * silently drop writes that were acknowledged. A log that was cut off at its end cannot be told from a crash.
 *
 * Format: https://www.sqlite.org/fileformat2.html, section 4.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { type Identity, parseIdentity } from './identity.ts';

const HEADER_SIZE = 32;
const FRAME_HEADER_SIZE = 24;
/** Bytes of the header that its checksum covers. */
const CHECKED_OF_HEADER = 24;
/** Bytes of a frame's header that the frame's checksum covers, together with its page. */
const CHECKED_OF_FRAME_HEADER = 8;
/** The lowest bit of the stored number says whether the words of a checksum are big-endian. */
const MAGIC = 0x377f0682;
const FIRST_PAGE = 1;

export interface LogFindings {
  /** Offset of the first frame that was on the disk and was damaged there; null if there is none. */
  readonly damagedAt: number | null;
  /** The database's identity by the newest frame of the first page; null if no frame has that page. */
  readonly identity: Identity | null;
}

/** Two 32-bit words. */
type Checksum = readonly [number, number];

interface Frame {
  readonly offset: number;
  readonly isCommit: boolean;
  /** False for a frame of an older generation. It stays in the file until a new frame overwrites it. */
  readonly isCurrent: boolean;
  /** The checksum that the frame has. */
  readonly stored: Checksum;
  /** Returns the checksum that the frame must have after one with this checksum. */
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
    computed: extendChecksum([0, 0], header.subarray(0, CHECKED_OF_HEADER), isBigEndian(header)),
  };
  // SQLite ignores a log with a damaged header, so the damage may begin at byte 0.
  let firstBad = isEqual(before.stored, before.computed) ? null : 0;
  for (const frame of frames) {
    const { stored, offset } = frame;
    const computed = frame.compute(before.stored);
    // In the frame before, either the checksum or the page may be damaged. So both of its checksums are tried.
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

/** Yields the frames up to the end of the file, or none if the header is not of this format. */
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
    // The salts are those of the header.
    isCurrent: bytes.compare(header, 16, 24, 8, 16) === 0,
    stored: readChecksum(bytes, 16),
    compute: (before) =>
      extendChecksum(extendChecksum(before, bytes.subarray(0, CHECKED_OF_FRAME_HEADER), isBig), page, isBig),
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

/** Continues a checksum with these bytes, whose number is a multiple of eight. */
function extendChecksum([first, second]: Checksum, bytes: Buffer, isBig: boolean): Checksum {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let [s0, s1] = [first | 0, second | 0];
  for (let at = 0; at < bytes.length; at += 8) {
    s0 = (s0 + words.getUint32(at, !isBig) + s1) | 0;
    s1 = (s1 + words.getUint32(at + 4, !isBig) + s0) | 0;
  }
  return [s0 >>> 0, s1 >>> 0];
}
