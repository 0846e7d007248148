/** One run of the command line: find the command, read its options, run it, answer the exit code. */
import { parseArgs } from 'node:util';
import { type CAC, cac } from 'cac';
import { UnsafePlaceError } from '../home.ts';
import type { Command, Input, Option } from './command.ts';
import { type Context, createContext } from './context.ts';
import { CliError, EXIT, type ExitCode } from './failure.ts';
import { commands } from './options.ts';

/** Runs `argv` (without node and the script) and answers the exit code. Never throws for what a user can do wrong. */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<ExitCode> {
  const context = createContext(env);
  watchOutput(context);
  try {
    return await dispatch(argv, context);
  } catch (error) {
    const failure = toCliError(error);
    context.say(`mav: ${failure.message}`);
    return failure.exitCode;
  }
}

/** A reader that has seen enough is no failure; output that is lost, and with it perhaps a token, is one. */
function watchOutput({ say }: Context): void {
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE' || code === 'ECONNRESET') return;
    say(`mav: the output cannot be written: ${code}`);
    process.exitCode = EXIT.failed;
  });
  process.stderr.on('error', () => {});
}

async function dispatch(argv: readonly string[], context: Context): Promise<ExitCode> {
  const { words, rest } = splitCommand(argv);
  if (words === null) return answerWithoutCommand(argv, context);
  const command = commands[words];
  if (command === undefined) throw new RangeError('splitCommand answers known commands only');
  if (rest.includes('--help') || rest.includes('-h')) return showHelp(words);
  const { run } = await command.load();
  return run(readInput(words, command, rest, context));
}

/** The command's full name and what comes behind it: `token create` is two words of argv and one command. */
function splitCommand(argv: readonly string[]): { words: string | null; rest: readonly string[] } {
  for (const count of [2, 1]) {
    const words = findCommand(argv.slice(0, count).join(' '));
    if (words !== null && argv.length >= count) return { words, rest: argv.slice(count) };
  }
  return { words: null, rest: argv };
}

function findCommand(words: string): string | null {
  if (Object.hasOwn(commands, words)) return words;
  const found = Object.entries(commands).find(([, { aliases = [] }]) => aliases.includes(words));
  return found?.[0] ?? null;
}

function answerWithoutCommand(argv: readonly string[], context: Context): Promise<ExitCode> | ExitCode {
  const [word] = argv;
  if (word === '--version' || word === '-v') return dispatch(['version'], context);
  if (word === undefined) {
    createCac().outputHelp();
    return EXIT.usage;
  }
  if (word === '--help' || word === '-h' || word === 'help') {
    createCac().outputHelp();
    return EXIT.done;
  }
  throw new CliError(EXIT.usage, `unknown command ${describeWord(argv)}; see mav --help`);
}

/** A word that could be a value typed in the wrong place is not repeated. */
function describeWord(argv: readonly string[]): string {
  const words = argv.slice(0, 2).filter((word) => /^[a-z-]{1,20}$/.test(word));
  const group =
    words[0] !== undefined && Object.keys(commands).some((name) => name.startsWith(`${words[0]} `));
  return words.length === 0 ? '' : words.slice(0, group ? 2 : 1).join(' ');
}

function createCac(): CAC {
  const cli = cac('mav');
  for (const [name, command] of Object.entries(commands)) register(cli, name, command);
  cli.help((sections) => sections.toSorted((a, b) => rank(a.title) - rank(b.title)));
  return cli;
}

/** Examples come first: they are what most people look for. */
function rank(title: string | undefined): number {
  return title === 'Examples' ? 0 : 1;
}

function register(cli: CAC, name: string, command: Command): void {
  const registered = cli.command(
    command.arguments ? `${name} ${command.arguments}` : name,
    command.description,
  );
  for (const alias of command.aliases ?? []) registered.alias(alias);
  for (const [option, spec] of Object.entries(command.options))
    registered.option(describeOption(option, spec), spec.description);
  for (const example of command.examples) registered.example(`  $ ${example}`);
}

function describeOption(name: string, { short, type, placeholder = 'VALUE' }: Option): string {
  const names = short === undefined ? `--${name}` : `-${short}, --${name}`;
  return type === 'boolean' ? names : `${names} <${placeholder}>`;
}

function showHelp(words: string): ExitCode {
  matchCommand(words, []).outputHelp();
  return EXIT.done;
}

/** The cac command with its arity checked; it gets placeholders, because its parser rewrites what looks numeric. */
function matchCommand(words: string, args: readonly string[]) {
  const cli = createCac();
  cli.parse(['node', 'mav', words, ...args.map(() => 'x')], { run: false });
  const { matchedCommand } = cli;
  if (matchedCommand === undefined) throw new RangeError('every command is registered');
  return matchedCommand;
}

function readInput(words: string, command: Command, rest: readonly string[], context: Context): Input {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { type, short }]) => [
      name,
      short === undefined ? { type } : { type, short },
    ]),
  );
  const { values, positionals: args } = parseArgs({
    args: [...rest],
    options,
    allowPositionals: true,
    strict: true,
  });
  const matched = matchCommand(words, args);
  matched.checkRequiredArgs();
  matched.checkUnusedArgs();
  return {
    context,
    command: words,
    args,
    text: (name) => (typeof values[name] === 'string' ? values[name] : undefined),
    flag: (name) => values[name] === true,
  };
}

function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof UnsafePlaceError) return new CliError(EXIT.failed, error.message);
  if (!(error instanceof Error)) return new CliError(EXIT.failed, 'failed');
  const code = 'code' in error ? String(error.code) : '';
  if (code.startsWith('ERR_PARSE_ARGS')) return new CliError(EXIT.usage, describeUsage(code));
  if (error.name === 'CACError')
    return new CliError(EXIT.usage, 'wrong number of arguments; see mav COMMAND --help');
  if (error.name === 'OwnedElsewhereError') return new CliError(EXIT.failed, error.message);
  return new CliError(EXIT.failed, `${error.name}${code === '' ? '' : ` ${code}`}: ${firstLine(error)}`);
}

/** Node's own messages repeat what was typed, which may be a value. */
function describeUsage(code: string): string {
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return 'unknown option; see mav COMMAND --help';
  return 'an option has no value, or one that it does not take; write --option=VALUE, and see mav COMMAND --help';
}

function firstLine(error: Error): string {
  return error.message.split('\n', 1)[0] ?? '';
}
