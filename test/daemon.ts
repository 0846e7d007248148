/** Who serves a vault: one daemon at a time, and what ends it or does not. */
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import t from 'tap';
import { listenAt } from '../src/daemon/socket.ts';
import { ask } from './fixtures/ask.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { isAnswering, refuses } from './fixtures/daemon-places.ts';
import { leaveSocket } from './fixtures/dead-socket.ts';
import { RawConnection, waitUntil } from './fixtures/raw.ts';
import { createSandbox, fillVault, finished, mav, spawnMav } from './fixtures/vault.ts';

/** Signals, sockets and modes are POSIX. */
t.jobs = 3;

t.test('serve > the vault is served already > says who holds it, and harms nothing', async (t) => {
  const daemon = await startDaemon(t);
  const before = lstatSync(daemon.socket).ino;
  await refuses(
    t,
    daemon,
    new RegExp(`${daemon.home} is held by \`mav serve\`, process ${daemon.child.pid}, since `),
  );
  await refuses(t, daemon, /is held by/, ['--socket', join(daemon.folder, 'other.sock')]);
  t.equal(lstatSync(daemon.socket).ino, before, 'the socket is the same');
  t.notOk(existsSync(join(daemon.folder, 'other.sock')), 'no second socket');
  t.equal((await daemon.ask('GET', '/v1/secrets')).status, 200);
  const token = await mav(daemon, ['token', 'list']);
  t.equal(token.code, 0, 'the session token still works');
});

t.test('serve > killed, then started six times at once > exactly one takes the socket over', async (t) => {
  const killed = await startDaemon(t);
  await killed.stop('SIGKILL');
  t.ok(lstatSync(killed.socket).isSocket(), 'a stale socket lies there');
  const runs = Array.from({ length: 6 }, () =>
    spawnMav(killed, ['serve'], { stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  t.teardown(() => {
    for (const run of runs) run.kill('SIGTERM');
  });
  const ends = runs.map((run) => finished(run));
  const serving = () => runs.filter((run) => run.exitCode === null && run.signalCode === null);
  await waitUntil(() => serving().length === 1);
  const [winner] = serving();
  await waitUntil(() => isAnswering(killed.socket).catch(() => false));
  await ask(killed.socket, 'GET', '/v1/health', { headers: { 'X-Request-Id': 'which-one' } });
  t.equal((await killed.ask('GET', '/v1/info')).status, 200, 'it has the vault open');
  winner?.kill('SIGTERM');
  const results = await Promise.all(ends);
  const won = results[winner === undefined ? -1 : runs.indexOf(winner)];
  t.match(won?.stderr, /which-one/, 'the socket was the live one’s');
  t.equal(won?.code, 0);
  for (const lost of results.filter((result) => result !== won)) {
    t.equal(lost.code, 1);
    t.match(lost.stderr, /^mav: the vault in \S+ is held by [^\n]+\n$/);
  }
  t.notOk(existsSync(killed.socket), 'and it is gone with it');
});

t.test('serve > --socket is the live socket of another vault > refused, and left alone', async (t) => {
  const [first, second] = [await startDaemon(t), createSandbox(t)];
  await fillVault(second);
  const before = lstatSync(first.socket).ino;
  await refuses(t, second, new RegExp(`listening on ${first.socket}; choose another --socket`), [
    '--socket',
    first.socket,
  ]);
  t.equal(lstatSync(first.socket).ino, before);
  t.ok(await isAnswering(first.socket));
  t.notOk(existsSync(join(second.home, 'owner.json')), 'nothing is held');
  t.equal((await mav(second, ['token', 'list'])).code, 0, 'and nothing locked');
});

t.test('listenAt > two vaults want the same place at once > one has it, the other is told', async (t) => {
  const { folder } = createSandbox(t);
  const places: Record<string, (path: string) => Promise<void>> = {
    free: async () => {},
    dead: leaveSocket,
  };
  for (const [name, prepare] of Object.entries(places)) {
    const path = join(folder, name);
    await prepare(path);
    const servers = Array.from({ length: 4 }, (_, index) => createHttpServer((_, to) => to.end(`${index}`)));
    t.teardown(() => servers.map((server) => server.close()));
    const attempts = await Promise.allSettled(servers.map((server) => listenAt(server, path)));
    const winners = attempts.flatMap(({ status }, index) => (status === 'fulfilled' ? [`${index}`] : []));
    t.same(winners, [(await ask(path, 'GET', '/')).text], `${name}: one has it`);
    for (const attempt of attempts)
      if (attempt.status === 'rejected') t.match(attempt.reason, /another program is listening/);
  }
  t.same(readdirSync(folder).sort(), ['dead', 'free', 'home'], 'and nothing lies beside them');
});

/** A PUT whose body's last part is still to come. */
async function beginUpload(
  socket: string,
  token: string,
  name: string,
): Promise<{ connection: RawConnection; finish: () => void }> {
  const body = `{"value":"${'v'.repeat(5_000)}"}`;
  const connection = await RawConnection.open(socket);
  connection.write(
    `PUT /v1/secrets/${name} HTTP/1.1\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  connection.write(body.slice(0, 100));
  // Another connection's answer: by then the daemon has seen what was sent before.
  await ask(socket, 'GET', '/v1/health');
  await ask(socket, 'GET', '/v1/health');
  return { connection, finish: () => connection.write(body.slice(100)) };
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(
    `${signal} > a body is being uploaded > it is stored and answered, then nothing is left`,
    async (t) => {
      const daemon = await startDaemon(t);
      const idle = await RawConnection.open(daemon.socket);
      idle.write('GET /v1/health HTTP/1.1\r\n\r\n');
      await idle.waitFor(1);
      const upload = await beginUpload(daemon.socket, daemon.admin, 'late');
      const startedAt = performance.now();
      const ended = daemon.stop(signal);
      await waitUntil(() => !existsSync(daemon.socket));
      await idle.waitForEnd();
      t.notOk(existsSync(`${daemon.socket}.session`), 'the session token is gone');
      await t.rejects(ask(daemon.socket, 'GET', '/v1/health'), 'nobody finds it any more');
      upload.finish();
      t.match(await upload.connection.waitFor(1), [{ status: 201 }]);
      const { code, signal: endSignal } = await ended;
      t.match([code, endSignal], [0, null]);
      t.ok(performance.now() - startedAt < 4_000, 'it did not wait for its time to be up');
      t.same(
        readdirSync(daemon.home).sort(),
        ['audit', 'owner.lock', 'vault.db'],
        'and the database is whole by itself',
      );
      const again = await startDaemon(t, { sandbox: daemon, init: null });
      t.match(await again.ask('GET', '/v1/secrets/late'), { status: 200 });
    },
  );
}

t.test('SIGTERM > a request never ends > bounded, exit code 0', async (t) => {
  const daemon = await startDaemon(t);
  const { connection } = await beginUpload(daemon.socket, daemon.admin, 'never');
  const startedAt = performance.now();
  const { code } = await daemon.stop();
  t.equal(code, 0);
  t.ok(performance.now() - startedAt < 9_000);
  connection.close();
});

t.test('SIGTERM twice > a request is under way > ends at once', async (t) => {
  const daemon = await startDaemon(t);
  const { connection } = await beginUpload(daemon.socket, daemon.admin, 'never');
  const startedAt = performance.now();
  daemon.child.kill('SIGTERM');
  await waitUntil(() => !existsSync(daemon.socket));
  const { code } = await daemon.stop('SIGTERM');
  t.equal(code, 1);
  t.ok(performance.now() - startedAt < 3_000);
  t.notOk(existsSync(`${daemon.socket}.session`));
  connection.close();
});

t.test('SIGTERM > another socket lies at the path by now > it is left alone', async (t) => {
  const daemon = await startDaemon(t);
  const { rmSync } = await import('node:fs');
  rmSync(daemon.socket);
  const other = createServer().listen(daemon.socket);
  t.teardown(() => other.close());
  await waitUntil(() => existsSync(daemon.socket));
  t.equal((await daemon.stop()).code, 0);
  t.ok(lstatSync(daemon.socket).isSocket());
});

t.test('serve > standard error is closed > it goes on serving', async (t) => {
  const sandbox = createSandbox(t);
  await fillVault(sandbox);
  const child = spawnMav(sandbox, ['serve'], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  await new Promise((resolve) => child.stderr?.once('data', resolve));
  child.stdout?.destroy();
  child.stderr?.destroy();
  for (let count = 0; count < 20; count++) await ask(sandbox.socket, 'GET', '/v1/health');
  await sleep(50);
  t.ok(await isAnswering(sandbox.socket));
  const ended = finished(child);
  child.kill('SIGTERM');
  t.equal((await ended).code, 0);
});

t.test('serve > no vault > says how to make one, and leaves nothing behind', async (t) => {
  const sandbox = createSandbox(t);
  await refuses(t, sandbox, /there is no vault at \S+vault\.db; make one: mav init/);
  t.notOk(existsSync(sandbox.home));
});

t.test('serve > a short command has the vault just now > waits its turn', async (t) => {
  const sandbox = createSandbox(t);
  await fillVault(sandbox);
  const lock = new Database(join(sandbox.home, 'owner.lock'));
  lock.exec('BEGIN EXCLUSIVE');
  const release = setTimeout(() => lock.close(), 1_500);
  t.teardown(() => clearTimeout(release));
  const daemon = await startDaemon(t, { sandbox, init: null, token: false });
  t.notOk(lock.open, 'not before');
  const second = await mav(sandbox, ['serve']);
  t.match(second, { code: 1, stderr: /is held by `mav serve`/ }, 'another daemon is not waited for');
  t.equal((await daemon.stop()).code, 0);
});
