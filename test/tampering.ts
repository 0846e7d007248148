/**
 * Reading after an attack on the file: somebody who may write vault.db, but has no key, changes it while the vault is open.
 * Whatever was changed is refused, with one uniform answer, and nothing else suffers. `tampered-writes.ts` writes afterwards.
 */
import t from 'tap';
import { listExchanges, pick } from './fixtures/exchanges.ts';
import { sample } from './fixtures/sample.ts';
import type { Row, Table } from './fixtures/stored.ts';
import { CANARY, findAnswered, readersOf } from './fixtures/tampered.ts';
import { BEYOND_SAFE, createTampering, flip, LATER } from './fixtures/tampering.ts';

const vault = await createTampering(t);
const { ask, change, file, findCollateral, findRow, restore, rows, older } = vault;

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

const PAIRS: Readonly<Record<string, readonly [Table, Table]>> = {
  'two secrets': ['secrets', 'secrets'],
  'two fields': ['fields', 'fields'],
  'a secret and a field': ['secrets', 'fields'],
  'a field and a secret': ['fields', 'secrets'],
};

for (const [whose, [left, right]] of Object.entries(PAIRS)) {
  t.test(`read > ${whose} exchange any part, every ordered pair > integrity`, async (t) => {
    const problems: string[] = [];
    const attacks = sample(t, [...listExchanges(rows, left, right)], ATTACKS);
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
  'another version of the secret': (row) => ({ revision: row.revision + 1 }),
  'another approval that is asked for': (row) => (row.metadata ? { confirm: (row.confirm + 1) % 3 } : null),
  'another date of expiry': (row) => (row.metadata ? { expires_at: row.expires_at + 1 } : null),
  'another date of rotation': (row) => (row.metadata ? { rotate_by: row.rotate_by + 1 } : null),
  'another kind of change': (row) => (row.metadata ? { change: 'import' } : null),
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
