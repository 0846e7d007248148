/** Output that goes nowhere: standard output closed, on a full disk, or thrown away on purpose. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import t from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { BIN, MAV, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(300_000);

let sandbox: Sandbox;

t.before(async () => {
  sandbox = await startDaemon(t, { token: false });
  await mav(sandbox, ['set', 'db', '--value', 'canary']);
});

/** `mav` in a shell, by its first lines, which find Node on PATH; with redirections behind it. */
function inShell(command: string, redirections: string, input = '') {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', `'${MAV}' ${command} ${redirections}`], {
    cwd: sandbox.folder,
    env: { ...sandbox.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}`, NODE_OPTIONS: '' },
    encoding: 'utf8',
    input,
  });
  return { code: status, stdout, stderr };
}

async function listTokens(): Promise<unknown[]> {
  return JSON.parse((await mav(sandbox, ['token', 'list', '-o', 'json'])).stdout);
}

t.test(
  'standard output closed > what is run for its output > fails, and does nothing',
  { skip: existsSync('/dev/fd') ? false : 'the shell cannot see what is closed here' },
  async (t) => {
    for (const command of [
      'get db',
      'get db -o json',
      'list',
      'search db',
      'export',
      'env',
      'inject -i /etc/hostname',
      'generate --name kept',
      'token create --name me --scope read',
      'token list',
    ]) {
      const { code, stderr } = inShell(command, '>&-');
      t.same([code, stderr], [1, 'mav: standard output is closed: what is printed would be lost\n'], command);
    }
    t.same(await listTokens(), [], 'no token was made');
    t.equal((await mav(sandbox, ['get', 'kept'])).code, 3, 'and nothing stored');
  },
);

t.test('standard output closed > what prints nothing, or is asked by its exit code > works', async (t) => {
  for (const command of ['set other --value v', 'rm other --force', 'status', 'doctor', 'exec -- true'])
    t.equal(inShell(command, '>&-').code, 0, command);
});

t.test('output thrown away on purpose > works', async (t) => {
  t.same(inShell('get db', '>/dev/null'), { code: 0, stdout: '', stderr: '' });
  t.equal(inShell('get none', '>/dev/null').code, 3);
  t.equal(inShell('get db', '2>/dev/null >/dev/null').code, 0);
  const status = spawn(process.execPath, [BIN, 'status'], {
    env: sandbox.env,
    stdio: 'ignore',
  });
  t.same(await once(status, 'exit'), [0, null], 'as a program that ignores it does');
});

t.test(
  'output thrown away by another program, for reading and writing > works, and prints nowhere',
  { skip: skipWithout('python3') },
  async (t) => {
    const path = `${dirname(process.execPath)}:${process.env.PATH}`;
    const env = { ...sandbox.env, PATH: path };
    const ignore =
      'import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL))';
    for (const start of [[MAV], [process.execPath, BIN]]) {
      const words = ['-c', ignore, ...start, 'get', 'db'];
      const ignored = spawnSync('python3', words, { env, encoding: 'utf8' });
      t.same([ignored.status, ignored.stderr], [0, ''], start.join(' '));
    }
    const printed = spawnSync(MAV, ['exec', '--', 'printenv'], { env, encoding: 'utf8' });
    t.notMatch(printed.stdout, /^MAV_(OUTPUT|START)=/m, 'and the program that exec runs sees nothing of it');
  },
);

t.test(
  'a full disk > what is printed there > fails, in words',
  { skip: !existsSync('/dev/full') },
  async (t) => {
    for (const command of ['get db', 'list', 'export', 'token list', 'version']) {
      const { code, stderr } = inShell(command, '>/dev/full');
      t.same(
        [code, stderr],
        [1, 'mav: the output cannot be written: ENOSPC (the disk is full; make room)\n'],
        command,
      );
    }
    const { code, stderr } = inShell('token create --name me --scope read -o table', '>/dev/full');
    const [token] = (await listTokens()) as { id: string }[];
    t.equal(code, 1);
    t.match(stderr, `the token ${token?.id} is made, and was lost on the way: mav token revoke ${token?.id}`);
  },
);

t.test('standard error or input closed > the exit code says it', async (t) => {
  t.same(inShell('get db', '2>&-'), { code: 0, stdout: 'canary', stderr: '' });
  t.equal(inShell('get none', '2>&-').code, 3);
  t.match(inShell('set empty', '<&-'), { code: 2, stderr: /the value is empty; nothing was stored/ });
  t.match(inShell('import -', '<&-'), { code: 0, stderr: /There is nothing in standard input/ });
  t.equal(inShell('inject', '<&- 2>&-').code, 0);
  t.equal(inShell('get db', '>&- 2>&- <&-').code, 1);
});
