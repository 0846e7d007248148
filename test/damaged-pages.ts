/** A damaged page of vault.db ends all writing. What is read is right or refused, and the export saves the rest. */
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { createHeldVault, type Held, hold } from './fixtures/held.ts';
import { forgetEpochs } from './fixtures/killed.ts';
import { waitUntil } from './fixtures/raw.ts';
import { hashDatabase } from './fixtures/sealed.ts';
import { isIndexed } from './fixtures/stored.ts';
import { mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);

const PAGE_SIZE = 4_096;
const NAMES = Array.from({ length: 6 }, (_, index) => `k${index}`);
const VALUE = 'v'.repeat(1_500);

/** With the session's own rights, and everything in vault.db. */
async function createFilled(t: Test): Promise<Sandbox> {
  const sandbox = await createHeldVault(t);
  const held = await hold(t, sandbox);
  const fields = { user: 'u', password: 'p' };
  const secrets = NAMES.map((name) => ({ name, environment: 'base', value: VALUE, fields }));
  const { status } = await held.ask('POST', '/v1/import', { body: { secrets } });
  if (status !== 200) throw new Error(`the import answered ${status}`);
  await waitUntil(() => isIndexed(sandbox.databasePath));
  // So that reading has its segment of the audit log, whose row is written before the damage is met.
  await held.ask('GET', '/v1/secrets');
  await held.close();
  return sandbox;
}

/** Changes a page of this table or index. */
function damage({ databasePath }: Sandbox, name: string, change: (page: Buffer) => void): void {
  const db = new Database(databasePath, { readonly: true });
  const page = db
    .prepare("SELECT max(pageno) FROM dbstat WHERE name = ? AND pagetype = 'leaf'")
    .pluck()
    .get(name) as number;
  db.close();
  const file = readFileSync(databasePath);
  change(file.subarray((page - 1) * PAGE_SIZE, page * PAGE_SIZE));
  writeFileSync(databasePath, file);
}

const overwrite = (page: Buffer) => page.fill(0xa5);
const SAYS =
  /vault\.db is damaged, and nothing is written to it any more; save .* mav export --skip-unreadable/;

async function countStatuses({ ask }: Held, suffix: string): Promise<Record<number, number>> {
  const answers = await Promise.all(NAMES.map((name) => ask('GET', `/v1/secrets/${name}${suffix}?env=base`)));
  const byStatus = Object.entries(Object.groupBy(answers, ({ status }) => status));
  return Object.fromEntries(byStatus.map(([status, all]) => [status, all?.length ?? 0]));
}

// Before any subtest: tap takes the whole to have ended when the last subtest has.
const sandbox = await createFilled(t);
const whole = readFileSync(sandbox.databasePath);
const restore = () => {
  writeFileSync(sandbox.databasePath, whole);
  forgetEpochs(sandbox);
};

t.test('a page of secrets > the first that meets it ends all writing, not reading', async (t) => {
  restore();
  damage(sandbox, 'secrets', overwrite);
  const before = hashDatabase(sandbox);
  const held = await hold(t, sandbox);
  t.equal((await held.ask('GET', '/v1/health')).json.damaged, undefined, 'nobody knows yet');
  const { 200: right = 0, 500: refused = 0 } = await countStatuses(held, '');
  t.ok(right > 0 && refused > 0 && right + refused === NAMES.length);
  const writes = await Promise.all(
    NAMES.map((name) => held.ask('PUT', `/v1/secrets/${name}`, { body: { value: 'x' } })),
  );
  for (const write of writes) t.match(write, { status: 500, json: { code: 'integrity', error: SAYS } });
  t.match(await held.ask('POST', '/v1/keys/rotate'), { status: 500, json: { error: SAYS } });
  const exported: any[] = (await held.ask('GET', '/v1/export')).json;
  t.equal(exported.filter(({ value }) => value === VALUE).length, right, 'the export reads past it');
  t.equal(exported.filter(({ code }) => code === 'integrity').length, refused);
  t.same(
    held.events.filter((event) => event.startsWith('damaged')),
    ['damaged: the database: SQLITE_CORRUPT; nothing is written to it any more'],
  );
  t.match((await held.ask('GET', '/v1/health')).json, { status: 'ok', damaged: true });
  await held.close();
  t.same(hashDatabase(sandbox), before, 'nothing was written');
});

t.test('a daemon that has met it > health and mav status say so', async (t) => {
  restore();
  damage(sandbox, 'secrets', overwrite);
  // The vault was held in this process until now, and with its umask.
  for (const name of readdirSync(sandbox.home)) chmodSync(join(sandbox.home, name), 0o600);
  const daemon = await startDaemon(t, { sandbox, init: null });
  const readStatus = async () => {
    const { code, stdout } = await mav(daemon, ['status', '-o', 'json']);
    return { code, ...JSON.parse(stdout) };
  };
  t.match(await readStatus(), { code: 0, state: 'unsealed', damaged: false, reason: null });
  await Promise.all(NAMES.map((name) => daemon.ask('GET', `/v1/secrets/${name}?env=base`)));
  t.match((await daemon.ask('GET', '/v1/health')).json, { damaged: true });
  const reason = /database is damaged, and nothing is written to it any more; save .* mav export/;
  t.match(await readStatus(), { code: 1, state: 'unsealed', damaged: true, reason });
  t.match(
    (await mav(daemon, ['status', '-o', 'table'])).stdout,
    /^state +unsealed: the database is damaged/m,
  );
});

t.test('an index of places > the export goes by the other one', async (t) => {
  restore();
  damage(sandbox, 'sqlite_autoindex_secrets_1', overwrite);
  const held = await hold(t, sandbox);
  t.same(await countStatuses(held, ''), { 500: NAMES.length });
  const exported: any[] = (await held.ask('GET', '/v1/export')).json;
  t.same(
    exported.map(({ name, value }) => [name, value]),
    NAMES.map((name) => [name, VALUE]),
  );
});

t.test('the tokens > unsealed without them; the keys > sealed with the reason', async (t) => {
  restore();
  damage(sandbox, 'tokens', overwrite);
  const held = await hold(t, sandbox);
  t.same(await countStatuses(held, '/value'), { 200: NAMES.length });
  t.match(await held.ask('DELETE', '/v1/secrets/k0?env=base'), { status: 500, json: { error: SAYS } });
  await held.close();
  restore();
  damage(sandbox, 'keks', overwrite);
  const sealed = await hold(t, sandbox);
  const says = /vault\.db is damaged \(SQLITE_CORRUPT\w*\); restore it from a backup/;
  t.match(await sealed.ask('GET', '/v1/secrets/k0'), {
    status: 503,
    json: { code: 'sealed', error: says },
  });
});

t.test('fields that a secret counts are lost > refused, not shown without them', async (t) => {
  restore();
  // The number of cells, in the page's header.
  damage(sandbox, 'fields', (page) => page.writeUInt16BE(page.readUInt16BE(3) - 1, 3));
  const held = await hold(t, sandbox);
  t.same(await countStatuses(held, ''), { 200: NAMES.length - 1, 500: 1 });
  t.same(await countStatuses(held, '/fields'), { 200: NAMES.length - 1, 500: 1 });
});
