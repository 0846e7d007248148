/**
 * The dotenv format, which has no specification: what its usual readers agree on. `NAME=value`, `export` before it,
 * comments; in '…' and `…` all is literal, in "…" a backslash escapes; quoted values may have several lines. Nothing is
 * expanded. Malformed lines are errors that give the line's number and never its content.
 */
import { usageError } from './failure.ts';
import { VARIABLE_NAME } from './variables.ts';

export interface Assignment {
  readonly name: string;
  readonly value: string;
  /** From 1. */
  readonly line: number;
}

const BLANK = /[^\S\n]*(?:#[^\n]*)?(?:\n|$)/y;
const NAME = /[^\S\n]*(?:export[^\S\n]+)?([^\s=#]+)[^\S\n]*=[^\S\n]*/y;
const QUOTED = /'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|`([^`]*)`/y;
/** A `#` belongs to the value unless there is white space before it. */
const PLAIN = /(?!['"`])(?:(?!\s#)[^\n])*/y;

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/** `path` is said in errors. Throws CliError. */
export function parseDotenv(path: string, text: string): Assignment[] {
  const reader = new Reader(text.replace(/^\ufeff/, ''));
  const assignments: Assignment[] = [];
  while (!reader.isAtEnd) {
    if (reader.take(BLANK) !== null) continue;
    const line = reader.line;
    const assignment = readAssignment(reader);
    if (assignment === null)
      throw usageError(
        `${path}, line ${line}: not an assignment such as NAME=value, NAME='value' or NAME="value"`,
      );
    if (assignment.value.includes('\0')) throw usageError(`${path}, line ${line}: the value has a NUL byte`);
    assignments.push({ ...assignment, line });
  }
  return assignments;
}

/** null where it is malformed. */
function readAssignment(reader: Reader): Omit<Assignment, 'line'> | null {
  const name = reader.take(NAME)?.[1];
  if (name === undefined || !VARIABLE_NAME.test(name)) return null;
  const quoted = reader.take(QUOTED);
  const value =
    quoted === null
      ? reader.take(PLAIN)?.[0].trimEnd()
      : (quoted[1] ?? quoted[3] ?? unescapeText(quoted[2] ?? ''));
  return value !== undefined && reader.take(BLANK) !== null ? { name, value } : null;
}

function unescapeText(text: string): string {
  return text.replaceAll(/\\([nrt"\\$`])/g, (_all, letter: string) => ESCAPES[letter] ?? letter);
}

class Reader {
  readonly #text: string;
  #at = 0;
  /** The line of `#countedTo`: a file may have a hundred thousand. */
  #line = 1;
  #countedTo = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  get line(): number {
    for (; this.#countedTo < this.#at; this.#countedTo++) {
      if (this.#text[this.#countedTo] === '\n') this.#line += 1;
    }
    return this.#line;
  }

  /** What the pattern (a sticky one) finds here; null, and nothing is taken, where it finds nothing. */
  take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#at = pattern.lastIndex;
    return found;
  }
}

/** One line, or several where the value has newlines; single quotes, in which all readers agree, wherever they can be. */
export function formatDotenv(name: string, value: string): string {
  if (!/['\r]/.test(value)) return `${name}='${value}'`;
  const escaped = value
    .replaceAll(/[\\"$`]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
  return `${name}="${escaped}"`;
}
