/** Headers: what every response has (a request id, no caching, times in one form), and the preconditions of a write. */
import t, { type Test } from 'tap';
import { routes } from '../src/routes.ts';
import { isError, replaceVolatile } from './fixtures/answers.ts';
import { type Answer, ask } from './fixtures/ask.ts';
import { serveSecrets } from './fixtures/served-secrets.ts';

t.cleanSnapshot = replaceVolatile;

const { daemon, fresh, read } = await serveSecrets(t);

t.test('HEAD > wherever there is GET > the same headers and no body', async (t) => {
  await daemon.ask('PUT', '/v1/secrets/headed', { body: { value: 'v', metadata: { head: 'é' } } });
  await daemon.ask('PUT', '/v1/secrets/headed/fields/f', { body: { value: 'w' } });
  const gets = routes.filter(({ method, scope }) => method === 'GET' && scope !== 'session');
  const targets = gets.map(({ path }) => {
    const target = path.replace(':name', 'headed').replace(':field', 'f');
    return path === '/v1/search' ? `${target}?q=é&limit=1`.replace('é', '%C3%A9') : target;
  });
  // Errors have their headers too.
  targets.push('/v1/secrets/none', '/v1/none', '/v1/secrets/%zz', '/v1/search', '/v1/secrets?limit=1');
  for (const target of targets) {
    const headers = { 'X-Request-Id': 'same' };
    const get = await daemon.ask('GET', target, { headers });
    const head = await daemon.ask('HEAD', target, { headers });
    // How a body is sent whose length is not known is not said to HEAD.
    const shown = ({ status, headers: { date, 'transfer-encoding': _, ...rest } }: Answer) => ({
      status,
      ...rest,
    });
    t.strictSame(shown(head), shown(get), target);
    const length = target === '/v1/changes' ? undefined : String(get.bytes.length);
    t.strictSame([head.text, get.headers['content-length']], ['', length], target);
  }
  const unknown = await ask(daemon.socket, 'HEAD', '/v1/info');
  t.strictSame([unknown.status, unknown.headers['www-authenticate']], [401, 'Bearer']);
});

t.test('X-Request-Id > given well, badly, not at all > echoed, or a new one', async (t) => {
  const idFor = async (headers: Record<string, string | string[]>, target = '/v1/health') =>
    String((await daemon.ask('GET', target, { headers })).headers['x-request-id']);
  for (const id of ['a', 'A-z.0_9', 'x'.repeat(128), '..']) {
    t.equal(await idFor({ 'X-Request-Id': id }), id);
    t.equal(await idFor({ 'X-Request-Id': id }, '/v1/none'), id, 'on an error too');
  }
  const given: (string | string[])[] = ['', 'x'.repeat(129), 'a b', 'a/b', 'é', '<x>', 'a,b', ['a', 'b']];
  const made = await Promise.all(given.map((id) => idFor({ 'X-Request-Id': id })));
  made.push(await idFor({}), await idFor({}));
  for (const [index, id] of made.entries()) {
    t.match(id, /^[A-Za-z0-9._-]{1,128}$/);
    t.notOk(given.flat().includes(id), `replaced ${index}`);
  }
  t.equal(new Set(made).size, made.length, 'each is its own');
});

t.test('answers > of every route > never cached, JSON unless it is a stream, with an id', async (t) => {
  for (const { method, path } of routes) {
    const target = path.replaceAll(/:\w+/g, 'none');
    for (const token of [null, (await daemon.createToken(['read'])).token]) {
      const answer = await ask(daemon.socket, method, target, { token });
      const { headers, status } = answer;
      const isStream = path === '/v1/changes' && status === 200;
      t.strictSame(
        [headers['cache-control'], headers['content-type'], typeof headers['x-request-id']],
        ['no-store', isStream ? 'text/event-stream' : 'application/json', 'string'],
        `${method} ${path}`,
      );
      t.equal(headers['content-length'], isStream ? undefined : String(answer.bytes.length));
    }
  }
});

t.test('times > wherever they stand > RFC 3339, UTC, to the second', async (t) => {
  await daemon.ask('PUT', '/v1/secrets/timed?env=times', { body: { value: 'v' } });
  const { json: listed } = await daemon.ask('GET', '/v1/secrets?env=times');
  const { json: secret } = await daemon.ask('GET', '/v1/secrets/timed?env=times');
  const { json: health } = await daemon.ask('GET', '/v1/health');
  const { json: token } = await daemon.ask('POST', '/v1/tokens', {
    body: { name: 'timed', scopes: ['read'], expires_in: '99w' },
  });
  const times = [
    listed[0].created_at,
    listed[0].updated_at,
    secret.created_at,
    secret.updated_at,
    health.time,
    token.expires_at,
  ];
  for (const time of times) {
    t.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    t.ok(Number.isFinite(Date.parse(time)));
  }
  t.ok(Math.abs(Date.parse(secret.created_at) - Date.now()) < 60_000, 'and it is now');
});

t.test('preconditions > If-Match, If-None-Match > a write happens only if they hold', async (t) => {
  const target = fresh();
  const write = (
    method: string,
    headers: Record<string, string>,
    at = target,
    body: object = { value: 'v' },
  ) => daemon.ask(method, at, method === 'DELETE' ? { headers } : { body, headers });
  isError(t, await write('PUT', { 'If-Match': '*' }), 412, 'PUT If-Match: * of none');
  t.equal((await write('PUT', { 'If-None-Match': '*' })).status, 201, 'PUT If-None-Match: * of none');
  isError(t, await write('PUT', { 'If-None-Match': '*' }), 412, 'PUT If-None-Match: * of one that is there');
  const tag = await tagOf(t, target);
  t.equal((await write('PUT', { 'If-Match': `"x", ${tag}` })).status, 201, 'PUT If-Match with the tag');
  t.not(await tagOf(t, target), tag, 'a write changes the tag');
  for (const [method, at, body] of [
    ['PUT', target, { value: 'w' }],
    ['PATCH', target, { value: 'w' }],
    ['DELETE', target],
    ['PUT', `${target}/fields/f`, { value: 'w' }],
    ['PUT', `${target}/fields`, { fields: { f: 'w' } }],
    ['DELETE', `${target}/fields/f`],
    ['POST', `${target}/rename`, { name: 'w' }],
    ['POST', `${target}/rollback`, { version: 1 }],
    ['POST', `${target}/purge`],
  ] as const) {
    isError(t, await write(method, { 'If-Match': tag }, at, body), 412, `${method} ${at} with an old tag`);
  }
  const current = await tagOf(t, target);
  t.notOk('fields' in (await read(target)), 'nothing was stored');
  isError(t, await write('PATCH', { 'If-None-Match': current }), 412, 'If-None-Match with the tag');
  t.equal((await write('PUT', { 'If-Match': current }, `${target}/fields/f`)).status, 201);
  t.not(await tagOf(t, target), current, 'a field changes the tag of its secret');
  t.equal((await write('DELETE', { 'If-Match': await tagOf(t, target) })).status, 200);
});

async function tagOf(t: Test, target: string): Promise<string> {
  const { etag = '' } = (await daemon.ask('GET', target)).headers;
  t.match(etag, /^"[0-9]+-[0-9]+"$/);
  return etag;
}
