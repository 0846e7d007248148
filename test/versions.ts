/** What secrets were: their versions, rolling back, deleting and restoring, purging. */
import { readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import t from 'tap';
import { isError } from './fixtures/answers.ts';
import { base64, NOT_UTF8, serveSecrets } from './fixtures/served-secrets.ts';

const { daemon, fresh, change, put, read, readBytes } = await serveSecrets(t);

const nameOf = (target: string) => decodeURIComponent(target.split('/')[3] ?? '');
const changesOf = async (target: string): Promise<[number, string][]> =>
  (await read(`${target}/versions`)).versions.map((each: { version: number; change: string }) => [
    each.version,
    each.change,
  ]);

t.test('secrets.versions > after each kind of change > each keeps what was before', async (t) => {
  const at = fresh();
  await put(at, { value: 'one', metadata: { a: 1 } });
  await put(at, { value: 'two' });
  await change('PATCH', at, { metadata: { b: 2 } }, 200);
  await put(`${at}/fields`, { fields: { user: 'root', pin: base64(NOT_UTF8) } });
  await put(`${at}/fields/user`, { value: 'admin' });
  await change('DELETE', `${at}/fields/pin`, undefined, 200);
  const { json } = await change('PATCH', at, { value: 'three' }, 200);
  t.strictSame(json, { status: 'updated', name: nameOf(at), version: 7 });
  t.strictSame(await changesOf(at), [
    [7, 'edit'],
    [6, 'fields'],
    [5, 'fields'],
    [4, 'fields'],
    [3, 'edit'],
    [2, 'set'],
    [1, 'set'],
  ]);
  const shown = async (version: number) => {
    const { value, metadata, fields } = await read(`${at}?version=${version}`);
    return { value, metadata, fields };
  };
  t.match(await shown(1), { value: 'one', metadata: { a: 1 }, fields: undefined });
  t.match(await shown(2), { value: 'two', metadata: {}, fields: undefined });
  t.match(await shown(3), { value: 'two', metadata: { b: 2 }, fields: undefined });
  t.match(await shown(4), { value: 'two', fields: { user: 'root', pin: base64(NOT_UTF8) } });
  t.match(await shown(5), { value: 'two', fields: { user: 'admin', pin: base64(NOT_UTF8) } });
  t.match(await shown(6), { value: 'two', fields: { user: 'admin' } });
  t.match(await shown(7), { value: 'three', fields: { user: 'admin' } });
  t.equal((await readBytes(`${at}/value?version=1`)).toString(), 'one');
  t.ok((await readBytes(`${at}/fields/pin/value?version=4`)).equals(NOT_UTF8));
  t.strictSame(await read(`${at}/fields?version=4&names=true`), ['pin', 'user']);
  t.match(await read(`${at}/fields/user?version=4`), { value: 'root' });
  isError(t, await daemon.ask('GET', `${at}/fields/user?version=3`), 404, 'no such field then');
  isError(t, await daemon.ask('GET', `${at}?version=8`), 404, '404');
  isError(t, await daemon.ask('GET', `${at}?version=0`), 400, '400');
});

t.test('secrets.rollback > to an old version > it is the newest, whole, and nothing is lost', async (t) => {
  const at = fresh();
  await put(at, { value: 'one', metadata: { a: 1 } });
  await put(`${at}/fields`, { fields: { user: 'root', gone: 'x' } });
  await put(at, { value: 'two', metadata: { z: 1 } });
  await change('DELETE', `${at}/fields/gone`, undefined, 200);
  await put(`${at}/fields`, { fields: { other: 'y' } });
  const { json } = await change('POST', `${at}/rollback`, { version: 2 }, 200);
  t.strictSame(json, { status: 'rolled_back', name: nameOf(at), version: 6, restored_version: 2 });
  t.match(await read(at), { value: 'one', metadata: { a: 1 }, fields: { user: 'root', gone: 'x' } });
  t.equal((await read(at)).field_count, 2);
  t.match(await read(`${at}?version=5`), { value: 'two', fields: { user: 'root', other: 'y' } });
  t.match((await read(`/v1/search?q=${nameOf(at)}`))[0], { metadata: { a: 1 }, version: 6 });
  isError(t, await daemon.ask('POST', `${at}/rollback`, { body: { version: 9 } }), 404, '404');
  isError(t, await daemon.ask('POST', `${at}/rollback`, { body: { version: 6 } }), 400, '400');
});

t.test('secrets.versions > more than ten > the oldest are gone', async (t) => {
  const at = fresh();
  for (let index = 1; index <= 13; index++) await put(at, { value: `value ${index}` });
  const versions = (await changesOf(at)).map(([version]) => version);
  t.strictSame(versions, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4]);
  isError(t, await daemon.ask('GET', `${at}?version=3`), 404, '404');
  t.match((await daemon.ask('POST', `${at}/rollback`, { body: { version: 3 } })).json, { code: 'gone' });
  t.equal((await readBytes(`${at}/value?version=4`)).toString(), 'value 4');
});

t.test('secrets.restore > after deleting > it is whole again, and its versions go on', async (t) => {
  const at = fresh();
  await put(at, { value: 'one', metadata: { a: 1 } });
  await put(`${at}/fields`, { fields: { user: 'root' } });
  await change('DELETE', at, undefined, 200);
  isError(t, await daemon.ask('GET', at), 404, '404');
  t.match(
    await read(`${at}?version=2`),
    { value: 'one', fields: { user: 'root' } },
    'old versions are readable',
  );
  isError(t, await daemon.ask('GET', `${at}?version=3`), 404, 'the deletion has no value');
  t.strictSame(await changesOf(at), [
    [3, 'delete'],
    [2, 'fields'],
    [1, 'set'],
  ]);
  const found = (await read('/v1/deleted')).find(({ name }: { name: string }) => name === nameOf(at));
  t.match(found, { name: nameOf(at), environment: '', version: 3, deleted_by: /^[0-9a-f]{16}$/ });
  const { json } = await change('POST', `${at}/restore`, undefined, 200);
  t.strictSame(json, { status: 'restored', name: nameOf(at), version: 4 });
  t.match(await read(at), { value: 'one', metadata: { a: 1 }, fields: { user: 'root' }, version: 4 });
  isError(t, await daemon.ask('POST', `${at}/restore`), 409, '409');
  await change('DELETE', at, undefined, 200);
  await put(at, { value: 'anew' });
  t.match(await changesOf(at), [
    [6, 'set'],
    [5, 'delete'],
    [4, 'restore'],
  ]);
});

t.test('secrets.purge > live or deleted > nothing of it is left', async (t) => {
  const at = fresh();
  await put(at, { value: 'one' });
  await put(at, { value: 'two' });
  await put(`${at}/fields`, { fields: { user: 'root' } });
  await change('POST', `${at}/purge`, undefined, 200);
  isError(t, await daemon.ask('GET', at), 404, '404');
  isError(t, await daemon.ask('GET', `${at}/versions`), 404, '404');
  isError(t, await daemon.ask('POST', `${at}/restore`), 404, '404');
  isError(t, await daemon.ask('POST', `${at}/purge`), 404, '404');
  await put(at, { value: 'three' });
  t.strictSame(await changesOf(at), [[1, 'set']]);
  await change('DELETE', at, undefined, 200);
  await change('POST', `${at}/purge`, undefined, 200);
  isError(t, await daemon.ask('GET', `${at}/versions`), 404, '404');
});

t.test('secrets.rename > a secret with versions > they stay, under the old name', async (t) => {
  const at = fresh();
  const name = nameOf(at);
  await put(at, { value: 'one' });
  await put(`${at}/fields`, { fields: { user: 'root' } });
  await change('POST', `${at}/rename`, { name: `${name}-new` }, 200);
  const to = `${at}-new`;
  t.match((await read(`${to}/versions`)).versions, [
    { version: 3, change: 'rename' },
    { version: 2, change: 'fields', name, environment: '' },
    { version: 1, change: 'set', name },
  ]);
  t.match(await read(`${to}?version=2`), { name, value: 'one', fields: { user: 'root' } });
  await change('POST', `${to}/rollback`, { version: 1 }, 200);
  t.match(await read(to), { name: `${name}-new`, value: 'one', fields: undefined });
  isError(t, await daemon.ask('GET', `${at}/versions`), 404, '404');
});

t.test('keys.rotate > with old versions > they open under the new KEK', async (t) => {
  const at = fresh();
  await put(at, { value: 'one' });
  await put(`${at}/fields`, { fields: { user: 'root' } });
  await put(`${at}/fields`, { fields: { user: 'admin' } });
  await put(at, { value: 'two' });
  const gone = fresh();
  await put(gone, { value: 'deleted' });
  await change('DELETE', gone, undefined, 200);
  const session = readFileSync(`${daemon.socket}.session`, 'utf8').trim();
  t.equal((await daemon.ask('POST', '/v1/keys/rotate', { token: session })).status, 200);
  t.match(await read(`${at}?version=2`), { value: 'one', fields: { user: 'root' } });
  t.notOk((await read(`${at}/versions`)).versions.some((each: object) => 'error' in each));
  await change('POST', `${gone}/restore`, undefined, 200);
  t.match(await read(gone), { value: 'deleted' });
});

t.test('fields > a deleted field is put back into the file > it is not taken up again', async (t) => {
  const at = fresh();
  await put(at, { value: 'one' });
  await put(`${at}/fields`, { fields: { gone: 'x' } });
  const db = new Database(daemon.databasePath);
  const row = db
    .prepare<[string], Record<string, unknown>>(
      'SELECT f.* FROM fields f JOIN secrets s ON s.id = f.secret_id WHERE s.name = ?',
    )
    .get(nameOf(at)) as Record<string, unknown>;
  const columns = Object.keys(row);
  const putBack = () =>
    db
      .prepare(`INSERT INTO fields (${columns.join()}) VALUES (${columns.map(() => '?').join()})`)
      .run(...Object.values(row));
  await change('DELETE', `${at}/fields/gone`, undefined, 200);
  putBack();
  const refused = await daemon.ask('PUT', `${at}/fields/new`, { body: { value: 'y' } });
  t.match(refused.json, { code: 'integrity' });
  await put(at, { value: 'two' });
  await put(`${at}/fields/new`, { value: 'y' });
  t.strictSame(await read(`${at}/fields`), { new: 'y' });
  db.close();
});

t.test('versions > an old row in the place of the current one > it does not open', async (t) => {
  const at = fresh();
  await put(at, { value: 'one' });
  await put(at, { value: 'two' });
  const db = new Database(daemon.databasePath ?? '');
  db.prepare(
    `UPDATE secrets SET (version, wrapped_dek, updated_at, revision, change, payload) =
       (SELECT version, wrapped_dek, updated_at, revision, change, payload FROM versions v
        WHERE v.secret_id = secrets.id AND v.revision = 1) WHERE name = ?`,
  ).run(nameOf(at));
  db.close();
  t.match((await daemon.ask('GET', at)).json, { code: 'integrity' });
});
