/**
 * The import from the Go program with what is not ours: the key in a real keychain, and ciphertexts by Go's own library. The
 * program itself is for macOS only, and no public registry has its module.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { writeGoVault } from './fixtures/go-vault.ts';
import { answer, NEW, PASSPHRASE } from './fixtures/passphrases.ts';
import { SECRET_SERVICE_PROGRAMS, skipWithout } from './fixtures/programs.ts';
import { type SecretService, startSecretService } from './fixtures/secret-service.ts';
import { KEYS, mavOnTerminal } from './fixtures/terminal.ts';
import { createSandbox, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);

const skip = skipWithout(...SECRET_SERVICE_PROGRAMS);
const ACCOUNT = 'master-key';
const CONTENT = { secrets: [{ name: 'a', value: 'one' }] };

const run = (sandbox: Sandbox, ...options: string[]) =>
  mav(sandbox, ['import', '--from-maestrovault', sandbox.home, ...options]);

let service: SecretService;
t.before(async () => {
  if (skip === false) service = await startSecretService(t);
});

async function place(t: Test): Promise<Sandbox & { path: string }> {
  const sandbox = createSandbox(t, { ...service.env, MAV_KEYCHAIN_TIMEOUT_MS: '20000' });
  const { path, key } = writeGoVault(sandbox.home, CONTENT);
  await service.write(ACCOUNT, key);
  return { ...sandbox, path };
}

t.test(
  'import --from-maestrovault > both keys in the keychain > the old one stays there',
  { skip },
  async (t) => {
    const sandbox = await place(t);
    const done = await run(sandbox);
    t.equal(done.code, 0, done.stderr);
    t.match(done.stderr, `Made a vault at ${sandbox.path}, its key in the OS keychain.`);
    t.equal((await mav(sandbox, ['get', 'a'])).stdout, 'one');
    t.match(service.list(), [ACCOUNT, /^root-key:/]);
  },
);

t.test(
  'import --from-maestrovault > the keychain has no such key, or another > says so',
  { skip },
  async (t) => {
    const sandbox = await place(t);
    const before = readFileSync(sandbox.path);
    await service.write(ACCOUNT, new Uint8Array(31));
    t.match(await run(sandbox), {
      code: 2,
      stderr: /entry master-key of the service MaestroVault is not a key of 32 bytes/,
    });
    await service.remove(ACCOUNT);
    t.match(await run(sandbox), {
      code: 2,
      stderr: /where the Go program keeps its key, is not there; give --key-file/,
    });
    await service.stopBus();
    t.match(await run(sandbox), { code: 5, stderr: /unlock or start it, or give --key-file PATH/ });
    t.ok(readFileSync(sandbox.path).equals(before));
    await service.restartBus();
  },
);

t.test(
  'import --from-maestrovault > the keychain vanishes before the new key > nothing changed',
  { skip },
  async (t) => {
    const sandbox = createSandbox(t, { ...service.env, MAV_KEYCHAIN_TIMEOUT_MS: '20000' });
    const { path, keyFile } = writeGoVault(sandbox.home, CONTENT);
    const before = readFileSync(path);
    await service.stopBus();
    const options = ['--key-file', keyFile, '--key-store', 'keychain'];
    t.match(await run(sandbox, ...options), { code: 2, stderr: /the OS keychain is locked or not there/ });
    t.ok(readFileSync(path).equals(before));
    await service.restartBus();
    const done = await run(sandbox, ...options);
    t.equal(done.code, 0, done.stderr);
    t.match((await mav(sandbox, ['status'])).stdout, 'keychain');
  },
);

t.test(
  "import --from-maestrovault > ciphertexts by Go's library > open",
  { skip: skipWithout('go') },
  async (t) => {
    const sandbox = createSandbox(t);
    const { path, keyFile } = writeGoVault(sandbox.home, { secrets: [{ name: 'a' }, { name: 'b' }] });
    const values = [Buffer.from('by Go\n'), Buffer.alloc(100_000, 7)];
    const written = spawnSync('go', ['run', join(import.meta.dirname, 'fixtures', 'go-writer', 'main.go')], {
      input: JSON.stringify(values.map((value) => value.toString('base64'))),
      env: { PATH: process.env.PATH, HOME: sandbox.folder, GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local' },
      encoding: 'utf8',
    });
    t.equal(written.status, 0, written.stderr);
    const { masterKey, list } = JSON.parse(written.stdout);
    writeFileSync(keyFile, Buffer.from(masterKey, 'base64'));
    const db = new Database(path);
    const update = db.prepare('UPDATE secrets SET encrypted_secret = ?, encrypted_data_key = ? WHERE id = ?');
    for (const [index, { value, dataKey }] of list.entries())
      update.run(Buffer.from(value, 'base64'), Buffer.from(dataKey, 'base64'), index + 1);
    db.close();
    const done = await run(sandbox, '--key-file', keyFile);
    t.equal(done.code, 0, done.stderr);
    t.equal((await mav(sandbox, ['get', 'a'])).stdout, 'by Go\n');
    t.equal((await mav(sandbox, ['get', 'b'])).stdout, values[1]?.toString());
  },
);

t.test(
  'import --from-maestrovault > a passphrase for the new vault > asked for once, and Ctrl-C leaves the old one',
  { skip: skipWithout('python3') },
  async (t) => {
    const sandbox = createSandbox(t);
    const { path, keyFile } = writeGoVault(sandbox.home, CONTENT);
    const before = readFileSync(path);
    const options = ['--key-file', keyFile, '--key-store', 'passphrase'];
    const start = () =>
      mavOnTerminal(t, sandbox, ['import', '--from-maestrovault', sandbox.home, ...options]);
    const stopped = start();
    await stopped.see(NEW);
    stopped.type(KEYS.ctrlC);
    t.equal((await stopped.ended()).code, 130);
    t.ok(readFileSync(path).equals(before));
    t.same(
      readdirSync(sandbox.home).filter((name) => name.includes('import')),
      [],
    );
    const terminal = start();
    await answer(terminal, NEW, PASSPHRASE);
    await answer(terminal, 'Once more: ', PASSPHRASE);
    const { code, shown } = await terminal.ended();
    t.equal(code, 0, shown);
    t.notMatch(shown, PASSPHRASE);
    const file = join(sandbox.folder, 'passphrase');
    writeFileSync(file, PASSPHRASE, { mode: 0o600 });
    t.equal((await mav(sandbox, ['get', 'a', '--passphrase-file', file])).stdout, 'one');
  },
);
