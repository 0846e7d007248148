/** What is said of a secret, a field or an environment that is not there: where it was looked for, and where it is. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { KEYS, mavOnTerminal } from './fixtures/terminal.ts';
import { createSandbox, mav } from './fixtures/vault.ts';

t.setTimeout(300_000);

const COMPOSED = 'caf\u00e9';
const DECOMPOSED = 'cafe\u0301';

let daemon: Daemon;

t.before(async () => {
  daemon = await startDaemon(t, { token: true });
  const secrets = [
    { name: 'db-password', environment: 'prod', value: 'v' },
    { name: 'db-password', environment: 'staging', value: 'v' },
    { name: 'db', environment: 'prod', fields: { host: 'h', [COMPOSED]: 'f' } },
    { name: 'API_KEY', value: 'k', metadata: { owner: 'me' } },
    { name: COMPOSED, environment: 'prod', value: 'composed' },
    { name: 'named', environment: 'default', value: 'v' },
  ];
  const { status } = await daemon.ask('POST', '/v1/import', { body: { secrets } });
  t.equal(status, 200);
});

async function fail(args: readonly string[], env: NodeJS.ProcessEnv = {}, input = ''): Promise<string> {
  const { code, stdout, stderr } = await mav(daemon, args, { env, input });
  t.same({ code, stdout }, { code: 3, stdout: '' }, `${args.join(' ')}: ${stderr}`);
  return stderr;
}

t.test('get > another environment has it > names it, the environment and what chose that', async (t) => {
  const isThere = 'it is in prod and staging\n';
  const ask = (args: string[], env = {}) => fail(['get', 'db-password', ...args], env);
  t.equal(await ask([]), `mav: no secret "db-password" in the default environment; ${isThere}`);
  t.equal(
    await ask(['--env', 'prdo']),
    `mav: no secret "db-password" in environment "prdo" (--env); ${isThere}`,
  );
  t.equal(
    await ask(['-e', '']),
    `mav: no secret "db-password" in the default environment (--env); ${isThere}`,
  );
  t.match(await ask([], { MAV_ENV: 'prdo' }), 'in environment "prdo" (MAV_ENV); it is in');
  const config = join(daemon.home, 'config.json');
  writeFileSync(config, '{"env": "prdo"}');
  t.match(await ask([]), 'in environment "prdo" ("env" in config.json); it is in');
  writeFileSync(config, '{}');
});

t.test('get > nothing of that name > a close one, what the environment holds, or the list', async (t) => {
  t.match(await fail(['get', 'db-pasword', '-e', 'staging']), '; did you mean "db-password"?');
  t.match(await fail(['get', 'db-pasword']), '; did you mean "db-password" in prod?');
  t.match(await fail(['get', 'api-key']), '; did you mean "API_KEY"?');
  t.match(
    await fail(['get', 'quite-another', '-e', 'prdo']),
    '(--env); that environment holds nothing; there are prod, the default environment, the environment "default" and staging',
  );
  t.match(
    await fail(['get', 'dbpaswd', '-e', 'PROD']),
    '(--env); that environment holds nothing; there are prod, ',
  );
  t.match(await fail(['get', 'DB_Pasword', '-e', 'prod']), '; did you mean "db-password"?');
  t.notMatch(await fail(['get', 'x', '-e', 'prod']), 'did you mean');
  t.match(await fail(['get', 'quite-another']), '; mav list shows what there is');
  t.match(await fail(['get', 'a\u202eb']), 'no secret "a\\u{202e}b" in');
});

t.test('get > in an environment that is called default > told from the one without a name', async (t) => {
  t.equal(
    await fail(['get', 'named']),
    'mav: no secret "named" in the default environment; it is in the environment "default"\n',
  );
});

t.test('get > more environments than are named > the one that was meant is named', async (t) => {
  const name = 'everywhere';
  const long = 'e'.repeat(200);
  const environments = [long, 'zprod', ...Array.from({ length: 20 }, (_, index) => `env-${index}`)];
  const secrets = environments.map((environment) => ({ name, environment, value: 'v' }));
  const places = await startDaemon(t, { token: true });
  t.equal((await places.ask('POST', '/v1/import', { body: { secrets } })).status, 200);
  const { code, stderr } = await mav(places, ['get', name, '--env', 'ZPRDO']);
  t.equal(code, 3);
  t.match(stderr, 'it is in zprod, ');
  t.match(stderr, `, ${'e'.repeat(63)}…, env-0, `);
  t.match(stderr, ' and 14 more\n');
});

t.test('get, copy > no value of its own, or no such field > the fields that are', async (t) => {
  const only =
    '"db" in environment "prod" has no value of its own, only fields: "café" and host; one of them: ';
  t.match(await fail(['get', 'db', '-e', 'prod']), `${only}mav get db --env prod --field`);
  t.match(
    await fail(['get', 'db', '-e', 'prod', '--field', 'hots']),
    /has no field "hots"; .*did you mean "host"\?/,
  );
  t.match(
    await fail(['get', 'API_KEY', '--field', 'x']),
    '"API_KEY" in the default environment has no field "x"',
  );
  const copied = await fail(['copy', 'db', '-e', 'prod'], { DISPLAY: ':0', PATH: withClipboard() });
  t.match(copied, `${only}mav copy db --env prod --field`);
});

/** A PATH with an xclip that is never run. */
function withClipboard(): string {
  writeFileSync(join(daemon.folder, 'xclip'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  return `${daemon.folder}:${daemon.env.PATH}`;
}

t.test('get > there in another Unicode form > told apart, and the way works', async (t) => {
  for (const args of [
    [DECOMPOSED, '-e', 'prod'],
    ['db', '-e', 'prod', '--field', DECOMPOSED],
  ]) {
    const said = await fail(['get', ...args]);
    t.match(
      said,
      /; "caf\\u\{e9\}" is there, which looks the same and differs in its Unicode form; reach it/,
    );
    const [, way = ''] = /reach it with: mav (.*)\n/.exec(said) ?? [];
    const words = way.replace(/"\$\(printf 'caf\\303\\251'\)"/, COMPOSED).split(' ');
    t.equal((await mav(daemon, words)).code, 0, way);
  }
});

t.test('every command that names a secret > not there > the same sentence', async (t) => {
  const sentence = 'no secret "db-password" in the default environment; it is in prod and staging';
  const values = ['--value', 'v'];
  for (const args of [
    ['rm', 'db-password'],
    ['rm', 'db-password', '--force'],
    ['edit', 'db-password', ...values],
    ['edit', 'db-password', '-m', 'a=b'],
    ['edit', 'db-password', '--field', 'f', ...values],
    ['rename', 'db-password', 'other'],
    ['exec', '--only', 'db-password', '--', 'true'],
    ['env', '--only', 'db-password'],
    ['export', '-o', 'dotenv', '--only', 'db-password'],
  ])
    t.match(await fail(args), sentence.replace(/;.*/, ''), args.join(' '));
  t.match(await fail(['rm', 'db', '-e', 'prod', '--field', 'x']), /has no field "x"; it has "café" and host/);
  t.match(
    await fail(['edit', 'API_KEY', '--remove-metadata', 'x']),
    'there is no such key (the secret has owner)',
  );
  t.match(
    await fail(['exec', '-e', 'staging', '--only', 'zzz', '--', 'true']),
    'no secret "zzz" in environment "staging" (--env), nor in the default environment',
  );
});

t.test('references > to nothing > each with its place and where it is', async (t) => {
  const file = join(daemon.folder, '.env');
  writeFileSync(file, 'A=mav://prdo/db-password\nB=mav://prod/db\n');
  const said = await fail(['env', '--env-file', file]);
  t.match(said, /for mav:\/\/prdo\/db-password \(.*\.env, line 1\), mav:\/\/prod\/db \(.*\.env, line 2\): /);
  t.match(
    said,
    ': no secret "db-password" in environment "prdo"; it is in prod and staging. "db" in environment',
  );
  t.match(said, /has no value of its own, only fields: .*; one of them: mav:\/\/prod\/db#caf%C3%A9\n/);
  const injected = await fail(['inject'], {}, `x\n{{ mav://prod/${encodeURIComponent(DECOMPOSED)} }}`);
  t.match(injected, /\(line 2\): .*"caf\\u\{e9\}" is there, .*: mav:\/\/prod\/caf%C3%A9\n/);
});

t.test('a token > that may not list > the first part only', async (t) => {
  const { token } = await daemon.createToken(['write']);
  const { code, stderr } = await mav(daemon, ['rm', 'db-password', '--force'], { env: { MAV_TOKEN: token } });
  t.same({ code, stderr }, { code: 3, stderr: 'mav: no secret "db-password" in the default environment\n' });
});

t.test('token revoke > an unknown ID, or a token in its place > said, and no token repeated', async (t) => {
  t.equal(
    await fail(['token', 'revoke', 'abc']),
    'mav: no token has the ID abc; mav token list shows the IDs\n',
  );
  const { code, stderr } = await mav(daemon, ['token', 'revoke', `mvt_${'a'.repeat(64)}`]);
  t.equal(code, 2);
  t.match(stderr, 'this is a token, and its ID is wanted');
  t.notMatch(stderr, 'aaaa');
});

const onTerminal = { skip: skipWithout('python3') };

t.test('rm, edit > on a terminal, not there > said before anybody is asked', onTerminal, async (t) => {
  for (const args of [
    ['rm', 'db-password'],
    ['rm', 'db', '-e', 'prod', '--field', 'x'],
    ['purge', 'db-password'],
    ['edit', 'db-password'],
  ]) {
    const { code, shown } = await mavOnTerminal(t, daemon, args, { EDITOR: 'echo EDITED' }).ended();
    t.equal(code, 3, shown);
    t.notMatch(shown, /Delete|Remove|EDITED/);
  }
  const terminal = mavOnTerminal(t, daemon, ['purge', 'API_KEY']);
  await terminal.see('Remove API_KEY, which is not deleted, with all versions for ever?');
  terminal.type(`n${KEYS.enter}`);
  t.equal((await terminal.ended()).code, 1);
});

t.test('set > on a terminal, no vault > said before the value is asked for', onTerminal, async (t) => {
  const { code, shown } = await mavOnTerminal(t, createSandbox(t), ['set', 'x']).ended();
  t.equal(code, 1);
  t.match(shown, /there is no vault at .*; make one: mav init/);
  t.notMatch(shown, 'Value of');
});
