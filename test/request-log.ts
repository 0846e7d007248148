/** The daemon's log of requests: one line for each, with the fields that we name, and nothing that was sent. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { sendRaw, waitUntil } from './fixtures/raw.ts';

const daemon = await startDaemon(t);

const canary = () => `canary${randomBytes(8).toString('hex')}`;
const [name, value, query, token, header, path] = Array.from({ length: 6 }, canary) as [
  string,
  string,
  string,
  string,
  string,
  string,
];
const { id, token: reader } = await daemon.createToken(['read'], { name: canary() });

const FIELDS = [
  'level',
  'time',
  'pid',
  'event',
  'method',
  'route',
  'status',
  'code',
  'duration_ms',
  'request_id',
  'token_id',
];

/** Requests of every kind, each with what its line says. */
const REQUESTS: [request: () => Promise<unknown>, line: Record<string, unknown>][] = [
  [
    () => log.send('PUT', `/v1/secrets/${name}?env=${query}`, { body: { value } }),
    { status: 201, route: '/v1/secrets/:name', code: null },
  ],
  [
    () => log.send('GET', `/v1/secrets/${name}?env=${query}`, { token: reader }),
    { status: 200, route: '/v1/secrets/:name', token_id: id },
  ],
  [
    () => log.send('PUT', `/v1/secrets/${name}/fields/${path}?env=${query}`, { body: { value } }),
    { status: 201, route: '/v1/secrets/:name/fields/:field' },
  ],
  [
    () => log.send('PUT', `/v1/secrets/${name}`, { body: `{"value":"${value}` }),
    { status: 400, code: 'bad_request' },
  ],
  [() => log.send('GET', `/v1/secrets?${query}=1`), { status: 400, code: 'bad_request' }],
  [() => log.send('GET', `/v1/secrets/${name}%zz`), { status: 400, route: null }],
  [() => log.send('GET', '/v1/secrets', { token: `mvt_${token}` }), { status: 401, token_id: null }],
  [
    () => log.send('PUT', `/v1/secrets/${name}`, { token: reader, body: { value } }),
    { status: 403, code: 'forbidden' },
  ],
  [() => log.send('GET', `/v1/secrets/${name}-no`), { status: 404, code: 'not_found' }],
  [() => log.send('GET', `/v1/${path}`), { status: 404, route: null }],
  [() => log.send('POST', `/v1/secrets/${name}`), { status: 405, route: null }],
  [
    () => log.send('PUT', `/v1/secrets/${name}`, { body: value.repeat(100_000) }),
    { status: 413, code: 'too_large' },
  ],
  [
    () => log.send('GET', `/v1/search?q=${query}`, { headers: { 'X-Secret': header } }),
    { status: 200, route: '/v1/search' },
  ],
];

const log = {
  id: '',
  send: (method: string, target: string, options: object = {}) =>
    daemon.ask(method, target, {
      ...options,
      headers: { ...(options as { headers?: object }).headers, 'X-Request-Id': log.id },
    }),
};

const linesOf = (requestId: string | undefined) =>
  daemon.log().filter((entry) => entry.request_id === requestId);

t.test('log > every kind of request > one line with the fields that we name', async (t) => {
  for (const [index, [send, line]] of REQUESTS.entries()) {
    log.id = `log-${index}`;
    await send();
    await waitUntil(() => linesOf(log.id).length > 0);
    t.equal(linesOf(log.id).length, 1, 'one line');
    t.same(Object.keys(linesOf(log.id)[0]), FIELDS);
    t.match(linesOf(log.id)[0], { event: 'request', duration_ms: Number, ...line });
  }
});

t.test('log > bytes that are not a request > one line', async (t) => {
  const refused = await sendRaw(daemon.socket, `GET /v1/secrets/${name} HTTP/1.1\r\n${header}\r\n\r\n`);
  const requestId = refused?.headers['x-request-id'];
  await waitUntil(() => linesOf(requestId).length > 0);
  t.match(linesOf(requestId), [
    { event: 'request', method: null, route: null, status: 400, code: 'bad_request', token_id: null },
  ]);
});

t.test('log > after all this > nothing that was sent', async (t) => {
  const everything = JSON.stringify(daemon.log());
  t.notMatch(everything, /canary/, 'no canary');
  t.notMatch(everything, /mvt_|mvs_/, 'no token');
});
