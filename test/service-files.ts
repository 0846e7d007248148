/** The unit files and the launchd agent that `mav service` writes. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'plist';
import t from 'tap';
import { describeBackupTimer } from '../src/cli/service/backup-timer.ts';
import { describeLaunchd } from '../src/cli/service/launchd.ts';
import type { Facts, Service } from '../src/cli/service/service.ts';
import { describeSystemd } from '../src/cli/service/systemd.ts';
import { findMissing, skipWithout } from './fixtures/programs.ts';
import { createSandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);

/** Whatever a path may have in it, except for what ends a line. */
const ODD = `o d'd "q" 100%h $HOME \${HOME} back\\slash é <&> ;#`;

/** An installation in a folder of any name. */
function factsIn(folder: string): Facts {
  return {
    command: [join(folder, 'node'), join(folder, 'bin.js'), 'serve'],
    vault: null,
    environment: { MAV_HOME: join(folder, 'vault') },
    socketPath: join(folder, 'vault', 'maestrovault.sock'),
    userHome: folder,
    configHome: join(folder, '.config'),
    uid: 501,
  };
}

const contentsOf = ({ files }: Service) =>
  files.map(({ path, content }) => `${path}\n\n${content}`).join('\n');

t.test('service files > a usual installation > are what they were', async (t) => {
  t.matchSnapshot(contentsOf(describeSystemd(factsIn('/home/me'))), 'systemd');
  t.matchSnapshot(contentsOf(describeLaunchd(factsIn('/Users/me'))), 'launchd');
});

t.test('backup timer > a usual installation > is what it was', async (t) => {
  const facts = factsIn('/home/me');
  const command = ['/home/me/node', '/home/me/bin.js', 'backup', '--keep', '30', '--no-input', '/mnt/b'];
  for (const platform of ['linux', 'darwin'] as const) {
    const { files } = describeBackupTimer({ ...facts, command }, platform);
    t.matchSnapshot(files.map(({ path, content }) => `${path}\n\n${content}`).join('\n'), platform);
  }
  const named = describeBackupTimer({ ...facts, vault: 'work' }, 'darwin').files;
  t.match(named[0]?.path, /maestrovault\.backup\.work\.plist$/);
});

t.test(
  'units > whatever is in the paths > systemd takes them',
  { skip: skipWithout('systemd-analyze') },
  async (t) => {
    for (const name of ['usual', ODD, 'with blanks', '$x ${y} $$', '%', 'ünï']) {
      await t.test(name, async (t) => {
        const { folder } = createSandbox(t);
        const facts = factsIn(join(folder, name));
        const files = [...describeSystemd(facts).files, ...describeBackupTimer(facts, 'linux').files];
        mkdirSync(join(folder, name));
        // It wants to see that the program is there.
        writeFileSync(join(folder, name, 'node'), '', { mode: 0o700 });
        const paths = files.map(({ path, content }) => {
          const place = join(folder, path.slice(path.lastIndexOf('/') + 1));
          writeFileSync(place, content);
          return place;
        });
        const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--user', '--man=no', ...paths], {
          env: { PATH: process.env.PATH, HOME: folder, XDG_RUNTIME_DIR: folder },
          encoding: 'utf8',
        });
        t.same([status, stderr], [0, '']);
      });
    }
  },
);

t.test('units > a socket’s path that no unit can name > is refused', async (t) => {
  for (const end of [' ', '\\'])
    t.throws(
      () => describeSystemd({ ...factsIn('/home/me'), socketPath: `/run/me/sock${end}` }),
      /blank or a backslash/,
    );
});

/** As Python's own library reads a property list: ours was written by the library that `parse` is of. */
function parseByPython(content: string): unknown {
  const program = 'import json, plistlib, sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))';
  return JSON.parse(execFileSync('python3', ['-c', program], { input: content, encoding: 'utf8' }));
}

t.test('agent > whatever is in the paths > launchd’s parser would read them as they are', async (t) => {
  for (const name of ['usual', ODD, ']]> &amp; <!-- -->', 'ünï']) {
    const facts = factsIn(join('/Users', name));
    const [file] = describeLaunchd(facts).files;
    const agent = {
      Label: 'maestrovault.serve',
      ProgramArguments: facts.command,
      EnvironmentVariables: facts.environment,
      RunAtLoad: true,
      KeepAlive: true,
      SoftResourceLimits: { Core: 0 },
      HardResourceLimits: { Core: 0 },
      Umask: 0o077,
      StandardErrorPath: join('/Users', name, 'Library/Logs/maestrovault.log'),
    };
    t.same(parse(file?.content ?? ''), agent);
    if (findMissing('python3').length === 0)
      t.same(parseByPython(file?.content ?? ''), agent, 'by Python too');
  }
  const [plain] = describeLaunchd({ ...factsIn('/Users/me'), environment: {} }).files;
  t.notMatch(plain?.content, 'EnvironmentVariables');
});
