/** Storing and reading secrets on the command line, byte for byte, with a daemon and without one. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { run, succeed } from './fixtures/command-runs.ts';
import { skipWithout } from './fixtures/programs.ts';
import { sample } from './fixtures/sample.ts';
import { shareDaemon } from './fixtures/shared-daemon.ts';
import { BIN, createSandbox, fillVault, type Sandbox } from './fixtures/vault.ts';

const emptied = await shareDaemon(t);

t.setTimeout(550_000);

type Choose = <T>(all: readonly T[]) => readonly T[];

/**
 * Runs `test` with a daemon, and again without one. `choose`: of what is tried with a daemon, a sample is tried without,
 * because each command then opens the vault.
 */
function bothWays(name: string, test: (t: Test, sandbox: Sandbox, choose: Choose) => Promise<void>): void {
  t.test(`${name} > with a daemon`, async (t) => test(t, await emptied(), (all) => all));
  t.test(`${name} > without a daemon`, async (t) => {
    const sandbox = createSandbox(t);
    await fillVault(sandbox);
    await test(t, sandbox, (all) => sample(t, all, 4));
  });
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

bothWays('set and get > values on the command line > arrive byte for byte', async (t, sandbox, choose) => {
  for (const [index, value] of choose(TYPED).entries()) {
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

bothWays('set and get > bytes by pipe and by file > come back the same', async (t, sandbox, choose) => {
  const file = join(sandbox.folder, 'value');
  for (const [what, value] of choose(Object.entries(PIPED))) {
    await succeed(t, sandbox, ['set', 'by pipe'], value);
    t.ok((await succeed(t, sandbox, ['get', 'by pipe'])).stdout.equals(value), `${what}, by pipe`);
    writeFileSync(file, value);
    await succeed(t, sandbox, ['set', 'by file', '--field', 'f', '--from-file', file]);
    const { stdout } = await succeed(t, sandbox, ['get', 'by file', '--field', 'f']);
    t.ok(stdout.equals(value), `${what}, by file`);
  }
});

bothWays('names > of any kind > reach the secret they name', async (t, sandbox, choose) => {
  const names = choose(['-x', '--', 'a/b', 'a b', '%2F', '?#&=+', 'grüße', '..', '0123', '{{x}}']);
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
  const refused = await run(sandbox, ['purge', 'a1'], 'y\n');
  t.equal(refused.code, 2, 'nobody can be asked');
  t.match(refused.stderr, '--force');
  t.same(await names('list', '--env', ''), ['a1@']);
  await succeed(t, sandbox, ['rm', 'a1', '--force']);
  t.same(await names('list', '--env', ''), []);
  t.equal((await run(sandbox, ['delete', 'a1', '--force'])).code, 3);
});

t.test('set > wrong usage > exit 2, nothing stored, nothing typed is repeated', async (t) => {
  const sandbox = await emptied();
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
  const sandbox = await emptied();
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
  const sandbox = await emptied();
  t.match((await succeed(t, sandbox, ['set', 'n'], 'a\n')).stderr, '--trim leaves it out');
  await succeed(t, sandbox, ['set', 'n', '--trim'], 'a\n\n');
  t.equal((await succeed(t, sandbox, ['get', 'n'])).stdout.toString(), 'a\n');
  t.equal((await succeed(t, sandbox, ['set', 'n', '-q'], 'a\n')).stderr, '', '--quiet says nothing');
});

t.test(
  'argv > a word that is no UTF-8 > refused, not stored as something else',
  { skip: skipWithout('bash') },
  async (t) => {
    const sandbox = await emptied();
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

t.test('output > a reader that has gone > is no error', async (t) => {
  const sandbox = await emptied();
  const script = `"$0" "$1" list | true; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, process.execPath, BIN], {
    env: sandbox.env,
    encoding: 'utf8',
  });
  t.same([stdout, stderr], ['0\n', '']);
});
