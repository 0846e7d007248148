/** A backup and a restoration, cut short at every step: nothing is half there, and the next run finishes it. */
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readBackup } from '../fixtures/backups.ts';
import { createHeldVault } from '../fixtures/held.ts';
import { buildKiller, runToCall } from '../fixtures/killer.ts';
import { skipWithout } from '../fixtures/programs.ts';
import { createSmallSandbox, onSmallDisk } from '../fixtures/small-disk.ts';
import { initVault, mav, mavAlone, type Sandbox } from '../fixtures/vault.ts';

t.jobs = 2;

/** More than either makes: one that never ends is a mistake of the test. */
const MAX_CALLS = 400;
const VALUE = 'v'.repeat(20_000);

async function fill(sandbox: Sandbox, value: string): Promise<void> {
  for (const name of ['a', 'b', 'c']) await mav(sandbox, ['set', name], { input: value + VALUE });
}

const get = async (sandbox: Sandbox, name: string) => (await mav(sandbox, ['get', name])).stdout.slice(0, 4);

/** Runs `attempt` with the vault as it is now, once for each call at which it is killed, and judges what is left. */
async function killAtEach(
  t: Test,
  sandbox: Sandbox,
  args: readonly string[],
  findLoss: () => Promise<string | null>,
): Promise<void> {
  const killer = buildKiller(sandbox.folder);
  const kept = join(sandbox.folder, 'kept');
  cpSync(sandbox.home, kept, { recursive: true });
  let nth = 1;
  for (; nth <= MAX_CALLS; nth++) {
    rmSync(sandbox.home, { recursive: true });
    cpSync(kept, sandbox.home, { recursive: true });
    const wasKilled = await runToCall(sandbox, args, nth, killer);
    t.equal(await findLoss(), null, `call ${nth}`);
    if (!wasKilled) break;
  }
  t.comment(`figure: mav ${args[0]}: killed at ${nth - 1} calls`);
  t.ok(nth > 10 && nth <= MAX_CALLS, 'it was killed, and at last it was not');
}

t.test(
  'backup > killed at every step > no half of it, and the next run makes it',
  { skip: skipWithout('cc') },
  async (t) => {
    const sandbox = await createHeldVault(t);
    await fill(sandbox, 'then');
    const folder = join(sandbox.folder, 'backups');
    mkdirSync(folder);
    const file = join(folder, 'it');
    await killAtEach(t, sandbox, ['backup', file], async () => {
      if (existsSync(file)) readBackup(file);
      rmSync(file, { force: true });
      const next = await mav(sandbox, ['backup', file]);
      if (next.code !== 0) return `the next run: ${next.stderr}`;
      readBackup(file);
      rmSync(file);
      return (await get(sandbox, 'c')) === 'then' ? null : 'the vault lost a secret';
    });
  },
);

t.test(
  'restore > killed at every step > the old vault or the new one, and the next run finishes it',
  { skip: skipWithout('cc') },
  async (t) => {
    const sandbox = await createHeldVault(t);
    await fill(sandbox, 'then');
    const file = join(sandbox.folder, 'it');
    await mav(sandbox, ['backup', file]);
    await fill(sandbox, 'now ');
    await killAtEach(t, sandbox, ['restore', file, '--force'], async () => {
      const states = await Promise.all(['a', 'b', 'c'].map((name) => get(sandbox, name)));
      if (new Set(states).size !== 1 || !['then', 'now '].includes(states[0] ?? '')) return `half: ${states}`;
      const next = await mav(sandbox, ['restore', file, '--force']);
      if (next.code !== 0) return `the next run: ${next.stderr}`;
      const verified = await mav(sandbox, ['verify']);
      if (verified.code !== 0) return `after it: ${verified.stdout}`;
      if ((await get(sandbox, 'a')) !== 'then') return 'the next run restored nothing';
      const left = readdirSync(sandbox.home).filter((name) => name.startsWith('restore-'));
      return left.length === 0 ? null : `left: ${left}`;
    });
  },
);

t.test('backup, restore > the disk is full > said, and nothing is changed', onSmallDisk(), async (t) => {
  const sandbox = createSmallSandbox(t, '1m');
  await initVault(sandbox, ['--key-store', 'file', '--key-file', join(sandbox.folder, 'vault.key')]);
  await fill(sandbox, 'then');
  const file = join(sandbox.folder, 'it');
  t.match(await mav(sandbox, ['backup', file]), { code: 0 });
  for (let index = 0; (await mav(sandbox, ['set', `n${index}`], { input: VALUE })).code === 0; ) index += 1;
  const backup = await mav(sandbox, ['backup', join(sandbox.folder, 'other')]);
  t.match(backup, { code: 1, stderr: /the disk is full/ });
  t.notOk(existsSync(join(sandbox.folder, 'other')));
  const restored = await mav(sandbox, ['restore', file, '--force']);
  t.match(restored, { code: 1, stderr: /no space left|the disk is full/i });
  t.equal(await get(sandbox, 'n0'), 'vvvv');
  t.strictSame(
    readdirSync(sandbox.home).filter((name) => /restore-|replaced-|backup-/.test(name)),
    [],
  );
});

t.test('restore > two at once > one after the other, or it says why not', async (t) => {
  const sandbox = await createHeldVault(t);
  await fill(sandbox, 'then');
  const file = join(sandbox.folder, 'it');
  await mav(sandbox, ['backup', file]);
  await fill(sandbox, 'now ');
  const ran = await Promise.all([1, 2].map(() => mavAlone(sandbox, ['restore', file, '--force'])));
  t.ok(
    ran.some(({ code }) => code === 0),
    ran.map(({ stderr }) => stderr).join(),
  );
  t.ok(ran.every(({ code, stderr }) => code === 0 || stderr.includes('is held by')));
  t.equal(await get(sandbox, 'a'), 'then');
  t.match(await mav(sandbox, ['verify']), { code: 0 });
});
