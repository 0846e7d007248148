/**
 * Attacks on the file: somebody who may write vault.db, but has no key, changes it while the vault is open. Whatever
 * was changed is refused, with one uniform answer; nothing else suffers; and no write makes the change good.
 */
import t from 'tap';
import { sample } from './fixtures/sample.ts';
import type { Located, Row, Table } from './fixtures/stored.ts';
import {
  CANARY,
  createAttackedVault,
  findAnswered,
  REFUSAL,
  readersOf,
  secretPath,
  WITNESS,
} from './fixtures/tampered.ts';

const vault = await createAttackedVault(t);
const { ask, file, restore, rows, older } = vault;
const witness = (await ask('GET', WITNESS)).text;

/** What an attack on other rows must leave alone. */
async function findCollateral(what: string): Promise<string[]> {
  const [list, read] = await Promise.all([ask('GET', '/v1/secrets'), ask('GET', WITNESS)]);
  const problems: string[] = [];
  if (list.status !== 200) problems.push(`${what}: the list answered ${list.status}`);
  if (list.text.includes(CANARY)) problems.push(`${what}: the list shows a value`);
  if (read.text !== witness) problems.push(`${what}: another secret answered ${read.status}`);
  return problems;
}

function findRow(name: string, field?: string): Located {
  const secret = rows.find(({ row }) => row.name === name)!;
  if (field === undefined) return secret;
  return rows.find(({ row }) => row.secret_id === secret.row.id && row.field === field)!;
}

/** A row with some columns changed, stored in its place; answers where it is read now. */
function change(located: Located, changes: Row): string[] {
  const changed = { ...located, row: { ...located.row, ...changes } };
  file.replace([located], [changed]);
  return readersOf(file, changed);
}

function flip(bytes: Buffer, at: number): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[at]! ^= 1 << (at % 8);
  return flipped;
}

/** How many positions of a blob, and how many exchanges of two rows, are tried in `npm test`. */
const POSITIONS = 24;
const ATTACKS = 150;

/** Every single damage of a blob, by number; undefined past the last one. */
type Damage = (blob: Buffer, at: number) => Buffer | undefined;

const DAMAGES: Readonly<Record<string, Damage>> = {
  'a bit flipped in any byte': (blob, at) => (at < blob.length ? flip(blob, at) : undefined),
  'cut to any length': (blob, at) => (at < blob.length ? blob.subarray(0, at) : undefined),
  'a byte appended': (blob, at) => (at < 8 ? Buffer.concat([blob, Buffer.from([at])]) : undefined),
};

for (const [what, damage] of Object.entries(DAMAGES)) {
  for (const column of ['wrapped_dek', 'payload']) {
    t.test(`read > ${column} with ${what}, in every row > integrity`, async (t) => {
      const problems: string[] = [];
      let changes = 0;
      const damageRows = (at: number) =>
        rows.flatMap(({ table, row }) => {
          const blob = row[column] === null ? undefined : damage(row[column], at);
          return blob === undefined ? [] : [{ table, row: { ...row, [column]: blob } }];
        });
      let end = 0;
      while (damageRows(end).length > 0) end += 1;
      for (const at of sample(t, [...Array(end).keys()], POSITIONS)) {
        const damaged = damageRows(at);
        // All rows at once: the first of a row's readers looks at no other row.
        file.replace(damaged, damaged);
        const targets = damaged.map((located) => readersOf(file, located)[0]!);
        problems.push(...(await findAnswered(ask, targets, `${at}`)));
        file.replace(rows, rows);
        changes += damaged.length;
      }
      t.same(problems, []);
      t.ok(changes >= 8 * (rows.length - 1), `${changes} changes`);
      t.same(await findCollateral(what), []);
    });
  }
}

/** What two rows may exchange. Of a secret and a field only the columns that both have. */
const EXCHANGES: Readonly<Record<string, readonly string[]>> = {
  payload: ['payload'],
  'wrapped DEK': ['wrapped_dek'],
  'payload and wrapped DEK': ['payload', 'wrapped_dek'],
  version: ['version'],
  envelope: ['payload', 'wrapped_dek', 'version'],
  metadata: ['metadata'],
  times: ['created_at', 'updated_at'],
  'time of creation': ['created_at'],
  writer: ['written_by'],
  acceptance: ['accepted'],
  'envelope and times': ['payload', 'wrapped_dek', 'version', 'created_at', 'updated_at'],
  'whole content': [
    'payload',
    'wrapped_dek',
    'version',
    'created_at',
    'updated_at',
    'metadata',
    'field_count',
  ],
  name: ['name'],
  environment: ['environment'],
  'name and environment': ['name', 'environment'],
  'name of the field': ['field'],
  parent: ['secret_id'],
};

function pick(row: Row, columns: readonly string[]): Row {
  return Object.fromEntries(columns.map((column) => [column, row[column]]));
}

function isSame(a: Row, b: Row, columns: readonly string[]): boolean {
  return columns.every((column) => Buffer.from(String(a[column])).equals(Buffer.from(String(b[column]))));
}

/** Whether a row that stays has the changed one's place. */
function isTaken(changed: Located, leaving: readonly Located[]): boolean {
  const keys = changed.table === 'secrets' ? ['name', 'environment'] : ['secret_id', 'field'];
  return rows.some(
    (other) =>
      other.table === changed.table && !leaving.includes(other) && isSame(other.row, changed.row, keys),
  );
}

/** Two rows after they exchanged these columns (or the first one took the other's); null where that is impossible. */
function exchange(
  a: Located,
  b: Located,
  columns: readonly string[],
  mode: 'swap' | 'copy',
): Located[] | null {
  const shared = columns.filter((column) => column in a.row && column in b.row);
  if (shared.length === 0 || isSame(a.row, b.row, shared)) return null;
  if (
    shared.includes('payload') &&
    [a, b].some(({ table, row }) => table === 'secrets' && row.payload === null)
  ) {
    // A field's payload cannot be NULL; that a secret's is, is attacked below.
    if (a.table !== b.table) return null;
  }
  const first = { ...a, row: { ...a.row, ...pick(b.row, shared) } };
  const second = { ...b, row: { ...b.row, ...pick(a.row, shared) } };
  const changed = mode === 'swap' ? [first, second] : [first];
  const out = mode === 'swap' ? [a, b] : [a];
  return changed.some((one) => isTaken(one, out)) ? null : changed;
}

const PAIRS: Readonly<Record<string, readonly [Table, Table]>> = {
  'two secrets': ['secrets', 'secrets'],
  'two fields': ['fields', 'fields'],
  'a secret and a field': ['secrets', 'fields'],
  'a field and a secret': ['fields', 'secrets'],
};

interface Attack {
  readonly part: string;
  readonly what: string;
  readonly before: readonly Located[];
  readonly changed: readonly Located[];
}

/** Every part that rows of these tables can exchange, for every ordered pair of them. */
function* listAttacks(left: Table, right: Table): Generator<Attack> {
  for (const a of rows.filter(({ table }) => table === left)) {
    for (const b of rows.filter(({ table, row }) => table === right && row !== a.row)) {
      for (const [part, columns] of Object.entries(EXCHANGES)) {
        for (const mode of ['swap', 'copy'] as const) {
          const changed = exchange(a, b, columns, mode);
          // A swap is the same from both sides; a copy is not.
          const isSeen = mode === 'swap' && left === right && rows.indexOf(a) > rows.indexOf(b);
          if (changed === null || isSeen) continue;
          const what = `${mode} ${part}, row ${rows.indexOf(a)} from ${rows.indexOf(b)}`;
          yield { part, what, before: mode === 'swap' ? [a, b] : [a], changed };
        }
      }
    }
  }
}

for (const [whose, [left, right]] of Object.entries(PAIRS)) {
  t.test(`read > ${whose} exchange any part, every ordered pair > integrity`, async (t) => {
    const problems: string[] = [];
    const attacks = sample(t, [...listAttacks(left, right)], ATTACKS);
    for (const { what, before, changed } of attacks) {
      file.replace(before, changed);
      const targets = changed.flatMap((one) => readersOf(file, one));
      problems.push(...(await findAnswered(ask, targets, what)));
      file.replace(changed, before);
    }
    problems.push(...(await findCollateral(whose)));
    t.same(problems.slice(0, 20), []);
    t.ok(attacks.length > 100, `${attacks.length} attacks`);
    const made = new Set(attacks.map(({ part }) => part));
    t.ok(made.size >= 8, [...made].join(', '));
  });
}

const LATER = 2 ** 31;
const BEYOND_SAFE = 2n ** 62n;

/** What one row can be made to say; null where the row has no such thing. */
const EDITS: Readonly<Record<string, (row: Row) => Row | null>> = {
  'metadata with another value': (row) => (row.metadata ? { metadata: '{"owner":"mallory"}' } : null),
  'metadata with a space': (row) => (row.metadata ? { metadata: row.metadata.replace('{', '{ ') } : null),
  'an earlier creation': (row) => ({ created_at: row.created_at - 1 }),
  'a later creation': (row) => ({ created_at: row.created_at + 1 }),
  'a later change': (row) => ({ updated_at: row.updated_at + 1 }),
  'a change in the far future': () => ({ updated_at: LATER }),
  'times below zero': () => ({ created_at: -1, updated_at: -1 }),
  'times beyond all integers': () => ({ created_at: BEYOND_SAFE, updated_at: BEYOND_SAFE }),
  'the next version': (row) => ({ version: row.version + 1 }),
  'the version before': (row) => ({ version: row.version - 1 }),
  'version 0': (row) => (row.version === 0 ? null : { version: 0 }),
  'a version beyond all integers': () => ({ version: BEYOND_SAFE }),
  'no value': (row) => (row.metadata && row.payload !== null ? { payload: null } : null),
  'no value, and the version of none': (row) =>
    row.metadata && row.payload !== null ? { payload: null, version: 0 } : null,
  'an empty value': () => ({ payload: Buffer.alloc(0) }),
  'an empty wrapped DEK': () => ({ wrapped_dek: Buffer.alloc(0) }),
  'a name of another case': (row) => (row.name ? { name: swapCase(row.name) } : null),
  'another name': (row) => (row.name ? { name: 'elsewhere' } : null),
  'another environment': (row) => (row.name ? { environment: 'elsewhere' } : null),
  'another field': (row) => (row.field ? { field: 'elsewhere' } : null),
  'another writer': () => ({ written_by: '00c0ffee00c0ffee' }),
  'no writer': () => ({ written_by: '' }),
  'accepted or not': (row) => ({ accepted: 1 - row.accepted }),
  'accepted, as no row can be': () => ({ accepted: 2 }),
};

function swapCase(text: string): string {
  return text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase();
}

t.test('read > any row is edited in one place > integrity', async (t) => {
  const problems: string[] = [];
  for (const [what, edit] of Object.entries(EDITS)) {
    let edits = 0;
    for (const located of rows) {
      const changes = edit(located.row);
      if (changes === null) continue;
      problems.push(...(await findAnswered(ask, change(located, changes), what)));
      problems.push(...(await findCollateral(what)));
      restore();
      edits += 1;
    }
    t.ok(edits > 0, `${what}: ${edits} rows`);
  }
  t.same(problems, []);
});

t.test('read > an older version comes back under the newer row > integrity', async (t) => {
  const problems: string[] = [];
  const parts = [
    ['payload'],
    ['wrapped_dek'],
    ['payload', 'wrapped_dek'],
    ['payload', 'wrapped_dek', 'version'],
    ['payload', 'version'],
    ['version'],
    ['created_at', 'updated_at'],
  ];
  for (const part of parts) {
    problems.push(
      ...(await findAnswered(ask, change(findRow('rotated'), pick(older.secret, part)), `${part}`)),
    );
    restore();
    problems.push(
      ...(await findAnswered(ask, change(findRow('rotated', 'user'), pick(older.field, part)), `${part}`)),
    );
    restore();
  }
  // The row as it was, but for what a list shows of it.
  const { metadata, ...rest } = older.secret;
  problems.push(...(await findAnswered(ask, change(findRow('rotated'), rest), 'all but the metadata')));
  restore();
  t.same(problems, []);
});

/** What was changed of `api`, which has a value, metadata and fields. */
const DAMAGED: Readonly<Record<string, (row: Row) => Row>> = {
  payload: ({ payload }) => ({ payload: flip(payload, 30) }),
  'wrapped DEK': ({ wrapped_dek }) => ({ wrapped_dek: flip(wrapped_dek, 60) }),
  metadata: () => ({ metadata: '{"owner":"mallory"}' }),
  'time of creation': () => ({ created_at: 1 }),
  'time of creation, impossible': () => ({ created_at: BEYOND_SAFE }),
  'time of change': ({ updated_at }) => ({ updated_at: updated_at + 1 }),
  version: ({ version }) => ({ version: version + 1 }),
  writer: () => ({ written_by: '00c0ffee00c0ffee' }),
  acceptance: ({ accepted }) => ({ accepted: 1 - accepted }),
  'no value': () => ({ payload: null }),
};

const API = secretPath('api', 'prod');
const under = (rest: string) => API.replace('?', `${rest}?`);

const WRITES = [
  ['PATCH', API, { metadata: { owner: 'new' } }],
  ['PATCH', API, { value: 'new' }],
  ['PATCH', API, { value: 'new', metadata: { owner: 'new' } }],
  ['PATCH', API, {}],
  ['PUT', under('/fields/user'), { value: 'new' }],
  ['PUT', under('/fields/another'), { value: 'new' }],
  ['PUT', under('/fields'), { fields: { user: 'new', another: 'new' } }],
  ['DELETE', under('/fields/user'), undefined],
  ['PUT', under('/value'), 'new'],
  ['PUT', under('/fields/user/value'), 'new'],
  ['PUT', under('/fields/another/value'), 'new'],
  ['POST', under('/rename'), { name: 'moved' }],
  ['POST', under('/rename'), { name: 'api', environment: '' }],
] as const;

for (const [what, damage] of Object.entries(DAMAGED)) {
  t.test(
    `write > the secret's row is changed: ${what} > a change is refused, PUT and DELETE are not`,
    async (t) => {
      const api = findRow('api');
      change(api, damage(api.row));
      const before = file.read();
      for (const [method, target, body] of WRITES) {
        const { status, text } = await ask(method, target, { body });
        t.same([status, text], [500, REFUSAL], `${method} ${target} ${JSON.stringify(body)}`);
      }
      t.same(file.read(), before, 'nothing was stored');
      const started = Math.floor(Date.now() / 1000);
      t.equal((await ask('PUT', API, { body: { value: 'clean' } })).status, 201);
      const { status, json } = await ask('GET', API);
      // The wrap vouches for the rest of the row, whatever the payload says.
      const isVouchedFor = what === 'payload';
      const left = isVouchedFor ? 2 : undefined;
      t.same([status, json.value, json.metadata, json.field_count], [200, 'clean', {}, left]);
      t.equal(
        Date.parse(json.created_at) / 1000 >= started,
        !isVouchedFor,
        'a time that nobody vouches for is not kept',
      );
      t.equal((await ask('DELETE', API)).status, 200);
      t.equal((await ask('GET', API)).status, 404);
      restore();
      change(api, damage(api.row));
      t.equal((await ask('DELETE', API)).status, 200, 'without a PUT before it');
      restore();
      t.same(await findCollateral(what), []);
    },
  );
}

t.test("write > a field's row is changed > PUT replaces it, DELETE takes it away", async (t) => {
  const user = findRow('api', 'user');
  for (const [what, damage] of Object.entries(DAMAGED)) {
    // That one the secret's own row binds too: it is attacked below.
    if (what === 'metadata' || what === 'no value' || what === 'version') continue;
    change(user, damage(user.row));
    const before = file.read();
    const renamed = await ask('POST', under('/rename'), { body: { name: 'moved' } });
    t.same([renamed.status, renamed.text], [500, REFUSAL], 'its secret is not renamed');
    t.same(file.read(), before, 'nothing was stored');
    t.equal((await ask('PUT', API, { body: { value: 'clean' } })).status, 201);
    t.same(await findAnswered(ask, [under('/fields/user'), under('/fields'), API], what), [], 'fields stay');
    t.equal((await ask('PUT', under('/fields/user'), { body: { value: 'clean' } })).status, 201, what);
    t.equal((await ask('GET', under('/fields/user'))).json.value, 'clean');
    const [stored] = file
      .rows('fields')
      .filter(({ field, secret_id }) => field === 'user' && secret_id === user.row.secret_id);
    const isKept = stored!.created_at === user.row.created_at;
    t.equal(isKept, what === 'payload', 'a time that nobody vouches for is not kept');
    restore();
    change(user, damage(user.row));
    t.equal((await ask('DELETE', under('/fields/user'))).status, 200);
    t.equal((await ask('GET', API)).json.field_count, 1);
    restore();
  }
});

/** What becomes of the fields of `api`: none of it is told by the row of a field alone. */
const FIELD_SETS: Readonly<Record<string, () => void>> = {
  'a field is lost': () => file.replace([findRow('api', 'user')], []),
  'all fields are lost': () => file.replace([findRow('api', 'user'), findRow('api', 'pässwörd')], []),
  'a field is lost, and counted away': () => {
    const api = findRow('api');
    file.replace([findRow('api', 'user'), api], [{ ...api, row: { ...api.row, field_count: 1 } }]);
  },
  'a field is added': () =>
    file.replace([], [{ table: 'fields', row: { ...findRow('api', 'user').row, field: 'third' } }]),
  'a field is renamed': () => {
    change(findRow('api', 'user'), { field: 'admin' });
  },
  'a field has another version': () => {
    change(findRow('api', 'user'), { version: 1 });
  },
  'two fields are exchanged': () => {
    const [one, other] = [findRow('api', 'user'), findRow('api', 'pässwörd')];
    const swapped = [
      { ...one, row: { ...one.row, field: other.row.field } },
      { ...other, row: { ...other.row, field: one.row.field } },
    ];
    file.replace([one, other], swapped);
  },
};

for (const [what, damage] of Object.entries(FIELD_SETS)) {
  t.test(`write > ${what} > a change is refused, PUT of the whole and DELETE are not`, async (t) => {
    damage();
    const before = file.read();
    const imported = { name: 'api', environment: 'prod', fields: { user: 'new' } };
    for (const entry of [imported, { ...imported, metadata: {} }, { ...imported, value: 'new' }]) {
      const { status, text } = await ask('POST', '/v1/import', { body: { secrets: [entry] } });
      t.same([status, text], [500, REFUSAL], `import ${JSON.stringify(entry)}`);
    }
    for (const [method, target, body] of WRITES) {
      const { status, text } = await ask(method, target, { body });
      t.same([status, text], [500, REFUSAL], `${method} ${target} ${JSON.stringify(body)}`);
    }
    t.same(await findAnswered(ask, [API], what), [], 'read');
    t.same(file.read(), before, 'nothing was stored');
    t.equal((await ask('PUT', API, { body: { value: 'clean' } })).status, 201);
    const { status, json } = await ask('GET', API);
    t.same(
      [status, json.value, json.fields],
      [200, 'clean', undefined],
      'none that nobody vouches for stays',
    );
    t.equal((await ask('PUT', under('/fields/user'), { body: { value: 'again' } })).status, 201);
    t.same((await ask('GET', API)).json.fields, { user: 'again' });
    restore();
    damage();
    t.equal((await ask('DELETE', API)).status, 200);
    restore();
    t.same(await findCollateral(what), []);
  });
}

t.test('write > the row is as it was made > PUT keeps the time of creation', async (t) => {
  const { json: before } = await ask('GET', API);
  t.equal((await ask('PUT', API, { body: { value: 'new' } })).status, 201);
  t.equal((await ask('PUT', under('/fields/user'), { body: { value: 'new' } })).status, 201);
  t.equal((await ask('GET', API)).json.created_at, before.created_at);
  const user = findRow('api', 'user').row;
  t.ok(
    file.rows('fields').some(({ field, created_at }) => field === 'user' && created_at === user.created_at),
  );
  restore();
});

/** What a list has no way to show as it stands. */
const NONSENSE: readonly Row[] = [
  ...['', 'no JSON', '[]', '"text"', 'null', '{"a":}', '{},{"name":"forged"}', '{}}', '{}],"x":[{}'].map(
    (metadata) => ({ metadata }),
  ),
  ...[-1, LATER * 200, 8_640_000_000_001, BEYOND_SAFE, -BEYOND_SAFE].map((time) => ({
    created_at: time,
    updated_at: time,
  })),
  { name: '' },
  { name: 'a\0b', environment: '"\n' },
];

function isOfContract({ name, metadata, created_at: createdAt }: Row): boolean {
  const isObject = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata);
  return isObject && name !== 'forged' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(createdAt);
}

/** The entries that `api` has no part in: its own may stand under another name. */
function othersOf(list: readonly Row[]): Row[] {
  return list.filter(({ name }) => ['db', 'fields-only', 'rotated', 'witness'].includes(name));
}

t.test('list > a row says what cannot be > a list of all rows, the others as they were', async (t) => {
  const api = findRow('api');
  const { json: before } = await ask('GET', '/v1/secrets');
  for (const changes of NONSENSE) {
    const what = JSON.stringify(changes, (_key, given) => (typeof given === 'bigint' ? `${given}` : given));
    const targets = change(api, changes);
    // A name that no request may have cannot be asked for.
    if (changes.name === undefined) t.same(await findAnswered(ask, targets, what), [], what);
    for (const target of ['/v1/secrets', '/v1/search?q=e', '/v1/secrets?limit=1000']) {
      const { status, json } = await ask('GET', target);
      t.equal(status, 200, `${target} ${what}`);
      if (!target.includes('search')) {
        t.equal(json.length, before.length);
        t.same(othersOf(json), othersOf(before));
      }
      t.ok(json.every(isOfContract), `${target} ${what}: every entry is of the contract`);
    }
    restore();
  }
});

t.test('log > after all this > no value in it', async (t) => {
  t.notOk(vault.events.join('\n').includes(CANARY));
});
