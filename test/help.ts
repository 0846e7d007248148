/** Help: of every command and group, no wider than the terminal, broken between words. */
import t, { type Test } from 'tap';
import { commands } from '../src/cli/command-table/commands.ts';
import { optionsOf } from '../src/cli/command-table/options.ts';
import type { Command } from '../src/cli/run/command.ts';
import { formatRows, wrapText } from '../src/cli/terminal/wrap.ts';
import { formatCommandHelp, formatHelp } from '../src/cli/usage/help.ts';
import { skipWithout } from './fixtures/programs.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { createSandbox, mav } from './fixtures/vault.ts';

t.setTimeout(550_000);
const skip = skipWithout('python3');
const WIDTH = 80;

const groups = [...new Set(Object.keys(commands).filter((words) => words.includes(' ')))].map(
  (words) => words.split(' ')[0] ?? '',
);

function checkWidth(t: Test, text: string, what: string, width = WIDTH): void {
  const wide = text.split('\n').filter((line) => line.length > width && !line.startsWith('  $ '));
  t.same(wide, [], `${what}: fits ${width} columns`);
}

function flatten(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}

/** All that help has to say of a command, whole. */
function checkSaid(t: Test, text: string, words: string, command: Command): void {
  const said = flatten(text);
  const options = Object.values(optionsOf(command)).filter(({ hidden }) => !hidden);
  const wanted = [command.description, ...(command.notes ?? []), ...options.map((one) => one.description)];
  for (const one of wanted) t.ok(said.includes(flatten(one).trim()), `${words}: ${one}`);
}

t.test('help > every command > examples first, usage with [options], 80 columns', async (t) => {
  const sandbox = createSandbox(t);
  for (const [words, command] of Object.entries(commands)) {
    const { code, stdout } = await mav(sandbox, [...words.split(' '), '--help']);
    t.equal(code, 0, words);
    t.match(stdout, /^Examples:\n {2}\$ /, words);
    t.equal(stdout.match(/^ {2}\$ .*\bmav /gm)?.length, 3, `${words}: usage and two examples`);
    t.match(stdout, new RegExp(`Usage:\n  \\$ mav ${words} .*\\[options\\]`), words);
    t.same(
      stdout.split('\n').filter((line) => line.length > WIDTH),
      [],
      `${words}: 80 columns`,
    );
    checkSaid(t, stdout, words, command);
  }
});

t.test('help > mav itself and every group > 80 columns, every command is there', async (t) => {
  const sandbox = createSandbox(t);
  for (const args of [['--help'], ['help'], ...[...new Set(groups)].map((group) => [group, '--help'])]) {
    const { code, stdout } = await mav(sandbox, args);
    t.equal(code, 0, args.join(' '));
    checkWidth(t, stdout, args.join(' '));
    const [group] = args;
    const members = Object.entries(commands).filter(
      ([words]) => !groups.includes(group ?? '') || words.startsWith(`${group} `),
    );
    for (const [words, { description }] of members) {
      t.match(stdout, `  ${words} `, `${args.join(' ')}: ${words}`);
      t.ok(flatten(stdout).includes(description), words);
    }
  }
});

t.test('help > narrower terminals > fits them, but for what is there to be copied', async (t) => {
  for (const width of [50, 60]) {
    checkWidth(t, formatHelp(width), 'mav', width);
    for (const [words, command] of Object.entries(commands)) {
      const text = formatCommandHelp(words, command, width);
      checkWidth(t, text, words, width);
      checkSaid(t, text, words, command);
    }
  }
});

t.test('help > on terminals > as wide as they are, 80 at most', { skip }, async (t) => {
  const sandbox = createSandbox(t);
  const widest = async (columns: number) => {
    const { shown } = await mavOnTerminal(t, sandbox, ['edit', '--help'], {}, columns).ended();
    const lines = shown.split('\n').filter((line) => !line.startsWith('  $ '));
    return Math.max(...lines.map((line) => line.length));
  };
  t.ok((await widest(50)) <= 50);
  const wide = await widest(200);
  t.ok(wide > 60 && wide <= WIDTH);
});

t.test('wrap > words > are never broken, and rows hang', async (t) => {
  t.same(wrapText('one two three', '  ', 9), ['  one two', '  three']);
  t.same(wrapText('incomprehensibilities are', '', 9), ['incomprehensibilities', 'are']);
  t.same(wrapText('a:  b c', '', 4), ['a:  b', 'c']);
  t.same(
    formatRows(
      [
        ['a', 'one two three'],
        ['a-long-name', 'x'],
      ],
      ' ',
      14,
    ),
    [' a  one two', '    three', ' a-long-name', '    x'],
  );
});
