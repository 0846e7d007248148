/** Lists without `limit`: those too long for one piece come in several, for every client, however slowly it reads. */

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import type { HttpResponse } from '../src/http/http-response.ts';
import type { Daemon } from './fixtures/daemon.ts';
import { ENTRY_COUNT, importEntries, serveFilled } from './fixtures/filled-vault.ts';
import { createHeldVault, hold } from './fixtures/held.ts';
import { skipWithout } from './fixtures/programs.ts';
import { RawConnection, waitUntil } from './fixtures/raw.ts';
import { mav } from './fixtures/vault.ts';

const daemon = await serveFilled(t);
const authorized = ({ admin }: Daemon) => `Authorization: Bearer ${admin}\r\n`;
const getList = (from: Daemon, version = '1.1', headers = '') =>
  `GET /v1/secrets HTTP/${version}\r\n${authorized(from)}${headers}\r\n`;

/** The pages of a list with `limit`, put together as text. */
async function joinPages(target: string): Promise<string> {
  const pages: string[] = [];
  for (let next: string | undefined = `${target}limit=400`; next !== undefined; ) {
    const { text, headers } = await daemon.ask('GET', next);
    pages.push(text.slice(1, -1));
    next = /^<([^>]+)>/.exec(String(headers.link))?.[1];
  }
  return `[${pages.join(',')}]`;
}

t.test('list, search, filters > long > in chunks, complete, in order, as the pages are', async (t) => {
  for (const [target, count] of [
    ['/v1/secrets?', ENTRY_COUNT],
    ['/v1/secrets?env=dev&', ENTRY_COUNT / 3],
    ['/v1/secrets?metadata_key=parity&', ENTRY_COUNT],
    ['/v1/secrets?metadata_key=parity&metadata_value=odd&', ENTRY_COUNT / 2],
    ['/v1/search?q=ENTRY&', ENTRY_COUNT],
    ['/v1/search?q=gr%C3%B6%C3%9Fe&', ENTRY_COUNT / 3],
  ] as const) {
    const { status, headers, text, json } = await daemon.ask('GET', target);
    t.equal(status, 200, target);
    t.match(headers, { 'transfer-encoding': 'chunked', 'content-type': 'application/json' });
    t.match(headers, { 'cache-control': 'no-store', 'x-request-id': /./ });
    t.strictSame([headers['content-length'], headers.link], [undefined, undefined]);
    t.equal(json.length, count);
    t.ok(text === (await joinPages(target)), 'as the pages are');
  }
});

t.test('list > a cursor but no limit > all that comes after it', async (t) => {
  const first = await daemon.ask('GET', '/v1/secrets?limit=10');
  const cursor = /cursor=([\w-]+)/.exec(String(first.headers.link))?.[1];
  const { json } = await daemon.ask('GET', `/v1/secrets?cursor=${cursor}`);
  const { json: whole } = await daemon.ask('GET', '/v1/secrets');
  t.strictSame([...first.json, ...json], whole);
});

t.test('list > short, empty, or refused > with its length, as ever', async (t) => {
  for (const [target, status] of [
    ['/v1/search?q=entry-000', 200],
    ['/v1/search?q=nothing', 200],
    ['/v1/secrets?env=none', 200],
    ['/v1/secrets?limit=1000', 200],
    ['/v1/secrets?metadata_value=x', 400],
    ['/v1/secrets?cursor=x', 400],
    ['/v1/search', 400],
  ] as const) {
    const answer = await daemon.ask('GET', target);
    t.equal(answer.status, status, target);
    t.equal(answer.headers['content-length'], String(answer.bytes.length));
    t.equal(answer.headers['transfer-encoding'], undefined);
  }
});

t.test('HEAD > a long list, a short one > no length, its length; the connection goes on', async (t) => {
  const connection = await RawConnection.open(daemon.socket);
  const head = (target: string) => `HEAD ${target} HTTP/1.1\r\n${authorized(daemon)}\r\n`;
  connection.write(head('/v1/secrets') + head('/v1/secrets'));
  const answers = await connection.waitFor(2);
  for (const { status, headers, body } of answers) {
    t.strictSame([status, body, headers['content-length']], [200, '', undefined]);
    t.equal(headers['content-type'], 'application/json');
  }
  connection.close();
  const short = await daemon.ask('HEAD', '/v1/search?q=nothing');
  t.strictSame([short.status, short.headers['content-length']], [200, '2']);
});

t.test('keep-alive > requests behind a long list, at once and later > answered in their order', async (t) => {
  const connection = await RawConnection.open(daemon.socket);
  const health = 'GET /v1/health HTTP/1.1\r\n\r\n';
  connection.write(`${health}${getList(daemon)}${health}${getList(daemon)}`);
  const answers = await connection.waitFor(4);
  const lengths = () => answers.map(({ body }) => JSON.parse(body).length);
  t.strictSame(lengths(), [undefined, ENTRY_COUNT, undefined, ENTRY_COUNT]);
  connection.write(health);
  t.equal((await connection.waitFor(5)).length, 5);
  connection.close();
});

t.test('HTTP/1.0 > a long list > its end is the end of the connection', async (t) => {
  for (const headers of ['', 'Connection: keep-alive\r\n']) {
    const socket = connect(daemon.socket);
    socket.write(getList(daemon, '1.0', headers));
    const text = (await socket.setEncoding('utf8').toArray()).join('');
    const [head = '', body = ''] = text.split('\r\n\r\n', 2);
    t.match(head, /^HTTP\/1\.1 200 OK\r\n/);
    t.match(head, /^connection: close$/im);
    t.notMatch(head, /transfer-encoding/i);
    t.equal(JSON.parse(body).length, ENTRY_COUNT);
  }
});

t.test('curl, mav list > a long list > read as it is', { skip: skipWithout('curl') }, async (t) => {
  const { text } = await daemon.ask('GET', '/v1/secrets');
  const args = ['-sS', '--unix-socket', daemon.socket, '-H', authorized(daemon).trim()];
  const url = 'http://localhost/v1/secrets';
  const { stdout } = await promisify(execFile)('curl', [...args, url], { maxBuffer: 2 ** 24 });
  t.ok(stdout === text, 'curl');
  const listed = await mav(daemon, ['list', '-o', 'json']);
  t.strictSame([listed.code, listed.stdout === `${text}\n`], [0, true]);
});

t.test('mav list > no daemon runs > the same list', async (t) => {
  const other = await serveFilled(t);
  const { text } = await other.ask('GET', '/v1/secrets');
  await other.stop();
  const listed = await mav(other, ['list', '-o', 'json']);
  t.strictSame([listed.code, listed.stdout === `${text}\n`], [0, true]);
});

/** A client that has asked for the list and read its beginning only, so that the daemon has to wait for it. */
async function stall(from: Daemon, id: string): Promise<Socket> {
  const socket = connect(from.socket);
  socket.on('error', () => {});
  socket.write(getList(from, '1.1', `X-Request-Id: ${id}\r\n`));
  await once(socket, 'readable');
  return socket;
}

/** What a stalled client gets when it reads on, to the last chunk or to the end of the connection. */
async function readOn(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1').on('data', (piece) => (text += piece));
  const ended = Promise.race([once(socket, 'close'), once(socket, 'end')]).then(() => true);
  let isEnded = false;
  void ended.then(() => (isEnded = true));
  await waitUntil(() => isEnded || text.endsWith(LAST_CHUNK));
  return text;
}

const LAST_CHUNK = '\r\n0\r\n\r\n';
const lineOf = (from: Daemon, id: string) =>
  from.log().filter(({ event, request_id }) => event === 'request' && request_id === id);

t.test('clients that stall or leave > in the middle > others are served, and the end is quick', async (t) => {
  const other = await serveFilled(t);
  const stalled = await Promise.all(Array.from({ length: 20 }, (_, index) => stall(other, `s-${index}`)));
  t.equal((await other.ask('GET', '/v1/secrets')).json.length, ENTRY_COUNT);
  t.equal((await other.ask('PUT', '/v1/secrets/new', { body: { value: 'v' } })).status, 201);
  t.strictSame(lineOf(other, 's-0'), [], 'not answered yet');
  for (const socket of stalled) socket.destroy();
  await waitUntil(() => stalled.every((_, index) => lineOf(other, `s-${index}`).length === 1));
  t.equal((await other.ask('GET', '/v1/secrets?limit=1000')).json.length, 1_000);
  const startedAt = performance.now();
  t.match(await other.stop(), { code: 0, signal: null });
  t.ok(performance.now() - startedAt < 4_000, 'nothing was left to wait for');
});

t.test('sealed in the middle > cut before the last chunk, and the log says why', async (t) => {
  const other = await serveFilled(t);
  const socket = await stall(other, 'sealed');
  t.match(await mav(other, ['seal']), { code: 0 });
  const text = await readOn(socket);
  t.match(text, /^HTTP\/1\.1 200 OK\r\n/);
  t.notOk(text.endsWith(LAST_CHUNK), 'no last chunk');
  await waitUntil(() => lineOf(other, 'sealed').length === 1);
  t.match(lineOf(other, 'sealed'), [{ status: 200, code: 'sealed', route: '/v1/secrets' }]);
});

t.test('token revoked in the middle > cut', async (t) => {
  const { token, id } = await daemon.createToken(['read']);
  const socket = await stall({ ...daemon, admin: token }, 'revoked');
  await daemon.ask('DELETE', `/v1/tokens/${id}`);
  t.notOk((await readOn(socket)).endsWith(LAST_CHUNK));
  await waitUntil(() => lineOf(daemon, 'revoked').length === 1);
  t.match(lineOf(daemon, 'revoked'), [{ status: 200, code: 'unauthorized', token_id: id }]);
});

t.test('mav list > cut in the middle > fails, and prints nothing', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mav-cut-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const server = createServer((_, response) => {
    response.write('[{"name":"a"}');
    setImmediate(() => response.destroy());
  });
  t.teardown(() => server.close());
  const socket = join(folder, 's');
  await once(server.listen(socket), 'listening');
  const env = { MAV_SOCKET: socket, MAV_TOKEN: daemon.admin };
  t.match(await mav(daemon, ['list', '-o', 'json'], { env }), { code: 1, stdout: '', stderr: /closed/ });
});

t.test('stopped in the middle > the client reads on > gets all of it, then the end', async (t) => {
  const other = await serveFilled(t);
  const socket = await stall(other, 'stopped');
  const startedAt = performance.now();
  const stopped = other.stop();
  await waitUntil(() => other.log().some(({ event }) => event === 'stopping'));
  const closed = once(socket, 'close');
  const text = await readOn(socket);
  t.ok(text.endsWith(`]${LAST_CHUNK}`), 'complete');
  await closed;
  t.match(await stopped, { code: 0, signal: null });
  t.ok(performance.now() - startedAt < 4_000, 'and it is no keep-alive connection that holds up the end');
});

t.test('stopped in the middle > the client reads nothing > the end comes within the grace', async (t) => {
  const other = await serveFilled(t);
  const socket = await stall(other, 'unread');
  const startedAt = performance.now();
  t.match(await other.stop(), { code: 0, signal: null });
  t.ok(performance.now() - startedAt < 9_000);
  socket.destroy();
});

/** The pieces that are left of an answer, as text. */
async function restOf({ rest }: HttpResponse): Promise<string[]> {
  const pieces: string[] = [];
  if (rest !== null) for await (const piece of rest) pieces.push(Buffer.from(piece).toString());
  return pieces;
}

t.test(
  'changes between two pieces > what stays in its place is there once, and the JSON is whole',
  async (t) => {
    const held = await hold(t, await createHeldVault(t));
    await importEntries(held.ask);
    const before = (await held.ask('GET', '/v1/secrets')).json as { name: string }[];
    const names = before.map(({ name }) => name);
    const answer = await held.answer('GET', '/v1/secrets');
    const first = Buffer.from(answer.body).toString();
    const second = Buffer.from((await answer.rest?.next())?.value ?? []).toString();
    const seen = JSON.parse(`${first}${second}]`).length as number;
    t.ok(seen > 1 && seen < ENTRY_COUNT, `${seen} in two pieces`);
    const gone = [before[0]?.name ?? '', before.at(-2)?.name ?? ''];
    for (const { name, environment } of before.filter(({ name }) => gone.includes(name)) as any[])
      await held.ask('DELETE', `/v1/secrets/${name}?env=${encodeURIComponent(environment)}`);
    for (const name of ['a-before', 'z-behind'])
      await held.ask('PUT', `/v1/secrets/${name}`, { body: { value: 'v' } });
    const listed = JSON.parse([first, second, ...(await restOf(answer))].join('')) as { name: string }[];
    const expected = [...names.filter((name) => name !== gone[1]), 'z-behind'];
    t.strictSame(
      listed.map(({ name }) => name),
      expected,
    );
  },
);

t.test('all that is left is deleted between two pieces > the array ends', async (t) => {
  const held = await hold(t, await createHeldVault(t));
  await importEntries(held.ask);
  const answer = await held.answer('GET', '/v1/search?q=entry');
  const first = Buffer.from(answer.body).toString();
  const seen = new Set(JSON.parse(`${first}]`).map(({ name }: { name: string }) => name));
  const all = (await held.ask('GET', '/v1/secrets')).json as { name: string; environment: string }[];
  await Promise.all(
    all
      .filter(({ name }) => !seen.has(name))
      .map(({ name, environment }) =>
        held.ask('DELETE', `/v1/secrets/${name}?env=${encodeURIComponent(environment)}`),
      ),
  );
  t.strictSame(await restOf(answer), [']']);
});

t.test('destroyed in the middle > breaks off as sealed', async (t) => {
  const held = await hold(t, await createHeldVault(t));
  await importEntries(held.ask);
  const answer = await held.answer('GET', '/v1/secrets');
  t.equal((await held.ask('POST', '/v1/destroy', { body: { confirm: 'destroy' } })).status, 200);
  await t.rejects(restOf(answer), { code: 'sealed' });
});
