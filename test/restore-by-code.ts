/** Backups on a machine where their key is not: their recovery code opens them. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { KEY_FILE } from './fixtures/made-vaults.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { createSandbox, mav, type Sandbox } from './fixtures/vault.ts';

interface Lost {
  /** Where nothing of the vault is. */
  readonly machine: Sandbox;
  readonly backup: string;
  /** The file with the code. */
  readonly code: string;
}

/** A backup of a vault with one secret, whose key file is gone. */
async function loseMachine(t: Test): Promise<Lost> {
  const sandbox = createSandbox(t);
  const [key, code, backup] = [KEY_FILE, 'code', 'a.backup'].map((name) => join(sandbox.folder, name)) as [
    string,
    string,
    string,
  ];
  const init = ['init', '--key-store', 'file', '--key-file', key, '--recovery-file', code];
  t.match(await mav(sandbox, init), { code: 0 });
  await mav(sandbox, ['set', 'kept'], { input: 'then' });
  t.match(await mav(sandbox, ['backup', backup]), { code: 0 });
  renameSync(key, `${key}.gone`);
  return { machine: createSandbox(t), backup, code };
}

t.test('restore, verify > the key is gone > only the recovery code opens the backup', async (t) => {
  const { machine, backup, code } = await loseMachine(t);
  const hint = /This backup opens with its recovery code, too: --recovery-file PATH\./;
  for (const args of [
    ['verify', backup],
    ['restore', backup, '--force'],
  ])
    t.match(await mav(machine, args), { code: 5, stderr: hint }, args.join(' '));
  t.notOk(existsSync(machine.databasePath));
  const given = ['--recovery-file', code];
  t.match(await mav(machine, ['verify', backup, ...given]), { code: 0, stderr: /Everything opens/ });
  t.match(await mav(machine, ['verify', ...given]), { code: 2 }, 'the vault itself opens with its keys');
  t.match(await mav(machine, ['restore', backup, '--dry-run', ...given]), { code: 0 });
  t.notOk(existsSync(machine.databasePath));
  t.match(await mav(machine, ['restore', backup, '--force', ...given]), {
    code: 0,
    stderr: /To give it a key on this machine: mav recover/,
  });
  t.equal((await mav(machine, ['get', 'kept'])).code, 5);
  t.match(await mav(machine, ['recover', '--key-store', 'file', ...given]), { code: 0 });
  t.match(await mav(machine, ['get', 'kept']), { code: 0, stdout: 'then' });
});

t.test('restore > a wrong code > nothing is restored, and the member is named', async (t) => {
  const { machine, backup, code } = await loseMachine(t);
  const words = readFileSync(code, 'utf8').trim().split(' ');
  const other = join(machine.folder, 'other');
  mkdirSync(machine.folder, { recursive: true });
  for (const wrong of [words.slice(1), [...words.slice(1), words[0]], ['nonsense', ...words.slice(1)]]) {
    writeFileSync(other, wrong.join(' '), { mode: 0o600 });
    const refused = await mav(machine, ['restore', backup, '--force', '--recovery-file', other]);
    t.equal(refused.code, 2, refused.stderr);
    t.match(refused.stderr, /recovery code|word/);
  }
  t.notOk(existsSync(machine.databasePath));
});

t.test('restore --only > on a terminal > asks for the code, and brings the secret back', async (t) => {
  const { machine, backup, code } = await loseMachine(t);
  t.match(await mav(machine, ['init', '--key-store', 'file']), { code: 0 });
  const typing = mavOnTerminal(t, machine, ['restore', backup, '--only', 'kept']);
  await typing.see('The key of this backup is not on this machine. Its recovery code opens it.');
  await typing.see('Recovery code (24 words, not shown): ');
  typing.type(`${readFileSync(code, 'utf8').trim()}\r`);
  t.equal((await typing.ended()).code, 0);
  t.match(await mav(machine, ['get', 'kept']), { code: 0, stdout: 'then' });
});
