/**
 * A strict RFC 8259 scanner over the bytes of a request body.
 * Secrets it may hold: a view of the body (the caller zeroes it) and no copy; `secret()` hands its copy to the caller,
 * who zeroes it. Strings of JavaScript are made by `text()` and `scalarText()` alone, for what is not secret.
 */
import { isUtf8 } from 'node:buffer';
import { BodyError, quoteName } from '../errors/request-error.ts';
import { escapeLength, findSpecial, readEscape, utf8Length, writeUtf8 } from './escapes.ts';
import { allocateSecret, type SecretBytes } from './secret-bytes.ts';

const MAX_DEPTH = 64;
/** Refused as the name of a member: some readers of JSON take it for the object's prototype. */
export const FORBIDDEN_MEMBER = '__proto__';

export const QUOTE = 0x22;
export const OPEN_BRACKET = 0x5b;
export const OPEN_BRACE = 0x7b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const CLOSE_BRACE = 0x7d;
const COMMA = 0x2c;
const COLON = 0x3a;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const LOWER_E = 0x65;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

const WORDS: ReadonlyMap<number, Buffer> = new Map(
  ['true', 'false', 'null'].map((word) => [word.charCodeAt(0), Buffer.from(word)]),
);

/** Where a string's content or a scalar lies in the body; `size` is its length in UTF-8 bytes once unescaped. */
interface Span {
  readonly start: number;
  readonly end: number;
  readonly size: number;
}

export class JsonScanner {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #at = 0;
  #depth = 0;

  /** Checks the encoding of the whole body, so that no later step meets invalid UTF-8. */
  constructor(body: Uint8Array) {
    this.#bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    this.#view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    if (!isUtf8(this.#bytes)) throw new BodyError('the body is not valid UTF-8');
    if (this.#bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)) {
      throw new BodyError('the body must not start with a byte order mark');
    }
  }

  /** The next byte that is no whitespace (section 2), not consumed; -1 at the end. */
  peek(): number {
    let byte = this.#bytes[this.#at];
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = this.#bytes[++this.#at];
    return byte ?? -1;
  }

  end(): void {
    if (this.peek() !== -1) this.#fail();
  }

  /** An object (section 4). `visit` must consume the member's value. */
  members(visit: (name: string) => void): void {
    this.#enter();
    const seen = new Set<string>();
    if (!this.#accept(CLOSE_BRACE)) {
      do {
        const name = this.#memberName(seen);
        this.#expect(COLON);
        visit(name);
      } while (this.#accept(COMMA));
      this.#expect(CLOSE_BRACE);
    }
    this.#depth--;
  }

  /** An array (section 5). `visit` must consume the item. */
  items(visit: () => void): void {
    this.#enter();
    if (!this.#accept(CLOSE_BRACKET)) {
      do visit();
      while (this.#accept(COMMA));
      this.#expect(CLOSE_BRACKET);
    }
    this.#depth--;
  }

  /** A string that is not secret. */
  text(): string {
    const span = this.#string();
    if (span.size === span.end - span.start) return this.#bytes.toString('utf8', span.start, span.end);
    return Buffer.from(this.#unescape(span, new Uint8Array(span.size)).buffer).toString();
  }

  /** A string's content as bytes, in memory of its own that the caller zeroes. */
  secret(): SecretBytes {
    const span = this.#string();
    const secret = allocateSecret(span.size);
    if (span.size < span.end - span.start) return this.#unescape(span, secret);
    secret.set(this.#bytes.subarray(span.start, span.end));
    return secret;
  }

  /** A number, true, false or null, as it is written. */
  scalarText(): string {
    const start = this.#at;
    this.skipScalar();
    return this.#bytes.toString('latin1', start, this.#at);
  }

  /** A number, true, false or null, read over. */
  skipScalar(): void {
    const word = WORDS.get(this.peek());
    if (word === undefined) this.#number();
    else if (this.#bytes.subarray(this.#at, this.#at + word.length).equals(word)) this.#at += word.length;
    else this.#fail();
  }

  #fail(at = this.#at): never {
    throw new BodyError(`the body is not valid JSON (at byte ${at})`);
  }

  #accept(byte: number): boolean {
    if (this.peek() !== byte) return false;
    this.#at++;
    return true;
  }

  #expect(byte: number): void {
    if (!this.#accept(byte)) this.#fail();
  }

  /** Past an opening bracket. The limit bounds our own recursion, too. */
  #enter(): void {
    if (++this.#depth > MAX_DEPTH) throw new BodyError(`the body is nested deeper than ${MAX_DEPTH} levels`);
    this.#at++;
  }

  /** Duplicates are compared unescaped: which one counts is left open by section 4, so neither may. */
  #memberName(seen: Set<string>): string {
    if (this.peek() !== QUOTE) this.#fail();
    const name = this.text();
    if (seen.has(name)) throw new BodyError(`member ${quoteName(name)} is given twice`);
    if (name === FORBIDDEN_MEMBER)
      throw new BodyError(`a member must not be named ${quoteName(FORBIDDEN_MEMBER)}`);
    seen.add(name);
    return name;
  }

  /** A string (section 7), checked and measured in one pass, so that a copy is made once and in its exact size. */
  #string(): Span {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    let at = findSpecial(bytes, this.#view, start, bytes.length);
    let saved = 0;
    while (bytes[at] !== QUOTE) {
      const codePoint = bytes[at] === BACKSLASH ? readEscape(bytes, at) : -1;
      if (codePoint < 0) this.#fail(at);
      const written = escapeLength(bytes, at, codePoint);
      saved += written - utf8Length(codePoint);
      at = findSpecial(bytes, this.#view, at + written, bytes.length);
    }
    this.#at = at + 1;
    return { start, end: at, size: at - start - saved };
  }

  #unescape<Target extends Uint8Array>(span: Span, target: Target): Target {
    const bytes = this.#bytes;
    let to = 0;
    for (let at = span.start; at < span.end; ) {
      const byte = bytes[at] as number;
      if (byte === BACKSLASH) {
        const codePoint = readEscape(bytes, at);
        at += escapeLength(bytes, at, codePoint);
        to = writeUtf8(codePoint, target, to);
      } else {
        target[to++] = byte;
        at++;
      }
    }
    return target;
  }

  /** A number (section 6). */
  #number(): void {
    if (this.#bytes[this.#at] === MINUS) this.#at++;
    if (this.#bytes[this.#at] === ZERO) this.#at++;
    else this.#digits();
    if (this.#bytes[this.#at] === DOT) {
      this.#at++;
      this.#digits();
    }
    if (((this.#bytes[this.#at] ?? 0) | 0x20) !== LOWER_E) return;
    const sign = this.#bytes[++this.#at];
    if (sign === PLUS || sign === MINUS) this.#at++;
    this.#digits();
  }

  #digits(): void {
    const start = this.#at;
    for (;;) {
      const byte = this.#bytes[this.#at] ?? 0;
      if (byte < ZERO || byte > NINE) break;
      this.#at++;
    }
    if (this.#at === start) this.#fail();
  }
}
