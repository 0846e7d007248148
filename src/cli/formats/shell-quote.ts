/**
 * Assignments that a shell evaluates, quoted so that any text comes out as it is. A value has no NUL, a name is one that
 * every shell takes.
 */
import { usageError } from '../run/failure.ts';

/** A variable's name that every shell takes. */
export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export const SHELLS = ['bash', 'fish', 'pwsh'] as const;
export type Shell = (typeof SHELLS)[number];

/** POSIX shells all quote alike. */
const ALIASES: Readonly<Record<string, Shell>> = {
  sh: 'bash',
  dash: 'bash',
  zsh: 'bash',
  powershell: 'pwsh',
};

/** Throws CliError for one that is not known. */
export function findShell(name: string): Shell {
  const shell =
    SHELLS.find((known) => known === name) ?? (Object.hasOwn(ALIASES, name) ? ALIASES[name] : null);
  if (!shell) throw usageError('--shell must be bash (for sh, dash and zsh too), fish or pwsh');
  return shell;
}

const FORMATS: Readonly<Record<Shell, (name: string, value: string) => string>> = {
  bash: (name, value) => `export ${name}=${quoteForPosix(value)}`,
  fish: formatForFish,
  pwsh: (name, value) => `$env:${name} = ${quoteForPowerShell(value)}`,
};

export function formatAssignment(shell: Shell, name: string, value: string): string {
  return FORMATS[shell](name, value);
}

/** A word that means itself in every shell and in every position. */
const PLAIN_WORD = /^[\w@%+=:,./-]+$/;

/** A word of a command for a POSIX shell; quoted only where it has to be. */
export function quoteWord(word: string): string {
  return PLAIN_WORD.test(word) ? word : quoteForPosix(word);
}

/** Nothing is special between single quotes but the quote itself (XCU 2.2.2). */
export function quoteForPosix(text: string): string {
  return `'${escapeSingleQuotes(text)}'`;
}

/** Escapes a text that is already between single quotes. */
export function escapeSingleQuotes(text: string): string {
  return text.replaceAll("'", `'\\''`);
}

/**
 * Fish takes a substitution's lines apart and `eval` puts them together again with spaces: so newlines are written
 * outside of the quotes, and each assignment ends with a semicolon. A variable whose name ends in PATH would be a list.
 */
function formatForFish(name: string, value: string): string {
  const quoted = value.replaceAll(/[\\']/g, '\\$&').replaceAll('\n', "'\\n'");
  return `set -gx ${name.endsWith('PATH') ? '--unpath ' : ''}${name} '${quoted}';`;
}

/** Typographic quotes end a string there as well. Lines that a program prints arrive without their newlines. */
function quoteForPowerShell(text: string): string {
  const quoted = text.replaceAll(/['\u2018-\u201b]/g, '$&$&');
  return `'${quoted}'`.replaceAll('\n', '\' + "`n" + \'').replaceAll('\r', '\' + "`r" + \'');
}
