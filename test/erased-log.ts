/** What was purged or, where no old versions are kept, deleted or replaced is in no file of the folder soon afterwards. */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { createSandbox, mav } from './fixtures/vault.ts';

t.setTimeout(300_000);

/** Generous: a test's machine may be busy. The log is erased 0.3 s after the last write. */
const SOON_MS = 20_000;

type Needles = Readonly<Record<string, Buffer>>;

/**
 * The files of the folder where one of these is found. Without the audit log, which keeps the names of what is gone and has no
 * values (test/audit-recording.ts): it grows with each request, and would soon take long to search. The files are read in
 * place: Node's copying never ends if the daemon shortens the log in the middle of it.
 */
function findIn({ home }: Daemon, needles: Needles): string[] {
  const files = readdirSync(home, { withFileTypes: true }).filter((entry) => entry.isFile());
  return files.flatMap(({ name }) => {
    const bytes = readFileSync(join(home, name));
    return Object.keys(needles)
      .filter((what) => bytes.includes(needles[what] as Buffer))
      .map((what) => `${what} in ${name}`);
  });
}

async function isGone(t: Test, daemon: Daemon, needles: Needles): Promise<void> {
  const beganAtMs = performance.now();
  let found = findIn(daemon, needles);
  while (found.length > 0 && performance.now() - beganAtMs < SOON_MS) {
    await sleep(50);
    found = findIn(daemon, needles);
  }
  t.same(found, [], `gone after ${Math.round(performance.now() - beganAtMs)} ms`);
}

/** Of every row of a table the bytes that are secret's or key's. */
function readBlobs({ databasePath }: Daemon, sql: string): Needles {
  const db = new Database(databasePath, { readonly: true });
  const rows = db.prepare<[], { what: string; bytes: Buffer | null }>(sql).all();
  db.close();
  return Object.fromEntries(rows.flatMap(({ what, bytes }) => (bytes === null ? [] : [[what, bytes]])));
}

const OF_SECRETS = `
  SELECT 'the wrapped DEK of ' || name AS what, wrapped_dek AS bytes FROM secrets
  UNION ALL SELECT 'the payload of ' || name, payload FROM secrets
  UNION ALL SELECT 'the wrapped DEK of the field ' || field, wrapped_dek FROM fields
  UNION ALL SELECT 'the payload of the field ' || field, payload FROM fields
  UNION ALL SELECT 'the wrapped DEK of version ' || revision || ' of ' || name, wrapped_dek FROM versions
  UNION ALL SELECT 'the payload of version ' || revision || ' of ' || name, payload FROM versions
  UNION ALL SELECT 'the wrapped DEK of the old field ' || field || until, wrapped_dek FROM old_fields
  UNION ALL SELECT 'the payload of the old field ' || field || until, payload FROM old_fields`;

const NAME = 'name-to-be-forgotten';
const TEXT: Needles = { name: Buffer.from(NAME), metadata: Buffer.from('metadata-to-be-forgotten') };

const KEEPS_NOTHING = { keep_versions: 0, keep_deleted_days: 0 };

async function startWithSecret(t: Test, config: object = KEEPS_NOTHING): Promise<Daemon> {
  const sandbox = createSandbox(t);
  mkdirSync(sandbox.home, { mode: 0o700 });
  writeFileSync(join(sandbox.home, 'config.json'), JSON.stringify(config), { mode: 0o600 });
  const daemon = await startDaemon(t, { sandbox });
  const body = {
    value: 'v'.repeat(300),
    metadata: { note: 'metadata-to-be-forgotten' },
  };
  const field = { body: { value: 'u'.repeat(200) } };
  // Others beside it, so that its page stays in use.
  for (const name of ['a', NAME, 'z']) {
    const { status } = await daemon.ask('PUT', `/v1/secrets/${name}`, { body });
    if (status !== 200 && status !== 201) throw new Error(`${name}: ${status}`);
    await daemon.ask('PUT', `/v1/secrets/${name}/fields/user`, field);
  }
  return daemon;
}

t.test('secrets.delete > a copy of the folder a moment later > has nothing of it', async (t) => {
  const daemon = await startWithSecret(t);
  const blobs = readBlobs(daemon, OF_SECRETS);
  const own = Object.fromEntries(Object.entries(blobs).filter(([what]) => what.includes(NAME)));
  t.ok(findIn(daemon, own).length > 0, 'it was there');
  await daemon.ask('DELETE', `/v1/secrets/${NAME}`);
  for (const name of ['a', 'z']) await daemon.ask('PATCH', `/v1/secrets/${name}`, { body: { metadata: {} } });
  await isGone(t, daemon, { ...own, ...TEXT });
});

t.test('secrets.put, rename, fields.delete > what was there before > is gone', async (t) => {
  const daemon = await startWithSecret(t);
  const before = readBlobs(daemon, OF_SECRETS);
  for (const name of ['a', 'z']) await daemon.ask('DELETE', `/v1/secrets/${name}`);
  await daemon.ask('DELETE', `/v1/secrets/${NAME}/fields/user`);
  await daemon.ask('PUT', `/v1/secrets/${NAME}`, { body: { value: 'other', metadata: {} } });
  await daemon.ask('POST', `/v1/secrets/${NAME}/rename`, { body: { name: 'other' } });
  await isGone(t, daemon, { ...before, ...TEXT });
});

t.test('keys.rotate, tokens.revoke > the old wraps and the token > are gone', async (t) => {
  const daemon = await startWithSecret(t);
  const { id } = await daemon.createToken(['read'], { name: 'token-to-be-forgotten' });
  const before = {
    ...readBlobs(daemon, `SELECT 'the KEK' AS what, wrapped AS bytes FROM keks`),
    ...readBlobs(
      daemon,
      `SELECT 'the wrapped DEK of ' || name AS what, wrapped_dek AS bytes FROM secrets
       UNION ALL SELECT 'the hash of the token', hash FROM tokens WHERE name = 'token-to-be-forgotten'`,
    ),
    'the name of the token': Buffer.from('token-to-be-forgotten'),
  };
  t.ok(findIn(daemon, before).length > 0, 'they were there');
  t.equal((await daemon.ask('DELETE', `/v1/tokens/${id}`)).status, 200);
  t.equal((await mav(daemon, ['key', 'rotate'])).code, 0);
  await isGone(t, daemon, before);
});

t.test('secrets.delete > others read and write without rest > it is gone all the same', async (t) => {
  const daemon = await startWithSecret(t);
  const blobs = readBlobs(daemon, OF_SECRETS);
  const own = Object.fromEntries(Object.entries(blobs).filter(([what]) => what.includes(NAME)));
  const stop = new AbortController();
  const busy = [0, 1, 2, 3].map(async (number) => {
    while (!stop.signal.aborted) {
      await daemon.ask('GET', '/v1/secrets/a');
      await daemon.ask('PUT', '/v1/secrets/z', { body: { value: `${number}` } });
    }
  });
  await daemon.ask('DELETE', `/v1/secrets/${NAME}`);
  await isGone(t, daemon, own);
  stop.abort();
  await Promise.all(busy);
});

t.test('secrets.delete > the daemon ends, or is killed and another starts > it is gone', async (t) => {
  const daemon = await startWithSecret(t);
  const own = (blobs: Needles) =>
    Object.fromEntries(Object.entries(blobs).filter(([what]) => what.includes(NAME)));
  const first = own(readBlobs(daemon, OF_SECRETS));
  await daemon.ask('DELETE', `/v1/secrets/${NAME}`);
  await daemon.stop('SIGKILL');
  const next = await startDaemon(t, { sandbox: daemon, init: null, token: false });
  await isGone(t, next, { ...first, name: Buffer.from(NAME) });
  t.equal((await mav(next, ['set', NAME, '--value', 'v'.repeat(300)])).code, 0);
  const second = own(readBlobs(next, OF_SECRETS));
  t.equal((await mav(next, ['rm', NAME, '--force'])).code, 0);
  await next.stop();
  t.same(findIn(next, { ...second, name: Buffer.from(NAME) }), [], 'at once');
  t.equal((await mav(next, ['set', NAME, '--value', 'v'.repeat(300)])).code, 0, 'without a daemon');
  const third = own(readBlobs(next, OF_SECRETS));
  t.equal((await mav(next, ['rm', NAME, '--force'])).code, 0);
  t.same(findIn(next, { ...third, name: Buffer.from(NAME) }), [], 'at once');
});

/** Changes all that a secret has, three times, and returns every blob that was stored meanwhile. */
async function changeAll(daemon: Daemon, name: string): Promise<Needles> {
  const seen: Record<string, Buffer> = {};
  for (const step of [1, 2, 3]) {
    const body = { value: `${step}`.repeat(300), metadata: { step } };
    await daemon.ask('PUT', `/v1/secrets/${name}`, { body });
    await daemon.ask('PUT', `/v1/secrets/${name}/fields/user`, { body: { value: `${step}`.repeat(200) } });
    for (const [what, bytes] of Object.entries(readBlobs(daemon, OF_SECRETS)))
      seen[`${step}: ${what}`] = bytes;
  }
  return seen;
}

t.test('secrets.purge > after changes, a deletion and a restoration > nothing of it is left', async (t) => {
  const daemon = await startWithSecret(t, {});
  for (const name of ['a', 'z']) await daemon.ask('POST', `/v1/secrets/${name}/purge`);
  const needles = await changeAll(daemon, NAME);
  await daemon.ask('DELETE', `/v1/secrets/${NAME}`);
  const deleted = readBlobs(daemon, OF_SECRETS);
  await daemon.ask('POST', `/v1/secrets/${NAME}/restore`);
  await daemon.ask('DELETE', `/v1/secrets/${NAME}`);
  const all = { ...needles, ...deleted, ...readBlobs(daemon, OF_SECRETS), ...TEXT };
  t.ok(findIn(daemon, all).length > 10, 'it was kept');
  t.equal((await daemon.ask('POST', `/v1/secrets/${NAME}/purge`)).status, 200);
  await isGone(t, daemon, all);
});

t.test('secrets.put > the eleventh > nothing of the first is left', async (t) => {
  const daemon = await startWithSecret(t, {});
  for (const name of ['a', NAME, 'z']) await daemon.ask('POST', `/v1/secrets/${name}/purge`);
  const put = (index: number) =>
    daemon.ask('PUT', `/v1/secrets/${NAME}`, {
      body: { value: `${index}`.repeat(200), metadata: { [`step ${index} of many`]: index } },
    });
  await put(0);
  const first = { ...readBlobs(daemon, OF_SECRETS), metadata: Buffer.from('step 0 of many') };
  for (let index = 1; index < 10; index++) await put(index);
  t.ok(findIn(daemon, first).length > 0, 'ten are kept');
  await put(10);
  await isGone(t, daemon, first);
});

t.test('start > a secret was deleted 31 days ago > it is purged, and one of yesterday is not', async (t) => {
  const daemon = await startWithSecret(t, {});
  const kept = readBlobs(daemon, OF_SECRETS);
  const old = await changeAll(daemon, NAME);
  for (const name of [NAME, 'a']) await daemon.ask('DELETE', `/v1/secrets/${name}`);
  const own = Object.fromEntries(
    Object.entries({ ...old, ...readBlobs(daemon, OF_SECRETS) }).filter(([what]) => what.includes(NAME)),
  );
  await daemon.stop();
  const db = new Database(daemon.databasePath);
  const age = db.prepare('UPDATE deleted SET deleted_at = deleted_at - ? WHERE name = ?');
  age.run(31 * 86_400, NAME);
  age.run(86_400, 'a');
  db.close();
  const next = await startDaemon(t, { sandbox: daemon, init: null, token: false });
  await isGone(t, next, { ...own, name: Buffer.from(NAME) });
  const payload = Object.entries(kept).filter(([what]) => what === 'the payload of a');
  t.equal(findIn(next, Object.fromEntries(payload)).length, 1, 'yesterday is kept');
});

t.test('restore > another vault.db and its log are put into place > that log is left alone', async (t) => {
  const daemon = await startWithSecret(t);
  const files = [`${daemon.databasePath}-wal`, daemon.databasePath];
  let log = Buffer.alloc(0);
  // On a busy machine the log may be erased before it is copied.
  while (log.length === 0) {
    await daemon.ask('PUT', '/v1/secrets/z', { body: { value: 'kept' } });
    for (const file of files) writeFileSync(`${file}.copy`, readFileSync(file));
    log = readFileSync(`${files[0]}.copy`);
  }
  await daemon.ask('PUT', '/v1/secrets/z', { body: { value: 'other' } });
  for (const file of files) renameSync(`${file}.copy`, file);
  await sleep(1_500);
  t.ok(readFileSync(`${daemon.databasePath}-wal`).equals(log), 'byte for byte');
});
