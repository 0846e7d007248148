/** Choosing the passphrase of a new vault, and what is left where that is given up. */
import { type Dirent, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { MIN_PASSPHRASE_LENGTH } from '../src/cli/terminal/prompt.ts';
import { MIN_PASSPHRASE_LENGTH as VAULTS_OWN } from '../workers/keys/slots/passphrase.ts';
import { answer, NEW, PASSPHRASE } from './fixtures/passphrases.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { createSandbox, mav } from './fixtures/vault.ts';

t.test('init > passphrases that cannot be taken > asked for again, by the rule in the prompt', async (t) => {
  const sandbox = createSandbox(t);
  const terminal = mavOnTerminal(t, sandbox, ['init', '--key-store', 'passphrase', '--no-recovery']);
  await answer(terminal, NEW, '');
  await answer(terminal, NEW, 'seven77');
  await answer(terminal, NEW, PASSPHRASE);
  await answer(terminal, 'Once more: ', 'something else');
  await terminal.see('These were not the same.');
  await answer(terminal, NEW, PASSPHRASE);
  await answer(terminal, 'Once more: ', PASSPHRASE);
  const { code, shown } = await terminal.ended();
  t.equal(code, 0);
  t.match(shown, 'Made a vault');
  t.notMatch(shown, PASSPHRASE);
  t.equal(MIN_PASSPHRASE_LENGTH, VAULTS_OWN, 'the prompt says what the vault takes');
});

t.test('init > nothing but bad passphrases > ends, and leaves nothing behind', async (t) => {
  const sandbox = createSandbox(t);
  const terminal = mavOnTerminal(t, sandbox, ['init', '--key-store', 'passphrase', '--no-recovery']);
  for (let count = 0; count < 5; count++) await answer(terminal, NEW, 'short');
  t.equal((await terminal.ended()).code, 1);
  t.notOk(existsSync(sandbox.home));
});

function listAll(folder: string): Dirent[] {
  return existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : [];
}

function listFiles(folder: string): string[] {
  return listAll(folder)
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name);
}

t.test(
  'init, serve --init > given up at the prompt > leaves nothing behind, but empty folders of the daemon',
  async (t) => {
    for (const command of ['init', 'serve --init'])
      for (const give of ['\x03', '\x04', 'SIGTERM', 'SIGKILL', 'SIGHUP'] as const) {
        const sandbox = createSandbox(t);
        const args = [
          ...command.split(' '),
          '--key-store',
          'passphrase',
          '--home',
          join(sandbox.home, 'deep'),
        ];
        const terminal = mavOnTerminal(t, sandbox, args);
        await terminal.see(NEW);
        if (give.length > 1) await terminal.signal(give as NodeJS.Signals);
        else terminal.type(give);
        const { code } = await terminal.ended();
        t.not(code, 0, `${command}, ${JSON.stringify(give)}`);
        // The daemon's launcher makes the folders that the kernel is to let the daemon into.
        for (const place of [sandbox.home, sandbox.env.HOME ?? ''])
          t.same(command === 'init' ? listAll(place) : listFiles(place), [], place);
      }
  },
);

t.test(
  'init > a place where no daemon could listen > refused before anything is asked or made',
  async (t) => {
    const sandbox = createSandbox(t);
    const long = join(sandbox.home, 'x'.repeat(120));
    for (const args of [
      ['--home', long],
      ['--socket', join(long, 's')],
      ['--socket', join(sandbox.folder, 'missing', 's')],
    ]) {
      const refused = await mav(sandbox, ['init', '--key-store', 'file', ...args]);
      t.equal(refused.code, 1);
      t.match(refused.stderr, /socket's (path takes|folder .* is not there)/);
      t.notOk(existsSync(sandbox.home));
    }
  },
);

t.test('init > fails > leaves nothing behind', async (t) => {
  const sandbox = createSandbox(t);
  const missing = join(sandbox.folder, 'missing', 'key');
  const failing: readonly (readonly [args: string[], env?: NodeJS.ProcessEnv])[] = [
    [['--key-store', 'file', '--key-file', missing]],
    [['--key-store', 'passphrase', '--passphrase-file', missing]],
    [['--key-store', 'passphrase', '--passphrase-file', sandbox.folder]],
    [['--key-store', 'file'], { MAV_KEYCHAIN_TIMEOUT_MS: 'soon' }],
  ];
  for (const [args, env = {}] of failing) {
    const refused = await mav(sandbox, ['init', ...args], { env });
    t.not(refused.code, 0);
    t.notOk(existsSync(sandbox.home), args.join(' '));
  }
});
