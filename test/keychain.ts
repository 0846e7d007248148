/** The OS keychain for real: gnome-keyring under a private D-Bus. Skipped where they are not installed. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { ask } from './fixtures/ask.ts';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { SECRET_SERVICE_PROGRAMS, skipWithout } from './fixtures/programs.ts';
import { type SecretService, startSecretService } from './fixtures/secret-service.ts';
import { keychainAccount } from './fixtures/stored.ts';
import { createSandbox, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);
const skip = skipWithout(...SECRET_SERVICE_PROGRAMS);
const UNKNOWN_TOKEN = `mvt_${'0'.repeat(64)}`;
const TIMEOUT_MS = '4000';

const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

function sandboxOn(t: Test, service: SecretService): Sandbox {
  return createSandbox(t, { ...service.env, MAV_KEYCHAIN_TIMEOUT_MS: TIMEOUT_MS });
}

const accountOf = ({ databasePath }: Sandbox) => keychainAccount(databasePath);

async function assertSealed(t: Test, daemon: Daemon, remedy: RegExp): Promise<void> {
  t.match((await daemon.ask('GET', '/v1/health', { token: null })).json, { sealed: true });
  const answer = await daemon.ask('GET', '/v1/secrets/kept', { token: UNKNOWN_TOKEN });
  t.equal(answer.status, 503);
  t.equal(answer.json.code, 'sealed');
  t.match(answer.json.error, remedy);
  t.match(answer.json.error, 'mav unseal');
}

let service: SecretService;
t.before(async () => {
  if (skip === false) service = await startSecretService(t);
});

t.test('init > auto > the root key lies in the keychain, and there only', { skip }, async (t) => {
  const sandbox = sandboxOn(t, service);
  const made = await mav(sandbox, ['init']);
  t.equal(made.code, 0);
  t.match(made.stderr, 'the OS keychain');
  t.equal((await service.read(accountOf(sandbox)))?.length, 32);
  const settings = readdirSync(`${sandbox.env.HOME}/.config/maestrovault`);
  t.same(
    settings.filter((name) => name.endsWith('.key')),
    [],
    'no key file',
  );
  const other = sandboxOn(t, service);
  await mav(other, ['init']);
  t.not(accountOf(other), accountOf(sandbox), 'vaults live side by side');
  const before = digest(sandbox.databasePath);
  t.equal((await mav(sandbox, ['init'])).code, 1);
  t.equal(digest(sandbox.databasePath), before);
});

t.test('serve > the service restarted > the vault opens again', { skip }, async (t) => {
  const sandbox = sandboxOn(t, service);
  const first = await startDaemon(t, { sandbox, init: ['--key-store', 'keychain'] });
  t.equal((await first.ask('PUT', '/v1/secrets/kept', { body: { value: 'v' } })).status, 201);
  await first.stop();
  await service.restart();
  const second = await startDaemon(t, { sandbox, init: null });
  t.equal((await second.ask('GET', '/v1/secrets/kept')).json.value, 'v');
  t.equal((await mav(sandbox, ['key', 'rotate'])).code, 0);
  t.equal((await second.ask('GET', '/v1/secrets/kept')).json.value, 'v');
});

t.test(
  'serve > the key gone, wrong or unreadable > sealed with the remedy, then back to work',
  { skip },
  async (t) => {
    const sandbox = sandboxOn(t, service);
    const first = await startDaemon(t, { sandbox, init: ['--key-store', 'keychain'] });
    await first.ask('PUT', '/v1/secrets/kept', { body: { value: 'v' } });
    await first.stop();
    const account = accountOf(sandbox);
    const key = await service.read(account);
    if (key === null) throw new Error('no key in the keychain');
    const states: [string, () => unknown, RegExp, () => unknown][] = [
      ['deleted', () => service.remove(account), /has no entry/, () => service.write(account, key)],
      [
        'another key',
        () => service.write(account, Buffer.alloc(32, 9)),
        /does not open this vault/,
        () => service.write(account, key),
      ],
      [
        'too short',
        () => service.write(account, Buffer.alloc(8)),
        /not a root key/,
        () => service.write(account, key),
      ],
      ['no service', () => service.stop(), /locked or not there/, () => service.restart()],
      ['hanging', () => service.freeze(), /did not answer|not there/, () => service.thaw()],
      [
        'locked',
        () => service.lockBehindDialogue(),
        /locked or not there|did not answer/,
        () => service.restart(),
      ],
    ];
    for (const [what, spoil, remedy, restore] of states) {
      const before = digest(sandbox.databasePath);
      await spoil();
      const daemon = await startDaemon(t, { sandbox, init: null, token: false });
      await assertSealed(t, daemon, remedy);
      t.equal(digest(sandbox.databasePath), before, `${what}: vault.db untouched`);
      await restore();
      t.equal((await service.read(account))?.equals(key), true, `${what}: no new key`);
      const unsealed = await mav(sandbox, ['unseal']);
      t.equal(unsealed.code, 0, `${what}: ${unsealed.stderr}`);
      const answer = await ask(sandbox.socket, 'GET', '/v1/secrets/kept', { token: first.admin });
      t.equal(answer.json.value, 'v', what);
      t.equal((await daemon.stop()).code, 0, what);
    }
  },
);

t.test('serve > told to stop while the keychain hangs > exits 0 soon', { skip }, async (t) => {
  const sandbox = sandboxOn(t, service);
  await mav(sandbox, ['init', '--key-store', 'keychain']);
  service.freeze();
  try {
    const daemon = await startDaemon(t, { sandbox, init: null, token: false });
    const startedAt = Date.now();
    t.equal((await daemon.stop()).code, 0);
    t.ok(Date.now() - startedAt < 9_500);
  } finally {
    service.thaw();
  }
});

t.test(
  'init > the keychain hangs > auto takes a key file and says so, keychain is refused',
  { skip },
  async (t) => {
    const sandbox = sandboxOn(t, service);
    service.freeze();
    try {
      const refused = await mav(sandbox, ['init', '--key-store', 'keychain']);
      t.equal(refused.code, 2);
      t.equal(existsSync(sandbox.databasePath), false);
      const made = await mav(sandbox, ['init']);
      t.equal(made.code, 0);
      t.match(made.stderr, /did not answer|not there/);
      t.match(made.stderr, 'Warning');
    } finally {
      service.thaw();
    }
  },
);

if (skip !== false) t.pass(skip);
