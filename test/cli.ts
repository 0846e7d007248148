/** The command line as a user meets it: the built program as a child process, with a daemon and without one. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import t, { type Test } from 'tap';
import { ask } from './fixtures/ask.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { BIN, createSandbox, type Finished, fillVault, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);

/** Everything that a token's life goes through; the same with a daemon and without. */
async function testTokens(t: Test, sandbox: Sandbox): Promise<void> {
  const create = (...args: string[]) => mav(sandbox, ['token', 'create', '--name', 'ci', ...args]);
  const made = JSON.parse((await create('--scope', 'read,write', '--expires', '24h', '-o', 'json')).stdout);
  t.match(made.token, /^mvt_[0-9a-f]{64}$/);
  t.same(made.scopes, ['read', 'write']);
  t.equal((await create('--scope', 'admin')).code, 0);
  const listed = JSON.parse((await mav(sandbox, ['token', 'list'])).stdout);
  t.equal(listed.length, 2);
  t.same(
    listed.map((row: { name: string }) => row.name),
    ['ci', 'ci'],
  );
  const table = await mav(sandbox, ['token', 'list', '-o', 'table']);
  t.match(table.stdout, /^ID +NAME +SCOPES +EXPIRES +LAST USED +CREATED/);
  t.equal(table.stdout.trimEnd().split('\n').length, 3);
  const shown = await create('--scope', 'read');
  t.match(shown.stdout, /^mvt_[0-9a-f]{64}\n$/);
  t.match(shown.stderr, 'without expiry');
  const revoked = await mav(sandbox, ['token', 'revoke', made.id]);
  t.same([revoked.code, revoked.stderr], [0, 'Revoked 1 token.\n']);
  t.equal((await mav(sandbox, ['token', 'revoke', made.id])).code, 3);
  t.match((await mav(sandbox, ['token', 'revoke', '--all', '--force'])).stderr, 'Revoked 2 tokens.');
  t.match((await mav(sandbox, ['token', 'list', '-o', 'table'])).stderr, 'no tokens yet');
}

t.test('token > without a daemon > created, listed, revoked', async (t) => {
  const sandbox = createSandbox(t);
  await fillVault(sandbox);
  await testTokens(t, sandbox);
});

t.test('token > with a daemon > the same', async (t) => {
  await testTokens(t, await startDaemon(t, { token: false }));
});

t.test('token revoke --all > as one of those tokens > all are revoked', async (t) => {
  const daemon = await startDaemon(t);
  for (let made = 0; made < 3; made++) await daemon.createToken(['read']);
  const revoked = await mav(daemon, ['token', 'revoke', '--all', '-f'], { env: { MAV_TOKEN: daemon.admin } });
  t.same([revoked.code, revoked.stderr], [0, 'Revoked 4 tokens.\n']);
  t.same(JSON.parse((await mav(daemon, ['token', 'list'])).stdout), []);
});

t.test('token revoke --all > twice at once > all are revoked, and neither complains', async (t) => {
  const daemon = await startDaemon(t);
  for (let made = 0; made < 100; made++) await daemon.createToken(['read']);
  const runs = await Promise.all([1, 2].map(() => mav(daemon, ['token', 'revoke', '--all', '--force'])));
  // One of them may come when the other is done.
  for (const { code, stderr } of runs)
    t.match([code, stderr], [0, /^(Revoked \d+ tokens|There are no tokens)/]);
  t.same(JSON.parse((await mav(daemon, ['token', 'list'])).stdout), []);
});

t.test('token > wrong usage > exit 2, and nothing that was typed is repeated', async (t) => {
  const sandbox = createSandbox(t);
  await fillVault(sandbox);
  const wrong = [
    ['token', 'create', '--scope', 'read'],
    ['token', 'create', '--name', 'n'],
    ['token', 'create', '--name', 'n', '--scope', 'hunter2'],
    ['token', 'create', '--name', 'n', '--scope', 'read', '--expires', 'hunter2'],
    ['token', 'create', '--hunter2', 'x'],
    ['token', 'list', '-o', 'hunter2'],
    ['token', 'list', 'hunter2'],
    ['token', 'revoke'],
    ['token', 'revoke', 'hunter2', '--all'],
    ['token', 'hunter2'],
    ['token'],
    ['hunter2'],
    [],
  ];
  for (const args of wrong) {
    const refused = await mav(sandbox, args);
    t.equal(refused.code, 2, args.join(' '));
    t.notMatch(refused.stdout + refused.stderr, 'hunter2', args.join(' '));
  }
});

t.test('commands at once > without a daemon > wait for each other', async (t) => {
  const sandbox = createSandbox(t);
  await fillVault(sandbox);
  const create = () => mav(sandbox, ['token', 'create', '--name', 'n', '--scope', 'read']);
  const made = await Promise.all([create(), create(), create(), create()]);
  t.same(
    made.map(({ code }) => code),
    [0, 0, 0, 0],
  );
  t.equal(JSON.parse((await mav(sandbox, ['token', 'list'])).stdout).length, 4);
});

t.test('MAV_TOKEN > set > is that token and nothing more', async (t) => {
  const daemon = await startDaemon(t);
  const { token } = await daemon.createToken(['read']);
  const refused = await mav(daemon, ['token', 'list'], { env: { MAV_TOKEN: token } });
  t.equal(refused.code, 4);
  t.equal((await mav(daemon, ['token', 'list'], { env: { MAV_TOKEN: daemon.admin } })).code, 0);
  t.equal((await mav(daemon, ['seal'], { env: { MAV_TOKEN: daemon.admin } })).code, 4);
  t.equal((await mav(daemon, ['token', 'list'], { env: { MAV_TOKEN: `mvt_${'0'.repeat(64)}` } })).code, 4);
  await daemon.stop();
  const alone = await mav(daemon, ['token', 'list'], { env: { MAV_TOKEN: token } });
  t.equal(alone.code, 1);
  t.match(alone.stderr, 'MAV_TOKEN needs one: mav serve');
});

t.test('daemon > was killed > its session token confuses nobody', async (t) => {
  const first = await startDaemon(t);
  await first.stop('SIGKILL');
  t.equal((await mav(first, ['token', 'list'])).code, 0, 'without a daemon');
  const second = await startDaemon(t, { sandbox: first, init: null });
  t.equal((await mav(first, ['token', 'list'])).code, 0, 'with the next one');
  await second.stop();
});

t.test('seal, unseal > no daemon > say so', async (t) => {
  const sandbox = createSandbox(t);
  for (const command of ['seal', 'unseal']) {
    const refused = await mav(sandbox, [command]);
    t.equal(refused.code, 1, command);
    t.match(refused.stderr, 'start one: mav serve', command);
  }
});

t.test('version > asked for in any way > the package version', async (t) => {
  const sandbox = createSandbox(t);
  const { version } = JSON.parse(
    execFileSync(process.execPath, ['-p', 'JSON.stringify(require("./package.json"))'], {
      cwd: join(import.meta.dirname, '..'),
      encoding: 'utf8',
    }),
  );
  for (const args of [['version'], ['--version'], ['-v']])
    t.equal((await mav(sandbox, args)).stdout, `${version}\n`);
});

t.test('serve > what it prints > the curl line works as it is', { skip: skipWithout('curl') }, async (t) => {
  const daemon = await startDaemon(t, { serve: ['--log-format', 'text'] });
  // On standard error, with the log.
  const { stdout, stderr } = await daemon.stop();
  const again = await startDaemon(t, { sandbox: daemon, init: null, token: false });
  const line = stderr.split('\n').find((one) => one.includes('curl ')) ?? '';
  const { status, stdout: answer } = spawnSync(
    'sh',
    ['-c', `${line.trim().replace('mvt_…', daemon.admin)} -sS`],
    { encoding: 'utf8' },
  );
  t.same([status, answer], [0, '[]']);
  t.match(stderr, daemon.socket);
  t.match(stderr, 'mav token create');
  t.equal(stdout, '');
  await again.stop();
});

t.test(
  'token list > a name with control characters > cannot be made, and a table would escape it',
  async (t) => {
    const { formatTable } = await import('../src/cli/formats/table.ts');
    const table = [...(await formatTable([{ head: 'A' }], [['\u001b[31mred\u202e']], null))].join('');
    t.notOk(table.includes('\u001b') || table.includes('\u202e'));
    const sandbox = createSandbox(t);
    await fillVault(sandbox);
    const refused = await mav(sandbox, ['token', 'create', '--name', '\u001b[31m', '--scope', 'read']);
    t.equal(refused.code, 2);
  },
);

t.test('terminal > token list > is a table there', { skip: skipWithout('script') }, async (t) => {
  const sandbox = createSandbox(t);
  await fillVault(sandbox);
  await mav(sandbox, ['token', 'create', '--name', 'n', '--scope', 'read']);
  const command = `'${process.execPath}' '${BIN}' token list`;
  const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
    env: sandbox.env,
    encoding: 'utf8',
  });
  t.match(stdout, /^ID +NAME/);
});

t.test(
  'Node > older than what is needed > one clear line',
  { skip: findOldNode() === null ? 'no old Node here' : false },
  async (t) => {
    const old = findOldNode() ?? '';
    const { status, stderr } = spawnSync(old, [BIN, 'version'], { encoding: 'utf8' });
    t.equal(status, 1);
    t.match(stderr, /^mav needs Node 24\.7 or newer; this is \d+\.\d+\.\d+\..*\n$/);
  },
);

t.test('MAV_HOME > with spaces and quotes, or relative > is served', async (t) => {
  const sandbox = createSandbox(t);
  for (const home of [join(sandbox.folder, `it's a "home"`), 'relative']) {
    sandbox.env.MAV_HOME = home;
    const made = await mav(sandbox, ['init', '--key-store', 'file']);
    t.equal(made.code, 0, made.stderr);
    t.ok(
      existsSync(
        join(sandbox.folder, home.startsWith('/') ? home.slice(sandbox.folder.length) : home, 'vault.db'),
      ),
    );
    const listed: Finished = await mav(sandbox, ['token', 'list']);
    t.equal(listed.stdout, '[]\n');
  }
});

t.test('API > asked while the command line creates a token > knows it at once', async (t) => {
  const daemon = await startDaemon(t);
  const made = await mav(daemon, ['token', 'create', '--name', 'n', '--scope', 'read']);
  const token = made.stdout.trim();
  t.equal((await ask(daemon.socket, 'GET', '/v1/secrets', { token })).status, 200);
});

/** A Node on PATH, outside of the checkout, that is too old. */
function findOldNode(): string | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (
      folder.includes('node_modules') ||
      !existsSync(join(folder, 'node')) ||
      readdirSync(folder).length === 0
    )
      continue;
    const { stdout } = spawnSync(join(folder, 'node'), ['-p', 'process.versions.node'], { encoding: 'utf8' });
    const [major = 0, minor = 0] = stdout.split('.').map(Number);
    if (major < 24 || (major === 24 && minor < 7)) return join(folder, 'node');
  }
  return null;
}
