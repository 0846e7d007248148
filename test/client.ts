/** The client library: its methods against the route table and a real daemon, and its own HTTP against odd servers. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { Client } from '../src/client/client.ts';
import { Connection, type Outgoing } from '../src/client/connection.ts';
import { ConnectionError, connect, MaestroVaultError } from '../src/client/index.ts';
import { SocketTransport } from '../src/client/socket-transport.ts';
import { matchRoute } from '../src/http/router.ts';
import { routes } from '../src/routes.ts';
import { startDaemon } from './fixtures/vault.ts';

const root = dirname(import.meta.dirname);
t.setTimeout(300_000);

/** Every method once, with names that need encoding. */
const NAME = 'a/b c:field?&#%ü';
const place = { environment: 'prod/eu' };
const calls: Readonly<Record<string, (client: Client) => Promise<unknown>>> = {
  health: (client) => client.health(),
  openapi: (client) => client.openapi(),
  'secrets.list': (client) =>
    client.listSecrets({ ...place, metadataKey: 'k', metadataValue: 'v', limit: 3 }),
  'secrets.search': (client) => client.search('q&a', { limit: 3 }),
  'secrets.get': (client) => client.getSecret(NAME, place),
  'secrets.batchGet': (client) =>
    client.batchGet([
      { name: NAME, ...place },
      { name: NAME, field: 'f/g' },
    ]),
  'values.get': (client) => client.getValue(NAME, place),
  'secrets.put': (client) => client.putSecret(NAME, { value: 'v' }, place),
  'values.put': (client) => client.putValue(NAME, 'v', place),
  'secrets.patch': (client) => client.patchSecret(NAME, { value: 'v' }, place),
  'secrets.delete': (client) => client.deleteSecret(NAME, place),
  'secrets.accept': (client) => client.acceptSecret(NAME, place),
  'secrets.rename': (client) => client.renameSecret(NAME, { name: 'b' }, place),
  'secrets.export': (client) => client.exportSecrets(place),
  'secrets.import': (client) => client.importSecrets([{ name: NAME, value: 'v' }], { dryRun: true }),
  'fields.list': (client) => client.listFields(NAME, place),
  'fields.putMany': (client) => client.putFields(NAME, { f: 'v' }, place),
  'fields.get': (client) => client.getFieldEntry(NAME, 'f/g', place),
  'fields.put': (client) => client.putFieldEntry(NAME, 'f/g', 'v', place),
  'fieldValues.get': (client) => client.getField(NAME, 'f/g', place),
  'fieldValues.put': (client) => client.putField(NAME, 'f/g', 'v', place),
  'fields.delete': (client) => client.deleteField(NAME, 'f/g', place),
  'passwords.generate': (client) => client.generate({ length: 8 }),
  'vault.info': (client) => client.info(),
  'tokens.list': (client) => client.listTokens(),
  'tokens.create': (client) => client.createToken({ name: 'n', scopes: ['read'] }),
  'tokens.revoke': (client) => client.revokeToken('0123456789abcdef'),
  'vault.status': (client) => client.status(),
  'vault.unseal': (client) => client.unseal(),
  'vault.seal': (client) => client.seal(),
  'keys.rotate': (client) => client.rotateKek(),
  'vault.check': (client) => client.check(),
  'vault.destroy': (client) => client.destroy(),
};

t.test(
  'client > compared with the route table > a method for every endpoint, and its names arrive',
  async (t) => {
    t.same(Object.keys(calls).sort(), routes.map(({ operation }) => operation).sort());
    for (const [operation, call] of Object.entries(calls)) {
      const sent: Outgoing[] = [];
      const client = new Client(async (outgoing) => {
        sent.push(outgoing);
        return { status: 200, headers: {}, body: Buffer.from('{}') };
      }, null);
      await call(client);
      t.equal(sent.length, 1, operation);
      const { method, target } = sent[0]!;
      const { route, params } = matchRoute(method, target);
      t.equal(route.operation, operation, operation);
      if (route.path.includes(':name'))
        t.same([params.name, params.env], [NAME, place.environment], operation);
      if (route.path.includes(':field')) t.equal(params.field, 'f/g', operation);
    }
  },
);

t.test('client > a real daemon > what was stored comes back, and errors say status and code', async (t) => {
  const daemon = await startDaemon(t);
  const client = connect({ socketPath: daemon.socket, token: daemon.admin });
  t.teardown(() => client.close());
  await client.putSecret('db', { value: 'v', metadata: { owner: 'me' } }, place);
  const binary = Buffer.from([0, 255, 10]);
  await client.putField('db', 'cert', binary, place);
  const secret = await client.getSecret('db', place);
  t.match(secret, {
    name: 'db',
    environment: 'prod/eu',
    value: 'v',
    metadata: { owner: 'me' },
    field_count: 1,
  });
  t.same(secret.fields, { cert: { value: binary.toString('base64'), encoding: 'base64' } });
  t.same(Buffer.from(await client.getField('db', 'cert', place)), binary);
  await client.patchSecret('db', { value: binary }, { ...place, ifMatch: secret.etag });
  t.same(Buffer.from(await client.getValue('db', place)), binary);
  await t.rejects(client.patchSecret('db', { value: 'x' }, { ...place, ifMatch: secret.etag }), {
    name: 'MaestroVaultError',
    status: 412,
    code: 'precondition_failed',
  });
  t.match(
    await client.batchGet([
      { name: 'db', ...place },
      { name: 'db', field: 'cert', ...place },
      { name: 'db' },
    ]),
    [
      { value: binary.toString('base64'), encoding: 'base64', metadata: { owner: 'me' } },
      { environment: 'prod/eu', field: 'cert', value: binary.toString('base64'), encoding: 'base64' },
      { name: 'db', environment: '', code: 'not_found' },
    ],
  );
  await t.rejects(client.batchGet([]), { status: 400, code: 'bad_request' });
  await t.rejects(client.getSecret('db'), { status: 404, code: 'not_found' });
  const stranger = connect({ socketPath: daemon.socket, token: `mvt_${'0'.repeat(64)}` });
  t.teardown(() => stranger.close());
  await t.rejects(stranger.info(), { status: 401, code: 'unauthorized' });
  t.ok((await stranger.health()).time, 'and the connection goes on');
  const error = await client.getSecret('nope').catch((thrown: unknown) => thrown);
  t.ok(error instanceof MaestroVaultError);
});

t.test('client > pages > lead from one to the next', async (t) => {
  const daemon = await startDaemon(t);
  const client = connect({ socketPath: daemon.socket, token: daemon.admin });
  t.teardown(() => client.close());
  await Promise.all(Array.from({ length: 25 }, (_, index) => client.putValue(`n & ${index}`, 'v')));
  const names: string[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await client.listSecrets({ limit: 10, cursor: cursor ?? undefined });
    names.push(...page.items.map(({ name }) => name));
    cursor = page.cursor;
  } while (cursor !== null);
  t.equal(new Set(names).size, 25);
});

t.test('client > the daemon was restarted > the next request finds the new one', async (t) => {
  const first = await startDaemon(t);
  const client = connect({ socketPath: first.socket, token: first.admin });
  t.teardown(() => client.close());
  await client.putValue('a', 'v');
  await first.stop();
  await t.rejects(client.getValue('a'), { code: 'ENOENT' });
  const second = await startDaemon(t, { sandbox: first, init: null, token: false });
  t.equal(Buffer.from(await client.getValue('a')).toString(), 'v');
  await second.stop();
});

t.test('connect > no token > a TypeError that says so', async (t) => {
  t.throws(() => connect({ token: '', socketPath: '/tmp/x' }), TypeError);
});

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

t.test('connection > more want one at once than the listener queues > all get one', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mav-client-'));
  const path = join(folder, 's');
  const server = createServer((socket) => socket.on('error', () => {}));
  await new Promise<void>((resolve) => server.listen({ path, backlog: 1 }, resolve));
  t.teardown(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  // Before anybody accepts one.
  const connections = await Promise.all(Array.from({ length: 20 }, () => Connection.open(path)));
  t.equal(connections.filter(({ isOpen }) => isOpen).length, 20);
  for (const connection of connections) connection.close();
});

t.test('connection > an answer in single bytes > is put together', async (t) => {
  const path = await listen(t, async (socket) => {
    for (const byte of Buffer.from(answer('grüße'))) {
      socket.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
  });
  const connection = await Connection.open(path);
  const { status, headers, body } = await connection.send(GET);
  t.same([status, headers['x-a'], Buffer.from(body).toString()], [200, 'b: c', 'grüße']);
  connection.close();
});

t.test(
  'connection > requests at once > answers in one piece, interim ones and empty ones > each finds its request',
  async (t) => {
    let count = 0;
    const path = await listen(t, (socket) => {
      count += 1;
      if (count === 3)
        socket.write(
          `${answer('1')}HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\ncontent-length: 0\r\n\r\n${answer('3')}`,
        );
    });
    const connection = await Connection.open(path);
    const all = await Promise.all([connection.send(GET), connection.send(GET), connection.send(GET)]);
    t.same(
      all.map(({ status, body }) => `${status} ${Buffer.from(body)}`),
      ['200 1', '204 ', '200 3'],
    );
    connection.close();
  },
);

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

t.test('connection > an answer in chunks, cut at every byte > is put together', async (t) => {
  const text = `${CHUNKED}5\r\n[1,\r\n\r\n00B ; x="y"\r\n grüße 23\r\n1;ext\r\n]\r\n0\r\nX-T: a\r\nX-U: b\r\n\r\n`;
  const bytes = Buffer.from(text);
  let cut = 0;
  const path = await listen(t, (socket) => {
    socket.write(bytes.subarray(0, cut));
    setImmediate(() => setImmediate(() => socket.write(bytes.subarray(cut))));
  });
  for (cut = 1; cut < bytes.length; cut++) {
    const connection = await Connection.open(path);
    const { body, headers } = await connection.send(GET);
    t.equal(Buffer.from(body).toString(), '[1,\r\n grüße 23]', `cut at ${cut}`);
    t.equal(headers['x-t'], undefined, 'trailers are passed over');
    connection.close();
  }
});

t.test(
  'connection > chunks in single bytes, and an answer behind them > each finds its request',
  async (t) => {
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
    const connection = await Connection.open(path);
    const all = await Promise.all([connection.send(GET), connection.send(GET), connection.send(GET)]);
    t.same(
      all.map(({ body }) => Buffer.from(body).toString()),
      ['abc', '', 'last'],
    );
    connection.close();
  },
);

t.test('connection > many megabytes in chunks > whole, and not copied again for each', async (t) => {
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
  const connection = await Connection.open(path);
  const { body } = await connection.send(GET);
  t.equal(body.length, 65_536_000);
  t.ok(body.every((byte) => byte === 0x78));
  connection.close();
});

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
  t.test(`connection > ${what} > ConnectionError, for every request that waits`, async (t) => {
    const path = await listen(t, (socket) => socket.end(text));
    const connection = await Connection.open(path);
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
  t.test(`connection > chunks with ${what} > ConnectionError at once, for every request`, async (t) => {
    // The server neither ends nor goes on.
    const path = await listen(t, (socket) => socket.write(CHUNKED + text));
    const connection = await Connection.open(path);
    const sent = await Promise.allSettled([connection.send(GET), connection.send(GET)]);
    for (const one of sent)
      t.ok(one.status === 'rejected' && one.reason instanceof ConnectionError, JSON.stringify(one));
    t.notOk(connection.isOpen);
  });
}

t.test('connection > a line break in a header or target > is not sent', async (t) => {
  const path = await listen(t, (socket) => socket.write(answer('{}')));
  const connection = await Connection.open(path);
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

t.test('connection > more clients wait than the kernel keeps > it waits with them', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mav-busy-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 's');
  const child = spawn(process.execPath, ['-e', BUSY_SERVER, path], { env: {} });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const crowd = await Promise.allSettled(
    Array.from({ length: 5 }, () => Connection.open(path, { patienceMs: 0 })),
  );
  const turnedAway = crowd.filter((one) => one.status === 'rejected').map(({ reason }) => reason.code);
  t.ok(turnedAway.length > 0 && turnedAway.every((code) => code === 'EAGAIN'), 'who does not want to wait');
  const late = await Connection.open(path);
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

/** A folder in which the package is installed. */
function installPackage(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'mav-consumer-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules/maestrovault'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  return folder;
}

t.test('maestrovault/client > from another program, with a token > works, and lets it end', async (t) => {
  const daemon = await startDaemon(t);
  const folder = installPackage(t);
  writeFileSync(
    join(folder, 'program.js'),
    `import { connect } from 'maestrovault/client';
     const vault = connect();
     await vault.putSecret('k', { value: 'stored by a program' });
     process.stdout.write((await vault.getSecret('k')).value);`,
  );
  const { token } = await daemon.createToken(['read', 'write']);
  const stdout = execFileSync(process.execPath, ['program.js'], {
    cwd: folder,
    env: { ...daemon.env, MAV_TOKEN: token },
    encoding: 'utf8',
    timeout: 20_000,
  });
  t.equal(stdout, 'stored by a program');
});

t.test('maestrovault/client > its types > check in a strict program that uses them', async (t) => {
  const folder = installPackage(t);
  writeFileSync(
    join(folder, 'program.ts'),
    `import { connect, MaestroVaultError, type Secret, type VaultClient } from 'maestrovault/client';
     const vault: VaultClient = connect({ token: 't' });
     export const secret: Secret = await vault.getSecret('a', { environment: 'b' });
     try { await vault.deleteSecret('a'); } catch (error) {
       if (error instanceof MaestroVaultError && error.code === 'not_found') console.log(error.status + 1);
     }
     // @ts-expect-error a number is no name
     await vault.getSecret(1);`,
  );
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
  const typeRoots = ['--typeRoots', join(root, 'node_modules/@types')];
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  try {
    // tap puts its own loader into the NODE_OPTIONS of every child; the compiler does not start with it.
    const command = ['-u', 'NODE_OPTIONS', process.execPath, tsc, ...options, ...typeRoots, 'program.ts'];
    execFileSync('env', command, { cwd: folder, encoding: 'utf8' });
    t.pass('no error');
  } catch (error) {
    const { stdout, stderr, message } = error as { stdout: string; stderr: string; message: string };
    t.fail(stdout || stderr || message);
  }
});
