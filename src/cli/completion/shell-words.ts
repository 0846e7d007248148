/**
 * Words as shells write them. A name of a secret may have any character in it, so that what is put on a command line must
 * be quoted in the shell's own way: unquoted, `$(…)` in a name would be run.
 */
import { escapeSingleQuotes } from '../formats/shell-quote.ts';

/** A word of a half-typed command line. */
export interface Word {
  /** As it was typed. */
  readonly raw: string;
  /** Without its quoting. */
  readonly value: string;
  /** The quote that is still open at its end. */
  readonly quote: '' | "'" | '"';
  /** How much of `raw` and of `value` readline takes for words of their own: up to the last of its word breaks. */
  readonly fixed: { readonly raw: number; readonly value: number };
}

const EMPTY: Word = { raw: '', value: '', quote: '', fixed: { raw: 0, value: 0 } };

/** The words of a line for a POSIX shell; the last one is that under the cursor, and may be empty. */
export function splitLine(line: string, wordBreaks: string): Word[] {
  const words: Word[] = [];
  let word: Word | null = null;
  // An escaped character goes with its backslash.
  for (const [part] of line.matchAll(/\\?[\s\S]/gu)) {
    const { quote }: Word = word ?? EMPTY;
    if (quote !== '' || !/^\s$/.test(part)) word = extendWord(word ?? EMPTY, part, wordBreaks);
    else if (word !== null) {
      words.push(word);
      word = null;
    }
  }
  return [...words, word ?? EMPTY];
}

/** `part`: a character, with a backslash before it or without. */
function extendWord(word: Word, part: string, wordBreaks: string): Word {
  const { raw, value, quote, fixed } = word;
  const next = { ...word, raw: raw + part };
  if (part.startsWith('\\') && part.length > 1) return extendEscaped(word, part, wordBreaks);
  if (part === quote) return { ...next, quote: '' };
  if (quote === '' && (part === "'" || part === '"'))
    return { ...next, quote: part, fixed: { raw: next.raw.length, value: value.length } };
  const isBreak = quote === '' && wordBreaks.includes(part);
  const whole = { ...next, value: value + part };
  return { ...whole, fixed: isBreak ? { raw: whole.raw.length, value: whole.value.length } : fixed };
}

/** If the backslash escapes nothing, it stands for itself, and the character behind it may end the quote. */
function extendEscaped(word: Word, part: string, wordBreaks: string): Word {
  const escaped = part.slice(1);
  if (isEscape(word.quote, escaped)) return { ...word, raw: word.raw + part, value: word.value + escaped };
  const slashed = { ...word, raw: `${word.raw}\\`, value: `${word.value}\\` };
  return extendWord(slashed, escaped, wordBreaks);
}

/** In double quotes a backslash stands for itself, unless it is before a character that is special there. */
function isEscape(quote: Word['quote'], next: string): boolean {
  return quote === '' || (quote === '"' && '$`"\\'.includes(next));
}

/** Returns the text for readline, which replaces only the part that it takes for the word under the cursor. */
export function quoteForBash(value: string, { quote, fixed }: Word): string {
  const text = value.slice(fixed.value);
  if (quote === "'") return escapeSingleQuotes(text);
  if (quote === '"') return text.replaceAll(/[$`"\\]/g, '\\$&');
  return text.replaceAll(/[^\p{L}\p{N}_%+=:,./@-]/gu, '\\$&');
}

/** A word of PowerShell: bare if it means nothing there, else in single quotes. */
export function quoteForPowerShell(value: string): string {
  return /^[\p{L}\p{N}_./:=+-]+$/u.test(value) ? value : `'${value.replaceAll(/['‘’‚‛]/g, '$&$&')}'`;
}
