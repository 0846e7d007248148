/** Finds which command the words of argv name, and where its own words begin. */
import { scanWords } from '../run/arguments.ts';
import type { Option, Options } from '../run/command.ts';
import { commands } from './commands.ts';
import { optionsOf } from './options.ts';

export interface Split {
  /** The command's full name: `token create` is two words of argv and one command. */
  readonly words: string | null;
  /** The command's arguments and options, with those that stand before it. */
  readonly rest: readonly string[];
}

export function splitCommand(argv: readonly string[]): Split {
  for (const count of [2, 1]) {
    const words = argv.length < count ? null : findCommand(argv.slice(0, count).join(' '));
    if (words !== null) return { words, rest: argv.slice(count) };
  }
  return splitBehindOptions(argv);
}

function findCommand(words: string): string | null {
  if (Object.hasOwn(commands, words)) return words;
  const found = Object.entries(commands).find(([, { aliases = [] }]) => aliases.includes(words));
  return found?.[0] ?? null;
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

/** Whether commands of two words begin with this one: `token`, `service`, `key`. */
export function isGroup(word: string): boolean {
  return word !== '' && Object.keys(commands).some((words) => words.startsWith(`${word} `));
}

/** Options that take a value, or take none, in every command that has them: they can be read before the command is known. */
export function listLeadingOptions(): Options {
  const found = new Map<string, Option>();
  const shorts = new Map<string, Option['type'] | null>();
  for (const command of Object.values(commands))
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
