/** Lists and searches at any size: which index each walks, and that the trigram index never changes an answer. */
import { setTimeout } from 'node:timers/promises';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import t from 'tap';
import { foldSearchText } from '../workers/entries/search-text.ts';
import { createDatabase } from '../workers/store/database.ts';
import { buildListStatement, type ListFilter } from '../workers/store/lists.ts';
import { SearchIndexer } from '../workers/store/search.ts';
import { createHeldVault, hold } from './fixtures/held.ts';
import { createStore, type Entries, type Place, Store, walk } from './fixtures/listed-store.ts';
import { action, findPlainly, keyOf, run, someTexts, text } from './fixtures/search-model.ts';

t.setTimeout(550_000);

const AFTER = { name: 'a', environment: 'b' };
const PAGES: readonly ListFilter[] = [
  {},
  { environment: 'e' },
  { metadataKey: 'k' },
  { metadataKey: 'k', metadataValue: 'v' },
  { environment: 'e', metadataKey: 'k' },
  { environment: 'e', metadataKey: 'k', metadataValue: 'v' },
].flatMap((filter) => [filter, { ...filter, after: AFTER }]);

t.test('pages > any filter, with and without a cursor > walk an index in order', (t) => {
  const db = createStore(t);
  const searched = [{ searchText: 'abc' }, { searchText: 'abc', after: AFTER }];
  for (const filter of [...PAGES, ...searched].flatMap((page) => [page, { ...page, limit: 101 }])) {
    for (const isEnvironmentSmall of [false, true]) {
      const { sql, values } = buildListStatement('s.*', filter, { isEnvironmentSmall, candidates: null });
      const plan = db.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(...values);
      const steps = plan.map(({ detail }) => detail);
      const what = `${JSON.stringify(filter)}: ${steps.join('; ')}`;
      t.ok(
        steps.every((step) => /^(SEARCH|SCAN) [a-z] USING .*(INDEX|PRIMARY KEY)/.test(step)),
        what,
      );
      if (filter.after !== undefined) t.match(steps[0], /name>/, 'starts at the cursor');
    }
  }
  t.end();
});

t.test('lists > a mixture of everything > each page is what a plain filter gives', (t) => {
  const db = createStore(t);
  const store = new Store(db);
  const names = ['a', 'a-', 'b', 'é', '～', '🔑'];
  const places = names.flatMap((name) => ['', 'e', 'ё', '🔑'].map((environment) => ({ name, environment })));
  const entriesOf = (index: number): Entries => [
    ['all', 'same'],
    ['parity', String(index % 2)],
    ...(index % 7 === 0 ? [['seventh', `v${index}`] as const] : []),
  ];
  db.transaction(() => {
    for (const [index, place] of places.entries()) store.put(place, entriesOf(index));
    // So that one environment is a large one.
    for (let i = 0; i < 1_000; i += 1) store.put({ name: `m${i}`, environment: 'e' }, [['all', 'other']]);
  })();
  const all = [...store.reader.list({})];
  t.equal(all.length, places.length + 1_000);
  const known = new Map(
    places.map((place, index) => [JSON.stringify([place.name, place.environment]), index]),
  );
  const has = ({ name, environment }: Place, key: string, value: string | undefined) => {
    const index = known.get(JSON.stringify([name, environment]));
    const entries = index === undefined ? [['all', 'other'] as const] : entriesOf(index);
    return entries.some((entry) => entry[0] === key && (value === undefined || entry[1] === value));
  };
  for (const environment of [undefined, '', 'e', '🔑', 'none']) {
    for (const [metadataKey, metadataValue] of [
      [undefined, undefined],
      ['all', undefined],
      ['all', 'same'],
      ['parity', '1'],
      ['seventh', undefined],
      ['none', undefined],
    ]) {
      const filter: ListFilter = {
        ...(environment === undefined ? {} : { environment }),
        ...(metadataKey === undefined ? {} : { metadataKey }),
        ...(metadataValue === undefined ? {} : { metadataValue }),
      };
      const expected = all.filter(
        (row) =>
          (environment === undefined || row.environment === environment) &&
          (metadataKey === undefined || has(row, metadataKey, metadataValue)),
      );
      t.strictSame(walk(store.reader, filter, 5).slice(0, 60), expected.slice(0, 60), JSON.stringify(filter));
      t.equal([...store.reader.list(filter)].length, expected.length);
    }
  }
  t.end();
});

t.test('secrets.search > any changes, any query > what a plain search through all texts finds', (t) => {
  const query = text(1, 6).map(foldSearchText);
  const property = fc.property(
    fc.array(action, { minLength: 1, maxLength: 40 }),
    fc.array(query, { minLength: 5, maxLength: 20 }),
    (actions, queries) => {
      const db = createDatabase(':memory:');
      try {
        const store = new Store(db);
        const indexer = new SearchIndexer(db);
        const model = run(db, store, indexer, actions);
        const check = () => {
          for (const searchText of [...queries, ...someTexts(model)]) {
            const whole = [...store.reader.list({ searchText })].map(keyOf);
            if (JSON.stringify(whole.toSorted()) !== JSON.stringify(findPlainly(model, searchText)))
              return false;
            if (JSON.stringify(walk(store.reader, { searchText }, 2).map(keyOf)) !== JSON.stringify(whole))
              return false;
          }
          return db.pragma('integrity_check', { simple: true }) === 'ok';
        };
        if (!check()) return false;
        while (indexer.index(3));
        // Nothing is left to index, and the index has nothing else than what is there.
        const ids = (sql: string) => JSON.stringify(db.prepare(sql).pluck().all());
        return (
          check() &&
          ids('SELECT secret_id FROM search_pending') === '[]' &&
          ids('SELECT id FROM search_index_docsize ORDER BY id') ===
            ids('SELECT secret_id FROM search_texts ORDER BY secret_id')
        );
      } finally {
        db.close();
      }
    },
  );
  fc.assert(property, { numRuns: 150 });
  t.end();
});

t.test('secrets.search > more than can be sorted match > the same pages', (t) => {
  const db = createStore(t);
  const store = new Store(db);
  const indexer = new SearchIndexer(db);
  const COUNT = 6_000;
  db.transaction(() => {
    for (let i = 0; i < COUNT; i += 1) {
      const name = `common-${String((i * 7_919) % COUNT).padStart(4, '0')}`;
      store.put({ name, environment: i % 2 === 0 ? 'even' : 'odd' }, i % 1_000 === 0 ? [['k', 'rare']] : []);
    }
  })();
  const look = () => ({
    common: walk(store.reader, { searchText: 'common' }, 100).map(({ name }) => name),
    short: [...store.reader.list({ searchText: 'c', limit: 3 })].map(({ name }) => name),
    even: [...store.reader.list({ searchText: 'even' })].length,
    rare: [...store.reader.list({ searchText: 'rare' })].length,
    long: [...store.reader.list({ searchText: `common-${'0'.repeat(200)}` })].length,
  });
  const expected = {
    common: Array.from({ length: COUNT }, (_, i) => `common-${String(i).padStart(4, '0')}`),
    short: ['common-0000', 'common-0001', 'common-0002'],
    even: COUNT / 2,
    rare: COUNT / 1_000,
    long: 0,
  };
  t.strictSame(look(), expected, 'nothing indexed yet');
  indexer.index(COUNT / 2);
  t.strictSame(look(), expected, 'half of them');
  while (indexer.index(1_000));
  t.strictSame(look(), expected, 'all of them');
  t.end();
});

t.test('secrets.import > then a search > finds all at once, and still when they are indexed', async (t) => {
  const sandbox = await createHeldVault(t);
  const { ask } = await hold(t, sandbox);
  const secrets = Array.from({ length: 1_500 }, (_, index) => ({
    name: `imported-${index}`,
    value: 'v',
    metadata: { note: index % 500 === 0 ? 'needle' : 'hay' },
  }));
  t.equal((await ask('POST', '/v1/import', { body: { secrets } })).status, 200);
  const search = async (q: string) =>
    (await ask('GET', `/v1/search?q=${q}`)).json.map(({ name }: Place) => name);
  const found = ['imported-0', 'imported-1000', 'imported-500'];
  t.strictSame(await search('needle'), found);
  await settled(sandbox.databasePath);
  t.strictSame(await search('needle'), found, 'indexed');
  t.equal((await search('imported-')).length, 1_500);
  await ask('DELETE', '/v1/secrets/imported-500');
  await ask('PATCH', '/v1/secrets/imported-0', { body: { metadata: { note: 'hay' } } });
  await ask('PATCH', '/v1/secrets/imported-7', { body: { metadata: { note: 'a NEEDLE too' } } });
  const now = ['imported-1000', 'imported-7'];
  t.strictSame(await search('needle'), now, 'changed since');
  await settled(sandbox.databasePath);
  t.strictSame(await search('needle'), now, 'indexed again');
});

/** Resolves when the daemon has indexed everything. */
async function settled(path: string): Promise<void> {
  const db = new Database(path, { readonly: true });
  const count = db.prepare<[], number>('SELECT count(*) FROM search_pending').pluck();
  while (count.get() !== 0) await setTimeout(20);
  db.close();
}

t.test('vault.check > again, after writes > still sound', async (t) => {
  const sandbox = await createHeldVault(t);
  const { ask } = await hold(t, sandbox);
  for (let round = 0; round < 20; round++) {
    const body = { value: 'v', metadata: { key: `a value of round ${round}` } };
    await ask('PUT', `/v1/secrets/s${round % 7}`, { body });
    await settled(sandbox.databasePath);
    t.strictSame((await ask('GET', '/v1/check')).json.damaged, []);
  }
});

t.test('vault.check > an index does not fit what is stored > named', async (t) => {
  const sandbox = await createHeldVault(t);
  const { ask } = await hold(t, sandbox);
  for (const name of ['a', 'b']) {
    await ask('PUT', `/v1/secrets/${name}`, { body: { value: 'v', metadata: { key: 'a value' } } });
  }
  await settled(sandbox.databasePath);
  const check = async () => (await ask('GET', '/v1/check')).json.damaged[0]?.detail ?? 'ok';
  t.equal(await check(), 'ok');
  const db = new Database(sandbox.databasePath);
  t.teardown(() => db.close());
  const first = "(SELECT id FROM secrets WHERE name = 'a')";
  for (const [change, undo, said] of [
    [
      `UPDATE metadata_entries SET name = 'z' WHERE secret_id = ${first}`,
      `UPDATE metadata_entries SET name = 'a' WHERE secret_id = ${first}`,
      'metadata_entries',
    ],
    [
      `DELETE FROM search_index WHERE rowid = ${first}`,
      `INSERT INTO search_index (rowid, text) SELECT secret_id, text FROM search_texts WHERE secret_id = ${first}`,
      'search_index',
    ],
    [
      `DELETE FROM search_texts WHERE secret_id = ${first}`,
      `INSERT INTO search_texts (secret_id, text) VALUES (${first}, 'a')`,
      'search_texts',
    ],
  ] as const) {
    db.exec(change);
    t.match(await check(), said);
    db.exec(undo);
    t.equal(await check(), 'ok');
  }
  db.unsafeMode(true);
  db.exec('DELETE FROM search_index_data WHERE id > 10');
  t.match(await check(), /search_index|SQLITE_CORRUPT/);
  t.equal((await ask('PUT', '/v1/secrets/c', { body: { value: 'v' } })).status, 201, 'and writes go on');
});

t.test(
  'pages > metadata entries that lie about their place > the rest is listed, and comes to an end',
  (t) => {
    const db = createStore(t);
    const store = new Store(db);
    for (const name of ['a', 'b', 'c', 'd']) store.put({ name, environment: '' }, [['k', 'v']]);
    db.exec(
      "UPDATE metadata_entries SET name = 'zz' WHERE name = 'a'; UPDATE metadata_entries SET name = 'aa' WHERE name = 'd'",
    );
    for (const filter of [{ metadataKey: 'k' }, { metadataKey: 'k', metadataValue: 'v' }]) {
      t.strictSame(
        walk(store.reader, filter, 1).map(({ name }) => name),
        ['b', 'c'],
      );
    }
    t.end();
  },
);
