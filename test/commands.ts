/** Storing and reading secrets on the command line, byte for byte, with a daemon and without one. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { skipWithout } from './fixtures/programs.ts';
import { BIN, createSandbox, mavBytes, type Sandbox, startDaemon } from './fixtures/vault.ts';

t.setTimeout(550_000);

const run = (sandbox: Sandbox, args: readonly string[], input: string | Uint8Array = '') =>
  mavBytes(sandbox, args, { input });

/** Runs `test` with a daemon, and again without one. */
function bothWays(name: string, test: (t: Test, sandbox: Sandbox) => Promise<void>): void {
  t.test(`${name} > with a daemon`, async (t) => test(t, await startDaemon(t, { token: false })));
  t.test(`${name} > without a daemon`, async (t) => {
    const sandbox = createSandbox(t);
    const made = await run(sandbox, ['init', '--key-store', 'file']);
    t.equal(made.code, 0, made.stderr);
    await test(t, sandbox);
  });
}

async function succeed(t: Test, sandbox: Sandbox, args: readonly string[], input?: string | Uint8Array) {
  const ran = await run(sandbox, args, input);
  t.equal(ran.code, 0, `${args[0]}: ${ran.stderr}`);
  return ran;
}

const TYPED = [
  '0123',
  '-x',
  '--',
  '--env',
  ' ',
  '0x10',
  '1e3',
  'true',
  '7'.repeat(40),
  `'"\`$\\`,
  'a\nb\n',
  'grüße 🔑',
  'a=b',
  '\ufffd',
];

bothWays('set and get > values on the command line > arrive byte for byte', async (t, sandbox) => {
  for (const [index, value] of TYPED.entries()) {
    await succeed(t, sandbox, ['set', `n${index}`, '--value', value]);
    const { stdout } = await succeed(t, sandbox, ['get', `n${index}`]);
    t.equal(stdout.toString(), value, JSON.stringify(value));
  }
});

const PIPED: Readonly<Record<string, Uint8Array>> = {
  'NUL bytes': Buffer.from('a\0b\0'),
  'invalid UTF-8': Buffer.from([0xff, 0xfe, 0x80, 0x0a]),
  'a newline at the end': Buffer.from('a\n'),
  'carriage returns': Buffer.from('a\r\nb\r\n'),
  'JSON in JSON': Buffer.from('{"value":"\\u0000"}'),
  'one MiB': Buffer.alloc(1_048_576, 'mav\0\xff\n', 'latin1'),
};

bothWays('set and get > bytes by pipe and by file > come back the same', async (t, sandbox) => {
  const file = join(sandbox.folder, 'value');
  for (const [what, value] of Object.entries(PIPED)) {
    await succeed(t, sandbox, ['set', 'by pipe'], value);
    t.ok((await succeed(t, sandbox, ['get', 'by pipe'])).stdout.equals(value), `${what}, by pipe`);
    writeFileSync(file, value);
    await succeed(t, sandbox, ['set', 'by file', '--field', 'f', '--from-file', file]);
    const { stdout } = await succeed(t, sandbox, ['get', 'by file', '--field', 'f']);
    t.ok(stdout.equals(value), `${what}, by file`);
  }
});

bothWays('names > of any kind > reach the secret they name', async (t, sandbox) => {
  const names = ['-x', '--', 'a/b', 'a b', '%2F', '?#&=+', 'grüße', '..', '0123', '{{x}}'];
  for (const name of names) {
    // In an option KEY=VALUE would be a field with its value; in a reference the field may have an =.
    const place = `mav://${[name, name].map(encodeURIComponent).join('/')}#${encodeURIComponent(name)}`;
    const words = name.includes('=') ? [place] : ['--env', name, '--field', name, '--', name];
    await succeed(t, sandbox, ['set', '--value', name, ...words]);
    const { stdout } = await succeed(t, sandbox, ['get', '--env', name, '--field', name, '--', name]);
    t.equal(stdout.toString(), name);
  }
  const listed = JSON.parse((await succeed(t, sandbox, ['list'])).stdout.toString());
  t.same(listed.map((row: { name: string }) => row.name).sort(), names.toSorted());
});

bothWays('set > value, metadata, fields > change what is given and keep the rest', async (t, sandbox) => {
  const entry = async () =>
    JSON.parse((await succeed(t, sandbox, ['get', 'db', '-o', 'json'])).stdout.toString());
  await succeed(t, sandbox, ['set', 'db', '--value', 'one', '-m', 'owner=me', '--metadata', 'n=01=2']);
  await succeed(t, sandbox, ['set', 'db', '--field', 'host', '--value', 'h']);
  t.match(await entry(), { value: 'one', metadata: { owner: 'me', n: '01=2' }, fields: { host: 'h' } });
  await succeed(t, sandbox, ['set', 'db', '--value', 'two']);
  t.match(await entry(), { value: 'two', metadata: { owner: 'me', n: '01=2' }, fields: { host: 'h' } });
  await succeed(t, sandbox, ['set', 'db', '--value', 'three', '-m', 'k=v']);
  t.same((await entry()).metadata, { k: 'v' });
  const generated = await succeed(t, sandbox, ['set', 'db', '--generate', '--length', '20', '--no-symbols']);
  t.match(generated.stderr, /bits of entropy/);
  t.match((await entry()).value, /^[A-Za-z0-9]{20}$/);
  t.notMatch(generated.stderr + generated.stdout, (await entry()).value, 'and it is not shown');
  t.same([(await entry()).metadata, (await entry()).fields], [{ k: 'v' }, { host: 'h' }]);
  await succeed(t, sandbox, ['set', 'only-fields', '--field', 'a', '--value', 'b']);
  const none = await run(sandbox, ['get', 'only-fields']);
  t.equal(none.code, 3);
  t.match(none.stderr, 'no value of its own');
});

bothWays('list, search, rename, delete > as in a day > do what they say', async (t, sandbox) => {
  for (const [name, env, owner] of [
    ['a1', '', 'me'],
    ['a2', 'prod', 'you'],
    ['b1', 'prod', 'me'],
  ] as const)
    await succeed(t, sandbox, ['set', name, '--value', 'v', '--env', env, '-m', `owner=${owner}`]);
  const names = async (...args: string[]) =>
    JSON.parse((await succeed(t, sandbox, args)).stdout.toString()).map(
      (row: { name: string; environment: string }) => `${row.name}@${row.environment}`,
    );
  t.same(await names('list'), ['a1@', 'a2@prod', 'b1@prod']);
  t.same(await names('ls', '--env', ''), ['a1@']);
  t.same(await names('list', '--env', 'prod', '--filter', 'B'), ['b1@prod']);
  t.same(await names('list', '--metadata-key', 'owner', '--metadata-value', 'me'), ['a1@', 'b1@prod']);
  t.same(await names('search', 'YOU'), ['a2@prod']);
  const table = await succeed(t, sandbox, ['list', '-o', 'table']);
  t.matchSnapshot(table.stdout.toString().replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, '<time>'), 'the table');
  const taken = await run(sandbox, ['rename', 'a2', 'b1', '--env', 'prod']);
  t.equal(taken.code, 1, 'a name that is taken');
  await succeed(t, sandbox, ['rename', 'a2', 'a3', '--env', 'prod', '--to-env', 'dev']);
  t.same(await names('list', '--env', 'dev'), ['a3@dev']);
  t.equal((await run(sandbox, ['rename', 'a2', 'a3', '--env', 'prod'])).code, 3, 'a name that is gone');
  const refused = await run(sandbox, ['delete', 'a1'], 'y\n');
  t.equal(refused.code, 2, 'nobody can be asked');
  t.match(refused.stderr, '--force');
  t.same(await names('list', '--env', ''), ['a1@']);
  await succeed(t, sandbox, ['rm', 'a1', '--force']);
  t.same(await names('list', '--env', ''), []);
  t.equal((await run(sandbox, ['delete', 'a1', '--force'])).code, 3);
});

t.test('set > wrong usage > exit 2, nothing stored, nothing typed is repeated', async (t) => {
  const sandbox = await startDaemon(t, { token: false });
  const wrong: readonly (readonly [args: string[], says: RegExp])[] = [
    [['set', 'n', '--value', ''], /the value is empty/],
    [['set', 'n'], /the value is empty/],
    [['set', 'n', '--value', 'hunter2', '--generate'], /give one of --value and --generate/],
    [['set', 'n', '--value', 'hunter2', '--length', '5'], /go with --generate/],
    [['set', 'n', '--generate', '--length', '0x10'], /whole number from 1 to 4096/],
    [['set', 'n', '--value', 'hunter2', '--value', 'hunter2'], /given twice/],
    [['set', 'n', '--value'], /--value needs a value/],
    [['set', 'n', '--valeu', 'hunter2'], /unknown option; did you mean --value\?/],
    [['set', 'n', '--value', 'hunter2', '-m', 'hunter2'], /takes K=V/],
    [['set', 'n', '--value', 'hunter2', '-m', 'hunter2=1', '-m', 'hunter2=2'], /one key twice/],
    [['set', 'n', '--value', 'hunter2', '--field', 'f', '-m', 'a=b'], /not to a field/],
    [['set', 'n', '--frobnicate', 'hunter2'], /unknown option; see mav set --help/],
    [['set', 'n', 'hunter2'], /takes <name>/],
    [['set'], /takes <name>/],
    [['set', 'n', '--generate=yes'], /takes no value/],
    [['set', '', '--value', 'hunter2'], /NAME must not be empty/],
    [['ste', 'n', '--value', 'hunter2'], /did you mean mav set\?/],
    [['tokn', 'hunter2'], /which one\? mav token create, mav token list/],
    [['frobnicate', 'hunter2'], /unknown command; see mav --help/],
    [['get', 'n', '-o', 'yaml'], /--output must be value or json/],
    [['get', 'n', '-o', 'hunter2'], /must be value or json/],
    [['list', '--metadata-value', 'hunter2'], /needs --metadata-key/],
  ];
  for (const [args, says] of wrong) {
    const { code, stderr, stdout } = await run(sandbox, args);
    t.equal(code, 2, args.join(' '));
    t.match(stderr, says, args.join(' '));
    t.notMatch(stderr + stdout, 'hunter2', args.join(' '));
  }
  t.equal((await run(sandbox, ['list'])).stdout.toString(), '[]\n');
});

t.test('set > a file that is not there, and one that is too large > exit 1, nothing stored', async (t) => {
  const sandbox = await startDaemon(t, { token: false });
  const missing = await run(sandbox, ['set', 'n', '--from-file', 'nowhere']);
  t.same(
    [missing.code, missing.stderr],
    [1, 'mav: nowhere cannot be read: ENOENT (there is no such file or folder)\n'],
  );
  const large = await run(sandbox, ['set', 'n'], Buffer.alloc(1_048_577, 'x'));
  t.equal(large.code, 1);
  t.match(large.stderr, /larger than 1048576 bytes/);
  t.equal((await run(sandbox, ['list'])).stdout.toString(), '[]\n');
});

t.test('set > a newline at the end of what is piped > is stored and said, or left out', async (t) => {
  const sandbox = await startDaemon(t, { token: false });
  t.match((await succeed(t, sandbox, ['set', 'n'], 'a\n')).stderr, '--trim leaves it out');
  await succeed(t, sandbox, ['set', 'n', '--trim'], 'a\n\n');
  t.equal((await succeed(t, sandbox, ['get', 'n'])).stdout.toString(), 'a\n');
  t.equal((await succeed(t, sandbox, ['set', 'n', '-q'], 'a\n')).stderr, '', '--quiet says nothing');
});

t.test(
  'argv > a word that is no UTF-8 > refused, not stored as something else',
  { skip: skipWithout('bash') },
  async (t) => {
    const sandbox = await startDaemon(t, { token: false });
    const script = `"$0" "$1" set n --value $'\\xffa'`;
    const { status, stderr } = spawnSync('bash', ['-c', script, process.execPath, BIN], {
      env: sandbox.env,
      encoding: 'utf8',
    });
    t.equal(status, 2);
    t.match(stderr, 'not valid UTF-8');
    t.equal((await run(sandbox, ['get', 'n'])).code, 3);
  },
);

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
    '{"sokcet": "x"}': /unknown key "sokcet"; known are socket, env, output, clear/,
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
    const sandbox = createSandbox(t);
    const pass = join(sandbox.folder, 'pass');
    writeFileSync(pass, 'long enough\n', { mode: 0o600 });
    const made = await run(sandbox, ['init', '--key-store', 'passphrase', '--passphrase-file', pass]);
    t.equal(made.code, 0, made.stderr);
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

t.test('output > a reader that has gone > is no error', async (t) => {
  const sandbox = await startDaemon(t, { token: false });
  const script = `"$0" "$1" list | true; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, process.execPath, BIN], {
    env: sandbox.env,
    encoding: 'utf8',
  });
  t.same([stdout, stderr], ['0\n', '']);
});
