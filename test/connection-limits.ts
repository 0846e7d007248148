/** What clients may take of the server: connections, requests at once, memory; and who goes when it is too much. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { chooseConnectionCap, findDescriptorLimit } from '../src/daemon/descriptors.ts';
import { HEAD, HEALTH, MIB, serveCalls, stall, succeed } from './fixtures/answering-server.ts';
import { readDescriptorLimit } from './fixtures/process-figures.ts';
import { RawConnection, sendRaw, waitUntil } from './fixtures/raw.ts';

t.test('connections > more than the cap, idle > the oldest are closed; who asks is served', async (t) => {
  const { path, warnings, count } = await serveCalls(t, { connections: 10 });
  const kept = await RawConnection.open(path);
  const silent: RawConnection[] = [];
  for (let index = 0; index < 40; index++) {
    silent.push(await RawConnection.open(path));
    // Both before its next request and while the flood goes on.
    if (index % 4 === 0) {
      kept.write(HEALTH);
      await kept.waitFor(index / 4 + 1);
      t.equal((await sendRaw(path, HEALTH))?.status, 200, 'a new connection');
    }
  }
  t.equal(kept.answers().length, 10, 'the kept connection');
  t.ok((await count()) <= 10);
  await waitUntil(() => silent.filter(({ ended }) => ended).length >= 30);
  t.same(
    silent.slice(0, 25).map(({ ended }) => ended),
    Array(25).fill(true),
    'the oldest went',
  );
  t.equal(silent.at(-1)?.ended, false, 'the youngest stays');
  t.same(warnings, ['more than 10 connections: those that were idle longest are closed'], 'said once');
  for (const { socket } of [kept, ...silent]) socket.destroy();
});

t.test('connections > more than the cap, all have asked > who waits for an answer keeps it', async (t) => {
  const { path, pending } = await serveCalls(t, { connections: 4 });
  const waiting = await RawConnection.open(path);
  waiting.write(`GET /v1/secrets/a ${HEAD}\r\n`);
  await waitUntil(() => pending.length === 1);
  const resting: RawConnection[] = [];
  for (let index = 0; index < 8; index++) {
    const connection = await RawConnection.open(path);
    connection.write(HEALTH);
    await connection.waitFor(1);
    resting.push(connection);
  }
  await waitUntil(() => resting.filter(({ ended }) => ended).length === 5);
  t.same(
    resting.map(({ ended }) => ended),
    [true, true, true, true, true, false, false, false],
  );
  pending[0]?.resolve(succeed(3));
  t.match(await waiting.waitFor(1), [{ status: 200, body: 'aaa' }]);
  for (const { socket } of [waiting, ...resting]) socket.destroy();
});

t.test('connections > all wait for answers > the oldest goes, and the new one is served', async (t) => {
  const { path, pending } = await serveCalls(t, { connections: 3 });
  const waiting: RawConnection[] = [];
  for (let index = 0; index < 3; index++) {
    const connection = await RawConnection.open(path);
    connection.write(`GET /v1/secrets/${index} ${HEAD}\r\n`);
    await waitUntil(() => pending.length === index + 1);
    waiting.push(connection);
  }
  t.equal((await sendRaw(path, HEALTH))?.status, 200);
  await waiting[0]?.waitForEnd();
  t.same(
    waiting.map(({ ended }) => ended),
    [true, false, false],
  );
  for (const { socket } of waiting) socket.destroy();
});

t.test(
  'pipelined > 1,000 requests > 64 are worked on at once, all are answered in their order',
  async (t) => {
    const { path, pending } = await serveCalls(t, {});
    const connection = await RawConnection.open(path);
    const names = Array.from({ length: 1_000 }, (_, index) => `n${index}`);
    connection.write(names.map((name) => `GET /v1/secrets/${name} ${HEAD}\r\n`).join(''));
    let answered = 0;
    let most = 0;
    while (answered < names.length) {
      await waitUntil(() => pending.length > answered);
      most = Math.max(most, pending.length - answered);
      for (const { call, resolve } of pending.slice(answered)) {
        resolve({ ok: true, body: new Uint8Array(Buffer.from(call.params.name ?? '')) });
        answered += 1;
      }
    }
    const answers = await connection.waitFor(names.length);
    t.same(
      answers.map(({ body }) => body),
      names,
    );
    t.equal(most, 64);
    connection.close();
  },
);

t.test('pipelined > bodies among them > each is read, also behind those that wait', async (t) => {
  const { path } = await serveCalls(t, {}, ({ body }) => succeed(body?.length ?? 0));
  const connection = await RawConnection.open(path);
  const sizes = Array.from({ length: 300 }, (_, index) => (index % 3 === 0 ? 20_000 : index + 1));
  for (const size of sizes)
    connection.write(`PUT /v1/secrets/a ${HEAD}Content-Length: ${size}\r\n\r\n${'x'.repeat(size)}`);
  const answers = await connection.waitFor(sizes.length);
  t.same(
    answers.map(({ body }) => body.length),
    sizes,
  );
  connection.close();
});

t.test('pipelined without reading > the server stops to read', async (t) => {
  let calls = 0;
  const { path } = await serveCalls(t, {}, () => {
    calls += 1;
    return succeed(10_000);
  });
  const request = `GET /v1/secrets/a ${HEAD}\r\n`;
  const socket = await stall(path, request.repeat(50_000));
  t.equal((await sendRaw(path, HEALTH))?.status, 200, 'others are served');
  const seen = calls;
  t.equal((await sendRaw(path, HEALTH))?.status, 200);
  t.ok(calls === seen && calls < 300, `no more than the kernel takes, and those at once: ${calls}`);
  t.ok(socket.writableLength > 1_000_000, 'most was never taken');
  socket.destroy();
});

t.test(
  'answers that nobody takes > too much > who holds them for longest is cut off, and they are zeroed',
  async (t) => {
    const bodies: Uint8Array[] = [];
    const zeroed = new Set<Uint8Array>();
    const { path, warnings, count } = await serveCalls(t, { connections: 100, heldBytes: 8 * MIB }, () => {
      const body = new Uint8Array(MIB).fill(0x61);
      // Its memory is given back then, and cannot be looked at any more.
      body.fill = (value) => {
        Uint8Array.prototype.fill.call(body, value);
        if (body.every((byte) => byte === 0)) zeroed.add(body);
        return body;
      };
      bodies.push(body);
      return { ok: true, body };
    });
    const request = `GET /v1/secrets/a ${HEAD}\r\n`;
    const stalled: Socket[] = [];
    for (let index = 0; index < 20; index++) {
      stalled.push(await stall(path, request));
      await waitUntil(() => bodies.length === index + 1);
    }
    await waitUntil(async () => (await count()) === 8);
    const isWiped = (body: Uint8Array) => zeroed.has(body);
    await waitUntil(() => bodies.slice(0, 12).every(isWiped));
    t.equal(bodies.slice(12).some(isWiped), false, 'those that are still held are whole');
    t.match(await sendRaw(path, request), { status: 200, body: /^a{1048576}$/ }, 'who reads gets it');
    t.match(warnings, [/hold more memory than they may/]);
    for (const socket of stalled) socket.destroy();
  },
);

t.test(
  'pipelined answers that nobody takes > they lie in the memory of their batch > it is not kept',
  async (t) => {
    // Longer ones never lie together: the pool moves them out of their batch.
    const [size, all] = [60_000, 12];
    const shared = new Uint8Array(2 * all * size).fill(0x61);
    let given = 0;
    const { path, pending } = await serveCalls(t, {});
    const socket = await stall(path, `GET /v1/secrets/a ${HEAD}\r\n`.repeat(all));
    await waitUntil(() => pending.length === all);
    for (const { resolve } of pending) {
      resolve({ ok: true, body: shared.subarray(given, given + size) });
      given += size;
    }
    // Zeroed: what the kernel did not take at once has memory of its own.
    await waitUntil(() => shared.subarray(0, given).every((byte) => byte === 0));
    t.ok(
      shared.subarray(given).every((byte) => byte === 0x61),
      'and nothing but them',
    );
    let received = 0;
    socket.on('data', (bytes) => {
      received += Buffer.from(bytes).filter((byte) => byte === 0x61).length;
    });
    socket.resume();
    await waitUntil(() => received >= all * size);
    socket.destroy();
  },
);

t.test(
  'bodies that stall > too much > who holds most for longest is refused; who sends at once is served',
  async (t) => {
    const { path, warnings } = await serveCalls(t, { heldBytes: 3 * MIB + 65_536 }, () => succeed(1));
    const upload = `PUT /v1/secrets/a ${HEAD}Content-Length: ${MIB}\r\n\r\n`;
    const slow = await Promise.all(
      Array.from({ length: 5 }, () => stall(path, upload + 'x'.repeat(MIB - 1_000))),
    );
    const answers = slow.map(() => '');
    for (const [index, socket] of slow.entries())
      socket.resume().on('data', (bytes) => (answers[index] = `${answers[index]}${bytes}`));
    const isRefused = (text: string) => /^HTTP\/1.1 503 [\s\S]*\r\nRetry-After: 1\r\n/.test(text);
    await waitUntil(() => answers.filter(isRefused).length === 2);
    t.match(await sendRaw(path, upload + 'x'.repeat(MIB)), { status: 201 });
    t.match(warnings, [/hold more memory than they may/]);
    for (const socket of slow) socket.destroy();
  },
);

t.test(
  'request > its client leaves before it is read > not wanted any more, and no answer is logged',
  async (t) => {
    const { path, pending, logged } = await serveCalls(t, {});
    const connection = await RawConnection.open(path);
    connection.write(`GET /v1/secrets/a ${HEAD}\r\n`);
    await waitUntil(() => pending.length === 1);
    t.equal(pending[0]?.isWanted(), true);
    connection.close();
    await waitUntil(() => pending[0]?.isWanted() === false);
    pending[0]?.resolve({ ok: false, code: 'busy', message: 'left out' });
    t.equal((await sendRaw(path, HEALTH))?.status, 200);
    t.same(logged, [200]);
  },
);

t.test('CONNECT > refused, and the client sends more, or stays > the connection is closed', async (t) => {
  const { path, count } = await serveCalls(t, {});
  const ask = async () => {
    const socket = connect({ path, allowHalfOpen: true });
    t.teardown(() => socket.destroy());
    socket.on('error', () => {}).write('CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    t.match(String((await once(socket, 'data'))[0]), /^HTTP\/1.1 401 /);
    return socket;
  };
  const [leaving] = await Promise.all([ask(), ask()]);
  leaving.end('more');
  // Far below the time after which the server closes connections on which nothing moves.
  await waitUntil(async () => (await count()) === 0);
  t.pass('neither is left');
});

t.test('the cap > by the limit of descriptors > some are left for everything else', async (t) => {
  t.same(
    [1_024, 20_000, Number.POSITIVE_INFINITY, 200, 64].map(chooseConnectionCap),
    [896, 2_048, 2_048, 72, 16],
  );
  if (process.platform === 'linux') t.equal(findDescriptorLimit(), readDescriptorLimit('self'));
});
