/** The closed daemon: its process and threads are denied what they must not do. */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { cleanEnvironment } from '../src/daemon/launch.ts';
import { closeListening } from '../src/daemon/permissions.ts';
import { ATTEMPTS, attempt, createBareSandbox, skip } from './fixtures/closed-process.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { waitUntil } from './fixtures/raw.ts';
import { BIN, createSandbox, finished, mav } from './fixtures/vault.ts';

/** Of a closed process strace sees no path and no descriptor's file unless it is root's. */
const ONLY_ROOT = 'only root can read what files a closed process opens';

t.setTimeout(300_000);

t.test(
  'daemon > its request thread tries what it must not > every attempt is denied',
  { skip },
  async (t) => {
    const daemon = await startDaemon(t, { sandbox: createBareSandbox(t), inside: ATTEMPTS });
    const { found, connections } = await attempt(t, daemon);
    const { environment, ...attempts } = found;
    const allowed = Object.entries(attempts).filter(
      ([, outcome]) => !['ERR_ACCESS_DENIED', 'EAFNOSUPPORT', 'ERR_DLOPEN_DISABLED'].includes(outcome),
    );
    t.same(allowed, []);
    t.equal(connections, 0, 'nobody was reached');
    t.ok(Object.keys(attempts).length > 20);
    t.comment(`figure: ${Object.keys(attempts).length} attempts from inside the request thread, all denied`);
    t.same(environment, ['DBUS_SESSION_BUS_ADDRESS', 'GLIBC_TUNABLES', 'HOME', 'MAV_HOME', 'PATH']);
    t.equal(
      (await daemon.ask('PUT', '/v1/secrets/s', { body: { value: 'v' } })).status,
      201,
      'and it serves',
    );
    t.equal((await daemon.ask('GET', '/v1/secrets/s')).json.value, 'v');
    t.equal((await daemon.stop()).code, 0);
  },
);

t.test('serve > the environment would load code > none of it is loaded', { skip }, async (t) => {
  const sandbox = createBareSandbox(t);
  const [trace, module] = [join(sandbox.folder, 'loaded'), join(sandbox.folder, 'module.mjs')];
  // Once for the launcher; threads load what NODE_OPTIONS names too.
  writeFileSync(
    module,
    `import { appendFileSync } from 'node:fs'; appendFileSync(${JSON.stringify(trace)}, 'x');`,
  );
  appendFileSync(trace, '');
  t.equal((await mav(sandbox, ['init', '--key-store', 'file'])).code, 0);
  const coverage = join(sandbox.folder, 'coverage');
  Object.assign(sandbox.env, {
    NODE_OPTIONS: `--import=${module}`,
    OPENSSL_CONF: '/nonexistent/openssl.cnf',
    LD_LIBRARY_PATH: sandbox.folder,
    NODE_EXTRA_CA_CERTS: '/nonexistent',
  });
  // By way of env: a test that measures coverage starts the daemon without its launcher.
  const under = ['env', `NODE_V8_COVERAGE=${coverage}`];
  const daemon = await startDaemon(t, { sandbox, init: null, token: false, under });
  t.equal(readFileSync(trace, 'utf8'), 'x', 'the module was loaded by the launcher only');
  const stopped = await daemon.stop();
  t.equal(stopped.code, 0);
  t.notOk(existsSync(coverage), 'and at its end the daemon writes no coverage');
  t.notMatch(stopped.stderr, /Warning/);
});

t.test('cleanEnvironment > what loads code, among what is needed > only that stays', async (t) => {
  const needed = {
    HOME: '/h',
    PATH: '/bin',
    LC_CTYPE: 'C',
    XDG_RUNTIME_DIR: '/r',
    MAV_HOME: '/v',
    LISTEN_FDS: '1',
  };
  const harmful = [
    ...['NODE_OPTIONS', 'NODE_V8_COVERAGE', 'NODE_PATH', 'NODE_EXTRA_CA_CERTS', 'NODE_COMPILE_CACHE'],
    ...[
      'LD_PRELOAD',
      'LD_LIBRARY_PATH',
      'LD_AUDIT',
      'DYLD_INSERT_LIBRARIES',
      'OPENSSL_CONF',
      'OPENSSL_MODULES',
    ],
    ...['GLIBC_TUNABLES', 'GCONV_PATH', 'MALLOC_CHECK_', 'SSLKEYLOGFILE', 'MAV_TOKEN', 'XPATH', 'HOMEX'],
  ];
  const env = { ...needed, ...Object.fromEntries(harmful.map((name) => [name, 'x'])) };
  t.same(cleanEnvironment(env), needed);
});

t.test('serve > SIGUSR1, which opens Node’s debugger > goes on serving, without one', { skip }, async (t) => {
  const daemon = await startDaemon(t, { sandbox: createBareSandbox(t) });
  daemon.child.kill('SIGUSR1');
  t.equal((await daemon.ask('GET', '/v1/secrets')).status, 200);
  const stopped = await daemon.stop();
  t.equal(stopped.code, 0);
  t.notMatch(stopped.stderr, /[Dd]ebugger/);
});

t.test('doctor > of a daemon that runs > says which protections are on', { skip }, async (t) => {
  const daemon = await startDaemon(t, { sandbox: createBareSandbox(t), token: false });
  const of = async () => {
    const { checks } = JSON.parse((await mav(daemon, ['doctor', '--output', 'json'])).stdout);
    return checks.find(({ check }: { check: string }) => check === 'protections');
  };
  t.match(await of(), { result: 'ok', detail: /permission model, no inspector, .*peers checked/ });
  await daemon.stop();
  const open = await startDaemon(t, { sandbox: daemon, init: null, node: [], token: false });
  t.match(await of(), { result: 'warn', detail: /^missing: permission model, .*Node 26/ });
  await open.stop();
});

t.test(
  'serve > no keychain > once it listens no thread may connect, and it works on',
  { skip },
  async (t) => {
    const daemon = await startDaemon(t, { sandbox: createBareSandbox(t) });
    const countFilters = () =>
      readdirSync(`/proc/${daemon.child.pid}/task`).map((thread) => {
        const status = readFileSync(`/proc/${daemon.child.pid}/task/${thread}/status`, 'utf8');
        return Number(/^Seccomp_filters:\s*(\d+)/m.exec(status)?.[1]);
      });
    const all = countFilters();
    t.ok(all.length > 5);
    t.ok(
      // The launcher's, and the one that denies connect.
      all.every((filters) => filters === 2),
      String(all),
    );
    t.equal((await mav(daemon, ['seal'])).code, 0);
    t.equal((await mav(daemon, ['unseal'])).code, 0);
    t.equal((await daemon.ask('PUT', '/v1/secrets/s', { body: { value: 'v' } })).status, 201);
    t.ok(countFilters().every((filters) => filters === 2));
    const destroyed = await mav(daemon, ['destroy', '--force']);
    t.equal(destroyed.code, 0, destroyed.stderr);
  },
);

t.test('closeListening > the vault is not known > forbidden, for it is not opened', { skip }, async (t) => {
  const files = [{ id: '0', kind: 'file' as const, location: '/k' }];
  const [file, keychain] = [files, [{ id: '0', kind: 'keychain' as const, location: null }]].map((slots) => ({
    vault_id: 'x',
    schema: 1,
    slots,
  }));
  // Outside of the daemon's process nothing is forbidden: false, but it would be.
  t.equal(closeListening(null, null), false);
  t.equal(closeListening(null, file ?? null), false);
  t.equal(closeListening(null, keychain ?? null), null, 'the keychain may be asked at any time');
});

t.test(
  'serve > traced > every socket is of the Unix kind, and nothing but the daemon is run',
  { skip: skip || skipWithout('strace') },
  async (t) => {
    const sandbox = createBareSandbox(t);
    const trace = join(sandbox.folder, 'trace');
    const under = [
      'strace',
      '-D',
      '-f',
      '-q',
      '-e',
      'trace=socket,socketpair,execve',
      '-e',
      'signal=none',
      '-o',
      trace,
    ];
    const daemon = await startDaemon(t, { sandbox, under, serve: ['--allow-tracer'] });
    for (let round = 0; round < 20; round++) {
      await daemon.ask('PUT', `/v1/secrets/s${round}`, { body: { value: 'v' } });
      await daemon.ask('GET', '/v1/secrets');
    }
    await daemon.ask('POST', '/v1/keys/rotate');
    await daemon.stop();
    // strace fills short process ids up with spaces.
    const ended = new RegExp(`^${daemon.child.pid} +\\+\\+\\+ exited with 0 `, 'm');
    await waitUntil(() => ended.test(readFileSync(trace, 'utf8')));
    const calls = readFileSync(trace, 'utf8').split('\n');
    const sockets = calls.filter((line) => /socket(pair)?\(/.test(line));
    t.ok(sockets.length > 0);
    t.same(
      sockets.filter((line) => !/socket(pair)?\(AF_UNIX, |= -1 EAFNOSUPPORT/.test(line)),
      [],
    );
    const programs = calls.filter((line) => / execve\(/.test(line) && !/ENOENT/.test(line));
    t.same(
      programs.map((line) => /execve\("[^"]*\/(\w+)"/.exec(line)?.[1]),
      // node as the launcher, node as the daemon.
      ['node', 'node'],
    );
    t.comment(`figure: ${sockets.length} sockets in the daemon's life, all of the Unix kind`);
  },
);

t.test(
  'serve, unseal > a debugger is attached > stays sealed and says so, until it is gone',
  { skip: skip || skipWithout('strace') },
  async (t) => {
    const under = ['strace', '-D', '-f', '-qq', '-e', 'trace=none', '-o', '/dev/null'];
    const daemon = await startDaemon(t, { sandbox: createBareSandbox(t), under, token: false });
    const status = JSON.parse((await mav(daemon, ['status', '-o', 'json'])).stdout);
    t.match(status, { sealed: true }, JSON.stringify(status));
    const refused = await mav(daemon, ['unseal']);
    t.not(refused.code, 0);
    t.match(
      refused.stderr,
      /process \d+ traces this one .*; end that process, then (run: mav unseal|try again)/,
    );
    const short = await mav(createSandbox(t), ['init', '--key-store', 'file']);
    t.equal(short.code, 0, 'other processes are not meant');
    process.kill(findTracer(daemon.child.pid), 'SIGKILL');
    await waitUntil(() => findTracer(daemon.child.pid) === 0);
    const unsealed = await mav(daemon, ['unseal']);
    t.equal(unsealed.code, 0, unsealed.stderr);
    t.equal((await daemon.stop()).code, 0);
  },
);

t.test(
  'a passphrase file > the launcher, init, unseal > the process that reads it has closed its memory first',
  { skip: skip || skipWithout('strace') || (process.geteuid?.() !== 0 && ONLY_ROOT) },
  async (t) => {
    const sandbox = createBareSandbox(t);
    const file = join(sandbox.folder, 'passphrase');
    writeFileSync(file, 'correct horse', { mode: 0o600 });
    const trace = (name: string) => [
      ...['strace', '-D', '-f', '-y', '-qq', '-e', 'trace=read,pread64,prctl,execve', '-e', 'signal=none'],
      ...['-o', join(sandbox.folder, name)],
    ];
    /** Each time that the file is read, whether the process was open then. */
    const findReads = (name: string) => {
      let isOpen = true;
      const reads: boolean[] = [];
      for (const line of readFileSync(join(sandbox.folder, name), 'utf8').split('\n')) {
        if (/ execve\(/.test(line)) isOpen = true;
        else if (line.includes('PR_SET_DUMPABLE, SUID_DUMP_DISABLE')) isOpen = false;
        else if (line.includes(`<${file}>`)) reads.push(isOpen);
      }
      return reads;
    };
    const run = async (name: string, ...args: string[]) => {
      const [program = '', ...before] = [...trace(name), process.execPath, BIN, ...args];
      return finished(spawn(program, before, { env: sandbox.env, cwd: sandbox.folder }));
    };
    const given = ['--passphrase-file', file];
    const init = ['init', '--key-store', 'passphrase', ...given];
    t.match(await run('init', ...init), { code: 5, stderr: /traces this one/ }, 'makes no vault then');
    await waitUntil(() =>
      readFileSync(join(sandbox.folder, 'init'), 'utf8').includes('PR_SET_DUMPABLE, SUID_DUMP_DISABLE'),
    );
    t.notOk(findReads('init').includes(true), 'init: in an open process');
    t.equal((await mav(sandbox, init)).code, 0);
    const serve = [...given, '--allow-tracer'];
    const daemon = await startDaemon(t, { sandbox, init: null, serve, under: trace('serve'), token: false });
    await mav(daemon, ['seal']);
    t.equal((await run('unseal', 'unseal', ...given)).code, 0);
    await daemon.stop();
    for (const name of ['serve', 'unseal']) {
      await waitUntil(() => findReads(name).length > 0);
      const reads = findReads(name);
      t.notOk(reads.includes(true), `${name}: in an open process: ${reads}`);
    }
  },
);

function findTracer(pid: number | undefined): number {
  return Number(/^TracerPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
