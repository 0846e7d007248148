/** A schema in the file that is not this program's: planted triggers, views that never end, what is missing. */
import { readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { sample } from './fixtures/sample.ts';
import { createSandbox, fillVault, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(300_000);

/** Number of the foreign schemas that `npm test` tries. */
const SAMPLE = 6;

type Db = Database.Database;

const ENDLESS = 'WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n';

/** Lets the attacker change the schema in ways that SQLite itself would refuse. */
function editSchema(db: Db, sql: string, ...values: (string | number | null)[]): void {
  db.unsafeMode();
  db.pragma('writable_schema = ON');
  db.prepare(sql).run(...values);
  db.pragma('writable_schema = RESET');
}

function replaceInSchema(db: Db, name: string, from: string, to: string): void {
  const sql = 'UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE name = ? AND instr(sql, ?)';
  editSchema(db, sql, from, to, name, from);
}

const PLANTED: Readonly<Record<string, (db: Db) => void>> = {
  'a trigger that undoes what was deleted': (db) =>
    db.exec(`CREATE TRIGGER kept BEFORE DELETE ON secrets BEGIN SELECT raise(IGNORE); END`),
  'a trigger that undoes what was revoked': (db) =>
    db.exec(`CREATE TRIGGER kept BEFORE DELETE ON tokens BEGIN SELECT raise(IGNORE); END`),
  'a trigger that never ends': (db) =>
    db.exec(`CREATE TRIGGER kept AFTER UPDATE ON vault BEGIN SELECT (${ENDLESS}); END`),
  'a trigger of ours that does something else': (db) =>
    db.exec(`DROP TRIGGER search_texts_deleted;
      CREATE TRIGGER search_texts_deleted AFTER DELETE ON search_texts BEGIN SELECT (${ENDLESS}); END`),
  'a trigger of ours that is gone': (db) => db.exec('DROP TRIGGER search_texts_updated'),
  'a view in the place of a table': (db) =>
    db.exec(`ALTER TABLE keks RENAME TO others; CREATE VIEW keks AS SELECT *, (${ENDLESS}) FROM others`),
  'a table more': (db) => db.exec('CREATE TABLE others (id INTEGER)'),
  'a table that is called as an old one of SQLite': (db) => {
    editSchema(
      db,
      `INSERT INTO sqlite_master VALUES ('table', 'sqlite_stat1', 'sqlite_stat1', 0, 'CREATE TABLE sqlite_stat1(a)')`,
    );
  },
  'an index more, on an expression': (db) => db.exec(`CREATE INDEX others ON secrets (upper(name))`),
  'an index of ours over some rows': (db) =>
    db.exec(`DROP INDEX secrets_by_environment;
      CREATE INDEX secrets_by_environment ON secrets (environment, name) WHERE name <> 'a'`),
  'a column that is computed': (db) =>
    db.exec('ALTER TABLE secrets ADD COLUMN extra TEXT AS (upper(name)) VIRTUAL'),
  'a check more': (db) =>
    replaceInSchema(db, 'secrets', 'name TEXT NOT NULL', `name TEXT NOT NULL CHECK (name <> 'b')`),
  'another default': (db) => replaceInSchema(db, 'vault', 'DEFAULT 0', 'DEFAULT 9'),
  'another collation': (db) =>
    replaceInSchema(db, 'secrets', 'name TEXT NOT NULL', 'name TEXT NOT NULL COLLATE NOCASE'),
  'an index with the pages of another': (db) =>
    editSchema(
      db,
      `UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'secrets')
       WHERE name = 'secrets_by_environment'`,
    ),
  'a table that cannot be read': (db) =>
    editSchema(db, `UPDATE sqlite_master SET sql = 'CREATE TABLE nonsense' WHERE name = 'tokens'`),
};

function plant({ databasePath }: Sandbox, how: (db: Db) => void): void {
  const db = new Database(databasePath);
  try {
    how(db);
  } catch {
    // What SQLite can no longer read is planted all the same.
  } finally {
    db.close();
  }
}

async function createVault(t: Test): Promise<Sandbox> {
  const sandbox = createSandbox(t);
  await fillVault(sandbox);
  await mav(sandbox, ['set', 'a', '--value', 'first']);
  return sandbox;
}

for (const [what, how] of sample(t, Object.entries(PLANTED), SAMPLE))
  t.test(`open > ${what} > is refused, and the file is left as it is`, async (t) => {
    const sandbox = await createVault(t);
    plant(sandbox, how);
    const before = readFileSync(sandbox.databasePath);
    for (const args of [
      ['get', 'a'],
      ['set', 'b', '--value', 'second'],
      ['rm', 'a', '--force'],
      ['key', 'rotate'],
    ]) {
      const { code, stdout, stderr } = await mav(sandbox, args);
      t.ok(code !== 0 && stdout === '', `${args[0]} ends with ${code}`);
      t.match(stderr, /vault\.db (the|cannot be read)|restore (it|the file) from a backup/, args.join(' '));
    }
    t.ok(readFileSync(sandbox.databasePath).equals(before), 'byte for byte');
  });

for (const [what, how] of Object.entries(PLANTED).slice(0, 4))
  t.test(`serve > while it runs: ${what} > nothing is said that is not so, and it ends`, async (t) => {
    const sandbox = await createVault(t);
    const daemon = await startDaemon(t, { sandbox, init: null });
    plant(sandbox, how);
    const put = await daemon.ask('PUT', '/v1/secrets/b', { body: { value: 'second' } });
    t.equal(put.status, 503, put.text);
    t.match(put.text, /restore the file from a backup/);
    t.equal((await daemon.ask('DELETE', '/v1/secrets/a')).status, 503);
    t.equal((await daemon.ask('GET', '/v1/secrets/a')).status, 503);
    t.match(await mav(sandbox, ['seal']), { code: 0 }, 'it can be sealed');
    t.equal((await daemon.stop()).code, 0, 'it ends');
  });

t.test('open > as this program made it > says nothing', async (t) => {
  const sandbox = await createVault(t);
  t.match(await mav(sandbox, ['get', 'a']), { code: 0, stdout: 'first', stderr: '' });
  t.equal((await mav(sandbox, ['key', 'rotate'])).code, 0);
  const db = new Database(sandbox.databasePath, { readonly: true });
  t.throws(() => db.prepare('DELETE FROM search_index_config').run(), 'SQLite guards its own tables');
  db.close();
});
