/** `mav backup`: a whole copy of the vault while it is in use, or nothing. */
import { spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { locateSessionToken, readSessionToken } from '../src/places/session-token.ts';
import { listDrafts, queryBackup, readBackup } from './fixtures/backups.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { createHeldVault, hold } from './fixtures/held.ts';
import { skipWithout } from './fixtures/programs.ts';
import { readKeyring, StoredFile } from './fixtures/stored.ts';
import { mav } from './fixtures/vault.ts';

const daemon = await startDaemon(t);

function makeFolder(name: string): string {
  const folder = join(daemon.folder, name);
  mkdirSync(folder);
  return folder;
}

t.test('backup > beside writes > the whole vault at one moment, for its owner only', async (t) => {
  const folder = makeFolder('beside');
  const secrets = Array.from({ length: 2_000 }, (_, i) => ({ name: `n${i}`, value: 'v'.repeat(200) }));
  await daemon.ask('POST', '/v1/import', { body: { secrets } });
  writeFileSync(join(daemon.home, 'config.json'), '{"keep_versions":5}', { mode: 0o600 });
  let isDone = false;
  const write = async () => {
    // Both in one transaction: a copy that has one without the other is torn.
    for (let round = 0; !isDone; round++) {
      const body = { secrets: ['one', 'two'].map((name) => ({ name, value: 'x', metadata: { round } })) };
      await daemon.ask('POST', '/v1/import', { body });
    }
  };
  const writing = write();
  const { code, stdout, stderr } = await mav(daemon, ['backup', folder]);
  isDone = true;
  await writing;
  t.match(
    { code, stderr },
    { code: 0, stderr: /^Backed up 200[02] secrets \(.*\); every row was opened\.\n$/ },
  );
  const path = stdout.trimEnd();
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.strictSame(readdirSync(folder), [path.slice(folder.length + 1)]);
  t.match(path, /\/maestrovault-[0-9a-f]{8}-\d{8}T\d{6}Z-[0-9a-f]{4}\.backup$/);
  const { head } = readBackup(path);
  t.match(head, { format: 'maestrovault-backup', version: 1, config: '{"keep_versions":5}' });
  const rounds = queryBackup(
    path,
    daemon.folder,
    "SELECT metadata FROM secrets WHERE name IN ('one', 'two')",
  );
  t.equal(new Set(rounds.map(({ metadata }) => metadata)).size, Math.min(1, rounds.length));
  t.strictSame(queryBackup(path, daemon.folder, 'PRAGMA integrity_check'), [{ integrity_check: 'ok' }]);
  t.strictSame(queryBackup(path, daemon.folder, 'SELECT count(*) AS n FROM audit_segments'), [{ n: 0 }]);
  t.strictSame(listDrafts(daemon.home), [], 'the draft is gone');
});

t.test('backup > a target that must not be written > said, and nothing is done', async (t) => {
  const folder = makeFolder('targets');
  writeFileSync(join(folder, 'there'), 'mine');
  symlinkSync(join(folder, 'there'), join(folder, 'link'));
  const inside = join(daemon.home, 'x.backup');
  for (const [args, said] of [
    [[join(folder, 'there')], /there is there already; --force replaces it/],
    [[join(folder, 'link'), '--force'], /is a symbolic link/],
    [[inside], /lies in the vault's folder/],
    [[daemon.home], /lies in the vault's folder/],
    [[join(folder, 'none', 'x')], /the folder .*none is not there; make it first/],
    [[join(folder, 'x'), '--keep', '3'], /--keep goes with a folder/],
    [[folder, '--keep', '0'], /--keep must be a whole number from 1/],
  ] as const) {
    const { code, stdout, stderr } = await mav(daemon, ['backup', ...args]);
    t.not(code, 0, args.join(' '));
    t.equal(stdout, '');
    t.match(stderr, said);
  }
  t.strictSame(readdirSync(folder).sort(), ['link', 'there']);
  const file = join(folder, 'named');
  t.equal((await mav(daemon, ['backup', file])).stdout, `${file}\n`);
  t.equal((await mav(daemon, ['backup', file, '--force'])).code, 0);
  t.strictSame(listDrafts(daemon.home), []);
});

t.test('backup > with --keep > the oldest of this vault go, and nothing else', async (t) => {
  const folder = makeFolder('kept');
  const first = (await mav(daemon, ['backup', folder])).stdout.trimEnd();
  const prefix = first.slice(folder.length + 1, first.indexOf('-', first.indexOf('maestrovault-') + 13));
  const decoy = join(folder, `${prefix}-20200101T000000Z-0000.backup`);
  writeFileSync(decoy, 'no backup');
  const foreign = join(folder, `${prefix}-20200101T000000Z-1111.backup`);
  const { head, mac, database } = readBackup(first);
  const other = {
    ...head,
    vault: { ...head.vault, vault_id: `${head.vault.vault_id.slice(0, 8)}${'0'.repeat(24)}` },
  };
  writeFileSync(foreign, Buffer.concat([Buffer.from(`${JSON.stringify(other)}\n${mac}\n`), database]));
  writeFileSync(join(folder, 'notes'), 'mine');
  const old = join(folder, `${prefix}-20200101T000000Z-2222.backup`);
  const aged = { ...head, made_at: '2020-01-01T00:00:00Z' };
  writeFileSync(old, Buffer.concat([Buffer.from(`${JSON.stringify(aged)}\n${mac}\n`), database]));
  const { code, stdout, stderr } = await mav(daemon, ['backup', folder, '--keep', '2']);
  t.equal(code, 0);
  t.match(stderr, `Removed ${old}\n`);
  t.strictSame(
    readdirSync(folder).sort(),
    [decoy, foreign, 'notes', first, stdout.trimEnd()].map((path) => path.split('/').at(-1)).sort(),
  );
});

t.test('backup > with a passphrase > a slot that only the copy has', async (t) => {
  const file = join(daemon.folder, 'portable');
  const passphrase = join(daemon.folder, 'passphrase');
  writeFileSync(passphrase, 'correct horse\n', { mode: 0o600 });
  chmodSync(passphrase, 0o600);
  const args = ['backup', file, '--passphrase', '--new-passphrase-file', passphrase];
  t.match(await mav(daemon, args), { code: 0 });
  const slots = queryBackup(file, daemon.folder, 'SELECT kind FROM slots ORDER BY kind');
  t.strictSame(slots, [{ kind: 'file' }, { kind: 'passphrase' }]);
  t.strictSame((await mav(daemon, ['status', '-o', 'json'])).code, 0);
  t.strictSame(
    readBackup(file)
      .head.vault.slots.map(({ kind }: { kind: string }) => kind)
      .sort(),
    ['file', 'passphrase'],
  );
  const { stderr, code } = await mav(daemon, ['backup', join(daemon.folder, 'none'), '--passphrase']);
  t.match({ code, stderr }, { code: 2, stderr: /nobody can be asked for a new passphrase here/ });
});

t.test('vault.backup > two at once, a draft that is gone, a sealed vault > said', async (t) => {
  const sandbox = await createHeldVault(t);
  const { ask } = await hold(t, sandbox);
  await ask('PUT', '/v1/secrets/a', { body: { value: 'v' } });
  const made = await Promise.all([ask('POST', '/v1/backups'), ask('POST', '/v1/backups')]);
  t.strictSame(made.map(({ status }) => status).sort(), [200, 409]);
  const { id, file } = made.find(({ status }) => status === 200)!.json;
  t.match((await ask('GET', `/v1/check?backup=${id}`)).json, { rows: { secrets: 1, keks: 1 }, damaged: [] });
  t.match(await ask('GET', '/v1/check?backup=x'), { status: 400 });
  utimesSync(file, 0, 0);
  t.equal((await ask('POST', '/v1/backups')).status, 200);
  t.equal(listDrafts(sandbox.home).length, 1, 'the old draft went');
  t.match(await ask('GET', `/v1/check?backup=${id}`), { status: 404 });
  const second = (await ask('POST', '/v1/backups')).json;
  await ask('POST', '/v1/keys/rotate');
  t.match(await ask('GET', `/v1/check?backup=${second.id}`), {
    status: 409,
    json: { error: /rotated meanwhile/ },
  });
  await ask('POST', '/v1/seal');
  t.match(await ask('POST', '/v1/backups'), { status: 503, json: { reason: 'sealed' } });
});

t.test(
  'vault.backup > who asked for the last one is gone > its draft goes',
  { skip: skipWithout('curl') },
  async (t) => {
    const session = readSessionToken(locateSessionToken(daemon.env, daemon.socket));
    const ask = ['-s', '-X', 'POST', '-H', `Authorization: Bearer ${session}`];
    const asked = spawnSync('curl', [
      ...ask,
      ...['--unix-socket', daemon.socket, 'http://localhost/v1/backups'],
    ]);
    t.ok(existsSync(JSON.parse(asked.stdout.toString()).file), 'curl does not take it');
    writeFileSync(`${daemon.databasePath}.backup-mine`, '');
    t.match(await mav(daemon, ['backup', makeFolder('gone')]), { code: 0 });
    t.strictSame(listDrafts(daemon.home), ['vault.db.backup-mine'], 'what is not named as one is no draft');
  },
);

t.test('backup > a damaged row in the vault > kept and named, and no older one is removed', async (t) => {
  const sandbox = await createHeldVault(t);
  const { ask, close } = await hold(t, sandbox);
  for (const name of ['a', 'b']) await ask('PUT', `/v1/secrets/${name}`, { body: { value: 'v' } });
  await close();
  const folder = join(sandbox.folder, 'backups');
  mkdirSync(folder);
  t.equal((await mav(sandbox, ['backup', folder])).code, 0);
  const file = new StoredFile(sandbox.databasePath);
  file.write({
    secrets: file.rows('secrets').map((row) => (row.name === 'a' ? { ...row, updated_at: 1 } : row)),
  });
  file.close();
  const { code, stderr } = await mav(sandbox, ['backup', folder, '--keep', '1']);
  t.equal(code, 1);
  t.match(stderr, 'mav: version 1 of a: changed by somebody without the key, or damaged\n');
  t.match(stderr, '1 row of the backup is damaged, as in the vault; no older backup was removed');
  t.equal(readdirSync(folder).length, 2);
  rmSync(folder, { recursive: true });
});

t.test('backup > its head > signed with the key, as an independent reader computes it', async (t) => {
  const sandbox = await createHeldVault(t);
  const file = join(sandbox.folder, 'signed');
  t.equal((await mav(sandbox, ['backup', file])).code, 0);
  const { head, mac } = readBackup(file);
  const keyring = readKeyring(sandbox.databasePath, join(sandbox.folder, 'vault.key'));
  const kek = keyring.find(Buffer.from(head.kek_id, 'hex'));
  const prefixed = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const hmac = (key: Uint8Array, bytes: Uint8Array) =>
    createHmac('sha512', key).update(bytes).digest().subarray(0, 32);
  const label = prefixed(Buffer.from('mav.v5.backup-mac'));
  const key = hmac(kek!.kek, Buffer.concat([label, prefixed(Buffer.from(head.vault.vault_id, 'hex'))]));
  const [line = ''] = readFileSync(file, 'latin1').split('\n');
  t.equal(hmac(key, Buffer.from(line, 'latin1')).toString('hex'), mac);
  keyring.destroy();
});
