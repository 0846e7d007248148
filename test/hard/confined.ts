/**
 * Native code gone bad within the daemon, which Node's permission model does not bind: the package of the SQLite addon
 * loads a library more. The kernel lets it reach no other process, no file of the user and nobody who listens. The same
 * library makes the same attempts in a plain Node, where they succeed. All as an ordinary user.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { findVersion } from '../../src/daemon/landlock.ts';
import { Libc } from '../../src/daemon/libc.ts';
import { ask } from '../fixtures/ask.ts';
import { copyProgram, putBefore } from '../fixtures/copied-program.ts';
import { startDaemon } from '../fixtures/daemon.ts';
import { type Neighbour, startNeighbour } from '../fixtures/neighbour.ts';
import { skipWithout } from '../fixtures/programs.ts';
import { waitUntil } from '../fixtures/raw.ts';
import { AS_ORDINARY, giveToOrdinaryUser, skipWithoutOrdinaryUser } from '../fixtures/users.ts';
import { createSandbox, mav, type Sandbox } from '../fixtures/vault.ts';

t.setTimeout(300_000);
const SOURCE = join(import.meta.dirname, '../fixtures/bad-native.c');
const libc = Libc.open();
const landlock = libc === null ? 0 : findVersion(libc);
const skip =
  landlock === 0
    ? 'no Landlock or no node:ffi here: Linux 5.13 with Node 26.1 or newer has both'
    : skipWithoutOrdinaryUser || skipWithout('cc', 'python3');

const REFUSALS = ['EPERM', 'EACCES', 'ENOSYS', 'EAFNOSUPPORT', 'EXDEV'];
/** Since Linux 6.12 Landlock keeps signals inside. */
const SIGNALS_VERSION = 6;
const SIGNALS = ['kill', 'sigqueue'];

/** Becomes another program with a terminal of its own as its standard input. */
const ON_TERMINAL = `
import fcntl, os, sys, termios
os.setsid()
far, near = os.openpty()
fcntl.ioctl(near, termios.TIOCSCTTY, 0)
os.dup2(near, 0)
os.dup2(far, 40)
os.execvp(sys.argv[1], sys.argv[1:])
`;
const UNDER = [...AS_ORDINARY, 'python3', '-c', ON_TERMINAL];

interface Surroundings {
  readonly sandbox: Sandbox;
  readonly neighbour: Neighbour;
  /** What the library is compiled with. */
  readonly defines: Readonly<Record<string, string | number>>;
}

/** A process to reach for, and files of the user. */
async function prepare(t: Test, sandbox: Sandbox): Promise<Surroundings> {
  const user = sandbox.env.HOME ?? '';
  writeFileSync(join(user, 'private'), 'private', { mode: 0o600 });
  writeFileSync(join(user, 'program'), '#!/bin/sh\n', { mode: 0o700 });
  giveToOrdinaryUser(sandbox.folder);
  const neighbour = await startNeighbour(t, join(sandbox.folder, 'neighbour'));
  const stack = /^([0-9a-f]+)-.*\[stack\]$/m.exec(readFileSync(`/proc/${neighbour.pid}/maps`, 'utf8'));
  const paths = {
    STREAM: neighbour.stream,
    DATAGRAMS: neighbour.datagrams,
    PRIVATE: join(user, 'private'),
    PROGRAM: join(user, 'program'),
    CODE: join(sandbox.folder, 'program/dist/src/bin.js'),
  };
  const quoted = Object.entries(paths).map(([name, path]) => [name, JSON.stringify(path)]);
  const numbers = { VICTIM: neighbour.pid, PORT: neighbour.port, ADDRESS: `0x${stack?.[1]}` };
  return { sandbox, neighbour, defines: { ...Object.fromEntries(quoted), ...numbers } };
}

/** The library that makes its attempts in `folder`; its path. */
function compile(path: string, folder: string, { defines }: Surroundings): string {
  const all = Object.entries({ FOLDER: JSON.stringify(folder), ...defines });
  const flags = ['-shared', '-fPIC', '-O1', '-Wl,-z,nodelete', ...all.map(([name, is]) => `-D${name}=${is}`)];
  execFileSync('cc', [...flags, SOURCE, '-o', path, '-pthread', '-lrt']);
  return path;
}

/** What does not register itself as an addon stays loaded all the same. */
const load = (library: string) =>
  `try { process.dlopen({ exports: {} }, ${JSON.stringify(library)}); } catch {}`;

/** Lets the library in that process begin; what came of each attempt: `done`, or the name of the error. */
async function attemptAll(folder: string, pid: number | undefined): Promise<Record<string, string>> {
  writeFileSync(join(folder, 'go'), '');
  const report = join(folder, `found-${pid}`);
  await waitUntil(() => existsSync(report));
  const lines = readFileSync(report, 'utf8').trim().split('\n');
  return Object.fromEntries(
    lines.map((line) => {
      const [errno = '', ...what] = line.split(' ');
      return [what.join(' '), nameError(Number(errno))];
    }),
  );
}

function nameError(errno: number): string {
  if (errno === 0) return 'done';
  const found = Object.entries(constants.errno).find(([, value]) => value === errno);
  return found?.[0] ?? String(errno);
}

/** The same attempts where nothing is in their way but the kernel's own rules. */
async function attemptInPlainNode(t: Test, around: Surroundings): Promise<Record<string, string>> {
  const folder = join(around.sandbox.folder, 'plain');
  mkdirSync(folder);
  const library = compile(join(folder, 'library.so'), folder, around);
  giveToOrdinaryUser(folder);
  const [program = '', ...args] = [
    ...UNDER,
    ...['env', '-u', 'NODE_OPTIONS', process.execPath, '-e', `${load(library)} setInterval(() => {}, 1000)`],
  ];
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'close');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return await attemptAll(folder, child.pid);
}

t.test('native code gone bad > in the daemon > reaches nothing outside', { skip }, async (t) => {
  const sandbox = createSandbox(t, { NODE_V8_COVERAGE: undefined });
  await mav(sandbox, ['init', '--key-store', 'file']);
  const around = await prepare(t, sandbox);
  const program = copyProgram(join(sandbox.folder, 'program'));
  const library = compile(join(program.folder, 'library.so'), sandbox.home, around);
  putBefore(program, 'node_modules/better-sqlite3/lib/index.js', load(library));
  giveToOrdinaryUser(program.folder);
  const { bin } = program;
  const daemon = await startDaemon(t, { sandbox, init: null, bin, token: false, under: UNDER });
  const token = readFileSync(`${sandbox.socket}.session`, 'utf8');
  const found = await attemptAll(sandbox.home, daemon.child.pid);
  t.same(around.neighbour.takeHeard(), [], 'nobody was reached');
  t.equal(readFileSync(join(sandbox.env.HOME ?? '', 'private'), 'utf8'), 'private');
  t.equal((await ask(sandbox.socket, 'PUT', '/v1/secrets/s', { token, body: { value: 'v' } })).status, 201);
  t.equal((await daemon.stop()).code, 0);

  const control = await attemptInPlainNode(t, around);
  const possible = Object.keys(control).filter((what) => control[what] === 'done');
  const others = Object.entries(control).filter(([, outcome]) => outcome !== 'done');
  t.comment(`this kernel refuses them anyway: ${JSON.stringify(Object.fromEntries(others))}`);
  t.ok(possible.length >= 30, `a plain Node is open: ${possible.join(', ')}`);
  t.ok(around.neighbour.takeHeard().length >= 5, 'where the neighbour was reached');
  const open = landlock < SIGNALS_VERSION ? SIGNALS : [];
  if (open.length > 0) t.comment(`not kept inside by this kernel's Landlock: ${open.join(', ')}`);
  const denied = Object.entries(found).filter(([what]) => !open.includes(what));
  const isRefused = (what: string, outcome: string) =>
    REFUSALS.includes(outcome) || (outcome !== 'done' && outcome === control[what]);
  const allowed = denied.filter(([what, outcome]) => !isRefused(what, outcome));
  t.same(allowed, [], 'every attempt is refused');
  t.same(Object.keys(found), Object.keys(control));
  t.comment(
    `figure: ${denied.length} attempts of native code in the daemon, ${allowed.length} succeeded; in a plain Node ${possible.length}`,
  );
});
