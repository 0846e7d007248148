/** The daemon as a process: one owner, safe places only, its session token, and how it starts and stops. */
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { listenAt } from '../src/daemon/socket.ts';
import { leaveSocket } from './fixtures/dead-socket.ts';
import { RawConnection, waitUntil } from './fixtures/raw.ts';
import {
  ask,
  BIN,
  createSandbox,
  finished,
  mav,
  type Sandbox,
  spawnMav,
  startDaemon,
} from './fixtures/vault.ts';

const isRoot = process.geteuid?.() === 0;
const MAX_SOCKET_PATH = process.platform === 'linux' ? 107 : 103;
/** Signals, sockets and modes are POSIX. */
t.jobs = 3;

const modeOf = (path: string) => (lstatSync(path).mode & 0o777).toString(8);
const isAnswering = async (socket: string) => (await ask(socket, 'GET', '/v1/health')).status === 200;

/** A refusal to start: exit code 1 and one line that says this. */
/** Where another user may have a hand in it, what is done is not allowed. */
const codeOf = (says: RegExp) => (/other users|another user|symbolic link/.test(says.source) ? 4 : 1);

async function refuses(t: Test, sandbox: Sandbox, says: RegExp, args: readonly string[] = []): Promise<void> {
  const run = await mav(sandbox, ['serve', ...args]);
  t.equal(run.code, codeOf(says), 'exit code');
  t.equal(run.stdout, '', 'nothing on standard output');
  t.match(run.stderr, says, 'the reason');
  t.match(run.stderr, /^mav: [^\n]+\n$/, 'one line');
}

t.test('serve > the vault is served already > says who holds it, and harms nothing', async (t) => {
  const daemon = await startDaemon(t);
  const before = lstatSync(daemon.socket).ino;
  await refuses(
    t,
    daemon,
    new RegExp(`${daemon.home} is held by \`mav serve\`, process ${daemon.child.pid}, since `),
  );
  await refuses(t, daemon, /is held by/, ['--socket', join(daemon.folder, 'other.sock')]);
  t.equal(lstatSync(daemon.socket).ino, before, 'the socket is the same');
  t.notOk(existsSync(join(daemon.folder, 'other.sock')), 'no second socket');
  t.equal((await daemon.ask('GET', '/v1/secrets')).status, 200);
  const token = await mav(daemon, ['token', 'list']);
  t.equal(token.code, 0, 'the session token still works');
});

t.test('serve > killed, then started six times at once > exactly one takes the socket over', async (t) => {
  const killed = await startDaemon(t);
  await killed.stop('SIGKILL');
  t.ok(lstatSync(killed.socket).isSocket(), 'a stale socket lies there');
  const runs = Array.from({ length: 6 }, () =>
    spawnMav(killed, ['serve'], { stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  t.teardown(() => {
    for (const run of runs) run.kill('SIGTERM');
  });
  const ends = runs.map((run) => finished(run));
  const serving = () => runs.filter((run) => run.exitCode === null && run.signalCode === null);
  await waitUntil(() => serving().length === 1);
  const [winner] = serving();
  await waitUntil(() => isAnswering(killed.socket).catch(() => false));
  await ask(killed.socket, 'GET', '/v1/health', { headers: { 'X-Request-Id': 'which-one' } });
  t.equal((await killed.ask('GET', '/v1/info')).status, 200, 'it has the vault open');
  winner?.kill('SIGTERM');
  const results = await Promise.all(ends);
  const won = results[winner === undefined ? -1 : runs.indexOf(winner)];
  t.match(won?.stderr, /which-one/, 'the socket was the live one’s');
  t.equal(won?.code, 0);
  for (const lost of results.filter((result) => result !== won)) {
    t.equal(lost.code, 1);
    t.match(lost.stderr, /^mav: the vault in \S+ is held by [^\n]+\n$/);
  }
  t.notOk(existsSync(killed.socket), 'and it is gone with it');
});

t.test('serve > --socket is the live socket of another vault > refused, and left alone', async (t) => {
  const [first, second] = [await startDaemon(t), createSandbox(t)];
  await mav(second, ['init', '--key-store', 'file']);
  const before = lstatSync(first.socket).ino;
  await refuses(t, second, new RegExp(`listening on ${first.socket}; choose another --socket`), [
    '--socket',
    first.socket,
  ]);
  t.equal(lstatSync(first.socket).ino, before);
  t.ok(await isAnswering(first.socket));
  t.notOk(existsSync(join(second.home, 'owner.json')), 'nothing is held');
  t.equal((await mav(second, ['token', 'list'])).code, 0, 'and nothing locked');
});

t.test('listenAt > two vaults want the same place at once > one has it, the other is told', async (t) => {
  const { folder } = createSandbox(t);
  const places: Record<string, (path: string) => Promise<void>> = {
    free: async () => {},
    dead: leaveSocket,
  };
  for (const [name, prepare] of Object.entries(places)) {
    const path = join(folder, name);
    await prepare(path);
    const servers = Array.from({ length: 4 }, (_, index) => createHttpServer((_, to) => to.end(`${index}`)));
    t.teardown(() => servers.map((server) => server.close()));
    const attempts = await Promise.allSettled(servers.map((server) => listenAt(server, path)));
    const winners = attempts.flatMap(({ status }, index) => (status === 'fulfilled' ? [`${index}`] : []));
    t.same(winners, [(await ask(path, 'GET', '/')).text], `${name}: one has it`);
    for (const attempt of attempts)
      if (attempt.status === 'rejected') t.match(attempt.reason, /another program is listening/);
  }
  t.same(readdirSync(folder).sort(), ['dead', 'free', 'home'], 'and nothing lies beside them');
});

t.test('serve > something else lies at the socket’s path > refused, and left alone', async (t) => {
  const sandbox = createSandbox(t);
  await mav(sandbox, ['init', '--key-store', 'file']);
  const target = join(sandbox.folder, 'target');
  writeFileSync(target, 'kept');
  const places: Record<string, (path: string) => void> = {
    file: (path) => writeFileSync(path, 'kept'),
    folder: (path) => mkdirSync(path),
    link: (path) => symlinkSync(target, path),
    'dangling-link': (path) => symlinkSync('/nonexistent', path),
  };
  for (const [name, make] of Object.entries(places)) {
    const path = join(sandbox.folder, name);
    make(path);
    const before = lstatSync(path);
    await refuses(t, sandbox, new RegExp(`${path} exists and is not a socket; move it away`), [
      '--socket',
      path,
    ]);
    t.match(lstatSync(path), { ino: before.ino, mode: before.mode, size: before.size }, name);
  }
  t.equal(readFileSync(target, 'utf8'), 'kept');
});

t.test(
  'serve > a dead socket of another user lies there > refused, and left alone',
  { skip: isRoot ? false : 'only root can give a file away' },
  async (t) => {
    const sandbox = createSandbox(t);
    await mav(sandbox, ['init', '--key-store', 'file']);
    await leaveSocket(sandbox.socket);
    chownSync(sandbox.socket, 65534, 65534);
    const before = lstatSync(sandbox.socket).ino;
    await refuses(t, sandbox, new RegExp(`${sandbox.socket} belongs to another user \\(uid 65534\\)`));
    t.equal(lstatSync(sandbox.socket).ino, before);
  },
);

t.test('serve > the socket’s place is unusable > refused with the place and the remedy', async (t) => {
  const sandbox = createSandbox(t);
  await mav(sandbox, ['init', '--key-store', 'file']);
  const folder = (name: string, mode = 0o700) => {
    const path = join(sandbox.folder, name);
    mkdirSync(path, { mode: 0o700 });
    chmodSync(path, mode);
    return path;
  };
  const open = folder('open', 0o777);
  const linked = join(sandbox.folder, 'linked');
  symlinkSync(folder('real'), linked);
  const fill = (size: number) => folder('x'.repeat(size - Buffer.byteLength(sandbox.folder) - 1));
  const cases: [name: string, socket: string, says: RegExp][] = [
    [
      'too long',
      join(sandbox.folder, 's'.repeat(MAX_SOCKET_PATH)),
      /takes \d+ bytes .*allows 10\d; choose a shorter --socket/,
    ],
    // The last byte of the path: the draft of the socket has a longer name.
    ['no room beside it', join(fill(MAX_SOCKET_PATH - 2), 's'), /choose a shorter --socket/],
    [
      'no folder',
      join(sandbox.folder, 'none', 's'),
      new RegExp(`${sandbox.folder}/none is not there; make it`),
    ],
    [
      'folder is a file',
      join(sandbox.databasePath, 's'),
      new RegExp(`${sandbox.databasePath} is not a folder`),
    ],
    [
      'folder open to others',
      join(open, 's'),
      new RegExp(`${open} can be written by other users; run: chmod go-w ${open}`),
    ],
    ['folder is a link', join(linked, 's'), new RegExp(`${linked} is a symbolic link`)],
  ];
  for (const [name, socket, says] of cases) {
    await t.test(name, (t) => refuses(t, sandbox, says, ['--socket', socket]));
  }
});

t.test('serve > a socket path of exactly the system’s limit > served', async (t) => {
  const sandbox = createSandbox(t);
  const socket = join(sandbox.folder, 's'.repeat(MAX_SOCKET_PATH - Buffer.byteLength(sandbox.folder) - 1));
  await startDaemon(t, { sandbox: { ...sandbox, socket, env: { ...sandbox.env, MAV_SOCKET: socket } } });
  t.ok(await isAnswering(socket));
});

t.test(
  'serve, token list > the vault’s folder or file is unsafe > refused, and nothing is changed',
  async (t) => {
    const cases: [name: string, says: string, make: (sandbox: Sandbox) => void, needsRoot?: true][] = [
      [
        'folder is a link',
        'HOME is a symbolic link; use the real folder',
        ({ home, folder }) => symlinkSync(join(folder, 'home'), home),
      ],
      [
        'folder open to others',
        'HOME is open to other users; run: chmod 700 HOME',
        ({ home }) => chmodSync(home, 0o755),
      ],
      [
        'folder searchable by the group',
        'HOME is open to other users; run: chmod 700 HOME',
        ({ home }) => chmodSync(home, 0o710),
      ],
      [
        'folder of another user',
        'HOME belongs to another user \\(uid 65534\\); use a folder of your own',
        ({ home }) => chownSync(home, 65534, 65534),
        true,
      ],
      ['folder is a file', 'HOME is not a folder', ({ home }) => writeFileSync(home, '')],
      [
        'database is a link',
        'HOME/vault.db is a symbolic link; use the real file',
        ({ databasePath }) => symlinkSync('/nonexistent', databasePath),
      ],
      [
        'database readable by others',
        'HOME/vault.db is open to other users; run: chmod 600 HOME/vault.db',
        ({ databasePath }) => {
          writeFileSync(databasePath, '');
          chmodSync(databasePath, 0o644);
        },
      ],
      [
        'database of another user',
        'HOME/vault.db belongs to another user',
        ({ databasePath }) => {
          writeFileSync(databasePath, '', { mode: 0o600 });
          chownSync(databasePath, 65534, 65534);
        },
        true,
      ],
      [
        'log of the database is a link',
        'HOME/vault.db-wal is a symbolic link',
        ({ databasePath }) => symlinkSync('/nonexistent', `${databasePath}-wal`),
      ],
      [
        'word of the owner is no file',
        'HOME/owner.json is not a file',
        ({ home }) => mkdirSync(join(home, 'owner.json')),
      ],
      [
        'lock is a link',
        'HOME/owner.lock is a symbolic link',
        ({ home, folder }) => symlinkSync(join(folder, 'elsewhere'), join(home, 'owner.lock')),
      ],
    ];
    for (const [name, says, make, needsRoot] of cases) {
      await t.test(
        name,
        { skip: needsRoot && !isRoot ? 'only root can give a file away' : false },
        async (t) => {
          const sandbox = createSandbox(t);
          if (!['folder is a link', 'folder is a file'].includes(name))
            mkdirSync(sandbox.home, { mode: 0o700 });
          make(sandbox);
          const before = [modeOf(sandbox.home), existsSync(sandbox.databasePath)];
          const reason = new RegExp(says.replaceAll('HOME', sandbox.home));
          await refuses(t, sandbox, reason);
          const list = await mav(sandbox, ['token', 'list']);
          t.match(list, { code: codeOf(reason), stderr: reason });
          t.same([modeOf(sandbox.home), existsSync(sandbox.databasePath)], before, 'nothing was changed');
        },
      );
    }
  },
);

t.test('init, serve > under umask 000 > every file and folder is closed to others', async (t) => {
  const under = ['/bin/sh', '-c', 'umask 000; exec "$@"', 'sh'];
  const sandbox = createSandbox(t);
  const [shell = '', ...args] = under;
  const { spawn } = await import('node:child_process');
  const init = spawn(shell, [...args, process.execPath, BIN, 'init', '--key-store', 'file'], {
    env: sandbox.env,
  });
  t.equal((await finished(init)).code, 0);
  const daemon = await startDaemon(t, { sandbox, init: null, under });
  await daemon.ask('PUT', '/v1/secrets/a', { body: { value: 'x' } });
  t.equal(modeOf(daemon.home), '700');
  const modes = Object.fromEntries(
    readdirSync(daemon.home).map((name) => [name, modeOf(join(daemon.home, name))]),
  );
  t.same(modes, {
    'maestrovault.sock': '600',
    'maestrovault.sock.session': '600',
    'owner.json': '600',
    'owner.lock': '600',
    'owner.lock-journal': '600',
    'vault.db': '600',
    'vault.db-shm': '600',
    'vault.db-wal': '600',
  });
});

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
  await mav(bare, ['init', '--key-store', 'file']);
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
    await mav(bare, ['init', '--key-store', 'file']);
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

/** A PUT whose body's last part is still to come. */
async function beginUpload(
  socket: string,
  token: string,
  name: string,
): Promise<{ connection: RawConnection; finish: () => void }> {
  const body = `{"value":"${'v'.repeat(5_000)}"}`;
  const connection = await RawConnection.open(socket);
  connection.write(
    `PUT /v1/secrets/${name} HTTP/1.1\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  connection.write(body.slice(0, 100));
  // Another connection's answer: by then the daemon has seen what was sent before.
  await ask(socket, 'GET', '/v1/health');
  await ask(socket, 'GET', '/v1/health');
  return { connection, finish: () => connection.write(body.slice(100)) };
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(
    `${signal} > a body is being uploaded > it is stored and answered, then nothing is left`,
    async (t) => {
      const daemon = await startDaemon(t);
      const idle = await RawConnection.open(daemon.socket);
      idle.write('GET /v1/health HTTP/1.1\r\n\r\n');
      await idle.waitFor(1);
      const upload = await beginUpload(daemon.socket, daemon.admin, 'late');
      const startedAt = performance.now();
      const ended = daemon.stop(signal);
      await waitUntil(() => !existsSync(daemon.socket));
      await idle.waitForEnd();
      t.notOk(existsSync(`${daemon.socket}.session`), 'the session token is gone');
      await t.rejects(ask(daemon.socket, 'GET', '/v1/health'), 'nobody finds it any more');
      upload.finish();
      t.match(await upload.connection.waitFor(1), [{ status: 201 }]);
      const { code, signal: endSignal } = await ended;
      t.match([code, endSignal], [0, null]);
      t.ok(performance.now() - startedAt < 4_000, 'it did not wait for its time to be up');
      t.same(
        readdirSync(daemon.home).sort(),
        ['owner.lock', 'vault.db'],
        'and the database is whole by itself',
      );
      const again = await startDaemon(t, { sandbox: daemon, init: null });
      t.match(await again.ask('GET', '/v1/secrets/late'), { status: 200 });
    },
  );
}

t.test('SIGTERM > a request never ends > bounded, exit code 0', async (t) => {
  const daemon = await startDaemon(t);
  const { connection } = await beginUpload(daemon.socket, daemon.admin, 'never');
  const startedAt = performance.now();
  const { code } = await daemon.stop();
  t.equal(code, 0);
  t.ok(performance.now() - startedAt < 9_000);
  connection.close();
});

t.test('SIGTERM twice > a request is under way > ends at once', async (t) => {
  const daemon = await startDaemon(t);
  const { connection } = await beginUpload(daemon.socket, daemon.admin, 'never');
  const startedAt = performance.now();
  daemon.child.kill('SIGTERM');
  await waitUntil(() => !existsSync(daemon.socket));
  const { code } = await daemon.stop('SIGTERM');
  t.equal(code, 1);
  t.ok(performance.now() - startedAt < 3_000);
  t.notOk(existsSync(`${daemon.socket}.session`));
  connection.close();
});

t.test('SIGTERM > another socket lies at the path by now > it is left alone', async (t) => {
  const daemon = await startDaemon(t);
  const { rmSync } = await import('node:fs');
  rmSync(daemon.socket);
  const other = createServer().listen(daemon.socket);
  t.teardown(() => other.close());
  await waitUntil(() => existsSync(daemon.socket));
  t.equal((await daemon.stop()).code, 0);
  t.ok(lstatSync(daemon.socket).isSocket());
});

t.test('serve > standard error is closed > it goes on serving', async (t) => {
  const sandbox = createSandbox(t);
  await mav(sandbox, ['init', '--key-store', 'file']);
  const child = spawnMav(sandbox, ['serve'], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  await new Promise((resolve) => child.stderr?.once('data', resolve));
  child.stdout?.destroy();
  child.stderr?.destroy();
  for (let count = 0; count < 20; count++) await ask(sandbox.socket, 'GET', '/v1/health');
  await sleep(50);
  t.ok(await isAnswering(sandbox.socket));
  const ended = finished(child);
  child.kill('SIGTERM');
  t.equal((await ended).code, 0);
});

t.test('serve > no vault > says how to make one, and leaves nothing behind', async (t) => {
  const sandbox = createSandbox(t);
  await refuses(t, sandbox, /there is no vault at \S+vault\.db; make one: mav init/);
  t.notOk(existsSync(sandbox.home));
});

t.test('serve > a short command has the vault just now > waits its turn', async (t) => {
  const sandbox = createSandbox(t);
  await mav(sandbox, ['init', '--key-store', 'file']);
  const lock = new Database(join(sandbox.home, 'owner.lock'));
  lock.exec('BEGIN EXCLUSIVE');
  const release = setTimeout(() => lock.close(), 1_500);
  t.teardown(() => clearTimeout(release));
  const daemon = await startDaemon(t, { sandbox, init: null, token: false });
  t.notOk(lock.open, 'not before');
  const second = await mav(sandbox, ['serve']);
  t.match(second, { code: 1, stderr: /is held by `mav serve`/ }, 'another daemon is not waited for');
  t.equal((await daemon.stop()).code, 0);
});
