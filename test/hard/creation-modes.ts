/** What the program makes itself is closed to others from the first moment on, whatever the umask. Seen by strace. */
import { type SpawnOptions, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { skipWithout } from '../fixtures/programs.ts';
import { BIN, createSandbox, finished, mav, type Sandbox } from '../fixtures/vault.ts';

t.setTimeout(300_000);

const isRoot = process.geteuid?.() === 0;

/** A call that makes something, or changes its mode, as strace wrote it. */
interface Creation {
  readonly call: string;
  readonly path: string;
  readonly mode: number;
}

const UMASK = /umask\((0\d*)\)/;
const CREATING =
  /(open|openat|creat|mkdir|mkdirat|mknod|mknodat)\((?:AT_FDCWD(?:<[^>]*>)?, )?"([^"]+)",.*?(0[0-7]+)\)? +(?:=|<unf)/;
const BINDING = /bind\(.*sun_path="([^"]+)"/;
/** Names a path, or a descriptor followed by its path in angle brackets (strace -y). */
const CHANGING = /(f?chmod(?:at2?)?)\((?:AT_FDCWD(?:<[^>]*>)?, "|"|\d+<)([^">]+)[">], (0[0-7]+)/;
const CALLS = 'open,openat,creat,mkdir,mkdirat,mknod,mknodat,bind,umask,chmod,fchmod,fchmodat';
const DEFAULT_SOCKET_MODE = 0o777;

/** Returns the calls below `folder` in their order, each mode without the bits that the umask took at that moment. */
function readCreations(trace: string, folder: string): Creation[] {
  let umask = 0;
  return trace
    .split('\n')
    .flatMap((line) => {
      umask = Number.parseInt(UMASK.exec(line)?.[1] ?? umask.toString(8), 8);
      const bound = BINDING.exec(line);
      if (bound !== null) return [{ call: 'bind', path: bound[1]!, mode: DEFAULT_SOCKET_MODE & ~umask }];
      const changed = CHANGING.exec(line);
      if (changed !== null)
        return [{ call: changed[1]!, path: changed[2]!, mode: Number.parseInt(changed[3]!, 8) }];
      const isCreation = /O_CREAT|O_TMPFILE|creat\(|mkdir|mknod/.test(line);
      const [, call, path, mode] = (isCreation && CREATING.exec(line)) || [];
      return path === undefined ? [] : [{ call: call!, path, mode: Number.parseInt(mode!, 8) & ~umask }];
    })
    .filter(({ path }) => path.startsWith(folder));
}

/** Starts `mav` under umask 000 and strace, which writes to the file `trace` in the sandbox's folder. */
function spawnTraced(
  { folder, env }: Sandbox,
  trace: string,
  args: readonly string[],
  options: SpawnOptions,
) {
  const strace = ['strace', ...'-f -qq -y -s 512 -o'.split(' '), join(folder, trace), '-e', `trace=${CALLS}`];
  const command = [...strace, process.execPath, BIN, ...args, '--allow-tracer'];
  return spawn('/bin/sh', ['-c', 'umask 000; exec "$@"', 'sh', ...command], { ...options, env });
}

/** Makes a vault, serves it, creates a token and stops the daemon. Returns all that was created meanwhile. */
async function traceCreations(t: Test): Promise<Creation[]> {
  const sandbox = createSandbox(t);
  const init = spawnTraced(sandbox, 'init.trace', ['init', '--key-store', 'file'], {});
  t.equal((await finished(init)).code, 0);
  // strace ends with the daemon, which the signal for its own end reaches by the process group.
  const daemon = spawnTraced(sandbox, 'serve.trace', ['serve'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const ended = finished(daemon);
  await new Promise<void>((resolve) =>
    daemon.stderr?.on('data', (text) => {
      if (String(text).includes('"event":"listening"')) resolve();
    }),
  );
  const token = await mav(sandbox, ['token', 'create', '--name', 't', '--scope', 'admin']);
  t.equal(token.code, 0, token.stderr);
  process.kill(-daemon.pid!, 'SIGTERM');
  await ended;
  return ['init.trace', 'serve.trace'].flatMap((name) =>
    readCreations(readFileSync(join(sandbox.folder, name), 'utf8'), sandbox.folder),
  );
}

t.test(
  'init, serve > under umask 000, traced > nothing is open to others at any moment',
  // A process that is not dumpable shows the paths that it names to root alone.
  { skip: isRoot ? skipWithout('strace') : 'only root can read what the closed daemon makes' },
  async (t) => {
    const creations = await traceCreations(t);
    t.same(
      creations.filter(({ mode }) => (mode & 0o077) !== 0),
      [],
      'every mode is closed to others',
    );
    const made = creations.map(({ call, path }) => `${call} ${path}`).join('\n');
    for (const wanted of [
      /mkdir \S+\/vault$/m,
      /openat \S+\/owner\.lock$/m,
      /openat \S+\/owner\.json$/m,
      /openat \S+\/vault\.db\.new-/,
      /openat \S+\.key$/m,
      /openat \S+vault\.db-wal$/m,
      /openat \S+vault\.db-shm$/m,
      /bind \S+\/\.[0-9a-f]{8}$/m,
      /openat \S+\.session\.new$/m,
    ])
      t.match(made, wanted);
    t.comment(`figure: ${creations.length} creating calls under umask 000, none open to others`);
  },
);
