/** The recovery code of a vault: made at `mav init` and later, and the vault opened by it when its key is gone. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mnemonicToEntropy } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import t, { type Test } from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { createHeldVault, hold } from './fixtures/held.ts';
import { KEY_FILE } from './fixtures/made-vaults.ts';
import { context, recoverySlot, slotMac } from './fixtures/reference.ts';
import { diagnose } from './fixtures/reports.ts';
import { StoredFile } from './fixtures/stored.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { createSandbox, mav, type Sandbox } from './fixtures/vault.ts';

/** A vault with a key file and a recovery code in a file, and one secret. */
async function createRecoverable(t: Test): Promise<{ sandbox: Sandbox; code: string; key: string }> {
  const sandbox = createSandbox(t);
  const [code, key] = ['code', KEY_FILE].map((name) => join(sandbox.folder, name)) as [string, string];
  const made = await mav(sandbox, [
    'init',
    '--key-store',
    'file',
    '--key-file',
    key,
    '--recovery-file',
    code,
  ]);
  t.match(made, { code: 0, stderr: /Its recovery code is in / });
  await mav(sandbox, ['set', 'kept'], { input: 'v' });
  return { sandbox, code, key };
}

t.test('init --recovery-file > 24 words in a file of mine, never over another', async (t) => {
  const { sandbox, code } = await createRecoverable(t);
  t.equal(statSync(code).mode & 0o777, 0o600);
  t.equal(readFileSync(code, 'utf8').trim().split(' ').length, 24);
  const other = createSandbox(t);
  const refused = await mav(other, ['init', '--key-store', 'file', '--recovery-file', code]);
  t.match(refused, { code: 1, stderr: /exists already; nothing was done/ });
  t.notOk(existsSync(other.databasePath));
  t.match(await mav(sandbox, ['status']), { code: 0, stdout: /recovery +has a recovery code/ });
});

t.test(
  'init > no terminal and no file > goes on, and status and doctor say that there is none',
  async (t) => {
    const sandbox = createSandbox(t);
    const made = await mav(sandbox, ['init', '--key-store', 'file']);
    t.match(made, { code: 0, stderr: /It has no recovery code; make one with: mav key add recovery/ });
    t.match(await mav(sandbox, ['status']), { code: 0, stdout: /recovery +no recovery code; make one/ });
    t.match(await mav(sandbox, ['doctor']), {
      code: 0,
      stdout: /recovery .*without a recovery code the vault is lost/,
    });
    t.match(await mav(sandbox, ['key', 'add', 'recovery']), { code: 2, stderr: /give --recovery-file/ });
    const code = join(sandbox.folder, 'code');
    t.match(await mav(sandbox, ['key', 'add', 'recovery', '--recovery-file', code]), { code: 0 });
    t.match(await mav(sandbox, ['doctor']), { stdout: /recovery +the vault has a recovery code/ });
    const [daily, recovery] = (await mav(sandbox, ['key', 'list', '-o', 'plain'])).stdout.split('\n');
    const [only, id] = [daily, recovery].map((line) => line?.split('\t')[0] ?? '') as [string, string];
    const last = await mav(sandbox, ['key', 'remove', only, '--force']);
    t.match(last, { code: 1, stderr: /only key, beside a recovery code/ });
    t.match(await mav(sandbox, ['key', 'remove', id, '--force']), { code: 0 });
    const late = await mav(sandbox, ['recover', '--recovery-file', code, '--key-store', 'file']);
    t.match(late, { code: 2, stderr: /not that of this vault, or the vault has none/ });
  },
);

t.test('init --recovery-file > the second implementation > reads the slot with the words', async (t) => {
  const { sandbox, code, key } = await createRecoverable(t);
  const file = new StoredFile(sandbox.databasePath);
  t.teardown(() => file.close());
  const entropy = Buffer.from(mnemonicToEntropy(readFileSync(code, 'utf8').trim(), wordlist));
  const [vaultId, rootKey] = [file.vaultId(), readFileSync(key)];
  for (const { id, kind, blob, mac, created_at: createdAt } of file.rows('slots')) {
    const ctx = context({ vaultId, kind: 'slot', environment: '', name: kind, field: id, version: 0 });
    t.same(slotMac({ rootKey, vaultId, ctx, blob, createdAt }), mac, kind);
    if (kind === 'recovery')
      t.same(recoverySlot({ code: entropy, nonce: blob.subarray(38, 62), rootKey, ctx }), blob);
  }
});

t.test('recover > the key file is gone > a new key, and the old one is forgotten', async (t) => {
  const { sandbox, code, key } = await createRecoverable(t);
  rmSync(key);
  t.match(await mav(sandbox, ['get', 'kept']), { code: 5 });
  const wrong = join(sandbox.folder, 'wrong');
  writeFileSync(wrong, readFileSync(code, 'utf8').replace(/^\w+/, 'zzzz'), { mode: 0o600 });
  const refused = await mav(sandbox, ['recover', '--recovery-file', wrong, '--key-store', 'file']);
  t.match(refused, { code: 2, stderr: /word 1 is not one of the words/ });
  writeFileSync(wrong, readFileSync(code, 'utf8').toUpperCase().replaceAll(' ', '\n '), { mode: 0o600 });
  const recovered = await mav(sandbox, ['recover', '--recovery-file', wrong, '--key-store', 'file']);
  t.match(recovered, { code: 0, stderr: /^Recovered: the vault opens with the file / });
  t.match((await mav(sandbox, ['get', 'kept'])).stdout, 'v');
  const { stdout } = await mav(sandbox, ['key', 'list', '-o', 'plain']);
  t.same(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split('\t')[1]),
    ['recovery', 'file'],
  );
  t.match(await diagnose(sandbox), { code: 0, complaints: [] });
});

t.test('recover > another machine > taken for mine without adopting it; another vault is not', async (t) => {
  const { sandbox, code } = await createRecoverable(t);
  const [other, stranger] = [createSandbox(t), createSandbox(t)];
  for (const name of readdirSync(sandbox.home)) {
    if (!existsSync(other.home)) await mav(other, ['init', '--key-store', 'file']);
    rmSync(join(other.home, name), { recursive: true, force: true });
    renameSync(join(sandbox.home, name), join(other.home, name));
  }
  const pass = join(other.folder, 'pass');
  writeFileSync(pass, 'a new passphrase', { mode: 0o600 });
  const options = ['--key-store', 'passphrase', '--new-passphrase-file', pass];
  const refused = await mav(other, ['recover', '--recovery-file', code, ...options]);
  t.match(refused, { code: 5, stderr: /is not the vault that is known there: its id is/ });
  rmSync(join(other.env.HOME ?? '', '.config'), { recursive: true });
  t.match(await mav(other, ['get', 'kept']), { code: 5, stderr: /mav adopt/ });
  t.match(await mav(other, ['recover', '--recovery-file', code, ...options]), { code: 0 });
  t.match(await mav(other, ['get', 'kept', '--passphrase-file', pass]), { code: 0, stdout: 'v' });
  await mav(stranger, ['init', '--key-store', 'file', '--recovery-file', join(stranger.folder, 'code')]);
  rmSync(join(stranger.env.HOME ?? '', '.config'), { recursive: true });
  const foreign = await mav(stranger, ['recover', '--recovery-file', code, ...options]);
  t.match(foreign, { code: 2, stderr: /it is not that of this vault/ });
  t.notOk(existsSync(join(stranger.env.HOME ?? '', '.config/maestrovault/known-vaults.json')));
});

t.test('recover > a sealed daemon > unseals it, and it goes on', async (t) => {
  const { sandbox, code, key } = await createRecoverable(t);
  rmSync(key);
  const daemon = await startDaemon(t, { sandbox, init: null, token: false, launched: true });
  t.match(await mav(sandbox, ['get', 'kept']), { code: 5, stderr: /key file .* is not there/ });
  const wrong = await createRecoverable(t);
  const options = ['--key-store', 'file'];
  t.match(await mav(sandbox, ['recover', '--recovery-file', wrong.code, ...options]), { code: 2 });
  t.match(await mav(sandbox, ['get', 'kept']), { code: 5, stderr: /key file .* is not there/ });
  t.match(await mav(sandbox, ['recover', '--recovery-file', code, ...options]), { code: 0 });
  t.match(await mav(sandbox, ['get', 'kept']), { code: 0, stdout: 'v' });
  t.equal((await daemon.stop()).code, 0);
  t.match(await mav(sandbox, ['get', 'kept']), { code: 0, stdout: 'v' });
});

t.test('init > on a terminal > shows the code once, and asks three words back', async (t) => {
  const sandbox = createSandbox(t);
  const terminal = mavOnTerminal(t, sandbox, ['init', '--key-store', 'file']);
  const page = await terminal.see('Press Enter when you have written it down.');
  const words = new Map([...page.matchAll(/(\d+)\. ([a-z]+)/g)].map(([, at, word]) => [at, word]));
  t.equal(words.size, 24);
  terminal.type('\r');
  for (let asked = 0; asked < 3; asked++) {
    await terminal.see('Word ');
    const at = await terminal.see(' of the recovery code: ');
    terminal.type(`${words.get(at)}\r`);
  }
  t.match(await terminal.ended(), { code: 0, shown: /Made a vault/ });
  t.match(await mav(sandbox, ['status']), { stdout: /has a recovery code/ });
  const code = Array.from({ length: 24 }, (_, at) => words.get(String(at + 1))).join(' ');
  const typing = mavOnTerminal(t, sandbox, ['recover', '--key-store', 'file']);
  await typing.see('Recovery code (24 words, not shown): ');
  typing.type(`${code.replace(/^\w+/, 'zzzz')}\r`);
  await typing.see('word 1 is not one of the words');
  typing.type(`${code}\r`);
  const { shown, code: exit } = await typing.ended();
  t.equal(exit, 0);
  t.notMatch(shown, words.get('3') ?? 'x');
});

t.test('keys.newRecoveryCode, keys.add > by the API > nothing is kept before it is added', async (t) => {
  const held = await hold(t, await createHeldVault(t));
  const { json } = await held.ask('POST', '/v1/keys/recovery-code');
  t.equal((await held.ask('GET', '/v1/keys')).json.keys.length, 1);
  const wrong = { kind: 'recovery', recovery_code: json.recovery_code.replace(/^\w+ /, '') };
  t.match(await held.ask('POST', '/v1/keys', { body: wrong }), {
    status: 400,
    json: { member: 'recovery_code' },
  });
  t.match(await held.ask('POST', '/v1/keys', { body: { kind: 'recovery' } }), { status: 400 });
  t.match(await held.ask('POST', '/v1/keys', { body: { kind: 'recovery', ...json } }), { status: 201 });
  await held.ask('POST', '/v1/seal');
  t.equal((await held.ask('POST', '/v1/recover', { body: { kind: 'recovery', ...json } })).status, 400);
  const body = { kind: 'passphrase', new_passphrase: 'a long passphrase', ...json };
  t.match(await held.ask('POST', '/v1/recover', { body }), { status: 200, json: { status: 'recovered' } });
  t.equal((await held.ask('GET', '/v1/secrets')).status, 200, 'unsealed');
  t.notOk(held.events.join().includes(json.recovery_code.slice(0, 12)));
});
