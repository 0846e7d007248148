/** Folders in which nothing can be made, file systems that are read-only, and a working folder that was deleted. */
import { spawn } from 'node:child_process';
import { readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ask } from './fixtures/ask.ts';
import { waitUntil } from './fixtures/raw.ts';
import { createSmallSandbox, onSmallDisk, remount } from './fixtures/small-disk.ts';
import { BIN, createSandbox, type Finished, finished, mav, type Sandbox } from './fixtures/vault.ts';

const onLinux = () => ({ skip: process.platform !== 'linux' && 'needs /proc' });

t.test('folders > none can be made there > one clear error, at once', onLinux(), async (t) => {
  const sandbox = createSandbox(t);
  for (const place of ['/proc/x', '/proc/x/y/z', '/dev/null/x'])
    for (const command of ['init', 'serve --init']) {
      const args = [...command.split(' '), '--key-store', 'file'];
      const byVariable = await mav(sandbox, args, { env: { MAV_HOME: place } });
      const byOption = await mav(sandbox, [...args, '--home', place]);
      for (const run of [byVariable, byOption]) {
        t.ok(run.code === 1 || run.code === 2, `${command} in ${place}`);
        t.match(run.stderr, new RegExp(`^mav: [^\\n]*${place}[^\\n]*MAV_HOME[^\\n]*\\n$`));
      }
    }
  const env = { XDG_CONFIG_HOME: '/proc/x' };
  const keyFile = await mav(sandbox, ['init', '--key-store', 'file'], { env });
  t.match(keyFile, { code: 2, stderr: /^mav: the folder \/proc\/x\S* for the key file cannot be made/ });
  await mav(sandbox, ['init', '--key-store', 'file']);
  const service = await mav(sandbox, ['service', 'install'], { env });
  t.match(service.stderr, /the folder \/proc\/x\S* cannot be made/);
});

t.test('serve --init > several folders are missing > makes them', async (t) => {
  const sandbox = createSandbox(t);
  const home = join(sandbox.home, 'a', 'b');
  const env = { ...sandbox.env, MAV_HOME: home };
  const child = spawn(process.execPath, [BIN, 'serve', '--init', '--key-store', 'file'], { env });
  const socket = join(home, 'maestrovault.sock');
  await waitUntil(() => isListening(socket));
  child.kill('SIGTERM');
  t.equal((await finished(child)).code, 0);
});

function isListening(socket: string): Promise<boolean> {
  return ask(socket, 'GET', '/v1/health').then(
    () => true,
    () => false,
  );
}

/** Runs `mav` in a folder that is deleted by then. */
function mavNowhere({ folder, env }: Sandbox, args: readonly string[]) {
  const script = 'mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"';
  return spawn('/bin/sh', ['-c', script, join(folder, 'gone'), process.execPath, BIN, ...args], { env });
}

async function runNowhere(sandbox: Sandbox, args: readonly string[], input = ''): Promise<Finished> {
  const child = mavNowhere(sandbox, args);
  child.stdin.end(input);
  return finished(child);
}

t.test('commands > in a deleted folder > work as elsewhere', onLinux(), async (t: Test) => {
  const sandbox = createSandbox(t);
  const run = async (args: readonly string[], input = '') => {
    const ran = await runNowhere(sandbox, args, input);
    t.match(ran, { code: 0, stderr: /^(?!.*worker)/s }, args.join(' '));
    return ran.stdout;
  };
  await run(['init', '--key-store', 'file']);
  await run(['set', 'ONE'], 'v');
  t.equal(await run(['get', 'ONE']), 'v');
  t.match(await run(['status']), /unsealed/);
  await runNowhere(sandbox, ['doctor']);
  const where = await run(['exec', '--', 'readlink', '/proc/self/cwd']);
  t.equal(where, `${join(sandbox.folder, 'gone')} (deleted)\n`, 'the program gets the same folder');
  const daemon = mavNowhere(sandbox, ['serve']);
  const ended = finished(daemon);
  await waitUntil(() => isListening(sandbox.socket));
  t.equal(await run(['get', 'ONE']), 'v', 'with a daemon that was started there');
  await run(['set', 'TWO'], 'w');
  const { pid } = JSON.parse(readFileSync(join(sandbox.home, 'owner.json'), 'utf8'));
  const hasFfi = process.allowedNodeEnvironmentFlags.has('--allow-ffi');
  if (hasFfi) t.equal(readlinkSync(`/proc/${pid}/cwd`), '/');
  daemon.kill('SIGTERM');
  t.equal((await ended).code, 0);
});

t.test(
  'commands > a relative path in a deleted folder > says that it means nothing',
  onLinux(),
  async (t) => {
    const sandbox = createSandbox(t);
    for (const args of [
      ['list', '--home', 'x'],
      ['get', 'n', '--socket', 'x'],
      ['import', 'x'],
      ['backup', 'x'],
      ['restore', 'x'],
      ['verify', 'x'],
      ['audit', 'export', 'x'],
      ['scan'],
      ['inject', '-i', 'x'],
      ['init', '--key-store', 'file', '--key-file', 'x'],
    ]) {
      const ran = await runNowhere(sandbox, args);
      t.match(
        ran,
        { code: 1, stderr: /^mav: the folder [^\n]* was deleted; give [^\n]*\n$/ },
        args.join(' '),
      );
    }
  },
);

t.test('get, init > a read-only file system > says what to do', onSmallDisk(), async (t) => {
  const sandbox = createSmallSandbox(t, '1m');
  t.equal((await mav(sandbox, ['init', '--key-store', 'file'])).code, 0);
  remount(sandbox.home, 'ro');
  const says = /^mav: \S+vault is on a read-only file system, .*; make it writable, or copy .*\n$/;
  t.match(await mav(sandbox, ['get', 'k']), { code: 1, stdout: '', stderr: says });
  rmSync(join(sandbox.folder, 'home'), { recursive: true });
});
