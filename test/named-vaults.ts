/** Vaults with a name: `mav --vault NAME`, MAV_VAULT and `mav vaults`. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { chooseVault } from '../src/places/vault-names.ts';
import { ask } from './fixtures/ask.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { AS_ORDINARY, giveToOrdinaryUser, skipWithoutOrdinaryUser } from './fixtures/users.ts';
import { BIN, createSandbox, MAV, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);

/** A user whose vaults are where they usually are. Its `home` is that of the vault "work", which it makes. */
async function createWork(t: Test): Promise<Sandbox> {
  const sandbox = createSandbox(t, { MAV_HOME: undefined });
  const home = join(sandbox.env.HOME ?? '', '.maestrovaults', 'work');
  const [socket, databasePath] = [join(home, 'maestrovault.sock'), join(home, 'vault.db')];
  const made = await mav(sandbox, ['--vault', 'work', 'init', '--key-store', 'file']);
  t.equal(made.code, 0, made.stderr);
  return { ...sandbox, home, socket, databasePath };
}

t.test('--vault > two vaults > each has its own secrets, and MAV_VAULT means the same', async (t) => {
  const sandbox = await createWork(t);
  await mav(sandbox, ['init', '--key-store', 'file']);
  await mav(sandbox, ['--vault', 'work', 'set', 'a', '--value', 'of work']);
  await mav(sandbox, ['set', 'a', '--value', 'of mine']);
  const get = async (args: string[], env = {}) => (await mav(sandbox, [...args, 'get', 'a'], { env })).stdout;
  t.equal(await get(['--vault', 'work']), 'of work');
  t.equal(await get([]), 'of mine');
  t.equal(await get([], { MAV_VAULT: 'work' }), 'of work');
  t.equal(await get(['--vault', 'default'], { MAV_VAULT: 'work' }), 'of mine');
  t.ok(existsSync(sandbox.databasePath));
  const [one, other] = await Promise.all(
    [['--vault', 'work'], []].map(async (args) =>
      JSON.parse((await mav(sandbox, [...args, 'status', '-o', 'json'])).stdout),
    ),
  );
  t.not(one.vault_id, other.vault_id);
  t.not(one.key_file, other.key_file);
});

t.test('--vault > there is none of this name > says how to make it', async (t) => {
  const sandbox = createSandbox(t, { MAV_HOME: undefined });
  const told = await mav(sandbox, ['--vault', 'work', 'get', 'a']);
  t.equal(told.code, 1);
  t.match(
    told.stderr,
    /there is no vault at .*\.maestrovaults\/work\/vault\.db; make one: mav --vault work init\n/,
  );
  const status = await mav(sandbox, ['status', '--vault', 'work', '-o', 'json']);
  t.match(JSON.parse(status.stdout).reason, 'make one: mav --vault work init');
  t.match((await mav(sandbox, ['get', 'a'], { env: { MAV_VAULT: 'work' } })).stderr, 'make one: mav init');
});

t.test('--vault > not a name, or two places at once > refused, nothing is made', async (t) => {
  const sandbox = createSandbox(t, { MAV_HOME: undefined });
  const fail = async (args: string[], env = {}) => {
    const { code, stderr } = await mav(sandbox, [...args, 'list'], { env });
    t.equal(code, 2, stderr);
    return stderr;
  };
  for (const name of ['', 'Work', '../work', 'a/b', '-a', 'a-', 'x'.repeat(33), 'é'])
    t.match(await fail([`--vault=${name}`]), '--vault must be a name of 1 to 32 letters', name);
  t.match(await fail([], { MAV_VAULT: '../x' }), 'MAV_VAULT must be a name');
  t.match(await fail(['--vault', 'work', '--home', sandbox.home]), '--home and --vault both say');
  t.match(await fail([], { MAV_VAULT: 'work', MAV_HOME: sandbox.home }), 'MAV_VAULT and MAV_HOME both say');
  t.match(
    await fail([], { MAV_VAULT: 'work', MAV_SOCKET: sandbox.socket }),
    'MAV_VAULT and MAV_SOCKET both say',
  );
  const chosen = chooseVault({ MAV_HOME: '/a', MAV_SOCKET: '/b', MAV_VAULT: 'c' }, { vault: 'work' });
  t.same(chosen, { MAV_HOME: undefined, MAV_SOCKET: undefined, MAV_VAULT: 'work' }, 'the flag wins');
});

t.test('serve --vault > a closed daemon > its remedies name the vault, and vaults lists it', async (t) => {
  const work = await createWork(t);
  await mav(work, ['--vault', 'work', 'set', 'a', '--value', 'v']);
  const serve = ['--vault', 'work'];
  const daemon = await startDaemon(t, { sandbox: work, init: null, serve, token: false, launched: true });
  const list = async (...args: string[]) => (await mav(work, ['vaults', ...args])).stdout;
  const line = { name: 'work', daemon: 'running', sealed: false, folder: work.home, socket: work.socket };
  t.same(JSON.parse(await list('-o', 'json')), [line]);
  t.match(await mav(work, ['--vault', 'work', 'seal']), { code: 0 });
  t.match(JSON.parse(await list('-o', 'json')), [{ name: 'work', sealed: true }]);
  const token = `mvt_${'0'.repeat(64)}`;
  const { json } = await ask(daemon.socket, 'GET', '/v1/secrets', { token });
  t.equal(json.error, 'the vault is sealed; run: mav --vault work unseal');
  const got = await mav(work, ['get', 'a', '--vault', 'work']);
  t.match(got, { code: 5, stderr: 'mav: the vault is sealed; run: mav --vault work unseal\n' });
  t.match(await mav(work, ['--vault', 'work', 'unseal']), { code: 0 });
  t.equal(await list('-o', 'names'), 'work\n');
  t.match(await list('-o', 'table'), /NAME +DAEMON +STATE +FOLDER\nwork +running +unsealed +\//);
});

t.test('vaults > none, an empty folder, a file, one that is stopped > only vaults', async (t) => {
  const empty = createSandbox(t, { MAV_HOME: undefined });
  t.match(await mav(empty, ['vaults', '-o', 'table']), { code: 0, stderr: 'mav --vault NAME init' });
  t.equal((await mav(empty, ['vaults', '-o', 'json'])).stdout, '[]\n');
  const work = await createWork(t);
  const folder = join(work.home, '..');
  mkdirSync(join(folder, 'no-vault'));
  mkdirSync(join(folder, 'Not A Name'));
  writeFileSync(join(folder, 'file'), '');
  const { stdout } = await mav(work, ['vaults', '-o', 'json']);
  t.match(JSON.parse(stdout), [{ name: 'work', daemon: 'not running', sealed: null }]);
  t.match((await mav(work, ['__complete', 'zsh', '--vault', ''])).stdout, /^default\nno-vault\nwork\n$/);
});

t.test(
  'vaults > one in a folder that this user may not enter > named, and the others are listed',
  { skip: skipWithoutOrdinaryUser },
  async (t) => {
    const { folder, env } = createSandbox(t, { MAV_HOME: undefined });
    const vaults = join(env.HOME ?? '', '.maestrovaults');
    for (const name of ['closed', 'open']) {
      mkdirSync(join(vaults, name), { recursive: true, mode: 0o700 });
      writeFileSync(join(vaults, name, 'vault.db'), '');
    }
    chmodSync(join(vaults, 'closed'), 0);
    giveToOrdinaryUser(folder);
    const [program = '', ...args] = [...AS_ORDINARY, process.execPath, BIN, 'vaults', '-o', 'plain'];
    // That user may not write the coverage.
    const ordinary = { ...env, NODE_V8_COVERAGE: '' };
    const { status, stdout, stderr } = spawnSync(program, args, {
      env: ordinary,
      encoding: 'utf8',
      cwd: '/',
    });
    t.match(stdout, /^closed\t.*\nopen\t.*\n$/);
    t.match([status, stderr], [1, /^mav: \S+\/closed cannot be read: EACCES \(.*\)\n$/]);
  },
);

t.test('service --vault > units and agents of their own names', async (t) => {
  const sandbox = createSandbox(t, { MAV_HOME: undefined });
  const print = async (platform: string, ...args: string[]) =>
    (await mav(sandbox, ['service', 'install', '--print', '--platform', platform, ...args])).stdout;
  const linux = await print('linux', '--vault', 'work');
  t.match(linux, /^# .*\/maestrovault-work\.socket\n# .*mav --vault work service uninstall\n/);
  t.match(linux, /\nListenStream=.*\/\.maestrovaults\/work\/maestrovault\.sock\n/);
  t.match(linux, /\nRequires=maestrovault-work\.socket\n/);
  t.match(linux, /systemctl --user enable --now maestrovault-work\.socket\n/);
  const darwin = await print('darwin', '--vault', 'work');
  t.match(darwin, /maestrovault\.serve\.work\.plist\n<\?xml/);
  t.match(darwin, /maestrovault-work\.log/);
  t.notMatch(darwin, /<!--.*--.*-->/);
  t.match(await print('linux', '--vault', 'default'), /\/maestrovault\.socket\n/);
});

t.test(
  'the front > MAV_VAULT > answers from that vault, or lets the program say what is wrong',
  async (t) => {
    const work = await createWork(t);
    await mav(work, ['--vault', 'work', 'set', 'a', '--value', 'of work']);
    await startDaemon(t, { sandbox: work, init: null, serve: ['--vault', 'work'], token: false });
    const get = (MAV_VAULT: string) => {
      const env = { ...work.env, MAV_VAULT, PATH: `${join(process.execPath, '..')}:${work.env.PATH}` };
      const { status, stdout, stderr } = spawnSync(MAV, ['get', 'a'], { env, encoding: 'utf8' });
      return { status, stdout, stderr };
    };
    t.match(get('work'), { status: 0, stdout: 'of work' });
    t.match(get('../.maestrovaults/work'), { status: 2, stderr: 'MAV_VAULT must be a name' });
    t.match(get('default'), { status: 1, stderr: 'there is no vault at' });
  },
);
