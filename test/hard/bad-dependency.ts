/**
 * A dependency gone bad, in the request thread of the launched daemon: a copy of the built program has its lines. As an
 * ordinary user. What native code would do is tried in confined.ts.
 */
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Libc } from '../../src/daemon/libc.ts';
import { copyProgram, putBefore } from '../fixtures/copied-program.ts';
import { waitUntil } from '../fixtures/raw.ts';
import { AS_ORDINARY, giveToOrdinaryUser, skipWithoutOrdinaryUser } from '../fixtures/users.ts';
import { ask, createSandbox, mav, startDaemon } from '../fixtures/vault.ts';

const LINES = join(import.meta.dirname, '../fixtures/bad-dependency.mjs');
const skip =
  Libc.open() === null ? 'no node:ffi here: Linux with Node 26.1 or newer has it' : skipWithoutOrdinaryUser;

t.setTimeout(300_000);

interface Said {
  readonly what: string;
  readonly got: string | { readonly denied: string };
}

async function attack(t: Test): Promise<Said[]> {
  const sandbox = createSandbox(t, { NODE_V8_COVERAGE: undefined });
  await mav(sandbox, ['init', '--key-store', 'file']);
  const [report, outside] = [join(sandbox.home, 'report'), join(sandbox.env.HOME ?? '', 'private')];
  writeFileSync(outside, 'private', { mode: 0o600 });
  const program = copyProgram(join(sandbox.folder, 'program'));
  copyFileSync(LINES, join(program.folder, 'dist/src/daemon/bad-dependency.mjs'));
  const given = JSON.stringify({ report, outside, victim: process.pid });
  writeFileSync(join(program.folder, 'dist/src/daemon/bad-dependency.json'), given);
  putBefore(program, 'dist/src/daemon/serve.js', "import './bad-dependency.mjs';");
  giveToOrdinaryUser(sandbox.folder);
  const { bin } = program;
  const daemon = await startDaemon(t, { sandbox, init: null, bin, token: false, under: AS_ORDINARY });
  // So that the keyring is shared once more while the lines listen.
  const token = readFileSync(`${daemon.socket}.session`, 'utf8');
  t.equal((await ask(daemon.socket, 'POST', '/v1/seal', { token })).status, 200);
  t.equal((await ask(daemon.socket, 'POST', '/v1/unseal', { token })).status, 200);
  t.equal((await ask(daemon.socket, 'GET', '/v1/health')).status, 200);
  const read = (): Said[] =>
    existsSync(report)
      ? readFileSync(report, 'utf8')
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line))
      : [];
  await waitUntil(() => read().some(({ what }) => what === 'end'));
  await daemon.stop();
  return read();
}

t.test('a bad dependency > reaches for keys, threads and files > gets none', { skip }, async (t) => {
  const said = await attack(t);
  t.same(
    said.filter(({ what }) => what === 'keyring'),
    [],
    'no keyring passes where it listens',
  );
  const attempts = said.filter(({ what }) => what !== 'keyring' && what !== 'end');
  for (const { what, got } of attempts) t.type(got, 'object', `${what}: ${JSON.stringify(got)}`);
  t.equal(attempts.length, 11);
  t.comment(`figure: ${attempts.length} attempts from a dependency of the request thread, all denied`);
});
