/**
 * Errors for an unknown command or option. They do not repeat what was typed, which may be a value in the wrong place.
 */

import { commands } from '../command-table/commands.ts';
import { isGroup } from '../command-table/find-command.ts';
import type { Command, Options } from '../run/command.ts';
import { type CliError, usageError } from '../run/failure.ts';
import { findClose } from './close-word.ts';
import { ARGUMENT_HABITS, COMMAND_HABITS, MEMBER_HABITS, type Meaning, NOUN_HABITS } from './habits.ts';
import { OPTION_HABITS } from './option-habits.ts';

/** `words`: those that should name a command. */
export function explainCommand([first = '', second, ...more]: readonly string[]): CliError {
  if (NOUN_HABITS.includes(first) && second !== undefined && !isGroup(second))
    return explainCommand([second, ...more]);
  const known = Object.entries(commands).flatMap(([words, { aliases = [] }]) => [words, ...aliases]);
  const member = second === undefined ? undefined : findHabit(MEMBER_HABITS[first] ?? {}, second);
  if (member !== undefined) return suggestCommand(`${first} ${member}`);
  if (known.includes(first)) return suggestCommand(first);
  const habit = findHabit(COMMAND_HABITS, first);
  if (habit !== undefined) return suggestCommand(habit);
  const closeMember = second === undefined ? null : findClose(`${first} ${second}`, known);
  if (closeMember !== null) return suggestCommand(closeMember);
  const groups = [...new Set(known.map((words) => words.split(' ')[0] ?? ''))].filter(isGroup);
  const group = isGroup(first) ? first : findClose(first, groups);
  if (group !== null) return sayGroup(group, known);
  const close = findClose(first, known);
  if (close !== null) return suggestCommand(close);
  const closeHabit = findClose(
    first,
    Object.keys(COMMAND_HABITS).filter((word) => word.length > 3),
  );
  return closeHabit === null
    ? usageError('unknown command; see mav --help')
    : suggestCommand(COMMAND_HABITS[closeHabit] ?? '');
}

function suggestCommand(meant: Meaning): CliError {
  return usageError(
    typeof meant === 'string'
      ? `unknown command; did you mean mav ${meant}? See mav --help`
      : `unknown command. ${meant.say}.`,
  );
}

function sayGroup(group: string, known: readonly string[]): CliError {
  const members = known.filter((words) => words.startsWith(`${group} `));
  return usageError(`which one? mav ${members.join(', mav ')}`);
}

function findHabit<T>(habits: Readonly<Record<string, T>>, typed: string): T | undefined {
  const word = typed.toLowerCase();
  return Object.hasOwn(habits, word) ? habits[word] : undefined;
}

/** For more arguments than the command takes. */
export function explainSurplus(words: string, { arguments: takes = '' }: Command): CliError {
  const meant = Object.hasOwn(ARGUMENT_HABITS, words) ? `; ${ARGUMENT_HABITS[words]}` : '';
  return usageError(
    `mav ${words} takes ${takes === '' ? 'no arguments' : takes}${meant}; see mav ${words} --help`,
  );
}

/** `typed`: the option without a value. */
export function explainOption(words: string, options: Options, typed: string): CliError {
  const meant = findMeant(options, typed);
  if (meant === null) return usageError(`unknown option; see mav ${words} --help`);
  return usageError(
    typeof meant === 'string'
      ? `unknown option; did you mean ${meant}? See mav ${words} --help`
      : `unknown option. ${meant.say}; see mav ${words} --help`,
  );
}

function findMeant(options: Options, typed: string): Meaning | null {
  const shown = Object.entries(options).filter(([, { hidden }]) => !hidden);
  const isThere = (option: string) =>
    shown.some(([name, { short }]) => option === `--${name}` || option === `-${short}`);
  const habits = Object.hasOwn(OPTION_HABITS, typed) ? (OPTION_HABITS[typed] ?? []) : [];
  const habit = habits.find((meaning) => {
    if (typeof meaning === 'string') return isThere(meaning.split(' ')[0] ?? '');
    return !('with' in meaning) || isThere(meaning.with);
  });
  if (habit !== undefined) return habit;
  if (!typed.startsWith('--')) return null;
  // Without the dashes: they are not letters that could be wrong.
  const close = findClose(
    typed.slice(2),
    shown.map(([name]) => name),
  );
  return close === null ? null : `--${close}`;
}
