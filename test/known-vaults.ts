/** The list of known vaults: what comes onto it, and that it is not lost or damaged unnoticed. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import t from 'tap';
import { makeForeign, PLANTED, SEALED } from './fixtures/known-vaults.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { createSandbox, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(300_000);

function listPath({ env }: Sandbox): string {
  return join(env.HOME ?? '', '.config/maestrovault/known-vaults.json');
}

function readList(sandbox: Sandbox): { path: string; vault_id: string; slots: unknown[]; schema: number }[] {
  return JSON.parse(readFileSync(listPath(sandbox), 'utf8')).vaults;
}

t.test(
  'a vault that is not known > a copy of its folder > is adopted by a word or --force only',
  async (t) => {
    const own = await makeForeign(t);
    const copy = {
      ...own,
      home: join(own.folder, 'copy'),
      env: { ...own.env, MAV_HOME: join(own.folder, 'copy') },
    };
    cpSync(own.home, copy.home, { recursive: true });
    chmodSync(copy.home, 0o700);
    for (const args of [['get', 'db'], ['serve']]) {
      const { code, stderr } = await mav(copy, args);
      t.equal(code, SEALED);
      t.match(stderr, /is not known to this account \(id [0-9a-f]{32}, .*\); if it is yours, run: mav adopt/);
    }
    const piped = await mav(copy, ['adopt'], { input: 'adopt\n' });
    t.equal(piped.code, 2);
    t.match(piped.stderr, /give --force/);
    const unsure = mavOnTerminal(t, copy, ['adopt']);
    await unsure.see('No vault is known there.');
    await unsure.see('Type adopt to go on: ');
    unsure.type('y\r');
    t.equal((await unsure.ended()).code, 1);
    t.equal((await mav(copy, ['get', 'db'])).code, SEALED);
    const sure = mavOnTerminal(t, copy, ['adopt']);
    await sure.see('Type adopt to go on: ');
    sure.type('adopt\r');
    t.equal((await sure.ended()).code, 0);
    t.match(await mav(copy, ['get', 'db']), { code: 0, stdout: PLANTED });
    t.match(await mav(own, ['get', 'db']), { code: 0, stdout: PLANTED }, 'the first one is known still');
    t.match(await mav(copy, ['adopt']), { code: 0, stderr: /is known already; nothing was done/ });
  },
);

t.test('one vault > reached by two spellings > is one', async (t) => {
  const own = await makeForeign(t);
  symlinkSync(own.folder, join(own.folder, 'again'));
  for (const home of ['again/vault', 'vault/../vault/', './vault']) {
    const { code, stdout } = await mav(own, ['get', 'db', '--home', join(own.folder, home)]);
    t.equal(code, 0, home);
    t.match(stdout, PLANTED);
  }
});

t.test('a key file in the vault’s folder > moved or linked there > is not read', async (t) => {
  const own = await makeForeign(t);
  symlinkSync(own.home, join(own.folder, 'way'));
  const inside = [join(own.home, 'k'), join(own.folder, 'way', 'k'), `${own.home}/../vault/k`];
  copyFileSync(own.keyFile, join(own.home, 'k'));
  chmodSync(join(own.home, 'k'), 0o400);
  for (const location of inside) {
    const db = new Database(own.databasePath);
    db.prepare('UPDATE slots SET location = ?').run(location);
    db.close();
    t.equal((await mav(own, ['adopt', '--force'])).code, 0);
    const { code, stderr } = await mav(own, ['get', 'db']);
    t.equal(code, SEALED, location);
    t.match(stderr, /lies in the vault's folder; move the vault to a folder without it/);
    const doctor = (await mav(own, ['doctor', '-o', 'json'])).stdout;
    t.match(doctor, /lies in the vault's folder: whoever copies that has both/);
  }
});

/** Each way to spoil the list at `path`, and what is said of it. */
function listSpoilings(path: string): [what: string, spoil: () => void, says: RegExp][] {
  const folder = dirname(path);
  const good = readFileSync(path, 'utf8');
  return [
    ['loosened', () => chmodSync(path, 0o644), /known-vaults\.json is open to other users; run: chmod 600/],
    [
      'its folder loosened',
      () => chmodSync(folder, 0o777),
      /maestrovault is open to other users; run: chmod 700/,
    ],
    ['no JSON', () => writeFileSync(path, '{"vaults": ['), /is damaged; restore it, or move it away/],
    ['no list', () => writeFileSync(path, '{}'), /is damaged/],
    ['an entry of another shape', () => writeFileSync(path, good.replace('"schema"', '"s"')), /is damaged/],
    [
      'a link',
      () => {
        renameSync(path, `${path}.real`);
        symlinkSync(`${path}.real`, path);
      },
      /is a symbolic link/,
    ],
    [
      'a folder',
      () => {
        rmSync(path);
        mkdirSync(path);
      },
      /is not a file; move it away/,
    ],
    [
      'a FIFO',
      () => {
        rmSync(path, { recursive: true });
        spawnSync('mkfifo', ['-m', '600', path]);
      },
      /is not a file; move it away/,
    ],
  ];
}

t.test(
  'the list of known vaults > loosened, linked, damaged > is refused, and not taken for none',
  async (t) => {
    const own = await makeForeign(t);
    const path = listPath(own);
    const good = readFileSync(path);
    for (const [what, spoil, says] of listSpoilings(path)) {
      spoil();
      for (const args of [['get', 'db'], ['adopt', '--force'], ['serve'], ['doctor']]) {
        const { code, stdout, stderr } = await mav(own, args);
        t.ok(code === 1 || code === 4, `${what}: ${args.join(' ')}: ${code} ${stderr}`);
        t.match(stdout + stderr, says, `${what}: ${args.join(' ')}`);
        t.notMatch(stdout, PLANTED);
      }
      chmodSync(dirname(path), 0o700);
      rmSync(path, { recursive: true, force: true });
      writeFileSync(path, good, { mode: 0o600 });
    }
    t.equal((await mav(own, ['get', 'db'])).code, 0);
  },
);

t.test('the list of known vaults > written by many at once > loses none', async (t) => {
  const sandbox = createSandbox(t);
  const homes = Array.from({ length: 8 }, (_, index) => join(sandbox.folder, `v${index}`));
  await Promise.all(
    homes.map((home) =>
      mav(sandbox, ['init', '--home', home, '--key-store', 'file', '--key-file', `${home}.key`]),
    ),
  );
  t.same(
    readList(sandbox)
      .map(({ path }) => path)
      .sort(),
    homes,
  );
  t.equal(statSync(listPath(sandbox)).mode & 0o777, 0o600);
  t.equal(statSync(dirname(listPath(sandbox))).mode & 0o777, 0o700);
  await Promise.all(homes.map((home) => mav(sandbox, ['destroy', '--force', '--home', home])));
  t.notOk(existsSync(listPath(sandbox)), 'and destroying them leaves nothing of it');
  t.notOk(existsSync(`${listPath(sandbox)}.lock`));
});

t.test(
  'the list of known vaults > has no place, or one in the vault’s folder > no vault is made',
  async (t) => {
    const sandbox = createSandbox(t);
    const init = ['init', '--key-store', 'file', '--key-file', join(sandbox.folder, 'k')];
    const settings = join(sandbox.folder, 'settings');
    mkdirSync(settings, { mode: 0o700 });
    const cases: [NodeJS.ProcessEnv, RegExp][] = [
      [
        { XDG_CONFIG_HOME: '/proc/x' },
        /known-vaults\.json, the list of your vaults, cannot be written .*XDG_CONFIG_HOME/,
      ],
      [{ XDG_CONFIG_HOME: settings, MAV_HOME: settings }, /must not lie in a vault's folder; set MAV_HOME/],
    ];
    for (const [env, says] of cases) {
      const { code, stderr } = await mav(sandbox, init, { env });
      t.equal(code, 1, stderr);
      t.match(stderr, says);
      t.notOk(existsSync(join(sandbox.folder, 'k')), 'no key file is left');
      t.notOk(existsSync(join(env.MAV_HOME ?? sandbox.home, 'vault.db')), 'nor a vault');
    }
    const relative = await mav(sandbox, init, { env: { XDG_CONFIG_HOME: 'somewhere' } });
    t.equal(relative.code, 0, relative.stderr);
    t.equal(readList(sandbox).length, 1, 'a relative XDG_CONFIG_HOME is none');
  },
);
