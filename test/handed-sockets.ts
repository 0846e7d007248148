/** Sockets that a service manager hands to the daemon, and what it makes of them. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { takeHandedSocket } from '../src/daemon/activation.ts';
import { takeNotify } from '../src/daemon/readiness.ts';
import { ask } from './fixtures/ask.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { notLinux, skipWithout } from './fixtures/programs.ts';
import { waitUntil } from './fixtures/raw.ts';
import {
  BIN,
  createPassphraseVault,
  createSandbox,
  createVault,
  type Finished,
  finished,
  mav,
  type Sandbox,
} from './fixtures/vault.ts';

t.setTimeout(550_000);

/** The daemon, to be started by systemd for the first connection to one of `addresses`. */
function activate(
  t: Test,
  { env, folder }: Sandbox,
  addresses: readonly string[],
  ...flags: string[]
): { child: ChildProcess; ended: Promise<Finished> } {
  const listen = addresses.map((address) => `--listen=${address}`);
  const pass = Object.keys(env).map((name) => `--setenv=${name}`);
  const command = [process.execPath, BIN, 'serve'];
  const child = spawn('systemd-socket-activate', [...listen, ...pass, ...flags, ...command], {
    env,
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = finished(child);
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, ended };
}

/** Whether somebody listens there. A socket is there before it listens, and then refuses connections. */
function isListening(path: string): boolean {
  const sockets = readFileSync('/proc/net/unix', 'utf8').split('\n');
  const ours = sockets.filter((line) => line.endsWith(` ${path}`));
  // proc_net(5): the flags are the fourth column, and this one is __SO_ACCEPTCON.
  return ours.some((line) => line.split(/\s+/)[3] === '00010000');
}

const noActivation = skipWithout('systemd-socket-activate');

t.test(
  'serve > its socket was handed over > the first request starts it',
  { skip: noActivation },
  async (t) => {
    const sandbox = await createVault(t);
    const { child, ended } = activate(t, sandbox, [sandbox.socket]);
    await waitUntil(() => isListening(sandbox.socket));
    const before = lstatSync(sandbox.socket);
    t.notOk(existsSync(join(sandbox.home, 'owner.json')), 'not started yet');
    // All at once, and before there is anybody to answer.
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => ask(sandbox.socket, 'GET', '/v1/health')),
    );
    t.same(new Set(answers.map(({ status, json }) => `${status} ${json.status}`)), new Set(['200 ok']));
    t.ok(existsSync(`${sandbox.socket}.session`), 'the session token is beside the socket');
    t.match(await mav(sandbox, ['serve']), { code: 1, stderr: /is held by `mav serve`, process \d+/ });
    child.kill('SIGTERM');
    t.equal((await ended).code, 0);
    t.match(
      lstatSync(sandbox.socket),
      { ino: before.ino, mode: before.mode },
      'the socket is not ours to remove',
    );
    t.same(readdirSync(sandbox.home).sort(), ['audit', 'maestrovault.sock', 'owner.lock', 'vault.db']);
  },
);

for (const place of ['beside the socket', 'in the runtime folder']) {
  t.test(
    `token list > its connection starts the daemon, session token ${place} > is answered`,
    { skip: noActivation },
    async (t) => {
      const sandbox = await createVault(t);
      if (place === 'in the runtime folder') {
        sandbox.env.XDG_RUNTIME_DIR = join(sandbox.folder, 'run');
        mkdirSync(sandbox.env.XDG_RUNTIME_DIR, { mode: 0o700 });
      }
      const { child, ended } = activate(t, sandbox, [sandbox.socket]);
      await waitUntil(() => isListening(sandbox.socket));
      t.match(await mav(sandbox, ['token', 'list']), { code: 0, stdout: '[]\n', stderr: '' });
      child.kill('SIGTERM');
      const { code, stderr } = await ended;
      t.equal(code, 0);
      t.match(stderr, '"route":"/v1/tokens"', 'it was the daemon that answered');
    },
  );
}

t.test(
  'serve > its socket was handed over > a vault under a passphrase is sealed until unsealed',
  { skip: noActivation },
  async (t) => {
    const sandbox = await createPassphraseVault(t);
    const passphrase = ['--passphrase-file', sandbox.passphraseFile];
    activate(t, sandbox, [sandbox.socket]);
    await waitUntil(() => isListening(sandbox.socket));
    t.equal((await mav(sandbox, ['status'])).code, 5);
    t.equal((await mav(sandbox, ['unseal', ...passphrase])).code, 0);
    t.equal((await mav(sandbox, ['status'])).code, 0);
  },
);

t.test(
  'serve > what was handed over is not the vault’s socket > refused, and why',
  { skip: noActivation },
  async (t) => {
    const sandbox = await createVault(t);
    const other = join(sandbox.folder, 'other.sock');
    const port = await findFreePort();
    const cases: [name: string, addresses: string[], flags: string[], says: RegExp][] = [
      ['two sockets', [sandbox.socket, other], [], /handed over 2 sockets; .*one ListenStream= only/],
      [
        'a TCP socket',
        [`127.0.0.1:${port}`],
        [],
        /is not a listening Unix stream socket; .*ListenStream=\S+/,
      ],
      ['a datagram socket', [sandbox.socket], ['--datagram'], /is not a listening Unix stream socket/],
      [
        'another path',
        [other],
        [],
        /listens on \S+other\.sock, but this vault's socket is \S+maestrovault\.sock/,
      ],
    ];
    for (const [name, addresses, flags, says] of cases) {
      await t.test(name, async (t) => {
        rmSync(sandbox.socket, { force: true });
        const { ended } = activate(t, sandbox, addresses, ...flags);
        knock(addresses[0] ?? '', flags.length > 0);
        const { code, stdout, stderr } = await ended;
        t.equal(code, 1);
        t.equal(stdout, '');
        t.match(stderr, says);
        t.match(stderr, /\nmav: [^\n]+\n$/, 'one line of ours');
        t.notOk(existsSync(join(sandbox.home, 'owner.json')), 'nothing is held');
      });
    }
    await t.test('a socket that others may connect to', async (t) => {
      rmSync(sandbox.socket, { force: true });
      const { ended } = activate(t, sandbox, [sandbox.socket]);
      await waitUntil(() => isListening(sandbox.socket));
      chmodSync(sandbox.socket, 0o666);
      await t.rejects(ask(sandbox.socket, 'GET', '/v1/health'));
      t.match(await ended, { code: 4, stderr: /is open to other users; .*SocketMode=0600/ });
    });
  },
);

t.test(
  'serve > its socket was handed over, and there is no vault > says how to make one',
  { skip: noActivation },
  async (t) => {
    const sandbox = createSandbox(t);
    mkdirSync(sandbox.home, { mode: 0o700 });
    const { ended } = activate(t, sandbox, [sandbox.socket]);
    await waitUntil(() => isListening(sandbox.socket));
    await t.rejects(ask(sandbox.socket, 'GET', '/v1/health'));
    t.match(await ended, {
      code: 1,
      stderr: /mav: there is no vault at \S+vault\.db; make one: mav init\n$/,
    });
  },
);

/** A free port of the loopback interface; free a moment ago, at least. */
async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Sends bytes to the address, of any kind, which gives the listener a reason to start. */
function knock(address: string, isDatagram: boolean): void {
  const program = `
import socket, sys, time
address, kind = sys.argv[1], socket.SOCK_DGRAM if sys.argv[2] == 'true' else socket.SOCK_STREAM
family = socket.AF_UNIX if address.startswith('/') else socket.AF_INET
where = address if family == socket.AF_UNIX else ('127.0.0.1', int(address.split(':')[1]))
for attempt in range(600):
    try:
        s = socket.socket(family, kind); s.connect(where); s.send(b'x'); break
    except OSError:
        time.sleep(0.05)`;
  spawnSync('python3', ['-c', program, address, String(isDatagram)]);
}

t.test(
  'serve > LISTEN_FDS is wrong, or another process’s > refused, or ignored',
  { skip: notLinux },
  async (t) => {
    const sandbox = await createVault(t);
    const start = (variables: string, redirect = '') =>
      finished(
        spawn('sh', ['-c', `${variables} exec "$@" ${redirect}`, 'sh', process.execPath, BIN, 'serve'], {
          env: sandbox.env,
          cwd: sandbox.folder,
        }),
      );
    const refused: [variables: string, redirect: string, says: RegExp][] = [
      ['LISTEN_PID=$$ LISTEN_FDS=1', '3</dev/null', /is not a listening Unix stream socket/],
      ['LISTEN_PID=$$ LISTEN_FDS=1', '3<&-', /is not a listening Unix stream socket/],
      ['LISTEN_PID=$$ LISTEN_FDS=1x', '', /LISTEN_FDS is not a number/],
      ['LISTEN_PID=$$ LISTEN_FDS=-1', '', /LISTEN_FDS is not a number/],
      ['LISTEN_PID=$$ LISTEN_FDS=3', '', /handed over 3 sockets/],
    ];
    for (const [variables, redirect, says] of refused) {
      const ended = await start(variables, redirect);
      t.match(ended, { code: 1, stdout: '', stderr: says }, `${variables} ${redirect}`);
      t.match(ended.stderr, /^mav: [^\n]+\n$/);
    }
    for (const env of [{ LISTEN_FDS: '1', LISTEN_PID: '1' }, { LISTEN_FDS: '1' }]) {
      const daemon = await startDaemon(t, {
        sandbox: { ...sandbox, env: { ...sandbox.env, ...env } },
        init: null,
      });
      t.equal((await daemon.ask('GET', '/v1/secrets')).status, 200);
      t.equal((await daemon.stop()).code, 0);
      t.notOk(existsSync(sandbox.socket), 'its own socket, which it removes');
    }
  },
);

t.test('environment > of a service manager > is not passed on', async (t) => {
  const env: NodeJS.ProcessEnv = {
    LISTEN_FDS: '1',
    LISTEN_PID: '1',
    LISTEN_FDNAMES: 'maestrovault.socket',
    LISTEN_PIDFDID: '7',
    NOTIFY_SOCKET: '/nonexistent',
    HOME: '/home/me',
  };
  t.equal(takeHandedSocket(env, '/nonexistent'), null);
  takeNotify(env, () => {});
  t.same(env, { HOME: '/home/me' });
  t.equal(takeHandedSocket({ LISTEN_FDS: '0', LISTEN_PID: String(process.pid) }, '/nonexistent'), null);
});
