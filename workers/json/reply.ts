/**
 * Builds response bodies as bytes: a secret is decrypted into this memory, is made JSON in place, and never becomes a
 * string. Holds the responses of one batch, plaintext included, until `take` hands the memory on (the receiver zeroes it) or
 * `wipe` zeroes it. Bytes that are truncated, and memory that is outgrown, are zeroed at once.
 */
import { isUtf8 } from 'node:buffer';
import { base64Length, spreadBase64 } from './base64.ts';
import { findSpecial } from './escapes.ts';
import { formatTime } from './times.ts';

/** 4 MiB. A list that has grown beyond this takes no further entry, because the whole reply lies in memory. */
export const MAX_REPLY_SIZE = 4_194_304;

/** Bytes. Above 64, so that the memory is never inside the V8 heap (see secret-bytes.ts). */
const MIN_CAPACITY = 4096;
/** Bytes. A smaller value is shown as text however many escapes it needs. */
const LARGE = 16_384;
/** 1 MiB. Up to this size the memory doubles. Above it, it grows by half, and the outgrown memory is freed at once. */
const DOUBLES_TO = 1_048_576;
/** Bytes. Reserved behind a secret, for the quote and the members that follow it. */
const SLACK = 1_024;
const EMPTY = Buffer.alloc(0);
const EMPTY_VIEW = new DataView(new ArrayBuffer(0));
const ZERO = 0x30;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
const HEX_DIGITS = Buffer.from('0123456789abcdef');
/** The letter after the backslash by the byte that is escaped (RFC 8259 section 7); 0 for a byte that is not. */
const ESCAPES = new Uint8Array(256).fill(LOWER_U, 0, 0x20);
for (const [code, letter] of Object.entries({
  8: 'b',
  9: 't',
  10: 'n',
  12: 'f',
  13: 'r',
  34: '"',
  92: '\\',
})) {
  ESCAPES[Number(code)] = letter.charCodeAt(0);
}
/** Bytes by which each byte grows in a JSON string. */
const GROWTH = ESCAPES.map((letter) => (letter === 0 ? 0 : letter === LOWER_U ? 5 : 1));

export class ReplyBuffer {
  #buffer: Buffer<ArrayBuffer> = EMPTY;
  /** Over the memory of `#buffer`. */
  #view = EMPTY_VIEW;
  /** Bytes written so far. Only this class changes it. */
  length = 0;
  #firstCapacity: number;

  /** `expected`: about how many bytes will be written. A buffer that has to grow copies all that it has. */
  constructor(expected = 0) {
    this.#firstCapacity = Math.max(MIN_CAPACITY, expected);
  }

  /** Makes room for `bytes` more bytes at once. */
  expect(bytes: number): void {
    this.#reserve(bytes);
  }

  /** Keeps the first `to` bytes, zeroes and drops the rest. */
  truncate(to: number): void {
    if (!(to >= 0 && to <= this.length)) throw new RangeError('truncate beyond the written bytes');
    this.#buffer.fill(0, to, this.length);
    this.length = to;
  }

  /** Writes JSON of Latin-1 characters only. */
  ascii(text: string): void {
    this.#reserve(text.length);
    this.length += this.#buffer.write(text, this.length, 'latin1');
  }

  /** Writes JSON. */
  raw(text: string): void {
    this.#reserve(Buffer.byteLength(text));
    this.length += this.#buffer.write(text, this.length);
  }

  /** Writes a JSON string of a text that is not secret. */
  string(text: string): void {
    this.raw(JSON.stringify(text));
  }

  /** Writes a JSON string of a secret's UTF-8 bytes. */
  secret(bytes: Uint8Array): void {
    this.ascii('"');
    this.room(bytes.length).set(bytes);
    this.endText(bytes.length);
  }

  /**
   * Memory for the next `size` bytes, which count as written: the caller fills them with a secret, and goes on with
   * `endText` or `endBase64` where a JSON string was begun before. Good until something else is written.
   */
  room(size: number): Uint8Array<ArrayBuffer> {
    this.#reserve(size + SLACK);
    const room = new Uint8Array(this.#buffer.buffer, this.#buffer.byteOffset + this.length, size);
    this.length += size;
    return room;
  }

  /** Makes the last `size` bytes, which are UTF-8, the rest of a JSON string: escapes what must be, and ends it. */
  endText(size: number): void {
    const more = countEscapes(this.#buffer, this.#view, this.length - size, this.length);
    if (more > 0) this.#escape(size, more);
    this.ascii('"');
  }

  /** Makes the last `size` bytes the rest of a JSON string in base64, and ends it. */
  endBase64(size: number): void {
    const encoded = base64Length(size);
    this.#reserve(encoded - size);
    spreadBase64(this.#buffer, this.length - size, size);
    this.length += encoded - size;
    this.ascii('"');
  }

  /** Writes Latin-1 text in front of the last `size` bytes. */
  insert(text: string, size: number): void {
    this.#reserve(text.length);
    const at = this.length - size;
    // What is moved leaves as many bytes behind as the text then covers.
    this.#buffer.copyWithin(at + text.length, at, this.length);
    this.#buffer.write(text, at, 'latin1');
    this.length += text.length;
  }

  /** Writes a time in whole Unix seconds as a quoted RFC 3339 time. */
  time(unixSeconds: number): void {
    this.ascii(`"${formatTime(unixSeconds)}"`);
  }

  integer(value: number): void {
    if (!Number.isSafeInteger(value)) throw new RangeError('not an integer');
    this.ascii(String(value));
  }

  /** Returns the written bytes in memory of their own, which the caller transfers. This buffer is empty afterwards. */
  take(): Uint8Array<ArrayBuffer> {
    // EMPTY must not be transferred, because all reply buffers share it.
    if (this.length === 0) return new Uint8Array(0);
    const taken = new Uint8Array(this.#buffer.buffer, 0, this.length);
    this.#buffer = EMPTY;
    this.#view = EMPTY_VIEW;
    this.length = 0;
    return taken;
  }

  /** Zeroes and drops what was written, and keeps the memory. */
  wipe(): void {
    this.truncate(0);
  }

  /**
   * Escapes the last `size` bytes, which grow by `more`, in place: from the end on, so that every byte is read before
   * another is written there, and none of the plaintext is left between.
   */
  #escape(size: number, more: number): void {
    this.#reserve(more);
    const bytes = this.#buffer;
    let from = this.length;
    let to = from + more;
    this.length = to;
    // Where the two meet, all in front of them needs no escape.
    for (const start = from - size; from > start && to > from; ) {
      const byte = bytes[--from] as number;
      const letter = ESCAPES[byte] as number;
      if (letter === 0) {
        bytes[--to] = byte;
        continue;
      }
      if (letter === LOWER_U) {
        bytes[--to] = HEX_DIGITS[byte & 15] as number;
        bytes[--to] = HEX_DIGITS[byte >> 4] as number;
        bytes[--to] = ZERO;
        bytes[--to] = ZERO;
      }
      bytes[--to] = letter;
      bytes[--to] = BACKSLASH;
    }
  }

  /** Makes room for `size` more bytes. The outgrown memory holds plaintext and is zeroed. */
  #reserve(size: number): void {
    const needed = this.length + size;
    if (needed <= this.#buffer.length) return;
    const { length: before } = this.#buffer;
    const more = before <= DOUBLES_TO ? before : before >> 1;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#firstCapacity, needed, before + more));
    grown.set(this.#buffer.subarray(0, this.length));
    const outgrown = this.#buffer;
    outgrown.fill(0, 0, this.length);
    this.#buffer = grown;
    this.#view = new DataView(grown.buffer, grown.byteOffset, grown.length);
    // Large memory must not wait for the garbage collector. EMPTY, which all reply buffers share, is never that large.
    if (outgrown.length >= DOUBLES_TO) outgrown.buffer.transferToFixedLength(0);
  }
}

/**
 * Returns whether a value is written as a JSON string rather than base64. It must be UTF-8, and the string of a large value
 * at most twice as long as the value: so no reply is much larger than what is stored.
 */
export function isShownAsText(bytes: Uint8Array): boolean {
  if (!isUtf8(bytes)) return false;
  if (bytes.length <= LARGE) return true;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return countEscapes(bytes, view, 0, bytes.length) <= bytes.length;
}

/** Counts the bytes by which a JSON string of the bytes from `start` to `end` is longer than they are. */
function countEscapes(bytes: Uint8Array, view: DataView, start: number, end: number): number {
  let more = 0;
  for (let at = findSpecial(bytes, view, start, end); at < end; at = findSpecial(bytes, view, at + 1, end))
    more += GROWTH[bytes[at] as number] as number;
  return more;
}
