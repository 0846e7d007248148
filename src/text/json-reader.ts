/**
 * JSON read from the left to the right (RFC 8259), where JSON.parse would lose what an import must not: that a member
 * is given twice, and how a number was written. What it complains of it places by line and column, and never quotes.
 */

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PLAIN = 0x20;
/** Levels of nesting. Deeper JSON would exhaust the stack; metadata has far fewer. */
const MAX_DEPTH = 500;

const WHITE_SPACE = /[ \t\n\r]*/y;
const SCALAR = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'word' | 'other';

/** `message` says what is wrong and where. */
export class JsonReadError extends Error {
  override readonly name = 'JsonReadError';
}

export class JsonReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  /** The line of `#countedTo`: there may be a hundred thousand to tell. */
  #line = 1;
  #countedTo = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Offset at which the next value begins, for `lineOf`. */
  get position(): number {
    this.#skipSpace();
    return this.#at;
  }

  /** Counted from 1. */
  lineOf(position: number): number {
    if (position < this.#countedTo) [this.#line, this.#countedTo] = [1, 0];
    for (; this.#countedTo < position; this.#countedTo++) {
      if (this.#text.charCodeAt(this.#countedTo) === NEWLINE) this.#line += 1;
    }
    return this.#line;
  }

  /** Returns the kind of the next value. */
  peek(): JsonKind {
    this.#skipSpace();
    const next = this.#text[this.#at] ?? '';
    if (next === '{') return 'object';
    if (next === '[') return 'array';
    if (next === '"') return 'string';
    if (next === '-' || (next >= '0' && next <= '9')) return 'number';
    return next === 't' || next === 'f' || next === 'n' ? 'word' : 'other';
  }

  /**
   * Calls `visit` at each member's value, which it must read, with where its name starts. Throws JsonReadError for a name
   * given twice.
   */
  members(visit: (name: string, start: number) => void): void {
    const seen = new Set<string>();
    this.#list('{', '}', () => {
      const start = this.#at;
      if (this.peek() !== 'string') throw this.fail("a member's name is expected");
      const name = this.string();
      if (seen.has(name)) throw this.fail('a member is given twice', start);
      seen.add(name);
      this.#expect(':');
      visit(name, start);
    });
  }

  /** Calls `visit` at each item, which it must read. */
  items(visit: () => void): void {
    this.#list('[', ']', visit);
  }

  string(): string {
    const raw = this.#rawString();
    return raw.includes('\\') ? JSON.parse(raw) : raw.slice(1, -1);
  }

  /** Any value as it was written. */
  raw(): string {
    this.#skipSpace();
    const start = this.#at;
    const kind = this.peek();
    if (kind === 'object') this.members(() => this.raw());
    else if (kind === 'array') this.items(() => this.raw());
    else if (kind === 'string') this.#rawString();
    else this.#rawScalar();
    return this.#text.slice(start, this.#at);
  }

  /** Whether nothing follows but white space. */
  get isAtEnd(): boolean {
    this.#skipSpace();
    return this.#at === this.#text.length;
  }

  /** Throws JsonReadError unless nothing follows. */
  end(): void {
    if (!this.isAtEnd) throw this.fail('text follows the JSON value');
  }

  /** An error that says where the reader is, or `at`. */
  fail(problem: string, at = this.#at): JsonReadError {
    const column = at - this.#text.lastIndexOf('\n', at - 1);
    return new JsonReadError(`line ${this.lineOf(at)}, column ${column}: ${problem}`);
  }

  #list(open: string, close: string, visit: () => void): void {
    this.#expect(open);
    if (++this.#depth > MAX_DEPTH) throw this.fail('this is nested too deeply');
    if (!this.#take(close)) {
      do {
        this.#skipSpace();
        visit();
      } while (this.#take(','));
      this.#expect(close);
    }
    this.#depth -= 1;
  }

  #rawString(): string {
    this.#skipSpace();
    const start = this.#at;
    this.#expect('"');
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === QUOTE) break;
      if (code === BACKSLASH) this.#match(ESCAPE, 'an escape that JSON does not have');
      else if (code >= FIRST_PLAIN) this.#at += 1;
      else throw this.fail(code < FIRST_PLAIN ? 'a control character in a string' : 'a string does not end');
    }
    this.#at += 1;
    return this.#text.slice(start, this.#at);
  }

  #rawScalar(): void {
    this.#match(SCALAR, 'a JSON value is expected');
  }

  #match(pattern: RegExp, otherwise: string): void {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) throw this.fail(otherwise);
    this.#at = pattern.lastIndex;
  }

  #take(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #expect(character: string): void {
    if (this.#take(character)) return;
    throw this.fail(this.#at < this.#text.length ? `${character} is expected` : 'the text ends too early');
  }

  #skipSpace(): void {
    const code = this.#text.charCodeAt(this.#at);
    if (code > FIRST_PLAIN) return;
    WHITE_SPACE.lastIndex = this.#at;
    WHITE_SPACE.test(this.#text);
    this.#at = WHITE_SPACE.lastIndex;
  }
}
