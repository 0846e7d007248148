/** A daemon that does not answer, and many commands at once without one. */
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect, createServer as createSocketServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { Connection } from '../src/client/connection.ts';
import { holdInProcess } from '../src/daemon/in-process.ts';
import { releaseOwnership, takeOwnership } from '../src/daemon/ownership.ts';
import { hasVault, locateHome } from '../src/places/home.ts';
import { findKnownVault } from '../src/places/known-vaults.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { createSandbox, mav, type Sandbox } from './fixtures/vault.ts';

/** Every command of these, and its exit code where the daemon is silent. */
const COMMANDS = [['get', 'x'], ['list'], ['set', 'x', '--value', 'v'], ['seal'], ['token', 'list']];

async function answersInAnyCase(t: Test, sandbox: Sandbox, says: RegExp): Promise<void> {
  const [status, doctor, ...others] = await Promise.all([
    mav(sandbox, ['status', '-o', 'json']),
    mav(sandbox, ['doctor', '-o', 'json']),
    ...COMMANDS.map((command) => mav(sandbox, command)),
  ]);
  t.match(JSON.parse(status.stdout), { daemon: 'not answering', state: 'not answering', reason: says });
  t.equal(status.code, 1);
  t.match(
    JSON.parse(doctor.stdout).checks.find(({ check }: { check: string }) => check === 'daemon'),
    { result: 'FAIL', detail: says },
  );
  t.same([status.stderr, doctor.stderr], ['', ''], 'and nothing of ours');
  for (const [at, { code, stderr }] of others.entries()) {
    t.equal(code, 1, `mav ${COMMANDS[at]?.join(' ')}`);
    t.match(stderr, says);
  }
}

t.test('a daemon that was stopped > every command ends, and says which process it is', async (t) => {
  const daemon = await startDaemon(t, { token: false });
  const pid = daemon.child.pid as number;
  await mav(daemon, ['set', 'x', '--value', 'v']);
  process.kill(pid, 'SIGSTOP');
  try {
    await answersInAnyCase(
      t,
      daemon,
      new RegExp(`the daemon, process ${pid}, does not answer; it is stopped.*kill -CONT ${pid}`),
    );
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  t.equal((await mav(daemon, ['get', 'x'])).stdout, 'v', 'it goes on');
});

t.test('something that accepts and says nothing > every command ends, and says so', async (t) => {
  const sandbox = createSandbox(t);
  mkdirSync(sandbox.home, { mode: 0o700 });
  const held: Socket[] = [];
  const server = createSocketServer((socket) => held.push(socket));
  server.listen(sandbox.socket);
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of held) socket.destroy();
    server.close();
  });
  await answersInAnyCase(t, sandbox, /whatever listens on .*maestrovault.sock does not answer/);
});

/** A daemon's place where `answer` is all that anybody hears; null: nothing, and the connection ends. */
async function answerAlways(t: Test, answer: string | null, isEnd: boolean): Promise<Sandbox> {
  const sandbox = createSandbox(t);
  mkdirSync(sandbox.home, { mode: 0o700 });
  const held = new Set<Socket>();
  const server = createSocketServer((socket) => {
    held.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => {
      if (answer !== null) socket.write(answer);
      if (isEnd) socket.end();
    });
  });
  server.listen(sandbox.socket);
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of held) socket.destroy();
    server.close();
  });
  return sandbox;
}

t.test('the beginning of an answer, and no more > every command ends, and says so', async (t) => {
  const sandbox = await answerAlways(t, 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"sta', false);
  await answersInAnyCase(t, sandbox, /whatever listens on .*maestrovault.sock does not answer/);
});

t.test('another program in the place of the daemon > every command says so', async (t) => {
  const html = 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>';
  await answersInAnyCase(t, await answerAlways(t, html, true), /sock is another program; end it/);
  await answersInAnyCase(t, await answerAlways(t, 'SSH-2.0-x\r\n', true), /the daemon closed the connection/);
});

t.test('a daemon that answers, but not what is asked > status and doctor end', async (t) => {
  const sandbox = createSandbox(t);
  mkdirSync(sandbox.home, { mode: 0o700 });
  writeFileSync(`${sandbox.socket}.session`, `mvs_${'0'.repeat(64)}`, { mode: 0o600 });
  const server = createServer(({ url }, response) => {
    if (url === '/v1/health') response.end('{"status":"ok"}');
  });
  server.listen(sandbox.socket);
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const [status, doctor] = await Promise.all([mav(sandbox, ['status']), mav(sandbox, ['doctor'])]);
  t.match([status.code, status.stdout], [1, /^daemon {5}not answering\n/]);
  t.match([doctor.code, doctor.stdout], [1, /^FAIL {2}daemon .* does not answer/m]);
});

t.test('a daemon on another socket, or on none any more > said, and not waited for in vain', async (t) => {
  const daemon = await startDaemon(t, { token: false });
  const elsewhere = { ...daemon, env: { ...daemon.env, MAV_SOCKET: `${daemon.folder}/other.sock` } };
  const says = new RegExp(`process ${daemon.child.pid}, listens on ${daemon.socket}; give --socket`);
  t.match(await mav(elsewhere, ['list']), { code: 1, stderr: says });
  t.match(JSON.parse((await mav(elsewhere, ['status', '-o', 'json'])).stdout), {
    state: 'in use',
    reason: says,
  });
  rmSync(daemon.socket);
  const { reason } = JSON.parse((await mav(daemon, ['status', '-o', 'json'])).stdout);
  t.match(
    reason,
    new RegExp(`Nobody listens on .*: end that daemon with kill ${daemon.child.pid}, then start`),
  );
});

t.test('more clients than the kernel keeps waiting > said, after a while', async (t) => {
  const daemon = await startDaemon(t, { token: false });
  const pid = daemon.child.pid as number;
  process.kill(pid, 'SIGSTOP');
  const crowd: Socket[] = [];
  try {
    for (let isFull = false; !isFull; ) {
      const socket = connect(daemon.socket);
      crowd.push(socket);
      isFull = await new Promise((resolve) => {
        socket.once('connect', () => resolve(false)).once('error', () => resolve(true));
      });
    }
    await t.rejects(Connection.open(daemon.socket, { patienceMs: 100 }), { code: 'EAGAIN' });
    t.match(await mav(daemon, ['list']), { code: 1, stderr: /the daemon, process [0-9]+, does not answer/ });
    t.match(JSON.parse((await mav(daemon, ['status', '-o', 'json'])).stdout), { state: 'not answering' });
  } finally {
    for (const socket of crowd) socket.destroy();
    process.kill(pid, 'SIGCONT');
  }
});

t.test('an answer that takes long > waited for as long as the daemon answers others', async (t) => {
  const sandbox = createSandbox(t);
  const path = `${sandbox.folder}/slow.sock`;
  const server: Server = createServer(async ({ url }, response) => {
    if (url === '/slow') await sleep(4_500);
    response.end('{}');
  });
  server.listen(path);
  await once(server, 'listening');
  t.teardown(() => server.close());
  const connection = await Connection.open(path);
  t.teardown(() => connection.close());
  const answer = await connection.send({ method: 'GET', target: '/slow', headers: {}, body: null });
  t.equal(answer.status, 200);
});

t.test('many commands at once, without a daemon > each waits for its turn', async (t) => {
  const sandbox = createSandbox(t);
  t.equal((await mav(sandbox, ['init', '--key-store', 'file'])).code, 0);
  t.equal((await mav(sandbox, ['set', 'x', '--value', 'v'])).code, 0);
  const all = await Promise.all(Array.from({ length: 12 }, () => mav(sandbox, ['get', 'x'])));
  t.same(
    all.map(({ code, stdout, stderr }) => [code, stdout, stderr]),
    all.map(() => [0, 'v', '']),
  );
});

t.test('files that another command takes away meanwhile > are no reason to refuse the place', async (t) => {
  const sandbox = createSandbox(t);
  t.equal((await mav(sandbox, ['init', '--key-store', 'file'])).code, 0);
  const home = locateHome(sandbox.env, null);
  const other = new Worker(
    `const { writeFileSync, rmSync } = require('node:fs');
     const { workerData: path } = require('node:worker_threads');
     for (;;) { writeFileSync(path, '', { mode: 0o600 }); rmSync(path); }`,
    { eval: true, workerData: home.ownerPath },
  );
  try {
    await once(other, 'online');
    for (let times = 0; times < 2_000; times++) hasVault(home);
    t.pass('never');
  } finally {
    await other.terminate();
  }
});

t.test(
  'another command has the vault > status says so soon, and the rest what to do in the end',
  async (t) => {
    const sandbox = createSandbox(t);
    t.equal((await mav(sandbox, ['init', '--key-store', 'file'])).code, 0);
    const home = locateHome(sandbox.env, null);
    takeOwnership(home, 'import');
    t.teardown(() => releaseOwnership(home));
    const status = await mav(sandbox, ['status', '-o', 'json']);
    const held = `held by \`mav import\`, process ${process.pid}, since .*; this one waited 2 s for its turn`;
    t.match(JSON.parse(status.stdout), { daemon: 'not running', state: 'in use', reason: new RegExp(held) });
    t.equal(status.code, 1);
    const options = {
      databasePath: home.databasePath,
      known: findKnownVault(home),
      knownVaultsPath: home.knownVaultsPath,
      passphraseFile: null,
      credentialsDirectory: null,
      keychainTimeoutMs: 1_000,
      mayBeTraced: false,
      readers: 0,
    };
    await t.rejects(
      holdInProcess(home, 'get', options, () => {}, 100),
      {
        message: /For many commands at once run: mav serve$/,
      },
    );
  },
);
