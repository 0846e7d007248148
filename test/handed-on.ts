/** What a program gets through `mav exec` that is not ours: all that it would get without us. */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { skipWithout } from './fixtures/programs.ts';
import { BIN, createSandbox, MAV, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);

const skip = existsSync('/proc/self/fd')
  ? skipWithout('python3', 'sh', 'env', 'ls', 'grep')
  : 'no /proc here';
/** node:ffi came with Node 26.1. */
const hasFfi = process.allowedNodeEnvironmentFlags.has('--allow-ffi');

/**
 * Runs the program in its arguments with what a parent can hand on: signals ignored and blocked, limits, descriptors
 * (among them a jobserver's pipe, whose ends are both there), and an environment with names that no shell would keep.
 */
const PARENT = `
import os, resource, signal, socket, sys
os.closerange(3, 1024)
os.umask(0o027)
os.nice(3)
for name in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGUSR1): signal.signal(name, signal.SIG_IGN)
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR2])
resource.setrlimit(resource.RLIMIT_NOFILE, (300, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
keep = []
def place(fd, number):
    os.dup2(fd, number); os.set_inheritable(number, True); keep.append(number)
r, w = os.pipe(); place(r, 25); place(w, 26)
a, b = socket.socketpair(); place(a.fileno(), 29)
f = os.open('/etc/passwd', os.O_RDONLY)
for n in (3, 12, 16, 40): place(f, n)
os.dup2(25, 5); os.set_inheritable(5, True); os.dup2(26, 6); os.set_inheritable(6, True); place(29, 9)
for n in range(3, 1024):
    if n not in (3, 5, 6, 9, 12, 16, 40):
        try: os.close(n)
        except OSError: pass
env = {k: os.environ[k] for k in ('PATH', 'HOME', 'MAV_HOME')}
env = {'Z': '1', 'foo.bar': '2', 'BASH_FUNC_x%%': '() { :; }', **env, 'A': '3'}
os.execvpe(sys.argv[1], sys.argv[1:], env)
`;

/** What is printed by the program, with the parts of it that differ from run to run left out. */
function runUnder(sandbox: Sandbox, front: readonly string[], program: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync('python3', ['-I', '-c', PARENT, ...front, ...program], {
    env: { ...sandbox.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` },
    cwd: sandbox.folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = stdout.replaceAll(/\[\d+\]|\/proc\/\d+/g, '');
  return `${status} ${stderr}${text}`;
}

const LIST = ['sh', '-c', 'ls -l /proc/self/fd | sed "s/.* \\([0-9]* -> \\)/\\1/" | sort'];
const PROBES: Readonly<Record<string, readonly string[]>> = {
  'signals and umask': ['grep', '-E', '^(Umask|Sig(Blk|Ign)|Threads|NoNewPrivs):', '/proc/self/status'],
  limits: ['grep', '', '/proc/self/limits'],
  environment: ['env', '-0'],
  descriptors: LIST,
  priority: ['nice'],
};

function createWithFile(t: Parameters<typeof createSandbox>[0]): Sandbox {
  const sandbox = createSandbox(t);
  // A file without variables needs no vault.
  writeFileSync(join(sandbox.folder, 'none.env'), '');
  return sandbox;
}

t.test('exec > as it is installed > the program gets what it would get without us', { skip }, (t) => {
  const sandbox = createWithFile(t);
  const front = [MAV, 'exec', '--env-file', 'none.env', '--'];
  for (const [title, program] of Object.entries(PROBES)) {
    if (!hasFfi && title !== 'environment' && title !== 'descriptors' && title !== 'priority') continue;
    const direct = runUnder(sandbox, [], program);
    t.match(direct, /^0 /, title);
    t.equal(runUnder(sandbox, front, program), direct, title);
  }
  t.end();
});

t.test(
  'exec > every low descriptor is taken > none of the shell that reads the program is left',
  { skip },
  (t) => {
    const sandbox = createWithFile(t);
    // A shell with 3 to 9 taken keeps its script open in the program, unless that is seen to.
    const open = Array.from({ length: 7 }, (_, at) => `${at + 3}</dev/null`).join(' ');
    const see = (front: string) =>
      spawnSync('sh', ['-c', `exec ${open}; exec ${front} ls -l /proc/self/fd`], {
        env: { ...sandbox.env, MAV, PATH: `${dirname(process.execPath)}:${process.env.PATH}` },
        cwd: sandbox.folder,
        encoding: 'utf8',
      }).stdout;
    t.notMatch(see('"$MAV" exec --env-file none.env --'), /dist/);
    t.equal(see('"$MAV" exec --env-file none.env --').split('\n').length, see('').split('\n').length);
    t.end();
  },
);

t.test('exec > a signal that is ignored > nohup and trap have their way', { skip }, (t) => {
  const sandbox = createWithFile(t);
  if (!hasFfi) return t.end();
  const see = (script: string) =>
    spawnSync('sh', ['-c', script], {
      env: {
        ...sandbox.env,
        MAV,
        SEE: 'grep ^SigIgn: /proc/self/status',
        PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
      },
      cwd: sandbox.folder,
      encoding: 'utf8',
    }).stdout;
  const command = '"$MAV" exec --env-file none.env -- $SEE';
  t.match(see(command), /SigIgn:\t0{16}\n/, 'nothing is ignored that was not');
  t.match(see(`nohup ${command}`), /SigIgn:\t0{15}1\n/);
  t.match(see(`trap '' PIPE; ${command}`), /SigIgn:\t0{12}1000\n/);
  t.match(see(`trap '' INT; ${command}`), /SigIgn:\t0{15}2\n/);
  t.match(see(`trap '' INT; "$MAV" -q run --env-file none.env -- $SEE`), /SigIgn:\t0{15}2\n/);
  t.end();
});

t.test(
  'exec > a Node that cannot keep descriptors open > the program is a child that has them',
  { skip },
  (t) => {
    const sandbox = createWithFile(t);
    const without = `data:text/javascript,${encodeURIComponent(`
    const { getBuiltinModule } = process;
    process.getBuiltinModule = (name) => (name === 'node:ffi' ? undefined : getBuiltinModule(name));`)}`;
    const run = (...node: string[]) => [
      process.execPath,
      ...node,
      BIN,
      'exec',
      '--env-file',
      'none.env',
      '--',
    ];
    const direct = runUnder(sandbox, [], LIST);
    t.match(direct, /^3 -> \/etc\/passwd$/m);
    t.match(direct, /^5 -> pipe:$/m);
    t.equal(runUnder(sandbox, run(), LIST), direct, 'also as node bin.js');
    t.equal(runUnder(sandbox, run('--import', without), LIST), direct, 'as a child');
    t.end();
  },
);

t.test(
  'exec > the pipes of the parent and of Node have the same time > the parent keeps its own',
  { skip },
  (t) => {
    const sandbox = createWithFile(t);
    // On a fast machine both are made within one step of the kernel's clock.
    const sameTimes = `data:text/javascript,${encodeURIComponent(`
    const { futimesSync, readdirSync, readlinkSync } = process.getBuiltinModule('fs');
    for (const fd of readdirSync('/proc/self/fd').map(Number).filter((fd) => fd > 2)) {
      try {
        if (readlinkSync('/proc/self/fd/' + fd).startsWith('pipe:')) futimesSync(fd, 1, 1);
      } catch {} // the descriptor of the listing
    }`)}`;
    const command = [process.execPath, '--import', sameTimes, BIN, 'exec', '--env-file', 'none.env', '--'];
    t.equal(runUnder(sandbox, command, LIST), runUnder(sandbox, [], LIST));
    t.end();
  },
);
