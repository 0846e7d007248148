/** The connection of a short command: what it does without node:net, when it takes node:net after all, and how it ends. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Connection, type Outgoing } from '../src/client/connection.ts';
import { ConnectionError } from '../src/client/connection-error.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { BIN, createSandbox, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(300_000);

/** node:ffi came with Node 26.1. */
const hasFfi = process.allowedNodeEnvironmentFlags.has('--allow-ffi');
const skip = process.platform === 'linux' && hasFfi ? false : 'no node:ffi here';
const GET: Outgoing = { method: 'GET', target: '/', headers: {}, body: null };

async function serve(t: Test, listener: RequestListener): Promise<string> {
  const path = join(createSandbox(t).folder, 's');
  const server = createServer(listener).listen(path);
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return path;
}

/** Prints to standard error, at the program's end, which of Node's own modules it loaded. */
const LIST_MODULES = `data:text/javascript,${encodeURIComponent(`
  process.on('exit', () => process.getBuiltinModule('node:fs').writeSync(2, process.moduleLoadList.join('\\n')));`)}`;
const WITHOUT_FFI = `data:text/javascript,${encodeURIComponent(`
  const { getBuiltinModule } = process;
  process.getBuiltinModule = (name) => (name === 'node:ffi' ? undefined : getBuiltinModule(name));`)}`;

function runMav({ env }: Sandbox, node: readonly string[], ...args: string[]) {
  const imports = [...node, LIST_MODULES].flatMap((module) => ['--import', module]);
  const { stdout, stderr } = spawnSync(process.execPath, [...imports, BIN, ...args], {
    env,
    encoding: 'utf8',
  });
  const modules = stderr.split('\n');
  return {
    stdout,
    hasNet: modules.includes('NativeModule net'),
    hasFfi: modules.includes('NativeModule ffi'),
  };
}

t.test(
  'a short command > asks the daemon > without node:net, and with it where node:ffi is not',
  async (t) => {
    const daemon = await startDaemon(t);
    runMav(daemon, [], 'set', 'a', '--value', 'v');
    for (const [args, stdout] of [
      [['get', 'a'], 'v'],
      [['search', 'a', '-o', 'names'], 'a\n'],
      [['list', '-o', 'names'], 'a\n'],
      [['set', 'a', '--value', 'v'], ''],
    ] as const) {
      t.match(runMav(daemon, [], ...args), { stdout, hasNet: skip !== false, hasFfi: skip === false });
      t.match(runMav(daemon, [WITHOUT_FFI], ...args), { stdout, hasNet: true, hasFfi: false });
    }
  },
);

t.test('a body that no socket holds > reaches the daemon, by node:net > also with one thread', async (t) => {
  const daemon = await startDaemon(t);
  const file = join(daemon.folder, 'large');
  writeFileSync(file, Buffer.alloc(900_000, 'x'));
  const env = { ...daemon.env, UV_THREADPOOL_SIZE: '1' };
  t.match(runMav({ ...daemon, env }, [], 'set', 'large', '--from-file', file), { hasNet: true });
  t.equal(runMav({ ...daemon, env }, [], 'get', 'large').stdout.length, 900_000);
});

t.test('brief connection > a request while another waits > each has its answer', { skip }, async (t) => {
  const path = await serve(t, async ({ url }, response) => {
    if (url === '/slow') await sleep(300);
    response.end(url);
  });
  const connection = await Connection.open(path, { isBrief: true });
  const slow = connection.send({ ...GET, target: '/slow' });
  await sleep(50);
  const all = await Promise.all([slow, connection.send(GET), connection.send({ ...GET, target: '/b' })]);
  t.same(
    all.map(({ body }) => Buffer.from(body).toString()),
    ['/slow', '/', '/b'],
  );
  t.equal(Buffer.from((await connection.send(GET)).body).toString(), '/');
  connection.close();
});

t.test(
  'brief connection > the daemon hangs up between two requests > ConnectionError',
  { skip },
  async (t) => {
    const path = await serve(t, (_request, response) => response.end('x').socket?.end());
    const connection = await Connection.open(path, { isBrief: true });
    t.equal((await connection.send(GET)).status, 200);
    await t.rejects(connection.send(GET), ConnectionError);
    t.notOk(connection.isOpen);
  },
);

t.test('brief connection > closed while an answer is awaited > ConnectionError', { skip }, async (t) => {
  const path = await serve(t, () => {});
  const connection = await Connection.open(path, { isBrief: true });
  const sent = connection.send(GET);
  setTimeout(() => connection.close(), 50);
  await t.rejects(sent, ConnectionError);
});

/** Opens a connection to argv[1], sends a request, and ends as argv[2] says. */
const ASK = `
  const { Connection } = await import(${JSON.stringify(new URL('../src/client/connection.ts', import.meta.url).href)});
  const connection = await Connection.open(process.argv[1], { isBrief: true });
  connection.send({ method: 'GET', target: '/', headers: {}, body: null }).catch(({ name }) => console.log(name));
  if (process.argv[2] === 'exit') setTimeout(() => process.exit(7), 100);`;

t.test('brief connection > the process exits while an answer is awaited > at once', { skip }, async (t) => {
  const path = await serve(t, () => {});
  const child = spawn(process.execPath, ['-e', ASK, path, 'exit'], { env: {}, timeout: 60_000 });
  const [[code, signal]] = await Promise.all([once(child, 'exit'), text(child.stdout)]);
  t.same([code, signal], [7, null]);
});

t.test('brief connection > an answer is awaited > the process waits for it', { skip }, async (t) => {
  const path = await serve(t, (_request, response) => setTimeout(() => response.destroy(), 500));
  const child = spawn(process.execPath, ['-e', ASK, path], { env: {} });
  const [[code], said] = await Promise.all([once(child, 'exit'), text(child.stdout)]);
  t.same([code, said], [0, 'ConnectionError\n']);
});
