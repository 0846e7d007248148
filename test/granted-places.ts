/** The places that the closed daemon may open: as few as it needs, and what it says of them. */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { planGrants } from '../src/daemon/permissions.ts';
import { locateHome } from '../src/places/home.ts';
import { ATTEMPTS, attempt, createBareSandbox, skip } from './fixtures/closed-process.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { mav } from './fixtures/vault.ts';

t.setTimeout(300_000);

t.test(
  'serve > folders that Node takes for each other > opens those alone, and says so',
  { skip },
  async (t) => {
    const sandbox = createBareSandbox(t);
    const beside = `${sandbox.home}2`;
    mkdirSync(beside, { mode: 0o700 });
    const socket = join(beside, 's');
    const daemon = await startDaemon(t, {
      sandbox: { ...sandbox, socket },
      serve: ['--socket', socket],
      token: false,
      inside: ATTEMPTS,
    });
    const words = `lets the daemon read and write ${sandbox.home}*: one of its folders`;
    t.match(
      daemon.log().filter(({ detail }) => detail?.includes(words)),
      { length: 1 },
    );
    const doctor = await mav(daemon, ['doctor', '--socket', socket]);
    t.match(doctor.stdout, `missing: no files outside (Node); Node's permission model ${words}`);
    t.notMatch(doctor.stdout, 'Node 26.1 or newer', 'which would not help');
    const { found } = await attempt(t, daemon);
    const opened = Object.entries(found).filter(([, outcome]) => outcome === 'allowed' || outcome === 'done');
    t.same(opened, [], 'what begins otherwise stays closed');
  },
);

t.test('serve > Node opens more for reading only > is told', { skip }, async (t) => {
  const sandbox = createBareSandbox(t);
  const runtime = sandbox.home.slice(0, -2);
  mkdirSync(runtime, { mode: 0o700 });
  const env = { ...sandbox.env, XDG_RUNTIME_DIR: runtime };
  const daemon = await startDaemon(t, { sandbox: { ...sandbox, env }, token: false });
  const words = `lets the daemon read ${runtime}*: one of its folders`;
  t.ok(daemon.log().some(({ detail }) => detail?.includes(words)));
  t.match(
    (await mav(daemon, ['doctor'])).stdout,
    `missing: no files outside (Node); Node's permission model ${words}`,
  );
});

t.test('serve > its socket in the user’s home itself > is told, with what to do', { skip }, async (t) => {
  const sandbox = createBareSandbox(t);
  const socket = ['--socket', join(sandbox.env.HOME ?? '', 's')];
  const says = `the kernel lets the daemon reach all of ${sandbox.env.HOME}: `;
  const daemon = await startDaemon(t, { sandbox, serve: socket, token: false });
  t.equal(daemon.log().filter(({ detail }) => detail?.startsWith(says)).length, 1);
  const doctor = await mav(daemon, ['doctor', ...socket]);
  t.match(doctor.stdout, `missing: your home closed (kernel); ${says}`);
  t.notMatch(doctor.stdout, /Linux 5\.13/);
  await daemon.stop();
  const closed = await startDaemon(t, { sandbox, init: null, token: false });
  t.same(
    closed.log().filter(({ detail }) => detail?.startsWith(says)),
    [],
  );
});

t.test('serve --init > below folders that are yet to be made > nothing is widened', { skip }, async (t) => {
  const sandbox = createBareSandbox(t);
  const home = join(sandbox.folder, 'new', 'deep', 'vault');
  const made = {
    ...sandbox,
    home,
    socket: join(home, 'maestrovault.sock'),
    env: { ...sandbox.env, MAV_HOME: home },
  };
  const serve = ['--init', '--key-store', 'file'];
  const daemon = await startDaemon(t, { sandbox: made, init: null, serve, token: false });
  t.match((await mav(daemon, ['doctor'])).stdout, /ok +protections .*no files outside \(Node\)/);
});

t.test('serve --init > refused before anything is asked > leaves no folder behind', { skip }, async (t) => {
  const sandbox = createBareSandbox(t);
  const runtime = join(sandbox.folder, 'run');
  mkdirSync(runtime, { mode: 0o700 });
  const env = { ...sandbox.env, XDG_RUNTIME_DIR: runtime, MAV_HOME: join(sandbox.folder, 'new', 'vault') };
  const list = () => readdirSync(sandbox.folder, { recursive: true }).sort();
  const before = list();
  for (const options of [
    '--key-store nonsense',
    '--key-store passphrase',
    '--key-store file --key-file /nonexistent/key',
    `--key-store file --key-file ${sandbox.env.MAV_HOME}/../new/vault/key`,
    `--key-store file --key-file ${process.execPath}`,
    '--key-store file --socket /nonexistent/sock',
  ]) {
    const { code, stderr } = await mav(sandbox, ['serve', '--init', ...options.split(' ')], { env });
    t.ok(code === 1 || code === 2, `${options}: ${stderr}`);
    t.same(list(), before, options);
  }
});

t.test('planGrants > places within and beside each other > each is granted, and no more', async (t) => {
  const grants = (home: string, socket: string | null, runtime?: string) =>
    planGrants(locateHome({ MAV_HOME: home, HOME: '/h' }, socket), { XDG_RUNTIME_DIR: runtime }, '/code');
  const plain = grants('/h/vault', null, '/run/user/1');
  t.ok(['/code', '/h/vault', '/run/user/1'].every((path) => plain.read.includes(path)));
  t.same(plain.write, ['/h/vault', '/run/user/1/maestrovault']);
  t.ok(plain.atStart.includes('/run/user/1') && !plain.atStart.includes('/h/vault'));
  const within = grants('/run/user/1/vault', '/run/user/1/sock', '/run/user/1');
  t.notOk(within.read.includes('/run/user/1/vault'), 'one grant for both');
  t.notOk(within.atStart.includes('/run/user/1'), 'which is not given up');
  t.same(within.write, ['/run/user/1']);
  // Node 26.10 denies /h/vault itself beside /h/vault2.
  t.same(grants('/h/vault', '/h/vault2/sock').write, ['/h/vault*']);
  t.same(grants('/h/vault2', '/h/vault/sock').write, ['/h/vault*']);
  t.same(grants('/h/vault', '/h/vault/in/sock').write, ['/h/vault']);
  t.same(grants('/h/a*b', null).write, ['/h/a*']);
  t.same(grants('/h/a*b', '/h/abc/sock').write, ['/h/a*']);
  t.same(grants('/h/a*b', '/h/a/sock').write, ['/h/a*']);
  t.match(grants('/code-vault', null), { write: ['/code-vault'], read: ['/code*'] }, 'reading alone');
});
