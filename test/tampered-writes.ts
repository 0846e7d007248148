/**
 * Writing after an attack on the file: somebody who may write vault.db, but has no key, changes a row while the vault is open. A
 * change of such a row is refused and makes nothing good; it can only be replaced or deleted as a whole.
 */
import t from 'tap';
import type { Row } from './fixtures/stored.ts';
import { CANARY, findAnswered, REFUSAL, secretPath } from './fixtures/tampered.ts';
import { BEYOND_SAFE, createTampering, flip } from './fixtures/tampering.ts';

const { ask, change, events, file, findCollateral, findRow, restore } = await createTampering(t);

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
  'version of the secret': ({ revision }) => ({ revision: revision + 1 }),
  'date of expiry': () => ({ expires_at: 1 }),
  'date of rotation': () => ({ rotate_by: 1 }),
  'kind of change': () => ({ change: 'import' }),
};

const OF_SECRETS: readonly string[] = [
  ...['metadata', 'no value', 'date of expiry', 'date of rotation', 'kind of change'],
];

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
    // A field has none of the first five, and its version the secret's own row binds too: it is attacked below.
    if (OF_SECRETS.includes(what) || what === 'version') continue;
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

t.test('log > after all this > no value in it', async (t) => {
  t.notOk(events.join('\n').includes(CANARY));
});
