/** Import over the API: all or none, and what it replaces. */
import t from 'tap';
import { type Entry, FULL, get, importInto, open } from './fixtures/api-transfer.ts';
import type { Contents, Located, Row, StoredFile } from './fixtures/stored.ts';
import { createAttackedVault, REFUSAL } from './fixtures/tampered.ts';
import { stripDetermined } from './fixtures/transfer.ts';

/** The database counts wraps in blocks, ahead of them. */
const withoutCounts = ({ keks, ...rest }: Contents) => ({
  ...rest,
  keks: keks.map(({ wraps, ...kek }) => kek),
});

const namesOf = (entries: readonly Entry[]) =>
  entries.map(({ name, environment }) => ({ name, environment }));

const IN_FULL = [
  { name: 'db', environment: 'prod' },
  { name: 'db', environment: '' },
  { name: 'fields-only', environment: '' },
  { name: 'bytes', environment: '' },
];

t.test('secrets.import > new entries of every kind > added, whole', async (t) => {
  const { ask, file } = await open(t);
  const before = file.read();
  const dry = await importInto(ask, FULL, '?dry_run=true');
  t.strictSame(dry.json, { dry_run: true, added: IN_FULL, changed: [], unchanged: [] });
  t.strictSame(withoutCounts(file.read()), withoutCounts(before), 'a dry run stores nothing');
  const real = await importInto(ask, FULL, '?dry_run=false');
  t.strictSame(real.json, { ...dry.json, dry_run: false });
  const [inProd, inBase, fieldsOnly, bytes] = await Promise.all(
    IN_FULL.map(async ({ name, environment }) => (await get(ask, name, environment)).json),
  );
  t.match(inProd, { value: 'pässword\n"', metadata: { owner: 'ann', n: 1.5 } });
  t.match(inBase, { value: 'other', metadata: {}, field_count: 2 });
  t.strictSame(inBase.fields, { key: { value: 'AP8=', encoding: 'base64' }, user: 'root' });
  t.match(fieldsOnly, { metadata: { a: [null] }, fields: { x: 'y' } });
  t.notOk('value' in fieldsOnly);
  t.match(bytes, { value: 'AAH//g==', encoding: 'base64', metadata: {} });
  const found = await ask('GET', '/v1/secrets?metadata_key=owner&metadata_value=ann');
  t.strictSame(namesOf(found.json), [IN_FULL[0]], 'and in the index');
});

t.test('secrets.import > the same again > unchanged, and no row is touched', async (t) => {
  const { ask, file } = await open(t);
  await importInto(ask, FULL);
  const before = file.read();
  const given = [
    ...FULL,
    { name: 'db', environment: 'prod', metadata: FULL[0]?.metadata, value: 'pässword\n"' },
  ];
  const again = await importInto(ask, given.slice(0, -1));
  t.strictSame(again.json, { dry_run: false, added: [], changed: [], unchanged: IN_FULL });
  const less = await importInto(ask, [{ name: 'db', fields: { user: 'root' } }]);
  t.strictSame(less.json.unchanged, [IN_FULL[1]], 'what is not given is not compared');
  t.strictSame(file.read(), before);
});

t.test('secrets.import > entries that differ > what is given is replaced, the rest stays', async (t) => {
  const { ask, file } = await open(t);
  await importInto(ask, FULL);
  const changes = [
    { name: 'db', environment: 'prod', value: 'new' },
    { name: 'new', value: 'n' },
    { name: 'db', fields: { user: 'admin', more: 'm' } },
    { name: 'bytes', value: 'AAH//g==', encoding: 'base64', fields: { f: 'added' } },
    { name: 'fields-only', value: 'v', metadata: { b: 1 }, fields: { x: 'y' } },
  ];
  const before = file.read();
  const dry = await importInto(ask, changes, '?dry_run=true');
  t.strictSame(withoutCounts(file.read()), withoutCounts(before), 'a dry run stores nothing');
  const real = await importInto(ask, changes);
  const changed = [IN_FULL[0], IN_FULL[1], IN_FULL[3], IN_FULL[2]];
  t.strictSame(real.json, {
    dry_run: false,
    added: [{ name: 'new', environment: '' }],
    changed,
    unchanged: [],
  });
  t.strictSame({ ...dry.json, dry_run: false }, real.json, 'the dry run said so');
  const prod = (await get(ask, 'db', 'prod')).json;
  t.match(prod, { value: 'new', metadata: { owner: 'ann', n: 1.5 } });
  const base = (await get(ask, 'db')).json;
  t.equal(base.value, 'other');
  const key = { value: 'AP8=', encoding: 'base64' };
  t.strictSame(base.fields, { key, more: 'm', user: 'admin' });
  t.equal(base.field_count, 3);
  t.match((await get(ask, 'bytes')).json, { value: 'AAH//g==', fields: { f: 'added' }, field_count: 1 });
  t.match((await get(ask, 'fields-only')).json, { value: 'v', metadata: { b: 1 }, fields: { x: 'y' } });
  t.equal((await importInto(ask, changes)).json.unchanged.length, 5);
});

t.test(
  'secrets.import > If-None-Match: * > stores what changes nothing, else refuses all of it',
  async (t) => {
    const { ask, file } = await open(t);
    const importNew = (secrets: unknown, query = '') =>
      ask('POST', `/v1/import${query}`, { body: { secrets }, headers: { 'if-none-match': '*' } });
    t.strictSame((await importNew(FULL)).json.added, IN_FULL);
    const more = await importNew([...FULL, { name: 'more', value: 'v' }]);
    t.strictSame([more.json.added.length, more.json.unchanged.length], [1, 4]);
    const before = file.read();
    for (const change of [{ value: 'w' }, { fields: { f: 'v' } }, { value: 'v', metadata: { a: 1 } }]) {
      const changes = [
        { name: 'another', value: 'v' },
        { name: 'more', ...change },
      ];
      const refused = await importNew(changes);
      t.match(refused, { status: 412, json: { code: 'precondition_failed' } });
      t.strictSame(file.read(), before);
      t.equal(
        (await importNew(changes, '?dry_run=true')).json.changed.length,
        1,
        'a dry run still says what',
      );
    }
  },
);

t.test(
  'secrets.import > after one that failed, and before other writes > no version is given twice',
  async (t) => {
    const { ask, file } = await open(t);
    const versions = () =>
      [...file.rows('secrets'), ...file.rows('fields')].map(({ version }) => Number(version)).filter(Boolean);
    await importInto(ask, FULL);
    const refused = await importInto(ask, [{ name: 'first', value: 'v' }, { name: 'second' }]);
    t.equal(refused.status, 400);
    const value = JSON.stringify({ value: 'v' });
    await ask('PUT', '/v1/secrets/put', { body: value });
    await importInto(ask, [{ name: 'one', value: 'v', fields: { f: 'v', g: 'v' } }, ...FULL]);
    await ask('PUT', '/v1/secrets/put-too', { body: value });
    t.equal(versions().length, 11);
    t.equal(new Set(versions()).size, 11);
  },
);

t.test('secrets.import > an export of another vault > the same vault', async (t) => {
  const { ask } = await createAttackedVault(t);
  const other = await open(t);
  const exported: Entry[] = (await ask('GET', '/v1/export')).json;
  const entries = exported.map(stripDetermined);
  t.strictSame((await importInto(other.ask, entries)).json.added, namesOf(exported));
  const again: Entry[] = (await other.ask('GET', '/v1/export')).json;
  t.strictSame(again.map(stripDetermined), entries);
});

/** A row of the file, changed by somebody without the key. */
function tamper(file: StoredFile, table: 'secrets' | 'fields', isOne: (row: Row) => boolean): void {
  const row = file.rows(table).find(isOne)!;
  const located = (changes: Row): Located => ({ table, row: { ...row, ...changes } });
  file.replace([located({})], [located({ created_at: 1_000_000_000 })]);
}

t.test('secrets.import > a stored row was changed > only what replaces all of it goes over it', async (t) => {
  const { ask, file } = await open(t);
  const stored = { name: 's', value: 'old', metadata: { a: 1 }, fields: { f: 'x', g: 'y' } };
  await importInto(ask, [stored]);
  tamper(file, 'secrets', ({ name }) => name === 's');
  const before = file.read();
  const partial = [
    { name: 's', value: 'new' },
    { name: 's', value: 'new', metadata: {} },
    { name: 's', value: 'new', metadata: {}, fields: { f: 'x' } },
    { name: 's', fields: { f: 'x', g: 'y' } },
    { name: 's', metadata: { a: 1 }, fields: { f: 'x', g: 'y' } },
  ];
  for (const entry of partial) {
    for (const query of ['', '?dry_run=true']) {
      const answer = await importInto(ask, [{ name: 'new', value: 'v' }, entry], query);
      t.equal(answer.status, 500);
      t.equal(answer.text, REFUSAL);
    }
  }
  t.strictSame(file.read(), before, 'all or none');
  t.strictSame((await importInto(ask, [stored], '?dry_run=true')).json.changed.length, 1);
  t.strictSame((await importInto(ask, [stored])).json.changed, [{ name: 's', environment: '' }]);
  const read = await get(ask, 's');
  t.match(read.json, stored);
  t.not(read.json.created_at, '2001-09-09T01:46:40Z', 'the change did not become genuine');
});

t.test('secrets.import > a stored field was changed > as if the whole entry was', async (t) => {
  const { ask, file } = await open(t);
  const stored = { name: 's', value: 'old', metadata: { a: 1 }, fields: { f: 'x', g: 'y' } };
  await importInto(ask, [stored]);
  tamper(file, 'fields', ({ field }) => field === 'f');
  const before = file.read();
  t.equal((await importInto(ask, [{ name: 's', fields: { f: 'x' } }])).text, REFUSAL);
  t.strictSame(file.read(), before);
  const beside = await importInto(ask, [{ name: 's', fields: { g: 'z' } }]);
  t.equal(beside.json.changed.length, 1, 'what is not given is not looked at');
  t.equal((await get(ask, 's')).text, REFUSAL, 'and does not become genuine');
  t.equal((await importInto(ask, [stored])).json.changed.length, 1);
  t.match((await get(ask, 's')).json, stored);
});
