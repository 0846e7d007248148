/** What the import from the Go program refuses: named, and nothing is replaced or stored. */
import { chmodSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { type GoContent, type GoVault, writeGoVault } from './fixtures/go-vault.ts';
import { createSandbox, createVault, type Finished, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(300_000);

const THREE: GoContent = {
  secrets: [
    { name: 'a', value: 'one' },
    { name: 'b', environment: 'prod', value: 'two' },
    { name: 'c', value: 'three' },
  ],
  fields: [{ name: 'c', field: 'f', value: 'four' }],
};

interface Placed extends GoVault {
  readonly sandbox: Sandbox;
  readonly import: (...options: string[]) => Promise<Finished>;
}

/** A vault of that program in mav's own place. */
function placeGoVault(t: Test, content: GoContent = THREE): Placed {
  const sandbox = createSandbox(t);
  const made = writeGoVault(sandbox.home, content);
  const args = ['import', '--from-maestrovault', sandbox.home, '--key-file', made.keyFile];
  return { ...made, sandbox, import: (...options) => mav(sandbox, [...args, ...options]) };
}

function change(path: string, sql: string): void {
  const db = new Database(path);
  db.exec(sql);
  db.close();
}

/** Runs the import, which fails with this code and leaves the vault, and no trace of a new one. */
async function checkRefused(
  t: Test,
  placed: Placed,
  expected: number,
  says: RegExp | string,
): Promise<string> {
  const { sandbox, path } = placed;
  const before = readFileSync(path);
  for (const options of [['--dry-run'], []]) {
    const { code, stdout, stderr } = await placed.import(...options);
    t.match(stderr, says, options.join());
    t.same({ code, stdout }, { code: expected, stdout: '' }, stderr);
    t.notMatch(stderr, /three|four/, 'no value');
  }
  t.ok(readFileSync(path).equals(before), 'the file is as it was');
  const others = readdirSync(sandbox.home).filter((name) => !/^(vault\.db|owner\.lock)$/.test(name));
  t.same(others, [], 'and nothing lies beside it');
  return (await placed.import()).stderr;
}

t.test(
  'import --from-maestrovault > more secrets than an import takes > refused, with a way out',
  async (t) => {
    const placed = placeGoVault(t);
    change(
      placed.path,
      `WITH RECURSIVE numbers(n) AS (VALUES(1) UNION ALL SELECT n + 1 FROM numbers WHERE n < 100000)
    INSERT INTO secrets (name, created_at, updated_at) SELECT 'more' || n, '', '' FROM numbers`,
    );
    await checkRefused(
      t,
      placed,
      1,
      /more than 100,000 secrets, .* nothing was changed; in parts: docs\/from-go\.md/,
    );
  },
);

t.test(
  'import --from-maestrovault > a key file that is none > says what it has, and nothing of the key',
  async (t) => {
    const placed = placeGoVault(t);
    const { keyFile, key } = placed;
    const hex = Buffer.from(key).toString('hex');
    const base64 = Buffer.from(key).toString('base64');
    for (const [content, says] of [
      [key.subarray(1), "must hold the key's 32 bytes themselves, and nothing else; it has 31 bytes"],
      [Buffer.concat([key, Buffer.from('\n')]), 'it has 33 bytes'],
      ['', 'it has 0 bytes'],
      ['x'.repeat(1000), 'it has 128 bytes or more'],
      [hex, 'has them in hexadecimal; run: xxd -r -p '],
      [`${hex.toUpperCase()}\n`, 'has them in hexadecimal'],
      [`${base64}\n`, 'has them in base64; run: base64 -d '],
    ] as const) {
      writeFileSync(keyFile, content);
      const said = await checkRefused(t, placed, 2, says);
      t.notMatch(said, base64.slice(0, 8));
      t.notMatch(said.toLowerCase(), hex.slice(0, 8));
    }
    writeFileSync(keyFile, key);
    chmodSync(keyFile, 0o644);
    await checkRefused(t, placed, 2, /go\.key is open to other users; run: chmod 600/);
    const { stderr } = await mav(placed.sandbox, ['import', '--from-maestrovault', placed.sandbox.home]);
    t.match(stderr, 'the OS keychain is locked or not there; unlock or start it, or give --key-file PATH');
  },
);

t.test('import --from-maestrovault > the key of another vault > says so, once', async (t) => {
  const placed = placeGoVault(t);
  writeFileSync(placed.keyFile, crypto.getRandomValues(new Uint8Array(32)));
  const said = await checkRefused(t, placed, 1, /nothing in .* opens with this key/);
  t.equal(said.split('\n').length, 2);
});

const FORGED: Readonly<Record<string, readonly [sql: string, says: RegExp]>> = {
  'a ciphertext': [
    "UPDATE secrets SET encrypted_secret = encrypted_secret || x'00' WHERE name = 'b'",
    /^mav: b in prod: it does not open\nmav: one part of /,
  ],
  'a data key': [
    "UPDATE secrets SET encrypted_data_key = (SELECT encrypted_data_key FROM secrets WHERE name = 'a') WHERE name = 'b'",
    /^mav: b in prod: it does not open\n/,
  ],
  'a value that is too short': [
    "UPDATE secrets SET encrypted_secret = x'0102' WHERE name = 'b'",
    /^mav: b in prod: it does not open\n/,
  ],
  'a value without its data key': [
    "UPDATE secrets SET encrypted_data_key = NULL WHERE name = 'a'",
    /^mav: a: it does not open\n/,
  ],
  'a text in place of a ciphertext': [
    "UPDATE secrets SET encrypted_secret = 'plain' WHERE name = 'a'",
    /^mav: a: it does not open\n/,
  ],
  'two parts': [
    "UPDATE secrets SET encrypted_secret = x'00' WHERE name = 'a'; UPDATE secret_fields SET encrypted_value = x'00'",
    /^mav: a: it does not open\nmav: the field f of c: it does not open\nmav: 2 parts of .* are damaged, or were changed/,
  ],
};

for (const [what, [sql, says]] of Object.entries(FORGED))
  t.test(`import --from-maestrovault > ${what}, forged > named, even with --skip-refused`, async (t) => {
    const placed = placeGoVault(t);
    change(placed.path, sql);
    await checkRefused(t, placed, 1, says);
    t.match((await placed.import('--skip-refused')).stderr, says);
  });

t.test(
  'import --from-maestrovault > what a vault of mav cannot hold > listed; left out if asked',
  async (t) => {
    const placed = placeGoVault(t, {
      secrets: [
        ...(THREE.secrets ?? []),
        { name: 'empty', value: '' },
        { name: 'nothing' },
        { name: 'tab\there', value: 'v' },
        { name: 'x'.repeat(513), value: 'v' },
        { name: Uint8Array.of(110, 255), value: 'v' },
        { name: 'listed', value: 'v', metadata: '[1]' },
        { name: 'broken', value: 'v', metadata: '{' },
        { name: 'huge', value: new Uint8Array(8_388_609) },
      ],
      fields: [
        { name: 'a', field: '', value: 'v' },
        { name: 'a', field: '__proto__', value: 'v' },
        { name: 'a', field: 'empty', value: '' },
      ],
    });
    const said = await checkRefused(t, placed, 1, '11 parts of ');
    for (const line of [
      'empty: its value is empty',
      'nothing: it has neither a value nor a field',
      'here: its name must not have control characters',
      'its name must be at most 512 bytes long',
      'its name is not UTF-8',
      'listed: its metadata is not a JSON object',
      'broken: its metadata is not a JSON object',
      'huge: an entry has at most 8388608 bytes',
      'the field  of a: its name must not be empty',
      'the field __proto__ of a: its name must not be "__proto__"',
      'the field empty of a: its value is empty',
    ])
      t.match(said, line);
    const done = await placed.import('--skip-refused', '-o', 'json');
    t.equal(done.code, 0, done.stderr);
    const { added, left_out: left } = JSON.parse(done.stdout);
    t.same([added.length, left.length], [3, 11]);
    t.match(done.stderr, 'Left out: empty: its value is empty.');
    t.equal((await mav(placed.sandbox, ['get', 'a'])).stdout, 'one');
  },
);

t.test('import --from-maestrovault > a damaged file, or another > says so', async (t) => {
  const placed = placeGoVault(t);
  truncateSync(placed.path, 12_288);
  await checkRefused(t, placed, 2, /vault\.db is damaged/);
  const other = placeGoVault(t);
  for (const [sql, code, says] of [
    ['PRAGMA user_version = 4', 2, /has the schema 4, and mav knows 0, 2, 3 of the Go program/],
    ['PRAGMA user_version = 2; CREATE TABLE _secrets_old (x)', 2, /an upgrade of .* was cut short/],
  ] as const) {
    change(other.path, sql);
    await checkRefused(t, other, code, says);
  }
  const sandbox = await createVault(t);
  const text = join(sandbox.folder, 'text');
  writeFileSync(text, 'no database');
  const run = (...args: string[]) => mav(sandbox, ['import', '--from-maestrovault', ...args]);
  t.match(await run(text), { code: 2, stderr: /text is damaged, or no vault of the Go program/ });
  t.match(await run(join(sandbox.folder, 'none')), {
    code: 3,
    stderr: /there is no vault of the Go program at/,
  });
  t.match(await run(sandbox.home), { code: 1, stderr: /is a vault of mav, and not one of the Go program/ });
});

t.test('import --from-maestrovault > another program has it open > nothing is replaced', async (t) => {
  const placed = placeGoVault(t);
  const { sandbox, path } = placed;
  const db = new Database(path);
  db.exec("UPDATE secrets SET metadata = '{\"late\":1}' WHERE name = 'a'");
  const held = await placed.import();
  t.match(held, { code: 1, stderr: /another program has .*vault\.db open; end the Go program/ });
  t.match((await mav(sandbox, ['list'])).stderr, 'is a vault of the Go program');
  t.notOk(existsSync(`${path}.go-v3.bak`));
  t.same(
    readdirSync(sandbox.home).filter((name) => name.includes('import') || name === 'audit'),
    [],
  );
  db.close();
  const server = createServer().listen(sandbox.socket);
  t.match(await placed.import(), { code: 1, stderr: /a program listens on .*end the Go program's daemon/ });
  await new Promise((resolve) => server.close(resolve));
  writeFileSync(`${path}.go-v3.bak`, 'mine');
  t.match(await placed.import(), { code: 1, stderr: /go-v3\.bak is there already; move it away/ });
  t.equal(readFileSync(`${path}.go-v3.bak`, 'utf8'), 'mine');
  const other = placeGoVault(t);
  const log = new Database(other.path);
  log.exec("UPDATE secrets SET metadata = '{\"late\":1}' WHERE name = 'a'");
  // As that program leaves it if it is killed.
  const [main, wal] = ['', '-wal'].map((suffix) => readFileSync(other.path + suffix));
  log.close();
  writeFileSync(other.path, main as Buffer);
  writeFileSync(`${other.path}-wal`, wal as Buffer);
  t.equal((await other.import()).code, 0);
  t.match((await mav(other.sandbox, ['get', 'a', '-o', 'json'])).stdout, '"metadata":{"late":1}');
  t.notOk(existsSync(`${other.path}-wal`));
});

t.test('import > options that do not go together > usage errors', async (t) => {
  const sandbox = createSandbox(t);
  for (const [args, says] of [
    [['--from-maestrovault', '--env', 'x'], '--env does not go with --from-maestrovault'],
    [['--from-maestrovault', '--format', 'json'], '--format does not go with --from-maestrovault'],
    [['--from-maestrovault', '--skip-empty'], '--skip-empty does not go with --from-maestrovault'],
    [['f', '--key-file', 'k'], '--key-file goes with --from-maestrovault'],
    [['f', '--key-store', 'file'], '--key-store goes with --from-maestrovault'],
    [['f', '--skip-refused'], '--skip-refused goes with --from-maestrovault'],
    [[], 'mav import takes a file, or --from-maestrovault'],
  ] as const) {
    const { code, stderr } = await mav(sandbox, ['import', ...args]);
    t.equal(code, 2, stderr);
    t.match(stderr, says);
  }
  const token = await mav(sandbox, ['import', '--from-maestrovault'], {
    env: { MAV_TOKEN: `mvt_${'0'.repeat(64)}` },
  });
  t.match(token, { code: 4, stderr: /no token may import the Go program's vault/ });
});
