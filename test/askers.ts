/** Who asks: what the workers are told of the process that sent a request, of its purpose and of its id. */
import { spawn } from 'node:child_process';
import t, { type Test } from 'tap';
import { Client } from '../src/client/client.ts';
import { SocketTransport } from '../src/client/socket-transport.ts';
import { createFindAsker } from '../src/http/asker.ts';
import { PeerCredentials } from '../src/system/peer-credentials.ts';
import type { Call } from '../workers/messages.ts';
import { HEAD, serveCalls, succeed } from './fixtures/answering-server.ts';
import { skipWithout } from './fixtures/programs.ts';
import { finished } from './fixtures/vault.ts';

const TOKEN = /mvt_[0-9a-f]{64}/.exec(HEAD)?.[0] ?? '';
const credentials = PeerCredentials.open();
const skip = credentials === null ? 'Linux with Node 26.1 or newer says who connects' : false;

/** A server that notes the calls of its requests. */
async function noteCalls(t: Test) {
  const calls: Call[] = [];
  let looked = 0;
  const find = createFindAsker(credentials);
  const findAsker: typeof find = (socket) => {
    looked += 1;
    return find(socket);
  };
  const { path } = await serveCalls(t, { findAsker }, (call) => {
    calls.push(call);
    return succeed(0);
  });
  return { path, calls, countLooks: () => looked };
}

t.test('request > sent by this process > names it, once for a connection', { skip }, async (t) => {
  const { path, calls, countLooks } = await noteCalls(t);
  const transport = new SocketTransport(path, { checksOwner: false });
  const client = new Client((outgoing) => transport.send(outgoing), TOKEN);
  await client.health();
  t.equal(countLooks(), 0, 'a request that reaches no worker is not looked into');
  for (const name of ['one', 'two']) await client.getValue(name);
  transport.close();
  const own = { uid: process.geteuid?.(), pid: process.pid, program: 'node' };
  t.strictSame(
    calls.map(({ asker = '' }) => JSON.parse(asker)),
    [own, own],
  );
  t.equal(countLooks(), 1);
  t.equal(calls[0]?.asker, calls[1]?.asker);
  t.strictSame(
    calls.map(({ author, requestId = '' }) => [author?.id, /^[0-9a-f]{12}-/.test(requestId)]),
    [
      ['a', true],
      ['a', true],
    ],
  );
});

t.test(
  'request > sent by another program > names it, its id and its purpose',
  { skip: skip || skipWithout('curl') },
  async (t) => {
    const { path, calls } = await noteCalls(t);
    const words = [
      '-H',
      `Authorization: Bearer ${TOKEN}`,
      '-H',
      'X-Request-Id: mine',
      '-H',
      'X-Purpose: for Zoë',
    ];
    const child = spawn('curl', [
      '-sS',
      '--unix-socket',
      path,
      ...words,
      'http://localhost/v1/secrets/s/value',
    ]);
    t.equal((await finished(child)).code, 0);
    const [{ asker = '', requestId, purpose } = {} as Call] = calls;
    t.strictSame(JSON.parse(asker), { uid: process.geteuid?.(), pid: child.pid, program: 'curl' });
    t.strictSame([requestId, purpose], ['mine', 'for Zoë']);
  },
);

t.test('X-Purpose > printable, too long, with controls > taken, or 400', async (t) => {
  const { path, calls } = await noteCalls(t);
  const transport = new SocketTransport(path, { checksOwner: false });
  t.teardown(() => transport.close());
  const send = async (purpose: string) => {
    const client = new Client((outgoing) => transport.send(outgoing), TOKEN, purpose);
    await client.getValue('s');
    return calls.at(-1)?.purpose;
  };
  for (const purpose of ['deploy', 'für später', '日本', '🔑', '~'.repeat(200)])
    t.equal(await send(purpose), purpose);
  t.equal(await send(''), undefined, 'an empty one is none');
  const count = calls.length;
  const bad = ['x'.repeat(201), '\u0085', '\u202e', '\u200b', '\u2028', '\ue000', '\ufffd'];
  for (const purpose of bad)
    await t.rejects(send(purpose), { code: 'bad_request', message: /X-Purpose.*200/ });
  t.equal(calls.length, count, 'and the request is not carried out');
});

t.test('findProgram > a process that is gone > null', { skip }, async (t) => {
  const child = spawn('true');
  await finished(child);
  t.equal(credentials?.findProgram(child.pid ?? 0), null);
  t.equal(credentials?.findProgram(process.pid), 'node');
});
