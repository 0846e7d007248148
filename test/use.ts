/** Secrets in use: programs that get them as variables, shells that evaluate them, templates that are filled. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { CliError, EXIT } from '../src/cli/failure.ts';
import { parseDotenv } from '../src/cli/formats/dotenv.ts';
import { findShell, formatAssignment, type Shell } from '../src/cli/formats/shell-quote.ts';
import { formatReference, parseReference } from '../src/cli/input/reference.ts';
import { fillSlots, findSlots } from '../src/cli/variables/template.ts';
import { layVariables, nameVariable } from '../src/cli/variables/variables.ts';
import { skipWithout } from './fixtures/programs.ts';
import {
  ask,
  BIN,
  createSandbox,
  type Daemon,
  type Finished,
  mav,
  type Sandbox,
  spawnMav,
  startDaemon,
} from './fixtures/vault.ts';

t.setTimeout(550_000);

/** By the names of their secrets. Each is what something on the way could take for something else. */
const VALUES: Readonly<Record<string, string>> = {
  'leading-zero': '0123',
  dash: '-x',
  dashes: '--',
  space: ' ',
  hex: '0x10',
  digits: '1234567890'.repeat(4),
  quotes: `'"\`''""\`\`\\'\\"`,
  expansions: '$HOME ${HOME} $(id) `id` !! %PATH% * ~ [a-z] {a,b} &&;|<>#',
  newlines: '\nfirst\n\nsecond\r\nthird',
  'trailing-newlines': 'value\n\n\n',
  tabs: '\ttab\u0001\u001b[31m\u007f',
  backslashes: '\\n\\\\ \\$ \\',
  unicode: 'ünïcødé 🔑 ключ \ufeff\u2028 \u2018typographic\u2019 \uf600\ufdd0\uffff',
  'a/b c.d': 'odd name',
  large: 'x'.repeat(100_000),
};

const EXPECTED = new Map(
  Object.entries({ ...VALUES, 'db-host': 'localhost' }).map(([name, value]) => [
    name.replaceAll(/[^a-z]/g, '_').toUpperCase(),
    value,
  ]),
);

/** Coverage is written when a process ends, and one that becomes another program never does. */
const RECORD = `data:text/javascript,${encodeURIComponent(`
  import { takeCoverage } from 'node:v8';
  const { execve } = process;
  if (execve) process.execve = (...all) => { takeCoverage(); return execve.apply(process, all); };`)}`;
/** As it is before Node 26, where a program that does not start is the end of us: here the end is an exit code. */
const WITH_UNSAFE_EXECVE = `data:text/javascript,${encodeURIComponent(`
  Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '24.9.0' } });
  if (process.execve) process.execve = () => process.exit(99);`)}`;
const WITHOUT_EXECVE = 'data:text/javascript,delete(process.execve)';

/** Whether it throws wrong usage, and with such a message. */
function isRefused(use: () => unknown, message = /./): boolean {
  try {
    use();
    return false;
  } catch (error) {
    return error instanceof CliError && error.exitCode === EXIT.usage && message.test(error.message);
  }
}

/** `mav` in a process that first loads a module. */
function preload(sandbox: Sandbox, module: string): Sandbox {
  return { ...sandbox, env: { ...sandbox.env, NODE_OPTIONS: `--import=${module}` } };
}

function exec(sandbox: Sandbox, args: readonly string[], options: Parameters<typeof mav>[2] = {}) {
  const recorded = process.env.NODE_V8_COVERAGE === undefined ? sandbox : preload(sandbox, RECORD);
  return mav(recorded, ['exec', ...args], options);
}

async function store(
  { socket, admin }: { readonly socket: string; readonly admin: string },
  name: string,
  value: string | Uint8Array,
  { environment = '', field }: { readonly environment?: string; readonly field?: string } = {},
): Promise<void> {
  const rest = field === undefined ? '' : `/fields/${encodeURIComponent(field)}`;
  const target = `/v1/secrets/${encodeURIComponent(name)}${rest}/value?env=${encodeURIComponent(environment)}`;
  const { status, text } = await ask(socket, 'PUT', target, { token: admin, body: Buffer.from(value) });
  if (status >= 300) throw new Error(text);
}

type Given = readonly (readonly [string, string | Uint8Array, { environment?: string; field?: string }?])[];

/** A vault with what the tests of one subject need, served by a daemon. */
async function serveStored(t: Test, secrets: Given): Promise<Daemon> {
  const daemon = await startDaemon(t);
  for (const [name, value, place] of secrets) await store(daemon, name, value, place);
  return daemon;
}

/** As serveStored, but nobody serves it any more: each command holds the vault itself. */
async function createStored(t: Test, secrets: Given): Promise<Sandbox> {
  const daemon = await serveStored(t, secrets);
  await daemon.stop();
  return daemon;
}

/** What `env -0` printed, without what was there anyway. */
function parseEnvironment(output: string): Map<string, string> {
  const pairs = output
    .split('\0')
    .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]);
  return new Map(pairs.filter(([name = '']) => EXPECTED.has(name)) as [string, string][]);
}

const SCRIPTS = {
  bash: 'eval "$("$NODE" "$BIN" env)"; env -0',
  dash: 'eval "$("$NODE" "$BIN" env --shell sh)"; env -0',
  zsh: 'eval "$("$NODE" "$BIN" env --shell zsh)"; env -0',
  fish: 'eval ($NODE $BIN env --shell fish); env -0',
  'fish by source': '$NODE $BIN env --shell fish | source; env -0',
} as const;

/** Everything that came out is what was stored, for each way a program can get it. */
async function testAllValues(t: Test, sandbox: Sandbox, env: NodeJS.ProcessEnv): Promise<void> {
  const ran = await exec(sandbox, ['--', 'env', '-0'], { env });
  t.equal(ran.stderr, '');
  t.same(parseEnvironment(ran.stdout), EXPECTED, 'exec');
  for (const [title, script] of Object.entries(SCRIPTS)) {
    const [shell = ''] = title.split(' ');
    if (skipWithout(shell)) continue;
    const { stdout, stderr } = spawnSync(shell, ['-c', script], {
      env: { ...sandbox.env, ...env, NODE: process.execPath, BIN },
      cwd: sandbox.folder,
      encoding: 'utf8',
      maxBuffer: 10_000_000,
    });
    t.equal(stderr, '', title);
    t.same(parseEnvironment(stdout), EXPECTED, title);
  }
  const json = await mav(sandbox, ['env', '-o', 'json'], { env });
  t.same(new Map(Object.entries(JSON.parse(json.stdout))), EXPECTED, 'json');
  const dotenv = await mav(sandbox, ['env', '--output', 'dotenv'], { env });
  const parsed = parseDotenv('file', dotenv.stdout).map(({ name, value }) => [name, value] as const);
  t.same(new Map(parsed), EXPECTED, 'dotenv');
  const path = join(sandbox.folder, 'written.env');
  writeFileSync(path, dotenv.stdout);
  const fromFile = await exec(sandbox, ['--env-file', path, 'env', '-0'], { env });
  t.same(parseEnvironment(fromFile.stdout), EXPECTED, 'dotenv, as an env file');
}

t.test('exec, env > any text > comes out as it was stored, whichever the way in', async (t) => {
  const daemon = await startDaemon(t);
  for (const [name, value] of Object.entries(VALUES)) await store(daemon, name, value);
  await store(daemon, 'db', 'localhost', { field: 'host' });
  await store(daemon, 'elsewhere', 'not wanted', { environment: 'other' });
  await testAllValues(t, daemon, {});
  const { token } = await daemon.createToken(['read']);
  await testAllValues(t, daemon, { MAV_TOKEN: token });
  const { token: weak } = await daemon.createToken(['generate']);
  t.equal((await exec(daemon, ['true'], { env: { MAV_TOKEN: weak } })).code, EXIT.notAllowed);
  await daemon.stop();
  await testAllValues(t, daemon, {});
});

t.test('env > into shells that read any text > come out as they were', (t) => {
  const sandbox = createSandbox(t);
  const text = fc
    .string({
      unit: fc.oneof(
        fc.constantFrom(...`'"\`\\$!\n\r \t#;(){}`),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
      ),
    })
    .map((value) => value.replaceAll('\0', ''));
  const runs: readonly (readonly [string, Shell, (script: string) => string])[] = [
    ['bash', 'bash', (script) => script],
    ['dash', 'bash', (script) => script],
    ['zsh', 'bash', (script) => script],
    // What a command substitution makes of the lines, and eval of these.
    ['fish', 'fish', (script) => script.replaceAll('\n', ' ')],
  ];
  for (const [program, shell, change] of runs) {
    if (skipWithout(program)) continue;
    fc.assert(
      fc.property(fc.array(text, { minLength: 20, maxLength: 40 }), (values) => {
        const lines = values.map((value, at) => formatAssignment(shell, `V${at}_PATH`, value));
        const input = `${change(lines.join('\n'))}\nenv -0`;
        const { stdout } = spawnSync(program, ['-c', input], {
          env: { PATH: process.env.PATH, HOME: sandbox.env.HOME },
          encoding: 'utf8',
        });
        const got = new Map(stdout.split('\0').map((pair) => pair.split(/=(.*)/s, 2) as [string, string]));
        for (const [at, value] of values.entries())
          if (got.get(`V${at}_PATH`) !== value)
            throw new Error(`${program}: ${JSON.stringify([value, got.get(`V${at}_PATH`)])}`);
      }),
      { numRuns: 10 },
    );
    t.pass(program);
  }
  t.end();
});

t.test('env > PowerShell > quotes, typographic ones too, and newlines', (t) => {
  const format = (value: string) => formatAssignment('pwsh', 'K', value);
  t.equal(format("it's $HOME `n"), "$env:K = 'it''s $HOME `n'");
  t.equal(format('\u2018\u2019\u201a\u201b'), "$env:K = '\u2018\u2018\u2019\u2019\u201a\u201a\u201b\u201b'");
  t.equal(format('a\nb\r\n'), `$env:K = 'a' + "\`n" + 'b' + "\`r" + '' + "\`n" + ''`);
  t.end();
});

t.test('env > PowerShell that is there > reads any text', { skip: skipWithout('pwsh') }, (t) => {
  const input = Object.values(VALUES).map((value, at) => formatAssignment('pwsh', `V${at}`, value));
  const { stdout } = spawnSync('pwsh', ['-NoProfile', '-Command', `${input.join('\n')}\nenv -0`], {
    encoding: 'utf8',
  });
  for (const [at, value] of Object.values(VALUES).entries()) t.ok(stdout.includes(`V${at}=${value}\0`));
  t.end();
});

t.test('exec > environments > --env lies on top of the default one, variable by variable', async (t) => {
  const sandbox = await serveStored(t, [
    ['db', 'base'],
    ['db', 'base-host', { field: 'host' }],
    ['only-base', 'base'],
    ['db', 'prod', { environment: 'prod' }],
    ['api', 'prod', { environment: 'prod' }],
  ]);
  const show = async (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const { code, stdout, stderr } = await mav(sandbox, ['env', '-o', 'json', ...args], { env });
    t.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const base = { DB: 'base', DB_HOST: 'base-host', ONLY_BASE: 'base' };
  const prod = { ...base, API: 'prod', DB: 'prod' };
  t.same(await show([]), base);
  t.same(await show(['--env', 'prod']), prod);
  t.same(await show([], { MAV_ENV: 'prod' }), prod);
  t.same(await show(['--env', ''], { MAV_ENV: 'prod' }), base);
  t.same(await show(['--env', 'prod', '--only', 'db,api', '--prefix', 'x_']), {
    x_API: 'prod',
    x_DB: 'prod',
    x_DB_HOST: 'base-host',
  });
  t.same(await show(['--only', 'db', '--only', 'only-base', '--env', 'prod']), {
    DB: 'prod',
    DB_HOST: 'base-host',
    ONLY_BASE: 'base',
  });
  const inherited = await exec(sandbox, ['--env=prod', 'sh', '-c', 'echo "$DB $OTHER"'], {
    env: { DB: 'mine', OTHER: 'mine' },
  });
  t.equal(inherited.stdout, 'prod mine\n');
});

t.test(
  'exec > the program > has nothing of ours but its variables',
  { skip: !existsSync('/proc/self/fd') },
  async (t) => {
    const sandbox = await createStored(t, [['db', 'v']]);
    const script = `
    umask 022
    exec "$NODE" "$BIN" exec -- sh -c '
      umask; ls -l /proc/self/fd; grep -E "^(Threads|SigIgn|SigBlk):" /proc/self/status
      "$NODE" "$BIN" list -o table; echo "$DB"; cat'`;
    const input = Buffer.from([0, 1, 0xff, 0x0a, 0x41]);
    const { stdout, stderr, status } = spawnSync('sh', ['-c', script], {
      env: { ...sandbox.env, NODE: process.execPath, BIN },
      cwd: sandbox.folder,
      input,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    t.same([status, stderr.toString()], [0, '']);
    const text = stdout.toString('latin1');
    t.match(text, /^0022\n/);
    t.notMatch(text, sandbox.folder, 'no descriptor of the vault');
    t.match(text, /Threads:\t1\n/);
    t.match(text, /SigBlk:\t0+\n/);
    t.match(text, /SigIgn:\t0+\n/, 'a pipe that is closed ends the program as ever');
    t.match(text, /\ndb +/, 'the vault is free for others');
    t.ok(
      stdout.subarray(-7).equals(Buffer.concat([Buffer.from('v\n'), input])),
      'standard input is untouched',
    );
  },
);

/** The flags of open(2) that the program finds on its standard input, output and error. */
const FLAGS = 'for fd in 0 1 2; do grep ^flags: /proc/self/fdinfo/$fd; done';
const NON_BLOCKING = 0o4000;

function readFlags(output: string): number[] {
  return [...output.matchAll(/flags:\s+([0-7]+)/g)].map(([, flags = '']) => Number.parseInt(flags, 8));
}

t.test(
  'exec > pipes and terminals > block, as programs expect',
  { skip: existsSync('/proc/self/fd') ? skipWithout('script') : 'no /proc here' },
  async (t) => {
    const daemon = await startDaemon(t);
    const run = (command: string, args: readonly string[]) =>
      spawnSync(command, args, {
        env: { ...daemon.env, NODE: process.execPath, BIN, FLAGS },
        encoding: 'utf8',
      }).stdout;
    const command = '"$NODE" "$BIN" exec --env none --allow-empty sh -c "$FLAGS"';
    for (const owner of ['daemon', 'command line']) {
      const piped = run('sh', ['-c', `echo | { ${command} 2>&1; } | cat`]);
      t.match(piped, 'no secrets', owner);
      const flags = [...readFlags(piped), ...readFlags(run('script', ['-qec', command, '/dev/null']))];
      t.equal(flags.length, 6);
      for (const one of flags) t.equal(one & NON_BLOCKING, 0, owner);
      if (owner === 'daemon') await daemon.stop();
    }
  },
);

/** `exec` in a process of its own, up to its program's first line. */
async function startProgram(sandbox: Sandbox, script: string) {
  const child = spawnMav(sandbox, ['exec', '--', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  const [line] = await Promise.race([once(child.stdout!.setEncoding('utf8'), 'data'), ended]);
  return { child, line: String(line), ended };
}

const WAIT = 'while :; do sleep 0.05; done';

t.test('exec > signals and exit codes > are those of the program', async (t) => {
  const sandbox = await createStored(t, [['db', 'v']]);
  const trapping = await startProgram(sandbox, `trap 'exit 43' TERM; echo $$; ${WAIT}`);
  t.equal(trapping.line, `${trapping.child.pid}\n`, 'the very same process');
  trapping.child.kill('SIGTERM');
  t.same(await trapping.ended, [43, null]);
  const plain = await startProgram(sandbox, `echo $$; ${WAIT}`);
  plain.child.kill('SIGINT');
  t.same(await plain.ended, [null, 'SIGINT']);
  t.equal((await exec(sandbox, ['--', 'sh', '-c', 'exit 200'])).code, 200);
});

t.test('exec > where a process cannot become another > a child gets signals, its end is ours', async (t) => {
  const sandbox = preload(await serveStored(t, [['db', 'v']]), WITHOUT_EXECVE);
  const trapping = await startProgram(sandbox, `trap 'exit 43' TERM; echo $$; ${WAIT}`);
  t.not(trapping.line, `${trapping.child.pid}\n`);
  trapping.child.kill('SIGTERM');
  t.same(await trapping.ended, [43, null]);
  const plain = await startProgram(sandbox, `echo $$; exec sleep 600`);
  plain.child.kill('SIGHUP');
  t.same(await plain.ended, [128 + 1, null]);
  const echoed = await mav(sandbox, ['exec', 'sh', '-c', 'cat; echo "$DB"; exit 7'], { input: 'in ' });
  t.same([echoed.code, echoed.stdout], [7, 'in v\n']);
  t.equal((await mav(sandbox, ['exec', 'no-such-program'])).code, 127);
});

t.test('exec > programs that cannot be run > as a shell says it', async (t) => {
  const sandbox = await serveStored(t, [['db', 'v']]);
  const write = (name: string, content: string, mode: number) => {
    const path = join(sandbox.folder, name);
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  };
  write('plain', 'text', 0o644);
  write('bare', 'echo "bare $1 $DB"', 0o755);
  write('lost', '#!/nonexistent/interpreter\n', 0o755);
  mkdirSync(join(sandbox.folder, 'folder'));
  const code = async (command: string, env: NodeJS.ProcessEnv = {}) =>
    (await exec(sandbox, ['--', command], { env })).code;
  t.equal(await code('no-such-program'), 127);
  t.equal(await code('./no-such-program'), 127);
  t.equal(await code('plain/x'), 127);
  t.equal(await code(''), 127);
  t.equal(await code('./plain'), 126);
  t.equal(await code('./folder'), 126);
  t.equal(await code('./lost'), 126);
  t.equal(await code('plain', { PATH: sandbox.folder }), 126);
  const bare = await exec(sandbox, ['bare', '--', '-x'], { env: { PATH: `:${process.env.PATH}` } });
  t.same([bare.code, bare.stdout], [0, 'bare -- v\n'], 'options end at the program');
  t.equal((await exec(sandbox, ['--'])).code, 2);
  const path = write('path.env', `PATH=${sandbox.folder}:/bin:/usr/bin`, 0o600);
  t.equal(
    (await exec(sandbox, ['--env-file', path, 'bare', 'x'])).stdout,
    'bare x \n',
    'found on its own PATH',
  );
});

t.test('exec > a failing execve would abort > a program that may not start is a child', async (t) => {
  const daemon = await serveStored(t, [['db', 'v']]);
  const sandbox = preload(daemon, WITH_UNSAFE_EXECVE);
  writeFileSync(join(daemon.folder, 'bare'), 'echo "bare $DB"', { mode: 0o755 });
  writeFileSync(join(daemon.folder, 'lost'), '#!/nonexistent/interpreter -x\n', { mode: 0o755 });
  writeFileSync(join(daemon.folder, 'script'), '#! /bin/sh\n', { mode: 0o755 });
  const run = (...args: string[]) => mav(sandbox, ['exec', ...args]);
  const bare = await run('--only', 'db', './bare');
  t.same([bare.code, bare.stdout], [0, 'bare v\n']);
  t.match(await run('--only', 'db', './lost'), { code: 126, stderr: 'its interpreter is not there' });
  for (const command of ['true', './script'])
    t.equal((await run('--only', 'db', command)).code, 99, 'execve');
});

t.test('exec > more than a program can be given > names what is too large', async (t) => {
  // Each fits, and all of them together are more than Linux takes at most, whatever ulimit -s says (6 MiB).
  const large = Array.from({ length: 60 }, (_, at) => [`large-${at}`, 'x'.repeat(120_000 + at)] as const);
  const sandbox = await serveStored(t, [...large, ['small', 'v']]);
  const refused = await exec(sandbox, ['env']);
  t.equal(refused.code, 126);
  t.match(refused.stderr, /larger than this system allows; LARGE_59 is the largest/);
  t.equal((await exec(sandbox, ['-f', 'small', 'printenv', 'SMALL'])).stdout, 'v\n');
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

t.test('exec > an env file > gives its variables and no others', async (t) => {
  const sandbox = await serveStored(t, [
    ['db-password', `it's "quoted"\n`],
    ['a/b #c', 'odd', { environment: 'pröd' }],
    ['db', 'localhost', { environment: 'prod', field: 'host name' }],
  ]);
  const path = join(sandbox.folder, 'vars.env');
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
  const { stdout, stderr } = await exec(sandbox, ['--env-file', path, '--', ...show], {
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
  // As it is installed: where Node is given the program, it reads this option itself, and the pipe empty.
  const installed = (script: string) =>
    spawnSync('bash', ['-c', script], {
      env: { ...sandbox.env, PATH: `${join(process.execPath, '..')}:${process.env.PATH}`, BIN },
      encoding: 'utf8',
    });
  t.equal(installed('"$BIN" exec --env-file <(echo PIPED=1) printenv PIPED').stdout, '1\n');
  const unfound = installed('"$BIN" exec --env-file /nonexistent printenv');
  t.same([unfound.status, unfound.stdout], [1, '']);
  t.match(unfound.stderr, /^mav: \/nonexistent cannot be read/);
  const printed = await mav(sandbox, ['env', '--env-file', path]);
  t.match(printed.stdout, `export A='it'\\''s "quoted"\n'\n`);
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
    const refused = await refuse(t, sandbox, ['--env-file', path]);
    t.equal(refused.code, code, JSON.stringify(text));
    t.match(refused.stderr, message);
  }
  writeFileSync(path, Buffer.from([0x41, 0x3d, 0xff]));
  t.equal((await refuse(t, sandbox, ['--env-file', path])).code, 2);
  for (const args of [
    ['--only', 'a'],
    ['--prefix', 'A'],
    ['--env', 'prod'],
  ])
    t.equal((await refuse(t, sandbox, ['--env-file', path, ...args])).code, 2, args.join(' '));
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

async function testInject(t: Test, sandbox: Sandbox, env: NodeJS.ProcessEnv): Promise<void> {
  const bytes = Buffer.from([0, 0xff, 0x0d, 0x0a]);
  const template = Buffer.concat([
    bytes,
    Buffer.from(
      '{{ mav:///db-password }}{{mav://prod/db#host}} {{ other }} {{{ mav:///db-password\t}}} {{ mav:///bytes }}',
    ),
    bytes,
  ]);
  const expected = Buffer.concat([
    bytes,
    Buffer.from('{{ mav:///db#host }}localhost {{ other }} {{{ mav:///db#host }}} '),
    Buffer.from([0, 0xfe]),
    bytes,
  ]);
  const from = join(sandbox.folder, 'template');
  const to = join(sandbox.folder, 'output');
  writeFileSync(from, template);
  writeFileSync(to, 'before', { mode: 0o644 });
  const { code, stdout, stderr } = await mav(sandbox, ['inject', '-i', from, '-o', to], { env });
  t.same([code, stdout, stderr], [0, '', '']);
  t.ok(readFileSync(to).equals(expected));
  t.equal(statSync(to).mode & 0o777, 0o600);
  const piped = spawnSync(process.execPath, [BIN, 'inject', '-i', '-', '--output', '-'], {
    env: { ...sandbox.env, ...env },
    input: template,
  });
  t.ok(piped.stdout.equals(expected));
}

t.test('inject > references in any bytes > become values, and nothing else changes', async (t) => {
  const daemon = await startDaemon(t);
  // What looks like a reference in a value stays what it is.
  await store(daemon, 'db-password', '{{ mav:///db#host }}');
  await store(daemon, 'bytes', Buffer.from([0, 0xfe]));
  await store(daemon, 'db', 'localhost', { environment: 'prod', field: 'host' });
  await testInject(t, daemon, {});
  const { token } = await daemon.createToken(['read']);
  await testInject(t, daemon, { MAV_TOKEN: token });
  await daemon.stop();
  await testInject(t, daemon, {});
});

/** Stops the daemon, so that its log is whole, and counts the requests that it answered by the path of their route. */
async function countRequests(daemon: Daemon): Promise<Map<string, number>> {
  await daemon.stop();
  const counts = new Map<string, number>();
  for (const { route } of daemon.log()) if (route) counts.set(route, (counts.get(route) ?? 0) + 1);
  return counts;
}

t.test('inject > many references > asked for by the hundred, each but once', async (t) => {
  const daemon = await startDaemon(t);
  const bytes = Buffer.from([0, 0xfe]).toString('base64');
  const secrets = Array.from({ length: 250 }, (_, at) => ({
    name: `n${at}`,
    ...(at % 2 === 0 ? { value: `v${at}` } : { value: bytes, encoding: 'base64' }),
    fields: { f: `field of ${at}` },
  }));
  t.equal((await daemon.ask('POST', '/v1/import', { body: { secrets } })).status, 200);
  const slots = secrets.map(({ name }, at) =>
    at % 3 === 0 ? `{{ mav:///${name}#f }}` : `{{ mav:///${name} }}`,
  );
  const { code, stdout } = await mav(daemon, ['inject', '-o', '-'], {
    input: [...slots, ...slots].join('\n'),
  });
  t.equal(code, 0);
  const values = secrets.map(({ fields, value }, at) =>
    at % 3 === 0 ? fields.f : at % 2 === 0 ? value : Buffer.from(bytes, 'base64').toString(),
  );
  t.equal(stdout, [...values, ...values].join('\n'));
  const counts = await countRequests(daemon);
  t.equal(counts.get('/v1/secrets/batch-get'), 3);
  t.notOk(counts.has('/v1/secrets/:name/value'), 'and nothing one by one');
});

t.test('inject, exec > more than one batch holds > had all the same', async (t) => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const stored = names.map((name) => [name, name.repeat(900_000)] as const);
  const daemon = await serveStored(t, [...stored, ['a', 'short', { environment: 'prod' }]]);
  const input = names.map((name) => `{{ mav:///${name} }}`).join('\n');
  const { code, stdout } = await mav(daemon, ['inject'], { input });
  t.equal(code, 0);
  t.ok(stdout === names.map((name) => name.repeat(900_000)).join('\n'));
  const env = await mav(daemon, ['env', '-o', 'json', '--only', names.join(), '--env', 'prod']);
  t.equal(env.code, 0);
  t.ok(
    isDeepStrictEqual(JSON.parse(env.stdout), {
      ...Object.fromEntries(names.map((name) => [name.toUpperCase(), name.repeat(900_000)])),
      A: 'short',
    }),
  );
  const counts = await countRequests(daemon);
  t.equal(counts.get('/v1/secrets/:name/value'), stored.length + 1 + names.length, 'stored, then one by one');
  t.equal(counts.get('/v1/secrets/:name'), names.length, 'those of the batch that was too large');
});

t.test('inject > one of many fails > is named, and what it does not spoil is had', async (t) => {
  const daemon = await serveStored(t, [
    ['db', 'v'],
    ['db', 'canary', { field: 'bad' }],
    ['fields-only', 'of a field', { field: 'f' }],
  ]);
  const db = new Database(daemon.databasePath);
  db.prepare(`UPDATE fields SET updated_at = updated_at + 1 WHERE field = 'bad'`).run();
  db.close();
  const inject = (input: string, env = {}) => mav(daemon, ['inject'], { input, env });
  const good = await inject('{{ mav:///db }} {{ mav:///fields-only#f }}');
  t.same([good.code, good.stdout], [0, 'v of a field']);
  const { token } = await daemon.createToken(['write']);
  const long = 'n'.repeat(513);
  const cases: readonly (readonly [Finished, number, string])[] = [
    [
      await inject('{{ mav:///db }} {{ mav:///db#bad }}'),
      1,
      'mav:///db#bad: stored data failed its integrity',
    ],
    [await inject('{{ mav:///fields-only }}'), 3, 'nothing stored for mav:///fields-only (line 1)'],
    [
      await inject(`{{ mav:///db }} {{ mav:///${long} }}`),
      2,
      `mav:///${long}: "name" must be at most 512 bytes`,
    ],
    [
      await inject('{{ mav:///db }}', { MAV_TOKEN: token }),
      4,
      'mav:///db: the token does not have the scope',
    ],
  ];
  for (const [{ code, stdout, stderr }, wanted, message] of cases) {
    t.same([code, stdout], [wanted, ''], message.slice(0, 40));
    t.ok(stderr.includes(message), message.slice(0, 40));
    t.notMatch(stderr, 'canary');
  }
});

t.test('inject > what cannot be done > writes nothing and says where', async (t) => {
  const sandbox = await serveStored(t, [['db', 'canary']]);
  const from = join(sandbox.folder, 'template');
  const to = join(sandbox.folder, 'output');
  const run = (target = to) => mav(sandbox, ['inject', '-i', from, '-o', target]);
  const cases: readonly (readonly [string, number, RegExp])[] = [
    [
      '{{ mav:///db }}\n\n{{ mav:///no%20one }} {{ mav://prod/db#x }}',
      3,
      /mav:\/\/\/no%20one \(line 3\), mav:\/\/prod\/db#x \(line 3\)/,
    ],
    ['\n{{ mav://db }}', 2, /line 2: not a reference: "mav:\/\/db"/],
    ['\n{{ mav:///db# }}', 2, /line 2: not a reference: "mav:\/\/\/db#"/],
    ['\n\n{{ mav:///db\n}}', 2, /line 3: a reference is not ended/],
    ['{{ mav:/db }}', 2, /line 1: not a reference/],
  ];
  for (const [template, code, message] of cases) {
    writeFileSync(from, template);
    const refused = await run();
    t.equal(refused.code, code, template);
    t.match(refused.stderr, message);
    t.notMatch(refused.stderr, 'canary');
    t.notOk(existsSync(to));
  }
  writeFileSync(from, '{{ mav:///db }}');
  const link = join(sandbox.folder, 'link');
  symlinkSync(from, link);
  const linked = await run(link);
  t.equal(linked.code, 1);
  t.match(linked.stderr, 'is a symbolic link');
  t.ok(lstatSync(link).isSymbolicLink());
  t.match((await run(join(sandbox.folder, 'no/such/folder'))).stderr, 'cannot be written: ENOENT');
  t.equal((await run(from)).code, 2, 'the template itself');
  t.equal((await run('')).code, 2);
  t.equal((await mav(sandbox, ['inject', '-i', join(sandbox.folder, 'none')])).code, 1);
  t.equal(readFileSync(from, 'utf8'), '{{ mav:///db }}');
  t.same(
    readdirSync(sandbox.folder).filter((name) => name.endsWith('.new')),
    [],
  );
});

t.test('inject > a template without references > needs no vault', async (t) => {
  const sandbox = createSandbox(t);
  const { code, stdout } = await mav(sandbox, ['inject'], { input: 'plain {{ x }}\n' });
  t.same([code, stdout], [0, 'plain {{ x }}\n']);
});

t.test(
  'inject > nothing to read but a terminal > says what to give',
  { skip: skipWithout('script') },
  (t) => {
    const sandbox = createSandbox(t);
    const command = `'${process.execPath}' '${BIN}' inject`;
    const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
      env: sandbox.env,
      encoding: 'utf8',
    });
    t.match(stdout, 'give a template with -i FILE');
    t.end();
  },
);

t.test('names of variables > secrets and fields > by one rule', (t) => {
  const name = (secret: string, field?: string, prefix = '') => {
    const source = { environment: '', name: secret, ...(field === undefined ? {} : { field }) };
    const named = nameVariable(source, prefix);
    return 'why' in named ? named.why : named.name;
  };
  t.equal(name('db-password'), 'DB_PASSWORD');
  t.equal(name('db-creds', 'host'), 'DB_CREDS_HOST');
  t.equal(name('0x10'), '_0X10');
  t.equal(name('0x10', undefined, 'my_'), 'my_0X10');
  t.equal(name('Straße🔑/x.y'), 'STRA_E__X_Y');
  for (const secret of ['ключ', '_', '---']) t.match(name(secret), /no ASCII letter or digit/, secret);
  t.match(nameVariable({ environment: '', name: 'node-options' }, 'npm_config_'), { why: /decides/ });
  t.match(name('db', 'ключ'), /no ASCII letter or digit/);
  const FOUND =
    `npm-config-node-options viminit exinit mailpath prompt goflags lua-init lua-init-5-4 _java_options
    java-tool-options jdk-java-options openssl-conf dotnet-startup-hooks rustc-wrapper kubeconfig node-extra-ca-certs
    node-tls-reject-unauthorized sslkeylogfile glibc-tunables mav-token`.split(/\s+/);
  for (const secret of ['path', 'LD_PRELOAD', 'node.options', 'git-ssh-command', 'bash_env', 'ifs', ...FOUND])
    t.match(name(secret), /decides how programs run/, secret);
  const stored = (secret: string, environment: string) => ({
    source: { environment, name: secret },
    value: environment,
    unacceptedFrom: null,
  });
  const selection = { prefix: '', isNamed: false, maxSize: Number.POSITIVE_INFINITY };
  const layers = [[stored('b', 'x'), stored('a', 'x')], [stored('b', 'y')]];
  t.same(
    layVariables(layers, selection).variables.map((variable) => `${variable.name}=${variable.value}`),
    ['A=x', 'B=y'],
  );
  const across = [[stored('a-b', 'x')], [stored('a.b', 'y')]];
  t.ok(isRefused(() => layVariables(across, selection)));
  t.equal(findShell('zsh'), 'bash');
  t.ok(isRefused(() => findShell('constructor')));
  t.end();
});

t.test('references > written and read > are the same', (t) => {
  const part = fc
    .string({ unit: 'grapheme', minLength: 1 })
    .filter((text) => text.isWellFormed() && !/\p{Cc}/u.test(text));
  const reference = fc.record(
    { environment: fc.oneof(fc.constant(''), part), name: part, field: part },
    { requiredKeys: ['environment', 'name'] },
  );
  fc.assert(
    fc.property(reference, (one) => isDeepStrictEqual(parseReference(formatReference(one)), { ...one })),
    { numRuns: 200 },
  );
  for (const text of [
    'mav://',
    'mav://x',
    'mav:///',
    'mav:///#f',
    'mav:///n#',
    'mav:///%',
    'mav:///%00',
    'mav:///%ff',
    'MAV:///n',
    ' mav:///n',
    'mav://e#f/n',
  ])
    t.equal(parseReference(text), null, text);
  t.end();
});

t.test('templates > any bytes without a reference > stay as they are', (t) => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const template = Buffer.from(bytes);
      return fillSlots(template, findSlots(template, 't'), []).equals(template);
    }),
  );
  t.ok(isRefused(() => findSlots(Buffer.from('{{ mav:///\xff }}', 'latin1'), 't')));
  t.end();
});
