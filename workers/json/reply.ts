/**
 * Response bodies, built as bytes: a secret goes from its buffer into this one and never becomes a string.
 * Secrets it may hold: the responses of one batch, plaintext included, until `take` hands the memory on (the receiver
 * zeroes it) or `wipe` zeroes it. What is truncated or outgrown is zeroed at once.
 */
import { base64Length, encodeBase64 } from './base64.ts';
import { findSpecial } from './escapes.ts';
import { formatTime } from './times.ts';

/** Above 64 bytes, so that the memory is never inside the V8 heap (see secret-bytes.ts). */
const MIN_CAPACITY = 4096;
/** Bytes; what is smaller is copied sooner than counted. */
const EXACT_FROM = 16_384;
/** 1 MiB: up to here the memory doubles; beyond, it grows by half, and what was outgrown goes back at once. */
const DOUBLES_TO = 1_048_576;
/** Shorter runs are copied byte by byte: a view of one costs more. */
const SHORT_RUN = 24;
const EMPTY = Buffer.alloc(0);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
const HEX_DIGITS = Buffer.from('0123456789abcdef');
/** RFC 8259 section 7: the letter behind the backslash, by the byte that is escaped. */
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
/** By how much each byte grows in a JSON string. */
const GROWTH = ESCAPES.map((letter) => (letter === 0 ? 0 : letter === LOWER_U ? 5 : 1));

export class ReplyBuffer {
  #buffer: Buffer<ArrayBuffer> = EMPTY;
  #length = 0;
  #firstCapacity: number;

  /** `expected`: how many bytes there will be, more or less; growing costs copies. */
  constructor(expected = 0) {
    this.#firstCapacity = Math.max(MIN_CAPACITY, expected);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Makes room for that many bytes more at once. */
  expect(bytes: number): void {
    this.#reserve(bytes);
  }

  /** Drops what was written after the first `to` bytes. */
  truncate(to: number): void {
    if (!(to >= 0 && to <= this.#length)) throw new RangeError('truncate beyond the written bytes');
    this.#buffer.fill(0, to, this.#length);
    this.#length = to;
  }

  /** JSON as it is, Latin-1 characters only. */
  ascii(text: string): void {
    this.#reserve(text.length);
    this.#length += this.#buffer.write(text, this.#length, 'latin1');
  }

  /** JSON as it is. */
  raw(text: string): void {
    this.#reserve(Buffer.byteLength(text));
    this.#length += this.#buffer.write(text, this.#length);
  }

  /** A JSON string of a text that is not secret. */
  string(text: string): void {
    this.raw(JSON.stringify(text));
  }

  /** A JSON string of a secret's UTF-8 bytes. */
  secret(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    // Of a large one exactly: growing on the way would take as much again, and that for zeroing too.
    const escaped = bytes.length > EXACT_FROM ? countEscapes(bytes, view) : 0;
    this.#reserve(bytes.length + escaped + 2);
    this.#byte(QUOTE);
    let start = 0;
    for (;;) {
      const at = findSpecial(bytes, view, start, bytes.length);
      this.#span(bytes, start, at);
      if (at === bytes.length) break;
      this.#escape(bytes[at] as number);
      start = at + 1;
    }
    this.#reserve(1);
    this.#byte(QUOTE);
  }

  /** A JSON string of a secret's bytes in base64. */
  base64(bytes: Uint8Array): void {
    this.#reserve(base64Length(bytes.length) + 2);
    this.#byte(QUOTE);
    this.#length = encodeBase64(bytes, this.#buffer, this.#length);
    this.#byte(QUOTE);
  }

  /** A secret's bytes as they are: all there is in this reply. */
  bytes(bytes: Uint8Array): void {
    this.#span(bytes, 0, bytes.length);
  }

  /** A time in whole Unix seconds as a quoted RFC 3339 time, UTC; the nearest one where its four-digit years end. */
  time(unixSeconds: number): void {
    this.ascii(`"${formatTime(unixSeconds)}"`);
  }

  integer(value: number): void {
    if (!Number.isSafeInteger(value)) throw new RangeError('not an integer');
    this.ascii(String(value));
  }

  /** The written bytes in memory of their own, to be transferred; this buffer starts anew. */
  take(): Uint8Array<ArrayBuffer> {
    // EMPTY stays here: transferring it would detach it for every other buffer.
    if (this.#length === 0) return new Uint8Array(0);
    const taken = new Uint8Array(this.#buffer.buffer, 0, this.#length);
    this.#buffer = EMPTY;
    this.#length = 0;
    return taken;
  }

  /** Zeroes what was written, keeps the memory. */
  wipe(): void {
    this.truncate(0);
  }

  #byte(byte: number): void {
    this.#buffer[this.#length++] = byte;
  }

  #span(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    if (end - start < SHORT_RUN) {
      for (let at = start; at < end; at++) this.#byte(bytes[at] as number);
      return;
    }
    this.#buffer.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), this.#length);
    this.#length += end - start;
  }

  #escape(byte: number): void {
    const letter = ESCAPES[byte] as number;
    this.#reserve(6);
    this.#byte(BACKSLASH);
    this.#byte(letter);
    if (letter !== LOWER_U) return;
    this.#byte(0x30);
    this.#byte(0x30);
    this.#byte(HEX_DIGITS[byte >> 4] as number);
    this.#byte(HEX_DIGITS[byte & 15] as number);
  }

  /** Makes room for `size` bytes more; the memory grown out of holds plaintext and is zeroed. */
  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#buffer.length) return;
    const { length: before } = this.#buffer;
    const more = before <= DOUBLES_TO ? before : before >> 1;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#firstCapacity, needed, before + more));
    grown.set(this.#buffer.subarray(0, this.#length));
    const outgrown = this.#buffer;
    outgrown.fill(0, 0, this.#length);
    this.#buffer = grown;
    // Not EMPTY, which is every buffer's; a large one must not wait for the garbage collector.
    if (outgrown.length >= DOUBLES_TO) outgrown.buffer.transferToFixedLength(0);
  }
}

/**
 * Whether a large value's JSON string would be more than twice as long as it is: base64 shows it then, so that no answer
 * is much larger than what is stored.
 */
export function growsInJson(bytes: Uint8Array): boolean {
  if (bytes.length <= EXACT_FROM) return false;
  return countEscapes(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length)) > bytes.length;
}

/** How many bytes more than themselves the bytes take in a JSON string. */
function countEscapes(bytes: Uint8Array, view: DataView): number {
  let more = 0;
  for (let at = findSpecial(bytes, view, 0, bytes.length); at < bytes.length; at++)
    more += GROWTH[bytes[at] as number] as number;
  return more;
}
