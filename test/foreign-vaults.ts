/** A vault of somebody else in the place of the user's: it is not taken for the user's, whichever the way in, and stays untouched. */
import { chmodSync, copyFileSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { importBuilt } from './fixtures/built.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { makeForeign, PLANTED, SEALED } from './fixtures/known-vaults.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import {
  createPassphraseVault,
  createSandbox,
  initVault,
  knowVault,
  mav,
  type Sandbox,
} from './fixtures/vault.ts';

t.setTimeout(300_000);

const { Pools } = await importBuilt<typeof import('../src/pool/pools.ts')>('src/pool/pools.js');

const SAYS_OTHER = /is not the vault that is known there: its id is [0-9a-f]{32} \(known: [0-9a-f]{32}\)/;

const ADOPT = /run: mav adopt/;

/** The user's own vault under a passphrase, with a secret in it. */
async function makeOwn(t: Test): Promise<Sandbox & { passphraseFile: string }> {
  const own = await createPassphraseVault(t);
  const given = ['--passphrase-file', own.passphraseFile];
  t.equal((await mav(own, ['set', 'db', ...given], { input: 'mine' })).code, 0);
  return own;
}

function exchange(from: Sandbox, to: Sandbox): void {
  copyFileSync(from.databasePath, `${to.databasePath}.x`);
  chmodSync(`${to.databasePath}.x`, 0o600);
  renameSync(`${to.databasePath}.x`, to.databasePath);
  for (const suffix of ['-wal', '-shm']) rmSync(to.databasePath + suffix, { force: true });
}

t.test(
  'a foreign vault in place of the own > every way in > refuses it by name, and leaves it as it is',
  async (t) => {
    const own = await makeOwn(t);
    exchange(await makeForeign(t), own);
    const before = readFileSync(own.databasePath);
    const file = ['--passphrase-file', own.passphraseFile];
    for (const args of [
      ['get', 'db'],
      ['get', 'db', ...file],
      ['set', 'new', ...file],
      ['list'],
      ['export', '--to', '-'],
      ['exec', '--', 'env'],
      ['delete', 'db', '--force'],
      ['token', 'create', '--name', 'x', '--scope', 'read'],
      ['key', 'rotate', ...file],
      ['destroy', '--force'],
      ['serve', ...file],
    ]) {
      const { code, stdout, stderr } = await mav(own, args, { input: 'value' });
      t.equal(code, SEALED, `${args.join(' ')}: ${stderr}`);
      t.match(stderr, SAYS_OTHER, args.join(' '));
      t.match(stderr, /its key is kept in: file .*planted\.key \(known: passphrase\)/);
      t.match(stderr, ADOPT);
      t.notMatch(stdout + stderr, PLANTED);
    }
    const status = JSON.parse((await mav(own, ['status', '-o', 'json'])).stdout);
    t.match(status, { state: 'sealed', reason: SAYS_OTHER, vault_id: null });
    const doctor = JSON.parse((await mav(own, ['doctor', '-o', 'json'])).stdout);
    t.match(JSON.stringify(doctor), /known vault.*its key kept in: passphrase/);
    t.match(JSON.stringify(doctor), SAYS_OTHER);
    t.ok(readFileSync(own.databasePath).equals(before), 'nothing was written into it');
  },
);

t.test(
  'a foreign vault under a passphrase > on a terminal > nobody is asked for the own passphrase',
  async (t) => {
    const own = await makeOwn(t);
    const foreign = createSandbox(t);
    await initVault(foreign, ['--key-store', 'passphrase', '--passphrase-file', own.passphraseFile]);
    exchange(foreign, own);
    const { code, shown } = await mavOnTerminal(t, own, ['get', 'db']).ended();
    t.equal(code, SEALED);
    t.match(shown, SAYS_OTHER);
    t.notMatch(shown, /Passphrase/);
  },
);

t.test(
  'a foreign vault > laid there while the daemon runs > no request and no unsealing takes it',
  async (t) => {
    const daemon = await startDaemon(t);
    await daemon.ask('PUT', '/v1/secrets/db', { body: { value: 'mine' } });
    const kept = join(daemon.folder, 'kept.db');
    new Database(daemon.databasePath).prepare('VACUUM INTO ?').run(kept);
    chmodSync(kept, 0o600);
    const foreign = await makeForeign(t);
    exchange(foreign, daemon);
    const before = readFileSync(daemon.databasePath);
    const answers = [
      await daemon.ask('GET', '/v1/secrets/db'),
      await daemon.ask('PUT', '/v1/secrets/new', { body: { value: 'typed by the user' } }),
      await daemon.ask('GET', '/v1/secrets'),
    ];
    for (const { status, text } of answers) {
      t.not(status, 200);
      t.not(status, 201);
      t.notMatch(text, PLANTED);
    }
    t.match(answers[0]?.json, { code: 'sealed', reason: 'other_vault' });
    await mav(daemon, ['seal']);
    const unsealed = await mav(daemon, ['unseal']);
    t.equal(unsealed.code, SEALED);
    t.match(unsealed.stderr, SAYS_OTHER);
    t.match((await mav(daemon, ['status'])).stdout, SAYS_OTHER);
    const adopted = await mav(daemon, ['adopt', '--force']);
    t.equal(adopted.code, 1);
    t.match(adopted.stderr, /mav serve has the vault; end it/);
    t.ok(readFileSync(daemon.databasePath).equals(before), 'nothing was written into it');
    // A backup of the same vault is the vault, whatever file it lies in.
    renameSync(kept, daemon.databasePath);
    t.equal((await mav(daemon, ['unseal'])).code, 0);
    t.match((await daemon.ask('GET', '/v1/secrets/db')).json, { value: 'mine' });
    t.equal((await daemon.ask('PUT', '/v1/secrets/db', { body: { value: 'mine too' } })).status, 201);
    await daemon.stop();
    t.equal((await mav(daemon, ['get', 'db'])).stdout.trim(), 'mine too', 'which is written to, too');
  },
);

t.test(
  'a foreign vault > laid there after the list was read > the thread that opens it refuses it',
  async (t) => {
    const own = await makeOwn(t);
    const options = {
      databasePath: own.databasePath,
      ...knowVault(own),
      passphraseFile: null,
      credentialsDirectory: null,
      keychainTimeoutMs: 1_000,
    };
    exchange(await makeForeign(t), own);
    for (const readers of [0, 2]) {
      const pools = new Pools({ ...options, readers, mayBeTraced: true }, () => {});
      const none = { params: {}, body: null, mayReplace: false };
      for (const operation of ['vault.status', 'vault.unseal', 'vault.destroy'] as const) {
        const body = operation === 'vault.destroy' ? Buffer.from('{"confirm":"destroy"}') : null;
        const answered = await pools.control({ ...none, operation, body: body && new Uint8Array(body) });
        t.match(answered, { ok: false, code: 'sealed', reason: 'other_vault' }, `${operation}, ${readers}`);
      }
      t.match(await pools.run('long-readers', { ...none, operation: 'secrets.list' }), {
        ok: false,
        code: 'sealed',
      });
      await pools.close();
    }
    t.ok(existsSync(own.databasePath));
  },
);

t.test(
  'the own vault > another place for its key written into it > refused, and the place is named',
  async (t) => {
    const own = await makeForeign(t);
    const db = new Database(own.databasePath);
    db.prepare('UPDATE slots SET location = ?').run(join(own.home, 'planted.key'));
    db.close();
    const { code, stderr } = await mav(own, ['get', 'db']);
    t.equal(code, SEALED);
    t.match(stderr, /its key is kept in: file .*\/vault\/planted\.key \(known: file .*planted\.key\)/);
    t.notMatch(stderr, /its id/);
  },
);

t.test('an older schema in place of the known > is another vault; a newer one is an upgrade', async (t) => {
  const { checkKnown, findDifference } = await import('../workers/store/check-known.ts');
  const known = {
    vault_id: 'a'.repeat(32),
    slots: [{ id: '0123abcd', kind: 'passphrase', location: null }],
    schema: 6,
  } as const;
  t.match(findDifference(known, { ...known, schema: 5 }), 'its schema is 5 (known: 6)');
  t.equal(findDifference(known, { ...known, schema: 7 }), null);
  t.throws(
    () => checkKnown('/v/vault.db', known, { ...known, slots: [] }),
    /its key is kept in: nothing \(known: passphrase\)/,
  );
  t.throws(() => checkKnown('/v/vault.db', null, known), /is not known to this account/);
});
