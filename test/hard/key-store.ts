/**
 * The key store fails, at the start and while the daemon runs: what is unsealed goes on; what is sealed stays so and
 * says why, with nothing stored changed; and all is there when the store is back. The keychain is a real gnome-keyring.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from '../fixtures/daemon.ts';
import { SECRET_SERVICE_PROGRAMS, skipWithout } from '../fixtures/programs.ts';
import { waitUntil } from '../fixtures/raw.ts';
import { checkSealed, hashDatabase, isLogErased } from '../fixtures/sealed.ts';
import { startSecretService } from '../fixtures/secret-service.ts';
import { isIndexed, readVaultId } from '../fixtures/stored.ts';
import { createSandbox, mav, type Sandbox } from '../fixtures/vault.ts';

t.setTimeout(600_000);
t.jobs = 2;
const KEYCHAIN_TIMEOUT_MS = 3_000;
/** Beside the time that a keychain is given: starting processes, on a machine that does other things too. */
const SLACK_MS = 6_000;
const EXIT_SEALED = 5;
const EXIT_FAILED = 1;

/** A way in which the store fails, what is said of it then, and how it is made good. */
interface Fault {
  readonly name: string;
  readonly spoil: () => unknown;
  readonly says: RegExp;
  /** What a command without a daemon says, whose own option names the file; it fails for that with exit code 1. */
  readonly saysOfOption?: RegExp;
  /** `mav serve` says so too and does not start: what the option names can never be right. */
  readonly endsServe?: boolean;
  readonly restore: () => unknown;
}

/** A vault whose key store can be made to fail. */
interface Subject {
  readonly sandbox: Sandbox;
  readonly init: readonly string[];
  /** Options of what has the vault itself: the daemon, and a short command without one. */
  readonly own: readonly string[];
  /** How long each that could not get at the key took. */
  readonly timesMs: number[];
}

async function isRefused(
  t: Test,
  subject: Subject,
  args: string[],
  says: RegExp,
  code = EXIT_SEALED,
): Promise<string> {
  const { sandbox, own } = subject;
  const refused = await timed(subject, () => mav(sandbox, [...args, ...own], { input: 'a value' }));
  t.match(refused, { code, stdout: '', stderr: says }, `${args.join(' ')} is refused`);
  return refused.stderr;
}

async function timed<T>({ timesMs }: Subject, run: () => Promise<T>): Promise<T> {
  const startedAt = Date.now();
  const result = await run();
  timesMs.push(Date.now() - startedAt);
  return result;
}

async function findKept(t: Test, daemon: Daemon, kept: readonly string[]): Promise<void> {
  for (const [index, value] of kept.entries()) {
    t.match(await daemon.ask('GET', `/v1/secrets/k${index}`), { status: 200, json: { value } });
  }
}

/** What an unsealed vault does although its key store fails. */
async function goesOn(t: Test, daemon: Daemon, kept: string[]): Promise<void> {
  const value = `written after ${kept.length} others`;
  t.match(await daemon.ask('PUT', `/v1/secrets/k${kept.length}`, { body: { value } }), { status: 201 });
  kept.push(value);
  await findKept(t, daemon, kept);
  await waitUntil(() => isIndexed(daemon.databasePath));
}

async function failsRunning(t: Test, subject: Subject, daemon: Daemon, kept: string[], fault: Fault) {
  const client = { ...subject, own: [] };
  await fault.spoil();
  await goesOn(t, daemon, kept);
  t.match(await mav(daemon, ['seal']), { code: 0 });
  // The log is zeroed and cut off a moment after the last write, sealed or not.
  await waitUntil(() => isLogErased(daemon));
  const before = hashDatabase(daemon);
  const said = await isRefused(t, client, ['unseal'], fault.says);
  t.match(said, /; .*(then )?try again\n$/, 'with what to do');
  await checkSealed(t, daemon, fault.says, daemon.admin);
  await isRefused(t, client, ['get', 'k0'], fault.says);
  await isRefused(t, client, ['key', 'rotate'], fault.says);
  t.match((await mav(daemon, ['doctor'])).stdout, fault.says, 'doctor says it too');
  t.same(hashDatabase(daemon), before, 'the files as they were');
  await fault.restore();
  t.match(await mav(daemon, ['unseal']), { code: 0 });
  await findKept(t, daemon, kept);
}

async function servesSealed(t: Test, subject: Subject, first: Daemon, says: RegExp): Promise<void> {
  const { sandbox, own } = subject;
  const sealed = await timed(subject, () =>
    startDaemon(t, { sandbox, init: null, serve: own, token: false }),
  );
  await checkSealed(t, sandbox, says, first.admin);
  t.equal((await sealed.stop()).code, 0, 'it ends when told to');
}

async function failsAtStart(t: Test, subject: Subject, first: Daemon, kept: string[], fault: Fault) {
  const { sandbox, own } = subject;
  const before = hashDatabase(sandbox);
  await fault.spoil();
  const [says, code] = fault.saysOfOption ? [fault.saysOfOption, EXIT_FAILED] : [fault.says, EXIT_SEALED];
  if (fault.endsServe) await isRefused(t, subject, ['serve'], says, code);
  else await servesSealed(t, subject, first, fault.says);
  const alone = await isRefused(t, subject, ['get', 'k0'], says, code);
  t.notMatch(alone, /mav unseal/, 'there is no daemon that could be told to');
  await isRefused(t, subject, ['set', 'k0'], says, code);
  t.same(hashDatabase(sandbox), before, 'the files as they were');
  await fault.restore();
  t.match(await mav(sandbox, ['get', 'k0', ...own]), { code: 0, stdout: kept[0] });
  const next = await startDaemon(t, { sandbox, init: null, serve: own, token: false });
  await findKept(t, { ...next, ask: (...args) => first.ask(...args) }, kept);
  t.equal((await next.stop()).code, 0);
}

/** Every fault, first one after the other in a daemon that runs, then each at a start of its own. */
async function survives(t: Test, subject: Subject, faultsOf: () => Promise<readonly Fault[]>): Promise<void> {
  const { sandbox, init, own } = subject;
  const kept: string[] = [];
  const made = await mav(sandbox, ['init', ...init]);
  t.equal(made.code, 0, made.stderr);
  const daemon = await startDaemon(t, { sandbox, init: null, serve: own });
  await goesOn(t, daemon, kept);
  const faults = await faultsOf();
  for (const fault of faults) {
    await t.test(`running > ${fault.name} > sealed with the remedy, and back`, (t) =>
      failsRunning(t, subject, daemon, kept, fault),
    );
  }
  t.equal((await daemon.stop()).code, 0);
  for (const fault of faults) {
    await t.test(`at the start > ${fault.name} > sealed with the remedy, and back`, (t) =>
      failsAtStart(t, subject, daemon, kept, fault),
    );
  }
  const longestMs = Math.max(...subject.timesMs);
  t.comment(
    `figure: ${faults.length} faults, each while running and at the start: sealed, files byte-identical, ` +
      `${kept.length} values there afterwards; refused within ${longestMs} ms`,
  );
  t.ok(longestMs < KEYCHAIN_TIMEOUT_MS + SLACK_MS, 'nothing hangs');
}

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
      account = `root-key:${readVaultId(sandbox.databasePath)}`;
      key = await service.read(account);
      if (key === null) throw new Error('no key in the keychain');
      const right = key;
      const restore = () => service.write(account, right);
      const spoilEntry = (name: string, bytes: Uint8Array, says: RegExp): Fault => ({
        name,
        spoil: () => service.write(account, bytes),
        says,
        restore,
      });
      const gone = /OS keychain is locked or not there; unlock or start it/;
      const hanging = /OS keychain did not answer within 3 s; unlock or start it/;
      const nothing = /OS keychain has no entry root-key:[0-9a-f]{32} of the service MaestroVault; restore/;
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
        spoilEntry('half a key', right.subarray(0, 16), /entry in the OS keychain is not a root key/),
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
    });
    t.same(await service.read(account), key, 'the key is the one that init made');
    t.same(service.list(), [account], 'and there is no other');
  },
);
