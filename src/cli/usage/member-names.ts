/** What the API's members and parameters are called on the command line. */

import { optionsOf } from '../command-table.ts';
import { SCHEME } from '../input/reference.ts';
import { scanWords } from '../run/arguments.ts';
import type { Command } from '../run/command.ts';

/** Those that have another name than their option. */
const OPTIONS: Readonly<Record<string, string>> = {
  environment: 'env',
  expires_in: 'expires',
  scopes: 'scope',
};
/** Those that are arguments. */
const ARGUMENTS: Readonly<Record<string, string>> = { name: 'NAME', q: 'QUERY', id: 'ID' };

/** A command line of which something was wrong. */
export interface Typed {
  /** Of the command, without the words that name it. */
  readonly words: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** The message with the option or argument in the place of the member; as it is where the command has neither. */
export function nameOption(command: Command, member: string, message: string, typed: Typed): string {
  const names = [member, ...(member === 'metadata_value' ? ['metadata_key'] : [])];
  return names.reduce((text, name) => {
    const called = findCalled(command, name, typed);
    return called === null ? text : replaceName(text, name, called);
  }, message);
}

function findCalled(command: Command, member: string, typed: Typed): string | null {
  const { options, arguments: takes = '' } = command;
  const option = OPTIONS[member] ?? member.replaceAll('_', '-');
  if (Object.hasOwn(options, option))
    return option === 'env' ? findEnvironment(command, typed) : `--${option}`;
  return takes === '' ? null : (ARGUMENTS[member] ?? null);
}

/** What said the environment. */
function findEnvironment(command: Command, { words, env }: Typed): string {
  const { given } = scanWords(optionsOf(command), words, command.passesThrough);
  if (given.some(({ name }) => name === 'env')) return '--env';
  if (words.some((word) => word.startsWith(SCHEME))) return 'the environment';
  return env.MAV_ENV ? 'MAV_ENV' : '"env" in config.json';
}

/** Members stand in quotes, parameters without. */
function replaceName(text: string, name: string, called: string): string {
  const quoted = JSON.stringify(name);
  if (text.includes(quoted)) return text.replaceAll(quoted, called);
  return text.replace(new RegExp(`\\b${name}\\b`), called);
}
