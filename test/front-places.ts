/**
 * Where the shell script that `mav` is finds the vault, the socket and the token; and that it leaves everything to the
 * program if other users could change what lies there.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { checkFront } from './fixtures/fronts.ts';
import { skipWithout } from './fixtures/programs.ts';
import { createSandbox, mav } from './fixtures/vault.ts';

t.setTimeout(300_000);
const skip = process.platform === 'linux' ? skipWithout('curl', 'stat') : 'the short way is Linux’s';

t.test('get > the vault is elsewhere, or has settings > left to the program', { skip }, async (t) => {
  const daemon = await startDaemon(t);
  const value = 'v';
  await daemon.ask('PUT', '/v1/secrets/n', { body: { value } });
  const { home, folder, socket } = daemon;
  const tell = (answer: string | null, env: NodeJS.ProcessEnv) =>
    checkFront(t, daemon, ['get', 'n'], answer, { env });
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
  checkFront(t, daemon, ['get', 'n'], 'v');
  checkFront(t, daemon, ['get', 'n'], null, { env: { HOME: `${env.HOME}/` } });
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
      checkFront(t, daemon, ['get', 'n'], 'v', { env: { XDG_RUNTIME_DIR } });
    for (const path of [runtime, join(runtime, 'maestrovault')]) {
      chmodSync(path, 0o770);
      checkFront(t, daemon, ['get', 'n'], null);
      chmodSync(path, 0o700);
    }
    checkFront(t, daemon, ['get', 'n'], 'v');
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
    checkFront(t, daemon, ['get', 'n'], null, { env: { WHAT: `${path} ${loose.toString(8)}` } });
    chmodSync(path, tight);
  }
  for (const path of [session, told]) {
    renameSync(path, `${path}.real`);
    checkFront(t, daemon, ['get', 'n'], null);
    symlinkSync(`${path}.real`, path);
    checkFront(t, daemon, ['get', 'n'], null);
    rmSync(path);
    mkdirSync(path);
    checkFront(t, daemon, ['get', 'n'], null);
    rmSync(path, { recursive: true });
    renameSync(`${path}.real`, path);
  }
  checkFront(t, daemon, ['get', 'n'], 'v');
  const asOther = spawnSync('chown', ['1234', told]).status === 0;
  if (asOther) {
    checkFront(t, daemon, ['get', 'n'], null);
    chmodSync(told, 0o600);
    spawnSync('chown', [String(process.getuid?.()), told]);
  }
});

t.test('get > another socket in the place of the daemon’s > nothing is sent there', { skip }, async (t) => {
  const daemon = await startDaemon(t, { token: false });
  await mav(daemon, ['set', 'n', '--value', 'v']);
  const { socket } = daemon;
  checkFront(t, daemon, ['get', 'n'], 'v');
  const told = readFileSync(`${socket}.session-path`, 'utf8');
  await sleep(1_100);
  // What chown does too: it is not quite the socket any more that the daemon has made.
  chmodSync(socket, 0o600);
  checkFront(t, daemon, ['get', 'n'], null);
  for (const second of ['', '\n', '1:1\n', '*\n', '??????:*\n', '1 1\n', `${told.split('\n')[1]} \\\n`]) {
    writeFileSync(`${socket}.session-path`, `${socket}.session\n${second}`);
    checkFront(t, daemon, ['get', 'n'], null);
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
    checkFront(t, daemon, ['get', 'n'], null);
  }
});
