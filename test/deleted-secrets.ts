/** `mav delete`, `trash`, `undelete` and `purge`: what is deleted can be brought back, and what is purged cannot. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { shareDaemon } from './fixtures/shared-daemon.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { createVault, mav, type Sandbox } from './fixtures/vault.ts';

const emptied = await shareDaemon(t);

t.setTimeout(550_000);

const run = (sandbox: Sandbox, line: string, env: NodeJS.ProcessEnv = {}) =>
  mav(sandbox, line.split(' '), { env });

/** Returns what is said on standard error. */
async function done(t: Test, sandbox: Sandbox, line: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const ran = await run(sandbox, line, env);
  t.equal(ran.code, 0, `${line}: ${ran.stderr}`);
  return ran.stderr;
}

async function fails(t: Test, sandbox: Sandbox, line: string, code: number, says: RegExp): Promise<void> {
  t.match({ ...(await run(sandbox, line)) }, { code, stdout: '', stderr: says }, line);
}

async function testUndelete(t: Test, sandbox: Sandbox): Promise<void> {
  await done(t, sandbox, 'set db --env prod --value one --metadata a=1');
  await done(t, sandbox, 'set db --env prod --field host=h');
  t.equal(
    await done(t, sandbox, 'delete db --env prod'),
    'Deleted db in prod; mav undelete db --env prod brings it back.\n',
  );
  await fails(
    t,
    sandbox,
    'get db --env prod',
    3,
    /no secret "db" in environment "prod" \(--env\); it was deleted [\d: -]+, and mav undelete db --env prod brings it back/,
  );
  const [row] = JSON.parse((await run(sandbox, 'trash')).stdout);
  t.match(row, { name: 'db', environment: 'prod', version: 3, deleted_by: 'session' });
  t.equal(Date.parse(row.kept_until) - Date.parse(row.deleted_at), 30 * 86_400_000);
  const table = (await run(sandbox, 'trash -o table')).stdout.split('\n');
  t.match(table[0], /^NAME +ENVIRONMENT +DELETED +KEPT UNTIL +BY$/);
  t.match(table[1], /^db +prod +[\d-]+ [\d:]+ +[\d-]+ [\d:]+ +owner$/);
  t.equal((await run(sandbox, 'trash -o names')).stdout, 'db\n');
  t.match((await run(sandbox, 'trash -o plain')).stdout, /^db\tprod\t[^\t]+\tsession\t[^\t]+\t3\t\n$/);
  t.equal((await run(sandbox, 'trash -e dev')).stdout, '[]\n');
  t.match((await run(sandbox, 'history db -e prod -o table')).stdout, /\n3 .* delete +owner\n2 /);
  t.equal((await run(sandbox, 'get db -e prod --version 1')).stdout, 'one');
  t.equal(await done(t, sandbox, 'undelete mav://prod/db'), 'Restored db in prod.\n');
  const entry = JSON.parse((await run(sandbox, 'get db -e prod -o json')).stdout);
  t.match(entry, { value: 'one', metadata: { a: '1' }, fields: { host: 'h' }, version: 4 });
  t.equal(await done(t, sandbox, 'trash -o table'), 'There are no deleted secrets.\n');
}

t.test('delete, undelete > with a daemon > it is whole again, and nothing was asked', async (t) => {
  await testUndelete(t, await emptied());
});

t.test('delete, undelete > without a daemon > the same', async (t) => {
  await testUndelete(t, await createVault(t));
});

t.test('delete > several, and a field > the commands that bring them back', async (t) => {
  const sandbox = await emptied();
  for (const name of ['a', 'b', 'c']) await done(t, sandbox, `set ${name} --value v`);
  await done(t, sandbox, 'set c --field f=1 --field g=2');
  t.equal(await done(t, sandbox, 'delete a b'), 'Deleted a, b; mav undelete a b brings them back.\n');
  t.equal(
    await done(t, sandbox, 'delete c --field f'),
    'Deleted the field f of c; mav rollback c brings it back.\n',
  );
  await done(t, sandbox, 'rollback c');
  t.equal((await run(sandbox, 'get c --field f')).stdout, '1');
  await done(t, sandbox, 'undelete a b');
  // With an environment that is not the secrets' own, the command must name theirs.
  t.equal(
    await done(t, sandbox, 'delete mav:///a mav:///b', { MAV_ENV: 'prod' }),
    'Deleted a, b; mav undelete mav:///a mav:///b brings them back.\n',
  );
  await fails(t, sandbox, 'undelete a nope b', 3, /no deleted secret "nope".*; restored before that: a/);
  t.equal(await done(t, sandbox, 'delete a -q'), '');
});

t.test('undelete > not deleted, elsewhere, or its name is taken > what it is instead', async (t) => {
  const sandbox = await emptied();
  await done(t, sandbox, 'set db --env prod --value v');
  await fails(t, sandbox, 'undelete db --env prod', 1, /db in prod is not deleted/);
  await done(t, sandbox, 'delete db --env prod');
  await fails(
    t,
    sandbox,
    'undelete db',
    3,
    /no deleted secret "db" in the default environment.*deleted in prod/,
  );
  await fails(t, sandbox, 'rollback db --env prod', 3, /mav undelete db --env prod brings it back/);
  await fails(t, sandbox, 'diff db --env prod', 3, /mav undelete db --env prod brings it back/);
  await fails(t, sandbox, 'undelete mav://prod/db#f', 2, /takes a whole secret/);
  t.match(
    await done(t, sandbox, 'set db --env prod --value w'),
    /version 3; mav rollback db --env prod brings 1 back/,
    'a new one of its name goes on with its versions',
  );
});

t.test('purge > without a terminal > only with --force or --yes, and then nothing is left', async (t) => {
  const sandbox = await emptied();
  await done(t, sandbox, 'set live --value v');
  await done(t, sandbox, 'set gone --value v');
  await done(t, sandbox, 'delete gone');
  await fails(
    t,
    sandbox,
    'purge gone live',
    2,
    /Remove gone \(deleted [\d: -]+\), live, which is not deleted, with all versions for ever\? .*--force/,
  );
  await fails(t, sandbox, 'purge gone nope --force', 3, /no secret "nope"/);
  t.equal((await run(sandbox, 'trash -o names')).stdout, 'gone\n', 'none was removed');
  t.equal(await done(t, sandbox, 'purge gone live --yes'), 'Removed gone, live for good.\n');
  await fails(t, sandbox, 'history gone', 3, /no secret "gone"/);
  await fails(t, sandbox, 'undelete live', 3, /no deleted secret "live"/);
});

t.test(
  'purge, delete > on a terminal > purge asks, delete does not',
  { skip: skipWithout('python3') },
  async (t) => {
    const sandbox = await emptied();
    await done(t, sandbox, 'set db --value v');
    const deleting = mavOnTerminal(t, sandbox, ['delete', 'db']);
    t.match(await deleting.ended(), { code: 0, shown: 'Deleted db; mav undelete db brings it back.\n' });
    const refusing = mavOnTerminal(t, sandbox, ['purge', 'db']);
    await refusing.see('with all versions for ever? [y/N]');
    refusing.type('\r');
    t.match(await refusing.ended(), { code: 1, shown: /nothing was done/ });
    const purging = mavOnTerminal(t, sandbox, ['purge', 'db']);
    await purging.see('for ever? [y/N]');
    purging.type('y\r');
    t.match(await purging.ended(), { code: 0, shown: /Removed db for good/ });
  },
);

t.test('config.json > nothing is kept > said so, and asked before', async (t) => {
  const sandbox = await createVault(t);
  await done(t, sandbox, 'set db --value one');
  const config = (text: string) => writeFileSync(join(sandbox.home, 'config.json'), text);
  config('{"keep_deleted_days": 0}');
  await fails(t, sandbox, 'delete db', 2, /Delete db for ever\? .*--force/);
  await done(t, sandbox, 'set db --field f=1');
  t.match(
    await done(t, sandbox, 'delete db --field f'),
    /mav rollback db brings it back/,
    'versions are kept',
  );
  config('{"keep_versions": 1}');
  t.equal(
    await done(t, sandbox, 'set db --value two'),
    'Stored db, version 4; what it replaced is not kept.\n',
  );
  await done(t, sandbox, 'set db --field f=1');
  await fails(t, sandbox, 'delete db --field f', 2, /for ever\? .*--force/);
  await fails(t, sandbox, 'delete db', 2, /Delete db for ever\?/);
  await fails(t, sandbox, 'generate --name db', 2, /Replace db\? .*--force/);
  writeFileSync(join(sandbox.folder, '.env'), 'db=three');
  t.match(
    { ...(await run(sandbox, 'import .env')) },
    { code: 2, stderr: /Change a secret that exists \(db\)\?/ },
  );
  t.match((await run(sandbox, 'status')).stdout, /history {4}nothing is kept of what is replaced/);
  t.equal(await done(t, sandbox, 'delete db --force'), 'Deleted db for good.\n');
});

t.test('a token > that may only write > stores and deletes, and is promised nothing', async (t) => {
  const sandbox = await emptied();
  const { token: MAV_TOKEN } = await sandbox.createToken(['write']);
  const env = { MAV_TOKEN };
  await done(t, sandbox, 'set db --value one', env);
  t.equal(await done(t, sandbox, 'set db --value two', env), 'Stored db, version 2.\n');
  t.match({ ...(await run(sandbox, 'delete db', env)) }, { code: 2, stderr: /Delete db\? .*--force/ });
  t.equal(await done(t, sandbox, 'delete db --force', env), 'Deleted db.\n');
  t.equal((await run(sandbox, 'trash', env)).code, 4);
  t.equal(await done(t, sandbox, 'undelete db', env), 'Restored db.\n');
  t.equal(await done(t, sandbox, 'purge db --force', env), 'Removed db for good.\n');
});

t.test('a sealed vault > history, trash, undelete, purge > exit code 5', async (t) => {
  const sandbox = await startDaemon(t);
  await done(t, sandbox, 'set db --value one');
  await done(t, sandbox, 'seal');
  for (const line of ['history db', 'trash', 'undelete db', 'purge db --force', 'rollback db', 'diff db'])
    await fails(t, sandbox, line, 5, /sealed.*mav unseal/);
});

t.test('trash > a deletion that was moved to another name without the key > is said', async (t) => {
  const sandbox = await createVault(t);
  await done(t, sandbox, 'set db --value v');
  await done(t, sandbox, 'delete db');
  const db = new Database(sandbox.databasePath);
  db.prepare("UPDATE deleted SET name = 'other'").run();
  db.close();
  t.match((await run(sandbox, 'trash -o table')).stdout, /BY +NOTE\nother .* fails verification/);
  t.match((await run(sandbox, 'trash -o plain')).stdout, /\tintegrity\n$/);
  t.equal((await run(sandbox, 'undelete other')).code, 1);
});

t.test('completion > undelete, purge, a version > deleted secrets, and the versions there are', async (t) => {
  const sandbox = await emptied();
  await done(t, sandbox, 'set gone --value v');
  await done(t, sandbox, 'delete gone');
  await done(t, sandbox, 'set kept --value v');
  await done(t, sandbox, 'set kept --field f=1');
  const complete = async (...words: string[]) =>
    (await mav(sandbox, ['__complete', 'fish', ...words])).stdout.split('\n').slice(0, -1);
  t.same(await complete('undelete', ''), ['gone']);
  t.same(await complete('purge', ''), ['gone']);
  t.match(await complete('rollback', 'kept', '--to', ''), [/^2\tfields, \d/, /^1\tset, \d/]);
  t.match(await complete('get', 'gone', '--version', ''), [/^1\tset/], 'a deletion has nothing to show');
});
