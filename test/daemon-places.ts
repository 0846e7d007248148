/** Where the daemon serves: its socket and folders, and what it refuses there. */
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { codeOf, isAnswering, modeOf, refuses } from './fixtures/daemon-places.ts';
import { leaveSocket } from './fixtures/dead-socket.ts';
import { BIN, createSandbox, fillVault, finished, mav, type Sandbox } from './fixtures/vault.ts';

const isRoot = process.geteuid?.() === 0;

const MAX_SOCKET_PATH = process.platform === 'linux' ? 107 : 103;

/** Signals, sockets and modes are POSIX. */
t.jobs = 3;

t.test('serve > something else lies at the socket’s path > refused, and left alone', async (t) => {
  const sandbox = createSandbox(t);
  await fillVault(sandbox);
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
    await fillVault(sandbox);
    await leaveSocket(sandbox.socket);
    chownSync(sandbox.socket, 65534, 65534);
    const before = lstatSync(sandbox.socket).ino;
    await refuses(t, sandbox, new RegExp(`${sandbox.socket} belongs to another user \\(uid 65534\\)`));
    t.equal(lstatSync(sandbox.socket).ino, before);
  },
);

t.test('serve > the socket’s place is unusable > refused with the place and the remedy', async (t) => {
  const sandbox = createSandbox(t);
  await fillVault(sandbox);
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

/** Makes the vault's folder or a file in it unsafe, and says what the refusal says; HOME is that folder. */
const UNSAFE: readonly (readonly [
  name: string,
  says: string,
  make: (sandbox: Sandbox) => void,
  needsRoot?: true,
])[] = [
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

t.test(
  'serve, token list > the vault’s folder or file is unsafe > refused, and nothing is changed',
  async (t) => {
    for (const [name, says, make, needsRoot] of UNSAFE) {
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
  const names = readdirSync(daemon.home, { recursive: true, encoding: 'utf8' });
  const [segments, others] = [true, false].map((isSegment) =>
    names.filter((name) => name.startsWith('audit/') === isSegment),
  );
  t.ok(segments?.length);
  for (const name of segments ?? []) t.equal(modeOf(join(daemon.home, name)), '600', name);
  const modes = Object.fromEntries((others ?? []).map((name) => [name, modeOf(join(daemon.home, name))]));
  t.same(modes, {
    audit: '700',
    'maestrovault.sock': '600',
    'maestrovault.sock.session': '600',
    'maestrovault.sock.session-path': '600',
    'owner.json': '600',
    'owner.lock': '600',
    'owner.lock-journal': '600',
    'vault.db': '600',
    'vault.db-shm': '600',
    'vault.db-wal': '600',
  });
});
