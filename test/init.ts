/** `mav init` and `mav serve --init`: what they make, and what they refuse. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { digest, UNKNOWN_TOKEN, writePassphrase } from './fixtures/keys.ts';
import { createSandbox, mav } from './fixtures/vault.ts';

t.setTimeout(550_000);

/** Each file of a folder with its content's digest. */
function snapshot(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .map((name) => `${name} ${digest(join(folder, name))}`);
}

t.test('init > key file > 32 bytes, 0400, outside of the vault', async (t) => {
  const sandbox = createSandbox(t);
  const made = await mav(sandbox, ['init']);
  t.equal(made.code, 0);
  t.match(made.stderr, /Warning: .*key file protects/s);
  const folder = join(sandbox.env.HOME ?? '', '.config', 'maestrovault');
  const [name = ''] = readdirSync(folder);
  t.equal(statSync(join(folder, name)).size, 32);
  t.equal(statSync(join(folder, name)).mode & 0o777, 0o400);
  t.equal(statSync(sandbox.databasePath).mode & 0o777, 0o600);
  t.equal(statSync(sandbox.home).mode & 0o777, 0o700);
});

t.test('init > there is a vault > refused for every key store, nothing touched', async (t) => {
  const sandbox = createSandbox(t);
  const keyFile = join(sandbox.folder, 'key');
  await mav(sandbox, ['init', '--key-store', 'file', '--key-file', keyFile]);
  const before = [...snapshot(sandbox.home), digest(keyFile)];
  const pass = writePassphrase(sandbox);
  for (const args of [
    [],
    ['--key-store', 'keychain'],
    ['--key-store', 'file'],
    ['--key-store', 'passphrase', '--passphrase-file', pass],
  ]) {
    const again = await mav(sandbox, ['init', ...args]);
    t.equal(again.code, 1);
    t.match(again.stderr, 'already');
  }
  t.same([...snapshot(sandbox.home), digest(keyFile)], before);
});

t.test('init > what cannot be > a clear error and nothing left behind', async (t) => {
  const sandbox = createSandbox(t);
  const taken = join(sandbox.folder, 'taken');
  writeFileSync(taken, 'mine');
  const short = writePassphrase(sandbox, 'short', 'short');
  const wrong: [string[], number, RegExp][] = [
    [['--key-store', 'magic'], 2, /--key-store must be one of/],
    [['--key-file', taken], 2, /goes with --key-store file/],
    [['--passphrase-file', short], 2, /goes with --key-store passphrase/],
    [['--key-store', 'file', '--key-file', taken], 1, /exists already/],
    [['--key-store', 'file', '--key-file', join(sandbox.home, 'key')], 2, /outside the vault/],
    [['--key-store', 'file', '--key-file', join(sandbox.folder, 'no', 'key')], 2, /is not there/],
    [['--key-store', 'passphrase', '--passphrase-file', short], 2, /at least 8 characters/],
    [['--key-store', 'passphrase', '--passphrase-file', join(sandbox.folder, 'none')], 1, /cannot be read/],
    [['--key-store', 'passphrase'], 2, /--passphrase-file/],
    [['--key-store', 'keychain'], 2, /OS keychain .*choose another --key-store/],
  ];
  for (const [args, code, message] of wrong) {
    const refused = await mav(sandbox, ['init', ...args]);
    t.equal(refused.code, code, args.join(' '));
    t.match(refused.stderr, message);
    t.same(
      existsSync(sandbox.home) ? readdirSync(sandbox.home).filter((name) => name !== 'owner.lock') : [],
      [],
      args.join(' '),
    );
  }
  t.equal(readFileSync(taken, 'utf8'), 'mine');
});

t.test('serve > no vault > refused; with --init it makes one, once', async (t) => {
  const sandbox = createSandbox(t);
  const refused = await mav(sandbox, ['serve']);
  t.equal(refused.code, 1);
  t.match(refused.stderr, 'make one: mav init');
  const first = await startDaemon(t, { sandbox, init: null, serve: ['--init', '--key-store', 'file'] });
  await first.ask('PUT', '/v1/secrets/kept', { body: { value: 'v' } });
  await first.stop();
  const second = await startDaemon(t, { sandbox, init: null, serve: ['--init', '--key-store', 'file'] });
  t.equal((await second.ask('GET', '/v1/secrets/kept')).json.value, 'v');
});

t.test('serve > vault.db is not one of ours > sealed with a clear reason, the file untouched', async (t) => {
  const made = createSandbox(t);
  await mav(made, ['init', '--key-store', 'file']);
  const withVersion = (version: number) => (path: string) => {
    writeFileSync(path, readFileSync(made.databasePath), { mode: 0o600 });
    const db = new Database(path);
    db.pragma('journal_mode = DELETE');
    db.pragma(`user_version = ${version}`);
    db.close();
  };
  const files: [string, (path: string) => void, RegExp][] = [
    [
      'garbage',
      (path) => writeFileSync(path, Buffer.alloc(5_000, 'x'), { mode: 0o600 }),
      /cannot be (read|opened)/,
    ],
    [
      "another program's",
      (path) => {
        new Database(path).exec('CREATE TABLE t (a)').close();
        chmodSync(path, 0o600);
      },
      /not a MaestroVault database/,
    ],
    ['an older schema', withVersion(3), /not a MaestroVault database/],
    ['schema 4, never released', withVersion(4), /has schema 4, of a program that was never released/],
    ['schema 5, never released', withVersion(5), /has schema 5, .*import them into a new vault/],
    ['schema 6, never released', withVersion(6), /has schema 6, .*import them into a new vault/],
    ['schema 7, never released', withVersion(7), /has schema 7, .*import them into a new vault/],
    ['schema 8, never released', withVersion(8), /has schema 8, .*import them into a new vault/],
    ['schema 9, never released', withVersion(9), /has schema 9, .*import them into a new vault/],
    ['a newer schema', withVersion(11), /newer than this program/],
  ];
  for (const [what, write, reason] of files) {
    const sandbox = createSandbox(t);
    mkdirSync(sandbox.home, { mode: 0o700 });
    write(sandbox.databasePath);
    const before = digest(sandbox.databasePath);
    const daemon = await startDaemon(t, { sandbox, init: null, token: false });
    const answer = await daemon.ask('GET', '/v1/secrets', { token: UNKNOWN_TOKEN });
    t.equal(answer.status, 503, what);
    t.match(answer.json.error, reason, what);
    t.equal((await daemon.stop()).code, 0);
    t.equal(digest(sandbox.databasePath), before, what);
  }
});

t.test('init > no key file can be made > says where to put it, and leaves nothing', async (t) => {
  const sandbox = createSandbox(t);
  const blocked = join(sandbox.folder, 'config');
  copyFileSync('/dev/null', blocked);
  const made = await mav(sandbox, ['init', '--key-store', 'file'], { env: { XDG_CONFIG_HOME: blocked } });
  t.match(made, {
    code: 2,
    stderr: /for the key file cannot be made \(ENOTDIR\); choose another --key-file/,
  });
  t.match(await mav(sandbox, ['get', 'k']), { code: 1, stderr: /there is no vault/ });
});
