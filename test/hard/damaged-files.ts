/**
 * Files that are not what they should be: a damaged page, a cut write-ahead log, another program's file, a newer schema,
 * a read-only file system. A clear refusal, and the files stay as they are.
 */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { waitUntil } from '../fixtures/raw.ts';
import { createSmallSandbox, onSmallDisk, remount } from '../fixtures/small-disk.ts';
import { createSandbox, type Daemon, mav, type Sandbox, startDaemon } from '../fixtures/vault.ts';
import { askAsOwner, checkVault, importAll, put, putFields, type State, Writer } from '../fixtures/writes.ts';

t.jobs = 2;

/** Of the database and its write-ahead log. */
function digestFiles({ databasePath }: Sandbox): string[] {
  return [databasePath, `${databasePath}-wal`]
    .filter((path) => existsSync(path) && statSync(path).size > 0)
    .map((path) => `${path} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`);
}

const allFields = (text: string) => ({ user: text, password: text, host: text });
const BASE: State = Object.fromEntries(
  Array.from({ length: 40 }, (_, index) => [
    `k${index}`,
    { value: 'v'.repeat(5_000), fields: allFields('old') },
  ]),
);

function isIndexed(path: string): boolean {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare('SELECT count(*) FROM search_pending').pluck().get() === 0;
  } finally {
    db.close();
  }
}

/** A vault with the base in it, stopped: everything is in vault.db. */
async function createStopped(t: Test, sandbox = createSandbox(t)): Promise<Daemon> {
  const daemon = await startDaemon(t, { sandbox });
  await new Writer('base').write(daemon, importAll(BASE));
  // Else the next daemon would go on with the search index, and write.
  await waitUntil(() => isIndexed(daemon.databasePath));
  await daemon.stop();
  return daemon;
}

/** A daemon on the same vault that knows the admin token of the first. */
async function startAgain(t: Test, first: Daemon): Promise<Daemon> {
  const next = await startDaemon(t, { sandbox: first, init: null, token: false });
  return {
    ...next,
    ask: (method, target, given) => next.ask(method, target, { token: first.admin, ...given }),
  };
}

const change = (sql: string) => (path: string) => new Database(path).exec(sql).close();

/** What is done to the file, and what is said of it then. */
const UNUSABLE: Readonly<Record<string, readonly [damage: (path: string) => void, says: RegExp]>> = {
  'not a database': [
    (path) => writeFileSync(path, 'these are not the pages you want '.repeat(1_000)),
    /cannot be read: SQLITE_NOTADB; restore it from a backup/,
  ],
  'another program’s database': [
    (path) => {
      rmSync(path);
      change('CREATE TABLE secrets (id INTEGER PRIMARY KEY, name TEXT); PRAGMA user_version = 3')(path);
      chmodSync(path, 0o600);
    },
    /is not a MaestroVault database; nothing in it was changed/,
  ],
  'a newer schema': [change('PRAGMA user_version = 99'), /has schema 99, newer than this program/],
  'an empty file': [
    (path) => truncateSync(path, 0),
    /is not a MaestroVault database; nothing in it was changed/,
  ],
};

for (const [what, [damage, says]] of Object.entries(UNUSABLE)) {
  t.test(`serve > ${what} > sealed with the reason, the files untouched`, async (t) => {
    const sandbox = await createStopped(t);
    damage(sandbox.databasePath);
    const before = digestFiles(sandbox);
    const daemon = await startAgain(t, sandbox);
    t.match((await daemon.ask('GET', '/v1/health')).json, { sealed: true });
    t.match(await checkVault(daemon), { status: 503, json: { error: says } });
    const { code, stderr } = await mav(sandbox, ['set', 'k0'], { input: 'x' });
    t.equal(code === 0, false);
    t.match(stderr, says);
    await daemon.stop();
    t.same(digestFiles(sandbox), before);
    t.comment(`figure: ${what}: refused, files byte-identical`);
  });
}

const PAGE_SIZE = 4_096;

t.test(
  'read > any one page of the database is damaged > refused or right, never wrong, untouched',
  async (t) => {
    const sandbox = await createStopped(t);
    const whole = readFileSync(sandbox.databasePath);
    const pages = whole.length / PAGE_SIZE;
    const figures = { noticed: 0, sealed: 0 };
    const picked = Array.from({ length: 12 }, (_, index) => 1 + Math.floor((index * (pages - 1)) / 12));
    for (const page of picked) {
      const damaged = Buffer.from(whole);
      damaged.fill(0xa5, page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
      writeFileSync(sandbox.databasePath, damaged);
      const before = digestFiles(sandbox);
      const daemon = await startAgain(t, sandbox);
      const check = await checkVault(daemon);
      const isNoticed =
        check.status !== 200 || check.json.database !== 'ok' || check.json.unreadable_count > 0;
      t.ok(isNoticed, `page ${page + 1}: the check notices`);
      if (check.status === 503) figures.sealed += 1;
      else figures.noticed += 1;
      const statuses = new Set<string>();
      for (const name of Object.keys(BASE)) {
        const { status, json } = await askAsOwner(daemon, 'GET', `/v1/secrets/${name}?env=base`);
        const isRight = status === 200 && json.value === BASE[name]?.value && json.field_count === 3;
        statuses.add(isRight ? 'right' : `${status} ${json?.code}`);
      }
      const allowed = ['right', '500 integrity', '503 sealed'];
      t.same(
        [...statuses].filter((status) => !allowed.includes(status)),
        [],
        `page ${page + 1}`,
      );
      await daemon.stop();
      t.same(digestFiles(sandbox), before, 'the files are untouched');
    }
    t.comment(`figure: ${picked.length} of ${pages} pages damaged in turn: ${JSON.stringify(figures)}`);
  },
);

t.test('serve > the write-ahead log is cut anywhere > a state that was, no half of a write', async (t) => {
  const first = await startDaemon(t);
  const writer = new Writer('base');
  await writer.write(first, importAll({ k0: { value: '0', fields: allFields('0') } }));
  const states: State[] = [{}, writer.state];
  for (let count = 1; count <= 6; count++) {
    const write = count % 2 === 0 ? put('k0', `${count}`) : putFields('k0', allFields(`${count}`));
    t.equal((await writer.write(first, write)).status, 201);
    states.push(writer.state);
  }
  await first.stop('SIGKILL');
  const [database, log] = [first.databasePath, `${first.databasePath}-wal`].map((path) => readFileSync(path));
  const seen = new Set<number>();
  for (let cut = 0; cut < 12; cut++) {
    writeFileSync(first.databasePath, database!);
    const left = log!.length - Math.floor((cut * log!.length) / 16);
    writeFileSync(`${first.databasePath}-wal`, log!.subarray(0, left), { mode: 0o600 });
    rmSync(`${first.databasePath}-shm`, { force: true });
    const daemon = await startDaemon(t, { sandbox: first, init: null });
    const check = await checkVault(daemon);
    t.match(check, { status: 200, json: { database: 'ok', unreadable_count: 0 } });
    const wrong = await Promise.all(states.map((state) => new Writer('base', state).findWrong(daemon)));
    t.ok(wrong.includes(null), 'one of the states that were');
    seen.add(wrong.lastIndexOf(null));
    await daemon.stop();
  }
  t.comment(`figure: the log cut at 12 places: ${seen.size} different states, each one that was`);
  t.ok(seen.size > 2);
});

t.test(
  'serve, get, set > a read-only file system > says so, the files untouched',
  onSmallDisk(),
  async (t) => {
    const sandbox = await createStopped(t, createSmallSandbox(t, '8m'));
    const before = digestFiles(sandbox);
    remount(sandbox.home, 'ro');
    for (const args of [['serve'], ['get', 'k0', '--env', 'base'], ['set', 'k0']]) {
      const { code, stdout, stderr } = await mav(sandbox, args, { input: 'x' });
      t.strictSame([code, stdout], [1, '']);
      t.match(stderr, /read-only file system/);
    }
    t.same(digestFiles(sandbox), before);
    remount(sandbox.home, 'rw');
    const daemon = await startAgain(t, sandbox);
    t.equal(await new Writer('base', BASE).findWrong(daemon), null, 'writable again, all is there');
    await daemon.stop();
    t.comment('figure: read-only file system: 3 commands refused, files byte-identical');
  },
);
