/** Help, printed by cac from the table of commands. */
import { type CAC, type Command as CacCommand, cac } from 'cac';
import { type Command, GROUPS, type Option } from './command.ts';
import { commands, optionsOf } from './options.ts';

const EXIT_CODES = `  0 done, 1 failed, 2 wrong usage, 3 not found, 4 not allowed, 5 sealed or locked, 130 stopped by Ctrl-C`;

const VARIABLES = `  MAV_HOME    the vault's folder (default: ~/.maestrovault)
  MAV_SOCKET  the daemon's socket (default: maestrovault.sock in that folder)
  MAV_TOKEN   the token to use; mav is that token then and nothing more
  MAV_ENV     the environment to work in
  Flags win over these, these over config.json in the vault's folder.`;

export function printCommandHelp(words: string, command: Command): void {
  const cli = cac('mav');
  const registered = register(cli, words, command);
  cli.help((sections) => [
    // First: they are what most people look for.
    { title: 'Examples', body: command.examples.map((example) => `  $ ${example}`).join('\n') },
    { title: `mav ${words}`, body: `  ${command.description}.` },
    ...sections.filter(({ title }) => title === 'Usage' || title === 'Options').map(trimLines),
    ...(command.aliases === undefined
      ? []
      : [{ title: 'Also', body: `  mav ${command.aliases.join(', mav ')}` }]),
    ...(command.notes === undefined
      ? []
      : [{ title: 'Notes', body: command.notes.map((line) => `  ${line}`).join('\n') }]),
  ]);
  registered.outputHelp();
}

/** Of the commands of two words that begin with `group`. */
export function printGroupHelp(group: string): void {
  const cli = cac('mav');
  cli.help(() => [
    { title: 'Usage', body: `  $ mav ${group} COMMAND [ARGUMENTS] [OPTIONS]` },
    { title: 'Commands', body: listGroup(group) },
    { title: 'More', body: `  $ mav ${group} COMMAND --help` },
  ]);
  cli.outputHelp();
}

/** A line for each of them. */
export function listGroup(group: string): string {
  return listRows(([words]) => words.startsWith(`${group} `));
}

export function printHelp(): void {
  const cli = cac('mav');
  cli.help(() => [
    { title: 'Usage', body: '  $ mav COMMAND [ARGUMENTS] [OPTIONS]' },
    ...GROUPS.map((group) => ({
      title: group,
      body: listRows(([, command]) => command.group === group),
    })),
    { title: 'Exit codes', body: EXIT_CODES },
    { title: 'Environment', body: VARIABLES },
    { title: 'More', body: '  $ mav COMMAND --help' },
  ]);
  cli.outputHelp();
}

function listRows(isWanted: (entry: [words: string, command: Command]) => boolean): string {
  const rows = Object.entries(commands)
    .filter(isWanted)
    .map(([words, command]) => [describeUsage(words, command), command.description] as const);
  const width = Math.max(...rows.map(([usage]) => usage.length));
  return rows.map(([usage, description]) => `  ${usage.padEnd(width)}  ${description}`).join('\n');
}

function describeUsage(words: string, { arguments: takes }: Command): string {
  return takes === undefined ? words : `${words} ${takes}`;
}

function register(cli: CAC, words: string, command: Command): CacCommand {
  const registered = cli.command(describeUsage(words, command), command.description);
  for (const [name, option] of Object.entries(optionsOf(command)))
    if (!option.hidden) registered.option(describeOption(name, option), option.description);
  return registered;
}

function describeOption(name: string, { short, type, placeholder = 'VALUE' }: Option): string {
  const names = short === undefined ? `--${name}` : `-${short}, --${name}`;
  return type === 'boolean' ? names : `${names} <${placeholder}>`;
}

/** cac takes a `--no-` option for one that is on by default, and says so. */
function trimLines({ title, body }: { title?: string; body: string }) {
  return {
    ...(title === undefined ? {} : { title }),
    body: body.replaceAll(/ +$| \(default: true\)$/gm, ''),
  };
}
