/** One run of the command line: finds the command, reads its words, runs it, returns the exit code. */
import { NO_SETTINGS, readSettings, type Settings } from '../places/config.ts';
import { ACCESS_BY_OTHERS } from '../places/trusted-places.ts';
import { isFolderDeleted, leaveDeletedFolder } from '../system/working-folder.ts';
import { noteNamedVault } from '../text/name-vault.ts';
import { getCommand, listFirstWords, splitCommand } from './command-table/find-command.ts';
import { optionsOf } from './command-table/options.ts';
import { chooseForm } from './formats/forms.ts';
import { SCHEME } from './input/reference.ts';
import { type Arguments, checkArity, hasTooMany, readArguments, scanWords } from './run/arguments.ts';
import type { Command, Input, Options } from './run/command.ts';
import type { Context } from './run/context.ts';
import { EXIT, type ExitCode, toCliError } from './run/failure.ts';
import { createContext, guardOutput, withManners } from './terminal/create-context.ts';
import { findTextWidth } from './terminal/output.ts';
import type { Typed, WrongMember } from './usage/member-names.ts';

/**
 * Runs `argv` (without node and the script) and returns the exit code. Does not throw for what a user can do wrong. What the
 * process and its threads create from now on is closed to other users.
 */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<ExitCode> {
  const umask = process.umask(ACCESS_BY_OTHERS);
  leaveDeletedFolder();
  const context = createContext(env, umask);
  try {
    if (argv.some((word) => word.includes('\ufffd'))) await checkEncoding(argv);
    return await dispatchCommand(argv, context);
  } catch (error) {
    const failure = toCliError(error);
    context.complain(`mav: ${await describeFailure(error, failure.message, { argv, env })}`);
    return failure.exitCode;
  }
}

/** An error about a member of the API names the option that the member came from. */
async function describeFailure(error: unknown, message: string, typed: Typed): Promise<string> {
  const { member } = error as { member?: unknown };
  if (member === undefined) return message;
  const { describeWrongMember } = await import('./usage/member-names.ts');
  return describeWrongMember(error as WrongMember, typed) ?? message;
}

async function checkEncoding(argv: readonly string[]): Promise<void> {
  const { checkArgumentEncoding } = await import('./input/argument-encoding.ts');
  checkArgumentEncoding(argv);
}

async function dispatchCommand(argv: readonly string[], context: Context): Promise<ExitCode> {
  // Completion scripts call it. It is not a command for people, so it is in no table and in no help.
  if (argv[0] === '__complete')
    return (await import('./completion/print-candidates.ts')).answerCompletion(argv.slice(1), context);
  const { words, rest } = splitCommand(argv);
  if (words === null) return answerOther(argv, context);
  const command = getCommand(words);
  const options = optionsOf(command);
  const scan = scanWords(options, rest, command.passesThrough);
  if (scan.given.some(({ name }) => name === 'help')) return printHelp(words, command, context);
  const unknown = scan.given.find(({ name }) => name === null);
  if (unknown !== undefined)
    throw (await import('./usage/unknown.ts')).explainOption(words, options, unknown.typed);
  const read = readArguments(words, options, scan);
  const given = await withoutReferences(words, command, options, read);
  if (hasTooMany(command, given.args))
    throw (await import('./usage/unknown.ts')).explainSurplus(words, command);
  if (isFolderDeleted())
    (await import('./input/relative-paths.ts')).refuseRelativePaths(command, options, given, context.env);
  const input = readInput(words, command, given, context);
  // The daemon has its own way to end.
  if (words !== 'serve') process.once('uncaughtException', (error) => endAtFault(error, context));
  const { run } = await command.load();
  return run(input);
}

async function printHelp(words: string, command: Command, context: Context): Promise<ExitCode> {
  const { formatCommandHelp } = await import('./usage/help.ts');
  context.print(formatCommandHelp(words, command, findTextWidth(context)));
  return EXIT.done;
}

/** Handles an error that no code catches. Node itself would print the source line around it. */
function endAtFault(error: unknown, { complain }: Context): never {
  const { exitCode, message } = toCliError(error);
  complain(`mav: ${message}`);
  process.exit(exitCode);
}

async function withoutReferences(
  words: string,
  command: Command,
  options: Options,
  read: Arguments,
): Promise<Arguments> {
  if (!read.args.some((word) => word.startsWith(SCHEME))) return read;
  return (await import('./input/name-reference.ts')).applyReferences(words, command, options, read);
}

async function answerOther(argv: readonly string[], context: Context): Promise<ExitCode> {
  const [word, ...more] = argv;
  if (word === '--version' || word === '-v' || word === '-V')
    return dispatchCommand(['version', ...more], context);
  return (await import('./usage/without-command.ts')).answerWithoutCommand(argv, context);
}

function readInput(words: string, command: Command, given: Arguments, outer: Context): Input {
  const { args, values, referred } = given;
  checkArity(words, command, args);
  const options = readOptions(values);
  const { text } = options;
  // The daemon's remedies are for others, whose environment it does not know.
  noteVault(text('vault') ?? (words === 'serve' ? outer.env.MAV_VAULT : undefined));
  const context = chooseContext(command, options, outer);
  const { home, config } = chooseSettings(command, options, outer);
  const wishes = {
    given: text('output'),
    configured: config.output,
    isTerminal: context.isOutputTerminal,
  };
  return {
    context,
    command: words,
    args,
    referred,
    ...options,
    home,
    environment: text('env') ?? (outer.env.MAV_ENV || config.env),
    output: chooseForm(command.options.output, wishes),
    protectedEnvironments: config.protected ?? [],
    clearAfter: config.clear,
  };
}

/** `given`: as it was typed. An invalid one is refused later. */
function noteVault(given: string | undefined): void {
  noteNamedVault(given ? { vault: given, commands: listFirstWords() } : null);
}

type ReadOptions = Pick<Input, 'text' | 'list' | 'flag'>;

function readOptions(values: Arguments['values']): ReadOptions {
  const list = (name: string) => values.get(name)?.filter((value) => typeof value === 'string') ?? [];
  return {
    list,
    text: (name) => list(name)[0],
    flag: (name) => values.get(name)?.some((value) => value !== false) ?? false,
  };
}

function chooseContext({ answersByExitCode }: Command, { flag }: ReadOptions, outer: Context): Context {
  const context = withManners(outer, {
    quiet: flag('quiet'),
    noInput: flag('no-input'),
    noColor: flag('no-color'),
  });
  return answersByExitCode ? context : guardOutput(context);
}

function chooseSettings(command: Command, { text }: ReadOptions, { env }: Context): Settings {
  const { toleratesConfig, needsNoVault } = command;
  if (needsNoVault) return NO_SETTINGS;
  return readSettings(env, {
    home: text('home'),
    vault: text('vault'),
    socket: text('socket'),
    toleratesConfig,
  });
}
