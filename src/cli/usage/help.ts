/** Help, written from the table of commands, for a terminal of any width. */
import { type Command as CacCommand, cac } from 'cac';
import { commands } from '../command-table/commands.ts';
import { optionsOf } from '../command-table/options.ts';
import { type Command, GROUPS, type Option } from '../run/command.ts';
import { formatRows, wrapText } from '../terminal/wrap.ts';

const INDENT = '  ';

const EXIT_CODES =
  '0 done, 1 failed, 2 wrong usage, 3 not found, 4 not allowed, 5 sealed or locked, 130 stopped by Ctrl-C';

const VARIABLES = [
  ['MAV_HOME', "the vault's folder (default: ~/.maestrovault)"],
  ['MAV_VAULT', 'the name of the vault, if it has one (see: mav vaults)'],
  ['MAV_SOCKET', "the daemon's socket (default: maestrovault.sock in that folder)"],
  ['MAV_TOKEN', 'the token to use; mav may then do what it permits, no more'],
  ['MAV_ENV', 'the environment to work in'],
] as const;
const PRECEDENCE = "Flags override these variables, and these override config.json in the vault's folder.";

interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}

export function formatCommandHelp(words: string, command: Command, width: number): string {
  const { aliases, notes = [], examples } = command;
  const { rawName, description, options } = registerCommand(words, command);
  return joinSections([
    // First: they are what most people look for.
    { title: 'Examples', lines: examples.map(asCommand) },
    { title: `mav ${words}`, lines: wrapText(`${description}.`, INDENT, width) },
    { title: 'Usage', lines: [asCommand(`mav ${describeUsage(words, command, rawName)}`)] },
    {
      title: 'Options',
      lines: formatRows(
        [
          ...options.map((option) => [option.rawName, option.description] as const),
          ['-h, --help', 'Show this help'],
        ],
        INDENT,
        width,
      ),
    },
    // Of a command with which commands of two words begin.
    { title: 'Commands', lines: listGroup(words, width) },
    { title: 'Also', lines: aliases === undefined ? [] : [`${INDENT}mav ${aliases.join(', mav ')}`] },
    { title: 'Notes', lines: notes.flatMap((note) => wrapText(note, INDENT, width)) },
  ]);
}

/** Formats help on the commands of two words that begin with `group`. */
export function formatGroupHelp(group: string, width: number): string {
  return joinSections([
    { title: 'Usage', lines: [asCommand(`mav ${group} COMMAND [arguments] [options]`)] },
    { title: 'Commands', lines: listGroup(group, width) },
    { title: 'More', lines: [asCommand(`mav ${group} COMMAND --help`)] },
  ]);
}

/** A line for each of them, or two. */
export function listGroup(group: string, width: number): string[] {
  return listRows(([words]) => words.startsWith(`${group} `), width);
}

export function formatHelp(width: number): string {
  return joinSections([
    { title: 'Usage', lines: [asCommand('mav COMMAND [arguments] [options]')] },
    ...GROUPS.map((group) => ({
      title: group,
      lines: listRows(([, command]) => command.group === group, width),
    })),
    { title: 'Exit codes', lines: wrapText(EXIT_CODES, INDENT, width) },
    {
      title: 'Environment',
      lines: [...formatRows(VARIABLES, INDENT, width), ...wrapText(PRECEDENCE, INDENT, width)],
    },
    { title: 'More', lines: [asCommand('mav COMMAND --help')] },
  ]);
}

function joinSections(sections: readonly Section[]): string {
  return sections
    .filter(({ lines }) => lines.length > 0)
    .map(({ title, lines }) => `${title}:\n${lines.join('\n')}`)
    .join('\n\n');
}

/** Not broken into lines, however narrow the terminal: it is there to be copied. */
function asCommand(line: string): string {
  return `${INDENT}$ ${line}`;
}

function listRows(isWanted: (entry: [words: string, command: Command]) => boolean, width: number): string[] {
  const rows = Object.entries(commands)
    .filter(isWanted)
    .map((entry) => registerCommand(...entry))
    .map(({ rawName, description }) => [rawName, description] as const);
  return formatRows(rows, INDENT, width);
}

/** The command as cac has it, from our table. Its own printer breaks no lines and loses errors of standard output. */
function registerCommand(words: string, command: Command): CacCommand {
  const { arguments: takes, description } = command;
  const registered = cac('mav').command(takes === undefined ? words : `${words} ${takes}`, description);
  const shown = Object.entries(optionsOf(command)).filter(([, { hidden }]) => !hidden);
  for (const [name, option] of shown) registered.option(describeOption(name, option), option.description);
  return registered;
}

/** Options stand behind the arguments, but for a command that hands on what follows its first one. */
function describeUsage(words: string, { arguments: takes, passesThrough }: Command, rawName: string): string {
  return passesThrough ? `${words} [options] [--] ${takes}` : `${rawName} [options]`;
}

/** In cac's notation: `-e, --env <ENV>`. */
function describeOption(name: string, { short, type, placeholder = 'VALUE' }: Option): string {
  const names = short === undefined ? `--${name}` : `-${short}, --${name}`;
  return type === 'boolean' ? names : `${names} <${placeholder}>`;
}
