/**
 * A dependency gone bad, in the request thread of the launched daemon: a copy of the built program has its lines. As an
 * ordinary user. What native code would do is tried in confined.ts.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { findVersion } from '../../src/daemon/landlock.ts';
import { Libc } from '../../src/daemon/libc.ts';
import { ask } from '../fixtures/ask.ts';
import { type CopiedProgram, copyProgram, putBefore } from '../fixtures/copied-program.ts';
import { startDaemon } from '../fixtures/daemon.ts';
import { type Neighbour, startNeighbour } from '../fixtures/neighbour.ts';
import { skipWithout } from '../fixtures/programs.ts';
import { waitUntil } from '../fixtures/raw.ts';
import { AS_ORDINARY, giveToOrdinaryUser, skipWithoutOrdinaryUser } from '../fixtures/users.ts';
import { createSandbox, mav, type Sandbox } from '../fixtures/vault.ts';

const LINES = join(import.meta.dirname, '../fixtures/bad-dependency.mjs');
const skip =
  Libc.open() === null
    ? 'no node:ffi here: Linux with Node 26.1 or newer has it'
    : skipWithoutOrdinaryUser || skipWithout('python3');

t.setTimeout(300_000);

interface Said {
  readonly what: string;
  readonly got: string | { readonly denied: string };
}

function read(report: string): Said[] {
  if (!existsSync(report)) return [];
  const lines = readFileSync(report, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line));
}

interface Prepared {
  readonly sandbox: Sandbox;
  readonly program: CopiedProgram;
  readonly neighbour: Neighbour;
  /** Puts the bad lines there, with what they are given; where they report. */
  readonly plant: (folder: string, report: string) => string;
}

async function prepare(t: Test): Promise<Prepared> {
  const sandbox = createSandbox(t, { NODE_V8_COVERAGE: undefined });
  await mav(sandbox, ['init', '--key-store', 'file']);
  const outside = join(sandbox.env.HOME ?? '', 'private');
  writeFileSync(outside, 'private', { mode: 0o600 });
  const program = copyProgram(join(sandbox.folder, 'program'));
  giveToOrdinaryUser(sandbox.folder);
  const neighbour = await startNeighbour(t, join(sandbox.folder, 'neighbour'));
  const plant = (folder: string, report: string) => {
    const given = { report, outside, victim: neighbour.pid, listener: neighbour.stream };
    copyFileSync(LINES, join(folder, 'bad-dependency.mjs'));
    writeFileSync(join(folder, 'bad-dependency.json'), JSON.stringify(given));
    giveToOrdinaryUser(folder);
    return report;
  };
  return { sandbox, program, neighbour, plant };
}

async function attack(t: Test, { sandbox, program, plant }: Prepared): Promise<Said[]> {
  const report = plant(join(program.folder, 'dist/src/daemon'), join(sandbox.home, 'report'));
  putBefore(program, 'dist/src/daemon/serve.js', "import './bad-dependency.mjs';");
  const { bin } = program;
  const daemon = await startDaemon(t, { sandbox, init: null, bin, token: false, under: AS_ORDINARY });
  // So that the keyring is shared once more while the lines listen.
  const token = readFileSync(`${daemon.socket}.session`, 'utf8');
  t.equal((await ask(daemon.socket, 'POST', '/v1/seal', { token })).status, 200);
  t.equal((await ask(daemon.socket, 'POST', '/v1/unseal', { token })).status, 200);
  t.equal((await ask(daemon.socket, 'GET', '/v1/health')).status, 200);
  await waitUntil(() => read(report).some(({ what }) => what === 'end'));
  await daemon.stop();
  return read(report);
}

/** The same lines where nothing is in their way. */
async function attackInPlainNode(t: Test, { sandbox, plant }: Prepared): Promise<Said[]> {
  const folder = join(sandbox.folder, 'plain');
  mkdirSync(folder);
  const report = plant(folder, join(folder, 'report'));
  const [program = '', ...args] = [
    ...AS_ORDINARY,
    process.execPath,
    '--experimental-ffi',
    join(folder, 'bad-dependency.mjs'),
  ];
  const child = spawn(program, args, { cwd: folder, stdio: 'ignore' });
  const ended = once(child, 'close');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await waitUntil(() => read(report).some(({ what }) => what === 'end'));
  return read(report);
}

/** Since Linux 6.12 Landlock keeps signals inside. */
const SIGNALS_VERSION = 6;

t.test('a bad dependency > reaches for keys, threads and files > gets none', { skip }, async (t) => {
  const prepared = await prepare(t);
  const said = await attack(t, prepared);
  t.same(prepared.neighbour.takeHeard(), [], 'nobody was reached');
  t.same(
    said.filter(({ what }) => what === 'keyring'),
    [],
    'no keyring passes where it listens',
  );
  const control = await attackInPlainNode(t, prepared);
  t.same(
    control.filter(({ got }) => typeof got === 'object'),
    [],
    'in a plain Node each of them succeeds',
  );
  const libc = Libc.open();
  const keepsSignals = libc !== null && findVersion(libc) >= SIGNALS_VERSION;
  const attempts = said.filter(({ what }) => what !== 'end' && (keepsSignals || what !== 'a signal'));
  for (const { what, got } of attempts) t.type(got, 'object', `${what}: ${JSON.stringify(got)}`);
  t.same(
    said.map(({ what }) => what),
    control.map(({ what }) => what),
  );
  t.comment(`figure: ${attempts.length} attempts from a dependency of the request thread, all denied`);
});
