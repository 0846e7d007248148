/** How many versions are kept, what makes one, and what tells apart a secret that was purged and made again. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { createHeldVault, hold } from './fixtures/held.ts';
import { StoredFile } from './fixtures/stored.ts';
import { createSandbox } from './fixtures/vault.ts';

const A = '/v1/secrets/a';

async function startWith(t: Test, config: object): Promise<Daemon> {
  const sandbox = createSandbox(t);
  mkdirSync(sandbox.home, { mode: 0o700 });
  writeFileSync(join(sandbox.home, 'config.json'), JSON.stringify(config), { mode: 0o600 });
  return startDaemon(t, { sandbox });
}

/** A daemon, or a vault that the test holds. */
interface Asked {
  readonly ask: (method: string, target: string) => Promise<{ readonly json: any }>;
}

const numbersOf = async ({ ask }: Asked): Promise<number[]> =>
  (await ask('GET', `${A}/versions`)).json.versions.map(({ version }: { version: number }) => version);

for (const keep_versions of [0, 1, 2]) {
  t.test(`config.json > keep_versions ${keep_versions} > no more are kept, of fields neither`, async (t) => {
    const daemon = await startWith(t, { keep_versions });
    const file = new StoredFile(daemon.databasePath);
    t.teardown(() => file.close());
    await daemon.ask('PUT', A, { body: { value: 'one' } });
    for (const value of ['x', 'y', 'z']) await daemon.ask('PUT', `${A}/fields/f`, { body: { value } });
    await daemon.ask('DELETE', `${A}/fields/f`);
    await daemon.ask('PUT', A, { body: { value: 'two' } });
    t.strictSame(await numbersOf(daemon), keep_versions === 2 ? [6, 5] : [6]);
    t.equal(file.rows('versions').length, Math.max(keep_versions - 1, 0));
    t.strictSame(file.rows('old_fields'), []);
    await daemon.ask('DELETE', A);
    t.equal((await daemon.ask('POST', `${A}/restore`)).status, keep_versions === 2 ? 200 : 404);
    t.equal(file.rows('deleted').length, 0);
  });
}

t.test('config.json > keep_deleted_days 0 > deleting is for good', async (t) => {
  const daemon = await startWith(t, { keep_deleted_days: 0 });
  await daemon.ask('PUT', A, { body: { value: 'one' } });
  await daemon.ask('PUT', A, { body: { value: 'two' } });
  t.strictSame(await numbersOf(daemon), [2, 1]);
  await daemon.ask('DELETE', A);
  t.equal((await daemon.ask('GET', `${A}/versions`)).status, 404);
  t.strictSame((await daemon.ask('GET', '/v1/deleted')).json, []);
  await daemon.ask('PUT', A, { body: { value: 'three' } });
  t.strictSame(await numbersOf(daemon), [1]);
});

t.test('one request > changes value, metadata, dates and fields > makes one version', async (t) => {
  const held = await hold(t, await createHeldVault(t));
  const importOne = (entry: object) =>
    held.ask('POST', '/v1/import', { body: { secrets: [{ name: 'a', ...entry }] } });
  await importOne({ value: 'one', fields: { f: 'x', g: 'y' } });
  const whole = { value: 'two', metadata: { k: 1 }, fields: { f: 'z' }, expires_at: '2030-01-01T00:00:00Z' };
  await importOne(whole);
  await importOne(whole);
  await importOne({ fields: { h: 'new' }, rotate_by: '2029-01-01T00:00:00Z' });
  await held.ask('POST', '/v1/generate', { body: { name: 'a' } });
  t.strictSame(await numbersOf(held), [4, 3, 2, 1]);
  t.match((await held.ask('GET', `${A}?version=1`)).json, { value: 'one', fields: { f: 'x', g: 'y' } });
  const second = (await held.ask('GET', `${A}?version=2`)).json;
  t.match(second, { ...whole, fields: { f: 'z', g: 'y' }, field_count: 2 });
  t.match((await held.ask('GET', `${A}?version=3`)).json, { value: 'two', field_count: 3 });
  t.equal((await held.ask('POST', `${A}/accept`)).status, 200);
  t.strictSame(await numbersOf(held), [4, 3, 2, 1], 'accepting changes no content');
});

t.test('values > of 1 MiB, a thousand fields, versions of many digits > kept and answered', async (t) => {
  const held = await hold(t, await createHeldVault(t));
  const large = 'v'.repeat(1_000_000);
  await held.ask('PUT', A, { body: { value: large } });
  const many = Array.from({ length: 1_000 }, (_, index) => [`f${index}`, `${index}`]);
  await held.ask('PUT', `${A}/fields`, { body: { fields: Object.fromEntries(many) } });
  await held.ask('PUT', `${A}/fields/f1`, { body: { value: 'new' } });
  await held.ask('PUT', A, { body: { value: 'small' } });
  t.equal((await held.ask('GET', `${A}/value?version=2`)).text, large);
  t.equal((await held.ask('GET', `${A}/fields/f1?version=2`)).json.value, '1');
  t.strictSame(await numbersOf(held), [4, 3, 2, 1]);
  t.equal((await held.ask('HEAD', `${A}?version=1`)).status, 200);
  t.equal((await held.ask('GET', `${A}?version=${Number.MAX_SAFE_INTEGER}`)).status, 404);
  for (const version of ['9999999999999999', '12345678901234567', '1.0', '-1', '01', ''])
    t.equal((await held.ask('GET', `${A}?version=${version}`)).status, 400, version);
});

t.test('purge > and made again > an old tag is not taken for the new secret', async (t) => {
  const held = await hold(t, await createHeldVault(t));
  await held.ask('PUT', A, { body: { value: 'one' } });
  const { etag = '' } = (await held.ask('GET', A)).headers;
  await held.ask('POST', `${A}/purge`);
  await held.ask('PUT', A, { body: { value: 'other' } });
  const change = (tag: string) => held.ask('POST', `${A}/accept`, { headers: { 'if-match': tag } });
  t.equal((await change(etag)).status, 412);
  t.equal((await change('"2"')).status, 412);
  t.equal((await change('"1"')).status, 200, 'the number alone');
});

t.test('secrets.rollback > by a token > it answers for the values that come back', async (t) => {
  const held = await hold(t, await createHeldVault(t));
  await held.ask('PUT', A, { body: { value: 'one' } });
  await held.ask('PUT', `${A}/fields/f`, { body: { value: 'old' } });
  await held.ask('PUT', `${A}/fields/f`, { body: { value: 'new' } });
  const body = { name: 't', scopes: ['read', 'write'] };
  const { token, id } = (await held.ask('POST', '/v1/tokens', { body })).json;
  const rolled = await held.ask('POST', `${A}/rollback`, { token, body: { version: 2 } });
  t.equal(rolled.status, 200);
  t.match((await held.ask('GET', A)).json, {
    ...{ value: 'one', fields: { f: 'old' }, accepted: false, written_by: id },
    unaccepted_fields: { f: id },
  });
  t.equal((await held.ask('POST', `${A}/rollback`, { body: { version: 3 } })).status, 200);
  t.match((await held.ask('GET', A)).json, {
    fields: { f: 'new' },
    accepted: true,
    unaccepted_fields: undefined,
  });
});

t.test('secrets.rename > onto the name of a deleted secret > both keep their versions', async (t) => {
  const held = await hold(t, await createHeldVault(t));
  await held.ask('PUT', A, { body: { value: 'deleted' } });
  await held.ask('DELETE', A);
  await held.ask('PUT', '/v1/secrets/b', { body: { value: 'renamed' } });
  await held.ask('POST', '/v1/secrets/b/rename', { body: { name: 'a' } });
  t.strictSame(await numbersOf(held), [2, 1]);
  t.equal((await held.ask('POST', `${A}/restore`)).status, 409);
  await held.ask('POST', `${A}/rename`, { body: { name: 'c' } });
  t.equal((await held.ask('POST', `${A}/restore`)).status, 200);
  t.match((await held.ask('GET', A)).json, { value: 'deleted', version: 3 });
  await held.ask('DELETE', A);
  await held.ask('PUT', A, { body: { value: 'made again' } });
  t.strictSame(await numbersOf(held), [5, 4, 3, 2, 1]);
  t.equal((await held.ask('POST', `${A}/rollback`, { body: { version: 4 } })).status, 404, 'a deletion');
  t.equal((await held.ask('POST', `${A}/rollback`, { body: { version: 1 } })).status, 200);
  t.match((await held.ask('GET', A)).json, { value: 'deleted', version: 6 });
  t.match((await held.ask('GET', '/v1/secrets/c')).json, { value: 'renamed' });
});
