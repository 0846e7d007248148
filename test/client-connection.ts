/** The client's connection: responses in pieces, cut off or malformed, and many requests at once. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Connection, type ConnectionOptions, type Outgoing } from '../src/client/connection.ts';
import { ConnectionError } from '../src/client/index.ts';
import { SocketTransport } from '../src/client/socket-transport.ts';

t.setTimeout(300_000);

/** Tests both kinds of connection: over node:net, and without it where node:ffi is there. */
function testBoth(name: string, run: (t: Test, options: ConnectionOptions) => Promise<void>): void {
  for (const isBrief of [false, true])
    t.test(`${isBrief ? 'brief ' : ''}${name}`, (t) => run(t, { isBrief }));
}

/** A server that says `answer` to each request's head, in pieces of `size` bytes. */
async function listen(t: Test, onRequest: (socket: Socket) => void): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'mav-client-'));
  const path = join(folder, 's');
  const server = createServer((socket) => {
    let received = '';
    socket.on('error', () => {});
    socket.setEncoding('latin1').on('data', (text) => {
      received += text;
      for (let at = received.indexOf('\r\n\r\n'); at >= 0; at = received.indexOf('\r\n\r\n')) {
        received = received.slice(at + 4);
        onRequest(socket);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return path;
}

const GET: Outgoing = { method: 'GET', target: '/v1/health', headers: {}, body: null };

const answer = (body: string) =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\nX-A: b: c\r\n\r\n${body}`;

testBoth('connection > more want one at once than the listener queues > all get one', async (t, options) => {
  const folder = mkdtempSync(join(tmpdir(), 'mav-client-'));
  const path = join(folder, 's');
  const server = createServer((socket) => socket.on('error', () => {}));
  await new Promise<void>((resolve) => server.listen({ path, backlog: 1 }, resolve));
  t.teardown(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  // Before anybody accepts one.
  const connections = await Promise.all(Array.from({ length: 20 }, () => Connection.open(path, options)));
  t.equal(connections.filter(({ isOpen }) => isOpen).length, 20);
  for (const connection of connections) connection.close();
});

testBoth('connection > an answer in single bytes > is put together', async (t, options) => {
  const path = await listen(t, async (socket) => {
    for (const byte of Buffer.from(answer('grüße'))) {
      socket.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
  });
  const connection = await Connection.open(path, options);
  const { status, headers, body } = await connection.send(GET);
  t.same([status, headers['x-a'], Buffer.from(body).toString()], [200, 'b: c', 'grüße']);
  connection.close();
});

testBoth(
  'connection > requests at once > answers in one piece, interim ones and empty ones > each finds its request',
  async (t, options) => {
    let count = 0;
    const path = await listen(t, (socket) => {
      count += 1;
      if (count === 3)
        socket.write(
          `${answer('1')}HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\ncontent-length: 0\r\n\r\n${answer('3')}`,
        );
    });
    const connection = await Connection.open(path, options);
    const all = await Promise.all([connection.send(GET), connection.send(GET), connection.send(GET)]);
    t.same(
      all.map(({ status, body }) => `${status} ${Buffer.from(body)}`),
      ['200 1', '204 ', '200 3'],
    );
    connection.close();
  },
);

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

testBoth('connection > an answer in chunks, cut at every byte > is put together', async (t, options) => {
  const text = `${CHUNKED}5\r\n[1,\r\n\r\n00B ; x="y"\r\n grüße 23\r\n1;ext\r\n]\r\n0\r\nX-T: a\r\nX-U: b\r\n\r\n`;
  const bytes = Buffer.from(text);
  let cut = 0;
  const path = await listen(t, (socket) => {
    socket.write(bytes.subarray(0, cut));
    setImmediate(() => setImmediate(() => socket.write(bytes.subarray(cut))));
  });
  for (cut = 1; cut < bytes.length; cut++) {
    const connection = await Connection.open(path, options);
    const { body, headers } = await connection.send(GET);
    t.equal(Buffer.from(body).toString(), '[1,\r\n grüße 23]', `cut at ${cut}`);
    t.equal(headers['x-t'], undefined, 'trailers are passed over');
    connection.close();
  }
});

testBoth(
  'connection > chunks in single bytes, and an answer behind them > each finds its request',
  async (t, options) => {
    let count = 0;
    const path = await listen(t, async (socket) => {
      count += 1;
      if (count < 3) return;
      const none = `${CHUNKED}0\r\n\r\n`;
      for (const byte of Buffer.from(`${CHUNKED}3\r\nabc\r\n0\r\n\r\n${none}${answer('last')}`)) {
        socket.write(Buffer.from([byte]));
        await new Promise(setImmediate);
      }
    });
    const connection = await Connection.open(path, options);
    const all = await Promise.all([connection.send(GET), connection.send(GET), connection.send(GET)]);
    t.same(
      all.map(({ body }) => Buffer.from(body).toString()),
      ['abc', '', 'last'],
    );
    connection.close();
  },
);

testBoth(
  'connection > many megabytes in chunks > whole, and not copied again for each',
  async (t, options) => {
    const piece = Buffer.alloc(65_536, 'x');
    const path = await listen(t, async (socket) => {
      socket.write(CHUNKED);
      for (let index = 0; index < 1_000; index++) {
        socket.write('10000\r\n');
        socket.write(piece);
        if (!socket.write('\r\n')) await new Promise((resolve) => socket.once('drain', resolve));
      }
      socket.write('0\r\n\r\n');
    });
    const connection = await Connection.open(path, options);
    const { body } = await connection.send(GET);
    t.equal(body.length, 65_536_000);
    t.ok(body.every((byte) => byte === 0x78));
    connection.close();
  },
);

const broken: Readonly<Record<string, string>> = {
  'an end in the middle': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n123',
  'an end before anything': '',
  'another protocol': 'SSH-2.0-OpenSSH\r\n\r\n',
  'no length': 'HTTP/1.1 200 OK\r\n\r\n',
  'a length that is none': 'HTTP/1.1 200 OK\r\nContent-Length: 1e3\r\n\r\n',
  'an encoding': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n1',
  'another encoding': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n1',
  'two encodings': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
  'a head without end': 'x'.repeat(70_000),
  'chunks without a last one': `${CHUNKED}3\r\nabc\r\n`,
  'an end in the middle of a chunk': `${CHUNKED}5\r\nabc`,
  'an end in the middle of a size': `${CHUNKED}5`,
  'an end before the trailers do': `${CHUNKED}0\r\n`,
  'an end in the middle of a trailer': `${CHUNKED}0\r\nX-T: a`,
};

for (const [what, text] of Object.entries(broken)) {
  testBoth(`connection > ${what} > ConnectionError, for every request that waits`, async (t, options) => {
    const path = await listen(t, (socket) => socket.end(text));
    const connection = await Connection.open(path, options);
    const sent = await Promise.allSettled([connection.send(GET), connection.send(GET)]);
    for (const one of sent) {
      t.equal(one.status, 'rejected');
      t.ok(one.status === 'rejected' && one.reason instanceof ConnectionError, JSON.stringify(one));
    }
    await t.rejects(connection.send(GET), ConnectionError);
    t.notOk(connection.isOpen);
  });
}

const malformed: Readonly<Record<string, string>> = {
  'no size': 'x\r\nabc\r\n',
  'an empty size': '\r\nabc\r\n',
  'a negative size': '-1\r\nabc\r\n',
  'a size with a prefix': '0x3\r\nabc\r\n',
  'a size beyond all numbers': `${'f'.repeat(13)}\r\nabc`,
  'a size that ends in a bare LF': '3\nabc\r\n',
  'a chunk that is longer than its size': '3\r\nabcd\r\n0\r\n\r\n',
  'a chunk that ends in a bare LF': '3\r\nabc\n0\r\n\r\n',
  'an endless extension': `3;${'x'.repeat(70_000)}`,
  'an endless trailer': `0\r\n${'x'.repeat(70_000)}`,
  'endless trailers': `0\r\n${'X-T: a\r\n'.repeat(20_000)}`,
};

for (const [what, text] of Object.entries(malformed)) {
  testBoth(
    `connection > chunks with ${what} > ConnectionError at once, for every request`,
    async (t, options) => {
      // The server neither ends nor goes on.
      const path = await listen(t, (socket) => socket.write(CHUNKED + text));
      const connection = await Connection.open(path, options);
      const sent = await Promise.allSettled([connection.send(GET), connection.send(GET)]);
      for (const one of sent)
        t.ok(one.status === 'rejected' && one.reason instanceof ConnectionError, JSON.stringify(one));
      t.notOk(connection.isOpen);
    },
  );
}

testBoth('connection > a line break in a header or target > is not sent', async (t, options) => {
  const path = await listen(t, (socket) => socket.write(answer('{}')));
  const connection = await Connection.open(path, options);
  await t.rejects(connection.send({ ...GET, headers: { A: 'b\r\nC: d' } }), RangeError);
  await t.rejects(connection.send({ ...GET, target: '/a HTTP/1.1\r\n' }), RangeError);
  t.equal((await connection.send(GET)).status, 200, 'and the connection goes on');
  connection.close();
});

/** A server, as a process of its own, that lets nobody in for a while. */
const BUSY_SERVER = `
  const [path] = process.argv.slice(1);
  require('net').createServer((socket) => socket.resume()).listen({ path, backlog: 1 }, () => {
    require('fs').writeSync(1, 'listening');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);
  });`;

testBoth('connection > more clients wait than the kernel keeps > it waits with them', async (t, options) => {
  const folder = mkdtempSync(join(tmpdir(), 'mav-busy-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 's');
  const child = spawn(process.execPath, ['-e', BUSY_SERVER, path], { env: {} });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const crowd = await Promise.allSettled(
    Array.from({ length: 5 }, () => Connection.open(path, { ...options, patienceMs: 0 })),
  );
  const turnedAway = crowd.filter((one) => one.status === 'rejected').map(({ reason }) => reason.code);
  t.ok(turnedAway.length > 0 && turnedAway.every((code) => code === 'EAGAIN'), 'who does not want to wait');
  const late = await Connection.open(path, options);
  t.ok(late.isOpen);
  late.close();
  for (const one of crowd) if (one.status === 'fulfilled') one.value.close();
});

t.test('transport > requests at once > share one connection', async (t) => {
  const sockets = new Set<Socket>();
  const path = await listen(t, (socket) => {
    sockets.add(socket);
    socket.write(answer('{}'));
  });
  const transport = new SocketTransport(path);
  await Promise.all([transport.send(GET), transport.send(GET), transport.send(GET)]);
  await transport.send(GET);
  t.equal(sockets.size, 1);
  transport.close();
  await transport.send(GET);
  t.equal(sockets.size, 2);
  transport.close();
});
