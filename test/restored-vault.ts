/** A vault whose file was put back from an older copy: it is not served until the owner accepts it. */
import { once } from 'node:events';
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { checkAll } from './fixtures/checks.ts';
import { waitFor } from './fixtures/clipboard.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { createHeldVault, type Held, hold } from './fixtures/held.ts';
import { knowVault, mav, type Sandbox } from './fixtures/vault.ts';

/** Opens the vault, sets the secret, and closes the vault. */
async function set(t: Test, sandbox: Sandbox, value: string): Promise<number> {
  const { ask, close } = await hold(t, sandbox);
  const { status } = await ask('PUT', '/v1/secrets/db', { body: { value } });
  await close();
  return status;
}

async function isRefused(t: Test, sandbox: Sandbox): Promise<Held['events']> {
  const { ask, close, events } = await hold(t, sandbox);
  t.match(await ask('GET', '/v1/secrets/db'), { status: 503, json: { code: 'sealed', reason: 'restored' } });
  await close();
  return events;
}

/** The file outside of the vault's folder that says how far the vault was seen. */
function locateSeen(sandbox: Sandbox): string {
  const folder = dirname(knowVault(sandbox).knownVaultsPath);
  const names = readdirSync(folder).filter((name) => name.endsWith('.epoch'));
  if (names.length !== 1) throw new Error(`${names.length} epochs in ${folder}`);
  return join(folder, names[0] as string);
}

t.setTimeout(550_000);

const copyOf = (sandbox: Sandbox) => join(sandbox.folder, 'copy.db');
const takeCopy = (sandbox: Sandbox) => copyFileSync(sandbox.databasePath, copyOf(sandbox));
const putBack = (sandbox: Sandbox) => copyFileSync(copyOf(sandbox), sandbox.databasePath);

t.test('unseal > the file was put back > refused until mav accept-restore', async (t) => {
  const sandbox = await createHeldVault(t);
  await set(t, sandbox, 'old');
  takeCopy(sandbox);
  await set(t, sandbox, 'new');
  putBack(sandbox);
  const events = await isRefused(t, sandbox);
  t.match(events.join(), /is a copy from 20\S+Z, \d+ commits older: .*run: mav accept-restore/);
  t.match(await mav(sandbox, ['get', 'db']), { code: 5, stderr: /mav accept-restore/ });
  t.match(await mav(sandbox, ['accept-restore']), { code: 2, stderr: /commits older.*--force/s });
  await isRefused(t, sandbox);
  t.match(await mav(sandbox, ['accept-restore', '--force']), { code: 0, stderr: /Accepted\./ });
  const { ask, close } = await hold(t, sandbox);
  t.equal((await ask('GET', '/v1/secrets/db')).json.value, 'old');
  t.strictSame((await checkAll(ask)).damaged, []);
  const { entries } = (await ask('GET', '/v1/audit?operation=vault.acceptRestore')).json;
  t.match(entries, [{ op: 'vault.acceptRestore', by: 'session', result: 'ok' }]);
  await close();
  t.match(await mav(sandbox, ['accept-restore']), { code: 0, stderr: /nothing was done/ });
});

t.test('unseal > what was seen is behind, missing or empty > no false alarm', async (t) => {
  const sandbox = await createHeldVault(t);
  await set(t, sandbox, 'old');
  const seen = locateSeen(sandbox);
  const before = readFileSync(seen);
  for (const content of [before, Buffer.alloc(0), Buffer.from('{"epoch":"x"}'), null]) {
    await set(t, sandbox, 'new');
    if (content === null) rmSync(seen);
    else writeFileSync(seen, content);
    t.equal(await set(t, sandbox, 'newer'), 201, String(content));
  }
});

t.test('close > the writer takes long to come to rest > its last commit is seen all the same', async (t) => {
  const sandbox = await createHeldVault(t);
  const { ask, close } = await hold(t, sandbox);
  await ask('PUT', '/v1/secrets/db', { body: { value: 'v' } });
  const db = new Database(sandbox.databasePath);
  t.teardown(() => db.close());
  // Its audit log cannot be put in order meanwhile.
  db.exec('BEGIN IMMEDIATE');
  const { epoch } = db.prepare<[], { epoch: number }>('SELECT epoch FROM row_set').get()!;
  const closing = close();
  await sleep(1_000);
  db.exec('ROLLBACK');
  await closing;
  t.ok(JSON.parse(readFileSync(locateSeen(sandbox), 'utf8')).epoch >= epoch);
});

t.test('unseal > a copy went on by itself for as long > refused: its last commit is another', async (t) => {
  const sandbox = await createHeldVault(t);
  await set(t, sandbox, 'old');
  takeCopy(sandbox);
  await set(t, sandbox, 'new');
  const seen = readFileSync(locateSeen(sandbox));
  rmSync(locateSeen(sandbox));
  putBack(sandbox);
  await set(t, sandbox, 'other');
  const { epoch } = JSON.parse(seen.toString());
  t.equal(JSON.parse(readFileSync(locateSeen(sandbox), 'utf8')).epoch, epoch);
  writeFileSync(locateSeen(sandbox), seen);
  t.match((await isRefused(t, sandbox)).join(), 'with another last commit');
});

t.test(
  'accept-restore > a row was changed without the key > named, and then it is not said again',
  async (t) => {
    const sandbox = await createHeldVault(t);
    await set(t, sandbox, '1');
    await set(t, sandbox, '2');
    const { StoredFile } = await import('./fixtures/stored.ts');
    const file = new StoredFile(sandbox.databasePath);
    file.write({ versions: [] });
    file.close();
    t.match(await mav(sandbox, ['accept-restore']), {
      code: 2,
      stderr: /In it rows were changed.*versions \(1 fewer\)/,
    });
    t.match(await mav(sandbox, ['verify']), { code: 1 });
    t.match(await mav(sandbox, ['accept-restore', '--force']), { code: 0 });
    t.match(await mav(sandbox, ['verify']), { code: 0, stderr: /Everything opens/ });
  },
);

t.test(
  'serve > a row was dropped while nothing ran > said in the log, and requests are answered',
  async (t) => {
    const sandbox = await createHeldVault(t);
    await set(t, sandbox, '1');
    await set(t, sandbox, '2');
    const { StoredFile } = await import('./fixtures/stored.ts');
    const file = new StoredFile(sandbox.databasePath);
    file.write({ versions: [] });
    file.close();
    const daemon = await startDaemon(t, { sandbox, init: null, token: false });
    const found = () =>
      daemon.log().find(({ event, detail = '' }) => event === 'warning' && /^rows /.test(detail));
    await waitFor('the check of all rows', () => found() !== undefined);
    t.match(found().detail, /without the key: versions \(1 fewer\); .*accept-restore/);
    const { stdout: json, code } = await mav(sandbox, ['status', '-o', 'json']);
    const changed = { readable: true, tables: [{ table: 'versions', more: -1 }], audit_segments: [] };
    t.match({ code, ...JSON.parse(json) }, { code: 1, changed: true, changed_rows: changed });
    t.match(await mav(sandbox, ['status']), {
      stdout: /^changed +without the key, .*: versions \(1 fewer\);/m,
    });
    // Without the session's token nothing more is said than that something was changed.
    const { json: health } = await daemon.ask('GET', '/v1/health', { token: null });
    t.strictSame({ ...health, time: '' }, { status: 'ok', time: '', changed: true });
    t.match(await mav(sandbox, ['doctor']), { code: 1, stdout: /versions \(1 fewer\).*accept-restore/ });
    t.match(await mav(sandbox, ['get', 'db']), { code: 0, stdout: '2' });
    t.equal((await daemon.stop()).code, 0);
  },
);

t.test(
  'serve > killed again and again, with commands between > what was seen is behind, and nothing is refused',
  async (t) => {
    const sandbox = await createHeldVault(t);
    const told = () => JSON.parse(readFileSync(locateSeen(sandbox), 'utf8')).epoch as number;
    await set(t, sandbox, 'first');
    for (const round of [1, 2, 3]) {
      const daemon = await startDaemon(t, { sandbox, init: null, token: false });
      t.match(await mav(sandbox, ['set', 'db', '--value', `served ${round}`]), { code: 0 });
      const ended = once(daemon.child, 'close');
      daemon.child.kill('SIGKILL');
      await ended;
      t.ok(told() <= readEpoch(sandbox), `round ${round}: behind, or as far`);
      t.match(await mav(sandbox, ['get', 'db']), { code: 0, stdout: `served ${round}` });
      t.match(await mav(sandbox, ['set', 'db', '--value', `alone ${round}`]), { code: 0 });
      t.equal(told(), readEpoch(sandbox), 'a command writes it down at its end');
    }
    t.match(await mav(sandbox, ['verify']), { code: 0 });
  },
);

function readEpoch({ databasePath }: Sandbox): number {
  const db = new Database(databasePath, { readonly: true });
  const epoch = db.prepare<[], number>('SELECT epoch FROM row_set').pluck().get() ?? 0;
  db.close();
  return epoch;
}
