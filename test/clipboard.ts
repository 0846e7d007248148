/** `mav copy` and `mav get --clip`: real X servers, and what stays behind to clear them. */

import { chmodSync, mkdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import t, { type Test } from 'tap';
import { findClipboard } from '../src/cli/clipboard/clipboard.ts';
import {
  beforeClearing,
  findClearers,
  pathWith,
  readIfThere,
  seesClipboard,
  startDisplay,
  waitFor,
  writeClipboard,
} from './fixtures/clipboard.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { createSandbox, fillVault, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);

const VALUE = 'hunter2 "ü"\n two lines';
const OTHER = 'something else';

async function createVault(t: Test, env: NodeJS.ProcessEnv, { served = true } = {}): Promise<Sandbox> {
  const sandbox = createSandbox(t, env);
  if (served) await startDaemon(t, { sandbox, token: false });
  else await fillVault(sandbox);
  await mav(sandbox, ['set', 'x'], { input: VALUE });
  t.teardown(() => {
    for (const pid of findClearers(sandbox)) process.kill(pid);
  });
  return sandbox;
}

t.test(
  'copy > a value > is in the clipboard, and cleared after a while',
  {
    skip: skipWithout('Xvfb', 'xclip', 'xsel'),
  },
  async (t) => {
    const DISPLAY = await startDisplay(t);
    for (const [tool, served] of [
      ['xclip', true],
      ['xsel', false],
    ] as const) {
      const sandbox = await createVault(t, { DISPLAY }, { served });
      const PATH = pathWith(sandbox, tool);
      const copied = await mav(sandbox, ['copy', 'x', '--clear', '3s'], { env: { PATH } });
      t.same(
        { ...copied },
        { code: 0, signal: null, stdout: '', stderr: 'Copied x; the clipboard is cleared in 3 s.\n' },
        tool,
      );
      await t.resolves(
        beforeClearing(sandbox, () => seesClipboard(sandbox, VALUE)),
        tool,
      );
      await t.resolves(seesClipboard(sandbox, ''), tool);
    }
  },
);

t.test(
  'copy > something else was copied meanwhile > that stays',
  {
    skip: skipWithout('Xvfb', 'xclip'),
  },
  async (t) => {
    const sandbox = await createVault(t, { DISPLAY: await startDisplay(t) });
    t.equal((await mav(sandbox, ['get', 'x', '--clip', '--clear', '3s'])).code, 0);
    await beforeClearing(sandbox, () => writeClipboard(sandbox, OTHER));
    await t.resolves(seesClipboard(sandbox, OTHER));
  },
);

t.test('copy > never to be cleared > nobody waits', { skip: skipWithout('Xvfb', 'xclip') }, async (t) => {
  const sandbox = await createVault(t, { DISPLAY: await startDisplay(t) });
  await mav(sandbox, ['set', 'x', '--field', 'f', '--value', 'a field']);
  for (const never of ['never', '0', '0s']) {
    const copied = await mav(sandbox, ['cp', 'x', '--field', 'f', '--clear', never]);
    t.equal(copied.stderr, 'Copied the field f of x; it stays in the clipboard.\n', never);
    t.same(findClearers(sandbox), [], never);
    await t.resolves(seesClipboard(sandbox, 'a field'));
    await writeClipboard(sandbox, OTHER);
  }
  t.match((await mav(sandbox, ['copy', 'x'])).stderr, 'cleared in 45 s');
  writeFileSync(join(sandbox.home, 'config.json'), '{"clear": "never"}');
  t.match((await mav(sandbox, ['copy', 'x'])).stderr, 'it stays');
  t.match((await mav(sandbox, ['copy', 'x', '--clear', '90m'])).stderr, 'cleared in 5400 s');
});

t.test(
  'copy > what waits to clear > has nothing of the terminal, the value or the token',
  {
    skip: skipWithout('Xvfb', 'xclip', 'python3'),
  },
  async (t) => {
    const sandbox = await createVault(t, { DISPLAY: await startDisplay(t) });
    const made = await mav(sandbox, ['token', 'create', '--name', 'n', '--scope', 'read']);
    const MAV_TOKEN = made.stdout.trim();
    const copied = await mavOnTerminal(t, sandbox, ['copy', 'x', '--clear', '5s'], { MAV_TOKEN }).ended();
    t.same([copied.code, copied.shown], [0, 'Copied x; the clipboard is cleared in 5 s.\n']);
    const [pid] = findClearers(sandbox);
    t.ok(pid, 'it outlives the terminal');
    t.equal(readlinkSync(`/proc/${pid}/cwd`), '/');
    for (const stream of [1, 2]) t.equal(readlinkSync(`/proc/${pid}/fd/${stream}`), '/dev/null');
    t.notMatch(readIfThere(`/proc/${pid}/cmdline`) + readIfThere(`/proc/${pid}/environ`), /hunter2|mvt_/);
    await beforeClearing(sandbox, () => seesClipboard(sandbox, VALUE));
    await t.resolves(seesClipboard(sandbox, ''));
  },
);

t.test(
  'copy > it cannot be done > refused, and the clipboard is as it was',
  {
    skip: skipWithout('Xvfb', 'xclip'),
  },
  async (t) => {
    const sandbox = await createVault(t, { DISPLAY: await startDisplay(t) });
    await writeClipboard(sandbox, OTHER);
    await mav(sandbox, ['set', 'binary'], { input: new Uint8Array([0xff, 0xfe]) });
    await mav(sandbox, ['set', 'nul'], { input: 'a\0b' });
    const cases: readonly [args: string[], code: number, says: RegExp][] = [
      [['copy', 'missing'], 3, /no secret "missing" in the default environment/],
      [['copy', 'x', '--field', 'missing'], 3, /has no field "missing"/],
      [['copy', 'binary'], 1, /no text/],
      [['copy', 'nul'], 1, /no text/],
      [['copy', 'x', '--clear', '45x'], 2, /45s or 2m/],
      [['copy', 'x', '--clear', '25h'], 2, /up to 24h/],
      [['copy', 'x', '--clear', 'hunter2'], 2, /45s or 2m/],
      [['get', 'x', '--clear', '45s'], 2, /goes with --clip/],
      [['get', 'x', '--clip', '-o', 'json'], 2, /does not go with --output/],
    ];
    for (const [args, code, says] of cases) {
      const refused = await mav(sandbox, args);
      t.same([refused.code, refused.stdout], [code, ''], args.join(' '));
      t.match(refused.stderr, says);
      t.notMatch(refused.stderr, 'hunter2');
    }
    const unreachable = await mav(sandbox, ['copy', 'x'], { env: { DISPLAY: ':4242' } });
    t.equal(unreachable.code, 1);
    t.match(unreachable.stderr, 'xclip failed; is the desktop reachable?');
    await t.resolves(seesClipboard(sandbox, OTHER));
    t.same(findClearers(sandbox), []);
  },
);

t.test(
  'copy > Wayland > marked as a password where wl-copy can, and read back before it is cleared',
  {
    skip: process.platform === 'linux' ? false : 'Linux only',
  },
  async (t) => {
    const sandbox = await createVault(t, { WAYLAND_DISPLAY: 'wayland-0' });
    const folder = join(sandbox.folder, 'tools');
    const [held, log] = [join(sandbox.folder, 'held'), join(sandbox.folder, 'log')];
    mkdirSync(folder);
    const scripts = {
      'wl-copy': `case "$*" in
*--help*) echo '  --sensitive' ;;
*--clear*) echo "$*" >> ${log}; rm ${held} ;;
*) echo "$*" >> ${log}; cat > ${held} ;;
esac`,
      'wl-paste': `cat ${held}`,
    };
    for (const [name, script] of Object.entries(scripts)) {
      writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(folder, name), 0o755);
    }
    const PATH = `${folder}${delimiter}${process.env.PATH}`;
    t.equal((await mav(sandbox, ['copy', 'x', '--clear', '100ms'], { env: { PATH } })).code, 0);
    await waitFor('the clearing', () => findClearers(sandbox).length === 0);
    t.equal(readIfThere(log), '--type text/plain;charset=utf-8 --sensitive\n--clear\n');
    await mav(sandbox, ['copy', 'x', '--clear', '3s'], { env: { PATH } });
    await beforeClearing(sandbox, async () => {
      t.equal(readIfThere(held), Buffer.from(VALUE).toString('latin1'));
      writeFileSync(held, OTHER);
    });
    t.equal(readIfThere(held), OTHER);
  },
);

t.test('copy > by desktop and by what is installed > the tool for it, or what to install', async (t) => {
  const sandbox = createSandbox(t);
  const make = (...names: string[]) => {
    const folder = join(sandbox.folder, names.join('-'));
    mkdirSync(folder);
    for (const name of names) writeFileSync(join(folder, name), '', { mode: 0o755 });
    return folder;
  };
  const all = make('wl-copy', 'xclip', 'xsel', 'pbcopy', 'clip.exe');
  const find = (platform: NodeJS.Platform, env: NodeJS.ProcessEnv) => findClipboard(env, platform).copy[0];
  const [x11, wayland] = [{ DISPLAY: ':0' }, { WAYLAND_DISPLAY: 'wayland-0', DISPLAY: ':0' }];
  t.equal(find('linux', { ...wayland, PATH: all }), 'wl-copy');
  t.equal(find('linux', { ...x11, PATH: all }), 'xclip');
  t.equal(find('linux', { ...wayland, PATH: make('xsel') }), 'xsel');
  t.equal(find('linux', { WSL_DISTRO_NAME: 'Debian', PATH: all }), 'clip.exe');
  t.equal(find('darwin', { PATH: all }), 'pbcopy');
  t.equal(find('win32', { PATH: all }), 'clip.exe');
  const refuse = (platform: NodeJS.Platform, env: NodeJS.ProcessEnv, message: RegExp) =>
    t.throws(() => find(platform, env), { message });
  refuse('linux', { ...wayland, PATH: '/nonexistent' }, /install wl-clipboard/);
  refuse('linux', { ...x11, PATH: '/nonexistent' }, /install xclip or xsel/);
  refuse('linux', { PATH: all }, /no desktop here/);
  refuse('darwin', {}, /pbcopy is not on PATH/);
  refuse('win32', {}, /clip.exe is not on PATH/);
});
