/**
 * The shell script that `mav` is, in each shell that may be a machine's `sh`: which commands it carries out itself, and that it
 * leaves all others to the program. That it prints what the program prints is tested by the command's own tests
 * (test/hard/front.ts).
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { checkFront, formatHandedOn } from './fixtures/fronts.ts';
import { skipWithout } from './fixtures/programs.ts';
import { mav } from './fixtures/vault.ts';

t.setTimeout(300_000);
const skip = process.platform === 'linux' ? skipWithout('curl', 'stat') : 'the short way is Linux’s';
const SOURCE = new URL('../src/mav.sh', import.meta.url).pathname;

// Before any subtest: tap takes the whole to have ended when the last subtest has.
const daemon = await startDaemon(t);

/** Stores `value of NAME in ENV`, and the same of its field `f`. */
async function store(daemon: Daemon, name: string, env = ''): Promise<string> {
  const value = `value of ${name} in ${env}`;
  const path = `/v1/secrets/${encodeURIComponent(name)}?env=${encodeURIComponent(env)}`;
  await daemon.ask('PUT', path, { body: { value } });
  await daemon.ask('PUT', path.replace('?', '/fields/f?'), { body: { value: `field of ${name} in ${env}` } });
  return value;
}

t.test('mav.sh > as it is > under 60 lines, and shellcheck finds nothing', async (t) => {
  const lines = readFileSync(SOURCE, 'utf8').trimEnd().split('\n');
  t.ok(lines.length < 60, `${lines.length} lines`);
  await t.test('shellcheck', { skip: skipWithout('shellcheck') }, async (t) => {
    t.match(spawnSync('shellcheck', [SOURCE], { encoding: 'utf8' }), { status: 0, stdout: '' });
  });
});

t.test('get > names of plain characters > answered', { skip }, async (t) => {
  for (const name of [
    'n',
    'a/b',
    'a//b',
    '/a',
    'a/',
    '.',
    '..',
    '...',
    'a.b-c_D9',
    '0123',
    'x'.repeat(200),
  ]) {
    const value = await store(daemon, name);
    await store(daemon, name, 'prod');
    checkFront(t, daemon, ['get', name], value);
    checkFront(t, daemon, ['get', '--field', 'f', name, '-e', 'prod'], `field of ${name} in prod`);
  }
  for (const env of ['a/b', '-x', '--', '--field', '..']) {
    const value = await store(daemon, 'n', env);
    checkFront(t, daemon, ['get', 'n', '--env', env], value);
    checkFront(t, daemon, ['get', 'n'], value, { env: { MAV_ENV: env } });
  }
  checkFront(t, daemon, ['get', 'n'], 'value of n in ', { env: { MAV_ENV: '' } });
});

t.test('get > names of other characters > left to the program', { skip }, async (t) => {
  const names = [
    'a b',
    'grüße',
    '🔑',
    '%2F',
    '?',
    '#',
    '&',
    'a=b',
    '+',
    '{{x}}',
    '[a-z]',
    '*',
    '$(id)',
    '`id`',
    "'",
  ];
  for (const name of [...names, '"', '\\', '~', 'a:b', 'a\tb', '\r', '@x']) {
    const value = await store(daemon, name);
    t.ok(value);
    checkFront(t, daemon, ['get', name], null);
    checkFront(t, daemon, ['get', 'n', '--env', name], null);
    checkFront(t, daemon, ['get', 'n', '--field', name], null);
    checkFront(t, daemon, ['get', 'n'], null, { env: { MAV_ENV: name } });
  }
  checkFront(t, daemon, ['get', 'n', '--field', 'a/b'], null);
});

t.test('get > an option in each place > answered', { skip }, async (t) => {
  const value = await store(daemon, 'n', 'prod');
  await store(daemon, 'n');
  for (const words of ['n --env prod', '-e prod n', '--env prod n'])
    checkFront(t, daemon, ['get', ...words.split(' ')], value);
  for (const words of ['--field f n -e prod', '--env prod --field f n', 'n -e prod --field f'])
    checkFront(t, daemon, ['get', ...words.split(' ')], 'field of n in prod');
});

t.test('get > words in any other form > left to the program', { skip }, async (t) => {
  await store(daemon, 'n');
  await store(daemon, 'n', 'prod');
  const others = [
    ...[
      '',
      '-',
      '--',
      '-- n',
      'n --',
      'n n',
      '--help',
      'n -q',
      'n -o json',
      'n -o value',
      'n --print',
      'n -c',
    ],
    ...[
      '--env=prod n',
      '-eprod n',
      'n --env',
      'n -e',
      'n --field',
      'n -e prod -e prod',
      'n --field f --field f',
    ],
    ...[
      'mav://prod/n',
      'mav://prod/n#f',
      'n --fields f',
      'n --socket /x',
      'n --home /x',
      '--no-input n',
      'n --clip',
      'n --version 1',
    ],
  ];
  for (const words of others) checkFront(t, daemon, ['get', ...words.split(' ').filter(Boolean)], null);
  for (const args of [
    ['get', ''],
    ['get', 'n', '--env', ''],
    ['get', 'n', '--field', ''],
    ['-e', 'prod', 'get', 'n'],
  ])
    checkFront(t, daemon, args, null);
  for (const args of [
    [],
    [''],
    ['list'],
    ['copy', 'n'],
    ['--version'],
    ['get get'],
    ['exec', '--', 'a b', ''],
  ])
    checkFront(t, daemon, args, null);
});

t.test('get > values of any bytes > come as they are; long ones by the program', { skip }, async (t) => {
  const short = ['a\0b\0', '\xff\xfe\x80\n\n', '\r\n', '%s\\n$(id)', '-', 'a'.repeat(4_096)];
  for (const text of short) {
    const value = Buffer.from(text, 'latin1');
    await daemon.ask('PUT', '/v1/secrets/n/value', { body: value });
    checkFront(t, daemon, ['get', 'n'], value);
  }
  for (const size of [4_097, 1_048_576]) {
    await daemon.ask('PUT', '/v1/secrets/n/value', { body: Buffer.alloc(size, 'mav\0\n') });
    checkFront(t, daemon, ['get', 'n'], null);
  }
});

t.test('get > any answer but a value > left to the program', { skip }, async (t) => {
  const daemon = await startDaemon(t);
  await store(daemon, 'n');
  await daemon.ask('PUT', '/v1/secrets/fields-only/fields/f', { body: { value: 'v' } });
  for (const words of ['none', 'n --env none', 'n --field none', 'fields-only'])
    checkFront(t, daemon, ['get', ...words.split(' ')], null);
  for (const MAV_TOKEN of ['', 'nonsense', daemon.admin])
    checkFront(t, daemon, ['get', 'n'], null, { env: { MAV_TOKEN } });
  await mav(daemon, ['seal']);
  checkFront(t, daemon, ['get', 'n'], null);
  await daemon.stop();
  checkFront(t, daemon, ['get', 'n'], null);
  rmSync(daemon.home, { recursive: true });
  checkFront(t, daemon, ['get', 'n'], null);
});

t.test('mav.sh > come to by links, from anywhere > finds the program', async (t) => {
  const { folder } = daemon;
  mkdirSync(join(folder, 'a b'));
  symlinkSync(new URL('../dist/mav', import.meta.url).pathname, join(folder, 'a b', 'mav'));
  symlinkSync('a b/mav', join(folder, '-mav'));
  copyFileSync(SOURCE, join(folder, 'copy'));
  const path = `${join(folder, 'programs')}:${process.env.PATH}`;
  checkFront(t, daemon, ['list'], null);
  const env = { ...daemon.env, PATH: path };
  for (const [command, cwd] of [
    [['a b/mav', 'x'], folder],
    [['./-mav', 'x'], folder],
    [['sh', '--', '-mav', 'x'], folder],
    [['../-mav', 'x'], join(folder, 'a b')],
  ] as const) {
    const [program = '', ...args] = command;
    const { stdout, stderr } = spawnSync(program, args, { cwd, env, encoding: 'utf8' });
    t.same([stdout, stderr], [formatHandedOn(['x']), ''], command.join(' '));
  }
});
