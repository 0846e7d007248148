/** Values that programs and shells get as variables, byte for byte, whichever the way in. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { parseDotenv } from '../src/cli/formats/dotenv.ts';
import { formatAssignment, type Shell } from '../src/cli/formats/shell-quote.ts';
import { EXIT } from '../src/cli/run/failure.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { exec, serveStored, store } from './fixtures/variables.ts';
import { BIN, createSandbox, mav, type Sandbox } from './fixtures/vault.ts';

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
