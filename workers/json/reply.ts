/**
 * Builds response bodies as bytes: a secret is copied from its buffer into this one and never becomes a string. Holds the
 * responses of one batch, plaintext included, until `take` hands the memory on (the receiver zeroes it) or `wipe` zeroes it.
 * Bytes that are truncated, and memory that is outgrown, are zeroed at once.
 */
import { isUtf8 } from 'node:buffer';
import { base64Length, encodeBase64 } from './base64.ts';
import { findSpecial } from './escapes.ts';
import { formatTime } from './times.ts';

/** 4 MiB. A list that has grown beyond this takes no further entry, because the whole reply lies in memory. */
export const MAX_REPLY_SIZE = 4_194_304;

/** Bytes. Above 64, so that the memory is never inside the V8 heap (see secret-bytes.ts). */
const MIN_CAPACITY = 4096;
/** Bytes. A value of more is measured, with its escapes, before it is copied; for a smaller one that would take longer. */
const EXACT_FROM = 16_384;
/** 1 MiB. Up to this size the memory doubles. Above it, it grows by half, and the outgrown memory is freed at once. */
const DOUBLES_TO = 1_048_576;
/** Bytes. Shorter runs are copied byte by byte, because making a view takes longer. */
const SHORT_RUN = 24;
const EMPTY = Buffer.alloc(0);
const QUOTE = 0x22;
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
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    // A large value gets its exact size: growing in the middle would take the memory twice and zero it once more.
    const escaped = bytes.length > EXACT_FROM ? countEscapes(bytes, view) : 0;
    this.#reserve(bytes.length + escaped + 2);
    this.#buffer[this.length++] = QUOTE;
    let start = 0;
    for (;;) {
      const at = findSpecial(bytes, view, start, bytes.length);
      this.#span(bytes, start, at);
      if (at === bytes.length) break;
      this.#escape(bytes[at] as number);
      start = at + 1;
    }
    this.#reserve(1);
    this.#buffer[this.length++] = QUOTE;
  }

  /** Writes a JSON string of a secret's bytes in base64. */
  base64(bytes: Uint8Array): void {
    this.#reserve(base64Length(bytes.length) + 2);
    this.#buffer[this.length++] = QUOTE;
    this.length = encodeBase64(bytes, this.#buffer, this.length);
    this.#buffer[this.length++] = QUOTE;
  }

  /** Writes a secret's bytes without JSON around them, for a reply that is nothing else. */
  bytes(bytes: Uint8Array): void {
    this.#span(bytes, 0, bytes.length);
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
    this.length = 0;
    return taken;
  }

  /** Zeroes and drops what was written, and keeps the memory. */
  wipe(): void {
    this.truncate(0);
  }

  #span(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    if (end - start < SHORT_RUN) {
      for (let at = start; at < end; at++) this.#buffer[this.length++] = bytes[at] as number;
      return;
    }
    this.#buffer.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), this.length);
    this.length += end - start;
  }

  #escape(byte: number): void {
    const letter = ESCAPES[byte] as number;
    this.#reserve(6);
    this.#buffer[this.length++] = BACKSLASH;
    this.#buffer[this.length++] = letter;
    if (letter !== LOWER_U) return;
    this.#buffer[this.length++] = 0x30;
    this.#buffer[this.length++] = 0x30;
    this.#buffer[this.length++] = HEX_DIGITS[byte >> 4] as number;
    this.#buffer[this.length++] = HEX_DIGITS[byte & 15] as number;
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
  if (bytes.length <= EXACT_FROM) return true;
  return countEscapes(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length)) <= bytes.length;
}

/** Counts the bytes by which a JSON string of these bytes is longer than they are. */
function countEscapes(bytes: Uint8Array, view: DataView): number {
  let more = 0;
  for (let at = findSpecial(bytes, view, 0, bytes.length); at < bytes.length; at++)
    more += GROWTH[bytes[at] as number] as number;
  return more;
}
