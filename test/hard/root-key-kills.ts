/** A new root key, killed at every step, and with a full disk: the vault opens, and the next run finishes it. */
import { mkdirSync, readdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isPending, killAtEach, listKinds, opens, prepare } from '../fixtures/killed-key-changes.ts';
import { skipWithout } from '../fixtures/programs.ts';
import { createSmallSandbox, onSmallDisk } from '../fixtures/small-disk.ts';
import { mav } from '../fixtures/vault.ts';

t.setTimeout(1_700_000);

const skip = skipWithout('cc');

t.test('key rotate --root > killed at every step > every key opens it, old or new', { skip }, async (t) => {
  const subject = await prepare(t);
  const { sandbox, code, old } = subject;
  const keys = join(sandbox.folder, 'keys');
  const args = ['key', 'rotate', '--root', '--passphrase-file', old, '--recovery-file', code];
  await killAtEach(t, subject, args, async () => {
    const before = readdirSync(keys);
    if (!(await opens(sandbox, [])) || !(await opens(sandbox, ['--passphrase-file', old])))
      return 'does not open';
    const words = [
      'recover',
      '--recovery-file',
      code,
      '--key-store',
      'file',
      '--key-file',
      join(keys, 'more'),
    ];
    const recovered = await mav(sandbox, words);
    if (recovered.code !== 0) return `the words: ${recovered.stderr}`;
    const next = await mav(sandbox, args);
    if (next.code !== 0) return `the next run: ${next.code} ${next.stderr}`;
    if ((await listKinds(sandbox)) !== 'file,file,passphrase,recovery') return await listKinds(sandbox);
    const left = readdirSync(keys);
    if (left.length !== 2 || left.some((name) => before.includes(name))) return `left: ${left} of ${before}`;
    if (left.some((name) => statSync(join(keys, name)).size !== 32)) return 'half a key';
    if (!(await opens(sandbox, []))) return 'does not open at the end';
    const { code: intact, stdout } = await mav(sandbox, ['verify', '--passphrase-file', old]);
    if (intact !== 0) return stdout;
    return isPending(sandbox) ? 'not finished' : null;
  });
});

t.test(
  'key rotate --root > no room for it > nothing is lost, and with room it is done',
  onSmallDisk(),
  async (t) => {
    const sandbox = createSmallSandbox(t, '2m');
    const [keys, filler] = [join(sandbox.folder, 'keys'), join(sandbox.home, 'filler')];
    mkdirSync(keys);
    await mav(sandbox, ['init', '--key-store', 'file', '--key-file', join(keys, 'key')]);
    await mav(sandbox, ['set', 'kept'], { input: 'v' });
    let failed = 0;
    for (const free of [0, 16, 48, 64, 96, 128, 192, 256]) {
      const { bavail, bsize } = statfsSync(sandbox.home);
      writeFileSync(filler, Buffer.alloc(Math.max(bavail * bsize - free * 1_024, 0)));
      failed += (await mav(sandbox, ['key', 'rotate', '--root'])).code === 0 ? 0 : 1;
      rmSync(filler);
      t.ok(await opens(sandbox, []), `${free} KiB`);
    }
    t.comment(`figure: ${failed} of 8 found no room`);
    t.ok(failed > 0);
    t.equal((await mav(sandbox, ['key', 'rotate', '--root'])).code, 0);
    t.same([readdirSync(keys).length, isPending(sandbox)], [1, false]);
    t.equal((await mav(sandbox, ['verify'])).code, 0);
  },
);
