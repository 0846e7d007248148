/** Every scope against every route, generated from the route table. */
import t from 'tap';
import { routes } from '../src/routes.ts';
import { startDaemon } from './fixtures/vault.ts';

const daemon = await startDaemon(t);
const SCOPES = ['read', 'write', 'generate', 'admin'] as const;
const combinations = [
  ...SCOPES.map((scope) => [scope]),
  ['read', 'write'],
  ['read', 'generate'],
  ['write', 'generate'],
];

/** Names that no other test of this file relies on: what matters is only whether the request gets past its scope. */
function targetOf(path: string): string {
  const target = path.replace(':name', 'n').replace(':field', 'f').replace(':id', '0123456789abcdef');
  return path === '/v1/search' ? `${target}?q=x` : target;
}

const tokens = new Map<string, string>();
for (const scopes of combinations) tokens.set(scopes.join('+'), (await daemon.createToken(scopes)).token);

for (const route of routes) {
  const title = `${route.method} ${route.path}`;
  if (route.scope === null) {
    t.test(`${title} > no token > answered`, async (t) => {
      t.equal((await daemon.ask(route.method, targetOf(route.path), { token: null })).status, 200);
    });
    continue;
  }
  t.test(`${title} > no token or an unknown one > 401`, async (t) => {
    for (const token of [null, `mvt_${'0'.repeat(64)}`]) {
      const answer = await daemon.ask(route.method, targetOf(route.path), { token });
      t.equal(answer.status, 401);
      t.equal(answer.headers['www-authenticate'], 'Bearer');
    }
  });
  t.test(`${title} > each combination of scopes > only what the table says gets past`, async (t) => {
    for (const scopes of combinations) {
      const token = tokens.get(scopes.join('+')) ?? '';
      const answer = await daemon.ask(route.method, targetOf(route.path), {
        token,
        body: route.body === 'none' ? undefined : '{',
      });
      const permitted =
        route.scope !== 'session' && (scopes.includes(route.scope as never) || scopes.includes('admin'));
      if (permitted) t.not(answer.status, 403, scopes.join('+'));
      else t.equal(answer.status, 403, scopes.join('+'));
      t.not(answer.status, 401, scopes.join('+'));
    }
  });
}

t.test('generate > an existing secret without the scope write > 403, and the secret stays', async (t) => {
  await daemon.ask('PUT', '/v1/secrets/taken', { body: { value: 'before' } });
  const generate = { token: tokens.get('generate') ?? '', body: { name: 'taken' } };
  const refused = await daemon.ask('POST', '/v1/generate', generate);
  t.equal(refused.status, 403);
  t.equal(refused.json.code, 'forbidden');
  t.equal((await daemon.ask('GET', '/v1/secrets/taken')).json.value, 'before');
  const both = { ...generate, token: tokens.get('write+generate') ?? '' };
  t.equal((await daemon.ask('POST', '/v1/generate', both)).status, 200);
  t.not((await daemon.ask('GET', '/v1/secrets/taken')).json.value, 'before');
  t.equal((await daemon.ask('POST', '/v1/generate', { ...generate, body: { name: 'fresh' } })).status, 200);
});

t.test('token > revoked or expired > 401 from the next request on', async (t) => {
  const { token, id } = await daemon.createToken(['read']);
  t.equal((await daemon.ask('GET', '/v1/info', { token })).status, 200);
  t.equal((await daemon.ask('DELETE', `/v1/tokens/${id}`)).status, 200);
  t.equal((await daemon.ask('GET', '/v1/info', { token })).status, 401);
  t.equal((await daemon.ask('DELETE', `/v1/tokens/${id}`)).status, 404);
  const brief = await daemon.createToken(['read'], { expires_in: '1s' });
  const deadline = Date.now() + 5_000;
  let status = 200;
  while (status === 200 && Date.now() < deadline) {
    ({ status } = await daemon.ask('GET', '/v1/info', { token: brief.token }));
  }
  t.equal(status, 401);
});

t.test('tokens > created, used and listed > what the contract says of each', async (t) => {
  const { token, id } = await daemon.createToken(['write', 'read', 'read'], { expires_in: '1h30m' });
  await daemon.ask('GET', '/v1/info', { token });
  const listed = (await daemon.ask('GET', '/v1/tokens')).json.find((row: { id: string }) => row.id === id);
  t.same(Object.keys(listed), ['id', 'name', 'scopes', 'created_at', 'expires_at', 'last_used_at']);
  t.same(listed.scopes, ['read', 'write']);
  t.equal(Date.parse(listed.expires_at) - Date.parse(listed.created_at), 5_400_000);
  t.match(listed.last_used_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  t.match(token, /^mvt_[0-9a-f]{64}$/);
});

t.test('tokens > created wrongly > 400 that names the member', async (t) => {
  const wrong: [object, string][] = [
    [{ scopes: ['read'] }, 'name'],
    [{ name: '', scopes: ['read'] }, 'name'],
    [{ name: 'n' }, 'scopes'],
    [{ name: 'n', scopes: [] }, 'scopes'],
    [{ name: 'n', scopes: ['root'] }, 'scopes'],
    [{ name: 'n', scopes: ['session'] }, 'scopes'],
    [{ name: 'n', scopes: 'read' }, 'scopes'],
    [{ name: 'n', scopes: ['read'], more: 1 }, 'more'],
    ...[24, '24', '', '0s', '-1h', '1000000d', '1y', '1h 2m', 'h'].map((expires_in): [object, string] => [
      { name: 'n', scopes: ['read'], expires_in },
      'expires_in',
    ]),
  ];
  for (const [body, member] of wrong) {
    const answer = await daemon.ask('POST', '/v1/tokens', { body });
    t.equal(answer.status, 400);
    t.match(answer.json.error, `"${member}"`);
  }
  for (const expires_in of ['0', null, '24h', '30d', '2w', '720h0m0s']) {
    t.equal(
      (await daemon.ask('POST', '/v1/tokens', { body: { name: 'n', scopes: ['read'], expires_in } })).status,
      201,
    );
  }
});
