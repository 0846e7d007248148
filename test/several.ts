/** Several at once, and places by reference: `get mav://…`, `set --field a=1 --field b=2`, `rm a b`, `token revoke a b`. */
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { createVault, keepNothing, mav } from './fixtures/vault.ts';

t.setTimeout(550_000);

let daemon: Daemon;
t.before(async () => {
  daemon = await startDaemon(t);
});

async function run(t: Test, args: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await mav(daemon, args, { input });
  t.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  return stdout;
}

async function refuse(t: Test, args: readonly string[], expected: number, says: RegExp): Promise<string> {
  const { code, stdout, stderr } = await mav(daemon, args);
  t.same([code, stdout], [expected, ''], args.join(' '));
  t.match(stderr, says, args.join(' '));
  t.notMatch(stderr, 'hunter2', args.join(' '));
  return stderr;
}

async function list(t: Test, env: string): Promise<string[]> {
  return JSON.parse(await run(t, ['list', '--env', env])).map((row: { name: string }) => row.name);
}

t.test('reference > in the place of a name > is that place, whatever the environment is', async (t) => {
  daemon.env.MAV_ENV = 'elsewhere';
  t.teardown(() => delete daemon.env.MAV_ENV);
  await run(t, ['set', 'mav://ref/db#host', '--value', 'h']);
  await run(t, ['set', 'mav:///default', '--value', 'd']);
  await run(t, ['set', 'mav://ref/a%2Fb%20c#k%3Dv', '--value', 'encoded']);
  t.equal(await run(t, ['get', 'mav://ref/db#host']), 'h');
  t.equal(await run(t, ['get', 'mav://ref/db', '--field', 'host', '--env', 'ref']), 'h');
  t.equal(await run(t, ['get', 'mav:///default']), 'd');
  t.equal(await run(t, ['get', '--env', 'ref', '--field', 'k=v', '--', 'a/b c']), 'encoded');
  await run(t, ['edit', 'mav://ref/db#host', '--value', 'new']);
  t.equal(JSON.parse(await run(t, ['get', 'mav://ref/db', '-o', 'json'])).fields.host, 'new');
  await run(t, ['rename', 'mav://ref/db', 'mav://other/db2']);
  t.same(await list(t, 'other'), ['db2']);
  await run(t, ['generate', '--name', 'mav://other/made']);
  await run(t, ['rm', 'mav://other/db2#host', '--force']);
  await run(t, ['rm', 'mav://other/made', 'mav:///default', '--force']);
  t.same(await list(t, 'other'), ['db2']);
});

t.test('reference > malformed, contradicted, of a field where there is none > exit 2', async (t) => {
  const cases: readonly (readonly [line: string, says: RegExp])[] = [
    ['get mav://hunter2', /no reference/],
    ['get mav:///hunter2%zz', /no reference/],
    ['get mav://prod/hunter2 --env dev', /--env contradict/],
    ['get mav://prod/hunter2#a --field b', /--field contradict/],
    ['set mav://prod/hunter2#a --field b=hunter2', /--field contradict/],
    ['copy mav://prod/hunter2 --env dev', /--env contradict/],
    ['rename mav://prod/hunter2 mav://dev/hunter2 --to-env test', /--to-env contradict/],
    ['rename mav://prod/hunter2#a b', /not one field/],
    ['rename a mav://prod/hunter2#b', /not one field/],
    ['rm a mav://prod/hunter2 --env dev -f', /--env contradict/],
    ['generate --name mav://prod/hunter2#f', /whole secret/],
  ];
  for (const [line, says] of cases) await refuse(t, line.split(' '), 2, says);
  const missing = await mav(daemon, ['get', 'mav://prod/missing']);
  t.match([missing.code, missing.stderr], [3, /no secret "missing" in environment "prod"[^(]*$/]);
});

t.test('set --field KEY=VALUE > several > are stored together, and nothing is read', async (t) => {
  await run(t, ['set', 'many', '--field', 'a=1', '--field', 'b=2=3', '--field=c= ', '-e', 'f'], 'not read');
  await run(t, ['set', 'many', '-e', 'f', '--field', 'd=4']);
  const { fields, ...entry } = JSON.parse(await run(t, ['get', 'many', '-e', 'f', '-o', 'json']));
  t.same([fields, 'value' in entry], [{ a: '1', b: '2=3', c: ' ', d: '4' }, false]);
  await run(t, ['set', 'many', '-e', 'f', '--field', 'a'], 'piped');
  t.equal(await run(t, ['get', 'many', '-e', 'f', '--field', 'a']), 'piped');
  const tooLarge = 'x'.repeat(100_000);
  const fails = Array.from({ length: 11 }, (_, at) => `--field=k${at}=${tooLarge}`);
  const refused = await mav(daemon, ['set', 'large', '-e', 'f', ...fails]);
  t.equal(refused.code, 1);
  t.same(await list(t, 'f'), ['many']);
});

t.test('set --field > mixed with what gives another value > exit 2, nothing stored', async (t) => {
  const cases: readonly (readonly [line: string, says: RegExp])[] = [
    ['--field a=hunter2 --value hunter2', /leave --value out/],
    ['--field a=hunter2 --generate', /leave --generate out/],
    ['--field a=hunter2 --from-file hunter2', /leave --from-file out/],
    ['--field a=hunter2 --trim', /leave --trim out/],
    ['--field a=hunter2 -m k=hunter2', /not to a field/],
    ['--field a=hunter2 --field b', /several need it beside them/],
    ['--field a --field b --value hunter2', /several need it beside them/],
    ['--field a=hunter2 --field a=hunter2', /one field twice/],
    ['--field =hunter2', /KEY or KEY=VALUE/],
    ['--field a=hunter2 --field b=', /is empty/],
  ];
  for (const [line, says] of cases) await refuse(t, ['set', 'n', '-e', 'mixed', ...line.split(' ')], 2, says);
  t.same(await list(t, 'mixed'), []);
});

t.test('rm > several names > all or none, and each that is missing is named', async (t) => {
  for (const name of ['a', 'b', 'c']) await run(t, ['set', name, '-v', 'v', '-e', 'rm']);
  await run(t, ['set', 'c', '-e', 'rm', '--field', 'x=1', '--field', 'y=2']);
  const said = await refuse(t, ['rm', 'a', 'nope', 'b', 'nix', '-e', 'rm', '-f'], 3, /nope/);
  t.match(said, 'nix');
  await refuse(t, ['rm', 'a', 'c', '--field', 'x', '-e', 'rm', '-f'], 3, /"a"/);
  await refuse(t, ['purge', 'a', 'b', '-e', 'rm'], 2, /Remove a in rm, .* b in rm, .* for ever\?.*--force/);
  t.same(await list(t, 'rm'), ['a', 'b', 'c']);
  const { stderr } = await mav(daemon, ['rm', 'a', 'b', 'a', '-e', 'rm', '-f']);
  t.equal(stderr, 'Deleted a in rm, b in rm; mav undelete a b --env rm brings them back.\n', 'each once');
  await run(t, ['rm', 'mav://rm/c#x', 'mav://rm/c#y', '-f']);
  t.same(JSON.parse(await run(t, ['get', 'c', '-e', 'rm', '-o', 'json'])).fields, undefined);
});

t.test('rm > a token that may only write > deletes several', async (t) => {
  for (const name of ['a', 'b']) await run(t, ['set', name, '-v', 'v', '-e', 'write']);
  const { token } = await daemon.createToken(['write']);
  const deleted = await mav(daemon, ['rm', 'a', 'b', '-e', 'write', '-f'], { env: { MAV_TOKEN: token } });
  t.equal(deleted.code, 0, deleted.stderr);
  await run(t, ['set', 'a', '-v', 'v', '-e', 'write']);
  const half = await mav(daemon, ['rm', 'a', 'b', '-e', 'write', '-f'], { env: { MAV_TOKEN: token } });
  t.match([half.code, half.stderr], [3, /deleted before that: a in write/], 'what was done is said');
});

t.test('token revoke > several IDs > all or none', async (t) => {
  const [one, two, three] = [
    await daemon.createToken(['read']),
    await daemon.createToken(['read']),
    await daemon.createToken(['admin']),
  ];
  const ids = async () => JSON.parse(await run(t, ['token', 'list'])).map((row: { id: string }) => row.id);
  const before = await ids();
  await refuse(t, ['token', 'revoke', one.id, 'abc', two.id, 'def'], 3, /no token has the ID abc, def/);
  await refuse(t, ['token', 'revoke', one.id, one.token], 2, /its ID is wanted/);
  await refuse(t, ['token', 'revoke', one.id, '--all'], 2, /either/);
  t.same(await ids(), before);
  const revoked = await mav(daemon, ['token', 'revoke', three.id, one.id, two.id, one.id], {
    env: { MAV_TOKEN: three.token },
  });
  t.same([revoked.code, revoked.stderr], [0, 'Revoked 3 tokens.\n'], 'the own one among them');
  t.notOk((await ids()).some((id: string) => [one.id, two.id, three.id].includes(id)));
});

t.test('token revoke --all > nobody can be asked > exit 2, and none is revoked', async (t) => {
  const { length } = JSON.parse(await run(t, ['token', 'list']));
  const { code, stderr } = await mav(daemon, ['token', 'revoke', '--all']);
  t.match([code, stderr], [2, /Revoke (the one token|all \d+ tokens)\?.*--force/]);
  t.equal(JSON.parse(await run(t, ['token', 'list'])).length, length);
});

t.test(
  'rm, token revoke --all > on a terminal, nothing is kept > ask once',
  { skip: skipWithout('python3') },
  async (t) => {
    const sandbox = await createVault(t);
    keepNothing(sandbox);
    const own = await startDaemon(t, { sandbox, init: null });
    for (const name of ['a', 'b']) await mav(own, ['set', name, '-v', 'v', '-e', 'asked']);
    const no = mavOnTerminal(t, own, ['rm', 'a', 'b', '-e', 'asked']);
    await no.see('Delete a in asked, b in asked for ever? [y/N]');
    no.type('n\r');
    t.equal((await no.ended()).code, 1);
    const yes = mavOnTerminal(t, own, ['rm', 'a', 'b', '-e', 'asked']);
    await yes.see('[y/N]');
    yes.type('y\r');
    t.equal((await yes.ended()).code, 0);
    t.same(JSON.parse((await mav(own, ['list'])).stdout), []);
    await own.createToken(['read']);
    const all = mavOnTerminal(t, own, ['token', 'revoke', '--all']);
    await all.see('Revoke all 2 tokens? [y/N]');
    all.type('y\r');
    t.equal((await all.ended()).code, 0);
    t.same(JSON.parse((await mav(own, ['token', 'list'])).stdout), []);
    const none = await mav(own, ['token', 'revoke', '--all']);
    t.same([none.code, none.stderr], [0, 'There are no tokens.\n']);
  },
);
