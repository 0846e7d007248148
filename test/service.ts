/**
 * `mav serve` as a service: a socket and a notification as a service manager has them, and the files that
 * `mav service` writes. What a real manager makes of them is in service-manager.ts.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parse } from 'plist';
import t, { type Test } from 'tap';
import { choosePlatform } from '../src/cli/service/installation.ts';
import { describeLaunchd } from '../src/cli/service/launchd.ts';
import type { Facts, Service } from '../src/cli/service/service.ts';
import { describeSystemd } from '../src/cli/service/systemd.ts';
import { takeHandedSocket } from '../src/daemon/activation.ts';
import { takeNotify } from '../src/daemon/readiness.ts';
import { findMissing, skipWithout } from './fixtures/programs.ts';
import { waitUntil } from './fixtures/raw.ts';
import {
  ask,
  BIN,
  createSandbox,
  type Finished,
  finished,
  mav,
  type Sandbox,
  startDaemon,
} from './fixtures/vault.ts';

t.setTimeout(550_000);

const UNITS = ['maestrovault.socket', 'maestrovault.service'];
/** Whatever a path may have in it, except for what ends a line. */
const ODD = `o d'd "q" 100%h $HOME \${HOME} back\\slash é <&> ;#`;

/** For tap's `skip`. */
const notLinux = process.platform === 'linux' ? false : 'systemd is Linux’s';

async function createVault(t: Test, env: NodeJS.ProcessEnv = {}): Promise<Sandbox> {
  const sandbox = createSandbox(t, env);
  const made = await mav(sandbox, ['init', '--key-store', 'file']);
  if (made.code !== 0) throw new Error(`mav init failed: ${made.stderr}`);
  return sandbox;
}

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

const noActivation = skipWithout('systemd-socket-activate');

t.test(
  'serve > its socket was handed over > the first request starts it',
  { skip: noActivation },
  async (t) => {
    const sandbox = await createVault(t);
    const { child, ended } = activate(t, sandbox, [sandbox.socket]);
    await waitUntil(() => existsSync(sandbox.socket));
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
    t.same(readdirSync(sandbox.home).sort(), ['maestrovault.sock', 'owner.lock', 'vault.db']);
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
      await waitUntil(() => existsSync(sandbox.socket));
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
    const sandbox = createSandbox(t);
    writeFileSync(join(sandbox.folder, 'pass'), 'correct horse battery staple', { mode: 0o600 });
    const passphrase = ['--passphrase-file', join(sandbox.folder, 'pass')];
    await mav(sandbox, ['init', '--key-store', 'passphrase', ...passphrase]);
    activate(t, sandbox, [sandbox.socket]);
    await waitUntil(() => existsSync(sandbox.socket));
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
      await waitUntil(() => existsSync(sandbox.socket));
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
    await waitUntil(() => existsSync(sandbox.socket));
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

/** Gives whoever listens a reason to start: bytes on the address, of whatever kind it is. */
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

/** Receives datagrams, which Node cannot, and prints each as a line. */
async function startReceiver(t: Test, path: string): Promise<() => string[]> {
  const program = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound', flush=True)
while True:
    print(s.recv(4096).decode(), flush=True)`;
  const child = spawn('python3', ['-c', program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let received = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (received += text));
  const ended = finished(child);
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await waitUntil(() => received.startsWith('bound\n'));
  return () => received.split('\n').slice(1, -1);
}

t.test(
  'serve > NOTIFY_SOCKET is set > tells when it listens',
  { skip: skipWithout('python3', 'systemd-notify') },
  async (t) => {
    const sandbox = await createVault(t);
    const notify = join(sandbox.folder, 'notify.sock');
    const received = await startReceiver(t, notify);
    const daemon = await startDaemon(t, {
      sandbox: { ...sandbox, env: { ...sandbox.env, NOTIFY_SOCKET: notify } },
      init: null,
    });
    await waitUntil(() => received().includes('READY=1'));
    t.equal((await daemon.stop()).code, 0);
    t.same(
      received().filter((line) => line !== 'BARRIER=1'),
      ['READY=1'],
    );
  },
);

t.test('serve > nobody can be told that it is ready > serves all the same, and logs it', async (t) => {
  const sandbox = await createVault(t, { NOTIFY_SOCKET: '/nonexistent/notify' });
  const daemon = await startDaemon(t, { sandbox, init: null });
  const warns = () => daemon.log().some(({ detail }) => /was not told READY=1: systemd-notify/.test(detail));
  await waitUntil(warns);
  t.equal((await daemon.ask('GET', '/v1/secrets')).status, 200);
  t.equal((await daemon.stop()).code, 0);
  const said: string[] = [];
  const report = (_event: string, detail: string) => void said.push(detail);
  takeNotify({ NOTIFY_SOCKET: '/nonexistent' }, report, ['/nonexistent/systemd-notify'])();
  t.same(said, ['the service manager was not told READY=1: systemd-notify is not installed']);
  takeNotify({ NOTIFY_SOCKET: '/nonexistent' }, report, ['/dev/null'])();
  await waitUntil(() => said.length === 2);
  t.match(said[1], 'systemd-notify cannot be run, EACCES');
});

/** An installation in a folder of any name. */
function factsIn(folder: string): Facts {
  return {
    command: [join(folder, 'node'), join(folder, 'bin.js'), 'serve'],
    environment: { MAV_HOME: join(folder, 'vault') },
    socketPath: join(folder, 'vault', 'maestrovault.sock'),
    userHome: folder,
    configHome: join(folder, '.config'),
    uid: 501,
  };
}

const contentsOf = ({ files }: Service) =>
  files.map(({ path, content }) => `${path}\n\n${content}`).join('\n');

t.test('service files > a usual installation > are what they were', async (t) => {
  t.matchSnapshot(contentsOf(describeSystemd(factsIn('/home/me'))), 'systemd');
  t.matchSnapshot(contentsOf(describeLaunchd(factsIn('/Users/me'))), 'launchd');
});

t.test(
  'units > whatever is in the paths > systemd takes them',
  { skip: skipWithout('systemd-analyze') },
  async (t) => {
    for (const name of ['usual', ODD, 'with blanks', '$x ${y} $$', '%', 'ünï']) {
      await t.test(name, async (t) => {
        const { folder } = createSandbox(t);
        const facts = factsIn(join(folder, name));
        const { files } = describeSystemd(facts);
        mkdirSync(join(folder, name));
        // It wants to see that the program is there.
        writeFileSync(join(folder, name, 'node'), '', { mode: 0o700 });
        const paths = files.map(({ path, content }) => {
          const place = join(folder, path.slice(path.lastIndexOf('/') + 1));
          writeFileSync(place, content);
          return place;
        });
        const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--user', '--man=no', ...paths], {
          env: { PATH: process.env.PATH, HOME: folder, XDG_RUNTIME_DIR: folder },
          encoding: 'utf8',
        });
        t.same([status, stderr], [0, '']);
      });
    }
  },
);

t.test('units > a socket’s path that no unit can name > is refused', async (t) => {
  for (const end of [' ', '\\'])
    t.throws(
      () => describeSystemd({ ...factsIn('/home/me'), socketPath: `/run/me/sock${end}` }),
      /blank or a backslash/,
    );
});

/** As Python's own library reads a property list: ours was written by the library that `parse` is of. */
function parseByPython(content: string): unknown {
  const program = 'import json, plistlib, sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))';
  return JSON.parse(execFileSync('python3', ['-c', program], { input: content, encoding: 'utf8' }));
}

t.test('agent > whatever is in the paths > launchd’s parser would read them as they are', async (t) => {
  for (const name of ['usual', ODD, ']]> &amp; <!-- -->', 'ünï']) {
    const facts = factsIn(join('/Users', name));
    const [file] = describeLaunchd(facts).files;
    const agent = {
      Label: 'maestrovault.serve',
      ProgramArguments: facts.command,
      EnvironmentVariables: facts.environment,
      RunAtLoad: true,
      KeepAlive: true,
      SoftResourceLimits: { Core: 0 },
      HardResourceLimits: { Core: 0 },
      Umask: 0o077,
      StandardErrorPath: join('/Users', name, 'Library/Logs/maestrovault.log'),
    };
    t.same(parse(file?.content ?? ''), agent);
    if (findMissing('python3').length === 0)
      t.same(parseByPython(file?.content ?? ''), agent, 'by Python too');
  }
  const [plain] = describeLaunchd({ ...factsIn('/Users/me'), environment: {} }).files;
  t.notMatch(plain?.content, 'EnvironmentVariables');
});

/** Everything in a folder, with its modes. */
function listTree(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => `${name} ${lstatSync(join(folder, name)).mode.toString(8)}`)
    .sort();
}

t.test('service --print > every subcommand, both platforms > shows it and changes nothing', async (t) => {
  const sandbox = createSandbox(t);
  const expected: Record<string, Record<string, RegExp>> = {
    linux: {
      install:
        /^# \S+\/\.config\/systemd\/user\/maestrovault\.socket\n[\s\S]*\nsystemctl --user enable --now maestrovault\.socket\n/,
      uninstall: /^systemctl --user disable --now [\s\S]*\nrm -f \S+maestrovault\.socket /,
      start: /\nsystemctl --user start maestrovault\.socket maestrovault\.service\n$/,
      stop: /^systemctl --user stop maestrovault\.socket maestrovault\.service\n$/,
    },
    darwin: {
      install:
        /^# \S+\/Library\/LaunchAgents\/maestrovault\.serve\.plist\n<\?xml [\s\S]*\nlaunchctl bootstrap gui\/\d+ \//,
      uninstall: /^launchctl bootout gui\/\d+\/maestrovault\.serve \|\| true\nrm -f /,
      start: /\nlaunchctl kickstart gui\/\d+\/maestrovault\.serve\n$/,
      stop: /^launchctl bootout gui\/\d+\/maestrovault\.serve/,
    },
  };
  const before = listTree(sandbox.folder);
  for (const [platform, commands] of Object.entries(expected)) {
    for (const [command, shows] of Object.entries(commands)) {
      const run = await mav(sandbox, ['service', command, '--print', '--platform', platform]);
      t.match(run, { code: 0, stderr: '', stdout: shows }, `${command} on ${platform}`);
    }
  }
  t.same(listTree(sandbox.folder), before);
});

t.test('service install --print > names this vault, this program and this Node', async (t) => {
  const sandbox = createSandbox(t);
  const shown = async (env: NodeJS.ProcessEnv) =>
    (
      await mav({ ...sandbox, env: { ...sandbox.env, ...env } }, [
        'service',
        'install',
        '--print',
        '--platform',
        'linux',
      ])
    ).stdout;
  const own = await shown({});
  t.match(own, `ExecStart=":${process.execPath}" "${BIN}" "serve"`);
  t.match(own, `Environment="MAV_HOME=${sandbox.home}"\n`);
  t.match(own, `ListenStream=${sandbox.socket}\n`);
  t.notMatch(own, 'MAV_SOCKET');
  const byDefault = await shown({ MAV_HOME: '', XDG_CONFIG_HOME: 'relative' });
  t.notMatch(byDefault, '\nEnvironment=');
  t.match(byDefault, `ListenStream=${sandbox.env.HOME}/.maestrovault/maestrovault.sock\n`);
  t.match(byDefault, `# ${sandbox.env.HOME}/.config/systemd/user/`, 'a relative XDG_CONFIG_HOME is none');
  const { stdout } = await mav(sandbox, ['service', 'install', '--print', '--passphrase-file', 'pass word']);
  t.match(stdout, `"serve" "--passphrase-file" "${sandbox.folder}/pass word"\n`);
  const elsewhere = await shown({ MAV_SOCKET: '/run/me/vault.sock', XDG_CONFIG_HOME: '/etc/me' });
  t.match(elsewhere, 'Environment="MAV_SOCKET=/run/me/vault.sock"\n');
  t.match(elsewhere, 'ListenStream=/run/me/vault.sock\n');
  t.match(elsewhere, '# /etc/me/systemd/user/maestrovault.service\n');
});

t.test('service > wrong usage, or nothing to do it with > says so', async (t) => {
  const sandbox = createSandbox(t);
  const wrong: [args: string[], code: number, says: string][] = [
    [['install', '--platform', 'linux'], 2, '--platform goes with --print'],
    [['install', '--print', '--platform', 'win32'], 2, '--platform must be one of linux, darwin'],
    [['logs', '--lines', 'many'], 2, '--lines must be a number'],
    [['logs'], 1, 'the service is not installed; install it: mav service install'],
    [['status'], 1, 'the service is not installed'],
    [['start'], 1, 'the service is not installed'],
    [['stop'], 1, 'the service is not installed'],
    [['install'], 1, 'there is no vault at'],
  ];
  for (const [args, code, says] of wrong) {
    const run = await mav(sandbox, ['service', ...args]);
    t.match(run, { code, stdout: '', stderr: says }, args.join(' '));
    t.match(run.stderr, /^mav: [^\n]+\n$/, 'one line');
  }
  const newline = await mav({ ...sandbox, env: { ...sandbox.env, MAV_HOME: '/home/me\nExecStart=x' } }, [
    'service',
    'install',
    '--print',
  ]);
  t.match(newline, {
    code: 1,
    stdout: '',
    stderr: /^mav: a path of this installation has a control character[^\n]+\n$/,
  });
  const none = { text: () => undefined, flag: () => false };
  t.throws(() => choosePlatform(none, 'win32'), {
    exitCode: 1,
    message: /knows systemd \(Linux\) and launchd \(macOS\) only/,
  });
  t.equal(choosePlatform(none, 'darwin'), 'darwin');
});

t.test(
  'service install > no user manager can be reached > files, exit 1 and what to run',
  { skip: notLinux },
  async (t) => {
    const sandbox = await createVault(t);
    const folder = join(sandbox.env.HOME ?? '', '.config/systemd/user');
    const says =
      /mav: the files are written, but systemd's user manager did not start the service; in a login session of yours run: mav service install\n$/;
    for (const env of [{}, { PATH: '/nonexistent' }]) {
      const run = await mav(sandbox, ['service', 'install'], { env });
      t.match(run, { code: 1, stdout: '', stderr: says });
      t.same(readdirSync(folder).sort(), UNITS.toSorted(), 'the two files and no draft');
      for (const unit of UNITS) t.equal(statSync(join(folder, unit)).mode & 0o777, 0o644);
    }
    t.not((await mav(sandbox, ['service', 'status'])).code, 0);
    t.match(await mav(sandbox, ['service', 'logs'], { env: { PATH: '/nonexistent' } }), {
      code: 1,
      stderr: 'journalctl cannot be run',
    });
    // What enabling has left.
    mkdirSync(join(folder, 'sockets.target.wants'));
    symlinkSync(
      join(folder, 'maestrovault.socket'),
      join(folder, 'sockets.target.wants/maestrovault.socket'),
    );
    const removed = await mav(sandbox, ['service', 'uninstall']);
    t.match(removed, {
      code: 0,
      stdout: '',
      stderr: /Removed \S+maestrovault\.service\nWithout systemd's user manager/,
    });
    t.same(
      listTree(folder).filter((line) => line.includes('maestrovault')),
      [],
      'no file and no link of ours',
    );
    t.match(await mav(sandbox, ['service', 'uninstall']), {
      code: 0,
      stderr: 'There is no service of mav here.\n',
    });
    t.ok(existsSync(sandbox.databasePath), 'the vault stays');
  },
);

t.test(
  'service install, uninstall > somebody else’s file is in the place > refused, and left alone',
  { skip: notLinux },
  async (t) => {
    const sandbox = await createVault(t);
    const folder = join(sandbox.env.HOME ?? '', '.config/systemd/user');
    mkdirSync(folder, { recursive: true });
    const place = join(folder, 'maestrovault.service');
    const things: Record<string, () => void> = {
      'a unit by hand': () => writeFileSync(place, '[Service]\nExecStart=/bin/true\n'),
      masked: () => symlinkSync('/dev/null', place),
      'a folder': () => mkdirSync(place),
    };
    for (const [name, make] of Object.entries(things)) {
      rmSync(place, { recursive: true, force: true });
      make();
      const before = lstatSync(place).ino;
      for (const command of ['install', 'uninstall', 'start']) {
        const run = await mav(sandbox, ['service', command]);
        t.match(
          run,
          { code: 1, stderr: `mav: ${place} is there and was not written by mav; move it away first\n` },
          `${name}, ${command}`,
        );
      }
      t.equal(lstatSync(place).ino, before);
      t.same(readdirSync(folder), ['maestrovault.service'], 'nothing was written');
    }
  },
);

t.test(
  'service install > a daemon serves already > refused: it would lose its socket',
  { skip: notLinux },
  async (t) => {
    const daemon = await startDaemon(t);
    const run = await mav(daemon, ['service', 'install']);
    t.match(run, {
      code: 1,
      stderr: `mav: a daemon that is not the service's listens on ${daemon.socket}; stop it first\n`,
    });
    t.notOk(existsSync(join(daemon.env.HOME ?? '', '.config/systemd')));
    t.equal((await daemon.ask('GET', '/v1/secrets')).status, 200);
  },
);

t.test(
  'service install > the daemon would refuse to start > says why instead',
  { skip: notLinux },
  async (t) => {
    const sandbox = await createVault(t);
    const install = (env: NodeJS.ProcessEnv = {}) => mav(sandbox, ['service', 'install'], { env });
    const long = join(sandbox.folder, 's'.repeat(120));
    t.match(await install({ MAV_SOCKET: long }), {
      code: 1,
      stderr: /^mav: the socket's path takes \d+ bytes/,
    });
    const nowhere = join(sandbox.folder, 'none', 'sock');
    t.match(await install({ MAV_SOCKET: nowhere }), {
      code: 1,
      stderr: /^mav: the socket's folder \S+ is not there/,
    });
    chmodSync(sandbox.home, 0o755);
    t.match(await install(), { code: 4, stderr: /^mav: \S+ is open to other users; run: chmod 700 / });
    t.notOk(existsSync(join(sandbox.env.HOME ?? '', '.config/systemd')));
  },
);
