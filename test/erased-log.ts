/** What was deleted or replaced is in no file of the folder soon afterwards, while the daemon runs. */
import { cpSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { mav } from './fixtures/vault.ts';

t.setTimeout(300_000);

/** Generous: a test's machine may be busy. The log is erased 0.3 s after the last write. */
const SOON_MS = 20_000;

type Needles = Readonly<Record<string, Buffer>>;

/** The files where one of these is found, in a copy as a backup or a sync would take it. */
function findIn(daemon: Daemon, needles: Needles): string[] {
  const copy = join(daemon.folder, 'copy');
  cpSync(daemon.home, copy, { recursive: true, filter: (path) => !path.endsWith('.sock') });
  const found = readdirSync(copy).flatMap((file) => {
    const bytes = readFileSync(join(copy, file));
    return Object.keys(needles)
      .filter((what) => bytes.includes(needles[what] as Buffer))
      .map((what) => `${what} in ${file}`);
  });
  rmSync(copy, { recursive: true });
  return found;
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
  UNION ALL SELECT 'the payload of the field ' || field, payload FROM fields`;

const NAME = 'name-to-be-forgotten';
const TEXT: Needles = { name: Buffer.from(NAME), metadata: Buffer.from('metadata-to-be-forgotten') };

async function startWithSecret(t: Test): Promise<Daemon> {
  const daemon = await startDaemon(t);
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

t.test('restore > another vault.db and its log are put into place > that log is left alone', async (t) => {
  const daemon = await startWithSecret(t);
  const files = [`${daemon.databasePath}-wal`, daemon.databasePath];
  await daemon.ask('PUT', '/v1/secrets/z', { body: { value: 'kept' } });
  for (const file of files) cpSync(file, `${file}.copy`);
  const log = readFileSync(`${files[0]}.copy`);
  t.ok(log.length > 0, 'the log was copied before it was erased');
  await daemon.ask('PUT', '/v1/secrets/z', { body: { value: 'other' } });
  for (const file of files) renameSync(`${file}.copy`, file);
  await sleep(1_500);
  t.ok(readFileSync(`${daemon.databasePath}-wal`).equals(log), 'byte for byte');
});
