/** `mav destroy`: who is asked, and what is left. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { findKeyFile, readStatus, settle } from './fixtures/reports.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { createPassphraseVault, createSandbox, createVault, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);

/** Nothing of ours is left: neither the folder nor the key file's, which hold nothing else. */
function assertGone(t: Test, { home, env }: Sandbox): void {
  t.equal(existsSync(home), false, 'the folder is gone');
  t.equal(existsSync(join(env.HOME ?? '', '.config/maestrovault')), false, 'the key file is gone');
}

t.test('destroy > nobody can be asked > exit 2, and all is as it was', async (t) => {
  const sandbox = await createVault(t);
  await mav(sandbox, ['set', 'one', '--value', 'v']);
  const refused = await mav(sandbox, ['destroy']);
  t.equal(refused.code, 2);
  t.matchSnapshot(settle(refused.stderr, sandbox));
  t.equal((await mav(sandbox, ['get', 'one'])).stdout, 'v');
});

t.test('destroy > on a terminal > asks for the word', { skip: skipWithout('python3') }, async (t) => {
  const sandbox = await createVault(t);
  const hesitant = mavOnTerminal(t, sandbox, ['destroy']);
  await hesitant.see('Type destroy to go on:');
  hesitant.type('yes\r');
  t.match(await hesitant.ended(), { code: 1, shown: /nothing was done/ });
  t.equal((await readStatus(sandbox)).code, 0);
  const sure = mavOnTerminal(t, sandbox, ['destroy']);
  await sure.see('Type destroy to go on:');
  sure.type('destroy\r');
  const { code, shown } = await sure.ended();
  t.equal(code, 0);
  t.matchSnapshot(settle(shown, sandbox));
  assertGone(t, sandbox);
});

t.test('destroy > with a daemon > it ends, and leaves nothing', async (t) => {
  const bare = createSandbox(t);
  mkdirSync(join(bare.folder, 'run'), { mode: 0o700 });
  const daemon = await startDaemon(t, {
    launched: true,
    sandbox: { ...bare, env: { ...bare.env, XDG_RUNTIME_DIR: join(bare.folder, 'run') } },
  });
  const { code, stderr } = await mav(daemon, ['destroy', '--force']);
  t.equal(code, 0);
  t.matchSnapshot(settle(stderr, daemon));
  assertGone(t, daemon);
  t.same(readdirSync(join(bare.folder, 'run/maestrovault')), [], 'the session token is gone');
  t.equal((await daemon.stop()).code, 0);
  t.equal((await readStatus(daemon)).code, 1);
});

t.test('destroy > sealed, its passphrase unknown > destroyed all the same', async (t) => {
  const sandbox = await createPassphraseVault(t);
  const { code, stderr } = await mav(sandbox, ['destroy', '--force']);
  t.equal(code, 0);
  t.matchSnapshot(settle(stderr, sandbox));
  t.equal(existsSync(sandbox.home), false);
  t.equal((await mav(sandbox, ['destroy', '--force'])).code, 1, 'and once only');
});

t.test('destroy > files that are not its own > kept and named', async (t) => {
  const sandbox = await createVault(t);
  writeFileSync(join(sandbox.home, 'config.json'), '{}');
  writeFileSync(join(sandbox.home, 'notes'), '');
  const { code, stderr } = await mav(sandbox, ['destroy', '--force']);
  t.equal(code, 0);
  t.match(stderr, /Kept in .*: config\.json, notes/);
  t.same(readdirSync(sandbox.home).toSorted(), ['config.json', 'notes']);
});

t.test('destroy > a vault that a restore replaced > stays, and that is said', async (t) => {
  const sandbox = await createVault(t);
  const file = join(sandbox.folder, 'backup');
  for (const args of [
    ['backup', file],
    ['restore', file, '--force'],
  ])
    t.equal((await mav(sandbox, args)).code, 0);
  const [aside = ''] = readdirSync(sandbox.home).filter((name) => name.startsWith('replaced-'));
  const { code, stderr } = await mav(sandbox, ['destroy', '--force']);
  t.equal(code, 0);
  t.match(
    stderr,
    `mav: a vault that a restore replaced stays in ${join(sandbox.home, aside)}, and opens with`,
  );
  t.ok(existsSync(join(sandbox.home, aside, 'vault.db')));
});

t.test('destroy > after a daemon was killed > what that one left goes too', async (t) => {
  const daemon = await startDaemon(t, { launched: true });
  await daemon.stop('SIGKILL');
  t.ok(existsSync(daemon.socket));
  t.equal((await mav(daemon, ['destroy', '--force', '-q'])).code, 0);
  assertGone(t, daemon);
});

t.test('destroy > MAV_TOKEN > not allowed', async (t) => {
  const daemon = await startDaemon(t, { launched: true });
  const refused = await mav(daemon, ['destroy', '--force'], { env: { MAV_TOKEN: daemon.admin } });
  t.equal(refused.code, 4);
  t.equal((await readStatus(daemon)).code, 0);
});

t.test('destroy > the key file is not this vault’s > refused, or it stays', async (t) => {
  const sandbox = await createVault(t);
  const keyFile = findKeyFile(sandbox);
  rmSync(keyFile);
  writeFileSync(keyFile, 'k'.repeat(32), { mode: 0o400 });
  const refused = await mav(sandbox, ['destroy', '--force']);
  t.equal(refused.code, 5);
  t.match(refused.stderr, 'nothing was deleted');
  t.match(refused.stderr, 'give --even-if-key-stays');
  t.equal((await readStatus(sandbox)).code, 5, 'the vault is there');
  const done = await mav(sandbox, ['destroy', '--force', '--even-if-key-stays']);
  t.equal(done.code, 0);
  t.match(done.stderr, 'its key stays in');
  t.same([existsSync(keyFile), existsSync(sandbox.home)], [true, false]);
  rmSync(dirname(keyFile), { recursive: true });
});
