/** A system for which the package brings no prebuilt libsodium: no vault there, but the command line as a client. */
import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { type CopiedProgram, copyProgram } from './fixtures/copied-program.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { createSandbox, finished, type Sandbox } from './fixtures/vault.ts';

const WHY = /^mav: a vault cannot be made or opened here: the prebuilt libsodium does not load[^\n]*\n$/;

const program: CopiedProgram = copyProgram(join(createSandbox(t).folder, 'program'));
rmSync(join(program.folder, 'node_modules/sodium-native/prebuilds', `${process.platform}-${process.arch}`), {
  recursive: true,
});

/** Runs a command of the program without the addon. */
const run = ({ env, folder }: Sandbox, args: readonly string[]) =>
  finished(spawn(process.execPath, [program.bin, ...args], { env, cwd: folder }));

t.test('mav init > no libsodium for this system > one line, exit code 5, and nothing was made', async (t) => {
  const sandbox = createSandbox(t);
  const { code, stdout, stderr } = await run(sandbox, ['init', '--key-store', 'file']);
  t.same([code, stdout], [5, '']);
  t.match(stderr, WHY);
  t.notOk(existsSync(sandbox.databasePath));
  t.notOk(existsSync(dirname(sandbox.databasePath)));
});

t.test('mav serve > no libsodium for this system > sealed, with a reason of its own', async (t) => {
  const made = createSandbox(t);
  const whole = await startDaemon(t, { sandbox: made });
  await whole.ask('PUT', '/v1/secrets/kept', { body: { value: 'v' } });
  t.match(
    await run(made, ['get', 'kept']),
    { code: 0, stdout: 'v' },
    'a client of another daemon needs none',
  );
  await whole.stop();
  const daemon = await startDaemon(t, { sandbox: made, init: null, bin: program.bin, token: false });
  const answer = await daemon.ask('GET', '/v1/secrets/kept', { token: whole.admin });
  t.match(answer, { status: 503, json: { code: 'sealed', reason: 'unsupported' } });
  const unsealed = await run(made, ['unseal']);
  t.equal(unsealed.code, 5);
  t.match(unsealed.stderr, WHY);
  t.equal((await daemon.stop()).code, 0);
  t.match(await run(made, ['list']), { code: 5, stderr: WHY }, 'nor without a daemon');
});
