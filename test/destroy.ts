/** Destroying a vault: its key and its database are gone, and whatever cannot be deleted is said before anything is. */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { locateSessionToken } from '../src/places/session-token.ts';
import { ask } from './fixtures/ask.ts';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { createHeldVault, type Held, hold } from './fixtures/held.ts';
import { SECRET_SERVICE_PROGRAMS, skipWithout } from './fixtures/programs.ts';
import { type SecretService, startSecretService } from './fixtures/secret-service.ts';
import { keychainAccount } from './fixtures/stored.ts';
import { createPassphraseVault, createSandbox, finished, mav, type Sandbox } from './fixtures/vault.ts';

const missing = skipWithout(...SECRET_SERVICE_PROGRAMS);
const isRoot = process.geteuid?.() === 0;
const CONFIRMED = { confirm: 'destroy' };
const FORCED = { confirm: 'destroy', force: true };
const KEY_SIZE = 32;

const destroy = (held: Held, body: unknown = CONFIRMED) => held.ask('POST', '/v1/destroy', { body });
const keyFileOf = (sandbox: Sandbox) => join(sandbox.folder, 'vault.key');
const filesOf = ({ databasePath }: Sandbox) =>
  ['', '-wal', '-shm'].map((suffix) => databasePath + suffix).filter((path) => existsSync(path));

async function open(t: Test): Promise<Held> {
  const held = await hold(t, await createHeldVault(t));
  await held.ask('PUT', '/v1/secrets/kept', { body: { value: 'v' } });
  return held;
}

/** The daemon's session token, which alone may destroy. */
const sessionOf = (daemon: Daemon) => readFileSync(locateSessionToken(daemon.env, daemon.socket), 'utf8');

t.test('vault.destroy > anything but the very word > 400, nothing deleted', async (t) => {
  const held = await open(t);
  for (const body of [
    {},
    { confirm: '' },
    { confirm: 'Destroy' },
    { confirm: true },
    { force: true },
    { ...CONFIRMED, force: 'yes' },
    { ...CONFIRMED, more: 1 },
    '',
  ]) {
    t.equal((await destroy(held, body)).status, 400, JSON.stringify(body));
  }
  t.equal((await destroy(held, {})).json.error, '"confirm" is required');
  t.equal((await destroy(held, { confirm: 'x' })).json.error, '"confirm" must be "destroy"');
  t.match((await held.ask('GET', '/v1/secrets/kept')).json, { value: 'v' });
});

t.test('vault.destroy > a key file > key and database are gone, every later request is a 503', async (t) => {
  const held = await open(t);
  const { sandbox } = held;
  const link = join(sandbox.folder, 'link');
  linkSync(keyFileOf(sandbox), link);
  const { token } = (await held.ask('POST', '/v1/tokens', { body: { name: 't', scopes: ['admin'] } })).json;
  t.equal((await held.ask('GET', '/v1/secrets', { token })).status, 200, 'a use that is not written yet');
  const answer = await destroy(held);
  t.equal(answer.text, '{"status":"destroyed","key_stores":["file"]}');
  t.strictSame(filesOf(sandbox), []);
  t.notOk(existsSync(keyFileOf(sandbox)));
  t.ok(readFileSync(link).equals(Buffer.alloc(KEY_SIZE)), 'the key was overwritten');
  t.ok(held.events.includes('destroyed: '));
  for (const [method, target, body] of [
    ['GET', '/v1/secrets/kept'],
    ['PUT', '/v1/secrets/kept', { value: 'v' }],
    ['GET', '/v1/tokens'],
    ['GET', '/v1/check'],
    ['GET', '/v1/status'],
    ['POST', '/v1/unseal'],
    ['POST', '/v1/seal'],
    ['POST', '/v1/destroy', CONFIRMED],
  ] as const) {
    for (const given of [{}, { token }]) {
      const { status, json } = await held.ask(method, target, { body, ...given });
      if (status === 403) continue;
      t.equal(status, 503, `${method} ${target}`);
      t.match(json, { code: 'sealed', error: 'the vault was destroyed' });
    }
  }
  t.match((await held.ask('GET', '/v1/health')).json, { sealed: true });
  await held.close();
  t.strictSame(filesOf(sandbox), [], 'closing makes nothing again');
});

t.test('vault.destroy > requests under way at the same time > each has an answer', async (t) => {
  const held = await open(t);
  const target = (index: number) => `/v1/secrets/n${index}`;
  const writes = Array.from({ length: 40 }, (_, i) => held.ask('PUT', target(i), { body: { value: 'v' } }));
  const destroying = [destroy(held), destroy(held)];
  const reads = Array.from({ length: 40 }, () => held.ask('GET', '/v1/secrets/kept'));
  const statuses = (await Promise.all([...writes, ...reads])).map(({ status }) => status);
  t.ok(
    statuses.every((status) => [200, 201, 503].includes(status)),
    statuses.join(),
  );
  const ends = (await Promise.all(destroying)).map(({ status }) => status).sort();
  t.equal(ends[0], 200);
  t.ok([409, 503].includes(ends[1] ?? 0), `${ends[1]}`);
  await held.close();
  t.strictSame(filesOf(held.sandbox), []);
});

t.test('vault.destroy > sealed by a forgotten passphrase > gone all the same', async (t) => {
  const held = await hold(t, await createPassphraseVault(t));
  t.match((await held.ask('GET', '/v1/secrets')).json, { code: 'sealed' });
  t.equal((await destroy(held)).text, '{"status":"destroyed","key_stores":["passphrase"]}');
  t.strictSame(filesOf(held.sandbox), []);
});

t.test('vault.destroy > the vault was sealed > gone all the same', async (t) => {
  const held = await open(t);
  await held.ask('POST', '/v1/seal');
  t.equal((await destroy(held)).json.status, 'destroyed');
  t.notOk(existsSync(keyFileOf(held.sandbox)));
});

t.test('vault.destroy > the database was kept by somebody > the slot in it is gone', async (t) => {
  const held = await hold(t, await createPassphraseVault(t));
  const kept = join(held.sandbox.folder, 'kept.db');
  const { slots } = inspect(held.sandbox.databasePath);
  linkSync(held.sandbox.databasePath, kept);
  await destroy(held);
  t.notOk(readFileSync(kept).includes(slots[0]!.blob.subarray(-KEY_SIZE)), 'not even in free pages');
});

function inspect(path: string): { slots: { blob: Buffer }[] } {
  const db = new Database(path, { readonly: true });
  try {
    return { slots: db.prepare('SELECT blob FROM slots').all() as { blob: Buffer }[] };
  } finally {
    db.close();
  }
}

/** What may lie where the key file should, and must stay as it is. */
const STRANGERS: Readonly<Record<string, (path: string) => void>> = {
  "another vault's key": (path) => writeFileSync(path, randomBytes(KEY_SIZE), { mode: 0o400 }),
  'a file of another size': (path) => writeFileSync(path, randomBytes(KEY_SIZE + 1), { mode: 0o400 }),
  'a symbolic link to the key': (path) => symlinkSync(`${path}.real`, path),
  'a folder': (path) => mkdirSync(path),
};

for (const [what, place] of Object.entries(STRANGERS)) {
  t.test(`vault.destroy > ${what} in the key file's place > 503, and only by force`, async (t) => {
    const held = await open(t);
    const { sandbox } = held;
    const path = keyFileOf(sandbox);
    renameSync(path, `${path}.real`);
    place(path);
    const read = () => (statSync(path).isFile() ? readFileSync(path) : readdirSync(path));
    const before = read();
    const refused = await destroy(held);
    t.equal(refused.status, 503);
    t.match(refused.json.error, /^nothing was deleted: .*vault\.key.* or ask with "force": true$/);
    t.match((await held.ask('GET', '/v1/secrets/kept')).json, { value: 'v' }, 'all is there');
    t.equal((await destroy(held, FORCED)).text, '{"status":"destroyed","key_stores":[]}');
    t.strictSame(read(), before, 'it stays as it is');
    t.strictSame(filesOf(sandbox), []);
    t.match(held.events.join('\n'), /warning: destroy: .*vault\.key.* and stays as it is/);
  });
}

t.test('vault.destroy > the key file is gone already > no reason to refuse', async (t) => {
  const held = await open(t);
  rmSync(keyFileOf(held.sandbox));
  t.equal((await destroy(held)).text, '{"status":"destroyed","key_stores":[]}');
  t.strictSame(filesOf(held.sandbox), []);
});

t.test(
  'vault.destroy > a folder that cannot be written > refused, nothing deleted',
  {
    skip: isRoot && 'root may write everywhere',
  },
  async (t) => {
    const held = await open(t);
    for (const folder of [held.sandbox.home, dirname(keyFileOf(held.sandbox))]) {
      chmodSync(folder, 0o500);
      const refused = await destroy(held);
      chmodSync(folder, 0o700);
      t.ok(refused.status >= 400, folder);
      t.match(refused.json.error, 'nothing was deleted');
    }
    t.match((await held.ask('GET', '/v1/secrets/kept')).json, { value: 'v' });
  },
);

t.test('vault.destroy > the daemon > answers, then ends by itself and leaves nothing', async (t) => {
  const daemon = await startDaemon(t);
  await daemon.ask('PUT', '/v1/secrets/kept', { body: { value: 'v' } });
  const token = sessionOf(daemon);
  const tokenPath = locateSessionToken(daemon.env, daemon.socket);
  const denied = await daemon.ask('POST', '/v1/destroy', { body: CONFIRMED });
  t.equal(denied.status, 403, 'not by a token');
  const ended = finished(daemon.child);
  const answer = await ask(daemon.socket, 'POST', '/v1/destroy', { token, body: CONFIRMED });
  t.strictSame(answer.json, { status: 'destroyed', key_stores: ['file'] });
  const { code, signal } = await ended;
  t.strictSame([code, signal], [0, null]);
  t.notOk(existsSync(daemon.socket), 'the socket');
  t.notOk(existsSync(tokenPath), 'the session token');
  t.strictSame(filesOf(daemon), []);
  const events = daemon.log().map(({ event }) => event);
  t.ok(events.includes('destroyed'));
  t.ok(events.indexOf('destroyed') < events.indexOf('stopping'));
  const again = await mav(daemon, ['serve']);
  t.equal(again.code, 1);
  t.match(again.stderr, 'there is no vault');
  t.equal((await mav(daemon, ['init', '--key-store', 'file'])).code, 0, 'and a new one can be made');
});

t.test('vault.destroy > a real keychain', { skip: missing, timeout: 200_000 }, async (t) => {
  const service = await startSecretService(t);

  await t.test('its entry is there > deleted with the vault, and no other one', async (t) => {
    const [other, daemon] = [await serve(t, service), await serve(t, service)];
    const before = service.list();
    const account = keychainAccount(daemon.databasePath);
    const answer = await send(daemon, CONFIRMED);
    t.strictSame(answer.json, { status: 'destroyed', key_stores: ['keychain'] });
    t.strictSame(
      before.filter((account) => !service.list().includes(account)),
      [account],
    );
    t.match((await other.ask('GET', '/v1/secrets')).status, 200);
  });

  await t.test('its entry is gone already > no reason to refuse', async (t) => {
    const daemon = await serve(t, service);
    await service.remove(keychainAccount(daemon.databasePath));
    t.strictSame((await send(daemon, CONFIRMED)).json, { status: 'destroyed', key_stores: [] });
  });

  await t.test('it is locked, frozen or not there > 503, nothing deleted but by force', async (t) => {
    const daemon = await serve(t, service);
    const account = keychainAccount(daemon.databasePath);
    const states: [state: string, enter: () => Promise<void> | void, leave: () => Promise<void> | void][] = [
      ['locked', () => service.restart('locked'), () => service.restart()],
      ['frozen', () => service.freeze(), () => service.thaw()],
      ['not there', () => service.stop(), () => service.restart()],
    ];
    for (const [state, enter, leave] of states) {
      await enter();
      const refused = await send(daemon, CONFIRMED);
      t.equal(refused.status, 503, state);
      t.match(refused.json.error, /^nothing was deleted: the OS keychain.*unlock or start it/, state);
      await leave();
      t.equal((await daemon.ask('GET', '/v1/secrets')).status, 200, `${state}: still served`);
      t.equal((await service.read(account))?.length, KEY_SIZE, `${state}: the entry`);
    }
    await service.stop();
    const ended = finished(daemon.child);
    t.strictSame((await send(daemon, FORCED)).json, { status: 'destroyed', key_stores: [] });
    t.equal((await ended).code, 0);
    t.strictSame(filesOf(daemon), []);
  });
});

function serve(t: Test, service: SecretService): Promise<Daemon> {
  const sandbox = createSandbox(t, { ...service.env, MAV_KEYCHAIN_TIMEOUT_MS: '3000' });
  return startDaemon(t, { sandbox, init: ['--key-store', 'keychain'] });
}

function send(daemon: Daemon, body: object) {
  return ask(daemon.socket, 'POST', '/v1/destroy', { token: sessionOf(daemon), body });
}
