/** A rotation that also encrypts every value again: nothing of before opens anything that is stored after it. */
import Database from 'better-sqlite3';
import t from 'tap';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { waitUntil } from './fixtures/raw.ts';
import { asOwner, fill, findNotIntact, isWrappedUnderOne } from './fixtures/rotation.ts';
import { mav } from './fixtures/vault.ts';

t.setTimeout(550_000);

const TABLES = ['secrets', 'fields', 'versions', 'old_fields'] as const;

/** Returns every payload of the file in hex, by its row. */
function readPayloads({ databasePath }: Daemon): Map<string, string> {
  const db = new Database(databasePath, { readonly: true });
  const rows = TABLES.flatMap((table) => {
    const key = table === 'secrets' ? 'id' : table === 'fields' ? 'secret_id, field' : 'rowid';
    const columns = table === 'fields' ? "secret_id || '/' || field" : key;
    const sql = `SELECT '${table}/' || ${columns}, hex(payload) FROM ${table} WHERE payload IS NOT NULL`;
    return db.prepare(sql).raw().all() as [string, string][];
  });
  db.close();
  return new Map(rows);
}

/** Secrets with every kind of history. */
async function fillWithHistory(daemon: Daemon): Promise<void> {
  await fill(daemon, 300);
  const expect = async (status: number, method: string, target: string, body?: object) => {
    const answer = await daemon.ask(method, target, body === undefined ? {} : { body });
    if (answer.status !== status) throw new Error(`${method} ${target}: ${answer.text}`);
  };
  await expect(201, 'PUT', '/v1/secrets/s1', { value: 'second' });
  await expect(200, 'PATCH', '/v1/secrets/s1', { metadata: { owner: 'ann' } });
  await expect(200, 'PATCH', '/v1/secrets/s1', { metadata: { owner: 'bob' } });
  await expect(201, 'PUT', '/v1/secrets/s10/fields/user', { value: 'new user' });
  await expect(200, 'DELETE', '/v1/secrets/s10/fields/user');
  await expect(200, 'POST', '/v1/secrets/s20/rename', { name: 'renamed' });
  await expect(200, 'DELETE', '/v1/secrets/s30');
}

const WANTED = [
  ['s1', 'second'],
  ['s1?version=1', 'v1'],
  ['s1?version=3', 'second'],
  ['s10', 'v10'],
  ['s10/fields/user?version=1', 'u10'],
  ['s10/fields/user?version=2', 'new user'],
  ['renamed', 'v20'],
  ['renamed/fields/user', 'u20'],
  ['s30?version=1', 'v30'],
  ['s299', 'v299'],
] as const;

async function findWrong(daemon: Daemon): Promise<string[]> {
  const answers = await Promise.all(WANTED.map(([target]) => daemon.ask('GET', `/v1/secrets/${target}`)));
  return answers.flatMap(({ json }, index) =>
    json.value === WANTED[index]?.[1] ? [] : [`${WANTED[index]?.[0]}: ${JSON.stringify(json)}`],
  );
}

t.test('key rotate --reencrypt > with old versions > every payload is another, and opens', async (t) => {
  const daemon = await startDaemon(t);
  await fillWithHistory(daemon);
  t.same(await findWrong(daemon), []);
  const before = readPayloads(daemon);
  const info = (await asOwner(daemon, 'GET', '/v1/info')).json;
  const { code, stderr } = await mav(daemon, ['key', 'rotate', '--reencrypt']);
  t.same([code, stderr], [0, 'Rotated to generation 2.\n']);
  const after = readPayloads(daemon);
  t.same([...after.keys()], [...before.keys()], 'each lies where it lay');
  t.same(
    [...after].filter(([key, payload]) => before.get(key) === payload),
    [],
    'and none is as it was',
  );
  t.same(await findWrong(daemon), []);
  t.same(await findNotIntact(daemon), []);
  t.match((await asOwner(daemon, 'GET', '/v1/info')).json, { history_bytes: info.history_bytes });
  isWrappedUnderOne(t, daemon);
  await daemon.ask('POST', '/v1/secrets/s30/restore');
  t.equal((await daemon.ask('GET', '/v1/secrets/s30')).json.value, 'v30');
});

t.test('key rotate --reencrypt > killed meanwhile > goes on where it was', async (t) => {
  const killed = await startDaemon(t);
  await fill(killed, 3_000);
  const before = readPayloads(killed);
  const asked = asOwner(killed, 'POST', '/v1/keys/rotate?reencrypt=true').catch(() => null);
  const progress = async (daemon: Daemon) => (await asOwner(daemon, 'GET', '/v1/status')).json.rotation;
  await waitUntil(async () => (await progress(killed))?.done > 0);
  t.match(await progress(killed), { reencrypt: true });
  await killed.stop('SIGKILL');
  await asked;
  const daemon = await startDaemon(t, { sandbox: killed, init: null, token: false });
  await waitUntil(async () => (await progress(daemon)) === null);
  t.same(
    [...readPayloads(daemon)].filter(([key, payload]) => before.get(key) === payload),
    [],
  );
  t.same(await findNotIntact(daemon), []);
  isWrappedUnderOne(t, daemon);
});

t.test(
  'key rotate --reencrypt > a version was changed without the key > it can still be repaired',
  async (t) => {
    const daemon = await startDaemon(t);
    await fillWithHistory(daemon);
    const db = new Database(daemon.databasePath);
    t.teardown(() => db.close());
    const change = (seconds: number) =>
      db.exec(`UPDATE versions SET updated_at = updated_at + ${seconds} WHERE name = 's1' AND revision = 2`);
    change(1);
    const { status, json } = await asOwner(daemon, 'POST', '/v1/keys/rotate?reencrypt=true');
    const damaged = [{ table: 'versions', name: 's1', environment: '', version: 2, problem: 'changed' }];
    t.match([status, json], [200, { damaged, damaged_count: 1, kept_generations: [1] }]);
    t.same(await findWrong(daemon), [], 'what shares its value opens');
    change(-1);
    t.equal((await daemon.ask('GET', '/v1/secrets/s1?version=2')).json.value, 'second', 'and it does, too');
    const again = await asOwner(daemon, 'POST', '/v1/keys/rotate?reencrypt=true');
    t.match(again.json, { damaged_count: 0, kept_generations: [] });
    t.same(await findWrong(daemon), []);
    isWrappedUnderOne(t, daemon);
  },
);

t.test('key rotate --reencrypt > a row was dropped > it is still missed, and named', async (t) => {
  const daemon = await startDaemon(t);
  await fill(daemon, 30);
  await daemon.createToken(['read']);
  const db = new Database(daemon.databasePath);
  t.teardown(() => db.close());
  db.exec('DELETE FROM tokens WHERE id = (SELECT max(id) FROM tokens)');
  const { status, json } = await asOwner(daemon, 'POST', '/v1/keys/rotate?reencrypt=true');
  const detail = /^rows were changed without the key: tokens \(1 fewer\)/;
  t.match(
    [status, json],
    [200, { damaged: [{ table: 'database', detail }], damaged_count: 1, kept_generations: [] }],
  );
  const { code, stderr } = await mav(daemon, ['key', 'rotate', '--reencrypt']);
  t.equal(code, 1);
  t.match(stderr, /the set of rows, because rows were changed without the key: .*; see: mav verify/);
  t.match(await findNotIntact(daemon), [/1 fewer/], 'and so says mav verify');
});
