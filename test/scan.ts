/** `mav scan` as a user meets it: real files, a real git, and never a value in what it prints. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { StoredFile } from './fixtures/stored.ts';
import { createSandbox, type Finished, fillVault, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);
const skipGit = skipWithout('git');

const VALUE = 'hunter2-of-the-database';
const FIELD = 'hunter2 "field" value';
const BINARY = Buffer.from('ff00fe80c3281234', 'hex');

interface Workplace {
  readonly sandbox: Sandbox;
  /** Where mav is run. */
  readonly folder: string;
  readonly write: (path: string, content: string | Uint8Array) => void;
  /** Checks as well that no value is printed. */
  readonly scan: (...args: string[]) => Promise<Finished>;
  readonly git: (...args: string[]) => string;
}

async function fill(sandbox: Sandbox): Promise<void> {
  const store = async (input: string | Uint8Array, ...args: string[]) => {
    const { code, stderr } = await mav(sandbox, ['set', ...args], { input });
    if (code !== 0) throw new Error(stderr);
  };
  await store(VALUE, 'db', '--env', 'prod');
  await store(FIELD, 'db', '--field', 'password');
  await store(BINARY, 'key file', '--env', 'prod');
  await store('true', 'flag');
}

function openWorkplace(t: Test, sandbox: Sandbox): Workplace {
  const folder = join(sandbox.folder, 'work');
  mkdirSync(folder);
  return {
    sandbox,
    folder,
    write: (path, content) => {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), content);
    },
    scan: async (...args) => {
      const done = await mav(sandbox, ['scan', ...args], { cwd: folder });
      t.notMatch(done.stdout + done.stderr, /hunter2/, 'no value is printed');
      return done;
    },
    git: (...args) => runGit(sandbox, folder, args),
  };
}

/** Without the user's own configuration. */
function runGit({ env }: Sandbox, cwd: string, args: readonly string[]): string {
  const identity = ['-c', 'user.name=n', '-c', 'user.email=e@example.org'];
  const { status, stdout, stderr } = spawnSync('git', [...identity, ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...env, GIT_CONFIG_NOSYSTEM: '1' },
  });
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
  return stdout;
}

async function createWorkplace(t: Test): Promise<Workplace> {
  const sandbox = createSandbox(t);
  await fillVault(sandbox);
  await fill(sandbox);
  return openWorkplace(t, sandbox);
}

t.test('scan > values in files, raw and encoded > path, line and name, sorted, exit 1', async (t) => {
  const { write, scan } = await createWorkplace(t);
  write('b/config.json', JSON.stringify({ a: 1, password: FIELD }, null, 1));
  write('a.txt', `nothing\nx=${VALUE} and again ${VALUE}\n\n${VALUE}`);
  write('a.b64', Buffer.from(`Basic ${VALUE}`).toString('base64'));
  write('image.bin', Buffer.concat([Buffer.alloc(3_000_000, '\0\n'), BINARY]));
  write('both.txt', `${FIELD}${VALUE}`);
  write('clean.txt', 'true\n');
  const found = await scan();
  t.equal(found.code, 1);
  t.matchSnapshot(found.stdout, 'stdout');
  t.matchSnapshot(found.stderr, 'stderr');
  const json = await scan('-o', 'json', 'both.txt', 'a.txt');
  t.equal(json.code, 1);
  t.matchSnapshot(JSON.parse(json.stdout), 'json');
  const prod = await scan('--env', 'prod', '-q', 'both.txt');
  t.same([prod.code, prod.stdout, prod.stderr], [1, 'both.txt:1: secret db (in prod)\n', '']);
});

t.test('scan > nothing to be found > exit 0', async (t) => {
  const { write, scan } = await createWorkplace(t);
  write('clean.txt', `true ${VALUE.slice(0, -1)}\n`);
  const clean = await scan();
  t.same([clean.code, clean.stdout], [0, '']);
  t.equal((await scan('-o', 'json')).stdout, '[]\n');
  write('dev.txt', VALUE);
  const nothing = await scan('--env', 'dev');
  t.equal(nothing.code, 3, 'an environment that holds nothing');
  t.match(nothing.stderr, 'environment "dev" (--env) holds no secrets');
});

t.test('scan > standard input > found there, and nowhere else', async (t) => {
  const { sandbox } = await createWorkplace(t);
  const found = await mav(sandbox, ['scan', '-'], { input: `\n${VALUE}\n` });
  t.same([found.code, found.stdout], [1, '-:2: secret db (in prod)\n']);
  t.equal((await mav(sandbox, ['scan', '-'], { input: 'x' })).code, 0);
  for (const args of [
    ['-', 'x'],
    ['-', '--staged'],
    ['--staged', '--all'],
  ])
    t.equal((await mav(sandbox, ['scan', ...args])).code, 2, args.join(' '));
});

t.test('scan > links, and files that cannot be read > not followed; said, and exit 1', async (t) => {
  const { sandbox, folder, write, scan } = await createWorkplace(t);
  writeFileSync(join(sandbox.folder, 'elsewhere'), VALUE);
  symlinkSync(join(sandbox.folder, 'elsewhere'), join(folder, 'link'));
  symlinkSync(folder, join(folder, 'round'));
  t.equal((await scan()).code, 0);
  t.equal((await scan('link')).stdout, 'link:1: secret db (in prod)\n', 'but by its own name');
  const missing = await scan('nosuch');
  t.same([missing.code, missing.stdout], [1, '']);
  t.match(missing.stderr, 'nosuch cannot be read (ENOENT)');
  write('\u001b[31m', VALUE);
  t.equal(
    (await scan()).stdout,
    '"\\u001b[31m":1: secret db (in prod)\n',
    'a terminal is not told what to do',
  );
  if (process.geteuid?.() === 0) return;
  write('closed', VALUE);
  chmodSync(join(folder, 'closed'), 0);
  const closed = await scan('closed');
  t.equal(closed.code, 1);
  t.match(closed.stderr, 'closed cannot be read (EACCES)');
});

t.test(
  'scan > in a git work tree > what git ignores is left out, unless it is asked for',
  { skip: skipGit },
  async (t) => {
    const { write, scan, git, folder } = await createWorkplace(t);
    git('init', '-q');
    write('.gitignore', 'ignored/\n*.log\n');
    write('ignored/a.txt', VALUE);
    write('x.log', VALUE);
    write('tracked.txt', VALUE);
    write('odd\nname.txt', VALUE);
    write('deleted.txt', VALUE);
    git('add', 'tracked.txt', 'deleted.txt');
    rmSync(join(folder, 'deleted.txt'));
    write('.git/found-by-nobody', VALUE);
    const lines = (paths: string[]) => paths.map((path) => `${path}:1: secret db (in prod)\n`).join('');
    const untracked = '"odd\\nname.txt"';
    t.equal((await scan()).stdout, lines([untracked, 'tracked.txt']));
    t.equal((await scan('--all')).stdout, lines(['ignored/a.txt', untracked, 'tracked.txt', 'x.log']));
    t.equal((await scan('ignored')).stdout, lines(['ignored/a.txt']), 'a folder by its name');
    t.equal((await scan('x.log')).stdout, lines(['x.log']), 'a file by its name');
    t.equal(
      (await scan('../work')).stdout,
      lines(['../work/odd', '../work/tracked.txt']).replace('../work/odd:', '"../work/odd\\nname.txt":'),
    );
    write('inner/b.txt', VALUE);
    write('inner/.gitignore', 'c.txt\n');
    write('inner/c.txt', VALUE);
    runGit(createSandbox(t), join(folder, 'inner'), ['init', '-q']);
    t.equal(
      (await scan()).stdout,
      lines(['inner/b.txt', untracked, 'tracked.txt']),
      'a repository inside of it',
    );
  },
);

t.test(
  'scan --staged > in a real pre-commit hook > stops the commit of a value',
  { skip: skipGit },
  async (t) => {
    const { sandbox, folder, write, git, scan } = await createWorkplace(t);
    git('init', '-q');
    t.equal((await scan('--staged')).code, 0, 'nothing is staged');
    write('sub/a.txt', `first\n${VALUE}\n`);
    write('renamed\nfile', 'x'.repeat(100));
    git('add', '.');
    write('sub/a.txt', 'clean again, but staged as it was');
    write('unstaged.txt', FIELD);
    const staged = await scan('--staged');
    t.same([staged.code, staged.stdout], [1, 'sub/a.txt:2: secret db (in prod)\n']);
    t.match(staged.stderr, 'Looked through 2 files');
    t.equal((await scan('--staged', 'unstaged.txt')).code, 0, 'paths narrow it down');
    const hook = join(folder, '.git/hooks/pre-commit');
    mkdirSync(join(hook, '..'), { recursive: true });
    const bin = new URL('../dist/src/bin.js', import.meta.url).pathname;
    writeFileSync(hook, `#!/bin/sh\nexec '${process.execPath}' '${bin}' scan --staged\n`, { mode: 0o755 });
    t.throws(() => git('commit', '-q', '-m', 'x'), { message: /sub\/a.txt:2|places? found/ });
    git('add', 'sub/a.txt');
    git('commit', '-q', '-m', 'clean');
    write('sub/a.txt', VALUE);
    git('mv', 'renamed\nfile', 'new-name');
    t.throws(() => git('commit', '-q', '-a', '-m', 'by another index'), { message: /1 place found/ });
    git('checkout', '-q', 'sub/a.txt');
    git('commit', '-q', '-m', 'a name');
    git('rm', '-q', 'new-name');
    write(
      'large.bin',
      Buffer.concat([Buffer.alloc(5_000_000, '\0\n'), Buffer.from(VALUE), Buffer.alloc(100)]),
    );
    write('link-target', '');
    symlinkSync(VALUE, join(folder, 'link'));
    git('add', '.');
    git('reset', '-q', 'unstaged.txt');
    const large = await scan('--staged', '-o', 'json');
    t.strictSame(
      JSON.parse(large.stdout).map(({ path, line }: { path: string; line: number }) => [path, line]),
      [
        ['large.bin', 2_500_001],
        ['link', 1],
      ],
    );
    const elsewhere = await mav(sandbox, ['scan', '--staged']);
    t.equal(elsewhere.code, 1);
    t.match(elsewhere.stderr, 'is this folder in a git work tree?');
    const without = await mav(sandbox, ['scan', '--staged'], { env: { PATH: '/nonexistent' } });
    t.equal(without.code, 1);
    t.match(without.stderr, 'git cannot be run: ENOENT');
  },
);

t.test('scan > with a daemon, and with a token > the same; a token without read is refused', async (t) => {
  const daemon = await startDaemon(t);
  await fill(daemon);
  const scan = (token: string) => mav(daemon, ['scan', '-'], { input: VALUE, env: { MAV_TOKEN: token } });
  t.equal((await mav(daemon, ['scan', '-'], { input: VALUE })).code, 1);
  const found = await scan((await daemon.createToken(['read'])).token);
  t.same([found.code, found.stdout], [1, '-:1: secret db (in prod)\n']);
  t.equal((await scan((await daemon.createToken(['write'])).token)).code, 4);
});

t.test('scan > an entry that cannot be opened > said, and never a clean exit', async (t) => {
  const { sandbox, scan } = await createWorkplace(t);
  const file = new StoredFile(sandbox.databasePath);
  const contents = file.read();
  file.write({
    secrets: contents.secrets.map((row) => (row.name === 'flag' ? { ...row, metadata: '{"x":1}' } : row)),
  });
  file.close();
  const broken = await scan();
  t.equal(broken.code, 1);
  t.match(broken.stderr, 'flag cannot be opened, and is not looked for');
});
