/**
 * How other programs read a value of a dotenv file. They follow no common specification: one knows no escapes,
 * another expands `$` even in single quotes. `formatDotenv` chooses the spelling that most of them read alike, and
 * test/dotenv-readers.ts compares this table with the programs themselves.
 *
 * It holds for what `formatDotenv` tries: no `'` in single quotes, a backslash before each `"` in double quotes, and
 * no carriage return but as `\r`.
 */

/** Returns what is read of the text between the quotes; null if the reader loses the lines that follow as well. */
type ReadValue = (text: string) => string | null;

export type Quotes = 'none' | 'single' | 'double';

export interface DotenvReader extends Readonly<Record<Quotes, ReadValue>> {
  readonly name: string;
}

/** Stands for a value that the reader expands into another. No variable's value has a NUL, so it equals none. */
const EXPANDED = '\0';

const CONTROLS: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Replaces the escapes of these letters. Before any other letter the backslash stays. */
function unescapeLetters(text: string, letters: string): string {
  return text.replaceAll(/\\(.)/gsu, (all, letter: string) =>
    letters.includes(letter) ? (CONTROLS[letter] ?? letter) : all,
  );
}

/** For readers to which `\` before the closing quote always escapes it, even if that backslash is itself escaped. */
function unlessItEndsInBackslash(read: ReadValue): ReadValue {
  return (text) => (text.endsWith('\\') ? null : read(text));
}

const readAsIs = (text: string) => text;

/** For readers to which, outside quotes, `\` is an escape, and at the end of a line a continuation. */
function readUnquoted(text: string): string | null {
  if (text.endsWith('\\')) return null;
  return text.includes('\\') ? EXPANDED : text;
}

const NODE: DotenvReader = {
  name: 'Node',
  none: readAsIs,
  single: readAsIs,
  double: (text) => (text.includes('"') ? null : text.replaceAll('\\n', '\n')),
};

const NPM: DotenvReader = {
  name: "npm's dotenv",
  none: readAsIs,
  single: unlessItEndsInBackslash(readAsIs),
  double: unlessItEndsInBackslash((text) => text.replaceAll('\\n', '\n').replaceAll('\\r', '\r')),
};

/** Only up to the last `}`: behind it the search for one would begin at each `${`, and take for ever. */
const expandPython = (text: string) =>
  /\$\{[^}:]*(?::-[^}]*)?\}/.test(text.slice(0, text.lastIndexOf('}') + 1)) ? EXPANDED : text;

const PYTHON: DotenvReader = {
  name: 'python-dotenv',
  none: readAsIs,
  single: unlessItEndsInBackslash((text) => expandPython(unescapeLetters(text, "\\'"))),
  double: unlessItEndsInBackslash((text) => expandPython(unescapeLetters(text, '\\\'"abfnrtv'))),
};

/** Taken to read no spelling of a newline, because that depends on its version. */
const RUBY: DotenvReader = {
  name: 'ruby-dotenv',
  // Version 2 takes a backslash as it is, version 3 takes it away.
  none: (text) => (text.includes('\\') ? EXPANDED : text),
  single: unlessItEndsInBackslash((text) => (text.includes('\n') ? null : text)),
  double: unlessItEndsInBackslash((text) => {
    if (text.includes('\n')) return null;
    if (/\\[nr]|\$\(/.test(text)) return EXPANDED;
    const unescaped = text.replaceAll(/\\([^$])/gu, '$1');
    return /(?<!\\)\$(?:[\w{ſ\u212a])/.test(unescaped) ? EXPANDED : unescaped.replaceAll('\\$', '$');
  }),
};

const GODOTENV: DotenvReader = {
  name: 'godotenv',
  none: readAsIs,
  single: unlessItEndsInBackslash(readAsIs),
  double: unlessItEndsInBackslash((text) => {
    // It takes quotes away from the end until there is none.
    const unescaped = unescapeLetters(text.replace(/"+$/, ''), 'nr').replaceAll(/\\([^$])/gu, '$1');
    return /(?<!\\)\$\(?\{?[A-Z0-9_]/.test(unescaped) ? EXPANDED : unescaped.replaceAll('\\$', '$');
  }),
};

const COMPOSE: DotenvReader = {
  name: 'Docker Compose',
  none: readAsIs,
  single: (text) => (/(?<!\\)(?:\\\\)*\\$/.test(text) ? null : text),
  double(text) {
    const quoted = text.replaceAll(/\\(.)/gsu, (all, letter) => (letter === '"' ? '"' : all));
    if (/(?<!\\)(?:\\\\)*\\0/.test(quoted)) return EXPANDED;
    const doubled = quoted.replaceAll(/\\([abfnrtv$"\\])/g, (_all, letter: string) =>
      letter === '$' ? '$$' : (CONTROLS[letter] ?? letter),
    );
    const variable = /\$(?:[a-z_{ſ\u212a])/i.exec(doubled.replaceAll('$$', ''))?.[0];
    if (variable !== undefined) return variable === '${' ? null : EXPANDED;
    return doubled.replaceAll('$$', () => '$');
  },
};

/**
 * Whether a shell that sources it would put something else in the place of a part, or even run a program for it. Before
 * some control characters bash takes a `$` amiss.
 */
export function isExpandedByShells(doubleQuoted: string): boolean {
  return /`|\\\n|\$(?:[\w{([@*#?$!-]|[^\P{Cc}\t\n])/u.test(doubleQuoted.replaceAll(/\\[\\$`"]/g, ' '));
}

const SHELLS: DotenvReader = {
  name: 'bash and dash',
  none: readUnquoted,
  single: readAsIs,
  double: (text) => (isExpandedByShells(text) ? EXPANDED : unescapeLetters(text, '$`"\\')),
};

function expandSystemd(text: string): string {
  const brace = text.indexOf('${');
  const hasBraces = brace !== -1 && text.includes('}', brace);
  return hasBraces || /\$[\w$]/.test(text) ? EXPANDED : text;
}

const SYSTEMD: DotenvReader = {
  name: "systemd's environment.d",
  none: readUnquoted,
  single: expandSystemd,
  double: (text) =>
    /(?<!\\)(?:\\\\)*\\\n/.test(text) ? EXPANDED : expandSystemd(unescapeLetters(text, '$`"\\')),
};

export const DOTENV_READERS: readonly DotenvReader[] = [
  NPM,
  NODE,
  PYTHON,
  RUBY,
  GODOTENV,
  COMPOSE,
  SHELLS,
  SYSTEMD,
];
