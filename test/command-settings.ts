/** What commands go by: flags, environment, config.json and tokens; and a vault that is sealed or not there. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { run, succeed } from './fixtures/command-runs.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { createPassphraseVault, createSandbox, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);

t.test('settings > flag, environment, config.json, default > the first of them wins', async (t) => {
  const sandbox = await startDaemon(t, { token: false });
  const config = join(sandbox.home, 'config.json');
  const store = (name: string, args: string[], env: NodeJS.ProcessEnv = {}) =>
    succeed(t, { ...sandbox, env: { ...sandbox.env, ...env } }, ['set', name, '--value', 'v', ...args]);
  await store('default', []);
  writeFileSync(config, '{"env": "configured", "output": "table"}');
  await store('config', []);
  await store('variable', [], { MAV_ENV: 'variable' });
  await store('flag', ['--env', 'flag'], { MAV_ENV: 'variable' });
  await store('empty flag', ['--env', ''], { MAV_ENV: 'variable' });
  rmSync(config);
  const listed = JSON.parse((await succeed(t, sandbox, ['list'])).stdout.toString());
  t.same(
    Object.fromEntries(
      listed.map((row: { name: string; environment: string }) => [row.name, row.environment]),
    ),
    { config: 'configured', default: '', 'empty flag': '', flag: 'flag', variable: 'variable' },
  );
});

t.test('settings > socket and home by config.json and flag > are found', async (t) => {
  const sandbox = createSandbox(t);
  const home = join(sandbox.folder, 'other');
  mkdirSync(home, { mode: 0o700 });
  writeFileSync(join(home, 'config.json'), '{"socket": "run.sock"}');
  const init = await run(sandbox, ['init', '--home', home, '--key-store', 'file']);
  t.equal(init.code, 0, init.stderr);
  t.ok(existsSync(join(home, 'vault.db')) && !existsSync(sandbox.home));
  sandbox.env.MAV_HOME = home;
  const daemon = await startDaemon(t, {
    sandbox: { ...sandbox, socket: join(home, 'run.sock') },
    init: null,
  });
  t.equal((await daemon.ask('GET', '/v1/secrets')).status, 200);
  await daemon.stop();
});

t.test('settings > a config.json that cannot be followed > exit 2, the key is named', async (t) => {
  const sandbox = createSandbox(t);
  mkdirSync(sandbox.home, { mode: 0o700 });
  const cases: Readonly<Record<string, RegExp>> = {
    '{"sokcet": "x"}': /unknown key "sokcet"; known are socket, env, protected, output, clear/,
    '{"output": "xml"}': /"output" must be "table", "json", "plain" or "names"/,
    '{"env": 1}': /"env" must be the name of an environment/,
    '{"clear": "soon"}': /"clear" must be a time such as "45s"/,
    '[]': /config.json is not a JSON object/,
    '{"env": "hunter2': /config.json is not a JSON object/,
  };
  for (const [text, says] of Object.entries(cases)) {
    writeFileSync(join(sandbox.home, 'config.json'), text);
    const { code, stderr } = await run(sandbox, ['list']);
    t.equal(code, 2, text);
    t.match(stderr, says, text);
    t.notMatch(stderr, 'hunter2');
  }
});

t.test('MAV_TOKEN > empty or no token > refused, with a daemon and without', async (t) => {
  const daemon = await startDaemon(t, { token: false });
  for (const token of ['', 'hunter2', `mvt_${'0'.repeat(63)}`, `mvt_${'0'.repeat(64)}\n`]) {
    const { code, stderr } = await run({ ...daemon, env: { ...daemon.env, MAV_TOKEN: token } }, ['list']);
    t.equal(code, 4, JSON.stringify(token));
    t.match(stderr, /MAV_TOKEN is (set but empty|not a token)/);
    t.notMatch(stderr, 'hunter2');
  }
  await daemon.stop();
  t.equal((await run({ ...daemon, env: { ...daemon.env, MAV_TOKEN: '' } }, ['list'])).code, 4);
});

t.test('MAV_TOKEN > a token with one scope > may do what that scope permits, and nothing more', async (t) => {
  const daemon = await startDaemon(t);
  const { token } = await daemon.createToken(['read']);
  const limited: Sandbox = { ...daemon, env: { ...daemon.env, MAV_TOKEN: token } };
  await succeed(t, daemon, ['set', 'n', '--value', 'v']);
  t.equal((await succeed(t, limited, ['get', 'n'])).stdout.toString(), 'v');
  for (const args of [
    ['set', 'n', '--value', 'w'],
    ['delete', 'n', '--force'],
    ['rename', 'n', 'm'],
    ['set', 'x', '--generate'],
    ['seal'],
  ])
    t.equal((await run(limited, args)).code, 4, args.join(' '));
  t.equal((await succeed(t, daemon, ['get', 'n'])).stdout.toString(), 'v');
});

t.test('no vault, no daemon > every command > says so, and makes nothing', async (t) => {
  const sandbox = createSandbox(t);
  for (const args of [['get', 'n'], ['set', 'n', '--value', 'v'], ['list'], ['token', 'list']]) {
    const { code, stderr } = await run(sandbox, args);
    t.equal(code, 1, args.join(' '));
    t.match(stderr, /there is no vault at .*; make one: mav init/);
  }
  t.notOk(existsSync(sandbox.home), 'not even the folder');
});

t.test('a sealed vault > with a daemon and without > exit 5 and the remedy', async (t) => {
  const sandbox = createSandbox(t);
  const keyFile = join(sandbox.folder, 'vault.key');
  const daemon = await startDaemon(t, {
    sandbox,
    init: ['--key-store', 'file', '--key-file', keyFile],
    token: false,
  });
  await succeed(t, daemon, ['set', 'n', '--value', 'v']);
  await succeed(t, daemon, ['seal']);
  const sealed = await run(daemon, ['get', 'n']);
  t.same([sealed.code, sealed.stdout.length], [5, 0]);
  t.match(sealed.stderr, 'mav unseal');
  await daemon.stop();
  const key = readFileSync(keyFile);
  rmSync(keyFile);
  const keyless = await run(sandbox, ['get', 'n']);
  t.equal(keyless.code, 5);
  t.match(
    keyless.stderr,
    /key file .* is not there; put your copy of it back, then try again/,
    'no daemon to unseal',
  );
  writeFileSync(keyFile, key, { mode: 0o400 });
  t.equal((await succeed(t, sandbox, ['get', 'n'])).stdout.toString(), 'v');
});

t.test(
  'a passphrase vault > no daemon and nobody to ask > exit 5, or opened with --passphrase-file',
  async (t) => {
    const sandbox = await createPassphraseVault(t);
    const pass = sandbox.passphraseFile;
    const sealed = await run(sandbox, ['get', 'n']);
    t.equal(sealed.code, 5);
    t.match(
      sealed.stderr,
      /needs its passphrase; run this on a terminal, give --passphrase-file FILE, or start the daemon: mav serve/,
    );
    await succeed(t, sandbox, ['set', 'n', '--passphrase-file', pass], 'v');
    t.equal((await succeed(t, sandbox, ['get', 'n', '--passphrase-file', pass])).stdout.toString(), 'v');
    writeFileSync(pass, 'another one');
    const wrong = await run(sandbox, ['get', 'n', '--passphrase-file', pass]);
    t.same(
      [wrong.code, wrong.stderr],
      [5, `mav: the passphrase in the file ${pass} is wrong; put the right one there, then try again\n`],
    );
  },
);
