/** `confirm` on secrets and tokens: where it is set, who may lower it, and that nothing else does. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { startDaemon } from './fixtures/daemon.ts';

t.setTimeout(550_000);

const daemon = await startDaemon(t);
const session = readFileSync(`${daemon.socket}.session`, 'utf8').trim();
const { token: writer } = await daemon.createToken(['read', 'write']);

const confirmOf = async (name: string) => {
  const { json } = await daemon.ask('GET', '/v1/secrets');
  return json.find((secret: { name: string }) => secret.name === name)?.confirm;
};
const put = (name: string, body: object, token = daemon.admin) =>
  daemon.ask('PUT', `/v1/secrets/${name}`, { body: { value: 'v', ...body }, token });

t.test(
  'confirm > on put, patch, import and generate > is stored, and listed unless it is never',
  async (t) => {
    await put('put', { confirm: 'session' });
    await put('patched', {});
    t.equal(await confirmOf('patched'), undefined);
    await daemon.ask('PATCH', '/v1/secrets/patched', { body: { confirm: 'always' } });
    await daemon.ask('POST', '/v1/import', {
      body: { secrets: [{ name: 'imported', value: 'v', confirm: 'session' }] },
    });
    await daemon.ask('POST', '/v1/generate', { body: { name: 'generated', confirm: 'always' } });
    const found = await Promise.all(['put', 'patched', 'imported', 'generated'].map(confirmOf));
    t.strictSame(found, ['session', 'always', 'session', 'always']);
    const again = await daemon.ask('POST', '/v1/import', {
      body: { secrets: [{ name: 'put', value: 'v', confirm: 'always' }] },
    });
    t.equal(again.json.changed.length, 1);
    t.equal(await confirmOf('put'), 'always');
  },
);

t.test('confirm > another word > 400 that names it', async (t) => {
  for (const confirm of ['', 'ALWAYS', 'once', 1, true, []]) {
    const { status, json } = await put('bad', { confirm });
    t.match([status, json.member], [400, 'confirm'], JSON.stringify(confirm));
  }
  const body = { secrets: [{ name: 'bad', value: 'v', confirm: 'sometimes' }] };
  t.match((await daemon.ask('POST', '/v1/import', { body })).json, {
    code: 'bad_request',
    error: /"confirm"/,
  });
});

t.test('confirm > whatever else changes > stays', async (t) => {
  const name = 'kept';
  const target = `/v1/secrets/${name}`;
  await put(name, {});
  await daemon.ask('PATCH', target, { body: { confirm: 'always' } });
  const steps: readonly [what: string, method: string, path: string, body?: object][] = [
    ['replaced', 'PUT', target, { value: 'w' }],
    ['patched', 'PATCH', target, { metadata: {} }],
    ['a field', 'PUT', `${target}/fields/f`, { value: 'w' }],
    ['imported', 'POST', '/v1/import', { secrets: [{ name, value: 'x' }] }],
    ['rolled back to before', 'POST', `${target}/rollback`, { version: 1 }],
    ['deleted', 'DELETE', target],
    ['restored', 'POST', `${target}/restore`],
    ['deleted again', 'DELETE', target],
    ['made again', 'PUT', target, { value: 'new' }],
  ];
  for (const [what, method, path, body] of steps) {
    const { status } = await daemon.ask(method, path, { token: writer, ...(body && { body }) });
    t.ok(status < 300, `${what}: ${status}`);
    if (method !== 'DELETE') t.equal(await confirmOf(name), 'always', what);
  }
});

t.test('confirm > lowered by a token, by the owner > refused, done', async (t) => {
  await put('high', { confirm: 'always' });
  const attempts: readonly [method: string, path: string, body: object][] = [
    ['PUT', '/v1/secrets/high', { value: 'w', confirm: 'never' }],
    ['PATCH', '/v1/secrets/high', { confirm: 'session' }],
    ['POST', '/v1/import', { secrets: [{ name: 'high', value: 'w', confirm: 'never' }] }],
  ];
  for (const [method, path, body] of attempts) {
    const { status, json } = await daemon.ask(method, path, { body, token: writer });
    t.match([status, json.code, json.member], [403, 'forbidden', 'confirm'], path);
  }
  t.equal((await put('raised', { confirm: 'session' }, writer)).status, 201, 'a token may have it ask more');
  const lowered = { body: { confirm: 'never' }, token: session };
  t.equal((await daemon.ask('PATCH', '/v1/secrets/high', lowered)).status, 200);
  t.equal(await confirmOf('high'), undefined);
});

t.test('confirm > of a token > is shown, and holds for the tokens that it makes', async (t) => {
  const make = (body: object, token: string) =>
    daemon.ask('POST', '/v1/tokens', { body: { name: 'n', scopes: ['admin'], ...body }, token });
  const first = await make({ confirm: 'session' }, session);
  t.match([first.status, first.json.confirm], [201, 'session']);
  for (const [wanted, got] of [
    ['never', 'session'],
    ['always', 'always'],
  ])
    t.equal((await make({ confirm: wanted }, first.json.token)).json.confirm, got);
  const self = await daemon.ask('GET', '/v1/tokens/self', { token: first.json.token });
  t.equal(self.json.confirm, 'session');
  const rotated = await daemon.ask('POST', `/v1/tokens/${first.json.id}/rotate`, { token: session });
  t.equal(rotated.json.confirm, 'session');
});
