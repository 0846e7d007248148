/** One run of the command line: find the command, read its words, run it, answer the exit code. */
import { readSettings } from '../config.ts';
import { checkArity, findClose, readArguments } from './arguments.ts';
import type { Command, Input } from './command.ts';
import { type Context, createContext, withManners } from './context.ts';
import { EXIT, type ExitCode, toCliError, usageError } from './failure.ts';
import { splitCommand } from './find-command.ts';
import { commands, commonOptions } from './options.ts';

/**
 * Runs `argv` (without node and the script) and answers the exit code. Never throws for what a user can do wrong.
 * `umask` is the user's own.
 */
export async function main(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  umask: number,
): Promise<ExitCode> {
  const context = createContext(env, umask);
  try {
    if (argv.some((word) => word.includes('\ufffd'))) await checkEncoding(argv);
    return await dispatch(argv, context);
  } catch (error) {
    const failure = toCliError(error);
    context.complain(`mav: ${failure.message}`);
    return failure.exitCode;
  }
}

async function checkEncoding(argv: readonly string[]): Promise<void> {
  const { checkArgumentEncoding } = await import('./argument-encoding.ts');
  checkArgumentEncoding(argv);
}

async function dispatch(argv: readonly string[], context: Context): Promise<ExitCode> {
  // What completion scripts call: no command for people, so in no table and in no help.
  if (argv[0] === '__complete')
    return (await import('./completion/answer.ts')).answerCompletion(argv.slice(1), context);
  const { words, rest } = splitCommand(argv);
  const command = words === null ? undefined : commands[words];
  if (words === null || command === undefined) return answerWithoutCommand(argv, context);
  if (asksForHelp(command, rest)) {
    (await import('./help.ts')).printCommandHelp(words, command);
    return EXIT.done;
  }
  const input = await readInput(words, command, rest, context);
  const { run } = await command.load();
  return run(input);
}

/** What another program gets to see is not looked at. */
function asksForHelp({ passesThrough }: Command, rest: readonly string[]): boolean {
  const end = rest.findIndex((word) => word === '--' || (passesThrough && !word.startsWith('-')));
  const own = end < 0 ? rest : rest.slice(0, end);
  return own.includes('--help') || own.includes('-h');
}

async function answerWithoutCommand(argv: readonly string[], context: Context): Promise<ExitCode> {
  const [word, ...more] = argv;
  if (word === '--version' || word === '-v') return dispatch(['version'], context);
  if (word === 'help' && more.length > 0) return dispatch([...more, '--help'], context);
  if (word !== undefined && word !== '--help' && word !== '-h' && word !== 'help') throw explainUnknown(argv);
  (await import('./help.ts')).printHelp();
  return word === undefined ? EXIT.usage : EXIT.done;
}

/** A word that could be a value typed in the wrong place is not repeated. */
function explainUnknown([first = '', second]: readonly string[]) {
  const known = Object.entries(commands).flatMap(([words, { aliases = [] }]) => [words, ...aliases]);
  const groups = [
    ...new Set(known.filter((words) => words.includes(' ')).map((words) => words.split(' ')[0] ?? '')),
  ];
  if (groups.includes(first) && (second === undefined || second.startsWith('-')))
    return sayGroup(first, known);
  const close =
    findClose(second === undefined ? first : `${first} ${second}`, known) ?? findClose(first, known);
  if (close !== null) return usageError(`unknown command; did you mean mav ${close}? See mav --help`);
  const group = groups.includes(first) ? first : findClose(first, groups);
  return group === null ? usageError('unknown command; see mav --help') : sayGroup(group, known);
}

function sayGroup(group: string, known: readonly string[]) {
  const members = known.filter((words) => words.startsWith(`${group} `));
  return usageError(`which one? mav ${members.join(', mav ')}`);
}

async function readInput(
  words: string,
  command: Command,
  rest: readonly string[],
  outer: Context,
): Promise<Input> {
  const { args, values } = readArguments(words, command, { ...command.options, ...commonOptions }, rest);
  checkArity(words, command, args);
  const flag = (name: string) => values.has(name);
  const text = (name: string) => values.get(name)?.find((value) => value !== true);
  const list = (name: string) => values.get(name)?.filter((value) => value !== true) ?? [];
  const { env } = outer;
  const context = withManners(outer, {
    quiet: flag('quiet'),
    noInput: flag('no-input'),
    noColor: flag('no-color'),
  });
  const { home, config } = readSettings(env, {
    home: text('home'),
    socket: text('socket'),
    toleratesConfig: command.toleratesConfig,
  });
  const given = command.ownOutput ? undefined : text('output');
  const form = given ?? config.output ?? (context.isOutputTerminal ? 'table' : 'json');
  if (form !== 'json' && form !== 'table') throw usageError('--output must be json or table');
  return {
    context,
    command: words,
    args,
    text,
    list,
    flag,
    home,
    environment: text('env') ?? (env.MAV_ENV || config.env),
    output: form,
    clearAfter: config.clear,
  };
}
