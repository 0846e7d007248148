/**
 * Attacks on the file: somebody who may write vault.db, but has no key, changes it while the vault is open. Whatever
 * was changed is refused, with one uniform answer; nothing else suffers; and no write makes the change good.
 */
import t from 'tap';
import type { Located, Row } from './fixtures/stored.ts';
import { CANARY, createAttackedVault, findAnswered, readersOf, WITNESS } from './fixtures/tampered.ts';

const vault = await createAttackedVault(t);
const { ask, file, restore, rows, older, events } = vault;
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

/** A row with some columns changed, stored in its place; answers where it is read now. */
function change(located: Located, changes: Row): string[] {
  const changed = { ...located, row: { ...located.row, ...changes } };
  file.replace([located], [changed]);
  return readersOf(file, changed);
}

function find(name: string): Located {
  const found = rows().find(({ row }) => row.name === name);
  if (found === undefined) throw new Error(`no row ${name}`);
  return found;
}

function flip(bytes: Buffer, at: number): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[at]! ^= 1 << (at % 8);
  return flipped;
}

/** Every single change of a blob: a bit of each byte, each shorter length, one byte more; undefined past the last. */
const DAMAGES = {
  'one bit flipped in byte': (blob: Buffer, at: number) => (at < blob.length ? flip(blob, at) : undefined),
  'cut to the length': (blob: Buffer, at: number) => (at < blob.length ? blob.subarray(0, at) : undefined),
  'one byte appended, of value': (blob: Buffer, at: number) =>
    at < 2 ? Buffer.concat([blob, Buffer.from([at])]) : undefined,
};

for (const [what, damage] of Object.entries(DAMAGES)) {
  for (const column of ['wrapped_dek', 'payload']) {
    t.test(`read > ${column} with ${what} n, for every n, in every row > integrity`, async (t) => {
      const problems: string[] = [];
      let changes = 0;
      for (let at = 0; ; at++) {
        // All rows at once: a secret's and a field's own read looks at no other row.
        const damaged = rows().flatMap(({ table, row }) => {
          const blob = row[column] === null ? undefined : damage(row[column], at);
          return blob === undefined ? [] : [{ table, row: { ...row, [column]: blob } }];
        });
        if (damaged.length === 0) break;
        file.replace(damaged, damaged);
        const targets = damaged.map((located) => readersOf(file, located)[0]!);
        problems.push(...(await findAnswered(ask, targets, `${what} ${at}`)));
        changes += damaged.length;
      }
      t.same(problems, [], `${changes} changes`);
      t.ok(changes >= rows().length, 'every row that has the blob was changed');
      t.same(await findCollateral(what), []);
      restore();
    });
  }
}

/** What two rows may be made to exchange. */
const EXCHANGES: Record<string, readonly string[]> = {
  payloads: ['payload', 'version'],
  'payloads alone': ['payload'],
  wraps: ['wrapped_dek'],
  'wraps and payloads': ['wrapped_dek', 'payload', 'version'],
  times: ['created_at', 'updated_at'],
  metadata: ['metadata'],
  'everything but the name': ['wrapped_dek', 'payload', 'version', 'created_at', 'updated_at', 'metadata'],
};

for (const [what, columns] of Object.entries(EXCHANGES)) {
  t.test(`read > ${what} swapped, for every ordered pair of rows > integrity`, async (t) => {
    const problems: string[] = [];
    let swaps = 0;
    for (const one of rows()) {
      for (const other of rows()) {
        if (
          one === other ||
          isSame(one, other) ||
          !columns.every((column) => isExchangeable(column, one, other))
        )
          continue;
        const given = Object.fromEntries(
          columns.filter((column) => column in one.row).map((column) => [column, other.row[column]]),
        );
        if (Object.entries(given).every(([column, value]) => equal(one.row[column], value))) continue;
        const [target = ''] = change(one, given);
        problems.push(...(await findAnswered(ask, [target], what)));
        file.replace([one], [one]);
        swaps += 1;
      }
    }
    t.same(problems, [], `${swaps} swaps`);
    t.ok(swaps > 20);
    t.same(await findCollateral(what), []);
    restore();
  });
}

function isSame(one: Located, other: Located): boolean {
  return one.table === other.table && one.row.id === other.row.id && one.row.field === other.row.field;
}

function isExchangeable(column: string, one: Located, other: Located): boolean {
  // The schema itself allows no field without a payload.
  if (one.table === 'fields' && column === 'payload' && other.row.payload === null) return false;
  return column === 'metadata'
    ? one.table === other.table || !('metadata' in one.row)
    : column in one.row && column in other.row;
}

function equal(a: unknown, b: unknown): boolean {
  return Buffer.isBuffer(a) && Buffer.isBuffer(b) ? a.equals(b) : a === b;
}

t.test('read > a row moved to another name or environment > integrity under its new name', async (t) => {
  for (const moved of [{ name: 'moved' }, { environment: 'elsewhere' }, { name: 'API', environment: 'x' }]) {
    const [target = ''] = change(find('api'), moved);
    t.same(await findAnswered(ask, [target], 'moved'), []);
    restore();
  }
});

t.test('read > metadata or a time edited, or the value taken away > integrity', async (t) => {
  const edits: Row[] = [
    { metadata: '{"owner":"mallory"}' },
    { metadata: '{ "owner":"eve"}' },
    { created_at: 1 },
    { updated_at: 2_000_000_000 },
    { version: 1_000_000 },
    { version: 0 },
    { payload: null },
    { payload: null, version: 0 },
  ];
  for (const edit of edits) {
    const [target = ''] = change(find('api'), edit);
    t.same(await findAnswered(ask, [target], Object.keys(edit).join()), []);
    restore();
  }
});

t.test('read > a payload, a wrap or both of an older version under the newer row > integrity', async (t) => {
  const { wrapped_dek, payload, version } = older.secret;
  for (const old of [
    { payload },
    { wrapped_dek },
    { wrapped_dek, payload },
    { payload, version },
    { wrapped_dek, payload, version },
  ]) {
    const [target = ''] = change(find('rotated'), old);
    t.same(await findAnswered(ask, [target], Object.keys(old).join()), []);
    restore();
  }
});

t.test('write > on a tampered row > PATCH and fields are refused, PUT and DELETE make it good', async (t) => {
  const api = find('api');
  const tamper = () => change(api, { metadata: '{"owner":"mallory"}' })[0] ?? '';
  const target = tamper();
  t.equal((await ask('PATCH', target, { body: { metadata: {} } })).status, 500);
  const field = target.replace('?', '/fields/new?');
  t.equal((await ask('PUT', field, { body: { value: 'x' } })).json.code, 'integrity');
  t.equal(
    (await ask('PUT', target.replace('?', '/fields?'), { body: { fields: { a: 'x' } } })).json.code,
    'integrity',
  );
  t.same(await findAnswered(ask, [target], 'afterwards'), []);
  t.equal((await ask('PUT', target, { body: { value: 'again' } })).status, 201);
  t.equal((await ask('GET', target)).json.value, 'again');
  restore();
  tamper();
  t.equal((await ask('DELETE', target)).status, 200);
  t.equal((await ask('GET', target)).status, 404);
  restore();
});

t.test(
  'tokens > a row changed or forged without the key > grants nothing, is logged, and others still work',
  async (t) => {
    const create = async (scopes: string[], more = {}) =>
      (await ask('POST', '/v1/tokens', { body: { name: 'n', scopes, ...more } })).json;
    const [reader, admin, witness] = [
      await create(['read']),
      await create(['admin']),
      await create(['read']),
    ];
    const rowOf = (id: string) => file.rows('tokens').find((row) => row.id === id) ?? {};
    const made = file.read().tokens;
    const attacks: Record<string, Row[]> = {
      'scopes raised': [{ ...rowOf(reader.id), scopes: 'admin' }],
      'expiry set': [{ ...rowOf(reader.id), expires_at: 4_000_000_000 }],
      renamed: [{ ...rowOf(reader.id), name: 'other' }],
      'hashes swapped': [
        { ...rowOf(reader.id), hash: rowOf(admin.id).hash },
        { ...rowOf(admin.id), hash: rowOf(reader.id).hash },
      ],
      'another id': [{ ...rowOf(reader.id), id: 'f'.repeat(16) }],
      'another MAC': [{ ...rowOf(reader.id), mac: rowOf(admin.id).mac }],
      'no such KEK': [{ ...rowOf(reader.id), kek_id: Buffer.alloc(16) }],
    };
    for (const [what, changed] of Object.entries(attacks)) {
      const touched = new Set([...changed.map((row) => row.id), reader.id]);
      file.write({ tokens: [...made.filter((row) => !touched.has(row.id)), ...changed] });
      events.length = 0;
      t.equal((await ask('POST', '/v1/unseal')).status, 200);
      t.equal((await ask('GET', '/v1/info', { token: reader.token })).status, 401, what);
      if (what === 'hashes swapped')
        t.equal((await ask('GET', '/v1/tokens', { token: admin.token })).status, 401, what);
      t.equal((await ask('GET', '/v1/info', { token: witness.token })).status, 200, what);
      t.ok(
        events.some((event) => event.startsWith('warning: ') && event.includes(String(changed[0]?.id))),
        `${what}: logged`,
      );
    }
    file.write({ tokens: made });
  },
);

t.test('unseal > a KEK row tampered with > sealed, and nothing is answered', async (t) => {
  const [kek] = file.rows('keks');
  const wrapped = flip(kek?.wrapped, 50);
  file.write({ keks: [{ ...kek, wrapped } as Row] });
  await ask('POST', '/v1/seal');
  const refused = await ask('POST', '/v1/unseal');
  t.equal(refused.status, 503);
  t.equal((await ask('GET', WITNESS)).json.code, 'sealed');
  file.write({ keks: [kek as Row] });
  t.equal((await ask('POST', '/v1/unseal')).status, 200);
  t.equal((await ask('GET', WITNESS)).text, witness);
});
