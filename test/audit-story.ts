/** The audit log of a daemon, from the requests to the answers: what stands in it, who sees it, and what its files prove. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { locateSessionToken, readSessionToken } from '../src/places/session-token.ts';
import { readAuditLog } from './fixtures/audit-reader.ts';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { readKeyring } from './fixtures/stored.ts';
import { mav } from './fixtures/vault.ts';

const daemon = await startDaemon(t);
const { token: ci, id: CI } = await daemon.createToken(['read']);

const put = (name: string, value: string, env = '') =>
  daemon.ask('PUT', `/v1/secrets/${name}?env=${env}`, { body: { value } });
const read = (name: string) => daemon.ask('GET', `/v1/secrets/${name}/value`, { token: ci });

/** Whether what the token has read is still stored: by name, version and field. */
async function listReads(asked: Daemon = daemon): Promise<Record<string, boolean>> {
  const { json } = await asked.ask('GET', `/v1/audit/reads?token=${CI}`);
  t.equal(json.status, 'intact');
  return Object.fromEntries(
    json.secrets.map((row: { name: string; version: number; field?: string; is_current: boolean }) => [
      `${row.name} ${row.version}${row.field === undefined ? '' : ` ${row.field}`}`,
      row.is_current,
    ]),
  );
}

t.test(
  'audit > reads and writes of several clients > who, what, which version, and how it ended',
  async (t) => {
    await put('story', 'one');
    await daemon.ask('PUT', '/v1/secrets/story/fields/pin', { body: { value: '1234' } });
    const purpose = { token: ci, headers: { 'X-Purpose': 'a test', 'X-Request-Id': 'request-1' } };
    t.equal((await daemon.ask('GET', '/v1/secrets/story', purpose)).status, 200);
    t.equal((await daemon.ask('DELETE', '/v1/secrets/story', { token: ci })).status, 403);
    t.equal((await read('nothing')).status, 404);
    const { json } = await daemon.ask('GET', `/v1/audit?token=${CI}&limit=3`);
    t.match(json.entries, [
      { op: 'values.get', by: CI, secrets: [{ name: 'nothing', environment: '' }], result: 'not_found' },
      { op: 'secrets.delete', by: CI, secrets: [{ name: 'story', environment: '' }], result: 'forbidden' },
      {
        ...{ op: 'secrets.get', by: CI, purpose: 'a test', request: 'request-1', result: 'ok', uid: Number },
        secrets: [{ name: 'story', version: 2, read: true, value: true, fields: ['pin'] }],
      },
    ]);
    const made = (await daemon.ask('GET', '/v1/audit?operation=secrets.put&name=story')).json.entries;
    t.match(made, [{ secrets: [{ name: 'story', environment: '', version: 1, change: 'set' }] }]);
    const text = JSON.stringify((await daemon.ask('GET', '/v1/audit?limit=1000')).json);
    t.notMatch(text, /"one"|1234|mv[ts]_/, 'no value and no token');
  },
);

t.test('audit.reads > the secret was changed since > what was read is still stored, or not', async (t) => {
  const names = ['set', 'renamed', 'edited', 'deleted', 'restored', 'rolled-back'];
  for (const name of names) {
    await put(name, 'leaked');
    t.equal((await read(name)).text, 'leaked');
  }
  for (const name of names) t.equal((await listReads())[`${name} 1`], true, name);
  await put('set', 'new');
  await daemon.ask('POST', '/v1/secrets/renamed/rename', { body: { name: 'new-name' } });
  await daemon.ask('PATCH', '/v1/secrets/edited', { body: { metadata: { a: 1 } } });
  await daemon.ask('DELETE', '/v1/secrets/deleted');
  await daemon.ask('DELETE', '/v1/secrets/restored');
  await daemon.ask('POST', '/v1/secrets/restored/restore');
  await put('rolled-back', 'new');
  await daemon.ask('POST', '/v1/secrets/rolled-back/rollback', { body: { version: 1 } });
  const reads = await listReads();
  t.match(reads, { 'set 1': false, 'new-name 1': true, 'edited 1': true, 'deleted 1': false });
  t.match(reads, { 'restored 1': true, 'rolled-back 1': true });
  await put('new-name', 'new');
  t.equal((await listReads())['new-name 1'], false);
});

t.test('audit.reads > a field was set since > not stored any more; the others are', async (t) => {
  await daemon.ask('PUT', '/v1/secrets/fields/fields', { body: { fields: { user: 'u', pin: '1' } } });
  await daemon.ask('GET', '/v1/secrets/fields/fields', { token: ci });
  await daemon.ask('PUT', '/v1/secrets/fields/fields/pin', { body: { value: '2' } });
  t.match(await listReads(), { 'fields 1 pin': false, 'fields 1 user': true });
  await daemon.ask('DELETE', '/v1/secrets/fields/fields/user');
  t.match(await listReads(), { 'fields 1 user': false });
});

t.test('audit > a limited admin > the entries of what it may reach, and no verification', async (t) => {
  await put('reach', 'v', 'dev');
  await put('hidden', 'v', 'prod');
  const { token } = await daemon.createToken(['admin'], { environments: ['dev'] });
  const { json, text } = await daemon.ask('GET', '/v1/audit?limit=1000', { token });
  t.match(json.entries, [{ op: 'secrets.put', secrets: [{ name: 'reach', environment: 'dev' }] }]);
  t.notMatch(text, /hidden|story|tokens/);
  t.match((await daemon.ask('GET', `/v1/audit/reads?token=${CI}`, { token })).json, { secrets: [] });
  t.equal((await daemon.ask('GET', '/v1/audit/verify', { token })).status, 403);
  t.equal((await daemon.ask('GET', '/v1/audit', { token: ci })).status, 403, 'not for readers');
});

t.test('audit.verify, audit.list > while others write > intact each time, and no entry twice', async (t) => {
  const session = readSessionToken(locateSessionToken(daemon.env, daemon.socket));
  let isOver = false;
  const load = Promise.all(
    Array.from({ length: 4 }, async (_, client) => {
      for (let count = 0; !isOver; count++) {
        await put(`load-${client}`, `v${count}`);
        await daemon.ask('GET', `/v1/secrets/load-${client}`);
      }
    }),
  );
  for (let round = 0; round < 15; round++) {
    // Afterwards other segments are written.
    if (round % 5 === 2) await daemon.ask('POST', '/v1/keys/rotate', { token: session });
    const { json } = await daemon.ask('GET', '/v1/audit/verify');
    t.strictSame([json.status, json.problems], ['intact', []]);
    const ids: string[] = [];
    for (let target = '/v1/audit?limit=50'; target !== '' && ids.length < 300; ) {
      const page = await daemon.ask('GET', target);
      ids.push(...page.json.entries.map(({ id }: { id: string }) => id));
      target = /<([^>]+)>/.exec(String(page.headers.link ?? ''))?.[1] ?? '';
    }
    t.equal(new Set(ids).size, ids.length);
  }
  isOver = true;
  await load;
});

t.test('audit > the files, read by another implementation > the same entries', async (t) => {
  const second = await startDaemon(t);
  for (let index = 0; index < 20; index++) {
    await second.ask('PUT', `/v1/secrets/s${index}`, { body: { value: 'v', metadata: { ü: index } } });
    await second.ask('GET', `/v1/secrets/s${index}`);
  }
  const { json } = await second.ask('GET', '/v1/audit?limit=1000&order=oldest');
  await second.stop();
  const database = join(second.home, 'vault.db');
  const { vaultId, find } = openKeys(second);
  const entries = readAuditLog(database, vaultId, find);
  t.equal(entries.length, json.entries.length);
  const shown = new Map(json.entries.map(({ id, ...entry }: { id: string }) => [id, entry]));
  for (const { segment, entry } of entries) {
    const { seq, ...rest } = entry;
    t.match(shown.get(`${segment}.${seq}`), rest);
  }
  const [file = ''] = readdirSync(join(second.home, 'audit'));
  const path = join(second.home, 'audit', file);
  const before = readFileSync(path, 'utf8');
  writeFileSync(path, before.replace('"result":"ok"', '"result":"no"'));
  t.throws(() => readAuditLog(database, vaultId, find), /the batch before byte \d+ was changed/);
  const found = await mav(second, ['audit', 'verify']);
  t.match(found, { code: 1, stdout: new RegExp(`^audit/${file}, lines? \\d+.*: changed: `) });
  writeFileSync(path, before);
  t.match(await mav(second, ['audit', 'verify']), {
    code: 0,
    stdout: /^The audit log is intact: \d+ entries/,
  });
});

function openKeys(asked: Daemon) {
  const folder = join(asked.env.XDG_CONFIG_HOME ?? join(asked.env.HOME ?? '', '.config'), 'maestrovault');
  const keyFile = readdirSync(folder).find((name) => name.endsWith('.key')) ?? '';
  const keyring = readKeyring(join(asked.home, 'vault.db'), join(folder, keyFile));
  const find = (id: Buffer) => Buffer.from(keyring.find(id)?.kek ?? []);
  return { vaultId: Buffer.from(keyring.vaultId), find };
}
