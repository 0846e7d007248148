/**
 * A command's words, read from argv by the table of its options. An option that takes a value takes the next word
 * whatever it looks like, as getopt does (POSIX guideline 12.2-7), so that `--value -x` and `--value --` store just
 * that; and nothing is converted, because a parser that turns "0123" into 123 would corrupt a secret silently.
 * What pflag reads is read the same: `-eprod`, `-e=prod`, `-qc`, `--force=false`, `--symbols` beside `--no-symbols`.
 */

import type { Command, Option, Options, Reference } from './command.ts';
import { usageError } from './failure.ts';

export interface Arguments {
  readonly args: readonly string[];
  readonly values: ReadonlyMap<string, readonly (string | boolean)[]>;
  /** The reference that stood in the place of the first name; null if none did. */
  readonly referred: Reference | null;
}

/** One option as it was typed. */
export interface Given {
  /** Its name in the table; null for an unknown option. */
  readonly name: string | null;
  /** Without the value: `--env`, `-e`. */
  readonly typed: string;
  /** The value beside it; null if there is none. */
  readonly value: string | null;
  /** Whether it was typed without the `no-` of its name, and so means the opposite. */
  readonly isNegated: boolean;
}

export interface Scan {
  readonly args: readonly string[];
  readonly given: readonly Given[];
  /** The option that takes a value and has none, because the words end there. */
  readonly pending: Given | null;
  /** Whether options have ended: at `--` or, for a command that hands words on, at the first argument. */
  readonly isPlain: boolean;
}

/** Splits words into arguments and options. The caller checks them. */
export function scanWords(options: Options, words: readonly string[], endsAtFirst = false): Scan {
  const args: string[] = [];
  const given: Given[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const isEnd = word === '--';
    if (isEnd || (endsAtFirst && !isOption(word)))
      return { args: [...args, ...words.slice(isEnd ? at + 1 : at)], given, pending: null, isPlain: true };
    if (!isOption(word)) {
      args.push(word);
      continue;
    }
    for (const option of readOptionWord(options, word)) {
      if (!wantsValue(options, option)) given.push(option);
      else if (at + 1 === words.length) return { args, given, pending: option, isPlain: false };
      else given.push({ ...option, value: words[++at] ?? '' });
    }
  }
  return { args, given, pending: null, isPlain: false };
}

function isOption(word: string): boolean {
  return word.startsWith('-') && word !== '-';
}

function wantsValue(options: Options, { name, value }: Given): boolean {
  return value === null && name !== null && options[name]?.type === 'string';
}

/** `--env`, `--env=prod`, or letters, of which the last may take a value: `-e`, `-eprod`, `-e=prod`, `-qeprod`. */
function readOptionWord(options: Options, word: string): Given[] {
  if (word.startsWith('--')) {
    const [typed = '', ...rest] = word.split('=');
    return [
      { ...findLong(options, typed.slice(2)), typed, value: rest.length === 0 ? null : rest.join('=') },
    ];
  }
  const found: Given[] = [];
  const letters = [...word.slice(1)];
  for (const [at, letter] of letters.entries()) {
    const name = findShort(options, letter);
    const rest = letters.slice(at + 1).join('');
    const takesRest =
      rest !== '' && (rest.startsWith('=') || (name !== null && options[name]?.type === 'string'));
    found.push({
      name,
      typed: `-${letter}`,
      value: takesRest ? rest.replace(/^=/, '') : null,
      isNegated: false,
    });
    if (takesRest) break;
  }
  return found;
}

function findLong(options: Options, typed: string): Pick<Given, 'name' | 'isNegated'> {
  if (Object.hasOwn(options, typed)) return { name: typed, isNegated: false };
  for (const [name, { aliases = [] }] of Object.entries(options))
    if (aliases.includes(typed)) return { name, isNegated: false };
  const opposite = `no-${typed}`;
  const isNegated = Object.hasOwn(options, opposite) && options[opposite]?.type === 'boolean';
  return { name: isNegated ? opposite : null, isNegated };
}

function findShort(options: Options, letter: string): string | null {
  return Object.entries(options).find(([, { short }]) => short === letter)?.[0] ?? null;
}

/** Throws CliError, which repeats nothing of what was typed but a known option's name: it may be a value. */
export function readArguments(words: string, options: Options, { args, given, pending }: Scan): Arguments {
  if (pending !== null) {
    const { ifMissing = 'needs a value' } = options[pending.name ?? ''] ?? {};
    throw usageError(`${pending.typed} ${ifMissing}; see mav ${words} --help`);
  }
  const values = new Map<string, (string | boolean)[]>();
  for (const { name, typed, value, isNegated } of given) {
    const option = name === null ? undefined : options[name];
    if (name === null || option === undefined) continue;
    const earlier = values.get(name) ?? [];
    if (option.type === 'boolean') values.set(name, [readBoolean(typed, value) !== isNegated]);
    else if (earlier.length > 0 && !option.repeatable) throw usageError(`--${name} is given twice`);
    else values.set(name, [...earlier, readText(option, value ?? '')]);
  }
  return { args, values, referred: null };
}

function readText({ ignoresCase }: Option, value: string): string {
  return ignoresCase ? value.toLowerCase() : value;
}

/** Reads the words that pflag takes for a boolean. */
function readBoolean(typed: string, value: string | null): boolean {
  if (value === null || /^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw usageError(`${typed} takes no value, or =true or =false`);
}

export function hasTooMany(command: Command, args: readonly string[]): boolean {
  const slots = listSlots(command);
  return args.length > slots.length && !slots.some((slot) => slot.includes('...'));
}

function listSlots({ arguments: takes = '' }: Command): string[] {
  return takes.split(' ').filter((slot) => slot !== '');
}

/** Throws CliError if a command has too few arguments or too many. */
export function checkArity(words: string, command: Command, args: readonly string[]): void {
  const least = listSlots(command).filter((slot) => slot.startsWith('<')).length;
  if (args.length >= least && !hasTooMany(command, args)) return;
  const { arguments: takes = '' } = command;
  throw usageError(`mav ${words} takes ${takes === '' ? 'no arguments' : takes}; see mav ${words} --help`);
}
