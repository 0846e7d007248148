/** `mav key rotate --root` by the command line: what it asks for, what it says, and with a real keychain. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { answer } from './fixtures/passphrases.ts';
import { SECRET_SERVICE_PROGRAMS, skipWithout } from './fixtures/programs.ts';
import { startSecretService } from './fixtures/secret-service.ts';
import { keychainAccount } from './fixtures/stored.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { createSandbox, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);

const PHRASE = 'a passphrase of mine';
const CODE = 'Recovery code (24 words, not shown): ';
const ROTATE = ['key', 'rotate', '--root'];

interface Subject {
  readonly sandbox: Sandbox;
  readonly code: string;
  readonly pass: string;
}

/** A vault with a key of this kind, a recovery code in a file, and one secret. */
async function create(t: Test, kind: string, env: NodeJS.ProcessEnv = {}): Promise<Subject> {
  const sandbox = createSandbox(t, env);
  mkdirSync(join(sandbox.folder, 'keys'));
  const [code, pass] = ['code', 'pass'].map((name) => join(sandbox.folder, name)) as [string, string];
  writeFileSync(pass, PHRASE, { mode: 0o600 });
  const key = kind === 'file' ? ['--key-file', join(sandbox.folder, 'keys/vault.key')] : [];
  const given = kind === 'passphrase' ? ['--passphrase-file', pass] : key;
  t.match(await mav(sandbox, ['init', '--key-store', kind, '--recovery-file', code, ...given]), { code: 0 });
  return { sandbox, code, pass };
}

const readCode = ({ code }: Subject) => readFileSync(code, 'utf8').trim();

t.test('key rotate --root > on a terminal > asks for the passphrase, then for the words', async (t) => {
  const subject = await create(t, 'passphrase');
  const { sandbox, pass } = subject;
  const terminal = mavOnTerminal(t, sandbox, ROTATE);
  await answer(terminal, 'Passphrase: ', 'a wrong one');
  await answer(terminal, 'Passphrase: ', PHRASE);
  await terminal.see('If they are lost: Ctrl-C, then --drop-recovery.');
  await answer(terminal, CODE, 'some words');
  await answer(terminal, CODE, readCode(subject));
  const { code, shown } = await terminal.ended();
  t.equal(code, 0, shown);
  t.match(
    shown,
    /has a new root key\. It opens with:\s+key [0-9a-f]{8}: your passphrase, in place of [0-9a-f]{8}/,
  );
  t.match(shown, /its recovery code, in place of .*\s+Backups of before do not open with the new keys\./);
  t.notMatch(shown, readCode(subject));
  t.equal((await mav(sandbox, ['list', '--passphrase-file', pass])).code, 0);
});

t.test('key rotate --root > nobody can be asked > said what to give, and nothing changed', async (t) => {
  const { sandbox, code } = await create(t, 'file');
  const keys = (await mav(sandbox, ['key', 'list', '-o', 'plain'])).stdout;
  const refused: [args: readonly string[], code: number, says: RegExp][] = [
    [ROTATE, 2, /give --recovery-file, or --drop-recovery/],
    [[...ROTATE, '--recovery-file', join(sandbox.folder, 'keys/vault.key')], 2, /the recovery code is wrong/],
    [[...ROTATE, '--recovery-file', join(sandbox.folder, 'none')], 1, /none/],
    [['key', 'rotate', '--recovery-file', code], 2, /--recovery-file goes with --root/],
    [['key', 'rotate', '--drop-recovery'], 2, /--drop-recovery goes with --root/],
  ];
  for (const [args, exit, says] of refused) {
    const run = await mav(sandbox, args);
    t.match(run.stderr, says);
    t.equal(run.code, exit, says.source);
  }
  t.equal((await mav(sandbox, ['key', 'list', '-o', 'plain'])).stdout, keys);
  const dropped = await mav(sandbox, [...ROTATE, '--drop-recovery']);
  t.match(dropped, {
    code: 0,
    stderr: /Its recovery code opens nothing any more; for another: mav key add recovery/,
  });
  t.match(await mav(sandbox, ROTATE), { code: 0, stderr: /Rotated to generation 3/ }, 'without a code');
});

t.test('key rotate --root > beside a daemon that has closed itself > its key file is another', async (t) => {
  const { sandbox, code } = await create(t, 'file');
  const daemon = await startDaemon(t, { sandbox, init: null, token: false, launched: true });
  await mav(sandbox, ['set', 'kept'], { input: 'v' });
  const run = await mav(sandbox, [...ROTATE, '--reencrypt', '--recovery-file', code]);
  t.match(run, {
    code: 0,
    stderr: /\.key, in place of [\s\S]*Keep a copy of the key file[\s\S]*Rotated to generation 2/,
  });
  t.match(readdirSync(join(sandbox.folder, 'keys')), [/^vault-[0-9a-f]{8}\.key$/]);
  t.equal((await mav(sandbox, ['seal'])).code, 0);
  t.equal((await mav(sandbox, ['unseal'])).code, 0);
  t.equal((await mav(sandbox, ['get', 'kept'])).stdout, 'v');
  t.equal((await daemon.stop()).code, 0);
  t.equal((await mav(sandbox, ['get', 'kept'])).stdout, 'v');
  t.equal((await mav(sandbox, ['verify'])).code, 0);
});

t.test(
  'key rotate --root > a real keychain',
  { skip: skipWithout(...SECRET_SERVICE_PROGRAMS) },
  async (t) => {
    const service = await startSecretService(t);
    const subject = await create(t, 'keychain', { ...service.env, MAV_KEYCHAIN_TIMEOUT_MS: '20000' });
    const { sandbox, code } = subject;
    const args = [...ROTATE, '--recovery-file', code];
    const before = keychainAccount(sandbox.databasePath);
    const daemon = await startDaemon(t, { sandbox, init: null, token: false, launched: true });
    await mav(sandbox, ['set', 'kept'], { input: 'v' });
    t.match(await mav(sandbox, args), { code: 0, stderr: /the OS keychain, in place of / });
    const after = keychainAccount(sandbox.databasePath);
    t.not(after, before);
    t.same(service.list(), [after], 'the entry of before is gone');
    t.equal((await daemon.stop()).code, 0);
    t.equal((await mav(sandbox, ['get', 'kept'])).stdout, 'v');
    const beside = await startDaemon(t, { sandbox, init: null, token: false, launched: true });
    await service.stop();
    t.match(await mav(sandbox, args), { code: 5, stderr: /keychain/ }, 'the keychain is away');
    t.equal(keychainAccount(sandbox.databasePath), after, 'and nothing changed');
    t.equal((await mav(sandbox, ['get', 'kept'])).stdout, 'v');
    t.equal((await beside.stop()).code, 0);
  },
);

t.test('key rotate --root > the daemon may write no file beside the key > said what to do', async (t) => {
  const sandbox = createSandbox(t);
  const key = join(sandbox.folder, 'vault.key');
  t.match(await mav(sandbox, ['init', '--key-store', 'file', '--key-file', key]), { code: 0 });
  const daemon = await startDaemon(t, { sandbox, init: null, token: false, launched: true });
  const run = await mav(sandbox, ROTATE);
  // Where the kernel has no Landlock it may.
  if (run.code !== 0) t.match(run, { code: 1, stderr: /end it .*, run this again, and start it again/ });
  t.equal((await daemon.stop()).code, 0);
  t.equal((await mav(sandbox, ROTATE)).code, 0);
});
