/** A change of a vault's keys, killed at every step: the vault opens, and the next run finishes it. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { buildKiller, runToCall } from '../fixtures/killer.ts';
import { skipWithout } from '../fixtures/programs.ts';
import { createSandbox, mav, type Sandbox } from '../fixtures/vault.ts';

t.jobs = 2;

/** More than any change makes: one that never ends is a mistake of the test. */
const MAX_CALLS = 200;
const OLD = 'the old passphrase';
const NEW = 'the new passphrase';

interface Subject {
  readonly sandbox: Sandbox;
  readonly key: string;
  readonly code: string;
  readonly old: string;
  readonly next: string;
}

/** A vault with a key file, a passphrase and a recovery code. */
async function prepare(t: Test): Promise<Subject> {
  const sandbox = createSandbox(t);
  const keys = join(sandbox.folder, 'keys');
  mkdirSync(keys);
  const place = (name: string) => join(sandbox.folder, name);
  const [key, code, old, next] = [join(keys, 'key'), place('code'), place('old'), place('next')];
  for (const [path, text] of [
    [old, OLD],
    [next, NEW],
  ] as const)
    writeFileSync(path, text, { mode: 0o600 });
  await mav(sandbox, ['init', '--key-store', 'file', '--key-file', key, '--recovery-file', code]);
  await mav(sandbox, ['key', 'add', 'passphrase', '--new-passphrase-file', old]);
  await mav(sandbox, ['set', 'kept'], { input: 'v' });
  return { sandbox, key, code, old, next };
}

/** What a change may touch: the vault, the list of known vaults, the key files. */
const foldersOf = ({ folder, home }: Sandbox) => [home, join(folder, 'home'), join(folder, 'keys')];

/** Runs the change as often as it can be killed at another call, and judges what each leaves. */
async function killAtEach(
  t: Test,
  { sandbox }: Subject,
  args: readonly string[],
  findLoss: () => Promise<string | null>,
): Promise<void> {
  const killer = buildKiller(sandbox.folder);
  const copyOf = (at: number) => join(sandbox.folder, `copy${at}`);
  const folders = foldersOf(sandbox);
  for (const [at, folder] of folders.entries()) cpSync(folder, copyOf(at), { recursive: true });
  let nth = 1;
  for (; nth <= MAX_CALLS; nth++) {
    for (const [at, folder] of folders.entries()) {
      rmSync(folder, { recursive: true, force: true });
      cpSync(copyOf(at), folder, { recursive: true });
    }
    const wasKilled = await runToCall(sandbox, args, nth, killer);
    t.equal(await findLoss(), null, `call ${nth}`);
    if (!wasKilled) break;
  }
  t.comment(`figure: mav ${args.slice(0, 2).join(' ')}: killed at ${nth - 1} calls`);
  t.ok(nth > 5 && nth <= MAX_CALLS, 'it was killed, and at last it was not');
}

const opens = async (sandbox: Sandbox, options: readonly string[]) =>
  (await mav(sandbox, ['get', 'kept', ...options])).stdout === 'v';

async function listKinds(sandbox: Sandbox): Promise<string> {
  const { stdout } = await mav(sandbox, ['key', 'list', '-o', 'plain']);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t')[1])
    .sort()
    .join();
}

/** Whether the list of known vaults names a key whose change has not ended. */
function isPending({ env }: Sandbox): boolean {
  return readFileSync(join(env.HOME ?? '', '.config/maestrovault/known-vaults.json'), 'utf8').includes(
    'pending',
  );
}

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
