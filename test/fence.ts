/**
 * What the kernel refuses the daemon and all that it starts, whatever Node thinks of it: Landlock and the filters of
 * system calls, each as the launcher or the daemon puts it on, here on a Python program, which Node's own permission model
 * does not bind.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { planFence } from '../src/daemon/fence.ts';
import { findVersion } from '../src/daemon/landlock.ts';
import { Libc } from '../src/daemon/libc.ts';
import { buildCallFilter, buildListeningFilter } from '../src/daemon/system-call-filter.ts';
import { locateHome } from '../src/places/home.ts';
import { skipWithout } from './fixtures/programs.ts';
import { createSandbox, finished } from './fixtures/vault.ts';

t.setTimeout(550_000);
const libc = Libc.open();
const skip = libc === null ? 'no node:ffi here: Linux with Node 26.1 or newer has it' : false;
/** Of Landlock here. */
const version = libc === null ? 0 : findVersion(libc);

/** What a Python program prints, started by a Node that confined itself before. `confine`: how, in its words. */
async function runUnder(t: Test, confine: string, program: string, ...words: string[]): Promise<string[]> {
  const launch = `
    import { Libc } from ${JSON.stringify(new URL('../src/daemon/libc.ts', import.meta.url).href)};
    import { buildCallFilter, buildListeningFilter } from ${JSON.stringify(new URL('../src/daemon/system-call-filter.ts', import.meta.url).href)};
    import { putBehind } from ${JSON.stringify(new URL('../src/daemon/landlock.ts', import.meta.url).href)};
    const [program, ...words] = process.argv.slice(1);
    if (${confine}) process.execve('/usr/bin/env', ['env', 'python3', '-c', program, ...words], process.env);`;
  const run = await finished(
    spawn(process.execPath, ['--input-type=module', '-e', launch, program, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  t.equal(run.code, 0, run.stderr);
  return run.stdout.trim().split('\n');
}

/** Makes a vault's places, folders outside them, and the fence around the places. */
function layPlaces(t: Test) {
  const { folder } = createSandbox(t);
  const make = (name: string) => {
    mkdirSync(join(folder, name), { mode: 0o700, recursive: true });
    writeFileSync(join(folder, name, 'file'), 'text', { mode: 0o600 });
    return join(folder, name);
  };
  const user = make('user');
  const places = {
    vault: make('user/vault'),
    socket: make('run'),
    settings: make('user/settings/maestrovault'),
    'key file': make('keys'),
  };
  const [secret, outside] = [make('passphrases'), make('user/private')];
  writeFileSync(join(places.vault, 'vault.db'), '');
  writeFileSync(join(outside, 'program'), '#!/bin/sh\n', { mode: 0o700 });
  const env = { HOME: user, MAV_HOME: places.vault, XDG_CONFIG_HOME: join(user, 'settings') };
  const home = locateHome(env, join(places.socket, 'socket'));
  const fence = planFence(home, env, join(folder, 'code'), {
    known: [join(places['key file'], 'file')],
    passphraseFile: join(secret, 'file'),
    keyFile: undefined,
  });
  return { places, secret, outside, user, fence };
}

/** Listens until the test ends. Returns the address. */
async function listen(t: Test, where: number | string) {
  const server = createServer((socket) => socket.destroy()).listen(where);
  t.teardown(() => server.close());
  await once(server, 'listening');
  return server.address();
}

/** Tries files in folders, programs, another process and sockets, and prints what was allowed. */
const ATTEMPTS = `
import json, os, socket, subprocess, sys
given = json.loads(sys.argv[1])
found = {}
def attempt(name, act):
    try: act(); found[name] = 'allowed'
    except OSError as error: found[name] = error.strerror
for name, path in given['folders'].items():
    attempt(f'{name}: read', lambda: open(path + '/file').read())
    attempt(f'{name}: list', lambda: os.listdir(path))
    attempt(f'{name}: write', lambda: open(path + '/file', 'a').close())
    attempt(f'{name}: cut off', lambda: os.truncate(path + '/file', 0))
    attempt(f'{name}: make', lambda: open(path + '/new', 'w').close())
    attempt(f'{name}: remove', lambda: os.remove(path + '/file'))
attempt('a program outside', lambda: subprocess.run([given['outside'] + '/program']))
attempt('a program of the system', lambda: subprocess.run(['/bin/true']))
for file in ['mem', 'environ', 'maps', 'exe', 'status', 'comm']:
    attempt(f'other process: {file}', lambda: open(f"/proc/{given['pid']}/{file}", 'rb').close())
attempt('list of processes', lambda: os.listdir('/proc'))
attempt('signal', lambda: os.kill(given['pid'], 0))
attempt('TCP', lambda: socket.create_connection(('127.0.0.1', given['port'])))
attempt('abstract socket', lambda: socket.socket(socket.AF_UNIX).connect('\\0' + given['name']))
print(json.dumps(found))`;

t.test(
  'Landlock > a program behind the daemon’s fence > reaches the vault’s places, and nothing else',
  { skip: skip || skipWithout('python3') || (version < 1 ? 'no Landlock in this kernel' : false) },
  async (t) => {
    const { places, secret, outside, user, fence } = layPlaces(t);
    const other = spawn('sleep', ['600']);
    t.teardown(() => other.kill());
    const { port } = (await listen(t, 0)) as AddressInfo;
    const name = `mav-test-${process.pid}`;
    await listen(t, `\0${name}`);
    const given = {
      folders: { ...places, passphrases: secret, outside, home: user, etc: '/etc', tmp: '/tmp' },
      ...{ outside, pid: other.pid, port, name },
    };
    const [said = ''] = await runUnder(
      t,
      `putBehind(Libc.open(), ${JSON.stringify(fence)})`,
      ATTEMPTS,
      JSON.stringify(given),
    );
    const found: Record<string, string> = JSON.parse(said);
    const allowed = Object.keys(found).filter((what) => found[what] === 'allowed');
    // By a kernel before 6.2 what is outside can be cut off; before 6.7 and 6.12 the last three are open.
    const late = [
      ...(version < 3 ? ['passphrases', 'outside', 'home'].map((name) => `${name}: cut off`) : []),
      ...(version < 4 ? ['TCP'] : []),
      ...(version < 6 ? ['signal', 'abstract socket'] : []),
    ];
    t.same(
      allowed.toSorted(),
      [
        ...Object.keys(places).flatMap((name) =>
          ['read', 'list', 'write', 'cut off', 'make', 'remove'].map((what) => `${name}: ${what}`),
        ),
        ...['passphrases: read', 'passphrases: list', 'a program of the system'],
        // The names of the programs that ask. The kernel would show root more than that.
        ...(process.geteuid?.() === 0 ? [] : ['other process: status', 'other process: comm']),
        ...late,
      ].toSorted(),
    );
    t.ok(Object.keys(found).length > 50);
    t.equal(readFileSync(join(outside, 'file'), 'utf8'), version < 3 ? '' : 'text');
    t.comment(
      `figure: ${Object.keys(found).length - allowed.length} attempts behind Landlock (version ${version}), all denied`,
    );
  },
);

t.test('buildCallFilter > machines > a program for those it knows, null for others', async (t) => {
  const filters = (['x64', 'arm64'] as const).map((machine) => buildCallFilter(machine));
  for (const filter of filters) t.ok(filter !== null && filter.length % 8 === 0 && filter.length > 64);
  t.notSame(filters[0], filters[1]);
  t.equal(buildCallFilter('s390x'), null);
  t.equal(buildListeningFilter(false, 's390x'), null);
});

t.test(
  'the filter of a daemon that listens > a process under it > no file changed by name, no socket',
  { skip: skip || skipWithout('python3') },
  async (t) => {
    const file = join(createSandbox(t).folder, 'file');
    writeFileSync(file, '');
    const program = `
import ctypes, os, socket, sys
path = sys.argv[1].encode()
def attempt(name, act):
    try: act(); print(name, 'allowed')
    except OSError as error: print(name, error.strerror)
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *values):
    if libc.syscall(number, *values) < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
attempt('chmod', lambda: os.chmod(path, 0o644))
attempt('fchmodat2', lambda: call(452, -100, path, 0o644, 0))
attempt('chown', lambda: os.chown(path, -1, -1))
attempt('lchown', lambda: os.lchown(path, -1, -1))
attempt('setxattr', lambda: os.setxattr(path, 'user.x', b''))
with open(path) as file: attempt('fchmod', lambda: os.fchmod(file.fileno(), 0o600))
attempt('stream', lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
attempt('datagram', lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
here, there = socket.socketpair()
attempt('connect', lambda: here.connect(sys.argv[1]))`;
    const denied = 'Operation not permitted';
    const listening = (mayConnect: boolean) =>
      `Libc.open().filterSystemCalls(buildListeningFilter(${mayConnect}))`;
    const byName = ['chmod', 'fchmodat2', 'chown', 'lchown', 'setxattr'].map((call) => `${call} ${denied}`);
    const sockets = ['stream', 'datagram', 'connect'];
    t.same(await runUnder(t, listening(false), program, file), [
      ...byName,
      'fchmod allowed',
      ...sockets.map((what) => `${what} ${denied}`),
    ]);
    const open = await runUnder(t, listening(true), program, file);
    t.same(open.slice(0, 8), [...byName, 'fchmod allowed', 'stream allowed', 'datagram allowed']);
  },
);

t.test(
  'the filter of system calls > a process under it > opens Unix sockets, and no other',
  { skip: skip || skipWithout('python3') },
  async (t) => {
    const program = `
import socket, ctypes
def attempt(name, act):
    try: act(); print(name, 'allowed')
    except OSError as error: print(name, error.strerror)
for family in ['AF_UNIX', 'AF_INET', 'AF_INET6', 'AF_NETLINK', 'AF_PACKET', 'AF_VSOCK']:
    attempt(family, lambda: socket.socket(getattr(socket, family), socket.SOCK_RAW if family == 'AF_PACKET' else socket.SOCK_DGRAM))
libc = ctypes.CDLL(None, use_errno=True)
print('ptrace', libc.ptrace(0, 0, 0, 0), ctypes.get_errno())
print('io_uring_setup', libc.syscall(425, 1, 0), ctypes.get_errno())`;
    const refused = 'Address family not supported by protocol';
    t.same(await runUnder(t, 'Libc.open().filterSystemCalls(buildCallFilter())', program), [
      'AF_UNIX allowed',
      ...['AF_INET', 'AF_INET6', 'AF_NETLINK', 'AF_PACKET', 'AF_VSOCK'].map(
        (family) => `${family} ${refused}`,
      ),
      'ptrace -1 1',
      'io_uring_setup -1 38',
    ]);
  },
);
