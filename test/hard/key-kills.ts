/** A change of a vault's keys, killed at every step: the vault opens, and the next run finishes it. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isPending, killAtEach, listKinds, opens, prepare } from '../fixtures/killed-key-changes.ts';
import { skipWithout } from '../fixtures/programs.ts';
import { mav } from '../fixtures/vault.ts';

t.jobs = 2;

const skip = skipWithout('cc');

t.test(
  'key add file > killed at every step > it opens, and the next run finishes it',
  { skip },
  async (t) => {
    const subject = await prepare(t);
    const { sandbox, old } = subject;
    const place = join(sandbox.folder, 'keys/more');
    const args = ['key', 'add', 'file', '--key-file', place];
    await killAtEach(t, subject, args, async () => {
      if (!(await opens(sandbox, [])) || !(await opens(sandbox, ['--passphrase-file', old])))
        return 'does not open';
      const isThere = (await listKinds(sandbox)).includes('file,file');
      const next = await mav(sandbox, args);
      if (next.code !== (isThere ? 1 : 0)) return `the next run: ${next.code} ${next.stderr}`;
      if ((await listKinds(sandbox)) !== 'file,file,passphrase,recovery') return await listKinds(sandbox);
      return statSync(place).size === 32 && !isPending(sandbox) ? null : 'not finished';
    });
  },
);

t.test('key remove > killed at every step > it opens, and the next run finishes it', { skip }, async (t) => {
  const subject = await prepare(t);
  const { sandbox, key, old } = subject;
  const [line = ''] = (await mav(sandbox, ['key', 'list', '-o', 'plain'])).stdout.split('\n');
  const args = ['key', 'remove', line.split('\t')[0] ?? '', '--force', '--passphrase-file', old];
  await killAtEach(t, subject, args, async () => {
    if (!(await opens(sandbox, ['--passphrase-file', old]))) return 'does not open';
    const next = await mav(sandbox, args);
    if (next.code !== 0 && next.code !== 3) return `the next run: ${next.code} ${next.stderr}`;
    if ((await listKinds(sandbox)) !== 'passphrase,recovery') return await listKinds(sandbox);
    return existsSync(key) || isPending(sandbox) ? 'not finished' : null;
  });
});

t.test('passphrase change > killed at every step > the old one or the new one', { skip }, async (t) => {
  const subject = await prepare(t);
  const { sandbox, key, old, next } = subject;
  // Else it would open without a passphrase.
  rmSync(key);
  const change = (from: string, to: string) => [
    'passphrase',
    'change',
    '--passphrase-file',
    from,
    '--new-passphrase-file',
    to,
  ];
  await killAtEach(t, subject, change(old, next), async () => {
    const isOld = await opens(sandbox, ['--passphrase-file', old]);
    if (isOld === (await opens(sandbox, ['--passphrase-file', next])))
      return isOld ? 'both open' : 'none opens';
    const again = await mav(sandbox, isOld ? change(old, next) : change(next, old));
    if (again.code !== 0) return `the next run: ${again.code} ${again.stderr}`;
    return (await listKinds(sandbox)) === 'file,passphrase,recovery' && !isPending(sandbox)
      ? null
      : 'not finished';
  });
});

t.test('recover > killed at every step > the next run recovers it', { skip }, async (t) => {
  const subject = await prepare(t);
  const { sandbox, key, code, next } = subject;
  rmSync(key);
  rmSync(join(sandbox.env.HOME ?? '', '.config'), { recursive: true });
  const args = [
    'recover',
    '--recovery-file',
    code,
    '--key-store',
    'passphrase',
    '--new-passphrase-file',
    next,
  ];
  await killAtEach(t, subject, args, async () => {
    if (
      !existsSync(join(sandbox.env.HOME ?? '', '.config')) ||
      !(await opens(sandbox, ['--passphrase-file', next]))
    ) {
      const again = await mav(sandbox, args);
      if (again.code !== 0) return `the next run: ${again.code} ${again.stderr}`;
    }
    if (!(await opens(sandbox, ['--passphrase-file', next]))) return 'does not open';
    const drafts = readdirSync(sandbox.home).filter((name) => name.includes('new'));
    return drafts.length === 0 ? null : `left: ${drafts}`;
  });
});
