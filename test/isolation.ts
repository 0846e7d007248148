/** The wall at run time: what the threads' heaps hold while the daemon works. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import t from 'tap';
import { encodeContext } from '../workers/envelope/context.ts';
import { asRootKey } from '../workers/envelope/keys.ts';
import { digestRow } from '../workers/envelope/row-digest.ts';
import { unwrapKey } from '../workers/envelope/wrap.ts';
import { openKeyring } from '../workers/keys/unseal.ts';
import { createSandbox, type Daemon, startDaemon } from './fixtures/vault.ts';

const PROBE = new URL('./fixtures/heap-probe.mjs', import.meta.url).href;
const SCAN_TIMEOUT_MS = 60_000;
/** Every value contains it; with a quote, so that its JSON form is another one. */
const VALUE = 'CANARY-value-of-a-secret';
/** Its length is a multiple of three: so it looks wherever a value begins with it. */
const ENCODED = Buffer.from(VALUE).toString('base64');
const VALUE_FORMS = [VALUE, ENCODED].map((text) => Buffer.from(text));
const ROUNDS = 1_000;
const PARALLEL = 20;

t.setTimeout(550_000);
const sandbox = createSandbox(t);
const probeFolder = join(sandbox.folder, 'probe');
mkdirSync(probeFolder);
sandbox.env.MAV_PROBE = probeFolder;
const keyFile = join(sandbox.folder, 'root.key');
const daemon = await startDaemon(t, {
  sandbox,
  init: ['--key-store', 'file', '--key-file', keyFile],
  node: ['--import', PROBE],
});

interface Scan {
  readonly found: readonly { readonly inBuffers: boolean; readonly inStrings: boolean }[];
  readonly secretKeys: number;
  readonly buffers: number;
}

async function scan(thread: string, needles: readonly Uint8Array[], plant = false): Promise<Scan> {
  const flipped = needles.map((needle) => Buffer.from(needle.map((byte) => byte ^ 0xff)).toString('hex'));
  const answer = join(probeFolder, `answer-${thread}.json`);
  writeFileSync(join(probeFolder, 'ask'), JSON.stringify({ needles: flipped, plant }));
  renameSync(join(probeFolder, 'ask'), join(probeFolder, `ask-${thread}.json`));
  for (const deadline = Date.now() + SCAN_TIMEOUT_MS; !existsSync(answer); await sleep(25)) {
    if (Date.now() > deadline) throw new Error('the probe does not answer');
  }
  const result = JSON.parse(readFileSync(answer, 'utf8')) as Scan;
  rmSync(answer);
  if ('error' in result) throw new Error(`the probe failed: ${result.error}`);
  return result;
}

/** The root key, the KEKs and the DEKs of all rows, unwrapped from the files. */
function readKeys({ databasePath }: Daemon): Buffer[] {
  const db = new Database(databasePath, { readonly: true });
  try {
    const { vault_id: vaultId } = db.prepare('SELECT vault_id FROM vault').get() as { vault_id: Buffer };
    const keks = db
      .prepare('SELECT id, generation, wrapped, created_at AS createdAt FROM keks')
      .all() as never[];
    const rootKey = readFileSync(keyFile);
    const keyring = openKeyring(asRootKey(new Uint8Array(rootKey)), vaultId, keks);
    const rows = db.prepare('SELECT * FROM secrets LIMIT 50').all() as any[];
    const deks = rows.map((row) => {
      const { environment, name, version } = row;
      const ctx = encodeContext({ vaultId, kind: 'secret', environment, name, field: '', version });
      const digest = digestRow(row.metadata, row.created_at, row.updated_at);
      return unwrapKey(keyring.current.wrapping, row.wrapped_dek, ctx, digest);
    });
    return [rootKey, keyring.current.key.export(), ...deks];
  } finally {
    db.close();
  }
}

async function inParallel(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lanes = Array.from({ length: PARALLEL }, async () => {
    while (next < count) await work(next++);
  });
  await Promise.all(lanes);
}

const path = (index: number) => `/v1/secrets/s${index % 50}`;

t.before(async () => {
  await inParallel(ROUNDS, async (index) => {
    const body = { value: `${VALUE} ${index}`, metadata: { index } };
    t.equal((await daemon.ask('PUT', path(index), { body })).status, 201);
  });
  await inParallel(ROUNDS, async (index) => {
    t.match((await daemon.ask('GET', path(index))).text, VALUE);
  });
  await daemon.ask('PUT', `${path(0)}/fields`, { body: { fields: { a: `${VALUE} a`, b: `${VALUE} b` } } });
  await daemon.ask('PATCH', path(1), { body: { value: `${VALUE} patched` } });
  await daemon.ask('GET', `${path(0)}/fields`);
  await daemon.ask('HEAD', path(0));
  await daemon.ask('GET', '/v1/secrets');
  await sendInOtherForms();
  await daemon.ask('PUT', path(2), { body: `{"value":"${VALUE}` });
  await daemon.ask('PUT', path(2), { body: { valeu: VALUE } });
  await daemon.ask('PUT', path(2), { token: `mvt_${'0'.repeat(64)}`, body: { value: VALUE } });
  await daemon.ask('PUT', path(2), { body: { value: VALUE.repeat(60_000) } });
});

/** Every way a value can go that is not a JSON string; there are as many secrets afterwards as before. */
async function sendInOtherForms(): Promise<void> {
  const encoded = { value: ENCODED, encoding: 'base64' };
  const binary = Buffer.concat([Buffer.from(VALUE), Buffer.from([0xff])]);
  const imported = (...more: object[]) => ({
    secrets: [
      { name: 's5', value: VALUE, fields: { a: encoded, b: VALUE } },
      { name: 's6', ...encoded },
      ...more,
    ],
  });
  /** Larger than what one chunk of the socket carries. */
  const padding = { name: 's7', value: `${VALUE} `.repeat(100_000) };
  for (const [method, target, body, status] of [
    ['PUT', path(3), encoded, 201],
    ['PATCH', path(3), encoded, 200],
    ['PUT', path(3), { ...encoded, value: `${ENCODED}=` }, 400],
    ['PUT', `${path(3)}/fields`, { fields: { a: encoded, b: VALUE } }, 201],
    ['PUT', `${path(4)}/value`, binary, 201],
    ['PUT', `${path(4)}/fields/a/value`, binary, 201],
    ['GET', `${path(4)}/value`, undefined, 200],
    ['GET', `${path(4)}/fields/a/value`, undefined, 200],
    ['GET', path(4), undefined, 200],
    ['POST', `${path(4)}/rename`, { name: 's4 renamed' }, 200],
    ['POST', '/v1/import?dry_run=true', imported(), 200],
    ['POST', '/v1/import', imported(padding), 200],
    ['POST', '/v1/import', imported(padding), 200],
    ['POST', '/v1/import', imported({ name: 's8', valeu: VALUE }), 400],
    [
      'POST',
      '/v1/secrets/batch-get',
      { refs: [{ name: 's5' }, { name: 's6' }, { name: 's5', field: 'a' }, { name: 's7' }] },
      200,
    ],
    ['GET', '/v1/export?limit=3', undefined, 200],
    ['GET', '/v1/export', undefined, 200],
  ] as const) {
    t.equal((await daemon.ask(method, target, { body })).status, status, `${method} ${target}`);
  }
}

t.test('scan > something planted in the request thread > is found', async (t) => {
  const planted = Buffer.from('planted-by-the-probe');
  const { found, buffers } = await scan('main', [planted], true);
  t.same(found, [{ inBuffers: true, inStrings: true }]);
  t.ok(buffers > 10);
});

t.test('request thread > after a thousand GETs and PUTs > holds no key and no value', async (t) => {
  const keys = readKeys(daemon);
  t.equal(keys.length, 52);
  const { found, secretKeys } = await scan('main', [...keys, ...VALUE_FORMS]);
  t.equal(secretKeys, 0, 'no secret KeyObject');
  t.same(
    found
      .map(({ inBuffers, inStrings }, index) => (inBuffers || inStrings ? index : null))
      .filter((i) => i !== null),
    [],
    'neither root key, KEK, DEKs nor value, by their place in the list',
  );
});

t.test(
  'worker threads > after a thousand GETs and PUTs > hold no value as a string, and no key bytes',
  async (t) => {
    const threads = readdirSync(probeFolder).filter((name) => name.startsWith('thread-'));
    t.ok(threads.length >= 2);
    const needles = [...readKeys(daemon), ...VALUE_FORMS];
    for (const name of threads) {
      const { found } = await scan(name.slice('thread-'.length), needles);
      t.same(
        found.flatMap(({ inStrings }, index) => (inStrings ? [index] : [])),
        [],
        `${name}: strings`,
      );
      t.same(
        found.flatMap(({ inBuffers }, index) => (inBuffers ? [index] : [])),
        [],
        `${name}: buffers`,
      );
    }
  },
);
