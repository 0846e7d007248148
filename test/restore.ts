/** `mav restore` and `mav verify FILE`: a backup is verified before anything is replaced, and what it replaces is kept. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { listDrafts, readBackup } from './fixtures/backups.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { createHeldVault } from './fixtures/held.ts';
import { createPassphraseVault, createSandbox, mav, type Sandbox } from './fixtures/vault.ts';

/** Makes a vault with the secret `a`, a backup of it, and then another version of `a` and the secret `b`. */
async function backUp(t: Test, ...options: string[]): Promise<{ sandbox: Sandbox; file: string }> {
  const sandbox = await createHeldVault(t);
  const file = join(sandbox.folder, 'a.backup');
  await mav(sandbox, ['set', 'a'], { input: 'then' });
  const made = await mav(sandbox, ['backup', file, ...options]);
  if (made.code !== 0) throw new Error(made.stderr);
  await mav(sandbox, ['set', 'a'], { input: 'now' });
  await mav(sandbox, ['set', 'b'], { input: 'now' });
  return { sandbox, file };
}

const get = async (sandbox: Sandbox, name: string) => (await mav(sandbox, ['get', name])).stdout;
const findAside = ({ home }: Sandbox) => readdirSync(home).filter((name) => name.startsWith('replaced-'));

/** The log of the restored vault says who restored it, and of when it is. */
async function isRecorded(t: Test, sandbox: Sandbox, file: string): Promise<void> {
  const asked = ['audit', '--operation', 'vault.confirmBackup'];
  const [entry, ...more] = JSON.parse((await mav(sandbox, [...asked, '-o', 'json'])).stdout);
  t.match(entry, { by: 'session', program: 'mav', backup: readBackup(file).head.made_at, result: 'ok' });
  t.strictSame(more, [], 'once');
  t.match((await mav(sandbox, [...asked, '-o', 'table'])).stdout, /restored the vault +of 2\d{3}-/);
}

/** Puts other bytes near the end of the file, which is in the database. */
function damage(file: string, to: string): string {
  const bytes = readFileSync(file);
  bytes.fill(0xa5, bytes.length - 2_000, bytes.length - 1_900);
  writeFileSync(to, bytes);
  return to;
}

t.test('restore > over another state > the vault as it was, and what it replaced is kept', async (t) => {
  const { sandbox, file } = await backUp(t);
  writeFileSync(join(sandbox.home, 'config.json'), '{}', { mode: 0o600 });
  const dry = await mav(sandbox, ['restore', file, '--dry-run']);
  t.match(dry, { code: 0, stderr: /is the vault of .*, whole; nothing was changed\.\n/ });
  t.match(await mav(sandbox, ['verify', file]), { code: 0, stdout: /^secrets +1 +0$/m });
  t.match(await mav(sandbox, ['restore', file]), {
    code: 2,
    stderr: /Nobody can be asked here; give --force/,
  });
  t.equal(await get(sandbox, 'a'), 'now', 'until now nothing happened');
  t.strictSame([findAside(sandbox), listDrafts(sandbox.home)], [[], []]);
  const restored = await mav(sandbox, ['restore', file, '--force']);
  t.match(restored, { code: 0, stderr: /Restored the vault of / });
  t.equal(await get(sandbox, 'a'), 'then');
  t.equal((await mav(sandbox, ['get', 'b'])).code, 3);
  t.match(await mav(sandbox, ['verify']), { code: 0 });
  const [aside = ''] = findAside(sandbox);
  t.match(restored.stderr, join(sandbox.home, aside));
  await isRecorded(t, sandbox, file);
  t.equal(statSync(join(sandbox.home, aside)).mode & 0o777, 0o700);
  t.equal(readFileSync(join(sandbox.home, 'config.json'), 'utf8'), '{}', 'settings of today stay');
  // It is whole: put back, it opens.
  for (const name of ['vault.db', 'audit']) {
    rmSync(join(sandbox.home, name), { recursive: true });
    cpSync(join(sandbox.home, aside, name), join(sandbox.home, name), { recursive: true });
  }
  t.match(await mav(sandbox, ['get', 'a']), { code: 5, stderr: /mav accept-restore/ });
  t.match(await mav(sandbox, ['accept-restore', '--force']), { code: 0 });
  t.equal(await get(sandbox, 'a'), 'now');
  t.match(await mav(sandbox, ['verify']), { code: 0 });
  t.strictSame(listDrafts(sandbox.home), []);
});

t.test('restore > a file that is not what was backed up > refused, and the vault is as it was', async (t) => {
  const { sandbox, file } = await backUp(t);
  const place = (name: string) => join(sandbox.folder, name);
  const bytes = readFileSync(file);
  const [line = ''] = bytes.toString('latin1').split('\n');
  const rest = bytes.subarray(line.length);
  const put = (name: string, head: string) =>
    writeFileSync(place(name), Buffer.concat([Buffer.from(head), rest]));
  damage(file, place('damaged'));
  writeFileSync(place('truncated'), bytes.subarray(0, -4_096));
  writeFileSync(place('longer'), Buffer.concat([bytes, Buffer.alloc(1)]));
  put('head', JSON.stringify({ ...JSON.parse(line), config: '{"audit":"best-effort"}' }));
  put('newer', JSON.stringify({ ...JSON.parse(line), version: 2 }));
  writeFileSync(place('text'), 'no backup\n');
  writeFileSync(place('empty'), '');
  for (const [name, said] of [
    ['damaged', /is not what was backed up|cannot be read/],
    ['truncated', /is not what was backed up|cannot be read|is damaged/],
    ['longer', /is not what was backed up/],
    ['head', /is not what was backed up/],
    ['newer', /was made by a newer mav \(format 2\); update mav/],
    ['text', /is not a backup of mav/],
    ['empty', /is not a backup of mav/],
    ['', /is a folder; name one of the backups in it/],
    ['none', /there is no file .*; mav undelete NAME/],
  ] as const) {
    const { code, stderr } = await mav(sandbox, ['restore', place(name), '--force']);
    t.not(code, 0, name);
    t.match(stderr, said, name);
  }
  t.equal(await get(sandbox, 'b'), 'now');
  t.strictSame([findAside(sandbox), listDrafts(sandbox.home)], [[], []]);
});

t.test('restore > only some secrets, beside a daemon > new versions of them', async (t) => {
  const { sandbox, file } = await backUp(t);
  const daemon = await startDaemon(t, { sandbox, init: null, token: false });
  const whole = await mav(daemon, ['restore', file, '--force']);
  t.match(whole, {
    code: 1,
    stderr: /mav serve has the vault; end it .*, restore the vault, and start it again/,
  });
  const dry = await mav(daemon, ['restore', file, '--only', 'a', '--dry-run']);
  t.match(dry, { code: 0, stderr: /Would bring back as of .*: 1 as new versions/ });
  t.equal(await get(daemon, 'a'), 'now');
  t.match(await mav(daemon, ['restore', file, '--only', 'a']), { code: 0, stderr: /Brought back as of / });
  t.equal(await get(daemon, 'a'), 'then');
  t.equal((await mav(daemon, ['get', 'a', '--version', '2'])).stdout, 'now');
  t.equal(await get(daemon, 'b'), 'now', 'the others stay');
  t.match(await mav(daemon, ['restore', file, '--only', 'b']), {
    code: 3,
    stderr: /there is no b in the backup/,
  });
  t.match(await mav(daemon, ['restore', file, '--env', 'x']), { code: 2, stderr: /--env goes with --only/ });
  await mav(daemon, ['delete', 'a', '--force']);
  const again = await mav(daemon, ['restore', damage(file, `${file}.damaged`), '--only', 'a,a']);
  t.not(again.code, 0, 'twice the same');
  t.equal((await mav(daemon, ['restore', file, '--only', 'a'])).code, 0);
  t.equal(await get(daemon, 'a'), 'then', 'a deleted one, too');
  t.strictSame(listDrafts(daemon.home), []);
});

t.test('restore > on a new machine, with the passphrase of the copy > all is there', async (t) => {
  const passphrase = join(createSandbox(t).folder, 'pass');
  mkdirSync(join(passphrase, '..'), { recursive: true });
  writeFileSync(passphrase, 'correct horse', { mode: 0o600 });
  const { sandbox, file } = await backUp(t, '--passphrase', '--new-passphrase-file', passphrase);
  const other = createSandbox(t);
  const elsewhere = join(other.folder, 'b.backup');
  cpSync(file, elsewhere);
  rmSync(join(sandbox.folder, 'vault.key'));
  const without = await mav(other, ['restore', elsewhere]);
  t.match(without, { code: 5 });
  t.notOk(existsSync(other.databasePath));
  const wrong = join(other.folder, 'wrong');
  writeFileSync(wrong, 'battery staple', { mode: 0o600 });
  t.match(await mav(other, ['restore', elsewhere, '--passphrase-file', wrong]), { code: 5 });
  const given = ['--passphrase-file', passphrase];
  t.match(await mav(other, ['restore', elsewhere, ...given]), { code: 0, stderr: /Restored the vault of / });
  t.equal((await mav(other, ['get', 'a', ...given])).stdout, 'then');
  t.match(await mav(other, ['verify', ...given]), { code: 0 });
  t.strictSame([findAside(other), listDrafts(other.home)], [[], []]);
});

t.test(
  'restore > a copy with a second passphrase, on a new machine > each of the two opens it',
  async (t) => {
    const { passphraseFile, ...vault } = await createPassphraseVault(t);
    const own = ['--passphrase-file', passphraseFile];
    await mav(vault, ['set', 'a', ...own], { input: 'then' });
    const second = join(vault.folder, 'second');
    writeFileSync(second, 'correct horse', { mode: 0o600 });
    const file = join(vault.folder, 'b.backup');
    const made = await mav(vault, ['backup', file, '--passphrase', '--new-passphrase-file', second, ...own]);
    t.match(made, { code: 0 });
    const before = await mav(vault, ['key', 'list', '-o', 'plain', ...own]);
    t.equal(before.stdout.trim().split('\n').length, 1, 'the vault has one key');
    t.match(await mav(vault, ['get', 'a', '--passphrase-file', second]), { code: 5 });
    for (const passphrase of [second, passphraseFile]) {
      const other = createSandbox(t);
      const given = ['--passphrase-file', passphrase];
      t.match(await mav(other, ['restore', file, ...given]), { code: 0 });
      t.equal((await mav(other, ['get', 'a', ...given])).stdout, 'then');
      const keys = await mav(other, ['key', 'list', '-o', 'plain', ...given]);
      t.equal(keys.stdout.trim().split('\n').length, 2);
    }
  },
);

t.test('restore > the replaced vault has a log that is not in its file yet > kept with it', async (t) => {
  const { sandbox, file } = await backUp(t);
  const daemon = await startDaemon(t, { sandbox, init: null, token: false });
  await mav(daemon, ['set', 'late'], { input: 'in the log' });
  const log = `${sandbox.databasePath}-wal`;
  const kept = readFileSync(log);
  const before = readFileSync(sandbox.databasePath);
  await daemon.stop();
  // As after a kill: the file of then, and its log.
  writeFileSync(sandbox.databasePath, before);
  writeFileSync(log, kept, { mode: 0o600 });
  t.match(await mav(sandbox, ['restore', file, '--force']), { code: 0 });
  t.notOk(existsSync(log) && statSync(log).size > 0);
  t.equal(await get(sandbox, 'a'), 'then');
  const [aside = ''] = findAside(sandbox);
  rmSync(sandbox.databasePath);
  // Looking at the vault may have moved its log into the file.
  for (const name of ['vault.db', 'vault.db-wal'].filter((one) => existsSync(join(sandbox.home, aside, one))))
    cpSync(join(sandbox.home, aside, name), join(sandbox.home, name));
  t.equal(await get(sandbox, 'late'), 'in the log', 'the replaced vault has all that it had');
});
