/** What the Go program left at our places: its vault.db, its config.json, and how its client starts a daemon. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { makeTables } from './fixtures/go-vault.ts';
import { createSandbox, mav, mavAlone, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(300_000);

/** `isRunning`: as long as it runs, all that it wrote is in the log only. */
function layGoVault(t: Test, isRunning: boolean): Sandbox {
  const sandbox = createSandbox(t);
  // As open as that program leaves it.
  mkdirSync(sandbox.home, { mode: 0o755 });
  const made = join(sandbox.folder, 'made.db');
  const db = new Database(made);
  makeTables(db);
  const suffixes = isRunning ? ['', '-wal'] : [''];
  if (!isRunning) db.close();
  for (const suffix of suffixes) writeFileSync(sandbox.databasePath + suffix, readFileSync(made + suffix));
  if (isRunning) db.close();
  return sandbox;
}

function readAll({ home }: Sandbox): Record<string, string> {
  return Object.fromEntries(
    readdirSync(home).map((name) => [name, readFileSync(join(home, name)).toString('hex')]),
  );
}

const COMMANDS = [
  'list',
  'get db',
  'set db',
  'rm db --force',
  'search db',
  'export --force',
  'exec -- true',
  'token list',
  'key rotate',
  'seal',
  'unseal',
  'serve',
  'serve --init',
  'serve --no-touchid',
  'init --key-store file',
  'destroy --force',
  'service install',
];

for (const isRunning of [false, true])
  t.test(
    `every command > the Go program's vault.db${isRunning ? ' with its log' : ''} > named alike, untouched`,
    async (t) => {
      const sandbox = layGoVault(t, isRunning);
      const before = readAll(sandbox);
      const { stderr: said } = await mav(sandbox, ['list']);
      t.match(
        said,
        /vault\.db is a vault of the Go program .*nothing was changed.*mav import --from-maestrovault$/m,
      );
      for (const command of COMMANDS) {
        const { code, stdout, stderr } = await mav(sandbox, command.split(' '), { input: 'x' });
        t.same({ code, stdout, stderr }, { code: 1, stdout: '', stderr: said }, command);
      }
      const reason = said.replace(/^mav: |\n$/g, '');
      const status = await mav(sandbox, ['status', '-o', 'json']);
      t.match(
        { ...status, stdout: JSON.parse(status.stdout) },
        { code: 1, stdout: { state: 'no vault', reason } },
      );
      const doctor = await mav(sandbox, ['doctor', '-o', 'json']);
      const failures = JSON.parse(doctor.stdout).checks.filter((check: any) => check.result === 'FAIL');
      t.same(failures, [{ check: 'vault', result: 'FAIL', detail: reason }]);
      t.same(readAll(sandbox), before);
    },
  );

t.test('init > another file in the place of vault.db > says so, and leaves it', async (t) => {
  const sandbox = createSandbox(t);
  mkdirSync(sandbox.home, { mode: 0o700 });
  writeFileSync(sandbox.databasePath, 'a text', { mode: 0o600 });
  const { code, stderr } = await mav(sandbox, ['init', '--key-store', 'file']);
  t.equal(code, 1);
  t.match(stderr, /something that is no vault, or a damaged one, is at .*vault\.db already/);
  t.equal(readFileSync(sandbox.databasePath, 'utf8'), 'a text');
});

t.test("serve > --no-touchid and the Go program's config.json > as if they were not there", async (t) => {
  const sandbox = createSandbox(t);
  await mav(sandbox, ['init', '--key-store', 'file']);
  const config = { touchid: true, vim_mode: false, fuzzy_search: true, env: 'prod' };
  writeFileSync(join(sandbox.home, 'config.json'), JSON.stringify(config));
  const daemon = await startDaemon(t, { sandbox, init: null, token: false, serve: ['--no-touchid'] });
  t.match(await mav(sandbox, ['set', 'db', '--value', 'v']), { code: 0, stderr: 'Stored db in prod.\n' });
  await daemon.stop();
  const { stdout } = await mavAlone(sandbox, ['serve', '--help']);
  t.notMatch(stdout, 'touchid');
  t.notMatch((await mav(sandbox, ['serve', '--no-touchi'])).stderr, 'touchid');
});
