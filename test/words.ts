/** How the words of a command line are read: options and their other names, commands, and what is said of neither. */
import t from 'tap';
import { commands } from '../src/cli/command-table/commands.ts';
import { isGroup, listLeadingOptions, splitCommand } from '../src/cli/command-table/find-command.ts';
import { commonOptions, optionsOf } from '../src/cli/command-table/options.ts';
import { readArguments, scanWords } from '../src/cli/run/arguments.ts';
import type { Command, Option } from '../src/cli/run/command.ts';
import { ARGUMENT_HABITS, COMMAND_HABITS, MEMBER_HABITS, type Meaning } from '../src/cli/usage/habits.ts';
import { OPTION_HABITS } from '../src/cli/usage/option-habits.ts';
import { createSandbox, mav } from './fixtures/vault.ts';

t.setTimeout(550_000);

const TABLE = Object.entries(commands).map(([words, command]) => [words, optionsOf(command)] as const);

/** What can be typed for an option. */
function spellings(name: string, { short, aliases = [], type }: Option): string[] {
  const opposite = type === 'boolean' && name.startsWith('no-') ? [name.slice('no-'.length)] : [];
  return [...[name, ...aliases, ...opposite].map((one) => `--${one}`), ...(short ? [`-${short}`] : [])];
}

t.test('table > every command > no two options share a name or a letter', async (t) => {
  for (const [words, options] of TABLE) {
    const all = Object.entries(options).flatMap(([name, option]) => spellings(name, option));
    t.same(
      all.filter((one, at) => all.indexOf(one) !== at),
      [],
      words,
    );
  }
});

t.test('table > a name in several commands > takes a value in all of them or in none', async (t) => {
  const types = new Map<string, string>();
  for (const [words, options] of TABLE)
    for (const [name, option] of Object.entries(options))
      for (const one of spellings(name, option).filter((spelling) => spelling.startsWith('--'))) {
        t.equal(types.get(one) ?? option.type, option.type, `${words} ${one}`);
        types.set(one, option.type);
      }
});

t.test('table > every spelling of every option > is that option', async (t) => {
  for (const [words, options] of TABLE)
    for (const [name, option] of Object.entries(options))
      for (const typed of spellings(name, option)) {
        const forms =
          option.type === 'string' ? [[typed, 'Val'], [`${typed}=Val`]] : [[typed], [`${typed}=true`]];
        for (const form of forms) {
          const { values } = readArguments(words, options, scanWords(options, form));
          const isNegated = typed !== `--${name}` && name === `no-${typed.slice(2)}`;
          const value = option.type === 'boolean' ? !isNegated : option.ignoresCase ? 'val' : 'Val';
          t.same([...values], [[name, [value]]], `${words} ${form.join(' ')}`);
        }
      }
});

t.test('commands > names and aliases > are all different, and one command is a group too', async (t) => {
  const all = Object.entries(commands).flatMap(([words, { aliases = [] }]) => [words, ...aliases]);
  t.equal(new Set(all).size, all.length);
  t.same(
    all.filter((words) => isGroup(words)),
    ['audit'],
  );
});

t.test('habits > what is meant > is there, and what is there is not explained', async (t) => {
  const all = Object.entries(commands).flatMap(([words, { aliases = [] }]) => [words, ...aliases]);
  const isThere = (meant: Meaning) =>
    typeof meant !== 'string' ? /^[A-Z]/.test(meant.say) : splitCommand(meant.split(' ')).words !== null;
  for (const [word, meant] of Object.entries(COMMAND_HABITS)) {
    t.notOk(all.includes(word) || isGroup(word), word);
    t.ok(isThere(meant), word);
  }
  for (const [group, members] of Object.entries(MEMBER_HABITS))
    for (const [word, member] of Object.entries(members)) {
      t.notOk(all.includes(`${group} ${word}`), `${group} ${word}`);
      t.ok(isThere(`${group} ${member}`), `${group} ${member}`);
    }
  for (const [words, said] of Object.entries(ARGUMENT_HABITS)) {
    const options = Object.keys(commands[words]?.options ?? {}).concat(Object.keys(commonOptions));
    const named = [...said.replace(/mav \w+ --\w+/, '').matchAll(/--([\w-]+)/g)].map(
      ([, name]) => name ?? '',
    );
    t.same(
      named.filter((name) => !options.includes(name)),
      [],
      words,
    );
  }
  const names = new Set(
    TABLE.flatMap(([, options]) => Object.entries(options).flatMap((entry) => spellings(...entry))),
  );
  for (const meanings of Object.values(OPTION_HABITS))
    for (const meaning of meanings) {
      if (typeof meaning !== 'string') t.match(meaning.say, /^[A-Z]/);
      const option =
        typeof meaning === 'string' ? meaning.split(' ')[0] : 'with' in meaning ? meaning.with : null;
      t.ok(option === null || names.has(option ?? ''), option ?? 'for every command');
    }
});

t.test('words > options before the command and between its words > are the command’s', async (t) => {
  const cases: readonly (readonly [line: string, words: string | null, rest: string])[] = [
    ['--home X -q list', 'list', '--home X -q'],
    ['-o json list --env a', 'list', '-o json --env a'],
    ['--env prod get x', 'get', '--env prod x'],
    ['--env=prod -q get x', 'get', '--env=prod -q x'],
    ['-eprod run printenv -q', 'exec', '-eprod printenv -q'],
    ['--socket s token -o json list', 'token list', '--socket s -o json'],
    ['-qo json token --home h revoke --all', 'token revoke', '-qo json --home h --all'],
    ['--no-input=false -- list', 'list', '--no-input=false'],
    ['--env list', null, '--env list'],
    ['-q', null, '-q'],
    ['-q nothing', null, '-q nothing'],
  ];
  for (const [line, words, rest] of cases)
    t.same(splitCommand(line.split(' ')), { words, rest: rest.split(' ') }, line);
  for (const [name, { type }] of Object.entries(listLeadingOptions())) {
    const option = type === 'boolean' ? [`--${name}`] : [`--${name}`, 'value'];
    t.equal(splitCommand([...option, 'get', 'x']).words, 'get', name);
  }
});

t.test('words > values > are taken as pflag takes them, whatever they look like', async (t) => {
  const options = optionsOf(commands.set as Command);
  const read = (...words: string[]) => {
    const { args, values } = readArguments('set', options, scanWords(options, words));
    return { args, ...Object.fromEntries(values) };
  };
  t.same(read('n', '--value', '--env', '--env', '-x'), { args: ['n'], value: ['--env'], env: ['-x'] });
  t.same(read('n', '--value', '--', '--', '-q'), { args: ['n', '-q'], value: ['--'] });
  t.same(read('-qe', 'prod', 'n'), { args: ['n'], quiet: [true], env: ['prod'] });
  t.same(read('-qe=a=b', 'n'), { args: ['n'], quiet: [true], env: ['a=b'] });
  t.same(read('--value=', 'n'), { args: ['n'], value: [''] });
  t.same(read('-', '--quiet=F'), { args: ['-'], quiet: [false] });
  t.same(read('--symbols=false'), { args: [], 'no-symbols': [true] });
  t.same(read('--symbols', '--no-symbols=0'), { args: [], 'no-symbols': [false] });
  t.same(read('--value', 'JSON'), { args: [], value: ['JSON'] });
  t.throws(() => read('--quiet=hunter2'), {
    message: '--quiet takes no value, or =true or =false',
    exitCode: 2,
  });
  t.throws(() => read('-e'), { message: /^-e needs a value/, exitCode: 2 });
});

/** A command line, how it ends, and what is said. */
const MEANT: readonly (readonly [line: string, code: number, says: RegExp])[] = [
  ['show hunter2', 2, /did you mean mav get\?/],
  ['read hunter2', 2, /did you mean mav get\?/],
  ['CAT hunter2', 2, /did you mean mav get\?/],
  ['add hunter2', 2, /did you mean mav set\?/],
  ['shwo hunter2', 2, /did you mean mav get\?/],
  ['l', 2, /did you mean mav list\?/],
  ['secrets list', 2, /did you mean mav list\?/],
  ['kv put hunter2', 2, /did you mean mav set\?/],
  ['rotate', 2, /did you mean mav key rotate\?/],
  ['tokens', 2, /did you mean mav token list\?/],
  ['token add', 2, /did you mean mav token create\?/],
  ['token crate', 2, /did you mean mav token create\?/],
  ['service restart', 2, /did you mean mav service start\?/],
  ['tui', 2, /no full-screen interface/],
  ['touchid enable', 2, /no Touch ID/],
  ['config set hunter2', 2, /config\.json/],
  ['help hunter2', 2, /unknown command; see mav --help/],
  ['help token hunter2', 2, /which one\?/],
  ['hunter2 --help', 2, /unknown command; see mav --help/],
  ['--home hunter2', 2, /no command stands behind the options/],
  ['--hunter2', 2, /unknown option/],
  ['list --json', 2, /did you mean -o json\?/],
  ['--json list', 2, /did you mean -o json\?/],
  ['delete hunter2 --yes', 2, /did you mean --force\?/],
  ['delete hunter2 -y', 2, /did you mean --force\?/],
  ['get hunter2 --environment hunter2', 2, /did you mean --env\?/],
  ['get hunter2 -E hunter2', 2, /did you mean --env\?/],
  ['get hunter2 --no-newline', 2, /without a newline/],
  ['set hunter2 --stdin', 2, /read from standard input/],
  ['set hunter2 --file hunter2', 2, /did you mean --from-file\?/],
  ['set hunter2 --password=hunter2', 2, /did you mean --value\?/],
  ['list --verbose', 2, /mav doctor/],
  ['set hunter2 hunter2', 2, /takes <name>; the value is piped in, asked for, or given with --value; see/],
  ['env list', 2, /takes no arguments; mav envs lists environments/],
  ['list hunter2', 2, /--env, and a text is looked for with --filter/],
  ['token create hunter2', 2, /with --name/],
  ['seal hunter2', 2, /^mav: mav seal takes no arguments; see mav seal --help$/m],
  ['serve --verbose', 2, /did you mean --log-requests\?/],
  ['list --ENV hunter2', 2, /did you mean --env\?/],
  ['set hunter2 --note hunter2', 2, /unknown option; see mav set/],
  ['--json', 2, /did you mean -o json\?/],
  ['environments', 2, /did you mean mav envs\?/],
  ['git', 2, /Nothing is synchronised/],
  ['clone hunter2', 2, /Nothing is synchronised/],
  ['down', 2, /A daemon ends with/],
  ['user', 2, /unknown command; see mav --help/],
  ['p', 2, /unknown command; see mav --help/],
  ['get --version', 2, /mav version/],
];

t.test('mistakes > what people know from elsewhere > is told, and nothing typed is repeated', async (t) => {
  const sandbox = createSandbox(t);
  for (const [line, expected, says] of MEANT) {
    const { code, stdout, stderr } = await mav(sandbox, line.split(' '));
    t.same([code, stdout], [expected, ''], line);
    t.match(stderr, says, line);
    t.notMatch(stderr, 'hunter2', line);
  }
});

t.test('groups > asked for help in any way > list their commands', async (t) => {
  const sandbox = createSandbox(t);
  for (const [group, members] of [
    ['token', ['create', 'list', 'revoke']],
    ['service', ['install', 'uninstall', 'start', 'stop', 'status', 'logs']],
    ['key', ['rotate']],
  ] as const) {
    const { stdout } = await mav(sandbox, ['help', group]);
    for (const member of members)
      t.match(
        stdout,
        new RegExp(
          `^ +(mav )?${group} ${member}.* ${commands[`${group} ${member}`]?.description.slice(0, 10)}`,
          'm',
        ),
      );
    for (const args of [
      [group, '--help'],
      [group, '-h'],
      [group, 'help'],
      ['-q', group, '--help'],
      ['--help', group],
    ]) {
      const asked = await mav(sandbox, args);
      t.same([asked.code, asked.stdout, asked.stderr], [0, stdout, ''], args.join(' '));
    }
    const bare = await mav(sandbox, [group]);
    t.equal(bare.code, 2);
    for (const member of members) t.match(bare.stderr, `${group} ${member}`);
  }
  const one = await mav(sandbox, ['help', 'token', 'list']);
  for (const args of [
    ['token', 'list', '-h'],
    ['token', 'help', 'list'],
    ['--help', 'token', 'list'],
  ])
    t.same((await mav(sandbox, args)).stdout, one.stdout, args.join(' '));
  const all = await mav(sandbox, ['--help']);
  for (const args of [['help'], ['-h'], ['--home', 'x', '--help'], ['help', 'help']])
    t.same(await mav(sandbox, args), all, args.join(' '));
});
