/** A daemon whose program is removed or replaced while it runs, as by an upgrade. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { ask } from './fixtures/ask.ts';
import { waitUntil } from './fixtures/raw.ts';
import { createSandbox, fillVault, finished, mav, type Sandbox } from './fixtures/vault.ts';

const root = dirname(import.meta.dirname);
const KILLER = join(import.meta.dirname, 'fixtures', 'thread-killer.mjs');
const WITHOUT_LAUNCHER = '--import=data:text/javascript,delete process.execve';

/** The program, in a folder of its own: its files, and its dependencies by links that go with them. */
function installProgram({ folder }: Sandbox): string {
  const program = join(folder, 'program');
  mkdirSync(program);
  cpSync(join(root, 'dist'), join(program, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(program, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(program, 'node_modules'));
  return program;
}

interface Served {
  readonly sandbox: Sandbox;
  readonly program: string;
  ask(method: string, target: string, body?: unknown): Promise<{ status: number; text: string }>;
  killThreads(kind: 'reader' | 'writer'): Promise<void>;
}

async function serveProgram(t: Test): Promise<Served> {
  const plain = createSandbox(t);
  const killer = join(plain.folder, 'killer');
  const sandbox = { ...plain, env: { ...plain.env, MAV_KILLER: killer } };
  await fillVault(sandbox);
  const program = installProgram(sandbox);
  const node = [WITHOUT_LAUNCHER, '--import', KILLER, join(program, 'dist', 'src', 'bin.js')];
  const child = spawn(process.execPath, [...node, 'serve'], { env: sandbox.env, cwd: sandbox.folder });
  const ended = finished(child);
  t.teardown(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  let log = '';
  child.stderr.on('data', (text) => (log += text));
  await waitUntil(() => log.includes('"event":"listening"'));
  const token = readFileSync(`${sandbox.socket}.session`, 'utf8');
  return {
    sandbox,
    program,
    ask: (method, target, body) => ask(sandbox.socket, method, target, { token, body }),
    killThreads: async (kind) => {
      const { connect } = await import('node:net');
      await new Promise((resolve) =>
        connect(killer)
          .on('data', () => {})
          .on('close', resolve)
          .end(JSON.stringify({ way: 'terminate', kind })),
      );
    },
  };
}

const ROUTES = [
  ['PUT', '/v1/secrets/a', { value: 'x' }],
  ['GET', '/v1/secrets/a'],
  ['PATCH', '/v1/secrets/a', { value: 'y' }],
  ['PUT', '/v1/secrets/a/fields/f', { value: 'z' }],
  ['GET', '/v1/secrets/a/fields'],
  ['GET', '/v1/secrets/a/value'],
  ['GET', '/v1/secrets'],
  ['GET', '/v1/search?q=a'],
  ['POST', '/v1/secrets/batch-get', { refs: [{ name: 'a' }] }],
  ['POST', '/v1/generate', { words: 4 }],
  ['POST', '/v1/generate'],
  ['GET', '/v1/export'],
  ['POST', '/v1/import', { secrets: [{ name: 'b', value: 'v' }] }],
  ['GET', '/v1/info'],
  ['GET', '/v1/openapi.json'],
  ['POST', '/v1/tokens', { name: 'n', scopes: ['read'] }],
  ['GET', '/v1/tokens'],
  ['POST', '/v1/secrets/a/rename', { name: 'c' }],
  ['DELETE', '/v1/secrets/c'],
] as const;

t.test('serve > its program is removed > every route works, and status says so', async (t) => {
  const { sandbox, program, ask } = await serveProgram(t);
  rmSync(program, { recursive: true });
  for (const [method, target, body] of ROUTES) {
    const { status, text } = await ask(method, target, body);
    t.ok(status < 300, `${method} ${target}: ${status} ${status < 300 ? '' : text}`);
  }
  t.equal((await mav(sandbox, ['key', 'rotate'])).code, 0);
  t.equal((await mav(sandbox, ['seal'])).code, 0);
  t.equal((await mav(sandbox, ['unseal'])).code, 0);
  t.equal((await ask('GET', '/v1/secrets/b')).status, 200);
  const status = await mav(sandbox, ['status', '-o', 'table']);
  t.match(status, { code: 0, stdout: /^program +was replaced .*restart mav serve$/m });
  t.equal(JSON.parse((await mav(sandbox, ['status', '-o', 'json'])).stdout).replaced, true);
});

t.test('serve > its program is replaced, and threads die > says to restart it', async (t) => {
  const { program, ask, killThreads } = await serveProgram(t);
  await ask('PUT', '/v1/secrets/a', { value: 'x' });
  for (const name of ['reader', 'writer'])
    writeFileSync(join(program, 'dist', 'workers', `${name}.js`), 'throw new Error();');
  await killThreads('writer');
  await waitUntil(async () => (await ask('PUT', '/v1/secrets/b', { value: 'x' })).status === 500);
  t.equal((await ask('GET', '/v1/secrets/a')).status, 200, 'what needs no writer works');
  const write = await ask('PUT', '/v1/secrets/b', { value: 'x' });
  t.match(write.text, /the program was replaced .*restart mav serve/);
  // Each in its turn: a request that was on a dying thread gets another error.
  await waitUntil(async () => {
    await killThreads('reader');
    const { text } = await ask('GET', '/v1/secrets/a');
    return /the program was replaced .*restart mav serve/.test(text);
  });
  t.ok(existsSync(program));
});
