/** `mav verify` and the check behind it: every row of every table is opened, page by page, and what is damaged is named. */
import t from 'tap';
import { FULL, importInto, open } from './fixtures/api-transfer.ts';
import { checkAll } from './fixtures/checks.ts';
import { createHeldVault, hold } from './fixtures/held.ts';
import { StoredFile } from './fixtures/stored.ts';
import { CANARY } from './fixtures/tampered.ts';
import { mav } from './fixtures/vault.ts';

const NONE = { database: 0, versions: 0, old_fields: 0, deleted: 0 };

t.test('vault.check > nothing is wrong > how much there is of everything', async (t) => {
  const { ask, events } = await open(t);
  await importInto(ask, FULL);
  await ask('PUT', '/v1/secrets/db', { body: { value: 'newer' } });
  await ask('PUT', '/v1/secrets/db/fields/user', { body: { value: 'newer' } });
  await ask('DELETE', '/v1/secrets/bytes');
  await ask('POST', '/v1/tokens', { body: { name: 't', scopes: ['read'] } });
  events.length = 0;
  const { rows, damaged } = await checkAll(ask);
  const { audit, ...counts } = rows;
  t.strictSame(damaged, []);
  t.strictSame(counts, {
    ...{ secrets: 3, fields: 3, versions: 4, old_fields: 1, deleted: 1 },
    ...{ tokens: 1, keks: 1, slots: 1 },
  });
  t.ok((audit ?? 0) > 4);
  t.strictSame(events, []);
});

t.test('vault.check > page by page > the same as all at once, and nothing twice', async (t) => {
  const { ask } = await open(t);
  await importInto(ask, FULL);
  for (const value of ['a', 'b', 'c']) await ask('PUT', '/v1/secrets/db', { body: { value } });
  await ask('DELETE', '/v1/secrets/fields-only');
  for (const name of ['a', 'b', 'c']) await ask('POST', '/v1/tokens', { body: { name, scopes: ['read'] } });
  const { audit: _, ...whole } = (await checkAll(ask)).rows;
  for (const limit of [1, 2, 3]) {
    const { rows, damaged, pages } = await checkAll(ask, `?limit=${limit}`);
    const { audit: __, ...paged } = rows;
    t.strictSame(paged, whole, `pages of ${limit}`);
    t.strictSame(damaged, []);
    t.ok(pages > 5);
  }
  const cursor = (text: string) => `/v1/check?cursor=${Buffer.from(text).toString('base64url')}`;
  for (const wrong of ['x', '[]', '[{}]', '["nothing"]', '{}'])
    t.match(await ask('GET', cursor(wrong)), { status: 400, json: { code: 'bad_request' } }, wrong);
});

t.test(
  'vault.check > rows of every table were changed > each is named, and the rest is opened',
  async (t) => {
    const { ask, file, events } = await open(t);
    const many = Array.from({ length: 30 }, (_, i) => ({
      ...{ name: `n${i}`, value: CANARY, fields: { f: CANARY } },
    }));
    await importInto(ask, many);
    for (const name of ['n0', 'n1']) {
      await ask('PUT', `/v1/secrets/${name}`, { body: { value: CANARY } });
      await ask('PUT', `/v1/secrets/${name}/fields/f`, { body: { value: CANARY } });
    }
    await ask('DELETE', '/v1/secrets/n29');
    await ask('POST', '/v1/tokens', { body: { name: 't', scopes: ['read'] } });
    const { versions, old_fields: oldFields, deleted, tokens, fields } = file.read();
    const changed = { updated_at: 1 };
    file.write({
      tokens: tokens.map((row) => ({ ...row, scopes: 'admin' })),
      fields: fields.map((row, index) => (index === 5 ? { ...row, ...changed } : row)),
      versions: versions.map((row, index) => (index === 0 ? { ...row, ...changed } : row)),
      old_fields: oldFields.map((row, index) => (index === 0 ? { ...row, ...changed } : row)),
      deleted: deleted.map((row) => ({ ...row, name: 'another' })),
    });
    events.length = 0;
    const { rows, damaged } = await checkAll(ask, '?limit=7');
    t.match(rows, { secrets: 29, tokens: 1, versions: versions.length });
    t.strictSame(
      damaged.map(({ table, problem }) => `${table} ${problem}`),
      ['database', 'fields', 'versions', 'old_fields', 'deleted', 'tokens'].map(
        (table) => `${table} changed`,
      ),
    );
    const names = new Set(many.map(({ name }) => name));
    t.match(damaged[0]?.detail, /: deleted \(exchanged\)$/, 'the row has another name than was stored');
    t.ok(damaged.slice(1, 4).every((row) => names.has(row.name ?? '') && row.environment === ''));
    t.match(damaged[1], { field: 'f', version: 1 });
    t.match(damaged[5], { id: tokens[0]?.id });
    t.match(events.join(), tokens[0]?.id, 'the log names the forged token');
    t.notMatch(events.join() + JSON.stringify(damaged), CANARY);
  },
);

t.test('vault.check > the file itself is damaged > the first problem, and the rest is opened', async (t) => {
  const { ask, file, events } = await open(t);
  await importInto(ask, FULL);
  file.write({ secrets: file.rows('secrets').filter(({ name }) => name !== 'fields-only') });
  const { rows, damaged } = await checkAll(ask);
  t.match(damaged, [{ table: 'database', detail: /^a row in \w+ refers to none in secrets$/ }]);
  t.match(rows, { secrets: 3, fields: 2 });
  t.match(events.join(), 'refers to none');
});

t.test('vault.check > many pages > one entry in the audit log', async (t) => {
  const { ask } = await open(t);
  await importInto(ask, FULL);
  await checkAll(ask, '?limit=1');
  const { entries } = (await ask('GET', '/v1/audit?operation=vault.check')).json;
  t.equal(entries.length, 1);
});

t.test('verify > nothing is wrong, and a row was changed > a table, JSON, and the exit code', async (t) => {
  const sandbox = await createHeldVault(t);
  const { ask, close } = await hold(t, sandbox);
  await importInto(ask, [...FULL, { name: 'odd\u202e', environment: 'prod', value: CANARY }]);
  await close();
  const sound = await mav(sandbox, ['verify']);
  t.equal(sound.code, 0);
  t.match(sound.stdout, /^WHAT +OPENED +DAMAGED\n/);
  t.match(sound.stdout, /^secrets +5 +0$/m);
  t.equal(sound.stderr, 'Everything opens.\n');
  const report = JSON.parse((await mav(sandbox, ['verify', '-o', 'json'])).stdout);
  t.match(report, { status: 'intact', rows: { ...NONE, secrets: 5, fields: 3 }, damaged: [] });
  const file = new StoredFile(sandbox.databasePath);
  file.write({
    secrets: file
      .rows('secrets')
      .map((row) => (row.environment === 'prod' ? { ...row, metadata: '{}' } : row)),
  });
  file.close();
  const damaged = await mav(sandbox, ['verify']);
  t.equal(damaged.code, 1);
  t.match(damaged.stdout, /^secrets +5 +1$/m);
  t.match(damaged.stdout, 'version 1 of db in prod: changed by somebody without the key, or damaged\n');
  t.match(damaged.stderr, 'mav: 1 row is damaged\n');
  const json = await mav(sandbox, ['verify', '-o', 'json']);
  t.equal(json.code, 1);
  const row = { table: 'secrets', name: 'db', environment: 'prod', version: 1, problem: 'changed' };
  t.match(JSON.parse(json.stdout), { status: 'damaged', damaged: [row] });
  t.notMatch(damaged.stdout + damaged.stderr + json.stdout, CANARY);
});
