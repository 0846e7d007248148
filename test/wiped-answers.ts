/** The bytes of an answer are zeroed when it is sent, and when its connection ends before. The real HTTP server. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import type { CallResult } from '../src/call-result.ts';
import { createApiServer } from '../src/http/server.ts';
import { createBackend } from './fixtures/backend.ts';
import { listenUntilEnd } from './fixtures/listening.ts';
import { waitUntil } from './fixtures/raw.ts';

const TOKEN = `mvt_${'0f'.repeat(32)}`;
const SIZE = 100;

/** Starts a server whose answers a test gives one by one. `answer` returns the body that it gave. */
async function serve(t: Test) {
  const waiting: ((answered: CallResult) => void)[] = [];
  const server = createApiServer(
    createBackend(TOKEN, ['read'], () => new Promise((resolve) => waiting.push(resolve))),
    () => {},
    { connections: 10, report: () => {} },
  );
  const path = await listenUntilEnd(t, server);
  const answer = (index: number): Uint8Array => {
    const body = new Uint8Array(SIZE).fill(0x61);
    waiting[index]?.({ ok: true, body });
    return body;
  };
  return { path, waiting, answer };
}

async function ask(path: string, count: number): Promise<Socket> {
  const socket = connect(path);
  await once(socket, 'connect');
  socket.write(
    `GET /v1/secrets/a HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`.repeat(count),
  );
  return socket;
}

const isWiped = (body: Uint8Array) => body.every((byte) => byte === 0);

t.test('answer > sent > zeroed', async (t) => {
  const { path, waiting, answer } = await serve(t);
  const socket = await ask(path, 2);
  let received = '';
  socket.on('data', (bytes) => (received += bytes));
  await waitUntil(() => waiting.length === 2);
  // The second one first: it waits behind the first, and is not zeroed before it is sent.
  const second = answer(1);
  await new Promise((resolve) => setImmediate(resolve));
  t.notOk(isWiped(second), 'it waits');
  const first = answer(0);
  await waitUntil(() => received.split('a'.repeat(SIZE)).length === 3);
  t.equal(received.match(/HTTP\/1\.1 200/g)?.length, 2, 'both arrive whole');
  await waitUntil(() => isWiped(first) && isWiped(second));
  socket.destroy();
  t.pass('and are zeroed');
});

t.test('answer > it waits behind another, and the client goes away > zeroed', async (t) => {
  const { path, waiting, answer } = await serve(t);
  const socket = await ask(path, 3);
  await waitUntil(() => waiting.length === 3);
  const second = answer(1);
  await new Promise((resolve) => setImmediate(resolve));
  t.notOk(isWiped(second), 'it waits');
  socket.destroy();
  await waitUntil(() => isWiped(second));
  for (const late of [0, 2]) {
    const body = answer(late);
    await waitUntil(() => isWiped(body));
  }
  t.pass('those that come later, too');
});
