/**
 * After an attack on what is kept of old versions and deleted secrets: somebody who may write vault.db, but has no key, changes it
 * while the vault is open. Nothing opens that is not what it was, nothing else suffers, and PUT and DELETE work.
 */
import t from 'tap';
import { checkAll } from './fixtures/checks.ts';
import {
  at,
  createKeptVersions,
  GONE,
  LONG,
  NOW,
  OTHER,
  takeOver,
  under,
  WAS,
} from './fixtures/kept-versions.ts';
import { sample } from './fixtures/sample.ts';
import type { Located, Row } from './fixtures/stored.ts';
import { CANARY, REFUSAL } from './fixtures/tampered.ts';
import { BEYOND_SAFE, flip } from './fixtures/tampering.ts';

t.setTimeout(300_000);

const vault = await createKeptVersions(t);
const { ask, file, events, original, rowsOf, restore, findOpened, findHarmed, findCollateral } = vault;

/** How many exchanges of two rows are tried in `npm test`, and how many rows are edited in each way. */
const ATTACKS = 30;
const ROWS = 4;

const deletedRow = rowsOf('deleted', GONE)[0] as Located;
const UNHARMED = [OTHER, WAS, NOW];

async function attack(out: readonly Located[], put: readonly Located[], run: () => Promise<string[]>) {
  file.replace(out, put);
  const problems = await run();
  file.replace(put, out);
  return problems;
}

/** What one old row can be made to say; null where it says so already, or has no such thing. */
const EDITS: Readonly<Record<string, (row: Row) => Row | null>> = {
  'number of the version': (row) => ({ revision: row.revision + 100 }),
  name: () => ({ name: 'elsewhere' }),
  environment: () => ({ environment: 'elsewhere' }),
  metadata: () => ({ metadata: '{"step":9}' }),
  'version of the value': (row) => ({ version: row.version + 1 }),
  'version of the value, beyond all integers': () => ({ version: BEYOND_SAFE }),
  'wrapped DEK': (row) => ({ wrapped_dek: flip(row.wrapped_dek, 60) }),
  'empty wrapped DEK': () => ({ wrapped_dek: Buffer.alloc(0) }),
  'number of fields': (row) => ({ field_count: row.field_count + 1 }),
  'time of creation': (row) => ({ created_at: row.created_at + 1 }),
  'time of change': (row) => ({ updated_at: row.updated_at + 1 }),
  'time of change, below zero': () => ({ updated_at: -1 }),
  writer: () => ({ written_by: '00c0ffee00c0ffee' }),
  acceptance: (row) => ({ accepted: 1 - row.accepted }),
  'date of expiry': (row) => ({ expires_at: row.expires_at + 1 }),
  'no date of expiry': (row) => (row.expires_at === 0 ? null : { expires_at: 0 }),
  'date of rotation': (row) => ({ rotate_by: row.rotate_by + 1 }),
  'approval that is asked for': (row) => ({ confirm: (row.confirm + 1) % 3 }),
  'kind of change': () => ({ change: 'import' }),
  'kind of change, a deletion': (row) => (row.change === 'delete' ? null : { change: 'delete' }),
  payload: (row) => (row.payload === null ? null : { payload: flip(row.payload, 30) }),
  'payload of none': (row) =>
    row.payload === null || row.version === 0 ? null : { payload: Buffer.alloc(0) },
};

for (const [what, edit] of Object.entries(EDITS)) {
  t.test(
    `versions > an old row has another ${what} > it does not open, and PUT and DELETE work`,
    async (t) => {
      const problems: string[] = [];
      const edits = [LONG, GONE].flatMap((secret) =>
        rowsOf('versions', secret).flatMap((located) => {
          const changes = edit(located.row);
          if (changes === null) return [];
          return [{ secret, located, changed: { ...located, row: { ...located.row, ...changes } } }];
        }),
      );
      t.ok(edits.length > 0, `${edits.length} rows`);
      for (const { secret, located, changed } of sample(t, edits, ROWS)) {
        const refused = [at(secret, located.row.revision)];
        problems.push(...(await attack([located], [changed], () => findOpened(what, refused, [secret]))));
      }
      const [newest] = rowsOf('versions', LONG).toReversed();
      const changes = edit(newest!.row);
      if (changes !== null) file.replace([newest!], [{ ...newest!, row: { ...newest!.row, ...changes } }]);
      const { versions } = (await ask('GET', under(LONG, '/versions'))).json;
      t.equal(versions.length, 7, 'the list has every version');
      problems.push(...(await findHarmed(what, UNHARMED)), ...(await findCollateral(what)));
      t.same(problems, []);
      t.equal((await ask('PUT', LONG, { body: { value: 'new' } })).status, 201);
      t.match(await ask('GET', LONG), { status: 200, json: { value: 'new' } });
      t.equal((await ask('DELETE', LONG)).status, 200);
      restore();
    },
  );
}

const FIELD_EDITS: Readonly<Record<string, (row: Row) => Row>> = {
  name: () => ({ field: 'admin' }),
  version: (row) => ({ version: row.version + 1 }),
  'first version of the secret': (row) => ({ revision: row.revision + 1 }),
  'last version of the secret': (row) => ({ until: row.until - 1 }),
  'wrapped DEK': (row) => ({ wrapped_dek: flip(row.wrapped_dek, 60) }),
  'time of creation': (row) => ({ created_at: row.created_at + 1 }),
  'time of change': (row) => ({ updated_at: row.updated_at + 1 }),
  writer: () => ({ written_by: '00c0ffee00c0ffee' }),
  acceptance: (row) => ({ accepted: 1 - row.accepted }),
  payload: (row) => ({ payload: flip(row.payload, 30) }),
};

for (const [what, edit] of Object.entries(FIELD_EDITS)) {
  t.test(`versions > an old field has another ${what} > no version that has it opens whole`, async (t) => {
    const problems: string[] = [];
    for (const located of rowsOf('old_fields', LONG)) {
      const changed = { ...located, row: { ...located.row, ...edit(located.row) } };
      const lost = what === 'first version of the secret' ? located.row.revision : located.row.until - 1;
      problems.push(
        ...(await attack([located], [changed], () => findOpened(what, [at(LONG, lost)], [LONG]))),
      );
      problems.push(
        ...(await attack([located], [], () =>
          findOpened('a lost field', [at(LONG, located.row.until - 1)], [LONG]),
        )),
      );
    }
    problems.push(...(await findHarmed(what, UNHARMED)));
    t.same(problems, []);
  });
}

/** Rows that take over the content of another one: of the same secret, of others, and of one that had the same name. */
function* listExchanges(): Generator<{ what: string; out: Located[]; put: Located[]; refused: string[] }> {
  const secrets = [LONG, OTHER, WAS, NOW, GONE];
  for (const [table, key] of [
    ['versions', 'revision'],
    ['old_fields', 'until'],
  ] as const) {
    for (const secret of secrets) {
      for (const located of rowsOf(table, secret)) {
        for (const other of secrets.flatMap((one) => rowsOf(table, one))) {
          if (other.row === located.row) continue;
          const row = takeOver(located.row, other.row, ['secret_id', key]);
          const version = table === 'versions' ? located.row.revision : located.row.until - 1;
          const what = `${table} ${located.row[key]} of ${secret} from ${other.row[key]} of ${other.row.name}`;
          yield { what, out: [located], put: [{ table, row }], refused: [at(secret, version)] };
        }
      }
    }
  }
}

t.test('versions > a row has the content of another one > it does not open', async (t) => {
  const problems: string[] = [];
  for (const { what, out, put, refused } of sample(t, [...listExchanges()], ATTACKS))
    problems.push(...(await attack(out, put, () => findOpened(what, refused))));
  t.same(problems, []);
});

t.test('versions > those of a secret that had the same name > they do not open as its own', async (t) => {
  const [own, foreign] = [rowsOf('versions', WAS), rowsOf('versions', NOW)];
  const id = own[0]!.row.secret_id;
  for (const { row } of foreign.filter(({ row }) => row.revision === 1)) {
    const put = [{ table: 'versions' as const, row: { ...row, secret_id: id } }];
    const out = own.filter((located) => located.row.revision === row.revision);
    file.replace(out, put);
    t.equal((await ask('GET', at(WAS, row.revision))).status, 500);
    t.equal((await ask('GET', at(under(WAS, '/value'), row.revision))).text, REFUSAL);
    const body = { version: row.revision };
    t.not((await ask('POST', under(WAS, '/rollback'), { body })).status, 200);
    t.match((await ask('GET', under(WAS, '/versions'))).json.versions, [{}, { code: 'integrity' }]);
    restore();
  }
});

t.test('secrets > an old version in the place of the current one > nothing opens', async (t) => {
  const problems: string[] = [];
  for (const secret of [LONG, WAS, NOW]) {
    const [current] = rowsOf('secrets', secret);
    for (const { row } of rowsOf('versions', secret)) {
      const taken = takeOver(current!.row, row, ['name', 'environment', 'secret_id']);
      // With its number, and without it.
      for (const changed of [taken, { ...taken, revision: current!.row.revision }]) {
        const put = [{ ...current!, row: changed }];
        problems.push(
          ...(await attack([current!], put, () =>
            findOpened(`current, from ${row.revision}`, [secret], [secret]),
          )),
        );
      }
      // And the current one among the old.
      const old = { table: 'versions' as const, row };
      const put = [{ ...old, row: takeOver(row, current!.row, ['secret_id', 'revision']) }];
      const refused = [at(secret, row.revision)];
      problems.push(
        ...(await attack([old], put, () => findOpened('old, from the current', refused, [secret]))),
      );
    }
  }
  t.same(problems, []);
});

const deletion = rowsOf('versions', GONE).at(-1)!;
const last = rowsOf('versions', GONE).at(-2)!;
const idOf = (secret: string) => rowsOf('secrets', secret)[0]!.row.id;

/** What can be done to a deletion. After each of them nothing may come back that was not deleted under that name. */
const DELETIONS: Readonly<Record<string, () => void>> = {
  'of a secret that is there': () => file.replace([], [point({ secret_id: idOf(LONG), name: 'forged' })]),
  'under another name': () => file.replace([deletedRow], [point({ name: 'forged' })]),
  'of another secret': () => file.replace([], [point({ secret_id: idOf(OTHER), name: 'forged' })]),
  'whose version is lost': () => file.replace([deletion], []),
  'whose last version is lost': () => file.replace([last], []),
  'whose version is forged': () =>
    file.replace([deletion], [{ ...deletion, row: { ...deletion.row, written_by: 'session' } }]),
  'with a later one that is forged': () =>
    file.replace([], [{ ...deletion, row: { ...deletion.row, revision: 99, change: 'set' } }]),
  'with a version beyond all integers': () =>
    file.replace([], [{ ...deletion, row: { ...deletion.row, revision: BEYOND_SAFE } }]),
};

function point(changes: Row): Located {
  return { table: 'deleted', row: { ...deletedRow.row, ...changes } };
}

for (const [what, damage] of Object.entries(DELETIONS)) {
  t.test(
    `deleted > a deletion ${what} > nothing else comes back, and PUT, DELETE and purge work`,
    async (t) => {
      for (const name of ['forged', 'gone']) {
        const path = GONE.replace('gone', name);
        damage();
        t.same(await findHarmed(what, [LONG, ...UNHARMED]), []);
        t.equal((await ask('GET', '/v1/deleted')).status, 200);
        const restored = await ask('POST', under(path, '/restore'));
        const shown = await ask('GET', path);
        if (restored.status === 200) t.match(shown.json.value, /when it was deleted/);
        else t.equal(shown.status, 404);
        restore();
        damage();
        t.equal((await ask('PUT', path, { body: { value: 'new' } })).status, 201, name);
        t.match((await ask('GET', path)).json, { value: 'new' });
        t.equal((await ask('DELETE', path)).status, 200);
        t.equal((await ask('POST', under(path, '/restore'))).status, 200);
        t.match((await ask('GET', path)).json, { value: 'new' });
        t.equal((await ask('POST', under(path, '/purge'))).status, 200);
        t.equal((await ask('GET', under(path, '/versions'))).status, 404);
        t.same(await findHarmed(what, [LONG, ...UNHARMED]), [], 'nothing else is purged');
        restore();
      }
    },
  );
}

t.test(
  'secrets > the current row is forged > what older versions share with it outlives a PUT',
  async (t) => {
    const shared = GONE.replace('gone', 'shared');
    await ask('PUT', shared, { body: { value: 'old' } });
    await ask('PUT', under(shared, '/fields/user'), { body: { value: 'root' } });
    await ask('PATCH', shared, { body: { metadata: { step: 3 } } });
    const current = file.rows('secrets').find(({ name }) => name === 'shared')!;
    const forged = { table: 'secrets' as const, row: { ...current, metadata: '{"forged":1}' } };
    file.replace([{ table: 'secrets', row: current }], [forged]);
    t.equal((await ask('PUT', shared, { body: { value: 'new' } })).status, 201);
    t.match((await ask('GET', at(shared, 1))).json, { value: 'old' });
    t.match((await ask('GET', at(shared, 2))).json, { value: 'old', fields: { user: 'root' } });
    restore();
  },
);

t.test('vault.check > old versions > all are counted, and those that do not open are named', async (t) => {
  const { rows, damaged } = await checkAll(ask);
  t.equal(rows.versions, original.versions.length);
  // The tests before this one put the rows of earlier times back into the file.
  t.strictSame(
    damaged.filter(({ table }) => table !== 'database'),
    [],
  );
  const [field] = rowsOf('old_fields', OTHER);
  file.replace([last, field!], [{ ...last, row: { ...last.row, accepted: 0 } }]);
  const { damaged: named } = await checkAll(ask);
  t.ok(named.some(({ name, version }) => name === 'gone' && version === last.row.revision));
  t.ok(named.some(({ name, version }) => name === 'other' && version === field!.row.until - 1));
  restore();
});

t.test('log > after all this > no value in it', async (t) => {
  t.notOk(events.join('\n').includes(CANARY));
  t.ok(original.versions.length > 20);
});
