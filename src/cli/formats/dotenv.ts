/**
 * The dotenv format, which has no specification: what its usual readers agree on. `NAME=value`, `export` before it,
 * comments; in '…' and `…` all is literal, in "…" a backslash escapes; quoted values may have several lines. Nothing is
 * expanded. Malformed lines are errors that give the line's number and never its content.
 */
import { usageError } from '../run/failure.ts';
import { VARIABLE_NAME } from './shell-quote.ts';

export interface Assignment {
  readonly name: string;
  readonly value: string;
  /** Counted from 1. */
  readonly line: number;
  /** The variables, `$NAME` or `${NAME}`, that another reader would put a value in the place of. */
  readonly mentions: readonly string[];
}

/** Ends of lines besides LF. Each becomes LF, inside quotes too. */
const OTHER_LINE_ENDS = /\r\n?/g;
const BLANK = /[^\S\n]*(?:#[^\n]*)?(?:\n|$)/y;
const NAME = /[^\S\n]*(?:export[^\S\n]+)?([^\s=#]+)[^\S\n]*=/y;
/** `export NAME` of a line that a shell would source: it assigns nothing. */
const BARE_EXPORT = /[^\S\n]*export((?:[^\S\n]+[A-Za-z_][A-Za-z0-9_]*)+)[^\S\n]*(?:[^\S\n]#[^\n]*)?(?:\n|$)/y;
const QUOTED = /[^\S\n]*(?:'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|`([^`]*)`)/y;
/** A `#` belongs to the value unless there is white space before it, be it all that there is. */
const PLAIN = /(?![^\S\n]*['"`])(?:(?![ \t]#)[^\n])*/y;
const MENTION = /\\[\s\S]|\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g;

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/** Errors name `path`. An error on the first assignment ends with `ifForeign`: the file may have another format. Throws CliError. */
export function parseDotenv(path: string, text: string, ifForeign = ''): Assignment[] {
  const reader = new Reader(text.replace(/^\ufeff/, '').replaceAll(OTHER_LINE_ENDS, '\n'));
  const assignments: Assignment[] = [];
  while (!reader.isAtEnd) {
    if (reader.take(BLANK) !== null || reader.take(BARE_EXPORT) !== null) continue;
    const line = reader.line;
    const assignment = readAssignment(reader);
    if (typeof assignment === 'string')
      throw usageError(`${path}, line ${line}: ${assignment}${assignments.length === 0 ? ifForeign : ''}`);
    if (assignment.value.includes('\0')) throw usageError(`${path}, line ${line}: the value has a NUL byte`);
    assignments.push({ ...assignment, line });
  }
  return assignments;
}

/** Returns what is wrong if the assignment is malformed. */
function readAssignment(reader: Reader): Omit<Assignment, 'line'> | string {
  const name = reader.take(NAME)?.[1];
  if (name === undefined) return `not an assignment such as NAME=value, NAME='value' or NAME="value"`;
  if (!VARIABLE_NAME.test(name))
    return "a variable's name has ASCII letters, digits and underscores, and no digit first";
  const value = readValue(reader);
  if (value === null) return 'the quotes around the value do not end';
  return reader.take(BLANK) === null ? 'text follows the closing quote' : { name, ...value };
}

/** Returns null if the quotes do not end. */
function readValue(reader: Reader): Pick<Assignment, 'value' | 'mentions'> | null {
  const quoted = reader.take(QUOTED);
  if (quoted === null) {
    const plain = reader.take(PLAIN)?.[0].trim();
    return plain === undefined ? null : { value: plain, mentions: findMentions(plain) };
  }
  const [, single, double = '', backtick] = quoted;
  const literal = single ?? backtick;
  if (literal !== undefined) return { value: literal, mentions: [] };
  return { value: unescapeText(double), mentions: findMentions(double) };
}

function unescapeText(text: string): string {
  return text.replaceAll(/\\([nrt"\\$`])/g, (_all, letter: string) => ESCAPES[letter] ?? letter);
}

function findMentions(text: string): string[] {
  if (!text.includes('$')) return [];
  return [...text.matchAll(MENTION)].flatMap(([, braced, bare]) => braced ?? bare ?? []);
}

/**
 * Returns a note on values that mention another variable of the file, which some readers would expand; null if there are
 * none.
 */
export function describeMentions(path: string, assignments: readonly Assignment[]): string | null {
  const names = new Set(assignments.map(({ name }) => name));
  const first = assignments.find(({ mentions }) => mentions.some((name) => names.has(name)));
  if (first === undefined) return null;
  const mentioned = first.mentions.find((name) => names.has(name));
  const others = assignments.filter(
    (one) => one !== first && one.mentions.some((name) => names.has(name)),
  ).length;
  const rest = others === 0 ? '' : ` and in ${others} more ${others === 1 ? 'variable' : 'variables'}`;
  return `Note: $${mentioned} in ${first.name} (${path}, line ${first.line})${rest} stays text: mav expands no variables.`;
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

  /** Takes what the pattern, a sticky one, matches here. Returns null, and takes nothing, if it does not match. */
  take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#at = pattern.lastIndex;
    return found;
  }
}
