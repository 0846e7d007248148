/** What a new program does with the file of an older one: brings it up to its own schema, or leaves it as it is. */
import { createHash } from 'node:crypto';
import { chmodSync, readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { recordVault } from '../workers/store/known-vaults.ts';
import { createHeldVault, type Held, hold } from './fixtures/held.ts';
import { downgrade } from './fixtures/older.ts';
import { knowVault, mav, type Sandbox, startDaemon } from './fixtures/vault.ts';

const READS = [
  '/v1/secrets',
  '/v1/secrets?limit=1',
  '/v1/secrets?env=prod',
  '/v1/secrets?metadata_key=owner',
  '/v1/secrets?metadata_key=owner&metadata_value=ann',
  '/v1/secrets?env=prod&metadata_key=owner',
  '/v1/search?q=db',
  '/v1/search?q=OWNER',
  '/v1/secrets/db?env=prod',
  '/v1/secrets/db/fields?env=prod',
];

/** With a few secrets in it, its file of schema 4; answers what `READS` gave before. */
async function createOlderVault(t: Test): Promise<{ sandbox: Sandbox; answers: string[] }> {
  const sandbox = await createHeldVault(t);
  const { ask, close } = await hold(t, sandbox);
  for (const [name, env, owner] of [
    ['db', 'prod', 'ann'],
    ['db', '', 'bob'],
    ['ключ 🔑', 'prod', 'ann'],
  ]) {
    const target = `/v1/secrets/${encodeURIComponent(name!)}?env=${env}`;
    await ask('PUT', target, { body: { value: `of ${name}`, metadata: { owner } } });
  }
  await ask('PUT', '/v1/secrets/db/fields/user?env=prod', { body: { value: 'root' } });
  const answers = await readAll(ask);
  await close();
  downgrade(sandbox.databasePath);
  const { known, knownVaultsPath } = knowVault(sandbox);
  recordVault(knownVaultsPath, sandbox.home, { ...known!, schema: 4 });
  chmodSync(sandbox.databasePath, 0o600);
  return { sandbox, answers };
}

async function readAll(ask: Held['ask']): Promise<string[]> {
  const answers: string[] = [];
  for (const target of READS) answers.push(`${target} ${(await ask('GET', target)).text}`);
  return answers;
}

function inspect<T>(path: string, look: (db: Database.Database) => T): T {
  const db = new Database(path, { readonly: true });
  try {
    return look(db);
  } finally {
    db.close();
  }
}

function readSchema(path: string): unknown {
  return inspect(path, (db) => [
    db.pragma('user_version', { simple: true }),
    db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name').all(),
  ]);
}

function readVersion(path: string): unknown {
  return inspect(path, (db) => db.pragma('user_version', { simple: true }));
}

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

t.test('unseal > a file of schema 4 > upgraded, with everything in it, to what a new one has', async (t) => {
  const { sandbox, answers } = await createOlderVault(t);
  t.equal(readVersion(sandbox.databasePath), 4);
  const { ask, close } = await hold(t, sandbox);
  t.strictSame(await readAll(ask), answers);
  const body = { value: 'v', metadata: { owner: 'ann' } };
  t.equal((await ask('PUT', '/v1/secrets/after?env=prod', { body })).status, 201);
  t.equal((await ask('GET', '/v1/secrets?metadata_key=owner&metadata_value=ann')).json.length, 3);
  t.equal((await ask('GET', '/v1/check')).json.database, 'ok');
  await close();
  const fresh = await createHeldVault(t);
  t.strictSame(readSchema(sandbox.databasePath), readSchema(fresh.databasePath));
});

t.test('get > a file of schema 4, no daemon > upgraded by the command, and answered', async (t) => {
  const { sandbox } = await createOlderVault(t);
  const { code, stdout, stderr } = await mav(sandbox, ['get', 'db', '--env', 'prod']);
  t.strictSame([code, stdout.trimEnd(), stderr], [0, 'of db', '']);
  t.equal(readVersion(sandbox.databasePath), 5);
});

t.test('serve > a file of schema 4 > answers from the first request on', async (t) => {
  const { sandbox, answers } = await createOlderVault(t);
  const daemon = await startDaemon(t, { sandbox, init: null });
  const read = await Promise.all(READS.map((target) => daemon.ask('GET', target)));
  t.strictSame(
    read.map(({ text }, index) => `${READS[index]} ${text}`),
    answers,
  );
});

t.test('unseal > a file of schema 4 that is not as it was made > says so, and stays as it is', async (t) => {
  const { sandbox, answers } = await createOlderVault(t);
  const { databasePath } = sandbox;
  const change = (sql: string) => new Database(databasePath).exec(sql).close();
  change('CREATE TRIGGER search_texts_deleted AFTER DELETE ON search_texts BEGIN SELECT 1; END');
  const before = digest(databasePath);
  const first = await hold(t, sandbox);
  for (const target of READS) {
    const { status, json } = await first.ask('GET', target);
    t.equal(status, 503);
    t.match(json.error, /the trigger search_texts_deleted is foreign: .* restore the file from a backup/);
  }
  await first.close();
  t.equal(digest(databasePath), before);
  change('DROP TRIGGER search_texts_deleted');
  const second = await hold(t, sandbox);
  t.strictSame(await readAll(second.ask), answers, 'and once it can be upgraded, it is');
});
