/** How the daemon ends: whatever is the matter with its terminal, its log, its disk or a thread. */
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { LogWriter } from '../src/log/log-writer.ts';
import { ask } from './fixtures/ask.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { waitUntil } from './fixtures/raw.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { createSandbox, fillVault, finished, MAV, mav, type Sandbox, spawnMav } from './fixtures/vault.ts';

const { O_NONBLOCK, O_RDWR } = constants;
const STUCK = new URL('fixtures/stuck-thread.mjs', import.meta.url).href;

async function createVault(t: Test): Promise<Sandbox> {
  const sandbox = createSandbox(t);
  await fillVault(sandbox);
  return sandbox;
}

function isListening(sandbox: Sandbox): Promise<boolean> {
  return ask(sandbox.socket, 'GET', '/v1/health').then(
    () => true,
    () => false,
  );
}

/** Nothing of a daemon is left, and the vault can be opened by somebody else. */
async function checkGone(t: Test, sandbox: Sandbox): Promise<void> {
  t.same(
    readdirSync(sandbox.home).sort(),
    ['audit', 'owner.lock', 'vault.db'],
    'neither socket nor token is left',
  );
  t.equal((await mav(sandbox, ['list'])).code, 0, 'the lock is free');
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

t.test('serve > its terminal goes away > it ends, and leaves nothing behind', async (t) => {
  const sandbox = await createVault(t);
  const terminal = mavOnTerminal(t, sandbox, ['serve']);
  await terminal.see('Then try:');
  const { pid } = JSON.parse(readFileSync(join(sandbox.home, 'owner.json'), 'utf8'));
  await terminal.hangUp();
  await waitUntil(() => !isRunning(pid));
  await checkGone(t, sandbox);
});

t.test('serve > SIGHUP comes twice > it ends in order all the same', async (t) => {
  const daemon = await startDaemon(t, { token: false });
  daemon.child.kill('SIGHUP');
  const { code } = await daemon.stop('SIGHUP');
  t.equal(code, 0);
  await checkGone(t, daemon);
});

t.test('serve > no log can be written > it serves, and ends when told', async (t) => {
  for (const what of ['a full disk', 'a pipe that nobody reads']) {
    const sandbox = await createVault(t);
    const full = openSync('/dev/full', 'w');
    const stderr = what === 'a full disk' ? full : 'pipe';
    const child = spawnMav(sandbox, ['serve', '--log-format', 'json'], {
      stdio: ['ignore', 'ignore', stderr],
    });
    t.teardown(() => child.kill('SIGKILL'));
    closeSync(full);
    child.stderr?.pause();
    await waitUntil(() => isListening(sandbox));
    // More than a pipe holds.
    for (let count = 0; count < 600; count++) await ask(sandbox.socket, 'GET', '/v1/health');
    t.ok(await isListening(sandbox), `${what}: it answers`);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    t.equal(await ended, 0, what);
    await checkGone(t, sandbox);
  }
});

t.test('serve > threads are stuck > it ends within its grace', async (t) => {
  const stuck = async (kind: 'workers' | 'request') => {
    const sandbox = createSandbox(t);
    const order = join(sandbox.folder, 'order');
    const fifo = join(sandbox.folder, 'fifo');
    spawnSync('mkfifo', [fifo]);
    const stuckSandbox = { ...sandbox, env: { ...sandbox.env, MAV_STUCK: order } };
    const daemon = await startDaemon(t, { sandbox: stuckSandbox, node: ['--import', STUCK], token: false });
    const exited = new Promise((resolve) =>
      daemon.child.once('exit', (code, signal) => resolve(signal ?? code)),
    );
    // Under its name only when it is whole: the threads look for it every 20 ms.
    writeFileSync(`${order}.draft`, `${kind} ${fifo}`);
    renameSync(`${order}.draft`, order);
    await waitUntil(() => existsSync(`${order}.stuck`));
    return { sandbox, daemon, exited };
  };
  await t.test('worker threads in a system call that does not end', async (t) => {
    const { sandbox, daemon, exited } = await stuck('workers');
    daemon.child.kill('SIGTERM');
    t.ok([1, 'SIGKILL'].includes((await exited) as never), 'it says that not all ended well');
    t.notOk(existsSync(sandbox.socket), 'the socket is gone');
    t.equal((await mav(sandbox, ['list'])).code, 0, 'the lock is free');
  });
  await t.test('worker threads, and the vault is sealed', async (t) => {
    const { sandbox, exited } = await stuck('workers');
    const beganAtMs = performance.now();
    const sealed = await mav(sandbox, ['seal']);
    t.equal(sealed.code, 1);
    t.match(sealed.stderr, /a thread is stuck .*; mav serve ends itself now, and they are gone with it/);
    t.equal(await exited, 0, 'no service manager starts it again');
    t.ok(performance.now() - beganAtMs < 60_000, 'nothing waits for the thread');
    t.notOk(existsSync(sandbox.socket), 'the socket is gone');
    t.equal((await mav(sandbox, ['list'])).code, 0, 'the lock is free');
  });
  await t.test('the request thread', async (t) => {
    const { sandbox, daemon, exited } = await stuck('request');
    daemon.child.kill('SIGTERM');
    t.equal(await exited, 'SIGKILL');
    t.equal((await mav(sandbox, ['list'])).code, 0, 'the lock is free');
  });
});

/** What lies in the pipe. */
function readAvailable(descriptor: number): string {
  const piece = Buffer.alloc(65_536);
  try {
    return piece.toString('latin1', 0, readSync(descriptor, piece));
  } catch {
    return '';
  }
}

t.test('log > lines that could not be written > are counted, and told of later', async (t) => {
  const { folder } = createSandbox(t);
  const path = join(folder, 'fifo');
  spawnSync('mkfifo', [path]);
  const [fifo, reader] = [openSync(path, 'r+'), openSync(path, O_RDWR | O_NONBLOCK)];
  t.teardown(() => [fifo, reader].map(closeSync));
  const writer = new LogWriter(fifo, (lost) => `lost ${lost}\n`);
  const line = `${'x'.repeat(1_023)}\n`;
  for (let count = 0; count < 4_096; count++) writer.write(line);
  t.notOk(await writer.end(50), 'nobody reads: it does not wait for ever');
  const ended = writer.end(20_000);
  let isOver = false;
  void ended.then(() => (isOver = true));
  let text = '';
  while (!isOver) {
    text += readAvailable(reader);
    await sleep(1);
  }
  text += readAvailable(reader);
  t.ok(await ended, 'once somebody reads, it ends');
  const lines = text.split('\n').slice(0, -1);
  const told = lines.filter((each) => each.startsWith('lost '));
  t.equal(told.length, 1, 'told once');
  t.equal(lines.length - 1 + Number(told[0]?.slice(5)), 4_096, 'every line is there, or counted');
  t.ok(
    lines.every((each) => each.length === 1_023 || each === told[0]),
    'whole lines',
  );
});

t.test('log > nothing can be written > it ends at once', async (t) => {
  const full = openSync('/dev/full', 'w');
  t.teardown(() => closeSync(full));
  const writer = new LogWriter(full, () => 'lost\n');
  writer.write('one\n');
  t.ok(await writer.end(10_000));
});

t.test('serve > -q > says nothing but what is wrong', async (t) => {
  const sandbox = await createVault(t);
  const child = spawnMav(sandbox, ['serve', '-q'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = finished(child);
  await waitUntil(() => isListening(sandbox));
  child.kill('SIGTERM');
  t.match(await ended, { code: 0, stdout: '', stderr: '' });
});

t.test('serve > in a pipe > JSON lines on standard error, and nothing else', async (t) => {
  const daemon = await startDaemon(t, { token: false });
  await daemon.ask('GET', '/v1/health');
  const { stdout, stderr } = await daemon.stop();
  t.equal(stdout, '');
  const events = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).event);
  t.same(events, ['unsealed', 'listening', 'request', 'stopping']);
});

t.test('serve > on a terminal > plain lines, and no requests unless asked for', async (t) => {
  const sandbox = await createVault(t);
  for (const [args, isLogged] of [
    [[], false],
    [['--log-requests'], true],
  ] as const) {
    const terminal = mavOnTerminal(t, sandbox, ['serve', ...args]);
    await terminal.see('Then try:');
    await ask(sandbox.socket, 'GET', '/v1/health');
    if (isLogged) await terminal.see(' ms\n');
    terminal.type('\x03');
    const { code, shown } = await terminal.ended();
    t.equal(code, 0);
    t.notMatch(shown, /^\{/m);
    t.match(shown, /^Serving the vault on \S+maestrovault\.sock\nMake a token/);
    t.equal(/^\d\d:\d\d:\d\d GET \/v1\/health 200 [\d.]+ ms$/m.test(shown), isLogged);
    t.match(shown, /^(\^C)?\d\d:\d\d:\d\d stopping \(SIGINT\)$/m);
  }
});

t.test('serve > signals are ignored where it is started > they stay so', async (t) => {
  const sandbox = await createVault(t);
  // By its first lines, which are a shell's: Node itself forgets what was ignored.
  const script = 'trap "" HUP INT; exec "$0" serve';
  const node = dirname(process.execPath);
  const env = { ...sandbox.env, PATH: `${node}:${process.env.PATH}` };
  const child = spawn('/bin/sh', ['-c', script, MAV], { env, cwd: sandbox.folder });
  const ended = finished(child);
  t.teardown(() => child.kill('SIGKILL'));
  await waitUntil(() => isListening(sandbox));
  child.kill('SIGHUP');
  child.kill('SIGINT');
  await sleep(300);
  t.ok(await isListening(sandbox), 'it goes on');
  child.kill('SIGTERM');
  t.equal((await ended).code, 0);
});
