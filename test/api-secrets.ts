/** Secrets and their fields over the socket: each endpoint's answer, and the rules for what is kept and what goes. */
import t from 'tap';
import { isError, replaceVolatile, show } from './fixtures/answers.ts';
import type { RequestOptions } from './fixtures/ask.ts';
import { serveSecrets } from './fixtures/served-secrets.ts';

t.cleanSnapshot = replaceVolatile;
const { daemon, fresh, put, read } = await serveSecrets(t);

/** Each step's answer in the snapshot; what must be there before is put first. */
const endpoints: [name: string, steps: [method: string, target: string, body?: unknown][]][] = [
  [
    'secrets.put > with metadata > 201, and get shows all of it',
    [
      ['PUT', '/v1/secrets/db-password?env=prod', { value: 'hunter2', metadata: { owner: 'ops', port: 1 } }],
      ['GET', '/v1/secrets/db-password?env=prod'],
      ['PUT', '/v1/secrets/db-password/fields/user?env=prod', { value: 'root' }],
      ['GET', '/v1/secrets/db-password?env=prod'],
      ['DELETE', '/v1/secrets/db-password?env=prod'],
    ],
  ],
  [
    'secrets.put > without metadata > get shows an empty object',
    [
      ['PUT', '/v1/secrets/plain', { value: 'hunter2' }],
      ['GET', '/v1/secrets/plain'],
      ['DELETE', '/v1/secrets/plain'],
    ],
  ],
  [
    'secrets.patch > value and metadata > 200',
    [
      ['PUT', '/v1/secrets/patched', { value: 'old', metadata: { a: 1 } }],
      ['PATCH', '/v1/secrets/patched', { value: 'new' }],
      ['PATCH', '/v1/secrets/patched', { metadata: { b: 2 } }],
      ['GET', '/v1/secrets/patched'],
      ['DELETE', '/v1/secrets/patched'],
    ],
  ],
  [
    'fields > each endpoint > as in the contract',
    [
      ['PUT', '/v1/secrets/login/fields', { fields: { user: 'root', pin: '0123', 'a/b ç': 'x' } }],
      ['GET', '/v1/secrets/login/fields'],
      ['PUT', '/v1/secrets/login/fields/user', { value: 'admin' }],
      ['GET', '/v1/secrets/login/fields/user'],
      ['GET', '/v1/secrets/login'],
      ['DELETE', '/v1/secrets/login/fields/user'],
      ['GET', '/v1/secrets/login/fields'],
      ['DELETE', '/v1/secrets/login'],
    ],
  ],
];

for (const [name, steps] of endpoints) {
  t.test(name, async (t) => {
    for (const [method, target, body] of steps) {
      const answer = await daemon.ask(method, target, body === undefined ? {} : { body });
      t.equal(answer.headers['content-length'], String(answer.bytes.length));
      t.matchSnapshot(show(answer), `${method} ${target}`);
    }
  });
}

t.test('env > absent, empty, given > the default environment or the one that is named', async (t) => {
  const target = fresh();
  await put(target, { value: 'default' });
  await put(`${target}?env=prod`, { value: 'prod' });
  const queries: [query: string, value: string][] = [
    ['', 'default'],
    ['?env=', 'default'],
    ['?env', 'default'],
    ['?', 'default'],
    ['?env=prod', 'prod'],
    ['?env=pr%6Fd&', 'prod'],
  ];
  for (const [query, value] of queries) {
    t.equal((await read(`${target}${query}`)).value, value, query);
  }
  isError(t, await daemon.ask('GET', `${target}?env=Prod`), 404, 'case counts');
  await put(`${target}?env=my+env`, { value: 'spaced' });
  t.equal((await read(`${target}?env=my%20env`)).environment, 'my env', '+ in a query is a space');
});

t.test('body > whatever its Content-Type > is read as JSON', async (t) => {
  const types = ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data', 'nonsense', ''];
  for (const type of types) {
    const options: RequestOptions = { body: { value: type || 'none' }, headers: { 'Content-Type': type } };
    const target = fresh();
    t.equal((await daemon.ask('PUT', target, options)).status, 201, `Content-Type: ${type}`);
    t.equal((await read(target)).value, type || 'none');
  }
});

t.test('body > whitespace, escapes, and null for what is optional > are taken', async (t) => {
  const target = fresh();
  const answer = await daemon.ask('PUT', target, {
    body: ' \r\n\t{ "v\\u0061lue" : "a\\u0000\\n\\"\\\\\\/\\ud83d\\udd11" , "metadata" : null } \n',
  });
  t.equal(answer.status, 201);
  t.match(await read(target), { value: 'a\0\n"\\/🔑', metadata: {} });
  const patch = await daemon.ask('PATCH', target, { body: '{"value":null,"metadata":null}' });
  t.equal(patch.status, 200);
  t.match(await read(target), { value: 'a\0\n"\\/🔑', metadata: {} });
});

t.test('metadata > numbers and nested values > come back as they were written', async (t) => {
  const metadata =
    '{"b":1.0,"a":1e5,"digits":1234567890123456789012345678901234567890,"m":-0,"e":1E+2,' +
    '"nested":{"x":[0.10,null,true,"1.0"],"":{}},"10":1,"9":2,"text":"\\u00e9\\ud83d\\udd11\\n","constructor":1}';
  const written = metadata.replace('\\u00e9\\ud83d\\udd11', 'é🔑');
  const target = `${fresh()}?env=numbers`;
  const body = `{"value":"v","metadata": ${metadata.replaceAll(':', ' : ')}}`;
  t.equal((await daemon.ask('PUT', target, { body })).status, 201);
  const shown = `"metadata":${written},`;
  t.ok((await daemon.ask('GET', target)).text.includes(shown), 'get');
  t.ok((await daemon.ask('GET', '/v1/secrets?env=numbers')).text.includes(shown), 'list');
  t.ok((await daemon.ask('GET', '/v1/search?q=1e5')).text.includes(shown), 'search');
});

t.test('values > every size up to a body of 1 MiB, and any text > come back the same', async (t) => {
  const overhead = JSON.stringify({ value: '' }).length;
  for (const value of [
    'x',
    '🔑'.repeat(1_000),
    '"\\\n\u2028'.repeat(5_000),
    'y'.repeat(1_048_576 - overhead),
  ]) {
    const target = fresh();
    await put(target, { value });
    t.ok((await read(target)).value === value, `${value.length} characters`);
  }
});

t.test(
  'secrets.put > over an existing one > replaces value and metadata, keeps fields and created_at',
  async (t) => {
    const target = fresh();
    await put(target, { value: 'one', metadata: { a: 1 } });
    await put(`${target}/fields/user`, { value: 'root' });
    const before = await read(target);
    await nextSecond(before.updated_at);
    await put(target, { value: 'two' });
    const after = await read(target);
    t.match(after, { value: 'two', metadata: {}, fields: { user: 'root' }, field_count: 1 });
    t.equal(after.created_at, before.created_at);
    t.ok(after.updated_at > before.updated_at, 'updated_at moves on');
  },
);

/** Times are whole seconds: waits until the clock shows a later one. */
async function nextSecond(since: string): Promise<void> {
  const until = Date.parse(since) + 1_000;
  while (Date.now() < until) await new Promise((resolve) => setTimeout(resolve, until - Date.now()));
}

t.test('secrets.patch > one member > keeps the other, the fields and created_at', async (t) => {
  const target = fresh();
  await put(target, { value: 'one', metadata: { a: 1, b: { c: [] } } });
  await put(`${target}/fields/user`, { value: 'root' });
  const { created_at } = await read(target);
  const steps: [body: object, value: string, metadata: object][] = [
    [{ value: 'two' }, 'two', { a: 1, b: { c: [] } }],
    [{ metadata: { d: 1 } }, 'two', { d: 1 }],
    [{}, 'two', { d: 1 }],
    [{ metadata: {} }, 'two', {}],
    [{ value: 'three', metadata: { e: 'f' } }, 'three', { e: 'f' }],
  ];
  for (const [index, [body, value, metadata]] of steps.entries()) {
    t.equal((await daemon.ask('PATCH', target, { body })).status, 200);
    const { updated_at, name, environment, written_by, accepted, ...shown } = await read(target);
    const fields = { user: 'root' };
    const expected = { value, metadata, fields, field_count: 1, created_at, version: index + 3 };
    t.strictSame(shown, expected, JSON.stringify(body));
  }
  isError(t, await daemon.ask('PATCH', fresh(), { body: { value: 'v' } }), 404, 'no such secret');
  isError(t, await daemon.ask('PATCH', `${target}?env=x`, { body: { value: 'v' } }), 404, 'nor elsewhere');
});

t.test('secrets.patch > many at once > all take effect, one after the other', async (t) => {
  const target = fresh();
  await put(target, { value: 'one', metadata: { from: 'put' } });
  const [byValue, byMetadata] = await Promise.all([
    daemon.ask('PATCH', target, { body: { value: 'two' } }),
    daemon.ask('PATCH', target, { body: { metadata: { from: 'patch' } } }),
  ]);
  t.strictSame([byValue.status, byMetadata.status], [200, 200]);
  t.match(await read(target), { value: 'two', metadata: { from: 'patch' } });
  const fields = Array.from({ length: 40 }, (_, index) => `f${index}`);
  await Promise.all(fields.map((field) => put(`${target}/fields/${field}`, { value: field })));
  const secret = await read(target);
  t.strictSame(secret.fields, Object.fromEntries(fields.map((field) => [field, field])), 'no field is lost');
  t.equal(secret.field_count, 40);
});

t.test('fields > of a secret without a value > it stays without one', async (t) => {
  const target = fresh();
  await put(`${target}/fields/user`, { value: 'root' });
  const isWithoutValue = async (condition: string) =>
    t.notOk('value' in (await read(target)), `no value ${condition}`);
  await isWithoutValue('at first');
  t.equal((await daemon.ask('PATCH', target, { body: { metadata: { a: 1 } } })).status, 200);
  await isWithoutValue('after a patch of the metadata');
  t.match(await read(target), { metadata: { a: 1 }, fields: { user: 'root' }, field_count: 1 });
  await daemon.ask('DELETE', `${target}/fields/user`);
  await isWithoutValue('after the last field went');
  t.strictSame(await read(`${target}/fields`), {}, 'no fields, but the secret is there');
  await put(target, { value: 'now' });
  t.equal((await read(target)).value, 'now');
});

t.test('fields.putMany > one of them bad > none is stored', async (t) => {
  const target = fresh();
  await put(`${target}/fields`, { fields: { a: '1', b: '2' } });
  const refused = await daemon.ask('PUT', `${target}/fields`, { body: { fields: { a: 'new', c: '' } } });
  isError(t, refused, 400, 'an empty value');
  t.strictSame(await read(`${target}/fields`), { a: '1', b: '2' });
  const again = await daemon.ask('PUT', `${target}/fields`, {
    body: { fields: { b: 'new', c: '3', '10': 'x' } },
  });
  t.equal(again.json.field_count, 3, 'counts what this request set');
  t.equal((await read(target)).field_count, 4, 'a secret counts all');
  const none = fresh();
  isError(t, await daemon.ask('PUT', `${none}/fields`, { body: { fields: {} } }), 400, 'none given');
  isError(t, await daemon.ask('GET', none), 404, 'and no parent is left behind');
});

t.test('fields > the parent is there, or not > created_at stays, and absent ones are 404', async (t) => {
  const target = fresh();
  await put(target, { value: 'v', metadata: { a: 1 } });
  const { created_at } = await read(target);
  await put(`${target}/fields/user`, { value: 'root' });
  t.match(await read(target), { value: 'v', metadata: { a: 1 }, created_at, fields: { user: 'root' } });
  isError(t, await daemon.ask('GET', `${target}/fields/none`), 404, 'no such field');
  isError(t, await daemon.ask('DELETE', `${target}/fields/none`), 404, 'no such field to delete');
  isError(t, await daemon.ask('GET', `${target}/fields/user?env=x`), 404, 'no such secret there');
  isError(t, await daemon.ask('GET', `${fresh()}/fields`), 404, 'fields of no secret');
  isError(t, await daemon.ask('DELETE', `${fresh()}/fields/user`), 404, 'field of no secret');
});

t.test('secrets.delete > with fields and another environment > fields go, the other stays', async (t) => {
  const target = fresh();
  await put(target, { value: 'v', metadata: { only: 'deleted-marker' } });
  await put(`${target}/fields/user`, { value: 'root' });
  await put(`${target}?env=prod`, { value: 'prod' });
  t.equal((await daemon.ask('DELETE', target)).status, 200);
  isError(t, await daemon.ask('GET', target), 404, 'the secret is gone');
  isError(t, await daemon.ask('GET', `${target}/fields/user`), 404, 'its field is gone');
  isError(t, await daemon.ask('DELETE', target), 404, 'it cannot be deleted twice');
  t.equal((await read(`${target}?env=prod`)).value, 'prod');
  t.strictSame(await read('/v1/search?q=deleted-marker'), [], 'the search does not find it');
  await put(target, { value: 'again' });
  t.notOk('fields' in (await read(target)), 'a new one of that name has none of the old fields');
});

t.test('field_count > fields set, set again, deleted > counts what is there', async (t) => {
  const target = '/v1/secrets/counted?env=counted';
  const field = (name: string) => `/v1/secrets/counted/fields/${name}?env=counted`;
  const counts = async () => {
    const { json } = await daemon.ask('GET', target);
    const [listed] = (await daemon.ask('GET', '/v1/secrets?env=counted')).json;
    return [json.field_count, listed.field_count];
  };
  await put(target, { value: 'v' });
  t.strictSame(await counts(), [undefined, undefined], 'absent where there are none');
  await daemon.ask('PUT', field('a'), { body: { value: '1' } });
  await daemon.ask('PUT', field('b'), { body: { value: '2' } });
  await daemon.ask('PUT', field('a'), { body: { value: '3' } });
  t.strictSame(await counts(), [2, 2]);
  await put(target, { value: 'v' });
  t.strictSame(await counts(), [2, 2], 'a replacement keeps them');
  await daemon.ask('DELETE', field('a'));
  t.strictSame(await counts(), [1, 1]);
  await daemon.ask('DELETE', field('b'));
  t.strictSame(await counts(), [undefined, undefined], 'absent again');
});
