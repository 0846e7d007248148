/** Tokens that may reach only some secrets: everything else is not there for them, on every route. */
import t, { type Test } from 'tap';
import { routes } from '../src/routes.ts';
import type { Answer } from './fixtures/ask.ts';
import { startDaemon } from './fixtures/daemon.ts';

const daemon = await startDaemon(t);

const SCOPES = ['read', 'write', 'generate'];

async function putAll(): Promise<void> {
  const secrets = [
    {
      name: 'ci/deploy/key',
      environment: 'prod',
      value: 'allowed',
      metadata: { a: 1 },
      fields: { user: 'u', pin: 'p' },
    },
    { name: 'ci/token', environment: 'prod', value: 'allowed too' },
    { name: 'ci/token', environment: 'dev', value: 'HIDDEN other environment' },
    {
      name: 'db',
      environment: 'prod',
      value: 'HIDDEN other name',
      metadata: { a: 1 },
      fields: { user: 'HIDDEN' },
    },
    { name: 'ci', environment: 'prod', value: 'HIDDEN no segment', expires_at: '2026-01-31T00:00:00Z' },
  ];
  await daemon.ask('POST', '/v1/import', { body: { secrets } });
}

await putAll();

/** Returns a function that asks with a token of these limits. */
async function limited(limits: object, scopes: readonly string[] = SCOPES) {
  const { token } = await daemon.createToken(scopes, limits);
  return (method: string, target: string, body?: unknown): Promise<Answer> =>
    daemon.ask(method, target, { token, body });
}

const CI = { environments: ['prod'], names: ['ci/**'] };

t.test('limits > lists, searches and exports > only what is allowed', async (t) => {
  const ask = await limited(CI);
  const targets = ['/v1/secrets', '/v1/secrets?env=prod', '/v1/search?q=a', '/v1/search?q=ci', '/v1/export'];
  targets.push(
    '/v1/secrets?metadata_key=a',
    '/v1/secrets?due_before=2030-01-01T00:00:00Z',
    '/v1/secrets?env=dev',
  );
  for (const target of targets) {
    const { status, text, json } = await ask('GET', target);
    t.equal(status, 200, target);
    t.notMatch(text, /HIDDEN|"db"|"name":"ci"|"environment":"dev"/, target);
    for (const { name, environment } of json) t.match(`${environment}:${name}`, /^prod:ci\//);
  }
  const names = (await ask('GET', '/v1/secrets')).json.map(({ name }: { name: string }) => name);
  t.strictSame(names, ['ci/deploy/key', 'ci/token']);
  const first = await ask('GET', '/v1/secrets?limit=1');
  t.equal(first.json.length, 1);
  const next = /<([^>]+)>/.exec(String(first.headers.link))?.[1] ?? '';
  const second = await ask('GET', next);
  t.match(second.json, [{ name: 'ci/token', environment: 'prod' }]);
  t.notOk(second.headers.link, 'nothing tells of more');
  t.match((await ask('GET', '/v1/info')).json, { secret_count: 2, due_count: 0 });
});

/** Every route with a secret in its path, and the bodies that it takes. */
const BODIES: Readonly<Record<string, unknown>> = {
  'secrets.put': { value: 'new' },
  'secrets.patch': { value: 'new' },
  'secrets.rename': { name: 'ci/stolen' },
  'secrets.rollback': { version: 1 },
  'values.put': 'new',
  'fields.put': { value: 'new' },
  'fields.putMany': { fields: { user: 'new' } },
  'fieldValues.put': 'new',
};

t.test('limits > every route of one secret > what is not allowed is not there', async (t) => {
  const ask = await limited(CI);
  const before = (await daemon.ask('GET', '/v1/export')).text;
  for (const { method, path, operation, scope } of routes) {
    if (!path.includes('/:name') || scope === 'session') continue;
    for (const [name, env] of [
      ['db', 'prod'],
      ['ci/token', 'dev'],
      ['ci', 'prod'],
      ['none', 'prod'],
    ] as const) {
      const target = `${path.replace(':name', encodeURIComponent(name)).replace(':field', 'user')}?env=${env}`;
      const { status, json } = await ask(method, target, BODIES[operation]);
      t.equal(status, 404, `${method} ${target}`);
      t.match(json, { code: 'not_found' });
    }
  }
  t.equal((await daemon.ask('GET', '/v1/export')).text, before, 'nothing changed');
});

t.test('limits > bodies that name secrets > what is not allowed is not there', async (t) => {
  const ask = await limited(CI);
  const before = (await daemon.ask('GET', '/v1/export')).text;
  const refs = [
    { name: 'db', environment: 'prod' },
    { name: 'db', environment: 'prod', field: 'user' },
    { name: 'ci/token', environment: 'prod' },
  ];
  const { json } = await ask('POST', '/v1/secrets/batch-get', { refs });
  t.match(json.secrets, [{ code: 'not_found' }, { code: 'not_found' }, { value: 'allowed too' }]);
  const renamed = await ask('POST', '/v1/secrets/ci%2Ftoken/rename?env=prod', { name: 'db' });
  t.equal(renamed.status, 404, 'to a name that is taken and not allowed');
  t.equal((await ask('POST', '/v1/secrets/ci%2Ftoken/rename?env=prod', { name: 'free' })).status, 404);
  t.equal((await ask('POST', '/v1/generate', { name: 'db', environment: 'prod' })).status, 404);
  const secrets = [
    { name: 'ci/token', environment: 'prod', value: 'changed' },
    { name: 'db', environment: 'prod', value: 'changed' },
  ];
  t.equal((await ask('POST', '/v1/import', { secrets })).status, 404, 'an import is all or nothing');
  t.equal((await ask('POST', '/v1/import?dry_run=true', { secrets })).status, 404);
  t.equal((await daemon.ask('GET', '/v1/export')).text, before, 'nothing changed');
});

t.test('limits > what is allowed > is read and written as by any token', async (t) => {
  const ask = await limited(CI);
  const at = '/v1/secrets/ci%2Fnew?env=prod';
  t.equal((await ask('PUT', at, { value: 'one' })).status, 201);
  t.equal((await ask('PUT', at, { value: 'two' })).status, 201);
  t.match((await ask('GET', `${at}&version=1`)).json, { value: 'one' });
  t.equal((await ask('POST', '/v1/secrets/ci%2Fnew/rename?env=prod', { name: 'ci/newer' })).status, 200);
  t.equal((await ask('DELETE', '/v1/secrets/ci%2Fnewer?env=prod')).status, 200);
  t.match((await ask('GET', '/v1/deleted')).json, [{ name: 'ci/newer' }]);
  t.equal((await ask('POST', '/v1/secrets/ci%2Fnewer/purge?env=prod')).status, 200);
});

t.test('limits > versions under a name that is not allowed > are not shown', async (t) => {
  const ask = await limited(CI);
  await daemon.ask('PUT', '/v1/secrets/secret-past?env=prod', { body: { value: 'HIDDEN past' } });
  await daemon.ask('POST', '/v1/secrets/secret-past/rename?env=prod', { body: { name: 'ci/present' } });
  const at = '/v1/secrets/ci%2Fpresent';
  t.match((await ask('GET', `${at}/versions?env=prod`)).json.versions.length, 1);
  t.equal((await ask('GET', `${at}?env=prod&version=1`)).status, 404);
  t.equal((await ask('POST', `${at}/rollback?env=prod`, { version: 1 })).status, 410);
  t.equal((await daemon.ask('GET', `${at}?env=prod&version=1`)).status, 200);
  await daemon.ask('POST', `${at}/purge?env=prod`);
});

t.test('limits > fields > only those, for reading and writing', async (t) => {
  const ask = await limited({ fields: ['user', 'p*'] });
  const at = '/v1/secrets/ci%2Fdeploy%2Fkey?env=prod';
  const under = (rest: string) => at.replace('?', `${rest}?`);
  t.match((await ask('GET', at)).json, { value: undefined, fields: { user: 'u', pin: 'p' }, field_count: 2 });
  for (const target of [under('/value'), under('/fields/other')])
    t.equal((await ask('GET', target)).status, 404);
  t.equal((await ask('PUT', under('/fields/user'), { value: 'changed' })).status, 201);
  t.equal((await ask('PUT', under('/fields/other'), { value: 'x' })).status, 404);
  t.equal((await ask('PUT', under('/fields'), { fields: { user: 'x', other: 'x' } })).status, 404);
  for (const [method, target, body] of [
    ['PUT', at, { value: 'x' }],
    ['PATCH', at, { metadata: {} }],
    ['PUT', under('/value'), 'x'],
    ['DELETE', at, undefined],
    ['POST', under('/rename'), { name: 'ci/other' }],
    ['POST', under('/rollback'), { version: 1 }],
    ['POST', under('/purge'), undefined],
    ['POST', '/v1/import', { secrets: [{ name: 'a', value: 'x' }] }],
  ] as const)
    t.equal((await ask(method, target, body)).status, 404, `${method} ${target}`);
  const value = await limited({ fields: [''] });
  t.match((await value('GET', at)).json, { value: 'allowed', fields: undefined, field_count: undefined });
  t.equal((await value('GET', under('/fields/user'))).status, 404);
  t.strictSame((await value('GET', `${under('/fields')}&names=true`)).json, []);
});

t.test('tokens.create > by a limited token > it can do no more than its maker', async (t) => {
  const admin = await limited({ ...CI, expires_in: '1h' }, ['admin']);
  const { json: made } = await admin('POST', '/v1/tokens', {
    name: 'child',
    scopes: ['read'],
    names: ['db', 'ci/*'],
  });
  t.strictSame(made.limits, [{ names: ['db', 'ci/*'] }, CI]);
  t.ok(Date.parse(made.expires_at) <= Date.now() + 3_600_000, 'it ends with its maker');
  const list = (await daemon.ask('GET', '/v1/secrets', { token: made.token })).json;
  t.strictSame(
    list.map(({ name }: { name: string }) => name),
    ['ci/token'],
  );
  const whole = await admin('POST', '/v1/tokens', { name: 'child', scopes: ['admin'] });
  t.strictSame(whole.json.limits, [CI]);
  t.match((await admin('POST', '/v1/tokens', { name: 'x', scopes: ['read'], trusted: true })).json, {
    code: 'forbidden',
  });
});

t.test('tokens.self, tokens.get > any token, an admin > what it may do', async (t) => {
  const { token, id } = await daemon.createToken(['read'], CI);
  const self = await daemon.ask('GET', '/v1/tokens/self', { token });
  t.match(self.json, { id, scopes: ['read'], limits: [CI], not_before: null });
  t.notMatch(self.text, token);
  const { last_used_at: usedAt, ...byAdmin } = (await daemon.ask('GET', `/v1/tokens/${id}`)).json;
  t.match(usedAt, /^20/, 'what is not written yet is written first');
  t.strictSame({ ...byAdmin, last_used_at: null }, { ...self.json, last_used_at: null });
  t.equal((await daemon.ask('GET', `/v1/tokens/${id}`, { token })).status, 403);
  t.equal((await daemon.ask('GET', '/v1/tokens/0123456789abcdef')).status, 404);
});

t.test('tokens.rotate > with and without an overlap > the same limits, and the old one ends', async (t) => {
  const first = await daemon.createToken(['read'], CI);
  const rotate = (token: string, id: string, body?: object) =>
    daemon.ask('POST', `/v1/tokens/${id}/rotate`, { token, body });
  const works = async (token: string) => (await daemon.ask('GET', '/v1/secrets', { token })).status === 200;
  const { status, json: second } = await rotate(first.token, first.id, { overlap: '1h' });
  t.equal(status, 201);
  t.match(second, { scopes: ['read'], limits: [CI], name: /./ });
  t.not(second.id, first.id);
  t.ok((await works(first.token)) && (await works(second.token)), 'both for an hour');
  const { expires_at: end } = (await daemon.ask('GET', `/v1/tokens/${first.id}`)).json;
  t.ok(Math.abs(Date.parse(end) - Date.now() - 3_600_000) < 60_000);
  const { json: third } = await rotate(second.token, second.id);
  t.notOk(await works(second.token));
  t.ok(await works(third.token));
  const other = await daemon.createToken(['admin']);
  t.equal((await rotate(other.token, third.id)).status, 403, 'nobody rotates another token but the owner');
});

t.test('tokens.create > not_before > refused until then', async (t) => {
  const at = (ms: number) => new Date(Date.now() + ms).toISOString();
  const later = await daemon.createToken(['read'], { not_before: at(3_600_000) });
  t.equal((await daemon.ask('GET', '/v1/secrets', { token: later.token })).status, 401);
  const now = await daemon.createToken(['read'], { not_before: at(-1_000) });
  t.equal((await daemon.ask('GET', '/v1/secrets', { token: now.token })).status, 200);
});

t.test('tokens.create > limits that cannot be > 400', async (t: Test) => {
  const wrong = [
    { names: [] },
    { names: [1] },
    { names: 'ci' },
    { environments: ['a\n'] },
    { fields: null, names: [null] },
  ];
  for (const limits of [...wrong, { not_before: 'soon' }, { not_before: 'never' }]) {
    const body = { name: 'wrong', scopes: ['read'], ...limits };
    t.equal((await daemon.ask('POST', '/v1/tokens', { body })).status, 400, JSON.stringify(limits));
  }
});
