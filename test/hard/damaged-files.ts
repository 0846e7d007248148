/**
 * Files that are not what they should be: another program's, a newer schema, a read-only file system. The commands are refused
 * with a reason, and the files stay as they were.
 */
import { chmodSync, copyFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import t from 'tap';
import { hashFolder } from '../fixtures/sealed.ts';
import { createSmallSandbox, onSmallDisk, remount } from '../fixtures/small-disk.ts';
import { BASE, createStopped, overwrite, startAgain } from '../fixtures/stopped-vault.ts';
import { mav, type Sandbox } from '../fixtures/vault.ts';
import { Writer } from '../fixtures/writes.ts';

t.jobs = 2;
t.setTimeout(600_000);

/** The database and whatever lies beside it under its name. */
function hashBeside({ home }: Sandbox): object {
  const names = Object.entries(hashFolder(home)).filter(([name]) => name.startsWith('vault.db'));
  return Object.fromEntries(names);
}

const change = (sql: string) => (path: string) => new Database(path).exec(sql).close();

/** Another program's, in place of ours. */
const replace = (sql: string) => (path: string) => {
  rmSync(path);
  change(`CREATE TABLE secrets (id INTEGER PRIMARY KEY, name TEXT); ${sql}`)(path);
  chmodSync(path, 0o600);
};

/** As a process leaves the files that is killed after its last write. */
const killAfter = (make: (db: Database.Database) => void, remove: boolean) => (path: string) => {
  if (remove) rmSync(path);
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  make(db);
  for (const suffix of ['', '-wal']) copyFileSync(path + suffix, `${path}${suffix}.left`);
  db.close();
  for (const suffix of ['', '-wal']) {
    copyFileSync(`${path}${suffix}.left`, path + suffix);
    rmSync(`${path}${suffix}.left`);
    chmodSync(path + suffix, 0o600);
  }
};

const NOT_OURS = /vault\.db is not a MaestroVault database; nothing in it was changed/;

/** What is done to the file, and what is said of it then. */
const UNUSABLE: Readonly<Record<string, readonly [spoil: (path: string) => void, says: RegExp]>> = {
  'a text': [
    (path) => writeFileSync(path, 'these are not the pages you want '.repeat(1_000)),
    /vault\.db cannot be read: it is no SQLite database; restore it from a backup/,
  ],
  'an empty file': [(path) => truncateSync(path, 0), /vault\.db cannot be read: it is empty; restore it/],
  'a file of ten bytes': [(path) => truncateSync(path, 10), /vault\.db cannot be read: it is no SQLite/],
  'a damaged header': [
    (path) => overwrite(path, 0, Buffer.from('sqlite')),
    /vault\.db cannot be read: it is no SQLite database/,
  ],
  'another program’s database': [replace('PRAGMA user_version = 3'), NOT_OURS],
  'another program’s database with an id of its own': [
    replace('PRAGMA user_version = 7; PRAGMA application_id = 1'),
    NOT_OURS,
  ],
  'another program’s database in WAL mode': [replace('PRAGMA journal_mode = WAL'), NOT_OURS],
  'another program’s database with its log': [
    killAfter((db) => db.exec('CREATE TABLE secrets (id INTEGER PRIMARY KEY)'), true),
    NOT_OURS,
  ],
  'the Go program’s schema': [change('PRAGMA user_version = 3'), NOT_OURS],
  'a newer schema': [
    change('PRAGMA user_version = 99'),
    /has schema 99, newer than this program's 7; update/,
  ],
  'a newer schema, in the log only': [
    killAfter((db) => db.pragma('user_version = 99'), false),
    /has schema 99, newer than this program's 7; update/,
  ],
};

for (const [what, [spoil, says]] of Object.entries(UNUSABLE)) {
  t.test(`serve, get, set, export, doctor > ${what} > refused with the reason, untouched`, async (t) => {
    const sandbox = await createStopped(t);
    spoil(sandbox.databasePath);
    const before = hashBeside(sandbox);
    const daemon = await startAgain(t, sandbox);
    t.match((await daemon.ask('GET', '/v1/health')).json, { sealed: true });
    for (const [method, target] of [
      ['GET', '/v1/secrets/k0?env=base'],
      ['DELETE', '/v1/secrets/k0?env=base'],
    ] as const)
      t.match(await daemon.ask(method, target), { status: 503, json: { code: 'sealed', error: says } });
    t.match(await mav(sandbox, ['unseal']), { code: 5, stderr: says });
    t.match((await mav(sandbox, ['doctor'])).stdout, says);
    t.equal((await daemon.stop()).code, 0);
    for (const args of [['get', 'k0'], ['set', 'k0'], ['list'], ['key', 'rotate'], ['export', '--force']]) {
      const { code, stdout, stderr } = await mav(sandbox, args, { input: 'x' });
      t.match({ code, stdout, stderr }, { code: 5, stdout: '', stderr: says }, args.join(' '));
    }
    t.match(await mav(sandbox, ['init', '--key-store', 'file']), { code: 1, stderr: /already/ });
    const { 'vault.db-shm': _, ...after } = hashBeside(sandbox) as Record<string, string>;
    t.same(after, before, 'byte-identical');
    const isNewer = says.source.includes('newer');
    t.equal(_ === undefined || isNewer, true, 'nothing laid beside it');
    t.comment(`figure: ${what}: refused, files byte-identical`);
  });
}

t.test(
  'serve, init, get, set > a read-only file system > says what to do, the files untouched',
  onSmallDisk(),
  async (t) => {
    const sandbox = await createStopped(t, createSmallSandbox(t, '8m'));
    const empty = createSmallSandbox(t, '1m');
    const before = hashFolder(sandbox.home);
    for (const { home } of [sandbox, empty]) remount(home, 'ro');
    const says = /vault is on a read-only file system, .*; make it writable, or copy .* MAV_HOME/;
    for (const args of [['serve'], ['get', 'k0', '--env', 'base'], ['set', 'k0'], ['export'], ['status']]) {
      const { code, stdout, stderr } = await mav(sandbox, args, { input: 'x' });
      t.strictSame([code, stdout], [1, ''], args.join(' '));
      t.match(stderr, says, args.join(' '));
    }
    t.match((await mav(sandbox, ['doctor'])).stdout, says);
    t.match(await mav(empty, ['init', '--key-store', 'file']), { code: 1, stderr: says });
    t.same(hashFolder(empty.home), {});
    t.same(hashFolder(sandbox.home), before);
    for (const { home } of [sandbox, empty]) remount(home, 'rw');
    const daemon = await startAgain(t, sandbox);
    t.equal(await new Writer('base', BASE).findWrong(daemon), null, 'writable again, all is there');
    await daemon.stop();
    t.comment('figure: read-only file system: 7 commands refused, files byte-identical');
  },
);
