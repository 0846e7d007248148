/**
 * Somebody who may write the vault's folder lays a vault of their own there, with its key at hand: a sync peer, a backup
 * that was tampered with. It must not be taken for the user's, whichever way it is come to, and must stay untouched.
 */
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
import t, { type Test } from 'tap';
import { importBuilt } from './fixtures/built.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { createSandbox, knowVault, mav, type Sandbox, startDaemon } from './fixtures/vault.ts';

t.setTimeout(300_000);
const { Pools } = await importBuilt<typeof import('../src/pool/pools.ts')>('src/pool/pools.js');

const PASSPHRASE = 'correct horse';
const PLANTED = 'value-of-the-attacker';
const SAYS_OTHER = /is not the vault that is known there: its id is [0-9a-f]{32} \(known: [0-9a-f]{32}\)/;
const ADOPT = /run: mav adopt/;
const SEALED = 5;

function listPath({ env }: Sandbox): string {
  return join(env.HOME ?? '', '.config/maestrovault/known-vaults.json');
}

function readList(sandbox: Sandbox): { path: string; vault_id: string; slots: unknown[]; schema: number }[] {
  return JSON.parse(readFileSync(listPath(sandbox), 'utf8')).vaults;
}

/** The user's own vault under a passphrase, with a secret in it. */
async function makeOwn(t: Test): Promise<Sandbox & { passphraseFile: string }> {
  const sandbox = createSandbox(t);
  const passphraseFile = join(sandbox.folder, 'pass');
  writeFileSync(passphraseFile, PASSPHRASE, { mode: 0o600 });
  const made = await mav(sandbox, ['init', '--key-store', 'passphrase', '--passphrase-file', passphraseFile]);
  t.equal(made.code, 0, made.stderr);
  const given = ['--passphrase-file', passphraseFile];
  t.equal((await mav(sandbox, ['set', 'db', ...given], { input: 'mine' })).code, 0);
  return { ...sandbox, passphraseFile };
}

/** Somebody else's vault, which opens by the key file beside it and asks nobody anything. */
async function makeForeign(t: Test): Promise<Sandbox & { keyFile: string }> {
  const sandbox = createSandbox(t);
  const keyFile = join(sandbox.folder, 'planted.key');
  t.equal((await mav(sandbox, ['init', '--key-store', 'file', '--key-file', keyFile])).code, 0);
  t.equal((await mav(sandbox, ['set', 'db'], { input: PLANTED })).code, 0);
  return { ...sandbox, keyFile };
}

function exchange(from: Sandbox, to: Sandbox): void {
  copyFileSync(from.databasePath, `${to.databasePath}.x`);
  chmodSync(`${to.databasePath}.x`, 0o600);
  renameSync(`${to.databasePath}.x`, to.databasePath);
  for (const suffix of ['-wal', '-shm']) rmSync(to.databasePath + suffix, { force: true });
}

t.test(
  'a foreign vault in place of the own > every way in > refuses it by name, and leaves it as it is',
  async (t) => {
    const own = await makeOwn(t);
    exchange(await makeForeign(t), own);
    const before = readFileSync(own.databasePath);
    const file = ['--passphrase-file', own.passphraseFile];
    for (const args of [
      ['get', 'db'],
      ['get', 'db', ...file],
      ['set', 'new', ...file],
      ['list'],
      ['export', '--to', '-'],
      ['exec', '--', 'env'],
      ['delete', 'db', '--force'],
      ['token', 'create', '--name', 'x', '--scope', 'read'],
      ['key', 'rotate', ...file],
      ['destroy', '--force'],
      ['serve', ...file],
    ]) {
      const { code, stdout, stderr } = await mav(own, args, { input: 'value' });
      t.equal(code, SEALED, `${args.join(' ')}: ${stderr}`);
      t.match(stderr, SAYS_OTHER, args.join(' '));
      t.match(stderr, /its key is kept in: file .*planted\.key \(known: passphrase\)/);
      t.match(stderr, ADOPT);
      t.notMatch(stdout + stderr, PLANTED);
    }
    const status = JSON.parse((await mav(own, ['status', '-o', 'json'])).stdout);
    t.match(status, { state: 'sealed', reason: SAYS_OTHER, vault_id: null });
    const doctor = JSON.parse((await mav(own, ['doctor', '-o', 'json'])).stdout);
    t.match(JSON.stringify(doctor), /known vault.*its key kept in: passphrase/);
    t.match(JSON.stringify(doctor), SAYS_OTHER);
    t.ok(readFileSync(own.databasePath).equals(before), 'nothing was written into it');
  },
);

t.test(
  'a foreign vault under a passphrase > on a terminal > nobody is asked for the own passphrase',
  async (t) => {
    const own = await makeOwn(t);
    exchange(await makeOwn(t), own);
    const { code, shown } = await mavOnTerminal(t, own, ['get', 'db']).ended();
    t.equal(code, SEALED);
    t.match(shown, SAYS_OTHER);
    t.notMatch(shown, /Passphrase/);
  },
);

t.test(
  'a foreign vault > laid there while the daemon runs > no request and no unsealing takes it',
  async (t) => {
    const daemon = await startDaemon(t);
    await daemon.ask('PUT', '/v1/secrets/db', { body: { value: 'mine' } });
    const kept = join(daemon.folder, 'kept.db');
    new Database(daemon.databasePath).prepare('VACUUM INTO ?').run(kept);
    chmodSync(kept, 0o600);
    const foreign = await makeForeign(t);
    exchange(foreign, daemon);
    const before = readFileSync(daemon.databasePath);
    const answers = [
      await daemon.ask('GET', '/v1/secrets/db'),
      await daemon.ask('PUT', '/v1/secrets/new', { body: { value: 'typed by the user' } }),
      await daemon.ask('GET', '/v1/secrets'),
    ];
    for (const { status, text } of answers) {
      t.not(status, 200);
      t.not(status, 201);
      t.notMatch(text, PLANTED);
    }
    t.match(answers[0]?.json, { code: 'sealed', reason: 'other_vault' });
    await mav(daemon, ['seal']);
    const unsealed = await mav(daemon, ['unseal']);
    t.equal(unsealed.code, SEALED);
    t.match(unsealed.stderr, SAYS_OTHER);
    t.match((await mav(daemon, ['status'])).stdout, SAYS_OTHER);
    const adopted = await mav(daemon, ['adopt', '--force']);
    t.equal(adopted.code, 1);
    t.match(adopted.stderr, /mav serve has the vault; end it/);
    t.ok(readFileSync(daemon.databasePath).equals(before), 'nothing was written into it');
    // A backup of the same vault is the vault, whatever file it lies in.
    renameSync(kept, daemon.databasePath);
    t.equal((await mav(daemon, ['unseal'])).code, 0);
    t.match((await daemon.ask('GET', '/v1/secrets/db')).json, { value: 'mine' });
    t.equal((await daemon.ask('PUT', '/v1/secrets/db', { body: { value: 'mine too' } })).status, 201);
    await daemon.stop();
    t.equal((await mav(daemon, ['get', 'db'])).stdout.trim(), 'mine too', 'which is written to, too');
  },
);

t.test(
  'a foreign vault > laid there after the list was read > the thread that opens it refuses it',
  async (t) => {
    const own = await makeOwn(t);
    const options = {
      databasePath: own.databasePath,
      ...knowVault(own),
      passphraseFile: null,
      credentialsDirectory: null,
      keychainTimeoutMs: 1_000,
    };
    exchange(await makeForeign(t), own);
    for (const readers of [0, 2]) {
      const pools = new Pools({ ...options, readers, mayBeTraced: true }, () => {});
      const none = { params: {}, body: null, mayReplace: false };
      for (const operation of ['vault.status', 'vault.unseal', 'vault.destroy'] as const) {
        const body = operation === 'vault.destroy' ? Buffer.from('{"confirm":"destroy"}') : null;
        const answered = await pools.control({ ...none, operation, body: body && new Uint8Array(body) });
        t.match(answered, { ok: false, code: 'sealed', reason: 'other_vault' }, `${operation}, ${readers}`);
      }
      t.match(await pools.readLong({ ...none, operation: 'secrets.list' }), { ok: false, code: 'sealed' });
      await pools.close();
    }
    t.ok(existsSync(own.databasePath));
  },
);

t.test(
  'the own vault > another place for its key written into it > refused, and the place is named',
  async (t) => {
    const own = await makeForeign(t);
    const db = new Database(own.databasePath);
    db.prepare('UPDATE slots SET location = ?').run(join(own.home, 'planted.key'));
    db.close();
    const { code, stderr } = await mav(own, ['get', 'db']);
    t.equal(code, SEALED);
    t.match(stderr, /its key is kept in: file .*\/vault\/planted\.key \(known: file .*planted\.key\)/);
    t.notMatch(stderr, /its id/);
  },
);

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

t.test(
  'the list of known vaults > loosened, linked, damaged > is refused, and not taken for none',
  async (t) => {
    const own = await makeForeign(t);
    const path = listPath(own);
    const good = readFileSync(path);
    const folder = dirname(path);
    const cases: [string, () => void, RegExp][] = [
      ['loosened', () => chmodSync(path, 0o644), /known-vaults\.json is open to other users; run: chmod 600/],
      [
        'its folder loosened',
        () => chmodSync(folder, 0o777),
        /maestrovault is open to other users; run: chmod 700/,
      ],
      ['no JSON', () => writeFileSync(path, '{"vaults": ['), /is damaged; restore it, or move it away/],
      ['no list', () => writeFileSync(path, '{}'), /is damaged/],
      [
        'an entry of another shape',
        () => writeFileSync(path, good.toString().replace('"schema"', '"s"')),
        /is damaged/,
      ],
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
    for (const [what, spoil, says] of cases) {
      spoil();
      for (const args of [['get', 'db'], ['adopt', '--force'], ['serve'], ['doctor']]) {
        const { code, stdout, stderr } = await mav(own, args);
        t.ok(code === 1 || code === 4, `${what}: ${args.join(' ')}: ${code} ${stderr}`);
        t.match(stdout + stderr, says, `${what}: ${args.join(' ')}`);
        t.notMatch(stdout, PLANTED);
      }
      chmodSync(folder, 0o700);
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

t.test('an older schema in place of the known > is another vault; a newer one is an upgrade', async (t) => {
  const { checkKnown, findDifference } = await import('../workers/known-vault.ts');
  const known = {
    vault_id: 'a'.repeat(32),
    slots: [{ kind: 'passphrase', location: null }],
    schema: 6,
  } as const;
  t.match(findDifference(known, { ...known, schema: 5 }), 'its schema is 5 (known: 6)');
  t.equal(findDifference(known, { ...known, schema: 7 }), null);
  t.throws(
    () => checkKnown('/v/vault.db', known, { ...known, slots: [] }),
    /its key is kept in: nothing \(known: passphrase\)/,
  );
  t.throws(() => checkKnown('/v/vault.db', null, known), /is not known to this account/);
});
