/** `mav status`, `doctor` and `destroy` with a real Secret Service. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { SECRET_SERVICE_PROGRAMS, skipWithout } from './fixtures/programs.ts';
import { diagnose, readStatus, settle } from './fixtures/reports.ts';
import { startSecretService } from './fixtures/secret-service.ts';
import { keychainAccount } from './fixtures/stored.ts';
import { createSandbox, mav } from './fixtures/vault.ts';

t.setTimeout(550_000);

t.test('keychain > a real Secret Service', { skip: skipWithout(...SECRET_SERVICE_PROGRAMS) }, async (t) => {
  const service = await startSecretService(t);
  const create = async () => {
    const sandbox = createSandbox(t, { ...service.env, MAV_KEYCHAIN_TIMEOUT_MS: '20000' });
    await mav(sandbox, ['init', '--key-store', 'keychain']);
    return sandbox;
  };

  await t.test('destroy > the key lies in the keychain > it goes, and no other', async (t) => {
    const [one, other] = [await create(), await create()];
    t.equal(service.list().length, 2);
    const daemon = await startDaemon(t, { sandbox: one, init: null, launched: true });
    t.match(await diagnose(one), { code: 0, complaints: [] });
    const { code, stderr } = await mav(one, ['destroy', '--force']);
    t.equal(code, 0);
    t.matchSnapshot(settle(stderr, one));
    t.equal((await daemon.stop()).code, 0);
    t.equal(service.list().length, 1);
    t.equal((await readStatus(other)).code, 0, 'the other vault opens');
    t.equal((await mav(other, ['destroy', '--force'])).code, 0, 'without a daemon');
    t.same(service.list(), []);
  });

  await t.test('recover > the entry vanished > a new one, and the vault opens by it', async (t) => {
    const sandbox = createSandbox(t, { ...service.env, MAV_KEYCHAIN_TIMEOUT_MS: '20000' });
    const code = join(sandbox.folder, 'code');
    await mav(sandbox, ['init', '--key-store', 'keychain', '--recovery-file', code]);
    const account = keychainAccount(sandbox.databasePath);
    await service.remove(account);
    const lost = await mav(sandbox, ['set', 'kept'], { input: 'v' });
    t.match(lost, { code: 5, stderr: /has no entry .*, or run mav recover with the recovery code/ });
    t.match(await mav(sandbox, ['recover', '--recovery-file', code, '--key-store', 'keychain']), { code: 0 });
    t.match(await mav(sandbox, ['set', 'kept'], { input: 'v' }), { code: 0 });
    const next = keychainAccount(sandbox.databasePath);
    t.not(next, account);
    t.same((await service.read(next))?.length, 32);
    t.match(await mav(sandbox, ['destroy', '--force']), { code: 0 });
    t.notOk(service.list().includes(next));
  });

  await t.test('doctor, destroy > the keychain is away > said, and nothing deleted', async (t) => {
    const sandbox = await create();
    const daemon = await startDaemon(t, { sandbox, init: null, launched: true });
    await service.stop();
    t.match(await diagnose(sandbox), { code: 1, complaints: [/^key store FAIL/] });
    t.equal((await readStatus(sandbox)).code, 0, 'the daemon has its keys');
    const refused = await mav(sandbox, ['destroy', '--force']);
    t.same([refused.code, existsSync(sandbox.databasePath)], [5, true]);
    await daemon.stop();
    t.match(await diagnose(sandbox), { code: 1, complaints: [/^vault FAIL sealed/] });
    t.equal((await readStatus(sandbox)).code, 5);
    const done = await mav(sandbox, ['destroy', '--force', '--even-if-key-stays']);
    t.equal(done.code, 0);
    t.match(done.stderr, 'its key stays in: its key in the OS keychain');
    t.equal(existsSync(sandbox.home), false);
  });
});
