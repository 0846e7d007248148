/** Which variables `mav exec` lays: from secrets, from an env file, and what it refuses. */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { createStored, exec, serveStored, store } from './fixtures/variables.ts';
import { BIN, createSandbox, type Finished, MAV, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);

/** What the env files of these tests refer to. */
let served: Sandbox;
t.before(async () => {
  served = await serveStored(t, [
    ['db-password', `it's "quoted"\n`],
    ['a/b #c', 'odd', { environment: 'pröd' }],
    ['db', 'localhost', { environment: 'prod', field: 'host name' }],
  ]);
});

/** Runs `exec` with a program that leaves a trace, and checks that it never started. */
async function refuse(t: Test, sandbox: Sandbox, args: readonly string[]): Promise<Finished> {
  const trace = join(sandbox.folder, 'trace');
  const refused = await exec(sandbox, [...args, '--', 'touch', trace]);
  t.notOk(existsSync(trace), 'the program is not run');
  t.equal(refused.stdout, '');
  t.notMatch(refused.stderr, 'canary', 'no value is said');
  t.equal(refused.stderr.trimEnd().split('\n').length, 1, 'one line');
  return refused;
}

t.test(
  'exec > secrets that would share a variable, or are not there > nothing is run, and each is named',
  async (t) => {
    const daemon = await startDaemon(t);
    const put = (name: string, value: string | Uint8Array, environment: string, field?: string) =>
      store(daemon, name, value, { environment, ...(field === undefined ? {} : { field }) });
    await put('good', 'v', '');
    await put('a-b', 'canary', 'twice');
    await put('a.b', 'canary', 'twice');
    await put('a', 'canary', 'field');
    await put('a', 'canary', 'field', 'b');
    await put('a_b', 'canary', 'field');
    await put('go-od', 'canary', 'above');
    await put('go.od', 'canary', 'above');
    const cases: readonly (readonly [string, number, RegExp])[] = [
      ['twice', 2, /a-b in twice and a\.b in twice would both become A_B/],
      ['field', 2, /the field b of a in field and a_b in field would both become A_B/],
      ['above', 2, /GO_OD/],
    ];
    for (const [environment, code, message] of cases) {
      const refused = await refuse(t, daemon, ['--env', environment]);
      t.equal(refused.code, code, environment);
      t.match(refused.stderr, message);
      t.equal((await exec(daemon, ['--env', environment, '--only', 'good', 'true'])).code, 0, 'left out');
    }
    const missing = await refuse(t, daemon, ['--only', 'good,no-such,nor-this', '--env', 'twice']);
    t.equal(missing.code, 3);
    t.match(missing.stderr, 'no-such in twice, nor-this in twice');
    for (const args of [['--only', 'good,'], ['--prefix', '1x'], ['--prefix', 'a-b'], ['--nope']])
      t.equal((await refuse(t, daemon, args)).code, 2, args.join(' '));
    t.equal((await mav(daemon, ['env', '--shell', 'csh'])).code, 2);
    t.equal((await mav(daemon, ['env', '-o', 'table'])).code, 2);
    t.equal((await mav(daemon, ['env', '-o', 'json', '--shell', 'fish'])).code, 2);
  },
);

t.test('exec > an entry that fails verification > is an error only where it is needed', async (t) => {
  const sandbox = await createStored(t, [
    ['good', 'v'],
    ['bad', 'canary', { environment: 'prod' }],
  ]);
  const db = new Database(sandbox.databasePath);
  db.prepare(`UPDATE secrets SET metadata = '{"x":1}' WHERE name = 'bad'`).run();
  db.close();
  t.equal((await exec(sandbox, ['printenv', 'GOOD'])).stdout, 'v\n');
  t.equal((await exec(sandbox, ['--env', 'prod', '--only', 'good', 'printenv', 'GOOD'])).stdout, 'v\n');
  for (const args of [[], ['--only', 'bad']]) {
    const refused = await exec(sandbox, ['--env', 'prod', ...args, '--', 'echo', 'ran']);
    t.same([refused.code, refused.stdout], [1, '']);
    t.match(refused.stderr, /mav: (bad in prod|mav:\/\/prod\/bad): .*integrity/);
  }
});

t.test('exec, env > an env file > gives its variables and no others', async (t) => {
  const path = join(served.folder, 'vars.env');
  writeFileSync(
    path,
    `\ufeff# comment
A=mav:///db-password
  export B = "mav://prod/db#host%20name" # comment

C=mav://pr%C3%B6d/a/b%20%23c\r
D='literal $HOME # kept'
E="two\\nlines
\\"three\\""
F=plain # comment
G=
A2=mav:///db-password
`,
  );
  const show = [
    'node',
    '-e',
    'console.log(JSON.stringify(Object.entries(process.env).filter(([k]) => /^[A-G]2?$|^DB_/.test(k))))',
  ];
  const { stdout, stderr } = await exec(served, ['--env-file', path, '--', ...show], {
    env: { PATH: `${join(process.execPath, '..')}:${process.env.PATH}` },
  });
  t.equal(stderr, '');
  t.same(Object.fromEntries(JSON.parse(stdout)), {
    A: `it's "quoted"\n`,
    B: 'localhost',
    C: 'odd',
    D: 'literal $HOME # kept',
    E: 'two\nlines\n"three"',
    F: 'plain',
    G: '',
    A2: `it's "quoted"\n`,
  });
  const printed = await mav(served, ['env', '--env-file', path]);
  t.match(printed.stdout, `export A='it'\\''s "quoted"\n'\n`);
});

t.test(
  'exec > an env file, as mav is installed > read from a pipe too, and refused if it is not there',
  async (t) => {
    // In `node bin.js exec --env-file …` Node would read the option itself, and leave the pipe empty.
    const installed = (script: string) =>
      spawnSync('bash', ['-c', script], {
        env: { ...served.env, PATH: `${join(process.execPath, '..')}:${process.env.PATH}`, MAV },
        encoding: 'utf8',
      });
    t.equal(installed('"$MAV" exec --env-file <(echo PIPED=1) printenv PIPED').stdout, '1\n');
    const unfound = installed('"$MAV" exec --env-file /nonexistent printenv');
    t.same([unfound.status, unfound.stdout], [1, '']);
    t.match(unfound.stderr, /^mav: \/nonexistent cannot be read/);
  },
);

t.test('exec > an env file that cannot be followed > refused with its line, and no value said', async (t) => {
  const path = join(served.folder, 'refused.env');
  const refusals: readonly (readonly [string, number, RegExp])[] = [
    [
      'X=1\nA=mav:///nope\nB=mav://prod/db\n',
      3,
      /mav:\/\/\/nope \(.*line 2\), mav:\/\/prod\/db \(.*line 3\)/,
    ],
    ['A=mav://db\nB=canary', 2, /line 1: not a reference/],
    ['\n\nA=mav:///%zz', 2, /line 3: not a reference/],
    ['A=1\ncanary\n', 2, /line 2: not an assignment/],
    ['A="1\ncanary\n', 2, /line 1: the quotes around the value do not end/],
    ["A='1' canary\n", 2, /line 1: text follows the closing quote/],
    ['1A=canary\n', 2, /line 1: a variable's name has ASCII letters/],
    ['A=canary\0\n', 2, /line 1: the value has a NUL byte/],
  ];
  for (const [text, code, message] of refusals) {
    writeFileSync(path, text);
    const refused = await refuse(t, served, ['--env-file', path]);
    t.equal(refused.code, code, JSON.stringify(text));
    t.match(refused.stderr, message);
  }
  writeFileSync(path, Buffer.from([0x41, 0x3d, 0xff]));
  t.equal((await refuse(t, served, ['--env-file', path])).code, 2);
  for (const args of [
    ['--only', 'a'],
    ['--prefix', 'A'],
    ['--env', 'prod'],
  ])
    t.equal((await refuse(t, served, ['--env-file', path, ...args])).code, 2, args.join(' '));
});

t.test('exec > an env file without references > needs no vault', async (t) => {
  const sandbox = createSandbox(t);
  writeFileSync(join(sandbox.folder, 'x.env'), 'LITERAL=1');
  t.equal((await exec(sandbox, ['--env-file', 'x.env', 'printenv', 'LITERAL'])).stdout, '1\n');
});

t.test('exec > the environment has what is not UTF-8 > says so', async (t) => {
  const sandbox = createSandbox(t);
  writeFileSync(join(sandbox.folder, 'x.env'), 'A=1');
  const script = `ODD=$(printf '\\377') exec '${process.execPath}' '${BIN}' exec --env-file x.env true`;
  const { stderr, status } = spawnSync('sh', ['-c', script], {
    env: sandbox.env,
    cwd: sandbox.folder,
    encoding: 'utf8',
  });
  t.same([status, stderr], [0, 'Note: not UTF-8, and changed for the program: ODD\n']);
});
