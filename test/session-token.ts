/** The session token's file: where it lies, and which one a command takes. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { ask } from './fixtures/ask.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { modeOf } from './fixtures/daemon-places.ts';
import { createSandbox, fillVault, mav } from './fixtures/vault.ts';

/** Signals, sockets and modes are POSIX. */
t.jobs = 3;

t.test('session token > in the runtime folder, if that is private; else beside the socket', async (t) => {
  const runtime = (name: string, mode: number) => (folder: string) => {
    mkdirSync(join(folder, name));
    chmodSync(join(folder, name), mode);
    return join(folder, name);
  };
  const cases: [name: string, runtime: (folder: string) => string, isUsed: boolean][] = [
    ['private', runtime('run', 0o700), true],
    ['open to others', runtime('open', 0o755), false],
    ['not there', () => '/nonexistent', false],
    ['relative', (folder) => basename(runtime('relative', 0o700)(folder)), false],
    ['empty', () => '', false],
  ];
  const bare = createSandbox(t);
  await fillVault(bare);
  for (const [name, make, isUsed] of cases) {
    await t.test(name, async (t) => {
      const env = { ...bare.env, XDG_RUNTIME_DIR: make(bare.folder) };
      const daemon = await startDaemon(t, { sandbox: { ...bare, env }, init: null, token: false });
      const place = isUsed ? join(env.XDG_RUNTIME_DIR, 'maestrovault') : daemon.home;
      const found = () => readdirSync(place).filter((file) => file.endsWith('.session'));
      t.equal(found().length, 1);
      t.equal(existsSync(`${daemon.socket}.session`), !isUsed);
      const path = join(place, found()[0] ?? '');
      t.match([modeOf(place), modeOf(path)], ['700', '600']);
      const token = readFileSync(path, 'utf8');
      t.match(await ask(daemon.socket, 'GET', '/v1/status', { token }), { status: 200 });
      t.equal((await daemon.stop()).code, 0);
      t.same(found(), [], 'gone at exit');
      t.notMatch(readdirSync(place), [/\.session/], 'and no draft of it either');
    });
  }
});

t.test('session token > another start > another token, and the old one is worth nothing', async (t) => {
  const daemon = await startDaemon(t);
  const old = readFileSync(`${daemon.socket}.session`, 'utf8');
  await daemon.stop('SIGKILL');
  t.ok(existsSync(`${daemon.socket}.session`), 'a killed daemon leaves its token');
  const next = await startDaemon(t, { sandbox: daemon, init: null });
  t.not(readFileSync(`${next.socket}.session`, 'utf8'), old);
  t.match(await ask(next.socket, 'GET', '/v1/status', { token: old }), { status: 401 });
});

t.test('session token > a command comes to the socket by another path > finds the token', async (t) => {
  const bare = createSandbox(t);
  mkdirSync(join(bare.folder, 'run'), { mode: 0o700 });
  const daemon = await startDaemon(t, {
    sandbox: { ...bare, env: { ...bare.env, XDG_RUNTIME_DIR: join(bare.folder, 'run') } },
  });
  symlinkSync(daemon.home, join(daemon.folder, 'link'));
  const run = await mav(daemon, ['status', '--socket', join(daemon.folder, 'link', 'maestrovault.sock')]);
  t.match(run, { code: 0, stderr: '' });
});

t.test(
  'session token > daemon and command have different runtime folders > found, and gone at exit',
  async (t) => {
    const bare = createSandbox(t);
    const folders = ['', 'one', 'two'].map((name) => join(bare.folder, name));
    for (const folder of folders.slice(1)) mkdirSync(folder, { mode: 0o700 });
    const [none = '', ...both] = folders.map((folder) => (folder === join(bare.folder, '') ? '' : folder));
    await fillVault(bare);
    const elsewhere = join(bare.folder, 'no vault here');
    for (const its of [none, ...both]) {
      const env = { ...bare.env, XDG_RUNTIME_DIR: its };
      const daemon = await startDaemon(t, { sandbox: { ...bare, env }, init: null, token: false });
      for (const ours of [none, ...both]) {
        const command = { env: { XDG_RUNTIME_DIR: ours } };
        t.match(await mav(bare, ['token', 'list'], command), { code: 0, stderr: '' }, `${its} and ${ours}`);
        // Of a daemon of which nothing but the socket is known.
        const other = { env: { ...command.env, MAV_HOME: elsewhere } };
        t.match(await mav(bare, ['token', 'list', '--socket', bare.socket], other), { code: 0, stderr: '' });
      }
      if (its === both[0]) {
        // The next one finds what a killed one left, and has another environment.
        await daemon.stop('SIGKILL');
        continue;
      }
      await daemon.stop();
      t.notOk(readdirSync(bare.home).some((name) => name.includes('session')));
    }
  },
);

t.test('session token > what says where it is can be read by others, or is a link > refused', async (t) => {
  const daemon = await startDaemon(t, { token: false });
  const pointer = `${daemon.socket}.session-path`;
  const token = join(daemon.folder, 'other.session');
  writeFileSync(token, `mvs_${'a'.repeat(64)}`, { mode: 0o600 });
  rmSync(pointer);
  writeFileSync(pointer, token, { mode: 0o644 });
  const open = await mav(daemon, ['token', 'list']);
  t.match(open, { code: 4, stderr: `${pointer} is open to other users; run: chmod 600 ${pointer}` });
  rmSync(pointer);
  writeFileSync(join(daemon.folder, 'pointer'), token, { mode: 0o600 });
  symlinkSync(join(daemon.folder, 'pointer'), pointer);
  const linked = await mav(daemon, ['token', 'list']);
  t.match(linked, { code: 4, stderr: `${pointer} is a symbolic link; use the real file` });
  rmSync(pointer);
  t.match(await mav(daemon, ['token', 'list']), { code: 0 });
});
