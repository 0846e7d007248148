/** What is wrong with a member or a parameter of the API, as the command line says it: the option or argument is named. */
import type { MaestroVaultError } from '../../client/errors.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import { commands } from '../command-table/commands.ts';
import { splitCommand } from '../command-table/find-command.ts';
import { optionsOf } from '../command-table/options.ts';
import { SCHEME } from '../input/reference.ts';
import { scanWords } from '../run/arguments.ts';
import type { Command } from '../run/command.ts';

/** Options whose names differ from the member's, which is the key. */
const OPTIONS: Readonly<Record<string, string>> = {
  environment: 'env',
  expires_in: 'expires',
  scopes: 'scope',
  expires_at: 'expires',
  due_before: 'due',
};
/** Arguments, by the member's name. */
const ARGUMENTS: Readonly<Record<string, string>> = { name: 'NAME', q: 'QUERY', id: 'ID' };

/** The part of an error of the API that says which member is wrong, and how. */
export type WrongMember = Required<Pick<MaestroVaultError, 'code' | 'member' | 'problem'>>;

/** A command line of which something was wrong. */
export interface Typed {
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** Returns `--env must be at most 512 bytes long`; null where the command has neither option nor argument for the member. */
export function describeWrongMember({ code, member, problem }: WrongMember, typed: Typed): string | null {
  const { words, rest } = splitCommand(typed.argv);
  const command = words === null ? undefined : commands[words];
  if (command === undefined || member === undefined || problem === undefined) return null;
  const called = findName(command, member, rest, typed.env);
  if (called === null) return null;
  // Of what is too large the problem is a sentence of its own.
  return escapeControls(code === 'too_large' ? `${called}: ${problem}` : `${called} ${problem}`);
}

function findName(
  command: Command,
  member: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
): string | null {
  const { options, arguments: takes = '' } = command;
  const option = OPTIONS[member] ?? member.replaceAll('_', '-');
  if (Object.hasOwn(options, option))
    return option === 'env' ? findEnvironmentSource(command, words, env) : `--${option}`;
  return takes === '' ? null : (ARGUMENTS[member] ?? null);
}

/** Returns what said which environment to work in. `words`: the command's own. */
function findEnvironmentSource(command: Command, words: readonly string[], env: NodeJS.ProcessEnv): string {
  const { given } = scanWords(optionsOf(command), words, command.passesThrough);
  if (given.some(({ name }) => name === 'env')) return '--env';
  if (words.some((word) => word.startsWith(SCHEME))) return 'the environment';
  return env.MAV_ENV ? 'MAV_ENV' : '"env" in config.json';
}
