/** The wall at run time: what the threads' heaps and the vault's folder hold while the daemon works. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startProbed } from './fixtures/heap-scan.ts';
import { readKeys } from './fixtures/stored.ts';

/** Every value contains it; with a quote, so that its JSON form is another one. */
const VALUE = 'CANARY-value-of-a-secret';
/** Its length is a multiple of three: so it looks wherever a value begins with it. */
const ENCODED = Buffer.from(VALUE).toString('base64');
const VALUE_FORMS = [VALUE, ENCODED].map((text) => Buffer.from(text));
/** Of what `readKeys` returns. */
const KEK_INDEX = 1;
const ROUNDS = 1_000;
const PARALLEL = 20;

t.setTimeout(550_000);
const daemon = await startProbed(t);

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
  const { found, buffers } = await daemon.scan('main', [planted], true);
  t.same(found, [{ inBuffers: true, inStrings: true }]);
  t.ok(buffers > 10);
});

t.test('request thread > after a thousand GETs and PUTs > holds no key and no value', async (t) => {
  const keys = readKeys(daemon.databasePath, daemon.keyFile);
  t.equal(keys.length, 52);
  const { found, secretKeys } = await daemon.scan('main', [...keys, ...VALUE_FORMS]);
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
  'worker threads > after a thousand GETs and PUTs > hold the KEK in the keyring, and nothing else of it all',
  async (t) => {
    const threads = daemon.workers();
    t.ok(threads.length >= 2);
    const needles = [...readKeys(daemon.databasePath, daemon.keyFile), ...VALUE_FORMS];
    for (const name of threads) {
      const { found } = await daemon.scan(name, needles);
      t.same(
        found.flatMap(({ inStrings }, index) => (inStrings ? [index] : [])),
        [],
        `${name}: strings`,
      );
      t.same(
        found.flatMap(({ inBuffers }, index) => (inBuffers ? [index] : [])),
        [KEK_INDEX],
        `${name}: buffers`,
      );
    }
  },
);

t.test('the folder > after all this > no file has a value or a key in it', async (t) => {
  const needles = [...readKeys(daemon.databasePath, daemon.keyFile), ...VALUE_FORMS];
  const files = readdirSync(daemon.home, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(daemon.home, name)).isFile(),
  );
  t.ok(files.includes('vault.db') && files.includes('vault.db-wal'));
  for (const name of files) {
    const bytes = readFileSync(join(daemon.home, name));
    t.notOk(
      needles.some((needle) => bytes.includes(needle)),
      name,
    );
  }
});
