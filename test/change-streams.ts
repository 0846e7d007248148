/** Streams of changes as connections: when they end, how many there are, and what they cost others. */
import { connect } from 'node:net';
import t from 'tap';
import { connect as connectClient } from '../src/client/index.ts';
import type { ChangeEvent } from '../src/client/types.ts';
import { locateSessionToken, readSessionToken } from '../src/places/session-token.ts';
import { ask } from './fixtures/ask.ts';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { openEvents } from './fixtures/event-stream.ts';
import { createSandbox } from './fixtures/vault.ts';

const put = (daemon: Daemon, name: string) =>
  daemon.ask('PUT', `/v1/secrets/${name}`, { body: { value: 'v' } });

const sessionOf = ({ env, socket }: Daemon) => readSessionToken(locateSessionToken(env, socket));

t.test('changes > the token is revoked, or expires > the stream ends', async (t) => {
  const daemon = await startDaemon(t);
  const revoked = await daemon.createToken(['read']);
  const stream = await openEvents(t, daemon.socket, { token: revoked.token });
  await daemon.ask('DELETE', `/v1/tokens/${revoked.id}`);
  await put(daemon, 'a');
  t.equal(await stream.next(), null, 'and nothing of what changes afterwards');
  const expiring = await daemon.createToken(['read'], { expires_in: '5s' });
  const short = await openEvents(t, daemon.socket, { token: expiring.token });
  t.equal(short.status, 200);
  t.equal(await short.next(), null, 'although nothing changes');
});

t.test('changes > the vault is sealed > the streams end, and the next is told why', async (t) => {
  const daemon = await startDaemon(t);
  const token = sessionOf(daemon) ?? '';
  const streams = [
    await openEvents(t, daemon.socket, { token }),
    await openEvents(t, daemon.socket, { token: daemon.admin }),
  ];
  await put(daemon, 'a');
  const events = await Promise.all(streams.map((stream) => stream.next()));
  t.equal((await daemon.ask('POST', '/v1/seal', { token })).status, 200);
  for (const stream of streams) t.equal(await stream.next(), null);
  t.match((await daemon.ask('GET', '/v1/changes', { token })).json, { code: 'sealed', reason: 'sealed' });
  await daemon.ask('POST', '/v1/unseal', { token });
  await put(daemon, 'b');
  const resumed = await openEvents(t, daemon.socket, { token, lastEventId: events[0]?.id ?? '' });
  t.strictSame(await resumed.changes(1), [':b 1 set'], 'sealing loses no event');
});

t.test('changes > the daemon stops > the stream ends whole, and the daemon at once', async (t) => {
  const sandbox = createSandbox(t);
  const daemon = await startDaemon(t, { sandbox });
  const stream = await openEvents(t, daemon.socket, { token: daemon.admin });
  const ended = daemon.stop();
  t.equal(await stream.next(), null);
  t.match(await ended, { code: 0 });
  t.notMatch(daemon.log(), [{ event: 'warning' }]);
  const entries = daemon.log().filter(({ route }) => route === '/v1/changes');
  t.match(entries, [{ method: 'GET', status: 200, code: null }]);
  const again = await startDaemon(t, { sandbox, init: null, token: false });
  const resumed = await openEvents(t, again.socket, { token: daemon.admin, lastEventId: stream.startId });
  t.match(await resumed.next(), { event: 'reset' }, 'another daemon does not know what was before it');
});

t.test('changes > more streams than one token may have > 503, and closing one makes room', async (t) => {
  const daemon = await startDaemon(t);
  const { token } = await daemon.createToken(['read']);
  const streams = await Promise.all(
    Array.from({ length: 64 }, () => openEvents(t, daemon.socket, { token })),
  );
  const refused = await daemon.ask('GET', '/v1/changes', { token });
  t.match([refused.status, refused.json.code, refused.headers['retry-after']], [503, 'busy', '1']);
  t.equal((await daemon.ask('HEAD', '/v1/changes', { token: daemon.admin })).status, 200);
  t.equal(
    (await daemon.ask('GET', '/v1/changes', { token: daemon.admin })).status,
    200,
    'others have theirs',
  );
  await put(daemon, 'a');
  const events = await Promise.all(streams.map((stream) => stream.next()));
  t.ok(events.every((event) => event?.data.name === 'a'));
  streams[0]?.close();
  let status = 503;
  while (status === 503) ({ status } = await daemon.ask('GET', '/v1/changes', { token }));
  t.equal(status, 200);
  const heads = Array.from({ length: 70 }, () => daemon.ask('HEAD', '/v1/changes', { token: daemon.admin }));
  for (const { status } of await Promise.all(heads)) t.equal(status, 200, 'HEAD opens no stream');
});

t.test('changes > a counted token > one use for a stream, however long', async (t) => {
  const daemon = await startDaemon(t);
  const { token, id } = await daemon.createToken(['read'], { max_uses: 2 });
  const stream = await openEvents(t, daemon.socket, { token });
  for (const name of ['a', 'b', 'c']) {
    await put(daemon, name);
    t.match(await stream.next(), { data: { name } });
  }
  t.equal((await daemon.ask('GET', '/v1/secrets', { token })).status, 200);
  t.equal((await daemon.ask('GET', '/v1/changes', { token })).status, 401);
  await put(daemon, 'd');
  t.match(await stream.next(), { data: { name: 'd' } }, 'the stream has its use');
  t.match((await daemon.ask('GET', `/v1/tokens/${id}`)).json, { max_uses: 2, uses: 2 });
});

t.test('changes > a client that does not read > holds up no writer and no other stream', async (t) => {
  const daemon = await startDaemon(t);
  const slow = connect(daemon.socket);
  t.teardown(() => slow.destroy());
  slow.on('error', () => {});
  slow.write(`GET /v1/changes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${daemon.admin}\r\n\r\n`);
  await new Promise((resolve) => slow.once('readable', resolve));
  const reading = await openEvents(t, daemon.socket, { token: daemon.admin });
  const name = (index: number) => `${index}-${'n'.repeat(400)}`;
  const secrets = Array.from({ length: 4_000 }, (_, index) => ({ name: name(index), value: 'v' }));
  t.equal((await daemon.ask('POST', '/v1/import', { body: { secrets } })).status, 200);
  await put(daemon, 'last');
  t.equal((await reading.changes(4_001)).at(-1), ':last 1 set');
});

t.test('client.watchChanges > the daemon is killed and started again > goes on after a reset', async (t) => {
  const sandbox = createSandbox(t);
  const daemon = await startDaemon(t, { sandbox });
  const client = connectClient({ socketPath: daemon.socket, token: daemon.admin });
  t.teardown(() => client.close());
  const stop = new AbortController();
  const events = client.watchChanges({ environment: '', signal: stop.signal });
  const next = async (): Promise<ChangeEvent | undefined> => (await events.next()).value ?? undefined;
  t.match(await next(), { event: 'reset', id: /./ });
  await client.putSecret('a', { value: 'v' }, { environment: 'other' });
  await client.putSecret('a', { value: 'v' });
  t.match(await next(), { event: 'change', name: 'a', environment: '', version: 1, change: 'set' });
  await daemon.stop('SIGKILL');
  const again = await startDaemon(t, { sandbox, init: null, token: false });
  t.match(await next(), { event: 'reset' });
  await ask(again.socket, 'PUT', '/v1/secrets/b', { token: daemon.admin, body: { value: 'v' } });
  t.match(await next(), { event: 'change', name: 'b' });
  const ended = events.next();
  stop.abort();
  t.match(await ended, { done: true }, 'aborting ends it');
});

t.test('client.watchChanges > a wrong token, no daemon > rejects', async (t) => {
  const daemon = await startDaemon(t);
  const { token, id } = await daemon.createToken(['read']);
  const wrong = connectClient({ socketPath: daemon.socket, token: `mvt_${'0'.repeat(64)}` });
  await t.rejects(wrong.watchChanges().next(), { code: 'unauthorized' });
  const events = connectClient({ socketPath: daemon.socket, token }).watchChanges();
  t.match(await events.next(), { value: { event: 'reset' } });
  await daemon.ask('DELETE', `/v1/tokens/${id}`);
  await t.rejects(events.next(), { code: 'unauthorized' });
  await daemon.stop();
  await t.rejects(wrong.watchChanges().next(), { code: 'ENOENT' });
});
