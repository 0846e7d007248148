/** Finds which command the words of argv name, and where its own words begin. */
import { scanWords } from '../run/arguments.ts';
import type { Command, CommandGroup, Option, Options } from '../run/command.ts';
import { listGroups } from './groups.ts';
import { optionsOf } from './options.ts';

export interface Split {
  /** The command's full name: `token create` is two words of argv and one command. */
  readonly words: string | null;
  /** The command's arguments and options, with those that stand before it. */
  readonly rest: readonly string[];
}

export function splitCommand(argv: readonly string[]): Split {
  // A command of two words stands in the same group as the command of one with which it begins, so no other has to be built.
  for (const group of listGroups())
    for (const count of [2, 1]) {
      const words = argv.length < count ? null : findIn(group, argv.slice(0, count).join(' '));
      if (words !== null) return { words, rest: argv.slice(count) };
    }
  return splitBehindOptions(argv);
}

/** Returns the full name of the command that is called so, or so by another name. */
function findIn(group: CommandGroup, words: string): string | null {
  if (Object.hasOwn(group, words)) return words;
  for (const name in group) if (group[name]?.aliases?.includes(words)) return name;
  return null;
}

function findCommand(words: string): string | null {
  for (const group of listGroups()) {
    const found = findIn(group, words);
    if (found !== null) return found;
  }
  return null;
}

/** `words`: the command's full name. */
export function getCommand(words: string): Command {
  for (const group of listGroups()) {
    const command = Object.hasOwn(group, words) ? group[words] : undefined;
    if (command !== undefined) return command;
  }
  throw new RangeError('there is no such command');
}

/** Options may stand before a command and between its two words: `mav --home X token -o json list`. */
function splitBehindOptions(argv: readonly string[]): Split {
  const leading = listLeadingOptions();
  const [before, first = '', behind] = takeOptions(leading, argv);
  const words = findCommand(first);
  if (words !== null) return { words, rest: [...before, ...behind] };
  if (!isGroup(first)) return { words: null, rest: argv };
  const [between, second = '', rest] = takeOptions(leading, behind);
  return { words: findCommand(`${first} ${second}`), rest: [...before, ...between, ...rest] };
}

/** Returns the options at the start, the first word that is not an option, and the words behind it. */
export function takeOptions(options: Options, words: readonly string[]) {
  const { args } = scanWords(options, words, true);
  const [first, ...rest] = args;
  const before = words.slice(0, words.length - args.length).filter((word) => word !== '--');
  return [before, first, rest] as const;
}

/** The first words of all commands and of their other names. */
export function listFirstWords(): Set<string> {
  const names = [...listGroups()].flatMap((group) =>
    Object.entries(group).flatMap(([words, { aliases = [] }]) => [words, ...aliases]),
  );
  return new Set(names.map((words) => words.split(' ', 1)[0] ?? ''));
}

/** Whether commands of two words begin with this one: `token`, `service`, `key`. */
export function isGroup(word: string): boolean {
  if (word === '') return false;
  for (const group of listGroups()) for (const words in group) if (words.startsWith(`${word} `)) return true;
  return false;
}

/** Options that take a value, or take none, in every command that has them: they can be read before the command is known. */
export function listLeadingOptions(): Options {
  const found = new Map<string, Option>();
  const shorts = new Map<string, Option['type'] | null>();
  for (const command of [...listGroups()].flatMap((group) => Object.values(group)))
    for (const [name, option] of Object.entries(optionsOf(command))) {
      // Before the command it asks for the program's version.
      if (name === 'version') continue;
      const known = found.get(name);
      // A message names it if one command shows it.
      if (known === undefined || (known.hidden && !option.hidden)) found.set(name, option);
      const { short, type } = option;
      if (short !== undefined)
        shorts.set(short, shorts.has(short) && shorts.get(short) !== type ? null : type);
    }
  return Object.fromEntries(
    [...found].map(([name, { short, ...option }]) => [
      name,
      short === undefined || shorts.get(short) === null ? option : { ...option, short },
    ]),
  );
}
