/** `mav history`, `get --version`, `diff` and `rollback`: what a secret was, by the command line. */
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { shareDaemon } from './fixtures/shared-daemon.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { createVault, mav, mavBytes, type Sandbox } from './fixtures/vault.ts';

const emptied = await shareDaemon(t);

t.setTimeout(550_000);
const NOT_UTF8 = new Uint8Array([0xff, 0x00, 0x0a]);

const run = (sandbox: Sandbox, line: string, input: string | Uint8Array = '') =>
  mav(sandbox, line.split(' '), { input });

async function done(t: Test, sandbox: Sandbox, line: string, input: string | Uint8Array = '') {
  const ran = await run(sandbox, line, input);
  t.equal(ran.code, 0, `${line}: ${ran.stderr}`);
  return ran;
}

async function fails(t: Test, sandbox: Sandbox, line: string, code: number, says: RegExp): Promise<void> {
  const ran = await run(sandbox, line);
  t.match({ ...ran }, { code, stdout: '', stderr: says }, line);
}

/** An entry of five versions: 1 set, 2 set, 3 fields, 4 edit, 5 set. */
async function fill(t: Test, sandbox: Sandbox): Promise<void> {
  await done(t, sandbox, 'set db --env prod', 'one');
  await done(t, sandbox, 'set db --env prod --metadata a=1 --metadata b=2', 'two');
  await done(t, sandbox, 'set db --env prod --field host=h --field pin=1');
  await done(t, sandbox, 'edit db --env prod --metadata b=3 --remove-metadata a');
  await done(t, sandbox, 'set db --env prod', NOT_UTF8);
}

async function testHistory(t: Test, sandbox: Sandbox): Promise<void> {
  await fill(t, sandbox);
  const { stdout } = await done(t, sandbox, 'history db --env prod');
  const { versions } = JSON.parse(stdout);
  t.same(
    versions.map((one: { version: number; change: string }) => [one.version, one.change]),
    [
      [5, 'set'],
      [4, 'edit'],
      [3, 'fields'],
      [2, 'edit'],
      [1, 'set'],
    ],
  );
  const table = (await done(t, sandbox, 'history db --env prod -o table')).stdout.split('\n');
  t.match(table[0], /^VERSION {2}WHEN +CHANGE +BY$/);
  t.match(table[1], /^5 +\d{4}-\d\d-\d\d \d\d:\d\d {2}set +owner$/);
  const plain = (await done(t, sandbox, 'history db --env prod -o plain')).stdout.split('\n');
  t.match(plain[0], /^5\t\d{4}-\d\d-\d\dT[\d:]+Z\tsession\tset\t\t\t$/);
  t.equal((await done(t, sandbox, 'get db --env prod --version 1')).stdout, 'one');
  t.equal((await done(t, sandbox, 'get mav://prod/db#host --version 3')).stdout, 'h');
  const newest = await mavBytes(sandbox, ['get', 'db', '--env', 'prod', '--version', '5']);
  t.ok(newest.stdout.equals(Buffer.from(NOT_UTF8)), 'its exact bytes');
  const entry = JSON.parse((await done(t, sandbox, 'get db --env prod --version 2 -o json')).stdout);
  t.match(entry, { value: 'two', metadata: { a: '1', b: '2' }, version: 2 });
}

t.test('history, get --version > with a daemon > every version, byte for byte', async (t) => {
  await testHistory(t, await emptied());
});

t.test('history, get --version > without a daemon > the same', async (t) => {
  await testHistory(t, await createVault(t));
});

t.test('diff > from a version to the current one > names what differs, values only if asked', async (t) => {
  const sandbox = await emptied();
  await fill(t, sandbox);
  const names = await done(t, sandbox, 'diff db 1 --env prod');
  t.equal(names.stdout, '~ value\n+ field host\n+ field pin\n+ metadata b\n');
  t.equal(names.stderr, 'db in prod, from version 1 to the current one, 5:\n');
  t.equal((await done(t, sandbox, 'diff db --env prod')).stdout, '~ value\n', 'the version before');
  t.equal(
    (await done(t, sandbox, 'diff db 3 --env prod --reveal')).stdout,
    '~ value\n    - two\n    + /wAK (base64 of what is no text)\n' +
      '- metadata a\n    - 1\n~ metadata b\n    - 2\n    + 3\n',
  );
  const json = JSON.parse((await done(t, sandbox, 'diff db 1 --env prod -o json')).stdout);
  t.match(json, { name: 'db', environment: 'prod', from: 1, to: 5 });
  t.same(json.changes[0], { change: 'changed', part: 'value' }, 'without values');
  const revealed = JSON.parse((await done(t, sandbox, 'diff db 1 --env prod -o json --reveal')).stdout);
  t.same(revealed.changes[0], {
    change: 'changed',
    part: 'value',
    before: 'one',
    after: { value: '/wAK', encoding: 'base64' },
  });
  const same = await done(t, sandbox, 'diff db 5 --env prod');
  t.match({ ...same }, { stdout: '', stderr: /^Nothing differs between version 5/ });
});

t.test('rollback > the version before, or another one > it is the newest, and nothing is lost', async (t) => {
  const sandbox = await emptied();
  await fill(t, sandbox);
  const last = await done(t, sandbox, 'rollback db --env prod');
  t.equal(
    last.stderr,
    'Rolled db in prod back to version 4: now version 6; mav rollback db --env prod brings 5 back.\n',
  );
  t.equal((await done(t, sandbox, 'get db --env prod')).stdout, 'two');
  const again = await mavBytes(sandbox, ['rollback', 'db', '--env', 'prod']);
  t.equal(again.code, 0);
  t.ok((await mavBytes(sandbox, ['get', 'mav://prod/db'])).stdout.equals(Buffer.from(NOT_UTF8)), 'undone');
  await done(t, sandbox, 'rollback db --env prod --to 1');
  const entry = JSON.parse((await done(t, sandbox, 'get db --env prod -o json')).stdout);
  t.match(entry, { value: 'one', metadata: {}, version: 8 });
  t.notOk('fields' in entry, 'fields go back too');
  await done(t, sandbox, 'rollback db --env prod --to 3 -q');
  t.equal((await done(t, sandbox, 'get db --env prod --field host')).stdout, 'h');
});

t.test('versions > that there are not > exit code 3, and what there is', async (t) => {
  const sandbox = await emptied();
  await fill(t, sandbox);
  const shows = 'mav history db --env prod shows its versions';
  const env = '--env prod';
  await fails(t, sandbox, `get db ${env} --version 9`, 3, RegExp(`no version 9: the newest is 5; ${shows}`));
  await fails(t, sandbox, `get db ${env} --version 1 --field host`, 3, /version 1 of .* has no field "host"/);
  await fails(t, sandbox, `diff db 9 ${env}`, 3, /no version 9/);
  await fails(t, sandbox, `rollback db ${env} --to 9`, 3, /no version 9/);
  await fails(t, sandbox, `rollback db ${env} --to 5`, 2, /version 5 of db in prod is the current one/);
  await fails(t, sandbox, 'rollback db', 3, /no secret "db" in the default environment; it is in prod/);
  await fails(t, sandbox, 'history db', 3, /no secret "db" in the default environment; it is in prod/);
  await fails(t, sandbox, `get db ${env} --version 0`, 2, /--version must be a whole number/);
  await fails(t, sandbox, `diff db latest ${env}`, 2, /the version must be a whole number/);
  await fails(t, sandbox, `get db ${env} --version 2 --clip`, 2, /does not go with --version/);
  await done(t, sandbox, 'set fresh', 'v');
  await fails(t, sandbox, 'rollback fresh', 3, /no version of fresh before this one is kept/);
  await fails(t, sandbox, 'diff fresh', 3, /no version of fresh before this one is kept/);
  await done(t, sandbox, 'set fresh --field a=1');
  for (let index = 0; index < 10; index++) await done(t, sandbox, 'set fresh', `v${index}`);
  await fails(t, sandbox, 'get fresh --version 1', 3, /version 1 of fresh is not kept any more/);
  await fails(t, sandbox, 'rollback fresh --to 1', 3, /version 1 is not kept any more/);
});

t.test('history > renamed, written by a token, changed without the key > is said', async (t) => {
  const sandbox = await startDaemon(t);
  await done(t, sandbox, 'set old', 'one');
  const { token, id } = await sandbox.createToken(['read', 'write'], { name: 'ci' });
  await sandbox.ask('PUT', '/v1/secrets/old', { token, body: { value: 'two' } });
  await done(t, sandbox, 'rename old new --to-env prod');
  const db = new Database(sandbox.databasePath);
  db.prepare('UPDATE versions SET updated_at = updated_at - 1 WHERE revision = 1').run();
  db.close();
  const lines = (await done(t, sandbox, 'history new -e prod -o table')).stdout.trimEnd().split('\n');
  t.match(lines[0], /BY +NAME THEN +NOTE$/);
  t.match(lines[1], /rename +owner$/);
  t.match(lines[2], RegExp(`set +token ${id} \\(ci\\) +old$`));
  t.match(lines[3], /set +owner +old +fails verification/);
  t.match((await done(t, sandbox, 'rollback new -e prod')).stderr, /back to version 2/);
  await fails(t, sandbox, 'get new -e prod --version 1', 1, /./);
  const plain = (await done(t, sandbox, 'history new -e prod -o plain')).stdout.trimEnd().split('\n');
  t.match(plain.at(-1), /\tset\told\t\tintegrity$/);
});

t.test(
  'history > on a terminal > a table; a name cannot deceive',
  { skip: skipWithout('python3') },
  async (t) => {
    const sandbox = await createVault(t);
    await mav(sandbox, ['set', 'evil\u202etxt', '--value', 'v']);
    await mav(sandbox, ['set', 'evil\u202etxt', '--value', 'w', '--metadata', 'k\u202e=v']);
    const history = mavOnTerminal(t, sandbox, ['history', 'evil\u202etxt']);
    t.match((await history.ended()).shown, /^VERSION {2}WHEN[\s\S]*\n2 [\s\S]*\n1 /);
    const diff = mavOnTerminal(t, sandbox, ['diff', 'evil\u202etxt', '--reveal']);
    const { shown, code } = await diff.ended();
    t.equal(code, 0);
    t.match(shown, '+ metadata k\\u{202e}\n');
    t.notMatch(shown, '\u202e');
  },
);
