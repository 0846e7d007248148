/**
 * What the shell script that `mav` is makes of an environment, of programs and of settings that are not its own: the same
 * value comes out, and the session's token goes to the daemon alone.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import {
  BECAME_PROGRAM,
  placeProgram,
  type Ran,
  type RunOptions,
  runFront,
  runProgram,
  SHELLS,
} from './fixtures/fronts.ts';
import { findProgram, skipWithout } from './fixtures/programs.ts';
import { createSandbox, MAV } from './fixtures/vault.ts';

t.setTimeout(300_000);
const skip = process.platform === 'linux' ? skipWithout('curl', 'stat') : 'the short way is Linux’s';
const VALUE = 'the value\n';

type Serving = Daemon & { readonly session: string };

async function startWithValue(t: Test): Promise<Serving> {
  const daemon = await startDaemon(t);
  await daemon.ask('PUT', '/v1/secrets/n/value', { body: Buffer.from(VALUE) });
  return { ...daemon, session: readFileSync(`${daemon.socket}.session`, 'utf8') };
}

function eachShell(daemon: Daemon, options: RunOptions, see: (ran: Ran, shell: string) => void): void {
  for (const shell of SHELLS) see(runFront(daemon, shell, ['get', 'n'], options), shell.join(' '));
}

t.test(
  'get > an environment that changes what shells and curl do > the value, and no token',
  { skip },
  async (t) => {
    const daemon = await startWithValue(t);
    const { folder, session } = daemon;
    const noisy = join(folder, 'noisy');
    writeFileSync(noisy, 'set -x; curl() { echo wrong; }; stat() { echo wrong; }\n');
    writeFileSync(
      join(folder, 'home', '.curlrc'),
      `trace-ascii = "${join(folder, 'traced')}"\nuser-agent = wrong\n`,
    );
    const wrong = '() { echo "wrong $*" >&2; }';
    const functions = ['curl', 'stat', 'printf', 'read', '[', 'node', 'readlink', 'mav_get'];
    const environments: NodeJS.ProcessEnv[] = [
      { SHELLOPTS: 'xtrace' },
      { SHELLOPTS: 'errexit:nounset:allexport:noglob:xtrace:verbose' },
      { ENV: noisy, CDPATH: '/', HISTFILE: join(folder, 'history') },
      { IFS: 'abcdefghijklmnopqrstuvwxyz/0123456789 ', OPTIND: '7', PS4: '$(id)', POSIXLY_CORRECT: '1' },
      { ALL_PROXY: 'http://127.0.0.1:9', http_proxy: 'http://127.0.0.1:9', no_proxy: 'x', CURL_HOME: folder },
      { LC_ALL: 'en_US.UTF-8', LANG: 'tr_TR.UTF-8', TIME_STYLE: 'full-iso', QUOTING_STYLE: 'shell' },
      {
        mav_name: 'other',
        mav_env: 'other',
        mav_field: 'other',
        mav_all: '/',
        mav_token: 'x',
        mav_session: 'x',
      },
      Object.fromEntries(functions.map((name) => [`BASH_FUNC_${name}%%`, wrong])),
    ];
    for (const env of environments)
      eachShell(daemon, { env }, ({ code, stdout, stderr }, shell) => {
        const what = `${shell} ${JSON.stringify(env)}`;
        t.same([code, stdout.toString()], [0, VALUE], what);
        t.notMatch(stderr, /wrong|mvs_/, what);
        t.notMatch(stderr, session, what);
        t.notMatch(stderr, /mav_/, `${what}: nothing of the script is shown`);
      });
    t.notOk(existsSync(join(folder, 'traced')), 'and .curlrc is not read');
  },
);

t.test(
  'get > BASH_ENV, as a bash that is asked for reads it > no token is shown',
  { skip: skip || skipWithout('bash') },
  async (t) => {
    const daemon = await startWithValue(t);
    const noisy = join(daemon.folder, 'noisy');
    writeFileSync(noisy, 'set -x\n');
    const { stdout, stderr } = runFront(daemon, ['bash'], ['get', 'n'], { env: { BASH_ENV: noisy } });
    t.same([stdout.toString(), stderr.includes(daemon.session)], [VALUE, false]);
  },
);

t.test(
  'get > traced > the token is in no argument, no environment, no file',
  { skip: skip || skipWithout('strace') },
  async (t) => {
    const daemon = await startWithValue(t);
    const trace = join(daemon.folder, 'trace');
    const under = [
      'strace',
      '-f',
      '-v',
      '-s',
      '10000',
      '-o',
      trace,
      '-e',
      'trace=execve,open,openat,creat,write,sendto,sendmsg',
    ];
    eachShell(daemon, { under }, ({ code }, shell) => {
      t.equal(code, 0, shell);
      const lines = readFileSync(trace, 'utf8').split('\n');
      const withToken = lines.filter((line) => line.includes(daemon.session.slice(4, 20)));
      t.equal(withToken.length, 2, `${shell}: into the pipe and into the socket`);
      t.match(withToken[0], /write\(1, "header = /);
      t.match(withToken[1], /send(to|msg)\(/);
      t.same(
        lines.filter((line) => /O_CREAT|creat\(/.test(line) && !line.includes('"/dev/null"')),
        [],
        `${shell}: no file is made`,
      );
    });
  },
);

t.test('get > curl or stat is missing, or does not work > left to the program', { skip }, async (t) => {
  const daemon = await startWithValue(t);
  const only = createSandbox(t).folder;
  const place = (name: string) => {
    const path = findProgram(name);
    if (path !== null) placeProgram({ ...daemon, folder: only }, name, `exec '${path}' "$@"`);
  };
  for (const name of ['dash', 'bash', 'busybox', 'readlink']) place(name);
  const env = { PATH: join(only, 'programs') };
  const leaves = (what: string) =>
    eachShell(daemon, { env }, ({ code, stderr }, shell) =>
      t.same([code, stderr], [BECAME_PROGRAM, ''], `${shell}: ${what}`),
    );
  // busybox has a stat of its own, and no curl.
  leaves('neither is there');
  place('stat');
  leaves('no curl');
  for (const script of ['exit 2', 'exit 28', 'kill -SEGV $$', 'exec /nowhere 2>/dev/null']) {
    placeProgram({ ...daemon, folder: only }, 'curl', script);
    leaves(`curl: ${script}`);
  }
  place('curl');
  eachShell(daemon, { env }, ({ stdout }, shell) => t.equal(stdout.toString(), VALUE, shell));
  placeProgram({ ...daemon, folder: only }, 'stat', 'exit 1');
  leaves('stat fails');
  placeProgram({ ...daemon, folder: only }, 'stat', 'echo drwx------ 0 1 1');
  leaves('stat says too little');
});

t.test('get > standard streams > closed ones, and a terminal, are the program’s', { skip }, async (t) => {
  const daemon = await startWithValue(t);
  const redirected = (how: string): RunOptions => ({ under: ['sh', '-c', `"$@" ${how}`, 'sh'] });
  eachShell(daemon, redirected('<&- 2>&-'), ({ code, stdout }, shell) =>
    t.same([code, stdout.toString()], [0, VALUE], `${shell}: standard input and error are closed`),
  );
  eachShell(daemon, redirected('>/dev/null'), (ran, shell) =>
    t.match(ran, { code: 0, stderr: '' }, `${shell}: thrown away`),
  );
  eachShell(daemon, redirected('>&-'), ({ code, stderr }, shell) =>
    t.not(code, 0, `${shell}: standard output is closed ${stderr}`),
  );
  if (existsSync('/dev/full'))
    eachShell(daemon, redirected('>/dev/full'), ({ code, stderr }, shell) =>
      t.not(code, 0, `${shell}: a full disk ${stderr}`),
    );
  eachShell(daemon, redirected('| head -c 3'), ({ stdout }, shell) =>
    t.equal(stdout.toString(), 'the', shell),
  );
});

t.test(
  'get > on a terminal > the program’s, which escapes',
  { skip: skip || skipWithout('script') },
  async (t) => {
    const daemon = await startWithValue(t);
    const programs = placeProgram(daemon, 'node', 'echo the program');
    const env = { ...daemon.env, PATH: `${programs}:${process.env.PATH}`, SHELL: '/bin/sh' };
    const { stdout } = spawnSync('script', ['-qec', `'${MAV}' get n`, '/dev/null'], {
      env,
      encoding: 'utf8',
    });
    t.match(stdout, /^the program/);
  },
);

/** Sends its argument to every client, and hangs up. */
const ANSWER = `
const [socket, answer] = process.argv.slice(1);
require('node:net').createServer((peer) => {
  peer.on('error', () => {});
  peer.once('data', () => peer.end(answer, 'latin1'));
}).listen(socket, () => console.log('listens'));`;

/** Something else listens where the daemon did, of the same user, and is said to be the daemon. */
async function impersonate(t: Test, daemon: Serving, answer: string): Promise<void> {
  rmSync(daemon.socket, { force: true });
  const child = spawn(process.execPath, ['-e', ANSWER, daemon.socket, answer], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  t.teardown(async () => {
    child.kill();
    await ended;
  });
  await once(child.stdout, 'data');
  const { stdout } = spawnSync('stat', ['-c', '%i:%Z', daemon.socket], { encoding: 'utf8' });
  writeFileSync(`${daemon.socket}.session-path`, `${daemon.socket}.session\n${stdout}`, { mode: 0o600 });
  writeFileSync(`${daemon.socket}.session`, daemon.session, { mode: 0o600 });
}

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n';

t.test('get > the answer breaks off > the program’s message and exit code', { skip }, async (t) => {
  const daemon = await startWithValue(t);
  await daemon.stop('SIGKILL');
  await impersonate(t, daemon, `${HEAD}Content-Length: 100\r\n\r\nhalf`);
  const program = runProgram(daemon, ['get', 'n']);
  t.match(program, { code: 1, stdout: Buffer.alloc(0), stderr: 'mav: the daemon closed the connection\n' });
  // All that differs: what had come of the value is written by then. The daemon sends so short an answer in one piece.
  eachShell(daemon, {}, (ran, shell) => t.same(ran, { ...program, stdout: Buffer.from('half') }, shell));
});

t.test('get > answers that are none, or too long > left to the program', { skip }, async (t) => {
  const daemon = await startWithValue(t);
  await daemon.stop('SIGKILL');
  for (const answer of [
    '',
    'HTTP/1.1 200',
    'nonsense\r\n\r\n',
    `${HEAD}Content-Length: 4097\r\n\r\n${'v'.repeat(4_097)}`,
    'HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx',
    'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 1\r\n\r\nx',
  ])
    await t.test(JSON.stringify(answer.slice(0, 80)), async (t) => {
      await impersonate(t, daemon, answer);
      eachShell(daemon, {}, ({ code, stderr }, shell) => t.same([code, stderr], [BECAME_PROGRAM, ''], shell));
    });
});
