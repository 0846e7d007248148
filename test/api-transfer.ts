/** Export, import and check: whole vaults, page by page, all or none, and whatever was changed is found out. */
import t, { type Test } from 'tap';
import { isError } from './fixtures/answers.ts';
import { type AskHeld, createHeldVault, type Held, type HeldAnswer, hold } from './fixtures/held.ts';
import { type Located, type Row, StoredFile } from './fixtures/stored.ts';
import { CANARY, createAttackedVault, REFUSAL, secretPath } from './fixtures/tampered.ts';
import { ask as askSocket, startDaemon } from './fixtures/vault.ts';

const MIB = 1_048_576;
const IMPORT_LIMIT = 64 * MIB;
const daemon = await startDaemon(t);

interface Entry {
  readonly name: string;
  readonly environment: string;
  readonly [member: string]: unknown;
}

interface Opened extends Held {
  readonly file: StoredFile;
}

async function open(t: Test): Promise<Opened> {
  const sandbox = await createHeldVault(t);
  const held = await hold(t, sandbox);
  const file = new StoredFile(sandbox.databasePath);
  t.teardown(() => file.close());
  return { ...held, file };
}

function importInto(ask: AskHeld, secrets: unknown, query = '', token?: string): Promise<HeldAnswer> {
  return ask('POST', `/v1/import${query}`, { body: { secrets }, ...(token === undefined ? {} : { token }) });
}

/** Every page of an export, the first one at `target`. */
async function exportPages(ask: AskHeld, target: string): Promise<Entry[][]> {
  const pages: Entry[][] = [];
  for (let next: string | undefined = target; next !== undefined; ) {
    const { status, headers, json, text } = await ask('GET', next);
    if (status !== 200) throw new Error(text);
    pages.push(json);
    next = /^<([^>]+)>; rel="next"$/.exec(headers.link ?? '')?.[1];
  }
  return pages;
}

const namesOf = (entries: readonly Entry[]) =>
  entries.map(({ name, environment }) => ({ name, environment }));
const get = (ask: AskHeld, name: string, environment = '') => ask('GET', secretPath(name, environment));

t.test(
  'secrets.export > values, fields, bytes, every script > what secrets.get answers of each',
  async (t) => {
    const { ask } = await createAttackedVault(t);
    const bytes = Buffer.from([0, 0xff, 0x0a]).toString('base64');
    await ask('PUT', secretPath('bytes', ''), { body: { value: bytes, encoding: 'base64' } });
    const listed: Entry[] = (await ask('GET', '/v1/secrets')).json;
    const answers = await Promise.all(listed.map(({ name, environment }) => get(ask, name, environment)));
    const exported = await ask('GET', '/v1/export');
    t.equal(exported.text, `[${answers.map(({ text }) => text).join(',')}]`);
    t.equal(exported.headers.link, undefined, 'one page');
    const [paged, prod, base] = await Promise.all(
      ['limit=2', 'env=prod&limit=1', 'env='].map((query) => exportPages(ask, `/v1/export?${query}`)),
    );
    t.strictSame(paged?.flat(), exported.json, 'the same in pages');
    t.ok(paged?.slice(0, -1).every((page) => page.length === 2));
    const inEnvironment = (wanted: string) =>
      exported.json.filter(({ environment }: Entry) => environment === wanted);
    t.strictSame(prod?.flat(), inEnvironment('prod'));
    t.strictSame(base?.flat(), inEnvironment(''));
  },
);

t.test('secrets.export > large values > a page ends beyond 4 MiB, and has one entry at least', async (t) => {
  const { ask } = await open(t);
  t.strictSame(await exportPages(ask, '/v1/export'), [[]], 'an empty vault');
  const sized = (name: string, size: number) => ({ name, value: name.repeat(size / name.length) });
  const entries = [
    ...['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => sized(name, MIB)),
    sized('h', 5 * MIB),
    sized('i', 1),
    sized('j', 5 * MIB),
  ];
  t.equal((await importInto(ask, entries)).status, 200);
  const pages = await exportPages(ask, '/v1/export');
  t.strictSame(
    pages.map((page) => page.map(({ name }) => name).join('')),
    ['abcd', 'efgh', 'ij'],
  );
  t.ok(pages.flat().every(({ name, value }) => value === entries.find((e) => e.name === name)?.value));
});

t.test('secrets.export > a limit or cursor that is none > 400', async (t) => {
  for (const query of ['limit=0', 'limit=1001', 'limit=x', 'cursor=x', 'metadata_key=a', 'env=%00']) {
    isError(t, await daemon.ask('GET', `/v1/export?${query}`), 400, query);
  }
});

t.test(
  'secrets.export > a row or a field was changed > an error in its place, named in the log',
  async (t) => {
    const { ask, file, rows, events, restore } = await createAttackedVault(t);
    const before: Entry[] = (await ask('GET', '/v1/export')).json;
    for (const { table, row } of rows) {
      const changed = { ...row, updated_at: row.updated_at + 1 };
      file.replace([{ table, row }], [{ table, row: changed }]);
      const owner = table === 'secrets' ? row : file.rows('secrets').find(({ id }) => id === row.secret_id)!;
      const { name, environment } = owner as unknown as Entry;
      const refused = { name, environment, ...JSON.parse(REFUSAL) };
      const wanted = before.map((entry) =>
        entry.name === name && entry.environment === environment ? refused : entry,
      );
      events.length = 0;
      const { status, json } = await ask('GET', '/v1/export');
      t.equal(status, 200);
      t.strictSame(json, wanted, `${name} in ${environment}`);
      t.match(events, [`warning: export: entries that fail verification`]);
      t.ok(events[0]?.includes(JSON.stringify([name, environment])), 'the log names it');
      t.notMatch(events.join(), CANARY);
      restore();
    }
  },
);

const FULL = [
  { name: 'db', environment: 'prod', value: 'pässword\n"', metadata: { owner: 'ann', n: 1.5 } },
  { name: 'db', value: 'other', fields: { user: 'root', key: { value: 'AP8=', encoding: 'base64' } } },
  { name: 'fields-only', environment: '', metadata: { a: [null] }, fields: { x: 'y' } },
  { name: 'bytes', value: 'AAH//g==', encoding: 'base64', metadata: null, environment: null },
];

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
  t.strictSame(file.read(), before, 'a dry run stores nothing');
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
  t.strictSame(file.read(), before, 'a dry run stores nothing');
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
  const toEntry = ({ created_at, updated_at, field_count, written_by, accepted, ...entry }: Entry) => entry;
  const entries = exported.map(toEntry);
  t.strictSame((await importInto(other.ask, entries)).json.added, namesOf(exported));
  const again: Entry[] = (await other.ask('GET', '/v1/export')).json;
  t.strictSame(again.map(toEntry), entries);
});

const E = '"secrets"[1]';
const good = { name: 'good', value: 'v' };
const CANARY_ENTRY = { name: 'n', value: CANARY };

/** What is wrong with the second entry (or the whole body), and what is said of it. */
const REFUSED: readonly (readonly [entry: unknown, says: string])[] = [
  [1, `${E} must be an object`],
  [CANARY, `${E} must be an object`],
  [[CANARY], `${E} must be an object`],
  [null, `${E} must be an object`],
  [{ value: CANARY }, `${E}."name" is required`],
  [{ ...CANARY_ENTRY, name: null }, `${E}."name" is required`],
  [{ ...CANARY_ENTRY, name: 7 }, `${E}."name" must be a string`],
  [{ ...CANARY_ENTRY, name: '' }, `${E}."name" must not be empty`],
  [{ ...CANARY_ENTRY, name: 'a\n' }, `${E}."name" must not have control characters`],
  [{ ...CANARY_ENTRY, name: 'é'.repeat(257) }, `${E}."name" must be at most 512 bytes long`],
  [{ ...CANARY_ENTRY, environment: ['x'] }, `${E}."environment" must be a string`],
  [{ ...CANARY_ENTRY, environment: '\0' }, `${E}."environment" must not have control characters`],
  [{ name: 'n' }, `${E} needs "value" or "fields"`],
  [{ name: 'n', value: null, metadata: { a: CANARY } }, `${E} needs "value" or "fields"`],
  [{ name: 'n', value: '' }, `${E}."value" must be a non-empty string`],
  [{ name: 'n', value: 1234 }, `${E}."value" must be a non-empty string`],
  [{ name: 'n', value: [CANARY] }, `${E}."value" must be a non-empty string`],
  [{ ...CANARY_ENTRY, encoding: 'hex' }, `${E}."encoding" must be "base64"`],
  [{ ...CANARY_ENTRY, encoding: true }, `${E}."encoding" must be "base64"`],
  [
    { name: 'n', value: 'QUI', encoding: 'base64' },
    `${E}."value" must be base64 with its padding (RFC 4648 section 4)`,
  ],
  [{ name: 'n', fields: { a: CANARY }, encoding: 'base64' }, `${E}: "encoding" needs "value" beside it`],
  [{ ...CANARY_ENTRY, metadata: CANARY }, `${E}."metadata" must be an object`],
  [{ name: 'n', fields: [CANARY] }, `${E}."fields" must be an object of non-empty strings`],
  [{ name: 'n', fields: {} }, `${E}."fields" must have at least one member`],
  [{ name: 'n', fields: { '': CANARY } }, `${E}."fields" has a member whose name must not be empty`],
  [{ name: 'n', fields: { f: '' } }, `${E}."fields"."f" must be a non-empty string`],
  [{ name: 'n', fields: { f: null } }, `${E}."fields"."f" must be a non-empty string`],
  [{ name: 'n', fields: { f: { value: CANARY } } }, `${E}."fields"."f"."encoding" is required`],
  [{ name: 'n', fields: { f: { encoding: 'base64' } } }, `${E}."fields"."f"."value" is required`],
  [
    { name: 'n', fields: { f: { value: CANARY, encoding: 'base64' } } },
    `${E}."fields"."f"."value" must be base64 with its padding (RFC 4648 section 4)`,
  ],
  [{ name: 'n', fields: { f: { [CANARY]: 1 } } }, `${E}."fields"."f": unknown member "${CANARY}"`],
  [{ ...CANARY_ENTRY, valeu: CANARY }, `${E}: unknown member "valeu"`],
  [{ ...good, value: CANARY }, `${E} has the name and environment of "secrets"[0]; give each entry once`],
  [
    { ...good, environment: '', fields: { a: CANARY } },
    `${E} has the name and environment of "secrets"[0]; give each entry once`,
  ],
];

/** Bodies as they are sent. */
const REFUSED_BODIES: readonly (readonly [body: string, says: string | RegExp])[] = [
  ['{}', '"secrets" is required'],
  ['{"secrets":null}', '"secrets" is required'],
  ['{"secrets":[]}', '"secrets" must be a non-empty list of entries'],
  ['{"secrets":{"a":"b"}}', '"secrets" must be a non-empty list of entries'],
  ['{"secrets":"x"}', '"secrets" must be a non-empty list of entries'],
  ['{"secrets":[{"name":"n","value":"v"}],"more":1}', 'unknown member "more"'],
  ['{"secrets":[{"name":"n","name":"m","value":"v"}]}', '"secrets"[0]: member "name" is given twice'],
  ['{"secrets":[{"name":"n","value":"v","__proto__":1}]}', /^"secrets"\[0\]: a member must not be named/],
  ['{"secrets":[{"name":"n","value":"v"}', /not valid JSON/],
  ['{"secrets":[{"name":"n","value":"v"},]}', '"secrets"[1] must be an object'],
  ['{"secrets":[{"name":"n","value":"v"}]} x', /not valid JSON/],
  ['', 'a JSON body is required'],
];

t.test('secrets.import > a body with a mistake > 400 that names its place, nothing stored', async (t) => {
  for (const [entry, says] of REFUSED) {
    const answer = await daemon.ask('POST', '/v1/import', { body: { secrets: [good, entry] } });
    isError(t, answer, 400, says);
    t.equal(answer.json?.error, says);
    const { list, index, problem, same_as: sameAs } = answer.json?.at ?? {};
    t.equal(sameAs, says.includes('"secrets"[0]') ? 0 : undefined, says);
    t.strictSame([list, index], ['secrets', 1], says);
    t.ok(problem && says === `${E}${says.slice(E.length, -problem.length)}${problem}`, 'without the place');
  }
  for (const [body, says] of REFUSED_BODIES) {
    const answer = await daemon.ask('POST', '/v1/import', { body });
    isError(t, answer, 400, body);
    t.match(answer.json?.error, says);
  }
  const answer = await daemon.ask('POST', '/v1/import?dry_run=yes', { body: { secrets: [good] } });
  t.equal(answer.json?.error, 'dry_run must be true or false');
  t.equal((await daemon.ask('GET', '/v1/secrets/good')).status, 404);
});

t.test('secrets.import > a token that may not read > adds, and 403 for what exists', async (t) => {
  const { token } = await daemon.createToken(['write']);
  const send = (secrets: unknown, query = '') =>
    daemon.ask('POST', `/v1/import${query}`, { token, body: { secrets } });
  t.equal((await send([{ name: 'by-writer', value: 'v' }])).status, 200);
  for (const query of ['', '?dry_run=true']) {
    const both = [
      { name: 'also', value: 'v' },
      { name: 'by-writer', value: 'v' },
    ];
    isError(t, await send(both, query), 403, `a guess is not answered ${query}`);
  }
  t.equal((await daemon.ask('GET', '/v1/secrets/also')).status, 404, 'all or none');
});

t.test(
  'secrets.import > bodies up to 64 MiB > taken; larger ones and those of nobody are not read',
  async (t) => {
    const padded = (size: number) => Buffer.from(JSON.stringify({ secrets: [good] }).padEnd(size));
    for (const size of [MIB + 1, IMPORT_LIMIT]) {
      const { status } = await daemon.ask('POST', '/v1/import?dry_run=true', { body: padded(size) });
      t.equal(status, 200, `${size}`);
    }
    for (const headers of [{}, { 'Transfer-Encoding': 'chunked' }]) {
      const body = padded(IMPORT_LIMIT + 1);
      const answer = await daemon.ask('POST', '/v1/import?dry_run=true', { body, headers });
      isError(t, answer, 413, 'too large');
      t.match(answer.json?.error, String(IMPORT_LIMIT));
    }
    const unasked = await askSocket(daemon.socket, 'POST', '/v1/import', { body: padded(2 * MIB) });
    isError(t, unasked, 401, 'nobody');
  },
);

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

t.test('vault.check > nothing is wrong > ok and how much there is', async (t) => {
  const { ask, events } = await open(t);
  await importInto(ask, FULL);
  await ask('POST', '/v1/tokens', { body: { name: 't', scopes: ['read'] } });
  events.length = 0;
  t.strictSame((await ask('GET', '/v1/check')).json, {
    database: 'ok',
    secrets: 4,
    fields: 3,
    tokens: 1,
    unreadable: [],
    unreadable_count: 0,
  });
  t.strictSame(events, []);
});

t.test('vault.check > rows of every kind were changed > says how many, and which', async (t) => {
  const { ask, file, events } = await open(t);
  const many = Array.from({ length: 120 }, (_, i) => ({
    name: `n${i}`,
    value: CANARY,
    fields: { f: CANARY },
  }));
  await importInto(ask, many);
  await ask('POST', '/v1/tokens', { body: { name: 't', scopes: ['read'] } });
  const { secrets, fields, tokens } = file.read();
  file.write({ tokens: tokens.map((row) => ({ ...row, scopes: 'admin' })) });
  file.write({ fields: fields.map((row) => ({ ...row, updated_at: 1 })).slice(0, 110) });
  events.length = 0;
  const { json } = await ask('GET', '/v1/check');
  // 110 have a field that was changed, and ten have lost theirs.
  t.match(json, { database: 'ok', secrets: 120, fields: 110, tokens: 0, unreadable_count: 120 });
  t.equal(json.unreadable.length, 100);
  const names = new Set(secrets.map(({ name }) => name));
  t.ok(json.unreadable.every((entry: Entry) => names.has(entry.name) && entry.environment === ''));
  t.match(events.join(), tokens[0]?.id, 'the forged token');
  t.notMatch(events.join(), CANARY);
});

t.test('vault.check > the file itself is damaged > the first problem', async (t) => {
  const { ask, file, events } = await open(t);
  await importInto(ask, FULL);
  file.write({ secrets: file.rows('secrets').filter(({ name }) => name !== 'fields-only') });
  const { json } = await ask('GET', '/v1/check');
  t.match(json, { database: /^a row in \w+ refers to none in secrets$/, secrets: 3, fields: 2 });
  t.match(events.join(), 'the database is damaged');
});
