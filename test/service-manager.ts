/** The service under a real systemd user manager, where root can make the namespaces that this takes. */
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { describeSystemd } from '../src/cli/service/systemd.ts';
import { ask } from './fixtures/ask.ts';
import { findMissing, SECRET_SERVICE_PROGRAMS } from './fixtures/programs.ts';
import { waitUntil } from './fixtures/raw.ts';
import { startSecretService } from './fixtures/secret-service.ts';
import { skipWithoutUserManager, startUserManager, type UserManager } from './fixtures/user-manager.ts';
import { BIN, createSandbox, type Finished, fillVault, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);

const SERVICE = 'maestrovault.service';
const SOCKET = 'maestrovault.socket';
const skip = skipWithoutUserManager();

interface Machine extends UserManager {
  /** `mav`, as its user runs it. */
  readonly mav: (...args: string[]) => Promise<Finished>;
  /** A property of the service, as the manager has it. */
  readonly show: (property: string) => Promise<string>;
}

async function startMachine(t: Test, sandbox: Sandbox): Promise<Machine> {
  const { run } = await startUserManager(t, sandbox);
  return {
    run,
    mav: (...args) => run(process.execPath, BIN, ...args),
    show: async (property) =>
      (await run('systemctl', '--user', 'show', SERVICE, `--property=${property}`, '--value')).stdout.trim(),
  };
}

// These go on from one another: installed, used, stopped, started, removed.

let sandbox: Sandbox;
let machine: Machine;
t.before(async () => {
  if (skip !== false) return;
  sandbox = createSandbox(t);
  await fillVault(sandbox);
  machine = await startMachine(t, sandbox);
});

const isListening = () => lstatSync(sandbox.socket, { throwIfNoEntry: false })?.isSocket() === true;

t.test('service > install > is active at once, and after every login', { skip }, async (t) => {
  const installed = await machine.mav('service', 'install');
  t.match(installed, { code: 0, stdout: '', stderr: 'The service runs, and is there after every login.' });
  t.match(await machine.mav('service', 'status'), { code: 0, stdout: /Active: active \(running\)/ });
  t.equal((await machine.run('systemctl', '--user', 'is-enabled', SOCKET)).stdout, 'enabled\n');
  t.equal(lstatSync(sandbox.socket).mode & 0o777, 0o600);
  t.match(await machine.mav('token', 'list'), { code: 0, stdout: '[]\n' });
  t.equal((await machine.mav('service', 'logs')).code, 0);
});

t.test('service > running > its process is as hardened as the unit says', { skip }, async (t) => {
  const pid = await machine.show('MainPID');
  const limits = (await machine.run('cat', `/proc/${pid}/limits`)).stdout;
  t.match(limits, /Max core file size +0 +0 /);
  const status = (await machine.run('cat', `/proc/${pid}/status`)).stdout;
  t.match(status, /NoNewPrivs:\t1\n/);
  t.match(status, /Seccomp:\t2\n/, 'no address families but one');
  t.equal(await machine.show('MemorySwapMax'), '0');
});

t.test('service > install > again > runs a new process', { skip }, async (t) => {
  const before = await machine.show('MainPID');
  t.equal((await machine.mav('service', 'install')).code, 0);
  t.not(await machine.show('MainPID'), before);
});

t.test(
  'service > the daemon alone was stopped > status 3, and the next command starts it',
  { skip },
  async (t) => {
    await machine.run('systemctl', '--user', 'stop', SERVICE);
    t.ok(isListening(), 'the manager still listens');
    t.match(await machine.mav('service', 'status'), { code: 3, stdout: /Active: inactive/ });
    t.match(await machine.mav('token', 'list'), { code: 0, stdout: '[]\n' });
    // It answers before the manager has heard that it is ready.
    await waitUntil(async () => (await machine.mav('service', 'status')).code === 0);
  },
);

t.test('service > the daemon was killed > is there again', { skip }, async (t) => {
  const before = await machine.show('MainPID');
  await machine.run('systemctl', '--user', 'kill', '--signal=KILL', SERVICE);
  await waitUntil(async () => !['0', before].includes(await machine.show('MainPID')));
  t.equal((await ask(sandbox.socket, 'GET', '/v1/health')).status, 200);
  t.equal((await machine.mav('token', 'list')).code, 0, 'with a session token of its own');
});

t.test('service > stop, start > nobody listens, then the daemon runs', { skip }, async (t) => {
  t.equal((await machine.mav('service', 'stop')).code, 0);
  t.notOk(isListening(), 'no stale socket');
  t.equal(await machine.show('Result'), 'success');
  t.equal((await machine.mav('service', 'status')).code, 3);
  t.match(await machine.mav('token', 'list'), { code: 0, stdout: '[]\n' }, 'commands work without it');
  t.equal((await machine.mav('service', 'start')).code, 0);
  t.equal((await machine.mav('service', 'status')).code, 0);
});

t.test('service > the vault is away > it gives up; back again, start works', { skip }, async (t) => {
  await machine.mav('service', 'stop');
  const away = join(sandbox.folder, 'away');
  renameSync(sandbox.home, away);
  t.match(await machine.mav('service', 'start'), {
    code: 1,
    stderr: /there is no vault at \S+; make one first/,
  });
  t.not((await machine.run('systemctl', '--user', 'start', SERVICE)).code, 0);
  await waitUntil(async () => (await machine.show('ActiveState')) === 'failed');
  renameSync(away, `${sandbox.home}.back`);
  t.ok(existsSync(sandbox.home), 'systemd has made the socket’s folder');
  renameSync(sandbox.home, away);
  renameSync(`${sandbox.home}.back`, sandbox.home);
  t.equal((await machine.mav('service', 'start')).code, 0);
  t.match(await machine.mav('token', 'list'), { code: 0, stdout: '[]\n' });
});

t.test(
  'service backup > installed > a backup is made when its time has come, until --off',
  { skip },
  async (t) => {
    const folder = join(sandbox.folder, 'backups');
    mkdirSync(folder);
    const timer = 'maestrovault-backup.timer';
    t.match(await machine.mav('service', 'backup', folder, '--daily', '--keep', '2'), { code: 0 });
    t.equal((await machine.run('systemctl', '--user', 'is-active', timer)).stdout, 'active\n');
    for (let count = 0; count < 3; count++) {
      const started = await machine.run('systemctl', '--user', 'start', 'maestrovault-backup.service');
      t.equal(started.code, 0, started.stderr);
    }
    t.equal(readdirSync(folder).length, 2);
    t.match(await machine.mav('service', 'backup', '--off'), { code: 0, stderr: /Removed .*backup\.timer/ });
    t.not((await machine.run('systemctl', '--user', 'is-active', timer)).stdout, 'active\n');
    t.equal(readdirSync(folder).length, 2, 'the backups stay');
  },
);

t.test('service > uninstall > stops it, and nothing but the vault is left', { skip }, async (t) => {
  t.equal((await machine.mav('service', 'uninstall')).code, 0);
  t.notOk(isListening());
  t.equal(await machine.show('LoadState'), 'not-found');
  const units = join(sandbox.env.HOME ?? '', '.config/systemd/user');
  t.notOk(existsSync(join(units, 'sockets.target.wants', SOCKET)));
  t.notOk(existsSync(join(units, SOCKET)));
  t.match(await machine.mav('token', 'list'), { code: 0, stdout: '[]\n' });
});

t.test(
  'service > destroy > while it is installed > the vault is gone, and how to remove the service is said',
  { skip },
  async (t) => {
    t.equal((await machine.mav('service', 'install')).code, 0);
    const destroyed = await machine.mav('destroy', '--force');
    t.match(destroyed.stderr, 'mav service uninstall');
    t.notOk(existsSync(sandbox.databasePath));
    t.equal((await machine.mav('service', 'uninstall')).code, 0);
    t.notOk(isListening());
  },
);

/** Stands for the daemon: leaves what it was started with, and says that it is ready. */
const STAND_IN = `
const { execFileSync } = require('node:child_process');
const { writeFileSync } = require('node:fs');
const { argv, env } = process;
writeFileSync(env.MAV_HOME + '/started.json', JSON.stringify({ argv, home: env.MAV_HOME, fds: env.LISTEN_FDS }));
execFileSync('systemd-notify', ['READY=1']);
setInterval(() => {}, 1_000);
`;

/** Whatever a path may have in it; a program's path with quotes or backslashes takes a way of its own. */
for (const name of [`o d'd "q" 100%h $HOME \${HOME} back\\slash é <&> ;#`, `100%h $HOME \${HOME} $$ ;#`]) {
  t.test(`units > paths with ${name} > arrive as they are`, { skip }, async (t) => {
    const sandbox = createSandbox(t);
    const odd = join(sandbox.folder, name);
    mkdirSync(odd, { mode: 0o700 });
    copyFileSync(process.execPath, join(odd, 'node'));
    writeFileSync(join(odd, 'bin.cjs'), STAND_IN);
    const socketPath = join(odd, 'vault.sock');
    const command = [join(odd, 'node'), join(odd, 'bin.cjs'), 'serve'];
    const configHome = join(sandbox.env.HOME ?? '', '.config');
    const { files } = describeSystemd({
      command,
      vault: null,
      environment: { MAV_HOME: odd },
      socketPath,
      userHome: odd,
      configHome,
      uid: 0,
    });
    mkdirSync(join(configHome, 'systemd/user'), { recursive: true });
    for (const { path, content } of files) writeFileSync(path, content);
    const machine = await startMachine(t, sandbox);
    t.match(await machine.run('systemctl', '--user', 'start', SERVICE), { code: 0, stderr: '' });
    const started = JSON.parse(readFileSync(join(odd, 'started.json'), 'utf8'));
    t.same(started, { argv: command, home: odd, fds: '1' });
    t.ok(lstatSync(socketPath).isSocket());
  });
}

const noKeychain = findMissing(...SECRET_SERVICE_PROGRAMS);

t.test(
  'service > the root key lies in the keychain > the hardened daemon gets it, and its threads work',
  { skip: skip || (noKeychain.length > 0 && `not installed: ${noKeychain.join(', ')}`) },
  async (t) => {
    const keychain = await startSecretService(t);
    const sandbox = createSandbox(t, keychain.env);
    t.equal((await mav(sandbox, ['init', '--key-store', 'keychain'])).code, 0);
    const machine = await startMachine(t, sandbox);
    // Where the machine has a bus for its user's manager, that one has taken the place of ours.
    const address = `DBUS_SESSION_BUS_ADDRESS=${keychain.env.DBUS_SESSION_BUS_ADDRESS}`;
    await machine.run('systemctl', '--user', 'set-environment', address);
    t.equal((await machine.mav('service', 'install')).code, 0);
    // It waits for the unsealing.
    const made = await machine.mav('token', 'create', '--name', 'n', '--scope', 'read,write');
    const token = made.stdout.trim();
    const put = await ask(sandbox.socket, 'PUT', '/v1/secrets/a', { token, body: { value: 'x' } });
    t.equal(put.status, 201);
    const got = await ask(sandbox.socket, 'GET', '/v1/secrets/a', { token });
    t.equal(got.json.value, 'x');
    t.match(await machine.mav('status', '-o', 'json'), { code: 0, stdout: '"sealed":false,' });
  },
);
