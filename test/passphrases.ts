/** Asking for passphrases on a real terminal, and what is said where nobody can be asked. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { answer, NEW, PASSPHRASE } from './fixtures/passphrases.ts';
import { mavOnTerminal, openTerminal, type Terminal } from './fixtures/terminal.ts';
import { BIN, createPassphraseVault, createSandbox, mav, type Sandbox } from './fixtures/vault.ts';

/** `mav` behind a shell, so that something can be piped into it on the terminal. */
function shell(t: Test, sandbox: Sandbox, before: string, args: string): Terminal {
  const command = [process.execPath, BIN].map((word) => `'${word}'`).join(' ');
  return openTerminal(t, sandbox, ['/bin/sh', '-c', `${before} | ${command} ${args}`]);
}

t.test(
  'unseal > a passphrase file that is empty, or none > said, and the vault is still offered',
  async (t) => {
    const sandbox = await createPassphraseVault(t);
    const daemon = await startDaemon(t, { sandbox, init: null, token: false });
    const empty = join(sandbox.folder, 'empty');
    writeFileSync(empty, '\n', { mode: 0o600 });
    const files = [
      [empty, /the passphrase file .*empty is empty\n$/],
      [sandbox.folder, /cannot be read: EISDIR \(it is a folder\)\n$/],
    ] as const;
    for (const [file, expected] of files) {
      const { code, stderr } = await mav(sandbox, ['unseal', '--passphrase-file', file]);
      t.match([code, stderr], [1, expected]);
    }
    // By way of the API: a request that is itself wrong says nothing about the vault.
    const token = readFileSync(`${daemon.socket}.session`, 'utf8').trim();
    const wrong = await daemon.ask('POST', '/v1/unseal', { token, body: { passphrase: '' } });
    t.equal(wrong.status, 400);
    const terminal = mavOnTerminal(t, sandbox, ['list']);
    await answer(terminal, 'Passphrase: ', 'a wrong one');
    await terminal.see('The passphrase is wrong.');
    // Longer than it takes until a line says how long the list has been on its way.
    await sleep(1_500);
    await answer(terminal, 'Passphrase: ', PASSPHRASE);
    const { code, shown } = await terminal.ended();
    t.equal(code, 0);
    t.notMatch(shown, 'Listing secrets');
  },
);

t.test('nobody is asked on a terminal > the advice says what is in the way', async (t) => {
  const sandbox = await createPassphraseVault(t);
  const unasked = mavOnTerminal(t, sandbox, ['list', '--no-input']);
  t.match(await unasked.ended(), {
    code: 5,
    shown: /needs its passphrase; leave --no-input out, give --pass/,
  });
  const log = join(sandbox.folder, 'log');
  await shell(t, sandbox, ':', `list 2>'${log}'`).ended();
  t.match(readFileSync(log, 'utf8'), /leave standard error on the terminal, give --passphrase-file/);
});

t.test('serve --init > the passphrase just chosen > unseals, and the next command works', async (t) => {
  const sandbox = createSandbox(t);
  const terminal = mavOnTerminal(t, sandbox, ['serve', '--init', '--key-store', 'passphrase']);
  await answer(terminal, NEW, PASSPHRASE);
  await answer(terminal, 'Once more: ', PASSPHRASE);
  await terminal.see('Serving the vault');
  const created = await mav(sandbox, ['token', 'create', '--name', 'me', '--scope', 'read,write']);
  t.equal(created.code, 0, created.stderr);
  await terminal.signal('SIGTERM');
  t.notMatch((await terminal.ended()).shown, /\bsealed/);
});

t.test('no daemon, something piped in > the passphrase is asked for on the terminal', async (t) => {
  const sandbox = await createPassphraseVault(t);
  const terminal = shell(t, sandbox, 'printf piped', 'set x');
  await answer(terminal, 'Passphrase: ', 'a wrong one');
  await terminal.see('The passphrase is wrong.');
  await answer(terminal, 'Passphrase: ', PASSPHRASE);
  t.equal((await terminal.ended()).code, 0);
  t.equal((await mav(sandbox, ['get', 'x', '--passphrase-file', sandbox.passphraseFile])).stdout, 'piped');
});

t.test('no daemon > three wrong passphrases > exit 5, and nothing more is asked', async (t) => {
  const sandbox = await createPassphraseVault(t);
  const terminal = mavOnTerminal(t, sandbox, ['list']);
  for (const typed of ['one wrong', '', 'two wrong']) await answer(terminal, 'Passphrase: ', typed);
  const { code, shown } = await terminal.ended();
  t.equal(code, 5);
  t.match(shown, 'no passphrase was right in 3 attempts');
});

t.test('a sealed daemon > on a terminal > commands offer to unseal, and go on', async (t) => {
  const sandbox = await createPassphraseVault(t);
  await startDaemon(t, { sandbox, init: null, token: false });
  const terminal = shell(t, sandbox, 'printf piped', 'set x');
  await terminal.see('The vault is sealed.');
  await answer(terminal, 'Passphrase: ', 'a wrong one');
  await answer(terminal, 'Passphrase: ', PASSPHRASE);
  t.equal((await terminal.ended()).code, 0);
  t.equal((await mav(sandbox, ['get', 'x'])).stdout, 'piped');
  const again = await mav(sandbox, ['unseal']);
  t.same([again.code, again.stderr], [0, 'The vault is unsealed already.\n']);

  t.match(await mav(sandbox, ['seal']), { code: 0, stderr: 'The vault is sealed.\n' });
  t.match(await mav(sandbox, ['seal']), { code: 0, stderr: 'The vault is sealed already.\n' });
  const refused = mavOnTerminal(t, sandbox, ['get', 'x', '--no-input']);
  t.match(await refused.ended(), { code: 5, shown: 'mav: the vault is sealed; run: mav unseal\n' });
  const unsealing = mavOnTerminal(t, sandbox, ['unseal']);
  await answer(unsealing, 'Passphrase: ', 'a wrong one');
  await unsealing.see('The passphrase is wrong.');
  await answer(unsealing, 'Passphrase: ', PASSPHRASE);
  t.match(await unsealing.ended(), { code: 0, shown: /The vault is unsealed\./ });
});

t.test('a sealed daemon with a key file > on a terminal > asks whether to unseal', async (t) => {
  const sandbox = createSandbox(t);
  const key = join(sandbox.folder, 'key');
  await startDaemon(t, { sandbox, init: ['--key-store', 'file', '--key-file', key], token: false });
  await mav(sandbox, ['set', 'x', '--value', 'v']);
  await mav(sandbox, ['seal']);
  const declined = mavOnTerminal(t, sandbox, ['list']);
  await answer(declined, 'Unseal it now? [Y/n] ', 'n');
  t.match(await declined.ended(), { code: 5, shown: /the vault is sealed; run: mav unseal/ });
  const agreed = mavOnTerminal(t, sandbox, ['list']);
  await answer(agreed, 'Unseal it now? [Y/n] ', '');
  t.match(await agreed.ended(), { code: 0 });
});

t.test('nobody can be asked > the advice works for the user who gets it', async (t) => {
  const sandbox = await createPassphraseVault(t);
  const says = async (args: string[], expected: RegExp, env: NodeJS.ProcessEnv = {}) => {
    const { code, stderr } = await mav(sandbox, args, { env });
    t.match(stderr, expected, args.join(' '));
    t.not(code, 0);
  };
  const wrong = join(sandbox.folder, 'wrong');
  writeFileSync(wrong, 'not this one', { mode: 0o600 });
  await says(
    ['list'],
    /needs its passphrase; run this on a terminal, give --passphrase-file FILE, or start the/,
  );
  await says(
    ['list', '--passphrase-file', wrong],
    /in the file .*wrong is wrong; put the right one there, then try/,
  );
  const token = { MAV_TOKEN: `mvt_${'a'.repeat(64)}` };
  await startDaemon(t, { sandbox, init: null, token: false });
  await says(['list'], /needs its passphrase; run: mav unseal\n$/);
  await says(['list'], /run, without MAV_TOKEN: mav unseal\n$/, token);
  await says(['unseal'], /run this on a terminal, or give --passphrase-file FILE\n$/);
  await says(['unseal'], /no token may unseal the vault; run this without MAV_TOKEN\n$/, token);
  await says(['seal'], /no token may seal the vault; run this without MAV_TOKEN\n$/, token);
  await says(
    ['unseal', '--passphrase-file', wrong],
    /in the file .*wrong is wrong; put the right one there\n$/,
  );
});

t.test('serve > --passphrase-file, closed by its launcher > unseals; gone, serves sealed', async (t) => {
  const sandbox = createSandbox(t);
  const path = join(sandbox.folder, 'passphrase');
  const file = ['--passphrase-file', path];
  const missing = await mav(sandbox, ['init', '--key-store', 'passphrase', ...file]);
  t.match(missing, { code: 1, stderr: /passphrase cannot be read: ENOENT/ });
  t.notOk(existsSync(sandbox.home), 'nothing is left behind');
  writeFileSync(path, 'correct horse battery\n', { mode: 0o600 });
  const made = { sandbox, launched: true, init: null, token: false };
  const serve = ['--init', '--key-store', 'passphrase', ...file];
  const first = await startDaemon(t, { ...made, serve });
  t.equal((await first.ask('GET', '/v1/health')).json.sealed, undefined);
  await first.stop();
  const second = await startDaemon(t, { ...made, serve: file });
  t.equal((await second.ask('GET', '/v1/health')).json.sealed, undefined, 'at the next start too');
  await second.stop();
  rmSync(path);
  const third = await startDaemon(t, { ...made, serve: file });
  t.match((await third.ask('GET', '/v1/health')).json, { sealed: true });
  t.match(third.log(), [{ event: 'sealed', detail: /the passphrase file .* cannot be read/ }]);
  await third.stop();
});

t.test(
  'key rotate > a sealed daemon > unseals it with the passphrase; else says how, and it works',
  async (t) => {
    const sandbox = await createPassphraseVault(t);
    const daemon = await startDaemon(t, { sandbox, init: null, token: false });
    t.match(await mav(sandbox, ['key', 'rotate']), { code: 5, stderr: /passphrase; run: mav unseal\n$/ });
    const token = readFileSync(`${daemon.socket}.session`, 'utf8').trim();
    const refused = await daemon.ask('POST', '/v1/keys/rotate', { token });
    t.match(refused.json, { error: /run: mav unseal$/, reason: 'needs_passphrase' });
    const terminal = mavOnTerminal(t, sandbox, ['key', 'rotate']);
    await answer(terminal, 'Passphrase: ', 'a wrong one');
    await terminal.see('The passphrase is wrong.');
    await answer(terminal, 'Passphrase: ', PASSPHRASE);
    const { code, shown } = await terminal.ended();
    t.equal(code, 0);
    t.match(shown, /The vault is unsealed\..*Rotated to generation 2\./s);
    const unasked = await mav(sandbox, ['key', 'rotate']);
    t.match(unasked.stderr, /run this on a terminal, or give --passphrase-file FILE\n$/);
    await mav(sandbox, ['seal']);
    t.match(await mav(sandbox, ['key', 'rotate']), {
      code: 5,
      stderr: 'mav: the vault is sealed; run: mav unseal\n',
    });
    const rotated = await mav(sandbox, ['key', 'rotate', '--passphrase-file', sandbox.passphraseFile]);
    t.same([rotated.code, rotated.stderr], [0, 'The vault is unsealed.\nRotated to generation 3.\n']);
  },
);
