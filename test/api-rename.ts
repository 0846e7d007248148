/** Renaming a secret: everything goes along under the new name, and nothing stays under the old one. */
import Database from 'better-sqlite3';
import t from 'tap';
import { isError } from './fixtures/answers.ts';
import { base64, NOT_UTF8, serveSecrets } from './fixtures/served-secrets.ts';

const { daemon, fresh, change, put, read, readBytes } = await serveSecrets(t);

const MAX_BODY_SIZE = 1_048_576;

/** A secret with all that one can have. */
async function putWhole(target: string): Promise<void> {
  await put(target, { ...base64(NOT_UTF8), metadata: { owner: 'Ödipus', ports: [80, 1.0], k: 'x"&%' } });
  await put(`${target}/fields`, { fields: { user: 'root', blob: base64(NOT_UTF8), pin: '0123' } });
}

const nameOf = (target: string) => decodeURIComponent(target.split('/')[3] ?? '');
const namesOf = async (target: string): Promise<string[]> =>
  (await read(target)).map(
    ({ name, environment }: { name: string; environment: string }) => `${environment}:${name}`,
  );

t.test('secrets.rename > to another name, environment or both > all goes along, nothing stays', async (t) => {
  const targets: [name: string, environment: string | undefined, query: string][] = [
    ['renamed/ü 1', undefined, ''],
    ['', 'prod', '?env=prod'],
    ['renamed 3', 'prod', '?env=prod'],
  ];
  for (const [given, environment, query] of targets) {
    const from = fresh();
    await putWhole(from);
    const name = given === '' ? nameOf(from) : given;
    const before = await read(from);
    const startedAt = Math.floor(Date.now() / 1000);
    const body = environment === undefined ? { name } : { name, environment };
    const { json } = await change('POST', `${from}/rename`, body, 200);
    t.strictSame(json, {
      status: 'renamed',
      name,
      environment: environment ?? '',
      version: before.version + 1,
    });
    const to = `/v1/secrets/${encodeURIComponent(name)}`;
    const after = await read(`${to}${query}`);
    const { updated_at: updatedAt, ...rest } = after;
    const moved = { name, environment: environment ?? '', version: before.version + 1 };
    const { updated_at: _before, ...expected } = { ...before, ...moved };
    t.strictSame(rest, expected, 'all but the time of change is as it was');
    t.ok(Date.parse(updatedAt) / 1000 >= startedAt);
    t.ok((await readBytes(`${to}/fields/blob/value${query}`)).equals(NOT_UTF8));
    isError(t, await daemon.ask('GET', from), 404, 'the old name');
    isError(t, await daemon.ask('GET', `${from}/fields/user`), 404, 'a field of the old name');
    await change('DELETE', `${to}${query}`, undefined, 200);
  }
});

t.test('secrets.rename > back and forth > the stored metadata is what the indexes have', async (t) => {
  const from = `${fresh()}-alpha`;
  const name = nameOf(from);
  await putWhole(from);
  await change('POST', `${from}/rename`, { name: 'beta-new', environment: 'staging-new' }, 200);
  const found = ['staging-new:beta-new'];
  for (const query of ['beta-NEW', 'staging-new', '%C3%B6dipus', 'owner', 'x%22%26%25', '1']) {
    t.ok((await namesOf(`/v1/search?q=${query}`)).includes(found[0] ?? ''), query);
  }
  t.strictSame(await namesOf(`/v1/search?q=${name}`), [], 'the old name');
  const byMetadata = '/v1/secrets?metadata_key=owner&metadata_value=%C3%96dipus';
  t.strictSame(await namesOf(`${byMetadata}&env=staging-new`), found);
  t.strictSame(
    await namesOf('/v1/secrets?metadata_key=ports&metadata_value=%5B80%2C1%5D&env=staging-new'),
    found,
  );
  await change('POST', '/v1/secrets/beta-new/rename?env=staging-new', { name, environment: '' }, 200);
  t.strictSame(await namesOf('/v1/search?q=beta-new'), []);
  t.strictSame(await namesOf(`/v1/search?q=${name}`), [`:${name}`]);
});

interface Stored {
  readonly version: number;
  readonly wrapped_dek: Buffer;
  readonly payload: Buffer | null;
}

function readRows(name: string): Stored[] {
  const db = new Database(daemon.databasePath, { readonly: true });
  try {
    const columns = (table: string) => `SELECT ${table}.version, ${table}.wrapped_dek, ${table}.payload`;
    return db
      .prepare<[string, string], Stored>(
        `${columns('secrets')} FROM secrets WHERE name = ? UNION ALL
         ${columns('fields')} FROM fields JOIN secrets ON secrets.id = secret_id WHERE name = ?`,
      )
      .all(name, name);
  } finally {
    db.close();
  }
}

t.test('secrets.rename > what is stored > is sealed again, under new keys and versions', async (t) => {
  const from = fresh();
  await putWhole(from);
  const before = readRows(nameOf(from));
  await change('POST', `${from}/rename`, { name: 'sealed-again' }, 200);
  const after = readRows('sealed-again');
  t.equal(after.length, 4);
  t.strictSame(readRows(nameOf(from)), []);
  const newest = Math.max(...before.map(({ version }) => version));
  t.ok(after.every(({ version }) => version > newest));
  t.equal(new Set(after.map(({ version }) => version)).size, 4, 'no version is used twice');
  const blobs = (rows: readonly Stored[]) =>
    rows.flatMap(({ wrapped_dek, payload }) => [wrapped_dek, payload].map((blob) => blob?.toString('hex')));
  const old = new Set(blobs(before));
  t.notOk(blobs(after).some((blob) => old.has(blob)));
});

t.test('secrets.rename > a secret without a value > stays without one', async (t) => {
  const from = fresh();
  await put(`${from}/fields/f`, { value: 'v' });
  await change('POST', `${from}/rename`, { name: 'fields-only-renamed' }, 200);
  const after = await read('/v1/secrets/fields-only-renamed');
  t.notOk('value' in after);
  t.strictSame([after.fields, after.field_count], [{ f: 'v' }, 1]);
  await put('/v1/secrets/fields-only-renamed/value', 'v');
});

t.test('secrets.rename > refused > the error, and both secrets as they were', async (t) => {
  const [from, other] = [fresh(), fresh()];
  await putWhole(from);
  await put(other, { value: 'other', metadata: { o: 1 } });
  const states = async () => [
    await read(from),
    await read(other),
    readRows(nameOf(from)),
    readRows(nameOf(other)),
  ];
  const before = await states();
  const rename = (target: string, body: unknown, headers = {}) =>
    daemon.ask('POST', target, { body, headers });
  isError(t, await rename(`${from}/rename`, { name: nameOf(other) }), 409, 'taken');
  const name = nameOf(from);
  isError(t, await rename(`${from}/rename`, { name }), 400, 'the same place');
  isError(t, await rename(`${from}/rename`, { name, environment: '' }), 400, 'the same place, said');
  isError(t, await rename(`${from}/rename`, { name, environment: null }), 400, 'the same place, null');
  isError(t, await rename(`${from}/rename?env=none`, { name: 'x' }), 404, 'not in that environment');
  isError(t, await rename(`${fresh()}/rename`, { name: nameOf(other) }), 404, 'no such secret');
  isError(t, await rename(`${from}/rename`, { name: 'x' }, { 'If-Match': '"0"' }), 412, 'another version');
  isError(t, await rename(`${fresh()}/rename`, { name: 'x' }, { 'If-Match': '*' }), 412, 'If-Match, absent');
  const bad = [undefined, {}, { name: '' }, { name: 1 }, { name: 'a\n' }, { name: 'é'.repeat(257) }];
  const worse = [
    { name: 'x', environment: 1 },
    { name: 'x', environment: 'a\n' },
    { name: 'x', value: 'v' },
  ];
  for (const body of [...bad, ...worse]) {
    isError(t, await rename(`${from}/rename`, body), 400, JSON.stringify(body)?.slice(0, 40) ?? 'none');
  }
  t.strictSame(await states(), before);
  isError(t, await daemon.ask('GET', '/v1/secrets/x'), 404, 'nothing was made');
  const { etag = '' } = (await daemon.ask('GET', from)).headers;
  t.equal((await rename(`${from}/rename`, { name: 'matched' }, { 'If-Match': etag })).status, 200);
});

t.test('secrets.rename > many at once > one takes effect', async (t) => {
  const from = fresh();
  await putWhole(from);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      daemon.ask('POST', `${from}/rename`, { body: { name: `raced-${index}` } }),
    ),
  );
  const statuses = answers.map(({ status }) => status).sort();
  t.strictSame(statuses, [200, ...Array(19).fill(404)]);
  t.equal((await namesOf('/v1/search?q=raced-')).length, 1);
});

t.test('secrets.rename > large values and many fields > all go along', async (t) => {
  const from = fresh();
  const large = Buffer.alloc(MAX_BODY_SIZE, 0xfe);
  const fields = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`f${index}`, `v${index}`]));
  await put(`${from}/value`, large);
  await put(`${from}/fields`, { fields });
  await change('POST', `${from}/rename`, { name: 'large', environment: 'e' }, 200);
  t.ok((await readBytes('/v1/secrets/large/value?env=e')).equals(large));
  t.strictSame(await read('/v1/secrets/large/fields?env=e'), fields);
});
