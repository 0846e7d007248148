/**
 * Variables as lines of a dotenv file. A plain value goes without quotes, which every reader takes; any other in the
 * quotes and with the escapes that most of them read as it is.
 */
import { DOTENV_READERS, isExpandedByShells, type Quotes } from './dotenv-readers.ts';

export interface DotenvLine {
  readonly name: string;
  /** Without the newline at its end; the value may have some of its own. */
  readonly text: string;
  /** The readers that read another value. */
  readonly differing: readonly string[];
  /** How many of these lose lines that follow. */
  readonly losing: number;
}

type Spelling = Omit<DotenvLine, 'name'>;

/** Characters that need no quotes in a shell, and the backslash, which needs none in the other readers. */
const UNQUOTED = /^[A-Za-z0-9_./+=:@%\\-]*$/;
const QUOTE: Readonly<Record<Quotes, string>> = { none: '', single: "'", double: '"' };
/** Characters that double quotes may hold with a backslash or without: readers disagree on which is right. */
const OPTIONAL_ESCAPES = ['\\', '$', '\n'];
/** Before one of these a backslash must be doubled, or it would be read as the beginning of an escape. */
const NEEDS_ESCAPE = /\\(?:["\\$`nrt\n\r]|$)/;
/** A note names no more. */
const MAX_NAMED = 20;

export function formatDotenv(name: string, value: string): DotenvLine {
  const { text, ...rest } = chooseSpelling(value);
  return { name, text: `${name}=${text}`, ...rest };
}

/** The lines of a file: those over which a reader may lose what follows come last. */
export function formatDotenvFile(
  variables: readonly Readonly<Record<'name' | 'value', string>>[],
): DotenvLine[] {
  return variables
    .map(({ name, value }) => formatDotenv(name, value))
    .sort((one, other) => one.losing - other.losing);
}

/** Notes for the user: which variables some readers read differently. They hold no value. */
export function describeDiffering(lines: readonly DotenvLine[]): string[] {
  const byReaders = new Map<string, string[]>();
  for (const { name, differing } of lines) {
    if (differing.length === 0) continue;
    const readers = differing.join(', ');
    byReaders.set(readers, [...(byReaders.get(readers) ?? []), name]);
  }
  return [...byReaders].map(([readers, names]) => {
    const more = names.length - MAX_NAMED;
    const named = `${names.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
    return `Note: no spelling suits every reader of dotenv files; ${readers} will not get ${named} right.`;
  });
}

/** Chooses the spelling that most readers read right; among equals, the one after which fewer readers lose lines. */
function chooseSpelling(value: string): Spelling {
  let best: Spelling | null = null;
  for (const [quotes, text] of spellValue(value)) {
    const spelling = judgeSpelling(value, quotes, text, best?.differing.length ?? DOTENV_READERS.length);
    if (spelling?.differing.length === 0) return spelling;
    if (spelling !== null && (best === null || rankSpelling(spelling) < rankSpelling(best))) best = spelling;
  }
  if (best === null) throw new Error('a value has no spelling');
  return best;
}

function rankSpelling({ differing, losing }: Spelling): number {
  return differing.length * (DOTENV_READERS.length + 1) + losing;
}

/** All spellings that `parseDotenv` reads back, and no shell takes for a program to run. */
function* spellValue(value: string): Generator<readonly [quotes: Quotes, text: string]> {
  if (UNQUOTED.test(value)) yield ['none', value];
  if (!/['\r]/.test(value)) yield ['single', value];
  const optional = OPTIONAL_ESCAPES.filter((character) => value.includes(character));
  for (let chosen = 0; chosen < 1 << optional.length; chosen++) {
    const escaped = optional.filter((_character, at) => chosen & (1 << at));
    if (!escaped.includes('\\') && NEEDS_ESCAPE.test(value)) continue;
    const text = escapeText(value, ['"', '`', '\r', ...escaped]);
    if (!isExpandedByShells(text)) yield ['double', text];
  }
}

function escapeText(value: string, characters: readonly string[]): string {
  return value.replaceAll(/[\\"$`\n\r]/g, (found) => {
    if (!characters.includes(found)) return found;
    return found === '\n' ? '\\n' : found === '\r' ? '\\r' : `\\${found}`;
  });
}

/** Returns null once more than `most` readers differ: a value may be long, and reading it takes time. */
function judgeSpelling(value: string, quotes: Quotes, text: string, most: number): Spelling | null {
  const differing: string[] = [];
  let losing = 0;
  for (const reader of DOTENV_READERS) {
    const read = reader[quotes](text);
    if (read === value) continue;
    differing.push(reader.name);
    if (read === null) losing += 1;
    if (differing.length > most) return null;
  }
  return { text: `${QUOTE[quotes]}${text}${QUOTE[quotes]}`, differing, losing };
}
