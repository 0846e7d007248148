/** Handles words that name no command: help, the first word of a command of two, nothing at all, or a mistake. */

import { commands } from '../command-table/commands.ts';
import { isGroup, listLeadingOptions, splitCommand, takeOptions } from '../command-table/find-command.ts';
import { scanWords } from '../run/arguments.ts';
import type { Context } from '../run/context.ts';
import { EXIT, type ExitCode, usageError } from '../run/failure.ts';
import { findTextWidth } from '../terminal/output.ts';
import { formatCommandHelp, formatGroupHelp, formatHelp, listGroup } from './help.ts';
import { explainCommand, explainOption } from './unknown.ts';

/** Throws CliError for words that mean no command and no help. */
export function answerWithoutCommand(argv: readonly string[], context: Context): ExitCode {
  const leading = listLeadingOptions();
  const [, first, behind] = takeOptions(leading, argv);
  const { given, args } = scanWords(leading, argv);
  const asksForHelp = given.some(({ name }) => name === 'help');
  if (first === 'help') return answerHelp(scanWords(leading, behind).args, context);
  if (first !== undefined && isGroup(first)) return answerGroup(first, args.slice(1), asksForHelp, context);
  if (first !== undefined) throw explainCommand(args);
  if (!asksForHelp) checkOptions(argv);
  context.print(formatHelp(findTextWidth(context)));
  return argv.length === 0 ? EXIT.usage : EXIT.done;
}

/** Throws CliError unless there are none. */
function checkOptions(argv: readonly string[]): void {
  const leading = listLeadingOptions();
  const { given } = scanWords(leading, argv);
  const unknown = given.find(({ name }) => name === null);
  if (unknown !== undefined) throw explainOption('COMMAND', leading, unknown.typed);
  if (argv.length > 0) throw usageError('no command stands behind the options; see mav --help');
}

function answerHelp(words: readonly string[], context: Context): ExitCode {
  const width = findTextWidth(context);
  const { words: command } = splitCommand(words);
  const found = command === null ? undefined : commands[command];
  const [first] = words;
  if (command !== null && found !== undefined) context.print(formatCommandHelp(command, found, width));
  else if (first === undefined || first === 'help') context.print(formatHelp(width));
  else if (isGroup(first) && words.length === 1) context.print(formatGroupHelp(first, width));
  else throw explainCommand(words);
  return EXIT.done;
}

function answerGroup(
  group: string,
  [second, ...more]: readonly string[],
  asksForHelp: boolean,
  context: Context,
): ExitCode {
  const width = findTextWidth(context);
  if (second === 'help' && more.length > 0) return answerHelp([group, ...more], context);
  if (second === 'help' || (second === undefined && asksForHelp)) {
    context.print(formatGroupHelp(group, width));
    return EXIT.done;
  }
  if (second !== undefined) throw explainCommand([group, second, ...more]);
  throw usageError(`which one?\n${listGroup(group, width).join('\n')}`);
}
