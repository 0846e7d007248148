/** Which command the words of argv name. */
import { commands } from './options.ts';

/** The command's full name and what comes behind it: `token create` is two words of argv and one command. */
export function splitCommand(argv: readonly string[]): { words: string | null; rest: readonly string[] } {
  for (const count of [2, 1]) {
    const words = argv.length < count ? null : findCommand(argv.slice(0, count).join(' '));
    if (words !== null) return { words, rest: argv.slice(count) };
  }
  return { words: null, rest: argv };
}

function findCommand(words: string): string | null {
  if (Object.hasOwn(commands, words)) return words;
  const found = Object.entries(commands).find(([, { aliases = [] }]) => aliases.includes(words));
  return found?.[0] ?? null;
}
