/**
 * A command's words, read from argv. Node's parseArgs reads them, because cac's parser turns "0123" into 123 and would
 * corrupt a secret silently; and an option that takes a value takes the next word whatever it looks like, as getopt
 * does (POSIX guideline 12.2-7), so that `--value -x` and `--value --` store just that.
 */
import { parseArgs } from 'node:util';
import type { Command, Option, Options } from './command.ts';
import { type CliError, usageError } from './failure.ts';

export interface Arguments {
  readonly args: readonly string[];
  readonly values: ReadonlyMap<string, readonly (string | true)[]>;
}

/** Throws CliError, which repeats nothing of what was typed: it may be a value. */
export function readArguments(
  words: string,
  command: Command,
  options: Options,
  argv: readonly string[],
): Arguments {
  const { flags, rest } = split(words, command, options, argv);
  const { tokens, positionals } = parseArgs({
    args: flags,
    options: Object.fromEntries(
      Object.entries(options).map(([name, option]) => [name, toNodeOption(option)]),
    ),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const values = new Map<string, (string | true)[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) throw explainUnknown(words, options, token.rawName);
    const earlier = values.get(token.name) ?? [];
    if (earlier.length > 0 && !option.repeatable) throw usageError(`--${token.name} is given twice`);
    values.set(token.name, [...earlier, readValue(token.name, option, token.value)]);
  }
  return { args: [...positionals, ...rest], values };
}

function toNodeOption({ type, short }: Option) {
  return { type, multiple: true, ...(short === undefined ? {} : { short }) };
}

function readValue(name: string, { type }: Option, value: string | undefined): string | true {
  if (type === 'boolean') {
    if (value !== undefined) throw usageError(`--${name} takes no value`);
    return true;
  }
  if (value === undefined) throw usageError(`--${name} needs a value`);
  return value;
}

/** Joins options with their values, and takes off what is no option: all after `--` or, where that is so, after the first word. */
function split(words: string, command: Command, options: Options, argv: readonly string[]) {
  const flags: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (word === '--') return { flags, rest: argv.slice(at + 1) };
    if (command.passesThrough && !isOption(word)) return { flags, rest: argv.slice(at) };
    const name = findValued(options, word);
    if (name === null) flags.push(word);
    else {
      const value = argv[++at];
      if (value === undefined) throw usageError(`--${name} needs a value; see mav ${words} --help`);
      flags.push(`--${name}=${value}`);
    }
  }
  return { flags, rest: [] };
}

function isOption(word: string): boolean {
  return word.startsWith('-') && word !== '-';
}

/** The option whose value the next word is. */
function findValued(options: Options, word: string): string | null {
  const found = Object.entries(options).find(
    ([name, { type, short }]) =>
      type === 'string' && (word === `--${name}` || (short !== undefined && word === `-${short}`)),
  );
  return found?.[0] ?? null;
}

/** Throws CliError if a command has too few arguments or too many. */
export function checkArity(words: string, { arguments: takes = '' }: Command, args: readonly string[]): void {
  const slots = takes.split(' ').filter((slot) => slot !== '');
  const least = slots.filter((slot) => slot.startsWith('<')).length;
  const most = slots.some((slot) => slot.includes('...')) ? Number.POSITIVE_INFINITY : slots.length;
  if (args.length >= least && args.length <= most) return;
  throw usageError(`mav ${words} takes ${takes === '' ? 'no arguments' : takes}; see mav ${words} --help`);
}

/** The closest option's name is ours to say; what was typed is not. */
function explainUnknown(words: string, options: Options, typed: string): CliError {
  const names = Object.entries(options).flatMap(([name, { hidden }]) => (hidden ? [] : [`--${name}`]));
  const close = findClose(typed, names);
  return usageError(
    `unknown option; ${close === null ? 'see' : `did you mean ${close}? See`} mav ${words} --help`,
  );
}

/** How many letters may be wrong. */
const MAX_DISTANCE = 2;

/** The candidate that `typed` may have been meant for; null where none is close. */
export function findClose(typed: string, candidates: readonly string[]): string | null {
  let best: { candidate: string; distance: number } | null = null;
  for (const candidate of candidates) {
    const distance = candidate.startsWith(typed) && typed.length > 3 ? 1 : measureDistance(typed, candidate);
    // Of a short word that many letters are most of it.
    if (distance > Math.min(MAX_DISTANCE, Math.floor(candidate.length / 3) || 1)) continue;
    if (best === null || distance < best.distance) best = { candidate, distance };
  }
  return best?.candidate ?? null;
}

/** How many letters must be added, removed, replaced or swapped with their neighbour (optimal string alignment). */
function measureDistance(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, index) => index)];
  const at = (row: number, column: number) => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let row = 1; row <= from.length; row++) {
    rows.push([row]);
    for (let column = 1; column <= to.length; column++) {
      const [letter, other] = [from[row - 1], to[column - 1]];
      const isSwapped = letter === to[column - 2] && other === from[row - 2];
      const distance = Math.min(
        at(row - 1, column - 1) + (letter === other ? 0 : 1),
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        isSwapped ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
      rows[row]?.push(distance);
    }
  }
  return at(from.length, to.length);
}
