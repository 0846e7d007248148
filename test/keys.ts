/** The key of a vault: a passphrase, a key file or a credential; unsealed, sealed and rotated. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { ask } from './fixtures/ask.ts';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { digest, PASSPHRASE, UNKNOWN_TOKEN, writePassphrase } from './fixtures/keys.ts';
import {
  createPassphraseVault,
  createSandbox,
  finished,
  mav,
  type Sandbox,
  spawnMav,
} from './fixtures/vault.ts';

t.setTimeout(550_000);

/** Of its own: beside the user's home the kernel lets the daemon have the file alone, and none that replaces it. */
function makeKeyFolder({ folder }: Sandbox): string {
  const keys = join(folder, 'keys');
  mkdirSync(keys, { mode: 0o700 });
  return keys;
}

/** What a sealed daemon says, and that it left the database as it was. */
async function assertSealed(t: Test, daemon: Daemon, remedy: RegExp, before: string): Promise<void> {
  const health = await daemon.ask('GET', '/v1/health', { token: null });
  t.match(health.json, { status: 'ok', sealed: true });
  for (const [method, target] of [
    ['GET', '/v1/secrets/kept'],
    ['PUT', '/v1/secrets/kept'],
    ['GET', '/v1/tokens'],
  ] as const) {
    const answer = await daemon.ask(method, target, { token: UNKNOWN_TOKEN });
    t.equal(answer.status, 503, `${method} ${target}`);
    t.equal(answer.json.code, 'sealed');
    t.match(answer.json.error, remedy);
    t.match(answer.json.error, 'mav unseal');
  }
  t.equal((await daemon.ask('GET', '/v1/secrets', { token: null })).status, 401);
  t.equal(digest(daemon.databasePath), before, 'vault.db is byte for byte what it was');
}

t.test('passphrase file > any line ending > init and unseal read the same', async (t) => {
  for (const ending of ['', '\n', '\r\n', '\r', '\n\n']) {
    const sandbox = createSandbox(t);
    const pass = writePassphrase(sandbox, `long enough${ending}`);
    const init = ['--key-store', 'passphrase', '--passphrase-file', pass];
    const sealed = await startDaemon(t, { sandbox, init, token: false });
    const unsealed = await mav(sandbox, ['unseal', '--passphrase-file', pass]);
    t.equal(unsealed.code, 0, JSON.stringify(ending));
    await sealed.stop();
  }
});

t.test('passphrase file > not UTF-8 > refused by init, which makes nothing', async (t) => {
  const sandbox = createSandbox(t);
  const pass = join(sandbox.folder, 'pass');
  writeFileSync(pass, Buffer.from([0xff, 0xfe, ...Buffer.from('long enough')]), { mode: 0o600 });
  const refused = await mav(sandbox, ['init', '--key-store', 'passphrase', '--passphrase-file', pass]);
  t.equal(refused.code, 2);
  t.match(refused.stderr, 'must be valid UTF-8');
  t.notOk(existsSync(sandbox.databasePath));
});

t.test('passphrase > every way to give it > unseals; a wrong one does not', async (t) => {
  const sandbox = createSandbox(t);
  const pass = writePassphrase(sandbox);
  const wrong = writePassphrase(sandbox, 'another passphrase', 'wrong');
  t.equal((await mav(sandbox, ['init', '--key-store', 'passphrase', '--passphrase-file', pass])).code, 0);
  const before = digest(sandbox.databasePath);
  const sealed = await startDaemon(t, { sandbox, init: null, token: false });
  await assertSealed(t, sealed, /passphrase/, before);
  t.equal((await mav(sandbox, ['unseal', '--passphrase-file', wrong])).code, 5);
  t.equal((await mav(sandbox, ['status'])).code, 5);
  await assertSealed(t, sealed, /passphrase is wrong/, before);
  const unsealed = await mav(sandbox, ['unlock', '--passphrase-file', pass]);
  t.equal(unsealed.code, 0);
  const made = await mav(sandbox, ['token', 'create', '--name', 'n', '--scope', 'admin']);
  const token = made.stdout.trim();
  t.equal(
    (await ask(sandbox.socket, 'PUT', '/v1/secrets/kept', { token, body: { value: 'v' } })).status,
    201,
  );
  const again = await mav(sandbox, ['unseal', '--passphrase-file', wrong]);
  t.same([again.code, again.stderr], [0, 'The vault is unsealed already.\n']);
  t.equal((await ask(sandbox.socket, 'GET', '/v1/secrets/kept', { token })).status, 200, 'changes nothing');
  const rotated = await mav(sandbox, ['key', 'rotate', '--passphrase-file', pass]);
  t.equal(rotated.code, 0, rotated.stderr);
  const end = await sealed.stop();
  t.notMatch(end.stdout + end.stderr + unsealed.stderr, PASSPHRASE);

  const byFile = await startDaemon(t, {
    sandbox,
    init: null,
    serve: ['--passphrase-file', pass],
    token: false,
  });
  t.equal((await ask(sandbox.socket, 'GET', '/v1/secrets/kept', { token })).json.value, 'v');
  await byFile.stop();

  const credentials = join(sandbox.folder, 'credentials');
  mkdirSync(credentials);
  writeFileSync(join(credentials, 'maestrovault.passphrase'), PASSPHRASE);
  sandbox.env.CREDENTIALS_DIRECTORY = credentials;
  await startDaemon(t, { sandbox, init: null, token: false });
  t.equal((await ask(sandbox.socket, 'GET', '/v1/secrets/kept', { token })).json.value, 'v');
});

t.test(
  'key file > missing, wrong or unsafe > sealed with the remedy, back to work when it returns',
  async (t) => {
    const sandbox = createSandbox(t);
    const keyFile = join(makeKeyFolder(sandbox), 'key');
    const daemon = await startDaemon(t, { sandbox, init: ['--key-store', 'file', '--key-file', keyFile] });
    await daemon.ask('PUT', '/v1/secrets/kept', { body: { value: 'v' } });
    await daemon.stop();
    const before = digest(sandbox.databasePath);
    const away = `${keyFile}.away`;
    renameSync(keyFile, away);
    const sealed = await startDaemon(t, { sandbox, init: null, token: false });
    await assertSealed(t, sealed, /is not there/, before);
    const damages: [string, () => void, RegExp][] = [
      ['a symbolic link', () => symlinkSync(away, keyFile), /cannot be opened/],
      ['a FIFO', () => execFileSync('mkfifo', [keyFile]), /not a root key of 32 bytes/],
      ['a folder', () => mkdirSync(keyFile), /not a root key of 32 bytes/],
      ['too short', () => writeFileSync(keyFile, 'short', { mode: 0o400 }), /not a root key of 32 bytes/],
      [
        'another key',
        () => writeFileSync(keyFile, Buffer.alloc(32, 7), { mode: 0o400 }),
        /does not open this vault/,
      ],
      [
        'open to others',
        () => {
          writeFileSync(keyFile, readFileSync(away));
          chmodSync(keyFile, 0o644);
        },
        /open to other users/,
      ],
    ];
    for (const [what, damage, remedy] of damages) {
      damage();
      const refused = await mav(sandbox, ['unseal']);
      t.equal(refused.code, 5, what);
      t.match(refused.stderr, remedy, what);
      t.match(await mav(sandbox, ['key', 'rotate']), { code: 5, stderr: remedy }, `${what}: no rotation`);
      await assertSealed(t, sealed, remedy, before);
      rmSync(keyFile, { recursive: true, force: true });
    }
    renameSync(away, keyFile);
    t.equal((await mav(sandbox, ['unseal'])).code, 0);
    t.equal((await ask(sandbox.socket, 'GET', '/v1/secrets/kept', { token: daemon.admin })).json.value, 'v');
    t.equal((await sealed.stop()).code, 0);
  },
);

t.test('key file > as a systemd credential > is used', async (t) => {
  const sandbox = createSandbox(t);
  const credentials = join(sandbox.folder, 'credentials');
  mkdirSync(credentials);
  await mav(sandbox, ['init', '--key-store', 'file', '--key-file', join(credentials, 'maestrovault.key')]);
  renameSync(join(credentials, 'maestrovault.key'), join(sandbox.folder, 'elsewhere'));
  mkdirSync(join(sandbox.folder, 'given'));
  renameSync(join(sandbox.folder, 'elsewhere'), join(sandbox.folder, 'given', 'maestrovault.key'));
  sandbox.env.CREDENTIALS_DIRECTORY = join(sandbox.folder, 'given');
  const daemon = await startDaemon(t, { sandbox, init: null });
  t.equal((await daemon.ask('GET', '/v1/secrets')).status, 200);
});

t.test(
  'seal > a running daemon > forgets its keys until unsealed, and only for the command line',
  async (t) => {
    const daemon = await startDaemon(t);
    await daemon.ask('PUT', '/v1/secrets/kept', { body: { value: 'v' } });
    for (const [method, target] of [
      ['POST', '/v1/seal'],
      ['POST', '/v1/unseal'],
      ['GET', '/v1/status'],
      ['POST', '/v1/keys/rotate'],
    ] as const) {
      t.equal((await daemon.ask(method, target)).status, 403, `${method} ${target} with an admin token`);
    }
    const status = JSON.parse((await mav(daemon, ['status', '-o', 'json'])).stdout);
    t.match(status, { sealed: false, key_stores: ['file'], kek_generation: 1, socket: daemon.socket });
    t.match((await mav(daemon, ['status', '-o', 'table'])).stdout, /state +unsealed/);
    t.equal((await mav(daemon, ['lock'])).code, 0);
    const refused = await daemon.ask('GET', '/v1/secrets/kept');
    t.same(
      [refused.status, refused.json],
      [
        503,
        {
          error: 'the vault is sealed; run: mav unseal',
          code: 'sealed',
          reason: 'sealed',
          problem: 'the vault is sealed',
        },
      ],
    );
    t.equal((await mav(daemon, ['token', 'list'])).code, 5);
    t.equal((await mav(daemon, ['unseal'])).code, 0);
    t.equal((await daemon.ask('GET', '/v1/secrets/kept')).json.value, 'v');
  },
);

t.test('key rotate > under load > every row under the new KEK, no request fails', async (t) => {
  const daemon = await startDaemon(t);
  for (let i = 0; i < 100; i++) await daemon.ask('PUT', `/v1/secrets/s${i}`, { body: { value: `v${i}` } });
  await daemon.ask('PUT', '/v1/secrets/s0/fields', { body: { fields: { a: 'fa', b: 'fb' } } });
  let rotating = true;
  const failures: string[] = [];
  const load = Array.from({ length: 8 }, async (_, lane) => {
    for (let i = lane; rotating; i = (i + 8) % 100) {
      const read = await daemon.ask('GET', `/v1/secrets/s${i}`);
      if (read.status !== 200) failures.push(`GET ${read.status}`);
      const written = await daemon.ask('PUT', `/v1/secrets/s${i}`, { body: { value: `v${i}` } });
      if (written.status !== 201) failures.push(`PUT ${written.status}`);
    }
  });
  for (let generation = 2; generation <= 5; generation++) {
    const rotated = await mav(daemon, ['key', 'rotate']);
    t.match(rotated.stderr, `generation ${generation}`);
  }
  rotating = false;
  await Promise.all(load);
  t.same(failures, []);
  t.equal((await daemon.ask('GET', '/v1/secrets/s0')).json.fields.b, 'fb');
  await daemon.stop();
  const db = new Database(daemon.databasePath, { readonly: true });
  t.teardown(() => db.close());
  const keks = db.prepare('SELECT id FROM keks').pluck().all() as Buffer[];
  t.equal(keks.length, 1);
  const wraps = db
    .prepare('SELECT wrapped_dek FROM secrets UNION ALL SELECT wrapped_dek FROM fields')
    .pluck()
    .all() as Buffer[];
  t.equal(wraps.length, 102);
  t.ok(wraps.every((wrap) => wrap.subarray(5, 21).equals(keks[0] ?? Buffer.alloc(0))));
});

t.test(
  'key rotate > the key file was exchanged meanwhile > refused, and the right key still opens the vault',
  async (t) => {
    const sandbox = createSandbox(t);
    const keyFile = join(makeKeyFolder(sandbox), 'key');
    const first = await startDaemon(t, { sandbox, init: ['--key-store', 'file', '--key-file', keyFile] });
    await first.ask('PUT', '/v1/secrets/kept', { body: { value: 'v' } });
    const away = `${keyFile}.away`;
    renameSync(keyFile, away);
    writeFileSync(keyFile, Buffer.alloc(32, 7), { mode: 0o400 });
    t.not((await mav(sandbox, ['key', 'rotate'])).code, 0);
    t.equal((await first.ask('GET', '/v1/secrets/kept')).json.value, 'v');
    await first.stop();
    rmSync(keyFile);
    renameSync(away, keyFile);
    const second = await startDaemon(t, { sandbox, init: null, token: false });
    t.equal((await second.ask('GET', '/v1/secrets/kept', { token: first.admin })).json.value, 'v');
  },
);

t.test('serve > told to stop while sealed > exits 0', async (t) => {
  const sandbox = await createPassphraseVault(t);
  const child = spawnMav(sandbox, ['serve'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stderr?.once('data', () => child.kill('SIGTERM'));
  t.equal((await finished(child)).code, 0);
});
