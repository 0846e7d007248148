/**
 * Dotenv files, read. There is no standard; this is the dialect of npm's dotenv, except where that would keep a secret
 * other than it was meant: what a shell or another reader takes differently is an error that names the line, and in
 * double quotes `\\`, `\"`, `\$` and `` \` `` are escapes as in a shell, so that any text can be written.
 */

const NAME = /(?:export[ \t]+)?([\w.-]+)[ \t]*(?:=|:(?=[ \t]))[ \t]*/y;
const BLANK = /[ \t]*(?:#[^\n]*)?(?:\r?\n|\r?$)/y;
const UNQUOTED = /[^\r\n]*/y;
const SPACE = /[ \t]*/y;

const ESCAPE = /\\([nr"\\$`])/g;
const ESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r' };

export interface Assignment {
  readonly name: string;
  readonly value: string;
  /** Where it begins, counted from 1. */
  readonly line: number;
}

/** `message` begins with the number of the line. */
export class DotenvError extends Error {
  override readonly name = 'DotenvError';
}

/** In the order of the file. Throws DotenvError. */
export function parseDotenv(text: string): Assignment[] {
  const reader = new DotenvReader(text);
  const assignments: Assignment[] = [];
  const lines = new Map<string, number>();
  for (let next = reader.next(); next !== null; next = reader.next()) {
    const earlier = lines.get(next.name);
    if (earlier !== undefined)
      throw new DotenvError(`line ${next.line}: ${next.name} is given on line ${earlier} already`);
    lines.set(next.name, next.line);
    assignments.push(next);
  }
  return assignments;
}

class DotenvReader {
  readonly #text: string;
  /** A file from Windows: there the end of a line inside of quotes is one too. Else bytes in quotes stay as they are. */
  readonly #hasWindowsLines: boolean;
  #at = 0;
  /** The line of `#countedTo`. */
  #line = 1;
  #countedTo = 0;

  constructor(text: string) {
    this.#text = text;
    this.#hasWindowsLines = text.includes('\r\n') && !/(^|[^\r])\n/.test(text);
  }

  /** Null at the end. */
  next(): Assignment | null {
    while (this.#at < this.#text.length && this.#match(BLANK) !== null);
    this.#match(SPACE);
    if (this.#at >= this.#text.length) return null;
    const line = this.#countLine();
    const name = this.#match(NAME)?.[1];
    if (name === undefined) throw this.#fail('this is no NAME=value');
    return { name, value: this.#readValue(), line };
  }

  #readValue(): string {
    const quote = this.#text[this.#at] ?? '';
    return ['"', "'", '`'].includes(quote) ? this.#readQuoted(quote) : this.#readUnquoted();
  }

  #readQuoted(quote: string): string {
    const start = this.#at + 1;
    const end = this.#findClosing(quote, start);
    if (end < 0) throw this.#fail('the quote does not end');
    this.#at = end + 1;
    const line = this.#countLine();
    if (this.#match(BLANK) === null) {
      const hint = quote === '"' ? '; write \\" for a quote in the value' : '';
      throw this.#fail(`text follows the closing quote${hint}`, line);
    }
    const content = this.#text.slice(start, end);
    const text = this.#hasWindowsLines ? content.replaceAll('\r\n', '\n') : content;
    return quote === '"' ? text.replace(ESCAPE, (_, letter) => ESCAPED[letter] ?? letter) : text;
  }

  /** Only in double quotes may a backslash keep a quote from ending the value. */
  #findClosing(quote: string, start: number): number {
    let end = this.#text.indexOf(quote, start);
    if (quote !== '"') return end;
    while (end >= 0 && this.#countBackslashes(start, end) % 2 === 1) end = this.#text.indexOf(quote, end + 1);
    return end;
  }

  #countBackslashes(start: number, end: number): number {
    let count = 0;
    while (end - count > start && this.#text[end - count - 1] === '\\') count += 1;
    return count;
  }

  #readUnquoted(): string {
    const rest = this.#match(UNQUOTED)?.[0] ?? '';
    const comment = rest.search(/(?:^|[ \t])#/);
    const text = comment < 0 ? rest : rest.slice(0, comment);
    // Some readers take it for a comment and some do not.
    if (text.includes('#') || (comment === 0 && !this.#isAfterSpace(rest)))
      throw this.#fail('a value with # in it needs quotes, and a comment a space before its #');
    this.#match(BLANK);
    return text.replace(/[ \t]+$/, '');
  }

  #isAfterSpace(rest: string): boolean {
    return /[ \t]/.test(this.#text[this.#at - rest.length - 1] ?? '');
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }

  #countLine(): number {
    for (; this.#countedTo < this.#at; this.#countedTo++) {
      if (this.#text.charCodeAt(this.#countedTo) === 0x0a) this.#line += 1;
    }
    return this.#line;
  }

  #fail(problem: string, line = this.#countLine()): DotenvError {
    return new DotenvError(`line ${line}: ${problem}`);
  }
}
