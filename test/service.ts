/** `mav service` without a user manager: what it prints, writes and refuses. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { choosePlatform } from '../src/cli/service/installation.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { notLinux } from './fixtures/programs.ts';
import { BIN, createSandbox, createVault, mav } from './fixtures/vault.ts';

t.setTimeout(550_000);

const UNITS = ['maestrovault.socket', 'maestrovault.service'];

/** Everything in a folder, with its modes. */
function listTree(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => `${name} ${lstatSync(join(folder, name)).mode.toString(8)}`)
    .sort();
}

t.test('service --print > every subcommand, both platforms > shows it and changes nothing', async (t) => {
  const sandbox = createSandbox(t);
  const expected: Record<string, Record<string, RegExp>> = {
    linux: {
      install:
        /^# \S+\/\.config\/systemd\/user\/maestrovault\.socket\n[\s\S]*\nsystemctl --user enable --now maestrovault\.socket\n/,
      uninstall: /^systemctl --user disable --now [\s\S]*\nrm -f \S+maestrovault\.socket /,
      start: /\nsystemctl --user start maestrovault\.socket maestrovault\.service\n$/,
      stop: /^systemctl --user stop maestrovault\.socket maestrovault\.service\n$/,
    },
    darwin: {
      install:
        /^# \S+\/Library\/LaunchAgents\/maestrovault\.serve\.plist\n<\?xml [\s\S]*\nlaunchctl bootstrap gui\/\d+ \//,
      uninstall: /^launchctl bootout gui\/\d+\/maestrovault\.serve \|\| true\nrm -f /,
      start: /\nlaunchctl kickstart gui\/\d+\/maestrovault\.serve\n$/,
      stop: /^launchctl bootout gui\/\d+\/maestrovault\.serve/,
    },
  };
  const before = listTree(sandbox.folder);
  for (const [platform, commands] of Object.entries(expected)) {
    for (const [command, shows] of Object.entries(commands)) {
      const run = await mav(sandbox, ['service', command, '--print', '--platform', platform]);
      t.match(run, { code: 0, stderr: '', stdout: shows }, `${command} on ${platform}`);
    }
  }
  t.same(listTree(sandbox.folder), before);
});

t.test('service install --print > names this vault, this program and this Node', async (t) => {
  const sandbox = createSandbox(t);
  const shown = async (env: NodeJS.ProcessEnv) =>
    (
      await mav({ ...sandbox, env: { ...sandbox.env, ...env } }, [
        'service',
        'install',
        '--print',
        '--platform',
        'linux',
      ])
    ).stdout;
  const own = await shown({});
  t.match(own, `ExecStart=":${process.execPath}" "${BIN}" "serve"`);
  t.match(own, `Environment="MAV_HOME=${sandbox.home}"\n`);
  t.match(own, `ListenStream=${sandbox.socket}\n`);
  t.notMatch(own, 'MAV_SOCKET');
  const byDefault = await shown({ MAV_HOME: '', XDG_CONFIG_HOME: 'relative' });
  t.notMatch(byDefault, '\nEnvironment=');
  t.match(byDefault, `ListenStream=${sandbox.env.HOME}/.maestrovault/maestrovault.sock\n`);
  t.match(byDefault, `# ${sandbox.env.HOME}/.config/systemd/user/`, 'a relative XDG_CONFIG_HOME is none');
  const { stdout } = await mav(sandbox, ['service', 'install', '--print', '--passphrase-file', 'pass word']);
  t.match(stdout, `"serve" "--passphrase-file" "${sandbox.folder}/pass word"\n`);
  const elsewhere = await shown({ MAV_SOCKET: '/run/me/vault.sock', XDG_CONFIG_HOME: '/etc/me' });
  t.match(elsewhere, 'Environment="MAV_SOCKET=/run/me/vault.sock"\n');
  t.match(elsewhere, 'ListenStream=/run/me/vault.sock\n');
  t.match(elsewhere, '# /etc/me/systemd/user/maestrovault.service\n');
});

t.test('service > wrong usage, or nothing to do it with > says so', async (t) => {
  const sandbox = createSandbox(t);
  const wrong: [args: string[], code: number, says: string][] = [
    [['install', '--platform', 'linux'], 2, '--platform goes with --print'],
    [['install', '--print', '--platform', 'win32'], 2, '--platform must be one of linux, darwin'],
    [['logs', '--lines', 'many'], 2, '--lines must be a number'],
    [['logs'], 1, 'the service is not installed; install it: mav service install'],
    [['status'], 1, 'the service is not installed'],
    [['start'], 1, 'the service is not installed'],
    [['stop'], 1, 'the service is not installed'],
    [['install'], 1, 'there is no vault at'],
  ];
  for (const [args, code, says] of wrong) {
    const run = await mav(sandbox, ['service', ...args]);
    t.match(run, { code, stdout: '', stderr: says }, args.join(' '));
    t.match(run.stderr, /^mav: [^\n]+\n$/, 'one line');
  }
  const newline = await mav({ ...sandbox, env: { ...sandbox.env, MAV_HOME: '/home/me\nExecStart=x' } }, [
    'service',
    'install',
    '--print',
  ]);
  t.match(newline, {
    code: 1,
    stdout: '',
    stderr: /^mav: a path of this installation has a control character[^\n]+\n$/,
  });
  const none = { text: () => undefined, flag: () => false };
  t.throws(() => choosePlatform(none, 'win32'), {
    exitCode: 1,
    message: /knows systemd \(Linux\) and launchd \(macOS\) only/,
  });
  t.equal(choosePlatform(none, 'darwin'), 'darwin');
});

t.test(
  'service install > no user manager can be reached > files, exit 1 and what to run',
  { skip: notLinux },
  async (t) => {
    const sandbox = await createVault(t);
    const folder = join(sandbox.env.HOME ?? '', '.config/systemd/user');
    const says =
      /mav: the files are written, but systemd's user manager did not start the service; in a login session of yours run: mav service install\n$/;
    for (const env of [{}, { PATH: '/nonexistent' }]) {
      const run = await mav(sandbox, ['service', 'install'], { env });
      t.match(run, { code: 1, stdout: '', stderr: says });
      t.same(readdirSync(folder).sort(), UNITS.toSorted(), 'the two files and no draft');
      for (const unit of UNITS) t.equal(statSync(join(folder, unit)).mode & 0o777, 0o644);
    }
    t.not((await mav(sandbox, ['service', 'status'])).code, 0);
    t.match(await mav(sandbox, ['service', 'logs'], { env: { PATH: '/nonexistent' } }), {
      code: 1,
      stderr: 'journalctl cannot be run',
    });
    // What enabling has left.
    mkdirSync(join(folder, 'sockets.target.wants'));
    symlinkSync(
      join(folder, 'maestrovault.socket'),
      join(folder, 'sockets.target.wants/maestrovault.socket'),
    );
    const removed = await mav(sandbox, ['service', 'uninstall']);
    t.match(removed, {
      code: 0,
      stdout: '',
      stderr: /Removed \S+maestrovault\.service\nWithout systemd's user manager/,
    });
    t.same(
      listTree(folder).filter((line) => line.includes('maestrovault')),
      [],
      'no file and no link of ours',
    );
    t.match(await mav(sandbox, ['service', 'uninstall']), {
      code: 0,
      stderr: 'There is no service of mav here.\n',
    });
    t.ok(existsSync(sandbox.databasePath), 'the vault stays');
  },
);

t.test(
  'service install, uninstall > somebody else’s file is in the place > refused, and left alone',
  { skip: notLinux },
  async (t) => {
    const sandbox = await createVault(t);
    const folder = join(sandbox.env.HOME ?? '', '.config/systemd/user');
    mkdirSync(folder, { recursive: true });
    const place = join(folder, 'maestrovault.service');
    const things: Record<string, () => void> = {
      'a unit by hand': () => writeFileSync(place, '[Service]\nExecStart=/bin/true\n'),
      masked: () => symlinkSync('/dev/null', place),
      'a folder': () => mkdirSync(place),
    };
    for (const [name, make] of Object.entries(things)) {
      rmSync(place, { recursive: true, force: true });
      make();
      const before = lstatSync(place).ino;
      for (const command of ['install', 'uninstall', 'start']) {
        const run = await mav(sandbox, ['service', command]);
        t.match(
          run,
          { code: 1, stderr: `mav: ${place} is there and was not written by mav; move it away first\n` },
          `${name}, ${command}`,
        );
      }
      t.equal(lstatSync(place).ino, before);
      t.same(readdirSync(folder), ['maestrovault.service'], 'nothing was written');
    }
  },
);

t.test(
  'service install > a daemon serves already > refused: it would lose its socket',
  { skip: notLinux },
  async (t) => {
    const daemon = await startDaemon(t);
    const run = await mav(daemon, ['service', 'install']);
    t.match(run, {
      code: 1,
      stderr: `mav: a daemon that is not the service's listens on ${daemon.socket}; stop it first\n`,
    });
    t.notOk(existsSync(join(daemon.env.HOME ?? '', '.config/systemd')));
    t.equal((await daemon.ask('GET', '/v1/secrets')).status, 200);
  },
);

t.test(
  'service install > the daemon would refuse to start > says why instead',
  { skip: notLinux },
  async (t) => {
    const sandbox = await createVault(t);
    const install = (env: NodeJS.ProcessEnv = {}) => mav(sandbox, ['service', 'install'], { env });
    const long = join(sandbox.folder, 's'.repeat(120));
    t.match(await install({ MAV_SOCKET: long }), {
      code: 1,
      stderr: /^mav: the socket's path takes \d+ bytes/,
    });
    const nowhere = join(sandbox.folder, 'none', 'sock');
    t.match(await install({ MAV_SOCKET: nowhere }), {
      code: 1,
      stderr: /^mav: the socket's folder \S+ is not there/,
    });
    chmodSync(sandbox.home, 0o755);
    t.match(await install(), { code: 4, stderr: /^mav: \S+ is open to other users; run: chmod 700 / });
    t.notOk(existsSync(join(sandbox.env.HOME ?? '', '.config/systemd')));
  },
);
