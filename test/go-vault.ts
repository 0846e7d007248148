/** The import from the Go program: every kind of secret survives, whether its vault is replaced or lies elsewhere. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { type GoContent, writeGoVault } from './fixtures/go-vault.ts';
import { createSandbox, createVault, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(300_000);

const FULL: GoContent = {
  secrets: [
    {
      name: 'db',
      environment: 'prod',
      value: 'pässword\n"\0',
      metadata: '{"owner":"ann","n":1.50,"deep":[null]}',
    },
    { name: 'db', value: 'other' },
    { name: 'bytes', value: Uint8Array.of(255, 0, 1), metadata: 'null' },
    { name: 'fields only' },
    {
      name: 'zoned',
      value: 'v',
      created: '2026-03-01 01:30:00.123456789 +0100 CET m=+0.012',
      updated: '2026-03-01T02:30:00.5Z',
    },
    { name: 'undated', value: 'v', created: 'yesterday' },
  ],
  fields: [
    { name: 'db', environment: 'prod', field: 'user', value: 'root', updated: '2026-04-04 04:04:04' },
    { name: 'fields only', field: 'key', value: Uint8Array.of(0, 254) },
    { name: 'gone', environment: 'prod', field: 'left', value: 'behind' },
  ],
  tokens: [{ name: 'ci', scopes: '["read","write"]' }],
};

const BASE = { written_by: 'session', accepted: true, version: 1 };
const DATED = { created_at: '2026-01-02T03:04:05Z', updated_at: '2026-02-03T04:05:06Z' };
const STORED = [
  { ...BASE, ...DATED, name: 'bytes', environment: '', value: '/wAB', encoding: 'base64', metadata: {} },
  { ...BASE, ...DATED, name: 'db', environment: '', value: 'other', metadata: {} },
  {
    ...BASE,
    ...DATED,
    updated_at: '2026-04-04T04:04:04Z',
    ...{
      name: 'db',
      environment: 'prod',
      value: 'pässword\n"\0',
      metadata: { owner: 'ann', n: 1.5, deep: [null] },
    },
    ...{ fields: { user: 'root' }, field_count: 1 },
  },
  {
    ...BASE,
    ...DATED,
    ...{ name: 'fields only', environment: '', metadata: {}, field_count: 1 },
    fields: { key: { value: 'AP4=', encoding: 'base64' } },
  },
  {
    ...BASE,
    ...DATED,
    ...{ name: 'gone', environment: 'prod', metadata: {}, fields: { left: 'behind' }, field_count: 1 },
  },
  { ...BASE, name: 'undated', environment: '', value: 'v', metadata: {}, updated_at: DATED.updated_at },
  {
    ...{ ...BASE, name: 'zoned', environment: '', value: 'v', metadata: {} },
    ...{ created_at: '2026-03-01T00:30:00Z', updated_at: '2026-03-01T02:30:00Z' },
  },
];

/** As the report lists them: the fields without a secret last. */
const NAMES = STORED.toSorted((a, b) => Number(a.name === 'gone') - Number(b.name === 'gone')).map(
  ({ name, environment }) => ({ name, environment }),
);

async function exportAll(sandbox: Sandbox): Promise<object[]> {
  const { stdout } = await mav(sandbox, ['export']);
  return JSON.parse(stdout).secrets;
}

function countRows(path: string, table: string): unknown {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
  } finally {
    db.close();
  }
}

function checkReport(t: Test, stdout: string, stderr: string): void {
  t.match(JSON.parse(stdout), {
    added: NAMES,
    changed: [],
    unchanged: [],
    schema: 3,
    tokens: [{ name: 'ci', scopes: 'read, write', created_at: '2026-01-02 03:04:05' }],
    orphans: [{ name: 'gone', environment: 'prod' }],
    untimed: [{ name: 'undated', environment: '' }],
    left_out: [],
  });
  t.match(stderr, 'Fields without a secret, which become secrets of their own: gone in prod.');
  t.match(stderr, 'Their times cannot be read, so they are those of the import: undated.');
  t.match(stderr, /Tokens are not imported.*\n {2}ci \(read, write\), made 2026-01-02 03:04:05\n/);
}

t.test("import --from-maestrovault > in mav's own place > replaced by a vault with everything", async (t) => {
  const sandbox = createSandbox(t);
  const { path, keyFile } = writeGoVault(sandbox.home, FULL);
  const before = readFileSync(path);
  const args = ['import', '--from-maestrovault', sandbox.home, '--key-file', keyFile, '-o', 'json'];
  const planned = await mav(sandbox, [...args, '--dry-run']);
  t.equal(planned.code, 0, planned.stderr);
  checkReport(t, planned.stdout, planned.stderr);
  t.ok(readFileSync(path).equals(before), 'a dry run changes nothing');
  const done = await mav(sandbox, args);
  t.equal(done.code, 0, done.stderr);
  checkReport(t, done.stdout, done.stderr);
  t.match(done.stderr, `Made a vault at ${path}, its key in`);
  t.strictSame(await exportAll(sandbox).then(withoutUndated), withoutUndated(STORED));
  const kept = `${path}.go-v3.bak`;
  t.equal(JSON.parse(done.stdout).kept, kept);
  t.equal(countRows(kept, 'secrets'), 6);
  t.equal(statSync(kept).mode & 0o777, 0o600);
  t.notOk(existsSync(`${path}.import`));
  t.match((await mav(sandbox, ['audit', '-o', 'json'])).stdout, /"op":"secrets\.import"/);
  t.match((await mav(sandbox, ['audit', 'verify'])).code, 0);
  const again = await mav(sandbox, args);
  t.equal(again.code, 1);
  t.match(
    again.stderr,
    `is a vault of mav already, and the one of the Go program that it replaced is ${kept}`,
  );
});

/** The time of making of one is that of the import. */
function withoutUndated(entries: readonly object[]): object[] {
  return entries.map((entry) => ('name' in entry && entry.name === 'undated' ? { name: 'undated' } : entry));
}

for (const access of ['a daemon', 'this process'] as const)
  t.test(
    `import --from-maestrovault > elsewhere, through ${access} > into the vault that is there`,
    async (t) => {
      const daemon = access === 'a daemon' ? await startDaemon(t, { token: false }) : null;
      const sandbox: Sandbox = daemon ?? (await createVault(t));
      const { path, keyFile } = writeGoVault(join(sandbox.folder, 'go'), FULL);
      const before = readFileSync(path);
      await mav(sandbox, ['set', 'db', '-v', 'mine', '-m', 'a=b']);
      await mav(sandbox, ['set', 'bytes', '-v', 'same']);
      const args = ['import', '--from-maestrovault', join(sandbox.folder, 'go'), '--key-file', keyFile];
      const planned = await mav(sandbox, [...args, '--dry-run']);
      t.match(planned.stdout, /^To add: 5 .*\nTo change: 2 \(bytes, db\)\nAlready so: 0\n$/);
      const done = await mav(sandbox, args);
      t.equal(done.code, 0, done.stderr);
      t.match(done.stderr, 'mav rollback NAME brings it back');
      t.match(JSON.parse((await mav(sandbox, ['get', 'db', '-o', 'json'])).stdout), {
        value: 'other',
        version: 2,
      });
      const again = await mav(sandbox, [...args, '-o', 'json']);
      t.match(JSON.parse(again.stdout), { added: [], changed: [], unchanged: NAMES });
      const stored = (await exportAll(sandbox)) as { name: string; environment: string }[];
      const added = STORED.filter(
        ({ name, environment }) => name !== 'bytes' && !(name === 'db' && environment === ''),
      );
      const found = stored.filter((one) =>
        added.some((a) => a.name === one.name && a.environment === one.environment),
      );
      t.strictSame(withoutUndated(found), withoutUndated(added));
      t.ok(readFileSync(path).equals(before), 'its file stays as it is');
      t.notOk(existsSync(`${path}-shm`));
    },
  );

for (const schema of [0, 2] as const)
  t.test(`import --from-maestrovault > schema ${schema} > its secrets and labels`, async (t) => {
    const sandbox = createSandbox(t);
    const environment = schema === 0 ? '' : 'prod';
    const secrets = [{ name: 'db', environment, value: 'v', metadata: '{"a":"b"}' }];
    const { keyFile } = writeGoVault(sandbox.home, { schema, secrets });
    t.match(
      (await mav(sandbox, ['list'])).stderr,
      /is a vault of the Go program.*mav import --from-maestrovault/,
    );
    const done = await mav(sandbox, ['import', '--from-maestrovault', sandbox.home, '--key-file', keyFile]);
    t.equal(done.code, 0, done.stderr);
    t.strictSame(await exportAll(sandbox), [
      { ...BASE, ...DATED, name: 'db', environment, value: 'v', metadata: { a: 'b' } },
    ]);
  });

t.test('import --from-maestrovault > no folder given > that program’s own, and mav’s', async (t) => {
  const sandbox = createSandbox(t);
  const own = { ...sandbox, env: { ...sandbox.env, MAV_HOME: undefined } };
  const folder = join(sandbox.folder, 'home', '.maestrovault');
  const { keyFile, path } = writeGoVault(folder, { secrets: [] });
  const done = await mav(own, ['import', '--from-maestrovault', '--key-file', join(folder, '..', 'go.key')]);
  t.equal(done.code, 0, done.stderr);
  t.ok(existsSync(keyFile));
  t.equal((await mav(own, ['list'])).stdout, '[]\n');
  t.ok(existsSync(`${path}.go-v3.bak`));
});
