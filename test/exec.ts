/** The program that `mav exec` becomes: its variables, descriptors, signals and exit codes. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { createStored, exec, preload, serveStored } from './fixtures/variables.ts';
import { BIN, mav, type Sandbox, spawnMav } from './fixtures/vault.ts';

t.setTimeout(550_000);

/** As it is before Node 26, where a program that does not start is the end of us: here the end is an exit code. */
const WITH_UNSAFE_EXECVE = `data:text/javascript,${encodeURIComponent(`
  Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '24.9.0' } });
  if (process.execve) process.execve = () => process.exit(99);`)}`;

const WITHOUT_EXECVE = 'data:text/javascript,delete(process.execve)';

t.test(
  'exec > the program > has nothing of ours but its variables',
  { skip: !existsSync('/proc/self/fd') },
  async (t) => {
    const sandbox = await createStored(t, [['db', 'v']]);
    const script = `
    umask 022
    exec "$NODE" "$BIN" exec -- sh -c '
      umask; ls -l /proc/self/fd; grep -E "^(Threads|SigIgn|SigBlk):" /proc/self/status
      "$NODE" "$BIN" list -o table; echo "$DB"; cat'`;
    const input = Buffer.from([0, 1, 0xff, 0x0a, 0x41]);
    const { stdout, stderr, status } = spawnSync('sh', ['-c', script], {
      env: { ...sandbox.env, NODE: process.execPath, BIN },
      cwd: sandbox.folder,
      input,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    t.same([status, stderr.toString()], [0, '']);
    const text = stdout.toString('latin1');
    t.match(text, /^0022\n/);
    t.notMatch(text, sandbox.folder, 'no descriptor of the vault');
    t.match(text, /Threads:\t1\n/);
    t.match(text, /SigBlk:\t0+\n/);
    t.match(text, /SigIgn:\t0+\n/, 'a pipe that is closed ends the program as ever');
    t.match(text, /\ndb +/, 'the vault is free for others');
    t.ok(
      stdout.subarray(-7).equals(Buffer.concat([Buffer.from('v\n'), input])),
      'standard input is untouched',
    );
  },
);

/** The flags of open(2) that the program finds on its standard input, output and error. */
const FLAGS = 'for fd in 0 1 2; do grep ^flags: /proc/self/fdinfo/$fd; done';

const NON_BLOCKING = 0o4000;

function readFlags(output: string): number[] {
  return [...output.matchAll(/flags:\s+([0-7]+)/g)].map(([, flags = '']) => Number.parseInt(flags, 8));
}

t.test(
  'exec > pipes and terminals > block, as programs expect',
  { skip: existsSync('/proc/self/fd') ? skipWithout('script') : 'no /proc here' },
  async (t) => {
    const daemon = await startDaemon(t);
    const run = (command: string, args: readonly string[]) =>
      spawnSync(command, args, {
        env: { ...daemon.env, NODE: process.execPath, BIN, FLAGS },
        encoding: 'utf8',
      }).stdout;
    const command = '"$NODE" "$BIN" exec --env none --allow-empty sh -c "$FLAGS"';
    for (const owner of ['daemon', 'command line']) {
      const piped = run('sh', ['-c', `echo | { ${command} 2>&1; } | cat`]);
      t.match(piped, 'no secrets', owner);
      const flags = [...readFlags(piped), ...readFlags(run('script', ['-qec', command, '/dev/null']))];
      t.equal(flags.length, 6);
      for (const one of flags) t.equal(one & NON_BLOCKING, 0, owner);
      if (owner === 'daemon') await daemon.stop();
    }
  },
);

/** `exec` in a process of its own, up to its program's first line. */
async function startProgram(sandbox: Sandbox, script: string) {
  const child = spawnMav(sandbox, ['exec', '--', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  const [line] = await Promise.race([once(child.stdout!.setEncoding('utf8'), 'data'), ended]);
  return { child, line: String(line), ended };
}

const WAIT = 'while :; do sleep 0.05; done';

t.test('exec > signals and exit codes > are those of the program', async (t) => {
  const sandbox = await createStored(t, [['db', 'v']]);
  const trapping = await startProgram(sandbox, `trap 'exit 43' TERM; echo $$; ${WAIT}`);
  t.equal(trapping.line, `${trapping.child.pid}\n`, 'the very same process');
  trapping.child.kill('SIGTERM');
  t.same(await trapping.ended, [43, null]);
  const plain = await startProgram(sandbox, `echo $$; ${WAIT}`);
  plain.child.kill('SIGINT');
  t.same(await plain.ended, [null, 'SIGINT']);
  t.equal((await exec(sandbox, ['--', 'sh', '-c', 'exit 200'])).code, 200);
});

t.test('exec > where a process cannot become another > a child gets signals, its end is ours', async (t) => {
  const sandbox = preload(await serveStored(t, [['db', 'v']]), WITHOUT_EXECVE);
  const trapping = await startProgram(sandbox, `trap 'exit 43' TERM; echo $$; ${WAIT}`);
  t.not(trapping.line, `${trapping.child.pid}\n`);
  trapping.child.kill('SIGTERM');
  t.same(await trapping.ended, [43, null]);
  const plain = await startProgram(sandbox, `echo $$; exec sleep 600`);
  plain.child.kill('SIGHUP');
  t.same(await plain.ended, [128 + 1, null]);
  const echoed = await mav(sandbox, ['exec', 'sh', '-c', 'cat; echo "$DB"; exit 7'], { input: 'in ' });
  t.same([echoed.code, echoed.stdout], [7, 'in v\n']);
  t.equal((await mav(sandbox, ['exec', 'no-such-program'])).code, 127);
});

t.test('exec > programs that cannot be run > as a shell says it', async (t) => {
  const sandbox = await serveStored(t, [['db', 'v']]);
  const write = (name: string, content: string, mode: number) => {
    const path = join(sandbox.folder, name);
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  };
  write('plain', 'text', 0o644);
  write('bare', 'echo "bare $1 $DB"', 0o755);
  write('lost', '#!/nonexistent/interpreter\n', 0o755);
  mkdirSync(join(sandbox.folder, 'folder'));
  const code = async (command: string, env: NodeJS.ProcessEnv = {}) =>
    (await exec(sandbox, ['--', command], { env })).code;
  t.equal(await code('no-such-program'), 127);
  t.equal(await code('./no-such-program'), 127);
  t.equal(await code('plain/x'), 127);
  t.equal(await code(''), 127);
  t.equal(await code('./plain'), 126);
  t.equal(await code('./folder'), 126);
  t.equal(await code('./lost'), 126);
  t.equal(await code('plain', { PATH: sandbox.folder }), 126);
  const bare = await exec(sandbox, ['bare', '--', '-x'], { env: { PATH: `:${process.env.PATH}` } });
  t.same([bare.code, bare.stdout], [0, 'bare -- v\n'], 'options end at the program');
  t.equal((await exec(sandbox, ['--'])).code, 2);
  const path = write('path.env', `PATH=${sandbox.folder}:/bin:/usr/bin`, 0o600);
  t.equal(
    (await exec(sandbox, ['--env-file', path, 'bare', 'x'])).stdout,
    'bare x \n',
    'found on its own PATH',
  );
});

t.test('exec > a failing execve would abort > a program that may not start is a child', async (t) => {
  const daemon = await serveStored(t, [['db', 'v']]);
  const sandbox = preload(daemon, WITH_UNSAFE_EXECVE);
  writeFileSync(join(daemon.folder, 'bare'), 'echo "bare $DB"', { mode: 0o755 });
  writeFileSync(join(daemon.folder, 'lost'), '#!/nonexistent/interpreter -x\n', { mode: 0o755 });
  writeFileSync(join(daemon.folder, 'script'), '#! /bin/sh\n', { mode: 0o755 });
  const run = (...args: string[]) => mav(sandbox, ['exec', ...args]);
  const bare = await run('--only', 'db', './bare');
  t.same([bare.code, bare.stdout], [0, 'bare v\n']);
  t.match(await run('--only', 'db', './lost'), { code: 126, stderr: 'its interpreter is not there' });
  for (const command of ['true', './script'])
    t.equal((await run('--only', 'db', command)).code, 99, 'execve');
});

t.test('exec > more than a program can be given > names what is too large', async (t) => {
  // Each fits, and all of them together are more than Linux takes at most, whatever ulimit -s says (6 MiB).
  const large = Array.from({ length: 60 }, (_, at) => [`large-${at}`, 'x'.repeat(120_000 + at)] as const);
  const sandbox = await serveStored(t, [...large, ['small', 'v']]);
  const refused = await exec(sandbox, ['env']);
  t.equal(refused.code, 126);
  t.match(refused.stderr, /larger than this system allows; LARGE_59 is the largest/);
  t.equal((await exec(sandbox, ['-f', 'small', 'printenv', 'SMALL'])).stdout, 'v\n');
});
