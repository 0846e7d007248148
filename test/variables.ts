/** Which secrets become variables: environments that hold nothing, and what cannot be a variable. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ask } from './fixtures/ask.ts';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { shareDaemon } from './fixtures/shared-daemon.ts';
import { type Finished, mav, type Sandbox } from './fixtures/vault.ts';

const emptied = await shareDaemon(t);

t.setTimeout(550_000);

async function store(
  { socket, admin }: Daemon,
  name: string,
  value: string | Uint8Array,
  environment = '',
  field?: string,
): Promise<void> {
  const rest = field === undefined ? '' : `/fields/${field}`;
  const target = `/v1/secrets/${encodeURIComponent(name)}${rest}/value?env=${environment}`;
  const { status, text } = await ask(socket, 'PUT', target, { token: admin, body: Buffer.from(value) });
  if (status >= 300) throw new Error(text);
}

/** One line on standard error, and nothing else. */
function isError(t: Test, { code, stdout, stderr }: Finished, expected: number, ...parts: RegExp[]): void {
  t.same([code, stdout], [expected, ''], stderr);
  for (const part of parts) t.match(stderr, part);
  t.equal(stderr.trimEnd().split('\n').length, 1, 'one line');
  t.notMatch(stderr, 'canary', 'no value is said');
}

t.test(
  'an environment that holds nothing > however it was named > exit code 3, unless --allow-empty',
  async (t) => {
    const daemon = await emptied();
    await store(daemon, 'db', 'canary');
    await store(daemon, 'db', 'canary', 'prod');
    await store(daemon, 'api', 'canary', 'dev');
    const inConfig: Sandbox = { ...daemon, env: { ...daemon.env, MAV_HOME: daemon.home } };
    const trace = join(daemon.folder, 'trace');
    const commands = [
      ['exec', 'touch', trace],
      ['exec', '-q', 'touch', trace],
      ['exec', '--only', 'db', 'touch', trace],
      ['exec', '--except', 'db', 'touch', trace],
      ['exec', '--filter', 'DB', 'touch', trace],
      ['env'],
      ['env', '-o', 'json'],
      ['export'],
      ['export', '-o', 'dotenv', '--to', trace],
    ];
    const all =
      /holds no secrets; did you mean prod\? There are prod, the default environment and dev; --allow-empty/;
    const add = ([command = '', ...rest]: string[], ...options: string[]) => [command, ...options, ...rest];
    for (const command of commands) {
      const title = command.join(' ');
      isError(t, await mav(daemon, add(command, '--env', 'prdo')), 3, all, /"prdo" \(--env\)/);
      isError(t, await mav(daemon, command, { env: { MAV_ENV: 'prdo' } }), 3, all, /\(MAV_ENV\)/);
      t.notOk(existsSync(trace), `${title}: nothing is run or written`);
    }
    writeFileSync(join(daemon.home, 'config.json'), '{"env":"prdo"}', { mode: 0o600 });
    for (const command of commands) {
      isError(t, await mav(inConfig, command), 3, all, /\("env" in config\.json\)/);
      t.notOk(existsSync(trace));
    }
    isError(t, await mav(daemon, ['scan', '--env', 'prdo']), 3, all);
    writeFileSync(join(daemon.home, 'config.json'), '{}', { mode: 0o600 });
    const allowed = await mav(daemon, ['exec', '--env', 'prdo', '--allow-empty', 'printenv', 'DB']);
    t.same([allowed.code, allowed.stdout], [0, 'canary\n']);
    t.match(
      allowed.stderr,
      /^Note: there are no secrets in prdo; these are the default environment's alone\.\n$/,
    );
    t.equal((await mav(daemon, ['exec', '-q', '--env', 'prdo', '--allow-empty', 'true'])).stderr, '');
    t.equal((await mav(daemon, ['exec', '--env', 'prdo', '--allow-empty', '--only', 'db', 'true'])).code, 0);
    const empty = await mav(daemon, ['export', '--env', 'prdo', '--allow-empty']);
    t.same([empty.code, JSON.parse(empty.stdout).secrets], [0, []]);
  },
);

t.test('an environment that holds nothing > the default one, a reference > named as well', async (t) => {
  const daemon = await startDaemon(t);
  isError(
    t,
    await mav(daemon, ['exec', 'echo']),
    3,
    /the default environment holds no secrets, nor does any/,
  );
  await store(daemon, 'db', 'canary', 'prod');
  isError(
    t,
    await mav(daemon, ['exec', 'echo']),
    3,
    /the default environment holds no secrets; there is only prod/,
  );
  isError(t, await mav(daemon, ['env', '--env', ''], { env: { MAV_ENV: 'prod' } }), 3, /\(--env\)/);
  t.equal((await mav(daemon, ['exec', '--env', 'prod', 'printenv', 'DB'])).stdout, 'canary\n');
  t.equal((await mav(daemon, ['exec', '--allow-empty', 'true'])).code, 0);
  const file = join(daemon.folder, 'vars.env');
  writeFileSync(file, 'A=mav://prdo/db\n');
  const missing =
    /nothing stored for mav:\/\/prdo\/db \(.*line 1\): no secret "db" in environment "prdo"; it is in prod/;
  isError(t, await mav(daemon, ['exec', '--env-file', file, 'echo']), 3, missing);
  isError(t, await mav(daemon, ['inject'], { input: '{{ mav://prdo/db }}' }), 3, missing);
  isError(t, await mav(daemon, ['exec', '--env', 'prod', '-f', 'nope', 'echo']), 3, /--filter/);
  await daemon.stop();
  isError(t, await mav(daemon, ['exec', '--env', 'prdo', 'echo']), 3, /did you mean prod/);
});

/** What no variable can be made of, why, and what it is when it was asked for by name. */
const UNFIT: readonly (readonly [name: string, value: string | Uint8Array, why: RegExp, code: number])[] = [
  ['binary', Buffer.from([0x63, 0xff, 0xfe]), /binary \(is not UTF-8 text\)/, 1],
  ['zero', Buffer.from('canary\0x'), /zero \(has a NUL byte\)/, 1],
  ['huge', 'canary'.repeat(40_000), /huge \(is longer than this system lets a variable be\)/, 1],
  ['path', 'canary', /path \(would become PATH, which decides how programs run\)/, 2],
  ['ключ', 'canary', /ключ \(has no ASCII letter or digit to name it by\)/, 2],
];

t.test('what cannot be a variable > not asked for by name > left out, with one note', async (t) => {
  const daemon = await emptied();
  await store(daemon, 'good', 'v');
  for (const [name, value] of UNFIT) await store(daemon, name, value);
  await store(daemon, 'ld', 'canary', '', 'preload');
  const printed = ['sh', '-c', 'echo "$GOOD $BINARY $ZERO $HUGE"'];
  const ran = await mav(daemon, ['exec', ...printed]);
  t.same([ran.code, ran.stdout], [0, 'v   \n']);
  t.equal(ran.stderr.trimEnd().split('\n').length, 1, 'one note');
  t.match(ran.stderr, /^Note: left out, because/);
  for (const [, , why] of UNFIT) t.match(ran.stderr, why);
  t.match(ran.stderr, /the field preload of ld \(would become LD_PRELOAD/);
  t.notMatch(ran.stderr, 'canary');
  t.equal((await mav(daemon, ['exec', '-q', ...printed])).stderr, '');
  const names = UNFIT.map(([name]) => name);
  const quiet = await mav(daemon, ['exec', '--except', names.join(), '--except', 'ld', ...printed]);
  t.same([quiet.code, quiet.stdout, quiet.stderr], [0, 'v   \n', ''], 'what is excepted is not noted');
  const shell = await mav(daemon, ['env']);
  t.same([shell.code, shell.stdout], [0, `export GOOD='v'\n`]);
  // No environment has a limit here: a file may hold what is long.
  const json = await mav(daemon, ['env', '-o', 'json']);
  t.same(Object.keys(JSON.parse(json.stdout)), ['GOOD', 'HUGE']);
  const file = join(daemon.folder, 'out.env');
  const exported = await mav(daemon, ['export', '-o', 'dotenv', '--except', 'huge', '--to', file]);
  t.equal(exported.code, 0, exported.stderr);
  t.match(exported.stderr, /binary \(is not UTF-8 text\)/);
  t.match(readFileSync(file, 'utf8'), /^GOOD='?v'?\n$/);
});

t.test('what cannot be a variable > asked for by name > an error that names it', async (t) => {
  const daemon = await emptied();
  await store(daemon, 'good', 'v');
  for (const [name, value, , code] of UNFIT) {
    await store(daemon, name, value);
    const cannot = new RegExp(`${name} cannot be a variable: it `);
    isError(t, await mav(daemon, ['exec', '--only', `good,${name}`, 'echo']), code, cannot);
  }
  const file = join(daemon.folder, 'vars.env');
  for (const name of ['binary', 'zero', 'huge']) {
    writeFileSync(file, `GOOD=mav:///good\nV=mav:///${name}\n`);
    const cannot = /line 2\) cannot be a variable: it /;
    isError(t, await mav(daemon, ['exec', '--env-file', file, 'echo']), 1, cannot);
  }
  writeFileSync(file, `V=${'canary'.repeat(40_000)}\n`);
  isError(
    t,
    await mav(daemon, ['exec', '--env-file', file, 'echo']),
    1,
    /V \(.*line 1\) cannot be a variable/,
  );
  // Named by the user, a variable may be called anything.
  writeFileSync(file, 'A=mav:///ключ\nMAV_SOCKET=mav:///path\n');
  t.equal((await mav(daemon, ['exec', '--env-file', file, 'printenv', 'A'])).stdout, 'canary\n');
  t.equal((await mav(daemon, ['exec', '--only', 'path', '--prefix', 'X_', 'printenv', 'X_PATH'])).code, 0);
  isError(
    t,
    await mav(daemon, ['exec', '--except', 'god', 'echo']),
    3,
    /--except: no secret "god" in the default environment; did you mean "good"/,
  );
  isError(
    t,
    await mav(daemon, ['exec', '--except', 'good', '--only', 'good', 'echo']),
    2,
    /good is in --only and/,
  );
  isError(t, await mav(daemon, ['exec', '--except', 'good,', 'echo']), 2, /--except takes names/);
});

t.test(
  'what cannot be a variable > on top of another environment > that one does not show through',
  async (t) => {
    const daemon = await emptied();
    await store(daemon, 'db', 'of the default environment');
    await store(daemon, 'db', Buffer.from([0xff]), 'prod');
    await store(daemon, 'other', 'v', 'prod');
    const ran = await mav(daemon, ['exec', '--env', 'prod', 'sh', '-c', 'echo "[$DB] $OTHER"']);
    t.same([ran.code, ran.stdout], [0, '[] v\n']);
    t.match(ran.stderr, /db in prod \(is not UTF-8/);
  },
);

t.test('--except, --filter > names of secrets > go with their fields', async (t) => {
  const daemon = await emptied();
  await store(daemon, 'db-main', 'v');
  await store(daemon, 'db-main', 'v', '', 'host');
  await store(daemon, 'a-b', 'v');
  await store(daemon, 'a.b', 'v');
  const show = async (...options: string[]) => {
    const { code, stdout, stderr } = await mav(daemon, ['env', '-o', 'json', ...options]);
    return code === 0 ? Object.keys(JSON.parse(stdout)) : stderr;
  };
  t.match(await show(), /a-b and a\.b would both become A_B; leave one out with --except or --only, or name/);
  t.same(await show('--except', 'a-b'), ['A_B', 'DB_MAIN', 'DB_MAIN_HOST']);
  t.same(await show('--except', 'a-b', '--except', 'a.b,db-main'), []);
  t.same(await show('-f', 'MAIN'), ['DB_MAIN', 'DB_MAIN_HOST']);
  t.same(await show('--filter', 'a.', '--prefix', 'x_'), ['x_A_B']);
});
