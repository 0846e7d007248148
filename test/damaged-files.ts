/** Files that are not what they should be: what is looked at before SQLite may write, and what a damaged page stops. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { createDatabase, type Db, openForWriting } from '../workers/store/database.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { createHeldVault, type Held, hold } from './fixtures/held.ts';
import { waitUntil } from './fixtures/raw.ts';
import { hashDatabase, hashFile } from './fixtures/sealed.ts';
import { isIndexed } from './fixtures/stored.ts';
import { mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(120_000);

const PAGE_SIZE = 4_096;
const FRAME_SIZE = 24 + PAGE_SIZE;
const LOG_HEADER_SIZE = 32;
const WRITES = 4;

/** The files of a process that was killed. */
interface Left {
  readonly path: string;
  readonly file: Buffer;
  readonly log: Buffer;
}

function insert(db: Db, name: string): void {
  db.prepare(
    `INSERT INTO secrets
       (name, environment, metadata, version, wrapped_dek, created_at, updated_at, written_by, accepted)
     VALUES (?, '', '{}', 0, x'00', 0, 0, 'session', 1)`,
  ).run(name);
}

/** After some writes, each a transaction; none of them is in vault.db yet. */
function leaveLog(t: Test, more: (db: Db) => void = () => {}): Left {
  const folder = mkdtempSync(join(tmpdir(), 'mav-files-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'vault.db');
  const made = createDatabase(path);
  made.pragma('journal_mode = WAL');
  made.close();
  const db = openForWriting(path, () => {});
  for (let count = 0; count < WRITES; count++) insert(db, `k${count}`);
  more(db);
  const [file, log] = [readFileSync(path), readFileSync(`${path}-wal`)];
  db.close();
  return { path, file, log };
}

function lay(path: string, file: Uint8Array, log: Uint8Array): void {
  writeFileSync(path, file);
  writeFileSync(`${path}-wal`, log);
  rmSync(`${path}-shm`, { force: true });
}

/** How many of the writes are there; or why it was not opened, and then it must be untouched. */
function open(t: Test, path: string): number | string {
  const before = [path, `${path}-wal`].map(hashFile);
  try {
    const db = openForWriting(path, () => {});
    try {
      return db.prepare('SELECT count(*) FROM secrets').pluck().get() as number;
    } finally {
      db.close();
    }
  } catch (error) {
    t.same([path, `${path}-wal`].map(hashFile), before, 'untouched');
    return (error as Error).message;
  }
}

t.test('open > the log of a killed process, cut at frames and between > opens', async (t) => {
  const { path, file, log } = leaveLog(t);
  const found = new Set<number | string>();
  for (let size = log.length; size > 0; size -= FRAME_SIZE / 2) {
    lay(path, file, log.subarray(0, size));
    found.add(open(t, path));
  }
  t.same([...found], [4, 3, 2, 1, 0]);
});

const SECTOR_SIZE = 512;
const TORN = 15;

/** What a power failure may leave of the bytes that were being written: any of their sectors, old or new. */
function tear(before: Buffer, after: Buffer): Buffer {
  const torn = Buffer.from(after);
  for (let at = 0; at < Math.min(before.length, after.length); at += SECTOR_SIZE)
    if (Math.random() < 0.5) before.copy(torn, at, at, at + SECTOR_SIZE);
  return torn.subarray(0, Math.random() < 0.5 ? torn.length : before.length);
}

t.test('open > the last write torn by a power failure, in any of its sectors > opens', async (t) => {
  for (const isOverOlder of [false, true]) {
    let before = Buffer.alloc(0);
    const { path, file, log } = leaveLog(t, (db) => {
      if (isOverOlder) {
        db.pragma('wal_checkpoint(RESTART)');
        insert(db, 'newer');
      }
      before = readFileSync(`${db.name}-wal`);
      insert(db, 'last');
    });
    const found = new Set<number | string>();
    for (let count = 0; count < TORN; count++) {
      lay(path, file, tear(before, log));
      found.add(open(t, path));
    }
    const last = WRITES + (isOverOlder ? 2 : 1);
    t.same(
      [...found].filter((count) => count !== last && count !== last - 1),
      [],
    );
  }
});

t.test('open > a log with frames of an older generation behind > opens', async (t) => {
  const { path, file, log } = leaveLog(t, (db) => {
    db.pragma('wal_checkpoint(RESTART)');
    insert(db, 'newer');
  });
  lay(path, file, log);
  t.equal(open(t, path), WRITES + 1);
});

t.test('open > a bit of the log flipped > refused where the damage is', async (t) => {
  const { path, file, log } = leaveLog(t);
  const frames = (log.length - LOG_HEADER_SIZE) / FRAME_SIZE;
  const last = frames - frames / WRITES;
  for (let frame = 0; frame < frames; frame++) {
    const at = LOG_HEADER_SIZE + frame * FRAME_SIZE;
    // In the page, the number of the page, the salt, the checksum.
    for (const offset of frame % 2 === 0 ? [1_000, 9] : [3, 17]) {
      const flipped = Buffer.from(log);
      flipped[at + offset]! ^= 1 << (frame % 8);
      lay(path, file, flipped);
      // The last write may have been under way.
      if (frame >= last) t.equal(open(t, path), WRITES - 1);
      else t.match(open(t, path), `vault.db-wal is damaged at byte ${at}, so that writes stored after it`);
    }
  }
  const header = Buffer.from(log);
  header[13]! ^= 1;
  lay(path, file, header);
  t.match(open(t, path), /is damaged at byte 0/);
});

t.test('open > a newer schema that is only in the log > refused, untouched', async (t) => {
  const { path, file, log } = leaveLog(t, (db) => db.pragma('user_version = 99'));
  lay(path, file, log);
  t.match(open(t, path), /has schema 99, newer than/);
});

t.test('open > the first page torn by a power failure > the log has it, and it opens', async (t) => {
  const { path, file, log } = leaveLog(t, (db) => db.pragma('user_version = 7'));
  const torn = Buffer.from(file);
  torn.fill(0xa5, 0, 512);
  lay(path, torn, log);
  t.equal(open(t, path), WRITES);
  lay(path, Buffer.alloc(file.length, 'a text '), log);
  t.match(open(t, path), /cannot be read: (it is no SQLite database|SQLITE_\w+); restore it from a backup/);
});

const NAMES = Array.from({ length: 6 }, (_, index) => `k${index}`);
const VALUE = 'v'.repeat(1_500);

/** With the session's own rights, and everything in vault.db. */
async function createFilled(t: Test): Promise<Sandbox> {
  const sandbox = await createHeldVault(t);
  const held = await hold(t, sandbox);
  const fields = { user: 'u', password: 'p' };
  const secrets = NAMES.map((name) => ({ name, environment: 'base', value: VALUE, fields }));
  const { status } = await held.ask('POST', '/v1/import', { body: { secrets } });
  if (status !== 200) throw new Error(`the import answered ${status}`);
  await waitUntil(() => isIndexed(sandbox.databasePath));
  await held.close();
  return sandbox;
}

/** Changes a page of this table or index. */
function damage({ databasePath }: Sandbox, name: string, change: (page: Buffer) => void): void {
  const db = new Database(databasePath, { readonly: true });
  const page = db
    .prepare("SELECT max(pageno) FROM dbstat WHERE name = ? AND pagetype = 'leaf'")
    .pluck()
    .get(name) as number;
  db.close();
  const file = readFileSync(databasePath);
  change(file.subarray((page - 1) * PAGE_SIZE, page * PAGE_SIZE));
  writeFileSync(databasePath, file);
}

const overwrite = (page: Buffer) => page.fill(0xa5);
const SAYS =
  /vault\.db is damaged, and nothing is written to it any more; save .* mav export --skip-unreadable/;

async function countStatuses({ ask }: Held, suffix: string): Promise<Record<number, number>> {
  const answers = await Promise.all(NAMES.map((name) => ask('GET', `/v1/secrets/${name}${suffix}?env=base`)));
  const byStatus = Object.entries(Object.groupBy(answers, ({ status }) => status));
  return Object.fromEntries(byStatus.map(([status, all]) => [status, all?.length ?? 0]));
}

t.test('damage', async (t) => {
  const sandbox = await createFilled(t);
  const whole = readFileSync(sandbox.databasePath);
  const restore = () => writeFileSync(sandbox.databasePath, whole);

  await t.test('a page of secrets > the first that meets it ends all writing, not reading', async (t) => {
    restore();
    damage(sandbox, 'secrets', overwrite);
    const before = hashDatabase(sandbox);
    const held = await hold(t, sandbox);
    t.equal((await held.ask('GET', '/v1/health')).json.damaged, undefined, 'nobody knows yet');
    const { 200: right = 0, 500: refused = 0 } = await countStatuses(held, '');
    t.ok(right > 0 && refused > 0 && right + refused === NAMES.length);
    const writes = await Promise.all(
      NAMES.map((name) => held.ask('PUT', `/v1/secrets/${name}`, { body: { value: 'x' } })),
    );
    for (const write of writes) t.match(write, { status: 500, json: { code: 'integrity', error: SAYS } });
    t.match(await held.ask('POST', '/v1/keys/rotate'), { status: 500, json: { error: SAYS } });
    const exported: any[] = (await held.ask('GET', '/v1/export')).json;
    t.equal(exported.filter(({ value }) => value === VALUE).length, right, 'the export reads past it');
    t.equal(exported.filter(({ code }) => code === 'integrity').length, refused);
    t.same(
      held.events.filter((event) => event.startsWith('damaged')),
      ['damaged: the database: SQLITE_CORRUPT; nothing is written to it any more'],
    );
    t.match((await held.ask('GET', '/v1/health')).json, { status: 'ok', damaged: true });
    await held.close();
    t.same(hashDatabase(sandbox), before, 'nothing was written');
  });

  await t.test('a daemon that has met it > health and mav status say so', async (t) => {
    restore();
    damage(sandbox, 'secrets', overwrite);
    // The vault was held in this process until now, and with its umask.
    for (const name of readdirSync(sandbox.home)) chmodSync(join(sandbox.home, name), 0o600);
    const daemon = await startDaemon(t, { sandbox, init: null });
    const readStatus = async () => {
      const { code, stdout } = await mav(daemon, ['status', '-o', 'json']);
      return { code, ...JSON.parse(stdout) };
    };
    t.match(await readStatus(), { code: 0, state: 'unsealed', damaged: false, reason: null });
    await Promise.all(NAMES.map((name) => daemon.ask('GET', `/v1/secrets/${name}?env=base`)));
    t.match((await daemon.ask('GET', '/v1/health')).json, { damaged: true });
    const reason = /database is damaged, and nothing is written to it any more; save .* mav export/;
    t.match(await readStatus(), { code: 1, state: 'unsealed', damaged: true, reason });
    t.match(
      (await mav(daemon, ['status', '-o', 'table'])).stdout,
      /^state +unsealed: the database is damaged/m,
    );
  });

  await t.test('an index of places > the export goes by the other one', async (t) => {
    restore();
    damage(sandbox, 'sqlite_autoindex_secrets_1', overwrite);
    const held = await hold(t, sandbox);
    t.same(await countStatuses(held, ''), { 500: NAMES.length });
    const exported: any[] = (await held.ask('GET', '/v1/export')).json;
    t.same(
      exported.map(({ name, value }) => [name, value]),
      NAMES.map((name) => [name, VALUE]),
    );
  });

  await t.test('the tokens > unsealed without them; the keys > sealed with the reason', async (t) => {
    restore();
    damage(sandbox, 'tokens', overwrite);
    const held = await hold(t, sandbox);
    t.same(await countStatuses(held, '/value'), { 200: NAMES.length });
    t.match(await held.ask('DELETE', '/v1/secrets/k0?env=base'), { status: 500, json: { error: SAYS } });
    await held.close();
    restore();
    damage(sandbox, 'keks', overwrite);
    const sealed = await hold(t, sandbox);
    const says = /vault\.db is damaged \(SQLITE_CORRUPT\w*\); restore it from a backup/;
    t.match(await sealed.ask('GET', '/v1/secrets/k0'), {
      status: 503,
      json: { code: 'sealed', error: says },
    });
  });

  await t.test('fields that a secret counts are lost > refused, not shown without them', async (t) => {
    restore();
    // The number of cells, in the page's header.
    damage(sandbox, 'fields', (page) => page.writeUInt16BE(page.readUInt16BE(3) - 1, 3));
    const held = await hold(t, sandbox);
    t.same(await countStatuses(held, ''), { 200: NAMES.length - 1, 500: 1 });
    t.same(await countStatuses(held, '/fields'), { 200: NAMES.length - 1, 500: 1 });
  });
});
