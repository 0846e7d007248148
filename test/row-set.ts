/** The MAC over the set of rows: whatever rows were changed in the file without the key, it is found, and named as far as it can be. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { checkRows, describeRows, finish, type RowFindings } from '../workers/row-set/check-rows.ts';
import { COVERED_TABLES } from '../workers/store/covered-rows.ts';
import { RowSetStore } from '../workers/store/row-set.ts';
import { FULL, importInto, open } from './fixtures/api-transfer.ts';
import { checkAll } from './fixtures/checks.ts';
import type { AskHeld } from './fixtures/held.ts';
import { KEY_FILE } from './fixtures/made-vaults.ts';
import { readKeyring } from './fixtures/stored.ts';
import type { Sandbox } from './fixtures/vault.ts';

type Rows = readonly Readonly<Record<string, unknown>>[];

/** The file as somebody without the key changes it. */
class Changed {
  readonly db: Database.Database;
  readonly #sandbox: Sandbox;

  constructor(t: Test, sandbox: Sandbox) {
    this.#sandbox = sandbox;
    this.db = new Database(sandbox.databasePath, { timeout: 5_000 });
    this.db.pragma('foreign_keys = OFF');
    this.db.pragma('ignore_check_constraints = ON');
    t.teardown(() => this.db.close());
  }

  check(): RowFindings {
    this.db.exec('BEGIN');
    try {
      return this.#checkNow();
    } finally {
      this.db.exec('COMMIT');
    }
  }

  #checkNow(): RowFindings {
    const { databasePath, folder } = this.#sandbox;
    const keyring = readKeyring(databasePath, join(folder, KEY_FILE));
    try {
      return finish(checkRows(new RowSetStore(this.db), keyring));
    } finally {
      keyring.destroy();
    }
  }

  rows(table: string): Rows {
    return this.db.prepare<[], Rows[number]>(`SELECT * FROM ${table}`).all();
  }

  /** Returns what is found while the table has these rows. */
  checkWith(table: string, rows: Rows): RowFindings {
    this.db.exec('BEGIN');
    this.db.exec(`DELETE FROM ${table}`);
    for (const row of rows) {
      const columns = Object.keys(row);
      const insert = `INSERT INTO ${table} (${columns}) VALUES (${columns.map((column) => `@${column}`)})`;
      this.db.prepare(insert).run(row);
    }
    const findings = this.#checkNow();
    this.db.exec('ROLLBACK');
    return findings;
  }
}

/** Gives every table at least two rows, and two states. */
async function fill(ask: AskHeld, round: number): Promise<void> {
  await importInto(ask, FULL);
  for (const name of ['a', 'b', 'c', 'd']) {
    await ask('PUT', `/v1/secrets/${name}${round}`, {
      body: { value: 'old', fields: { user: 'u', host: 'h' } },
    });
    await ask('PUT', `/v1/secrets/${name}${round}`, { body: { value: 'new' } });
    await ask('PUT', `/v1/secrets/${name}${round}/fields/user`, { body: { value: `v${round}` } });
  }
  await ask('DELETE', `/v1/secrets/c${round}`);
  await ask('DELETE', `/v1/secrets/d${round}`);
  await ask('POST', '/v1/tokens', { body: { name: `t${round}`, scopes: ['read'] } });
  await ask('POST', '/v1/tokens', { body: { name: `u${round}`, scopes: ['read'] } });
}

t.test(
  'rows > every kind of write > the MAC is that of the rows, and one that failed leaves none',
  async (t) => {
    const { ask, sandbox } = await open(t);
    const changed = new Changed(t, sandbox);
    const isSound = (what: string) => t.equal(describeRows(changed.check()), '', what);
    isSound('a new vault');
    await fill(ask, 1);
    isSound('writes');
    const epoch = () => changed.rows('row_set')[0]?.epoch as number;
    const before = epoch();
    await ask('PUT', '/v1/secrets/a1', { body: { value: 'again' } });
    t.equal(epoch(), before + 1, 'a commit is an epoch');
    await Promise.all([
      ...['x', 'y', 'z'].map((name) => ask('PUT', `/v1/secrets/${name}`, { body: { value: name } })),
      ask('PUT', '/v1/secrets/x', { body: { value: 'no' }, headers: { 'If-Match': '"other"' } }),
      ask('DELETE', '/v1/secrets/nothing'),
    ]);
    isSound('a batch in which some calls failed');
    await ask('POST', '/v1/secrets/x/rename', { body: { name: 'renamed' } });
    await ask('DELETE', '/v1/secrets/a1/fields/user');
    await ask('POST', '/v1/secrets/c1/restore');
    await ask('DELETE', '/v1/secrets/y?purge=true');
    await ask('POST', '/v1/secrets/b1/rollback', { body: { version: 1 } });
    isSound('renamed, restored, purged, rolled back');
    t.equal((await ask('POST', '/v1/keys/rotate')).status, 200);
    isSound('rotated');
    await ask('PUT', '/v1/secrets/a1', { body: { value: 'after' } });
    await ask('POST', '/v1/seal');
    isSound('sealed');
  },
);

t.test(
  'rows > of each table dropped, added, put back or exchanged > found, and the table named',
  async (t) => {
    const { ask, sandbox } = await open(t);
    const changed = new Changed(t, sandbox);
    await fill(ask, 1);
    const older = new Map(COVERED_TABLES.map(({ table }) => [table, changed.rows(table)]));
    await fill(ask, 2);
    for (const name of ['a1', 'b1']) await ask('PUT', `/v1/secrets/${name}`, { body: { value: 'newest' } });
    for (const name of ['a1', 'b1'])
      await ask('PUT', `/v1/secrets/${name}/fields/user`, { body: { value: 'newest' } });
    t.equal((await ask('POST', '/v1/keys/rotate')).status, 200);
    t.equal(describeRows(changed.check()), '');
    for (const { table } of COVERED_TABLES) {
      const [rows, before] = [changed.rows(table), older.get(table) ?? []];
      const finds = (what: string, put: Rows, more: number) =>
        t.match(
          changed.checkWith(table, put),
          { state: 'changed', tables: [{ table, more }] },
          `${table} ${what}`,
        );
      const [first = {}, ...others] = rows;
      finds('dropped', others, -1);
      finds('all dropped', [], -rows.length);
      // `keks` and `slots` have one row, of which an older state has other bytes.
      const [key] = Object.keys(first);
      const foreign = Object.fromEntries(
        Object.entries(first).map(([name, value]) => [name, flip(name, key ?? '', value)]),
      );
      finds('added', [...rows, foreign], 1);
      finds('exchanged', [foreign, ...others], 0);
      if (!['slots', 'deleted'].includes(table)) finds('put back', [...before], before.length - rows.length);
    }
  },
);

/** Another row with a free key: numbers and texts are one more, and ciphertext has another last byte. */
function flip(name: string, key: string, value: unknown): unknown {
  if (Buffer.isBuffer(value)) {
    const changed = Buffer.from(value);
    changed.writeUInt8((changed.at(-1) ?? 0) ^ 1, changed.length - 1);
    return changed;
  }
  if (name === key || ['revision', 'until', 'generation', 'secret_id'].includes(name))
    return typeof value === 'number' ? value + 1_000 : `${value}x`.slice(-16);
  return name === 'name' || name === 'field' ? `${value}x` : value;
}

t.test('rows > changes that leave a trace in other rows > named', async (t) => {
  const { ask, sandbox } = await open(t);
  const changed = new Changed(t, sandbox);
  for (const value of ['1', '2', '3']) await ask('PUT', '/v1/secrets/db?env=prod', { body: { value } });
  for (const value of ['1', '2']) await ask('PUT', '/v1/secrets/gone', { body: { value } });
  const named = (table: string, rows: Rows) => changed.checkWith(table, rows).rows;
  const secrets = changed.rows('secrets');
  const versions = changed.rows('versions');
  t.same(
    named(
      'secrets',
      secrets.map((row) =>
        row.name === 'db' ? { ...row, revision: 2, wrapped_dek: versions[1]?.wrapped_dek } : row,
      ),
    ),
    ['"db" in "prod" was put back to version 2'],
  );
  t.same(
    named(
      'secrets',
      secrets.filter(({ name }) => name !== 'gone'),
    ),
    ['"gone" was dropped'],
  );
  t.same(
    named(
      'versions',
      versions.filter(({ name }) => name !== 'gone'),
    ),
    [],
  );
  t.same(
    named('secrets', [...secrets, { ...secrets[0], id: 999, name: 'new', wrapped_dek: Buffer.alloc(93) }]),
    ['"new" in "prod" was added'],
  );
});

t.test(
  'vault.check > a row was dropped, or the MAC itself > said, and writes go on or are refused',
  async (t) => {
    const { ask, sandbox, events } = await open(t);
    const changed = new Changed(t, sandbox);
    for (const name of ['a', 'b']) await ask('PUT', `/v1/secrets/${name}`, { body: { value: '1' } });
    for (const name of ['a', 'b']) await ask('PUT', `/v1/secrets/${name}`, { body: { value: '2' } });
    changed.db.exec("DELETE FROM secrets WHERE name = 'a'");
    const found = async () => (await checkAll(ask)).damaged.findLast(({ table }) => table === 'database');
    const wanted = {
      problem: 'changed',
      detail: 'rows were changed without the key: secrets (1 fewer); "a" was dropped',
    };
    t.match(await found(), wanted);
    t.match(events.join('\n'), '"a" was dropped');
    t.equal((await ask('PUT', '/v1/secrets/b', { body: { value: '3' } })).status, 201);
    t.match(await found(), wanted, 'writes do not hide it');
    changed.db.exec('DELETE FROM row_set');
    t.match(await found(), { detail: 'what vault.db says of its own rows was changed without the key' });
  },
);

t.test('vault.check > many rows > requests that come meanwhile are answered before it ends', async (t) => {
  const { ask } = await open(t);
  const entries = Array.from({ length: 5_000 }, (_, index) => ({ name: `n${index}`, value: 'v' }));
  await importInto(ask, entries);
  const first = await ask('GET', '/v1/check');
  const rows = /^<([^>]+)>; rel="next"$/.exec(String(first.headers.link))?.[1] ?? '';
  t.strictSame(first.json, { rows: {}, damaged: [] }, 'the comparison of many has a page of its own');
  const ended: string[] = [];
  const note = (what: string) => (answer: { readonly status: number }) => {
    t.equal(answer.status, 200);
    ended.push(what);
  };
  await Promise.all([
    ask('GET', `${rows}&limit=1`).then(note('check')),
    ask('GET', '/v1/secrets/n1').then(note('get')),
  ]);
  t.strictSame(ended, ['get', 'check']);
});
