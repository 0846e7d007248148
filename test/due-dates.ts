/** `--expires` and `--rotate-by`, and who says that a secret is due: list, status, doctor, exec, env. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { shareDaemon } from './fixtures/shared-daemon.ts';
import { createVault, mav, type Sandbox } from './fixtures/vault.ts';

const emptied = await shareDaemon(t);

t.setTimeout(550_000);
const PAST = '2020-01-01T00:00:00Z';
const FAR = '2999-01-01T00:00:00Z';
const DAY_MS = 86_400_000;

const run = (sandbox: Sandbox, line: string, input = '') => mav(sandbox, line.split(' '), { input });

async function done(t: Test, sandbox: Sandbox, line: string, input = '') {
  const ran = await run(sandbox, line, input);
  t.equal(ran.code, 0, `${line}: ${ran.stderr}`);
  return ran;
}

async function readEntry(sandbox: Sandbox, name: string) {
  return JSON.parse((await run(sandbox, `get ${name} -o json`)).stdout);
}

async function listNames(sandbox: Sandbox, options: string): Promise<string[]> {
  return (await run(sandbox, `list -o names ${options}`)).stdout.split('\n').slice(0, -1);
}

t.test('set, edit, generate > with dates > are stored, and stay until they are changed', async (t) => {
  const sandbox = await emptied();
  await done(t, sandbox, `set x --expires ${FAR} --metadata a=1`, 'one');
  t.match(await readEntry(sandbox, 'x'), { value: 'one', metadata: { a: '1' }, expires_at: FAR });
  await done(t, sandbox, 'set x --rotate-by 30d', 'two');
  const entry = await readEntry(sandbox, 'x');
  t.match(entry, { value: 'two', metadata: { a: '1' }, expires_at: FAR });
  const days = (Date.parse(entry.rotate_by) - Date.now()) / DAY_MS;
  t.ok(days > 29.9 && days < 30.1, entry.rotate_by);
  await done(t, sandbox, 'set x', 'three');
  await done(t, sandbox, 'set x --metadata b=2', 'four');
  await done(t, sandbox, 'set x --field f=1');
  t.match(await readEntry(sandbox, 'x'), {
    metadata: { b: '2' },
    expires_at: FAR,
    rotate_by: entry.rotate_by,
  });
  await done(t, sandbox, 'edit x --expires never --metadata c=3');
  const edited = await readEntry(sandbox, 'x');
  t.match(edited, { value: 'four', metadata: { b: '2', c: '3' }, fields: { f: '1' } });
  t.notOk('expires_at' in edited);
  await done(t, sandbox, 'edit x --rotate-by NEVER');
  t.notOk('rotate_by' in (await readEntry(sandbox, 'x')));
  await done(t, sandbox, 'edit x --value five --expires 1h');
  t.match(await readEntry(sandbox, 'x'), { value: 'five', metadata: { b: '2' }, expires_at: String });
  await done(t, sandbox, `generate --name g --rotate-by ${FAR}`);
  t.match(await readEntry(sandbox, 'g'), { rotate_by: FAR });
  t.match(
    (await done(t, sandbox, `set y --expires ${PAST}`, 'v')).stderr,
    /^Note: the time of --expires is over/,
  );
});

t.test('dates > that are none, or of a field > exit code 2, nothing is stored', async (t) => {
  const sandbox = await emptied();
  await done(t, sandbox, 'set x', 'v');
  const cases: readonly [line: string, says: RegExp][] = [
    ['set x --value w --expires soon', /--expires takes how long from now, such as 90d/],
    ['set x --value w --expires 2027-01-31', /--expires takes/],
    ['set x --value w --rotate-by 1d1w', /--rotate-by takes/],
    ['set x --value w --expires 2027-02-30T00:00:00Z', /--expires must be a time such as/],
    ['edit x --rotate-by 999999w', /--rotate-by takes/],
    ['set x --field f --value w --expires 1d', /--expires belongs to a secret, not to a field/],
    ['edit x --field f --value w --rotate-by 1d', /--rotate-by belongs to a secret/],
    ['generate --expires 1d', /--expires needs --name/],
    ['list --due soon', /--due takes how long from now/],
  ];
  for (const [line, says] of cases)
    t.match({ ...(await run(sandbox, line)) }, { code: 2, stderr: says }, line);
  t.match(await readEntry(sandbox, 'x'), { value: 'v', version: 1 });
});

t.test('list --due > a time > the secrets with a date until then', async (t) => {
  const sandbox = await emptied();
  await done(t, sandbox, 'set plain', 'v');
  t.notMatch(
    (await run(sandbox, 'list -o table')).stdout,
    /EXPIRES|ROTATE/,
    'a column only where one has it',
  );
  await done(t, sandbox, `set past --expires ${PAST}`, 'v');
  await done(t, sandbox, 'set soon --rotate-by 7d --env prod', 'v');
  await done(t, sandbox, 'set later --expires 90d', 'v');
  t.same(await listNames(sandbox, '--due now'), ['past']);
  t.same(await listNames(sandbox, '--due 14d'), ['past', 'soon']);
  t.same(await listNames(sandbox, '--due 14d --env prod'), ['soon']);
  t.same(await listNames(sandbox, `--due ${FAR}`), ['later', 'past', 'soon']);
  t.equal((await run(sandbox, 'search a --due now -o names')).stdout, 'past\n');
  const table = (await run(sandbox, 'list -o table')).stdout;
  t.match(table, /NAME .* EXPIRES +ROTATE BY +METADATA/);
  t.match(table, /past .* 2020-01-01 \d\d:\d\d \(expired\)|past .* 2019-12-31 \d\d:\d\d \(expired\)/);
  t.match(
    (await run(sandbox, 'list -o plain')).stdout,
    RegExp(`past\\t\\t0\\t[^\\t]+\\t\\{\\}\\t${PAST}\\t\\n`),
  );
  t.equal((await run(sandbox, 'list --due 1d -e prod -o table')).stderr, 'Nothing is due until then.\n');
});

t.test('status, doctor > something is due > count it', async (t) => {
  const sandbox = await createVault(t);
  t.match((await run(sandbox, 'doctor')).stdout, /ok +due dates +no secret is past one/);
  await done(t, sandbox, `set past --rotate-by ${PAST}`, 'v');
  await done(t, sandbox, 'set past', 'w');
  await done(t, sandbox, 'set gone', 'v');
  await done(t, sandbox, 'delete gone');
  const { stdout } = await done(t, sandbox, 'status');
  t.match(stdout, /due {8}1 secret is past a date; see: mav list --due now/);
  t.match(stdout, /history {4}3 old versions, 1 deleted secret \(\d+ bytes\)/);
  const json = JSON.parse((await done(t, sandbox, 'status -o json')).stdout);
  t.match(json, {
    due_count: 1,
    deleted_count: 1,
    version_count: 3,
    keep_versions: 10,
    keep_deleted_days: 30,
  });
  t.match((await run(sandbox, 'doctor')).stdout, /warn +due dates +1 secret is past expires_at or rotate_by/);
});

t.test('exec, env > what has expired > is named, and handed out all the same', async (t) => {
  const sandbox = await emptied();
  await done(t, sandbox, `set past --expires ${PAST}`, 'old');
  await done(t, sandbox, 'set past --field user=me');
  await done(t, sandbox, `set overdue --rotate-by ${PAST}`, 'v');
  await done(t, sandbox, `set later --expires ${FAR}`, 'v');
  const note = /^Note: expired, and used all the same: past \(20[^,]*\)\n$/;
  const show = `exec -- ${process.execPath} -p process.env.PAST`;
  t.match({ ...(await run(sandbox, show)) }, { code: 0, stdout: 'old\n', stderr: note });
  t.match({ ...(await run(sandbox, 'env --only past')) }, { code: 0, stdout: /PAST_USER/, stderr: note });
  t.equal((await run(sandbox, 'env --only later,overdue')).stderr, '');
  t.equal((await run(sandbox, 'env -q')).stderr, '');
  for (const reference of ['mav:///past', 'mav:///past#user']) {
    writeFileSync(join(sandbox.folder, 'file'), `A=${reference}\nB=mav:///later`);
    t.match((await run(sandbox, 'env --env-file file')).stderr, note, reference);
  }
});

t.test('export, import > dates and versions > the dates are kept, the versions start again', async (t) => {
  const sandbox = await emptied();
  await done(t, sandbox, `set x --expires ${FAR} --rotate-by ${PAST}`, 'one');
  await done(t, sandbox, 'set x', 'two');
  const { stdout } = await done(t, sandbox, 'export');
  t.match(stdout, '"version":2');
  t.match((await done(t, sandbox, 'import -', stdout)).stderr, /Already so: 1/);
  await done(t, sandbox, 'purge x --force');
  await done(t, sandbox, 'import -', stdout);
  t.match(await readEntry(sandbox, 'x'), { value: 'two', expires_at: FAR, rotate_by: PAST, version: 1 });
  const list = JSON.stringify(
    JSON.parse(stdout).secrets.map((one: object) => ({ ...one, expires_at: PAST })),
  );
  const again = await done(t, sandbox, 'import -', list);
  t.match(again.stderr, /Changed: 1 \(x\)\n.*\nWhat was changed is kept; mav rollback x brings it back/);
  t.match(await readEntry(sandbox, 'x'), { expires_at: PAST, version: 2 });
  await done(t, sandbox, 'rollback x');
  t.match(await readEntry(sandbox, 'x'), { expires_at: FAR, version: 3 });
});
