/** What the API refuses, and the rules that every answer keeps, whichever endpoint gives it. */
import t, { type Test } from 'tap';
import { locateSessionToken, readSessionToken } from '../src/places/session-token.ts';
import { type Method, routes } from '../src/routes.ts';
import { isError, replaceVolatile } from './fixtures/answers.ts';
import { sendRaw } from './fixtures/raw.ts';
import { type Answer, ask, type RequestOptions, startDaemon } from './fixtures/vault.ts';

t.cleanSnapshot = replaceVolatile;
const daemon = await startDaemon(t);

const MAX_BODY_SIZE = 1_048_576;
/** Stands in bodies and targets where content stands: no error may repeat it. */
const CANARY = 'canary-6b1f';
const REFUSED = '/v1/secrets/refused';

type Case = [condition: string, body: unknown];

/** What is wrong with any body. */
const BROKEN_BODIES: Case[] = [
  ['no body', undefined],
  ['only whitespace', ' \n'],
  ['broken JSON', `{"value":"${CANARY}"`],
  ['a trailing comma', `{"value":"${CANARY}",}`],
  ['single quotes', `{'value':'${CANARY}'}`],
  ['a comment', `{"value":"${CANARY}"} // ${CANARY}`],
  ['text after the JSON', `{"value":"${CANARY}"}x`],
  ['a second object', `{"value":"${CANARY}"}{}`],
  ['a form', `value=${CANARY}`],
  ['a list', `["${CANARY}"]`],
  ['text', `"${CANARY}"`],
  ['a number', '1'],
  ['null', 'null'],
  ['a byte order mark', `\ufeff{"value":"${CANARY}"}`],
  ['bytes that are not UTF-8', Buffer.from(`{"value":"${CANARY}\u00ff"}`, 'latin1')],
  ['an unpaired surrogate', '{"value":"\\ud800"}'],
  ['a control character in a string', '{"value":"a\nb"}'],
  ['a bad escape', '{"value":"\\x41"}'],
  ['nested too deep', `{"value":"v","metadata":${'{"a":'.repeat(100)}1${'}'.repeat(100)}}`],
  ['a duplicate member', `{"value":"${CANARY}","value":"${CANARY}"}`],
  ['a duplicate member written otherwise', `{"value":"${CANARY}","v\\u0061lue":"${CANARY}"}`],
  ['a duplicate member in the metadata', '{"value":"v","metadata":{"a":1,"a":2}}'],
  ['a duplicate member deep in the metadata', '{"value":"v","metadata":{"a":[{"b":1,"b":2}]}}'],
  ['__proto__', `{"value":"${CANARY}","__proto__":{}}`],
  ['__proto__ in the metadata', '{"value":"v","metadata":{"__proto__":{}}}'],
  ['__proto__ written otherwise', '{"value":"v","\\u005f_proto__":{}}'],
  ['an unknown member', { value: CANARY, extra: CANARY }],
  ['a member in capitals', { Value: CANARY }],
  ['a value that is a number', { value: 1234 }],
  ['a value that is true', { value: true }],
  ['a value that is a list', { value: [CANARY] }],
  ['a value that is an object', { value: { value: CANARY } }],
  ['an empty value', { value: '' }],
];

const BAD_METADATA: Case[] = [
  ['metadata as text', { value: 'v', metadata: CANARY }],
  ['metadata as a list', { value: 'v', metadata: [CANARY] }],
  ['metadata as a number', { value: 'v', metadata: 1 }],
  ['metadata as false', { value: 'v', metadata: false }],
  ['a bad number in the metadata', '{"value":"v","metadata":{"a":01}}'],
  ['NaN in the metadata', '{"value":"v","metadata":{"a":NaN}}'],
];

const BAD_FIELDS: Case[] = [
  ['no fields', { fields: {} }],
  ['no member', {}],
  ['null', { fields: null }],
  ['a list', { fields: [CANARY] }],
  ['text', { fields: CANARY }],
  ['an empty key', { fields: { a: CANARY, '': CANARY } }],
  ['an empty value', { fields: { a: CANARY, b: '' } }],
  ['a null value', { fields: { a: CANARY, b: null } }],
  ['a number', { fields: { a: CANARY, b: 1 } }],
  ['an object', { fields: { a: { b: CANARY } } }],
  ['a control character in a key', { fields: { 'a\u007f': CANARY } }],
  ['a key of 513 bytes', { fields: { [`${'é'.repeat(256)}x`]: CANARY } }],
  ['a duplicate key', `{"fields":{"a":"${CANARY}","a":"${CANARY}"}}`],
  ['__proto__', `{"fields":{"__proto__":"${CANARY}"}}`],
  ['an unknown member', { fields: { a: CANARY }, value: CANARY }],
];

const BAD_RENAMES: Case[] = [
  ['no body', undefined],
  ['broken JSON', `{"name":"${CANARY}"`],
  ['no name', { environment: CANARY }],
  ['a null name', { name: null, environment: CANARY }],
  ['an empty name', { name: '' }],
  ['a number name', { name: 1 }],
  ['a control character in the name', { name: `${CANARY}\n` }],
  ['a name of 513 bytes', { name: `${'é'.repeat(256)}x` }],
  ['a number environment', { name: CANARY, environment: 1 }],
  ['an environment of 513 bytes', { name: CANARY, environment: `${'é'.repeat(256)}x` }],
  ['a value', { name: CANARY, value: CANARY }],
  ['the same name', { name: 'kept' }],
  ['the same name and environment', { name: 'kept', environment: '' }],
];

const REFUSED_BODIES: [method: Method, target: string, cases: Case[]][] = [
  ['PUT', REFUSED, [...BROKEN_BODIES, ['no value', {}], ['a null value', { value: null }], ...BAD_METADATA]],
  ['PATCH', '/v1/secrets/kept', [...BROKEN_BODIES, ...BAD_METADATA]],
  [
    'PUT',
    `${REFUSED}/fields/f`,
    [
      ...BROKEN_BODIES,
      ['no value', {}],
      ['a null value', { value: null }],
      ['metadata', { value: 'v', metadata: {} }],
    ],
  ],
  ['PUT', `${REFUSED}/fields`, BAD_FIELDS],
  ['POST', '/v1/secrets/kept/rename', BAD_RENAMES],
];

t.test('bodies > out of the rules > 400 that names the member, and nothing is stored', async (t) => {
  await daemon.ask('PUT', '/v1/secrets/kept', { body: { value: 'v', metadata: { a: 1 } } });
  const before = await daemon.ask('GET', '/v1/secrets');
  const tag = (await daemon.ask('GET', '/v1/secrets/kept')).headers.etag;
  const messages: string[] = [];
  for (const [method, target, cases] of REFUSED_BODIES) {
    for (const [condition, body] of cases) {
      const answer = await daemon.ask(method, target, { body });
      isRefusal(t, answer, 400, `${method} ${target} > ${condition}`);
      messages.push(`${method} ${target} > ${condition}: ${answer.json.error}`);
    }
  }
  t.matchSnapshot(messages.join('\n'), 'messages');
  t.equal((await daemon.ask('GET', '/v1/secrets')).text, before.text, 'the list is as before');
  t.equal((await daemon.ask('GET', '/v1/secrets/kept')).headers.etag, tag, 'and the secret is untouched');
});

/** An error of the contract that repeats nothing of what was sent. */
function isRefusal(t: Test, answer: Answer, status: number, condition: string): void {
  isError(t, answer, status, condition);
  if (answer.text.includes(CANARY)) t.fail(`the error repeats content: ${condition}`);
}

const REFUSED_TARGETS: [condition: string, target: string][] = [
  ['malformed escape in the path', '/v1/secrets/%zz'],
  ['cut escape in the path', '/v1/secrets/a%2'],
  ['a lone % in the path', '/v1/secrets/100%'],
  ['escaped bytes that are not UTF-8', '/v1/secrets/%ff'],
  ['overlong UTF-8', '/v1/secrets/%c0%af'],
  ['an escaped surrogate', '/v1/secrets/%ed%a0%80'],
  ['malformed escape in a field', '/v1/secrets/kept/fields/%zz'],
  ['malformed escape in the query', '/v1/secrets/kept?env=%zz'],
  ["malformed escape in a parameter's name", '/v1/secrets/kept?%zz=prod'],
  ['query bytes that are not UTF-8', '/v1/secrets/kept?env=%ff'],
  ['control character in the name', '/v1/secrets/a%00b'],
  ['newline in the name', '/v1/secrets/a%0Ab'],
  ['DEL in the name', '/v1/secrets/a%7f'],
  ['C1 control in the name', '/v1/secrets/a%C2%85'],
  ['control character in the field', '/v1/secrets/kept/fields/a%09'],
  ['control character in env', '/v1/secrets/kept?env=a%1b'],
  ['name of 513 bytes', `/v1/secrets/${'n'.repeat(513)}`],
  ['name of 513 bytes in 257 characters', `/v1/secrets/${'%C3%A9'.repeat(256)}n`],
  ['name of 4000 bytes', `/v1/secrets/${'%6e'.repeat(4000)}`],
  ['field of 513 bytes', `/v1/secrets/kept/fields/${'n'.repeat(513)}`],
  ['env of 513 bytes', `/v1/secrets/kept?env=${'n'.repeat(513)}`],
  ['empty name', '/v1/secrets/'],
  ['empty name of fields', '/v1/secrets//fields'],
  ['empty field', '/v1/secrets/kept/fields/'],
  ['empty name and field', '/v1/secrets//fields/'],
  ['env given twice', '/v1/secrets/kept?env=a&env=a'],
  ['env given twice, once escaped', '/v1/secrets/kept?env=a&%65nv=b'],
  ['unknown parameter', '/v1/secrets/kept?environment=prod'],
  ['parameter in capitals', '/v1/secrets/kept?ENV=prod'],
  ['a parameter of the path', '/v1/secrets/kept?name=other'],
  ['a parameter where there is none', '/v1/info?env=prod'],
  ['metadata_value without metadata_key', '/v1/secrets?metadata_value=x'],
  ['env of 513 bytes in a list', `/v1/secrets?env=${'n'.repeat(513)}`],
  ['control character in env of a list', '/v1/secrets?env=%00'],
  ['a fragment', '/v1/secrets/kept#x'],
];

t.test('targets > out of the rules > 400', async (t) => {
  const messages: string[] = [];
  for (const [condition, target] of REFUSED_TARGETS) {
    const answer = await daemon.ask('GET', target);
    isError(t, answer, 400, condition);
    messages.push(`${condition}: ${answer.json.error}`);
  }
  t.matchSnapshot(messages.join('\n'), 'messages');
  for (const method of ['PUT', 'PATCH', 'DELETE'] as const) {
    for (const target of ['/v1/secrets/', `/v1/secrets/${'n'.repeat(513)}`, '/v1/secrets/x?env=%07']) {
      const body = method === 'DELETE' ? {} : { body: { value: 'v' } };
      isError(t, await daemon.ask(method, target, body), 400, `${method} ${target.slice(0, 24)}`);
    }
  }
});

t.test('paths > that are none of the API > 404', async (t) => {
  for (const path of [
    '/',
    '/v1',
    '/v1/',
    '/v2/secrets',
    '/secrets',
    '/V1/secrets',
    '/v1/Secrets',
    '/v1/health/',
    '/v1/info/x',
    '/v1//secrets',
    '/v1/secrets/a/b',
    '/v1/secrets/a/fields/b/c',
    '/v1/secrets/a/field',
    '/v1/tokens/x/y',
    '/v1/constructor',
    '/v1/keys',
    '/favicon.ico',
    '/v1/../v1/health',
    '*',
  ]) {
    for (const method of ['GET', 'PUT', 'OPTIONS']) {
      const answer = await daemon.ask(method, path, { headers: { 'Content-Length': '0' } });
      isError(t, answer, 404, `${method} ${path}`);
    }
  }
});

/** What the contract lists for each path, in the order of the table. */
const ALLOWED: Record<string, string> = {
  '/v1/health': 'GET, HEAD',
  '/v1/openapi.json': 'GET, HEAD',
  '/v1/secrets': 'GET, HEAD',
  // A secret of that name, and the endpoint.
  '/v1/secrets/batch-get': 'GET, HEAD, PUT, PATCH, POST, DELETE',
  '/v1/secrets/:name': 'GET, HEAD, PUT, PATCH, DELETE',
  '/v1/secrets/:name/rename': 'POST',
  '/v1/secrets/:name/accept': 'POST',
  '/v1/secrets/:name/value': 'GET, HEAD, PUT',
  '/v1/secrets/:name/fields': 'GET, HEAD, PUT',
  '/v1/secrets/:name/fields/:field': 'GET, HEAD, PUT, DELETE',
  '/v1/secrets/:name/fields/:field/value': 'GET, HEAD, PUT',
  '/v1/search': 'GET, HEAD',
  '/v1/generate': 'POST',
  '/v1/info': 'GET, HEAD',
  '/v1/export': 'GET, HEAD',
  '/v1/import': 'POST',
  '/v1/tokens': 'GET, HEAD, POST',
  '/v1/tokens/:id': 'DELETE',
  '/v1/status': 'GET, HEAD',
  '/v1/unseal': 'POST',
  '/v1/seal': 'POST',
  '/v1/keys/rotate': 'POST',
  '/v1/check': 'GET, HEAD',
  '/v1/destroy': 'POST',
};
/** For whoever asks. */
const OPEN = ['/v1/health', '/v1/openapi.json'];
const fill = (path: string) => path.replaceAll(/:\w+/g, 'x');
const METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'];

t.test('paths > every other method > 405 with Allow', async (t) => {
  t.strictSame(new Set(routes.map(({ path }) => path)), new Set(Object.keys(ALLOWED)), 'every path is here');
  for (const [path, allow] of Object.entries(ALLOWED)) {
    const target = fill(path);
    for (const method of METHODS.filter((name) => !allow.split(', ').includes(name))) {
      const answer = await daemon.ask(method, target, { headers: { 'Content-Length': '0' } });
      t.equal(answer.headers.allow, allow, `${method} ${path}`);
      if (method === 'HEAD') t.strictSame([answer.status, answer.text], [405, '']);
      else isError(t, answer, 405, `${method} ${path}`);
    }
  }
});

/** What would tell a client with a token that something is wrong with its request, or what there is. */
const TELLING: [condition: string, method: string, target: string, body?: unknown][] = [
  ...REFUSED_TARGETS.map(([condition, target]): [string, string, string] => [condition, 'GET', target]),
  ...Object.keys(ALLOWED)
    .filter((path) => !OPEN.includes(path))
    .flatMap((path) => METHODS.map((method): [string, string, string] => [path, method, fill(path)])),
  ...['/', '/v1', '/v2/secrets', '/v1/health/', '/v1/healthy', '/v1/openapi', '/favicon.ico', '*'].map(
    (path): [string, string, string] => ['no endpoint', 'GET', path],
  ),
  ['every server option', 'OPTIONS', '*'],
  ['a missing parameter', 'GET', '/v1/search'],
  ['a broken body', 'PUT', REFUSED, '{'],
  ['a body that is too large', 'PUT', REFUSED, 'x'.repeat(2 * MAX_BODY_SIZE)],
  ['a body nobody takes', 'POST', '/v1/none', 'x'.repeat(2 * MAX_BODY_SIZE)],
  ['a secret that is there', 'GET', '/v1/secrets/told'],
  ['a secret that is not', 'GET', '/v1/secrets/untold'],
];

t.test('no token > whatever is asked > 401, and always the same one', async (t) => {
  await daemon.ask('PUT', '/v1/secrets/told', { body: { value: 'v' } });
  const told = new Set<string>();
  for (const [condition, method, target, body] of TELLING) {
    for (const authorization of [undefined, 'Bearer mvt_short', 'Basic YTpi']) {
      const headers = {
        ...(authorization === undefined ? {} : { Authorization: authorization }),
        ...(body === undefined ? { 'Content-Length': '0' } : {}),
      };
      const answer = await ask(daemon.socket, method, target, { headers, body });
      if (method === 'HEAD') t.equal(answer.status, 401, `${method} ${condition}`);
      else isError(t, answer, 401, `${method} ${condition}`);
      t.equal(answer.headers.allow, undefined, 'no methods are named');
      if (method !== 'HEAD') told.add(answer.text);
    }
  }
  t.equal(told.size, 1, 'one text for all of them');
});

t.test('a wrong token > whatever is asked > 401', async (t) => {
  const { token, id } = await daemon.createToken(['read']);
  await daemon.ask('DELETE', `/v1/tokens/${id}`);
  for (const [method, target] of [
    ['GET', '/v1/none'],
    ['PUT', '/v1/secrets'],
    ['OPTIONS', '*'],
    ['GET', '/v1/secrets/%zz'],
    ['GET', '/v1/secrets?environment=x'],
    ['GET', '/v1/status'],
  ] as const) {
    const headers = { 'Content-Length': '0' };
    isError(t, await ask(daemon.socket, method, target, { token, headers }), 401, `${method} ${target}`);
  }
});

t.test('CONNECT > with a token or without > 400 or 401, and the connection ends', async (t) => {
  const connect = (authorization: string) =>
    sendRaw(daemon.socket, `CONNECT localhost:80 HTTP/1.1\r\nHost: x\r\n${authorization}\r\n`);
  isError(t, fromRaw(await connect('')), 401, 'without');
  isError(t, fromRaw(await connect(`Authorization: Bearer ${daemon.admin}\r\n`)), 400, 'with one');
});

t.test('the endpoints for all > asked wrongly without a token > what is wrong', async (t) => {
  for (const path of OPEN) {
    const send = (method: string, target: string) => ask(daemon.socket, method, target);
    isError(t, await send('DELETE', path), 405, `DELETE ${path}`);
    isError(t, await send('GET', `${path}?env=x`), 400, `${path} with a parameter`);
    isError(t, await send('GET', `${path}?%zz`), 400, `${path} with a malformed escape`);
  }
});

t.test('bodies > larger than 1 MiB > 413, and 1 MiB is taken', async (t) => {
  const overhead = JSON.stringify({ value: '' }).length;
  const bodyOf = (size: number) => JSON.stringify({ value: 'v'.repeat(size - overhead) });
  const chunked = { 'Transfer-Encoding': 'chunked' };
  const forms: [form: string, options: RequestOptions][] = [
    ['Content-Length', {}],
    ['chunked', { headers: chunked }],
  ];
  for (const [form, options] of forms) {
    for (const size of [MAX_BODY_SIZE - 1, MAX_BODY_SIZE]) {
      const answer = await daemon.ask('PUT', '/v1/secrets/large', { ...options, body: bodyOf(size) });
      t.equal(answer.status, 201, `${form}: ${size}`);
    }
    for (const size of [MAX_BODY_SIZE + 1, 5 * MAX_BODY_SIZE]) {
      for (const [method, target] of [
        ['PUT', REFUSED],
        ['PATCH', '/v1/secrets/large'],
        ['PUT', `${REFUSED}/fields`],
        ['PUT', `${REFUSED}/value`],
        ['PUT', `${REFUSED}/fields/f/value`],
        ['POST', '/v1/secrets/large/rename'],
        ['POST', '/v1/secrets/batch-get'],
        ['POST', '/v1/generate'],
        ['POST', '/v1/tokens'],
      ] as const) {
        const answer = await daemon.ask(method, target, { ...options, body: bodyOf(size) });
        isError(t, answer, 413, `${form}: ${method} ${target} with ${size}`);
      }
    }
  }
  isError(t, await daemon.ask('GET', REFUSED), 404, 'nothing was stored');
  const unasked = await ask(daemon.socket, 'PUT', REFUSED, { body: bodyOf(2 * MAX_BODY_SIZE) });
  isError(t, unasked, 401, 'who may not ask is not read');
});

t.test('headers > larger than 16 KiB > 431', async (t) => {
  for (const header of [`X-Large: ${'x'.repeat(20_000)}`, 'X-Many: x\r\n'.repeat(2_000).trim()]) {
    const raw = await sendRaw(daemon.socket, `GET /v1/health HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`);
    isError(t, fromRaw(raw), 431, header.slice(0, 7));
  }
  const long = await sendRaw(daemon.socket, `GET /v1/secrets/${'n'.repeat(20_000)} HTTP/1.1\r\n\r\n`);
  isError(t, fromRaw(long), 431, 'a long target');
});

function fromRaw(raw: Awaited<ReturnType<typeof sendRaw>>): Answer {
  if (raw === null) throw new Error('no answer');
  const bytes = Buffer.from(raw.body, 'latin1');
  return { ...raw, bytes, text: bytes.toString(), json: JSON.parse(bytes.toString()) };
}

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
    const shown = ({ status, headers: { date, ...rest } }: Answer) => ({ status, ...rest });
    t.strictSame(shown(head), shown(get), target);
    t.strictSame([head.text, get.headers['content-length']], ['', String(get.bytes.length)], target);
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

t.test('answers > of every route > never cached, JSON, with an id', async (t) => {
  for (const { method, path } of routes) {
    const target = path.replaceAll(/:\w+/g, 'none');
    for (const token of [null, (await daemon.createToken(['read'])).token]) {
      const answer = await ask(daemon.socket, method, target, { token });
      const { headers } = answer;
      t.strictSame(
        [headers['cache-control'], headers['content-type'], typeof headers['x-request-id']],
        ['no-store', 'application/json', 'string'],
        `${method} ${path}`,
      );
      t.equal(headers['content-length'], String(answer.bytes.length));
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

// The last one: nothing can be asked of a sealed vault.
t.test('a sealed vault > without a token, or with one that cannot be verified > 401, or 503', async (t) => {
  const session = readSessionToken(locateSessionToken(daemon.env, daemon.socket));
  const sealing = await ask(daemon.socket, 'POST', '/v1/seal', { token: session });
  t.equal(sealing.status, 200);
  const told = new Set<string>();
  for (const [condition, method, target, body] of TELLING) {
    const headers = body === undefined ? { 'Content-Length': '0' } : {};
    const unknown = await ask(daemon.socket, method, target, { headers, body });
    t.equal(unknown.status, 401, `${method} ${condition}`);
    const unverified = await ask(daemon.socket, method, target, { token: daemon.admin, headers, body });
    t.equal(unverified.status, 503, `${method} ${condition}`);
    if (method !== 'HEAD') told.add(unverified.text);
  }
  t.equal(told.size, 1, 'one text for all of them');
  isError(t, await ask(daemon.socket, 'GET', '/v1/none', { token: session }), 404, 'the session is known');
});
