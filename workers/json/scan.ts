/**
 * A strict scanner of JSON (RFC 8259) over the bytes of a request body. Holds a view of the body, which the caller zeroes.
 * The caller also zeroes the copy that `secret()` returns. Only `text()` and `scalarText()` make JavaScript strings, so
 * they must not read a secret.
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

/** Where the content of a string lies in the body. `size` is its length in UTF-8 bytes without the escapes. */
interface Span {
  readonly start: number;
  readonly end: number;
  readonly size: number;
}

/** A longer list of names is searched more slowly than a set. */
const FEW_NAMES = 8;

/** The names of the members of one object. Nearly all objects have so few that a list takes less than a set. */
class MemberNames {
  readonly #few: string[] = [];
  #all: Set<string> | null = null;

  /** Returns false if the name is there already. */
  add(name: string): boolean {
    if (this.#all === null && this.#few.length < FEW_NAMES) {
      if (this.#few.includes(name)) return false;
      this.#few.push(name);
      return true;
    }
    this.#all ??= new Set(this.#few);
    const { size } = this.#all;
    return this.#all.add(name).size > size;
  }
}

export class JsonScanner {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #at = 0;
  #depth = 0;

  /** Throws BodyError unless the whole body is UTF-8, so that no later step has to check it. */
  constructor(body: Uint8Array) {
    this.#bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    this.#view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    if (!isUtf8(this.#bytes)) throw new BodyError('the body is not valid UTF-8');
    if (this.#bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)) {
      throw new BodyError('the body must not start with a byte order mark');
    }
  }

  /** Skips whitespace (section 2) and returns the next byte, which it does not consume; -1 at the end. */
  peek(): number {
    let byte = this.#bytes[this.#at];
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = this.#bytes[++this.#at];
    return byte ?? -1;
  }

  /** Offset in the body of what is read next. */
  get offset(): number {
    return this.#at;
  }

  /** Goes back to the beginning of a value that was read before. */
  goBackTo(offset: number): void {
    this.#at = offset;
  }

  /** Throws BodyError unless only whitespace is left. */
  end(): void {
    if (this.peek() !== -1) this.#fail();
  }

  /** Reads an object (section 4). `visit` must consume the member's value. */
  members(visit: (name: string) => void): void {
    this.#enter();
    const seen = new MemberNames();
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

  /** Reads an array (section 5). `visit` must consume the item. */
  items(visit: () => void): void {
    this.#enter();
    if (!this.#accept(CLOSE_BRACKET)) {
      do visit();
      while (this.#accept(COMMA));
      this.#expect(CLOSE_BRACKET);
    }
    this.#depth--;
  }

  /** Reads a string that is not secret. */
  text(): string {
    const span = this.#string();
    if (span.size === span.end - span.start) return this.#bytes.toString('utf8', span.start, span.end);
    return Buffer.from(this.#unescape(span, new Uint8Array(span.size)).buffer).toString();
  }

  /** Reads a string as bytes in memory of its own, which the caller zeroes. */
  secret(): SecretBytes {
    const span = this.#string();
    const secret = allocateSecret(span.size);
    if (span.size < span.end - span.start) return this.#unescape(span, secret);
    secret.set(this.#bytes.subarray(span.start, span.end));
    return secret;
  }

  /** Reads a number, true, false or null, and returns its text. */
  scalarText(): string {
    const start = this.#at;
    this.skipScalar();
    return this.#bytes.toString('latin1', start, this.#at);
  }

  /** Checks a value of any kind as reading it would, and keeps nothing of it. */
  skipValue(): void {
    const first = this.peek();
    if (first === OPEN_BRACE) this.members(() => this.skipValue());
    else if (first === OPEN_BRACKET) this.items(() => this.skipValue());
    else if (first === QUOTE) this.#string();
    else this.skipScalar();
  }

  /** Skips a number, true, false or null. */
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

  /** Consumes an opening bracket. The limit of the depth also bounds the recursion of the callers. */
  #enter(): void {
    if (++this.#depth > MAX_DEPTH) throw new BodyError(`the body is nested deeper than ${MAX_DEPTH} levels`);
    this.#at++;
  }

  /** Refuses a name that is given twice, however it is escaped: section 4 leaves open which of the two values counts. */
  #memberName(seen: MemberNames): string {
    if (this.peek() !== QUOTE) this.#fail();
    const name = this.text();
    if (!seen.add(name)) throw new BodyError(`member ${quoteName(name)} is given twice`);
    if (name === FORBIDDEN_MEMBER)
      throw new BodyError(`a member must not be named ${quoteName(FORBIDDEN_MEMBER)}`);
    return name;
  }

  /** Checks and measures a string (section 7) in one pass, so that its one copy has the exact size. */
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

  /** Skips a number (section 6). */
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
