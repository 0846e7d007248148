/**
 * The key store fails, at the start and while the daemon runs: what is unsealed goes on; what is sealed stays so and
 * says why, with nothing stored changed; and all is there when the store is back. The keychain is a real gnome-keyring.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Fault, KEYCHAIN_TIMEOUT_MS, survives } from '../fixtures/key-store-faults.ts';
import { SECRET_SERVICE_PROGRAMS, skipWithout } from '../fixtures/programs.ts';
import { type SecretService, startSecretService } from '../fixtures/secret-service.ts';
import { keychainAccount } from '../fixtures/stored.ts';
import { createSandbox } from '../fixtures/vault.ts';

t.setTimeout(600_000);
t.jobs = 2;

/** What can be done to a file that holds a key, or the passphrase to one. */
function spoilFile(path: string, right: Uint8Array) {
  const remove = () => rmSync(path, { recursive: true, force: true });
  const write = (bytes: Uint8Array, mode = 0o400) => {
    remove();
    writeFileSync(path, bytes, { mode });
    // Whatever the umask is.
    chmodSync(path, mode);
  };
  return { remove, write, restore: () => write(right) };
}

t.test('key file > gone, wrong, empty, unsafe, no file > sealed, then back to work', async (t) => {
  const sandbox = createSandbox(t);
  // Not above the home: there the daemon may read the file alone that was there at its start.
  mkdirSync(join(sandbox.folder, 'keys'), { mode: 0o700 });
  const path = join(sandbox.folder, 'keys', 'root.key');
  const subject = { sandbox, init: ['--key-store', 'file', '--key-file', path], own: [], timesMs: [] };
  await survives(t, subject, async () => {
    const key = readFileSync(path);
    const { remove, write, restore } = spoilFile(path, key);
    const replace = (make: () => unknown) => () => {
      remove();
      make();
    };
    return [
      { name: 'gone', spoil: remove, says: /key file .* is not there; put your copy of it back/, restore },
      { name: 'wrong', spoil: () => write(Buffer.alloc(32, 9)), says: /does not open this vault/, restore },
      { name: 'empty', spoil: () => write(Buffer.alloc(0)), says: /not a root key of 32 bytes/, restore },
      {
        name: 'too long',
        spoil: () => write(Buffer.concat([key, key])),
        says: /not a root key of 32 bytes/,
        restore,
      },
      {
        name: 'open to others',
        spoil: () => write(key, 0o644),
        says: /open to other users; run chmod 400/,
        restore,
      },
      {
        name: 'a FIFO',
        spoil: replace(() => execFileSync('mkfifo', [path])),
        says: /not a root key of 32 bytes/,
        restore,
      },
      { name: 'a folder', spoil: replace(() => mkdirSync(path)), says: /not a root key of 32/, restore },
      {
        name: 'a link to it',
        spoil: () => {
          renameSync(path, `${path}.away`);
          symlinkSync(`${path}.away`, path);
        },
        says: /key file .* cannot be opened; make it a file that you can read/,
        restore,
      },
    ];
  });
});

t.test('passphrase > its file gone, wrong, empty, no file > sealed, then back to work', async (t) => {
  const sandbox = createSandbox(t);
  // In a folder of its own, as a key file: above the home the daemon may read only the file that was there at its start.
  mkdirSync(join(sandbox.folder, 'given'), { mode: 0o700 });
  const path = join(sandbox.folder, 'given', 'passphrase');
  const right = Buffer.from('a passphrase that is long enough\n');
  writeFileSync(path, right, { mode: 0o600 });
  const own = ['--passphrase-file', path];
  await survives(t, { sandbox, init: ['--key-store', 'passphrase', ...own], own, timesMs: [] }, async () => {
    const { remove, write, restore } = spoilFile(path, right);
    return [
      {
        name: 'gone',
        spoil: remove,
        says: /passphrase file .* cannot be read/,
        saysOfOption: /passphrase cannot be read: ENOENT/,
        restore,
      },
      {
        name: 'wrong',
        spoil: () => write(Buffer.from('another passphrase')),
        says: /passphrase is wrong/,
        restore,
      },
      { name: 'empty', spoil: () => write(Buffer.alloc(0)), says: /passphrase is wrong/, restore },
      {
        name: 'a folder',
        spoil: () => {
          remove();
          mkdirSync(path);
        },
        says: /passphrase file .* cannot be read/,
        saysOfOption: /passphrase cannot be read: EISDIR/,
        endsServe: true,
        restore,
      },
    ];
  });
});

/** Everything that is done to the Secret Service, in which `account` holds `key`. */
function listKeychainFaults(service: SecretService, account: string, key: Buffer): readonly Fault[] {
  const restore = () => service.write(account, key);
  const spoilEntry = (name: string, bytes: Uint8Array, says: RegExp): Fault => ({
    name,
    spoil: () => service.write(account, bytes),
    says,
    restore,
  });
  const gone = /OS keychain is locked or not there; unlock or start it/;
  const hanging = /OS keychain did not answer within 3 s; unlock or start it/;
  const nothing =
    /OS keychain has no entry root-key:[0-9a-f]{32}:[0-9a-f]{8} of the service MaestroVault; restore/;
  return [
    { name: 'the service gone', spoil: service.stop, says: gone, restore: () => service.restart() },
    { name: 'the bus gone', spoil: service.stopBus, says: gone, restore: service.restartBus },
    { name: 'locked', spoil: service.lock, says: gone, restore: service.unlock },
    {
      name: 'locked behind a dialogue',
      spoil: service.lockBehindDialogue,
      says: hanging,
      restore: service.unlock,
    },
    // Its client library is not as patient as we are.
    {
      name: 'the service hanging',
      spoil: service.freeze,
      says: /did not answer|is locked or not there/,
      restore: service.thaw,
    },
    { name: 'the bus hanging', spoil: service.freezeBus, says: hanging, restore: service.thawBus },
    spoilEntry('another key', Buffer.alloc(32, 9), /does not open this vault/),
    spoilEntry('half a key', key.subarray(0, 16), /entry in the OS keychain is not a root key/),
    spoilEntry('a long text', Buffer.alloc(100_000, 9), /entry in the OS keychain is not a root key/),
    spoilEntry('an entry with nothing in it', Buffer.alloc(0), /is not a root key|has no entry/),
    { name: 'the entry deleted', spoil: () => service.remove(account), says: nothing, restore },
    {
      name: 'an empty keyring',
      spoil: service.startEmpty,
      says: nothing,
      restore: service.startFull,
    },
  ];
}

t.test(
  'keychain > gone, locked, hanging, wrong, empty > sealed, then back to work',
  { skip: skipWithout(...SECRET_SERVICE_PROGRAMS) },
  async (t) => {
    const service = await startSecretService(t);
    const sandbox = createSandbox(t, {
      ...service.env,
      MAV_KEYCHAIN_TIMEOUT_MS: String(KEYCHAIN_TIMEOUT_MS),
    });
    const subject = { sandbox, init: ['--key-store', 'keychain'], own: [], timesMs: [] };
    let account = '';
    let key: Buffer | null = null;
    await survives(t, subject, async () => {
      account = keychainAccount(sandbox.databasePath);
      key = await service.read(account);
      if (key === null) throw new Error('no key in the keychain');
      return listKeychainFaults(service, account, key);
    });
    t.same(await service.read(account), key, 'the key is the one that init made');
    t.same(service.list(), [account], 'and there is no other');
  },
);
