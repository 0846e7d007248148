/** The places of a vault: each of its files and folders, made unsafe in every way, is refused and left alone. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { startDaemon } from '../fixtures/daemon.ts';
import { leaveSocket } from '../fixtures/dead-socket.ts';
import { skipWithout } from '../fixtures/programs.ts';
import { checkSealed } from '../fixtures/sealed.ts';
import { createSandbox, mav, type Sandbox } from '../fixtures/vault.ts';

t.setTimeout(300_000);

const STRANGER = 54_321;
const isRoot = process.geteuid?.() === 0;
const OPEN_MODES = [0o010, 0o020, 0o040, 0o001, 0o002, 0o004];

/** Makes what lies at a path unsafe. The original lies beside it then, where it was moved away. */
type Spoil = (path: string) => void;

const aside = (path: string) => join(dirname(path), 'aside');

const SPOILS: Readonly<Record<string, Spoil>> = {
  'a link to it': (path) => {
    renameSync(path, aside(path));
    symlinkSync(aside(path), path);
  },
  'a link to nothing': (path) => {
    renameSync(path, aside(path));
    symlinkSync('/nonexistent', path);
  },
  'a FIFO': (path) => {
    renameSync(path, aside(path));
    execFileSync('mkfifo', ['-m', '600', path]);
  },
  ...(isRoot ? { 'of another user': (path: string) => chownSync(path, STRANGER, STRANGER) } : {}),
  ...Object.fromEntries(
    OPEN_MODES.map((bit): [string, Spoil] => [
      `open by ${bit.toString(8).padStart(3, '0')}`,
      (path) => chmodSync(path, (lstatSync(path).mode & 0o777) | bit),
    ]),
  ),
};

interface Kept extends Sandbox {
  readonly keyFile: string;
}

async function createKept(t: Test): Promise<Kept> {
  const sandbox = createSandbox(t);
  const keys = join(sandbox.folder, 'keys');
  mkdirSync(keys, { mode: 0o700 });
  const keyFile = join(keys, 'root.key');
  const made = await mav(sandbox, ['init', '--key-store', 'file', '--key-file', keyFile]);
  t.equal(made.code, 0, made.stderr);
  return { ...sandbox, keyFile };
}

const describeAll = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const { mode, uid, ino } = lstatSync(join(folder, name));
      return [name, mode, uid, ino];
    });

const PLACES = {
  folder: ({ home }: Kept) => home,
  'word of its owner': ({ home }: Kept) => join(home, 'owner.json'),
  lock: ({ home }: Kept) => join(home, 'owner.lock'),
  database: ({ databasePath }: Kept) => databasePath,
  'log of the database': ({ databasePath }: Kept) => `${databasePath}-wal`,
  'index of that log': ({ databasePath }: Kept) => `${databasePath}-shm`,
};

t.test(
  'serve > folder or database spoiled in any way > refused, nothing is changed',
  { skip: skipWithout('mkfifo') },
  async (t) => {
    let refused = 0;
    for (const [place, locate] of Object.entries(PLACES)) {
      for (const [spoil, make] of Object.entries(SPOILS)) {
        const kept = await createKept(t);
        const path = locate(kept);
        if (!existsSync(path)) writeFileSync(path, '', { mode: 0o600 });
        make(path);
        const before = describeAll(kept.folder);
        const run = await mav(kept, ['serve']);
        const code = spoil === 'a FIFO' ? 1 : 4;
        t.match(run, { code, stdout: '', stderr: /^mav: [^\n]+\n$/ }, `${place}: ${spoil}`);
        t.ok(run.stderr.includes(path), 'the reason names it');
        t.same(describeAll(kept.folder), before, 'nothing was changed');
        refused += 1;
      }
    }
    t.comment(`figure: ${refused} unsafe folders and databases refused`);
  },
);

/** What a key file can be besides, and what the daemon says of each. */
const KEY_FILE_SPOILS: Readonly<Record<string, Spoil>> = {
  ...SPOILS,
  'a folder': (path) => {
    renameSync(path, aside(path));
    mkdirSync(path, { mode: 0o700 });
  },
  'a file of another size': (path) => {
    chmodSync(path, 0o600);
    writeFileSync(path, 'short');
  },
  nothing: (path) => renameSync(path, aside(path)),
};

const quote = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

function describeKeyFile(spoil: string, path: string, putBack = 'then run: mav unseal'): string {
  if (spoil === 'nothing') return `the key file ${path} is not there; put your copy of it back, ${putBack}`;
  if (spoil.startsWith('a link'))
    return `the key file ${path} cannot be opened; make it a file that you can read, ${putBack}`;
  if (spoil === 'of another user')
    return `the key file ${path} belongs to another user; make it your own, ${putBack}`;
  if (spoil.startsWith('open by'))
    return `the key file ${path} is open to other users; run chmod 400 on it, ${putBack}`;
  return `the key file ${path} is not a root key of 32 bytes; put the right one back, ${putBack}`;
}

t.test(
  'serve > the key file spoiled in any way > sealed at once, with the remedy',
  { skip: skipWithout('mkfifo') },
  async (t) => {
    const kept = await createKept(t);
    const { keyFile } = kept;
    const original = readFileSync(keyFile);
    let refused = 0;
    for (const [spoil, make] of Object.entries(KEY_FILE_SPOILS)) {
      make(keyFile);
      const before = lstatSync(keyFile, { throwIfNoEntry: false });
      const daemon = await startDaemon(t, { sandbox: kept, init: null, token: false });
      await t.test(spoil, async (t) => {
        const remedy = new RegExp(`^${quote(describeKeyFile(spoil, keyFile))}$`);
        await checkSealed(t, daemon, remedy);
        const unseal = await mav(kept, ['unseal']);
        t.match(unseal, {
          code: 5,
          stderr: new RegExp(quote(describeKeyFile(spoil, keyFile, 'then try again'))),
        });
      });
      t.equal((await daemon.stop()).code, 0);
      const after = lstatSync(keyFile, { throwIfNoEntry: false });
      t.same(pickIdentity(after), pickIdentity(before), 'left as it was');
      for (const path of [keyFile, aside(keyFile)]) rmSync(path, { recursive: true, force: true });
      writeFileSync(keyFile, original, { mode: 0o400 });
      refused += 1;
    }
    t.comment(`figure: ${refused} unsafe key files refused`);
  },
);

const pickIdentity = (stat: Stats | undefined) =>
  stat === undefined ? null : [stat.ino, stat.mode, stat.uid, stat.size];

/** What may lie where the socket is to be. */
const SOCKET_SPOILS: Readonly<Record<string, (path: string) => unknown>> = {
  'a file': (path) => writeFileSync(path, '', { mode: 0o600 }),
  'a folder': (path) => mkdirSync(path, { mode: 0o700 }),
  'a FIFO': (path) => execFileSync('mkfifo', ['-m', '600', path]),
  'a link to nothing': (path) => symlinkSync('/nonexistent', path),
  'a link to a file': (path) => {
    writeFileSync(aside(path), '', { mode: 0o600 });
    symlinkSync(aside(path), path);
  },
  'a link to a dead socket': async (path) => {
    await leaveSocket(aside(path));
    symlinkSync(aside(path), path);
  },
  ...(isRoot
    ? {
        'a dead socket of another user': async (path: string) => {
          await leaveSocket(path);
          chownSync(path, STRANGER, STRANGER);
        },
      }
    : {}),
};

t.test('serve > its socket’s place is taken by anything > refused, and left alone', async (t) => {
  let refused = 0;
  const check = async (kept: Kept, what: string) => {
    const before = describeAll(kept.folder);
    const run = await mav(kept, ['serve']);
    const code = /another user/.test(what) ? 4 : 1;
    t.match(run, { code, stdout: '', stderr: /^mav: [^\n]+\n$/ }, what);
    t.ok(run.stderr.includes(kept.socket), 'the reason names it');
    t.same(describeAll(kept.folder), before, 'nothing was changed');
    refused += 1;
  };
  for (const [spoil, make] of Object.entries(SOCKET_SPOILS)) {
    const kept = await createKept(t);
    await make(kept.socket);
    await check(kept, spoil);
  }
  for (const owner of isRoot ? ['our own', 'another user’s'] : ['our own']) {
    const kept = await createKept(t);
    const live = createServer();
    await once(live.listen(kept.socket), 'listening');
    if (owner !== 'our own') chownSync(kept.socket, STRANGER, STRANGER);
    await check(kept, `a live socket, ${owner}`);
    const client = connect(kept.socket);
    await once(client, 'connect');
    client.destroy();
    live.close();
  }
  t.comment(`figure: ${refused} taken places of the socket refused`);
});

t.test('serve > a dead socket of our own, open to all > taken over, by one that is closed', async (t) => {
  const kept = await createKept(t);
  await leaveSocket(kept.socket);
  chmodSync(kept.socket, 0o777);
  const { ino } = lstatSync(kept.socket);
  await startDaemon(t, { sandbox: kept, init: null });
  const stat = lstatSync(kept.socket);
  t.match([stat.isSocket(), stat.mode & 0o777, stat.ino !== ino], [true, 0o600, true]);
});

/** Its files are closed to others by their own modes; what counts here is who may put others in their place. */
const SOCKET_FOLDER_SPOILS = Object.entries(SPOILS).filter(
  ([spoil]) => !spoil.startsWith('open by') || spoil.includes('2'),
);

t.test(
  'serve > the folder of --socket spoiled in any way > refused, nothing is changed',
  { skip: skipWithout('mkfifo') },
  async (t) => {
    for (const [spoil, make] of SOCKET_FOLDER_SPOILS) {
      const kept = await createKept(t);
      const folder = join(kept.folder, 'run');
      mkdirSync(folder, { mode: 0o700 });
      make(folder);
      const before = describeAll(kept.folder);
      const run = await mav(kept, ['serve', '--socket', join(folder, 's')]);
      t.match(run, { code: spoil === 'a FIFO' ? 1 : 4, stdout: '', stderr: /^mav: [^\n]+\n$/ }, spoil);
      t.ok(run.stderr.includes(folder), 'the reason names it');
      t.same(describeAll(kept.folder), before, 'nothing was changed');
    }
    t.comment(`figure: ${SOCKET_FOLDER_SPOILS.length} unsafe folders of a socket refused`);
  },
);
