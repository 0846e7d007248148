/** Clients of the daemon: many at once, slow ones, and those that leave in the middle. */
import t from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { RawConnection, sendRaw } from './fixtures/raw.ts';
import { HEALTH, isRefusal, VALUE, writeRequests } from './fixtures/raw-requests.ts';

const daemon = await startDaemon(t);
const { socket, admin } = daemon;
const { authorized: AUTHORIZED, put, withLength } = writeRequests(admin);
t.jobs = 8;

t.test('connections > 200 at once > every one is served', async (t) => {
  const connections = await Promise.all(Array.from({ length: 200 }, () => RawConnection.open(socket)));
  for (const [index, connection] of connections.entries()) {
    connection.write(
      index % 2 === 0 ? withLength(`many-${index}`, VALUE) : `GET /v1/secrets HTTP/1.1\r\n${AUTHORIZED}\r\n`,
    );
  }
  const answers = await Promise.all(connections.map((connection) => connection.waitFor(1)));
  t.same(
    answers.map(([answer]) => answer?.status),
    connections.map((_, index) => (index % 2 === 0 ? 201 : 200)),
  );
  for (const connection of connections) connection.close();
});

t.test('one bad call among many > stored at once > only the bad one fails', async (t) => {
  const bodies = Array.from({ length: 60 }, (_, index) => (index % 3 === 0 ? '{"value":7}' : VALUE));
  const statuses = await Promise.all(
    bodies.map(
      async (body, index) => (await daemon.ask('PUT', `/v1/secrets/batch-${index}`, { body })).status,
    ),
  );
  t.same(
    statuses,
    bodies.map((body) => (body === VALUE ? 201 : 400)),
  );
  const stored = (await daemon.ask('GET', '/v1/secrets')).json.filter(({ name }: { name: string }) =>
    name.startsWith('batch-'),
  );
  t.equal(stored.length, 40);
});

t.test('clients that leave > in the middle of an upload or an answer > the daemon stays well', async (t) => {
  const metadata = { note: 'n'.repeat(50_000) };
  for (let index = 0; index < 40; index++) {
    await daemon.ask('PUT', `/v1/secrets/large-${index}?env=large`, { body: { value: 'x', metadata } });
  }
  for (let round = 0; round < 20; round++) {
    const upload = await RawConnection.open(socket);
    upload.write(put('left', 'Content-Length: 1000000\r\n', '{"value":"'));
    const download = await RawConnection.open(socket);
    download.write(`GET /v1/secrets?env=large HTTP/1.1\r\n${AUTHORIZED}\r\n`.repeat(3));
    const unread = await RawConnection.open(socket);
    unread.write(withLength(`unread-${round}`, VALUE));
    if (round % 2 === 0) await new Promise((resolve) => download.socket.once('data', resolve));
    for (const connection of [upload, download, unread]) connection.close();
  }
  t.match(await daemon.ask('GET', '/v1/secrets/left'), { status: 404 }, 'half a body is nothing');
  const list = await daemon.ask('GET', '/v1/secrets?env=large');
  t.equal(list.json.length, 40);
  t.match(await daemon.ask('GET', '/v1/info'), { status: 200 });
});

t.test(
  'upload > answered before it has arrived, and then broken off > the connection is closed',
  async (t) => {
    const request = 'PUT /v1/secrets/broken-off HTTP/1.1\r\nContent-Length: 100\r\n\r\n{"value":';
    const connection = await RawConnection.open(socket);
    connection.write(request);
    t.match(await connection.waitFor(1), [{ status: 401 }]);
    const closed = new Promise((resolve) => connection.socket.once('close', resolve));
    connection.socket.end();
    await closed;
  },
);

t.test('slow client > headers or body do not arrive > 408 in time', async (t) => {
  const startedAt = performance.now();
  const elapsed = () => (performance.now() - startedAt) / 1000;
  const headers = async () => {
    const connection = await RawConnection.open(socket);
    connection.write(HEALTH);
    isRefusal(t, (await connection.waitForEnd())[0], 408, 'request_timeout', 'Request Timeout');
    t.ok(elapsed() > 4 && elapsed() < 9, 'headers: about 5 s');
  };
  const body = async () => {
    const connection = await RawConnection.open(socket);
    connection.write(put('slow', 'Content-Length: 100\r\n', '{"value":'));
    isRefusal(t, (await connection.waitForEnd())[0], 408, 'request_timeout', 'Request Timeout');
    t.ok(elapsed() > 14 && elapsed() < 20, 'body: about 15 s');
  };
  const silent = async () => {
    const connection = await RawConnection.open(socket);
    t.same(await connection.waitForEnd(), [], 'who said nothing is told nothing');
    t.ok(elapsed() > 4 && elapsed() < 9, 'nothing at all: about 5 s');
  };
  await Promise.all([headers(), body(), silent()]);
  t.match(await daemon.ask('GET', '/v1/secrets/slow'), { status: 404 });
});

t.test('CONNECT > the client is gone before its answer > the daemon lives', async (t) => {
  for (let round = 0; round < 300; round++) {
    const connection = await RawConnection.open(socket);
    connection.socket.end('CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    connection.socket.destroySoon();
  }
  t.equal((await sendRaw(socket, `${HEALTH}Host: a\r\n\r\n`))?.status, 200);
});
