/** A dependency gone bad, in the request thread of the launched daemon: a copy of the built program has its lines. */
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Libc } from '../../src/daemon/libc.ts';
import { waitUntil } from '../fixtures/raw.ts';
import { ask, createSandbox, mav, startDaemon } from '../fixtures/vault.ts';

const ROOT = join(import.meta.dirname, '../..');
const skip = Libc.open() === null ? 'no node:ffi here: Linux with Node 26.1 or newer has it' : false;

t.setTimeout(300_000);

interface Said {
  readonly what: string;
  readonly got: string | { readonly denied: string };
}

/** The built program with what it needs at run time, and the bad lines before the daemon's own. */
function copyProgram(folder: string, given: object): string {
  const program = join(folder, 'program');
  mkdirSync(program);
  for (const name of ['dist', 'package.json'])
    cpSync(join(ROOT, name), join(program, name), { recursive: true });
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  for (const [path, { dev, link }] of Object.entries<{ dev?: boolean; link?: boolean }>(packages))
    if (path.startsWith('node_modules/') && !dev && !link && existsSync(join(ROOT, path)))
      cpSync(join(ROOT, path), join(program, path), { recursive: true });
  const serve = join(program, 'dist/src/daemon/serve.js');
  cpSync(join(ROOT, 'test/fixtures/bad-dependency.mjs'), join(program, 'dist/src/daemon/bad-dependency.mjs'));
  writeFileSync(join(program, 'dist/src/daemon/bad-dependency.json'), JSON.stringify(given));
  writeFileSync(serve, `import './bad-dependency.mjs';\n${readFileSync(serve, 'utf8')}`);
  return join(program, 'dist/src/bin.js');
}

async function attack(t: Test): Promise<Said[]> {
  const sandbox = createSandbox(t, { NODE_V8_COVERAGE: undefined });
  await mav(sandbox, ['init', '--key-store', 'file']);
  const [report, outside] = [join(sandbox.home, 'report'), join(sandbox.env.HOME ?? '', 'private')];
  writeFileSync(outside, 'private', { mode: 0o600 });
  const bin = copyProgram(sandbox.folder, { report, outside, victim: process.pid });
  const daemon = await startDaemon(t, { sandbox, init: null, bin, token: false });
  // So that the keyring is shared once more while the lines listen.
  await mav(daemon, ['seal']);
  await mav(daemon, ['unseal']);
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
