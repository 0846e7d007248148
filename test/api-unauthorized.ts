/** Requests without a token, with a wrong one, and to a sealed vault. */
import t from 'tap';
import { locateSessionToken, readSessionToken } from '../src/places/session-token.ts';
import { isError, replaceVolatile } from './fixtures/answers.ts';
import {
  ALLOWED,
  fill,
  fromRaw,
  MAX_BODY_SIZE,
  METHODS,
  REFUSED,
  REFUSED_TARGETS,
} from './fixtures/api-errors.ts';
import { ask } from './fixtures/ask.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { sendRaw } from './fixtures/raw.ts';

t.cleanSnapshot = replaceVolatile;

const daemon = await startDaemon(t);

/** Paths that need no token. */
const OPEN = ['/v1/health', '/v1/openapi.json'];

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
