/** The stream of changes: what it tells, to whom, from where, and when it ends. */
import t from 'tap';
import { locateSessionToken, readSessionToken } from '../src/places/session-token.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { openEvents } from './fixtures/event-stream.ts';

const daemon = await startDaemon(t);
const { socket, admin: token } = daemon;

const put = (name: string, env = '', value = 'v') =>
  daemon.ask('PUT', `/v1/secrets/${encodeURIComponent(name)}?env=${env}`, { body: { value } });

t.test('changes > each operation > tells of the version that it makes, and no value', async (t) => {
  const stream = await openEvents(t, socket, { token });
  t.match(stream.headers, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-request-id': /./,
    'content-length': undefined,
  });
  const at = '/v1/secrets/a';
  const calls: [method: string, target: string, body: unknown, told: string[]][] = [
    ['PUT', at, { value: 'HIDDEN' }, [':a 1 set']],
    ['PUT', `${at}/value`, 'HIDDEN', [':a 2 set']],
    ['PATCH', at, { metadata: { m: 'HIDDEN' } }, [':a 3 edit']],
    ['PUT', `${at}/fields/f`, { value: 'HIDDEN' }, [':a 4 fields']],
    ['PUT', `${at}/fields`, { fields: { g: '1', h: '2' } }, [':a 5 fields']],
    ['DELETE', `${at}/fields/f`, undefined, [':a 6 fields']],
    ['POST', `${at}/rename`, { name: 'b', environment: 'e' }, [':a 7 rename', 'e:b 7 rename']],
    ['POST', '/v1/secrets/b/rollback?env=e', { version: 1 }, ['e:b 8 rollback']],
    ['POST', '/v1/secrets/b/rename?env=e', { name: 'a', environment: '' }, ['e:b 9 rename', ':a 9 rename']],
    ['DELETE', at, undefined, [':a 10 delete']],
    ['POST', `${at}/restore`, undefined, [':a 11 restore']],
    ['POST', `${at}/purge`, undefined, [':a 0 purge']],
    ['POST', '/v1/generate', { name: 'a', length: 8 }, [':a 1 generate']],
    ['PUT', '/v1/secrets/only/fields/f', { value: 'HIDDEN' }, [':only 1 fields']],
  ];
  for (const [method, target, body, told] of calls) {
    t.ok((await daemon.ask(method, target, { body })).status < 300, `${method} ${target}`);
    t.strictSame(await stream.changes(told.length), told, `${method} ${target}`);
  }
  const session = readSessionToken(locateSessionToken(daemon.env, socket));
  await daemon.ask('POST', `${at}/accept`, { token: session });
  await put('last');
  const { id } = (await daemon.ask('GET', '/v1/tokens/self')).json;
  t.match(await stream.next(), {
    event: 'change',
    data: { change: 'accept', version: 1, written_by: 'session' },
  });
  t.match(await stream.next(), { data: { name: 'last', written_by: id, changed_at: /^20.*Z$/ } });
});

t.test(
  'changes > an import > tells of each entry that changed once, in one transaction or not at all',
  async (t) => {
    await put('kept', 'i', 'same');
    const stream = await openEvents(t, socket, { token, query: '?env=i' });
    const secrets = [
      { name: 'kept', environment: 'i', value: 'same' },
      { name: 'new', environment: 'i', value: 'v', fields: { f: '1' } },
      { name: 'other', environment: 'j', value: 'v' },
    ];
    const wrong = [
      ...secrets,
      { name: 'x', environment: 'i', value: 'v', metadata: { m: 'm'.repeat(1_048_576) } },
    ];
    t.equal((await daemon.ask('POST', '/v1/import', { body: { secrets: wrong } })).status, 413);
    t.equal((await daemon.ask('POST', '/v1/import?dry_run=true', { body: { secrets } })).status, 200);
    t.equal((await daemon.ask('POST', '/v1/import', { body: { secrets } })).status, 200);
    await put('end', 'i');
    t.strictSame(await stream.changes(2), ['i:new 1 import', 'i:end 1 set']);
  },
);

t.test('changes > a write that fails > tells nothing', async (t) => {
  const stream = await openEvents(t, socket, { token });
  const headers = { 'If-Match': '"99"' };
  await daemon.ask('PUT', '/v1/secrets/last', { body: { value: 'x' }, headers });
  await daemon.ask('PUT', '/v1/secrets/last', { body: { value: '' } });
  await daemon.ask('DELETE', '/v1/secrets/none');
  await put('after');
  t.strictSame(await stream.changes(1), [':after 1 set']);
});

t.test('changes > a limited token > learns only of what it may reach', async (t) => {
  const limits = { environments: ['prod'], names: ['ci/**'] };
  const limited = await daemon.createToken(['read'], limits);
  const stream = await openEvents(t, socket, { token: limited.token });
  await put('ci/a', 'dev');
  await put('db', 'prod');
  await put('ci/a', 'prod');
  await daemon.ask('POST', '/v1/secrets/ci%2Fa/rename?env=prod', { body: { name: 'db2' } });
  await put('ci/b', 'prod');
  t.strictSame(await stream.changes(3), ['prod:ci/a 1 set', 'prod:ci/a 2 rename', 'prod:ci/b 1 set']);
});

t.test('changes > Last-Event-ID > goes on after it, or says that it cannot', async (t) => {
  const first = await openEvents(t, socket, { token });
  first.close();
  t.match(first.startId, /./, 'even before an event there is a position');
  await put('missed');
  await put('missed', 'too');
  const second = await openEvents(t, socket, { token, lastEventId: first.startId });
  const missed = await second.next();
  t.match(missed, { event: 'change', data: { name: 'missed', environment: '' } });
  t.strictSame(await second.changes(1), ['too:missed 1 set']);
  const third = await openEvents(t, socket, { token, lastEventId: missed?.id ?? '' });
  t.strictSame(await third.changes(1), ['too:missed 1 set']);
  const [epoch, number] = first.startId.split('-');
  for (const lastEventId of [`0123456789abcdef-${number}`, `${epoch}-99999`, `${epoch}--1`, '1', 'x y'])
    t.match(
      await (await openEvents(t, socket, { token, lastEventId })).next(),
      { event: 'reset' },
      lastEventId,
    );
});

t.test('changes > more than are kept > reset, and then what comes', async (t) => {
  const { startId: lastEventId } = await openEvents(t, socket, { token });
  const secrets = Array.from({ length: 4_097 }, (_, index) => ({
    name: `n${index}`,
    environment: 'm',
    value: 'v',
  }));
  await daemon.ask('POST', '/v1/import', { body: { secrets } });
  const stream = await openEvents(t, socket, { token, lastEventId });
  const reset = await stream.next();
  t.equal(reset?.event, 'reset');
  await put('next');
  t.strictSame(await stream.changes(1), [':next 1 set']);
  const again = await openEvents(t, socket, { token, lastEventId: reset?.id ?? '' });
  t.strictSame(await again.changes(1), [':next 1 set']);
});

t.test('changes > slightly fewer than are kept > all of them, in their order', async (t) => {
  const { startId: lastEventId } = await openEvents(t, socket, { token });
  const names = Array.from({ length: 4_096 }, (_, index) => `k${String(index).padStart(4, '0')}`);
  const secrets = names.map((name) => ({ name, environment: 'k', value: 'v' }));
  await daemon.ask('POST', '/v1/import', { body: { secrets } });
  const stream = await openEvents(t, socket, { token, lastEventId });
  t.strictSame(
    await stream.changes(names.length),
    names.map((name) => `k:${name} 1 import`),
  );
});
