/**
 * The shell script that `mav` is: what it answers itself, and that everything else is the program's. In each of the shells that
 * may be a machine's `sh`. That its answers are the program's, the command's own tests say (test/hard/front.ts).
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { BECAME_PROGRAM, formatHandedOn, type RunOptions, runFront, SHELLS } from './fixtures/fronts.ts';
import { skipWithout } from './fixtures/programs.ts';
import { createSandbox, mav } from './fixtures/vault.ts';

t.setTimeout(300_000);
const skip = process.platform === 'linux' ? skipWithout('curl', 'stat') : 'the short way is Linux’s';
const SOURCE = new URL('../src/mav.sh', import.meta.url).pathname;

/** `value`: what is printed without Node; null where it is left to the program, with every word as it was. */
function check(
  t: Test,
  daemon: Daemon,
  args: readonly string[],
  value: string | Buffer | null,
  options: RunOptions = {},
): void {
  const expected =
    value === null
      ? { code: BECAME_PROGRAM, stdout: Buffer.from(formatHandedOn(args)), stderr: '' }
      : { code: 0, stdout: Buffer.from(value), stderr: '' };
  for (const shell of SHELLS) {
    const what = `${shell.join(' ')}: mav ${args.join(' ')} ${JSON.stringify(options)}`;
    t.same(runFront(daemon, shell, args, options), expected, what);
  }
}

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
  const daemon = await startDaemon(t);
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
    check(t, daemon, ['get', name], value);
    check(t, daemon, ['get', '--field', 'f', name, '-e', 'prod'], `field of ${name} in prod`);
  }
  for (const env of ['a/b', '-x', '--', '--field', '..']) {
    const value = await store(daemon, 'n', env);
    check(t, daemon, ['get', 'n', '--env', env], value);
    check(t, daemon, ['get', 'n'], value, { env: { MAV_ENV: env } });
  }
  check(t, daemon, ['get', 'n'], 'value of n in ', { env: { MAV_ENV: '' } });
});

t.test('get > names of other characters > left to the program', { skip }, async (t) => {
  const daemon = await startDaemon(t);
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
    check(t, daemon, ['get', name], null);
    check(t, daemon, ['get', 'n', '--env', name], null);
    check(t, daemon, ['get', 'n', '--field', name], null);
    check(t, daemon, ['get', 'n'], null, { env: { MAV_ENV: name } });
  }
  check(t, daemon, ['get', 'n', '--field', 'a/b'], null);
});

t.test('get > words in any form > a few are answered', { skip }, async (t) => {
  const daemon = await startDaemon(t);
  const value = await store(daemon, 'n', 'prod');
  await store(daemon, 'n');
  for (const words of ['n --env prod', '-e prod n', '--env prod n'])
    check(t, daemon, ['get', ...words.split(' ')], value);
  for (const words of ['--field f n -e prod', '--env prod --field f n', 'n -e prod --field f'])
    check(t, daemon, ['get', ...words.split(' ')], 'field of n in prod');
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
    ],
  ];
  for (const words of others) check(t, daemon, ['get', ...words.split(' ').filter(Boolean)], null);
  for (const args of [
    ['get', ''],
    ['get', 'n', '--env', ''],
    ['get', 'n', '--field', ''],
    ['-e', 'prod', 'get', 'n'],
  ])
    check(t, daemon, args, null);
  for (const args of [
    [],
    [''],
    ['list'],
    ['copy', 'n'],
    ['--version'],
    ['get get'],
    ['exec', '--', 'a b', ''],
  ])
    check(t, daemon, args, null);
});

t.test('get > values of any bytes > come as they are; long ones by the program', { skip }, async (t) => {
  const daemon = await startDaemon(t);
  const short = ['a\0b\0', '\xff\xfe\x80\n\n', '\r\n', '%s\\n$(id)', '-', 'a'.repeat(4_096)];
  for (const text of short) {
    const value = Buffer.from(text, 'latin1');
    await daemon.ask('PUT', '/v1/secrets/n/value', { body: value });
    check(t, daemon, ['get', 'n'], value);
  }
  for (const size of [4_097, 1_048_576]) {
    await daemon.ask('PUT', '/v1/secrets/n/value', { body: Buffer.alloc(size, 'mav\0\n') });
    check(t, daemon, ['get', 'n'], null);
  }
});

t.test('get > any answer but a value > left to the program', { skip }, async (t) => {
  const daemon = await startDaemon(t);
  await store(daemon, 'n');
  await daemon.ask('PUT', '/v1/secrets/fields-only/fields/f', { body: { value: 'v' } });
  for (const words of ['none', 'n --env none', 'n --field none', 'fields-only'])
    check(t, daemon, ['get', ...words.split(' ')], null);
  for (const MAV_TOKEN of ['', 'nonsense', daemon.admin])
    check(t, daemon, ['get', 'n'], null, { env: { MAV_TOKEN } });
  await mav(daemon, ['seal']);
  check(t, daemon, ['get', 'n'], null);
  await daemon.stop();
  check(t, daemon, ['get', 'n'], null);
  rmSync(daemon.home, { recursive: true });
  check(t, daemon, ['get', 'n'], null);
});

t.test('get > the vault is elsewhere, or has settings > left to the program', { skip }, async (t) => {
  const daemon = await startDaemon(t);
  const value = await store(daemon, 'n');
  const { home, folder, socket } = daemon;
  const tell = (answer: string | null, env: NodeJS.ProcessEnv) =>
    check(t, daemon, ['get', 'n'], answer, { env });
  tell(null, { MAV_SOCKET: socket });
  tell(value, { MAV_SOCKET: '' });
  tell(value, { XDG_RUNTIME_DIR: folder });
  for (const MAV_HOME of [
    'vault',
    './vault',
    `${home}/.`,
    `${home}/../vault`,
    `/${home}`,
    '/nowhere',
    ' ',
    '*',
    '',
  ])
    tell(null, { MAV_HOME });
  tell(null, { MAV_HOME: '', HOME: '' });
  tell(null, { MAV_HOME: '', HOME: 'home' });
  symlinkSync(home, join(folder, 'link'));
  tell(null, { MAV_HOME: join(folder, 'link') });
  const config = join(home, 'config.json');
  for (const text of ['{}', '{"env":"prod"}', '{"socket":"none.sock"}', 'nonsense']) {
    writeFileSync(config, text, { mode: 0o600 });
    tell(null, {});
    rmSync(config);
  }
  symlinkSync('nowhere', config);
  tell(null, {});
  rmSync(config);
  tell(value, {});
});

t.test('get > the vault is where it is by default > found by HOME', { skip }, async (t) => {
  const { env, folder, ...bare } = createSandbox(t, { MAV_HOME: '' });
  const home = join(folder, 'home', '.maestrovault');
  const sandbox = { ...bare, env, folder, home, socket: join(home, 'maestrovault.sock') };
  const daemon = await startDaemon(t, { sandbox, token: false });
  await mav(daemon, ['set', 'n', '--value', 'v']);
  check(t, daemon, ['get', 'n'], 'v');
  check(t, daemon, ['get', 'n'], null, { env: { HOME: `${env.HOME}/` } });
});

t.test(
  'get > the token is in the runtime folder > found, whatever XDG_RUNTIME_DIR says now',
  { skip },
  async (t) => {
    const first = await startDaemon(t, { token: false });
    await mav(first, ['set', 'n', '--value', 'v']);
    await first.stop();
    const runtime = join(first.folder, 'run');
    mkdirSync(runtime, { mode: 0o700 });
    const sandbox = { ...first, env: { ...first.env, XDG_RUNTIME_DIR: runtime } };
    const daemon = await startDaemon(t, { sandbox, init: null, token: false });
    for (const XDG_RUNTIME_DIR of [runtime, '', '/nowhere'])
      check(t, daemon, ['get', 'n'], 'v', { env: { XDG_RUNTIME_DIR } });
    for (const path of [runtime, join(runtime, 'maestrovault')]) {
      chmodSync(path, 0o770);
      check(t, daemon, ['get', 'n'], null);
      chmodSync(path, 0o700);
    }
    check(t, daemon, ['get', 'n'], 'v');
  },
);

t.test('get > others could change what lies on the way > left to the program', { skip }, async (t) => {
  const daemon = await startDaemon(t, { token: false });
  await mav(daemon, ['set', 'n', '--value', 'v']);
  const { home, socket, folder } = daemon;
  const [session, told] = [`${socket}.session`, `${socket}.session-path`];
  for (const [path, loose, tight] of [
    ...[0o777, 0o720, 0o702, 0o1777, 0o1700].map((mode) => [home, mode, 0o700] as const),
    ...[0o770, 0o702].map((mode) => [folder, mode, 0o700] as const),
    ...[0o644, 0o640, 0o601].map((mode) => [told, mode, 0o600] as const),
    ...[0o644, 0o640, 0o602].map((mode) => [session, mode, 0o600] as const),
  ]) {
    chmodSync(path, loose);
    check(t, daemon, ['get', 'n'], null, { env: { WHAT: `${path} ${loose.toString(8)}` } });
    chmodSync(path, tight);
  }
  for (const path of [session, told]) {
    renameSync(path, `${path}.real`);
    check(t, daemon, ['get', 'n'], null);
    symlinkSync(`${path}.real`, path);
    check(t, daemon, ['get', 'n'], null);
    rmSync(path);
    mkdirSync(path);
    check(t, daemon, ['get', 'n'], null);
    rmSync(path, { recursive: true });
    renameSync(`${path}.real`, path);
  }
  check(t, daemon, ['get', 'n'], 'v');
  const asOther = spawnSync('chown', ['1234', told]).status === 0;
  if (asOther) {
    check(t, daemon, ['get', 'n'], null);
    chmodSync(told, 0o600);
    spawnSync('chown', [String(process.getuid?.()), told]);
  }
});

t.test('get > another socket in the place of the daemon’s > nothing is sent there', { skip }, async (t) => {
  const daemon = await startDaemon(t, { token: false });
  await mav(daemon, ['set', 'n', '--value', 'v']);
  const { socket } = daemon;
  check(t, daemon, ['get', 'n'], 'v');
  const told = readFileSync(`${socket}.session-path`, 'utf8');
  await sleep(1_100);
  // What chown does too: it is not quite the socket any more that the daemon has made.
  chmodSync(socket, 0o600);
  check(t, daemon, ['get', 'n'], null);
  for (const second of ['', '\n', '1:1\n', '*\n', '??????:*\n', '1 1\n', `${told.split('\n')[1]} \\\n`]) {
    writeFileSync(`${socket}.session-path`, `${socket}.session\n${second}`);
    check(t, daemon, ['get', 'n'], null);
  }
  for (const first of [
    '',
    '/nowhere',
    `${socket}.session/`,
    `/${socket}.session`,
    'x',
    `${socket} session`,
  ]) {
    writeFileSync(`${socket}.session-path`, `${first}\n${told.split('\n')[1]}\n`);
    check(t, daemon, ['get', 'n'], null);
  }
});

t.test('mav.sh > come to by links, from anywhere > finds the program', async (t) => {
  const daemon = await startDaemon(t, { token: false });
  const { folder } = daemon;
  mkdirSync(join(folder, 'a b'));
  symlinkSync(new URL('../dist/mav', import.meta.url).pathname, join(folder, 'a b', 'mav'));
  symlinkSync('a b/mav', join(folder, '-mav'));
  copyFileSync(SOURCE, join(folder, 'copy'));
  const path = `${join(folder, 'programs')}:${process.env.PATH}`;
  check(t, daemon, ['list'], null);
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
