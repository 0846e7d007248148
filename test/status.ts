/** How a vault is: `mav status`, `mav doctor`, and its end by `mav destroy`. With a daemon, without one, and sealed. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { judgeScope } from '../src/cli/doctor/debuggers.ts';
import { checkClock, judgeSwaps } from '../src/cli/doctor/machine.ts';
import { isSynced } from '../src/cli/doctor/places.ts';
import { checkEnvironment, checkPath } from '../src/cli/doctor/program.ts';
import { SECRET_SERVICE_PROGRAMS, skipWithout } from './fixtures/programs.ts';
import { hashFolder } from './fixtures/sealed.ts';
import { startSecretService } from './fixtures/secret-service.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { BIN, createSandbox, mav, type Sandbox, startDaemon } from './fixtures/vault.ts';

t.setTimeout(550_000);
const MACHINE = ['PATH', 'environment', 'swap', 'debuggers', 'core dumps', 'protections', 'disk'];
const MALFORMED = 'not-a-token';
const UNKNOWN = `mvt_${'0'.repeat(64)}`;

/** What differs from run to run, or from machine to machine, by names. */
function settle(text: string, { folder }: Sandbox): string {
  return text
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(folder, 'FOLDER')
    .replaceAll(BIN, 'PROGRAM')
    .replaceAll(/\b\d{4}-\d\d-\d\d(T[\d:.]+Z| \d\d:\d\d)/g, 'TIME')
    .replaceAll(/\b[0-9a-f]{32}\b/g, 'VAULT-ID')
    .replaceAll(/(process |_pid":)\d+/g, '$1PID')
    .replaceAll(/(_size_bytes":)\d+|\d+ kB/g, '$1SIZE')
    .replaceAll(/MaestroVault \S+ on Node \S+/g, 'MaestroVault VERSION on Node VERSION')
    .replaceAll(/of this version, \S+/g, 'of this version, VERSION')
    .replaceAll(/^(\S+ +)(swap|debuggers|core dumps|protections|PATH|environment|disk) .*$/gm, '$1$2 …');
}

async function createVault(t: Test, extra: NodeJS.ProcessEnv = {}): Promise<Sandbox> {
  const sandbox = createSandbox(t, extra);
  await mav(sandbox, ['init', '--key-store', 'file']);
  return sandbox;
}

/** One whose key nobody gives: without its file the passphrase is not known. */
async function createLockedVault(t: Test): Promise<Sandbox & { passphraseFile: string }> {
  const sandbox = createSandbox(t);
  const passphraseFile = join(sandbox.folder, 'pass');
  writeFileSync(passphraseFile, 'correct horse', { mode: 0o600 });
  const made = await mav(sandbox, ['init', '--key-store', 'passphrase', '--passphrase-file', passphraseFile]);
  if (made.code !== 0) throw new Error(made.stderr);
  return { ...sandbox, passphraseFile };
}

async function readStatus(sandbox: Sandbox, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const { code, stdout, stderr } = await mav(sandbox, ['status', '-o', 'json', ...args], { env });
  return { code, stderr, json: stdout === '' ? null : JSON.parse(stdout) };
}

function findKeyFile({ env }: Sandbox): string {
  const folder = join(env.HOME ?? '', '.config/maestrovault');
  return join(folder, readdirSync(folder)[0] ?? '');
}

t.test('status > no vault > says what to do, exit 1', async (t) => {
  const sandbox = createSandbox(t);
  for (const form of ['table', 'json']) {
    const { code, stdout, stderr } = await mav(sandbox, ['status', '-o', form]);
    t.same([code, stderr], [1, '']);
    t.matchSnapshot(settle(stdout, sandbox), form);
  }
  t.equal(existsSync(sandbox.home), false, 'and makes nothing');
});

t.test('status > without a daemon > opens the vault by itself, exit 0', async (t) => {
  const sandbox = await createVault(t);
  await mav(sandbox, ['set', 'one', '--value', 'v']);
  for (const form of ['table', 'json']) {
    const { code, stdout, stderr } = await mav(sandbox, ['status', '-o', form]);
    t.same([code, stderr], [0, '']);
    t.matchSnapshot(settle(stdout, sandbox), form);
  }
});

t.test('status > with a daemon > says which process, and since when', async (t) => {
  const daemon = await startDaemon(t, { launched: true });
  const { code, json } = await readStatus(daemon);
  t.same([code, json.daemon, json.daemon_pid], [0, 'running', daemon.child.pid]);
  t.ok(Math.abs(Date.parse(json.daemon_since) - Date.now()) < 3_600_000);
  t.matchSnapshot(settle((await mav(daemon, ['status', '-o', 'table'])).stdout, daemon));
  await mav(daemon, ['seal']);
  const sealed = await readStatus(daemon);
  t.match(sealed, { code: 5, json: { state: 'sealed', sealed: true, secret_count: null } });
  t.match(sealed.json.reason, 'mav unseal');
  t.equal(sealed.json.folder, daemon.home);
});

t.test('status > a passphrase without a daemon > sealed unless it is given in a file', async (t) => {
  const sandbox = await createLockedVault(t);
  const sealed = await readStatus(sandbox);
  t.match(sealed, { code: 5, json: { daemon: 'not running', sealed: true, key_stores: ['passphrase'] } });
  t.match(sealed.json.reason, 'passphrase');
  t.match(await readStatus(sandbox, ['--passphrase-file', sandbox.passphraseFile]), {
    code: 0,
    json: { sealed: false, secret_count: 0 },
  });
});

t.test(
  'status > a passphrase, on a terminal > nobody is asked',
  { skip: skipWithout('python3') },
  async (t) => {
    const sandbox = await createLockedVault(t);
    const { code, shown } = await mavOnTerminal(t, sandbox, ['status']).ended();
    t.equal(code, 5);
    t.matchSnapshot(settle(shown, sandbox));
  },
);

t.test('status > the key file is gone > sealed, with what to do', async (t) => {
  const sandbox = await createVault(t);
  rmSync(findKeyFile(sandbox));
  const { code, json } = await readStatus(sandbox);
  t.same([code, json.state], [5, 'sealed']);
  t.match(json.reason, 'put your copy of it back, then try again');
});

t.test('status > MAV_TOKEN > only what that token may see', async (t) => {
  const daemon = await startDaemon(t, { launched: true });
  const { token: reader } = await daemon.createToken(['read']);
  const { token: generator } = await daemon.createToken(['generate']);
  const read = await readStatus(daemon, [], { MAV_TOKEN: reader });
  t.match(read, { code: 0, json: { daemon_pid: null, vault_id: null, key_stores: null, secret_count: 0 } });
  t.equal(read.json.folder, daemon.home);
  const generated = await readStatus(daemon, [], { MAV_TOKEN: generator });
  t.match(generated, { code: 0, json: { state: 'unsealed', folder: null, secret_count: null } });
  t.match(await readStatus(daemon, [], { MAV_TOKEN: UNKNOWN }), { code: 4, json: null });
  t.match(await readStatus(daemon, [], { MAV_TOKEN: MALFORMED }), { code: 4, json: null });
  await mav(daemon, ['seal']);
  t.match(await readStatus(daemon, [], { MAV_TOKEN: reader }), { code: 5, json: { sealed: true } });
  await daemon.stop();
  t.match(await readStatus(daemon, [], { MAV_TOKEN: reader }), { code: 1, json: null });
});

interface Diagnosis {
  readonly code: number | null;
  /** The checks that are not well, as `check result detail`. */
  readonly complaints: readonly string[];
  readonly isWell: boolean;
}

async function diagnose(
  sandbox: Sandbox,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<Diagnosis> {
  const { code, stdout } = await mav(sandbox, ['doctor', '-o', 'json', ...args], { env });
  const { ok, checks } = JSON.parse(stdout) as {
    ok: boolean;
    checks: { check: string; result: string; detail: string }[];
  };
  return {
    code,
    isWell: ok,
    complaints: checks
      .filter(({ check, result }) => result !== 'ok' && !MACHINE.includes(check))
      .map(({ check, result, detail }) => settle(`${check} ${result} ${detail}`, sandbox)),
  };
}

t.test('doctor > nothing wrong > one line for each check, exit 0, and nothing changed', async (t) => {
  const sandbox = createSandbox(t);
  t.matchSnapshot(settle((await mav(sandbox, ['doctor', '-o', 'table'])).stdout, sandbox), 'no vault');
  t.equal(existsSync(sandbox.home), false);
  await mav(sandbox, ['init', '--key-store', 'file']);
  const before = hashFolder(sandbox.folder);
  const alone = await mav(sandbox, ['doctor', '-o', 'table']);
  t.same([alone.code, alone.stderr], [0, '']);
  t.matchSnapshot(settle(alone.stdout, sandbox), 'without a daemon');
  t.same(hashFolder(sandbox.folder), before);
  const daemon = await startDaemon(t, { sandbox, init: null, launched: true });
  const served = await mav(sandbox, ['doctor', '-o', 'table']);
  t.equal(served.code, 0);
  t.matchSnapshot(settle(served.stdout, sandbox), 'with a daemon');
  await mav(sandbox, ['seal']);
  t.match(await diagnose(sandbox), { code: 0, isWell: true, complaints: [/^vault warn sealed/] });
  await daemon.stop();
});

t.test('doctor > something wrong > says what, and what to do', async (t) => {
  const sandbox = await createVault(t);
  const keyFile = findKeyFile(sandbox);
  const found: Record<string, Diagnosis> = {};
  const look = async (what: string, args?: readonly string[], env?: NodeJS.ProcessEnv) => {
    found[what] = await diagnose(sandbox, args, env);
  };
  chmodSync(keyFile, 0o644);
  await look('the key file is open to others');
  renameSync(keyFile, `${keyFile}.away`);
  await look('the key file is gone');
  writeFileSync(keyFile, 'short', { mode: 0o600 });
  await look('the key file is another file');
  renameSync(`${keyFile}.away`, keyFile);
  chmodSync(keyFile, 0o400);
  chmodSync(sandbox.databasePath, 0o644);
  await look('the database is open to others');
  chmodSync(sandbox.databasePath, 0o600);
  chmodSync(sandbox.home, 0o755);
  await look('the folder is open to others');
  chmodSync(sandbox.home, 0o700);
  writeFileSync(join(sandbox.home, 'config.json'), '{"sokcet": "x"}');
  await look('config.json');
  rmSync(join(sandbox.home, 'config.json'));
  await look('the socket path is too long', ['--socket', join(sandbox.home, 's'.repeat(120))]);
  writeFileSync(sandbox.socket, '');
  await look('a file in place of the socket');
  rmSync(sandbox.socket);
  await look('a malformed token', [], { MAV_TOKEN: MALFORMED });
  mkdirSync(join(sandbox.folder, '.git'));
  await look('a git work tree');
  rmSync(join(sandbox.folder, '.git'), { recursive: true });
  symlinkSync(sandbox.home, join(sandbox.folder, 'link'));
  await look('a symbolic link', ['--home', join(sandbox.folder, 'link')]);
  t.matchSnapshot(JSON.stringify(found, null, 2));
});

t.test('doctor > a killed daemon > its socket and session are named, and no failure', async (t) => {
  const daemon = await startDaemon(t, { launched: true });
  await daemon.stop('SIGKILL');
  const { code, complaints } = await diagnose(daemon);
  t.equal(code, 0);
  t.matchSnapshot(complaints);
});

t.test('doctor > entries that somebody changed > are named, without steering the terminal', async (t) => {
  const sandbox = await createVault(t);
  await mav(sandbox, ['set', 'one', '--env', 'prod', '--value', 'v']);
  await mav(sandbox, ['set', 'two', '--value', 'v']);
  const db = new Database(sandbox.databasePath);
  db.exec(`UPDATE secrets SET metadata = '{"a":1}' WHERE name = 'one'`);
  db.exec(`UPDATE secrets SET name = 'x' || char(27) || '[31m' WHERE name = 'two'`);
  db.close();
  const { code, complaints } = await diagnose(sandbox);
  t.equal(code, 1);
  t.equal(complaints.length, 1);
  t.match(complaints[0], 'one in prod');
  t.match(complaints[0], 'x\\u{1b}[31m');
});

t.test('doctor > a vault in a synced folder, its clock ahead, or sealed > a warning', async (t) => {
  const sandbox = createSandbox(t);
  const home = join(sandbox.folder, 'Dropbox', 'vault');
  const moved = { ...sandbox, env: { ...sandbox.env, MAV_HOME: home } };
  await mav(moved, ['init', '--key-store', 'file']);
  await mav(moved, ['set', 'one', '--value', 'v']);
  const db = new Database(join(home, 'vault.db'));
  db.exec('UPDATE secrets SET updated_at = updated_at + 86400');
  db.close();
  const { complaints } = await diagnose(moved);
  t.match(complaints, [/^sync warn .*Dropbox/, /^entries FAIL/, /^entry times warn .*in the future/]);
  const locked = await createLockedVault(t);
  t.match(await diagnose(locked), { code: 0, complaints: [/^vault warn sealed.*passphrase/] });
});

t.test('doctor > MAV_TOKEN > checks what that token may see', async (t) => {
  const daemon = await startDaemon(t, { launched: true });
  const { token } = await daemon.createToken(['read']);
  t.match(await diagnose(daemon, [], { MAV_TOKEN: token }), { code: 0, complaints: [] });
  const unknown = await diagnose(daemon, [], { MAV_TOKEN: UNKNOWN });
  t.match(unknown, { code: 1, complaints: [/^vault FAIL the token is unknown/] });
  await mav(daemon, ['seal']);
  t.match((await diagnose(daemon, [], { MAV_TOKEN: token })).complaints, [/^vault warn it is sealed/]);
});

t.test('doctor > what the machine says of itself > is understood', async (t) => {
  const head = 'Filename Type Size Used Priority\n';
  const swaps = (text: string) =>
    judgeSwaps(`${head}${text}`, (device) => (device === 'dm-1' ? 'CRYPT-LUKS2-x' : null));
  t.equal(swaps('').result, 'ok');
  t.equal(swaps('/dev/zram0 partition 1 0 5\n/dev/dm-1 partition 1 0 5\n').result, 'ok');
  t.match(swaps('/dev/dm-0 partition 1 0 5\n/swapfile file 1 0 5\n'), {
    result: 'warn',
    detail: '/dev/dm-0, /swapfile',
  });
  for (const scope of [null, '0']) t.match(judgeScope(scope).detail, 'can attach to each other');
  t.match(judgeScope('1').detail, 'only to what it has started');
  for (const scope of ['2', '3']) t.match(judgeScope(scope).detail, /^(only root|nobody) can/);
  t.equal(checkClock(Date.UTC(2020, 0)).result, 'FAIL');
  t.equal(checkClock(Date.now()).result, 'ok');
  const environment = checkEnvironment({ NODE_OPTIONS: '--secret', LD_PRELOAD: '', MAV_TOKEN: UNKNOWN });
  t.match(environment, [
    { result: 'warn', detail: /^NODE_OPTIONS is set/ },
    { result: 'ok', detail: /^MAV_TOKEN is set/ },
  ]);
  t.notMatch(JSON.stringify(environment), /--secret|mvt_/);
  for (const name of ['Dropbox', 'OneDrive - Example', 'Google Drive', 'Nextcloud', 'CloudStorage'])
    t.ok(isSynced(join('/home/me', name)), name);
  t.notOk(isSynced('/home/me/drive'));
  const sandbox = createSandbox(t);
  mkdirSync(join(sandbox.folder, '.stfolder'));
  t.ok(isSynced(sandbox.folder), 'by the mark of Syncthing');
  t.equal(checkPath(sandbox.folder, BIN).result, 'warn');
  symlinkSync(BIN, join(sandbox.folder, 'mav'));
  t.equal(checkPath(sandbox.folder, BIN).result, 'ok');
  rmSync(join(sandbox.folder, 'mav'));
  writeFileSync(join(sandbox.folder, 'mav'), '', { mode: 0o755 });
  t.match(checkPath(`:${sandbox.folder}`, BIN), { result: 'warn', detail: 'another program' });
});

/** Nothing of ours is left: neither the folder nor the key file's, which hold nothing else. */
function assertGone(t: Test, { home, env }: Sandbox): void {
  t.equal(existsSync(home), false, 'the folder is gone');
  t.equal(existsSync(join(env.HOME ?? '', '.config/maestrovault')), false, 'the key file is gone');
}

t.test('destroy > nobody can be asked > exit 2, and all is as it was', async (t) => {
  const sandbox = await createVault(t);
  await mav(sandbox, ['set', 'one', '--value', 'v']);
  const refused = await mav(sandbox, ['destroy']);
  t.equal(refused.code, 2);
  t.matchSnapshot(settle(refused.stderr, sandbox));
  t.equal((await mav(sandbox, ['get', 'one'])).stdout, 'v');
});

t.test('destroy > on a terminal > asks for the word', { skip: skipWithout('python3') }, async (t) => {
  const sandbox = await createVault(t);
  const hesitant = mavOnTerminal(t, sandbox, ['destroy']);
  await hesitant.see('Type destroy to go on:');
  hesitant.type('yes\r');
  t.match(await hesitant.ended(), { code: 1, shown: /nothing was done/ });
  t.equal((await readStatus(sandbox)).code, 0);
  const sure = mavOnTerminal(t, sandbox, ['destroy']);
  await sure.see('Type destroy to go on:');
  sure.type('destroy\r');
  const { code, shown } = await sure.ended();
  t.equal(code, 0);
  t.matchSnapshot(settle(shown, sandbox));
  assertGone(t, sandbox);
});

t.test('destroy > with a daemon > it ends, and leaves nothing', async (t) => {
  const bare = createSandbox(t);
  mkdirSync(join(bare.folder, 'run'), { mode: 0o700 });
  const daemon = await startDaemon(t, {
    launched: true,
    sandbox: { ...bare, env: { ...bare.env, XDG_RUNTIME_DIR: join(bare.folder, 'run') } },
  });
  const { code, stderr } = await mav(daemon, ['destroy', '--force']);
  t.equal(code, 0);
  t.matchSnapshot(settle(stderr, daemon));
  assertGone(t, daemon);
  t.same(readdirSync(join(bare.folder, 'run/maestrovault')), [], 'the session token is gone');
  t.equal((await daemon.stop()).code, 0);
  t.equal((await readStatus(daemon)).code, 1);
});

t.test('destroy > sealed, its passphrase unknown > destroyed all the same', async (t) => {
  const sandbox = await createLockedVault(t);
  const { code, stderr } = await mav(sandbox, ['destroy', '--force']);
  t.equal(code, 0);
  t.matchSnapshot(settle(stderr, sandbox));
  t.equal(existsSync(sandbox.home), false);
  t.equal((await mav(sandbox, ['destroy', '--force'])).code, 1, 'and once only');
});

t.test('destroy > files that are not its own > kept and named', async (t) => {
  const sandbox = await createVault(t);
  writeFileSync(join(sandbox.home, 'config.json'), '{}');
  writeFileSync(join(sandbox.home, 'notes'), '');
  const { code, stderr } = await mav(sandbox, ['destroy', '--force']);
  t.equal(code, 0);
  t.match(stderr, /Kept in .*: config\.json, notes/);
  t.same(readdirSync(sandbox.home).toSorted(), ['config.json', 'notes']);
});

t.test('destroy > after a daemon was killed > what that one left goes too', async (t) => {
  const daemon = await startDaemon(t, { launched: true });
  await daemon.stop('SIGKILL');
  t.ok(existsSync(daemon.socket));
  t.equal((await mav(daemon, ['destroy', '--force', '-q'])).code, 0);
  assertGone(t, daemon);
});

t.test('destroy > MAV_TOKEN > not allowed', async (t) => {
  const daemon = await startDaemon(t, { launched: true });
  const refused = await mav(daemon, ['destroy', '--force'], { env: { MAV_TOKEN: daemon.admin } });
  t.equal(refused.code, 4);
  t.equal((await readStatus(daemon)).code, 0);
});

t.test('destroy > the key file is not this vault’s > refused, or it stays', async (t) => {
  const sandbox = await createVault(t);
  const keyFile = findKeyFile(sandbox);
  rmSync(keyFile);
  writeFileSync(keyFile, 'k'.repeat(32), { mode: 0o400 });
  const refused = await mav(sandbox, ['destroy', '--force']);
  t.equal(refused.code, 5);
  t.match(refused.stderr, 'nothing was deleted');
  t.match(refused.stderr, 'give --even-if-key-stays');
  t.equal((await readStatus(sandbox)).code, 5, 'the vault is there');
  const done = await mav(sandbox, ['destroy', '--force', '--even-if-key-stays']);
  t.equal(done.code, 0);
  t.match(done.stderr, 'its key stays in');
  t.same([existsSync(keyFile), existsSync(sandbox.home)], [true, false]);
  rmSync(dirname(keyFile), { recursive: true });
});

t.test('keychain > a real Secret Service', { skip: skipWithout(...SECRET_SERVICE_PROGRAMS) }, async (t) => {
  const service = await startSecretService(t);
  const create = async () => {
    const sandbox = createSandbox(t, { ...service.env, MAV_KEYCHAIN_TIMEOUT_MS: '4000' });
    await mav(sandbox, ['init', '--key-store', 'keychain']);
    return sandbox;
  };

  await t.test('destroy > the key lies in the keychain > it goes, and no other', async (t) => {
    const [one, other] = [await create(), await create()];
    t.equal(service.list().length, 2);
    const daemon = await startDaemon(t, { sandbox: one, init: null, launched: true });
    t.match(await diagnose(one), { code: 0, complaints: [] });
    const { code, stderr } = await mav(one, ['destroy', '--force']);
    t.equal(code, 0);
    t.matchSnapshot(settle(stderr, one));
    t.equal((await daemon.stop()).code, 0);
    t.equal(service.list().length, 1);
    t.equal((await readStatus(other)).code, 0, 'the other vault opens');
    t.equal((await mav(other, ['destroy', '--force'])).code, 0, 'without a daemon');
    t.same(service.list(), []);
  });

  await t.test('doctor, destroy > the keychain is away > said, and nothing deleted', async (t) => {
    const sandbox = await create();
    const daemon = await startDaemon(t, { sandbox, init: null, launched: true });
    await service.stop();
    t.match(await diagnose(sandbox), { code: 1, complaints: [/^key store FAIL/] });
    t.equal((await readStatus(sandbox)).code, 0, 'the daemon has its keys');
    const refused = await mav(sandbox, ['destroy', '--force']);
    t.same([refused.code, existsSync(sandbox.databasePath)], [5, true]);
    await daemon.stop();
    t.match(await diagnose(sandbox), { code: 1, complaints: [/^vault FAIL sealed/] });
    t.equal((await readStatus(sandbox)).code, 5);
    const done = await mav(sandbox, ['destroy', '--force', '--even-if-key-stays']);
    t.equal(done.code, 0);
    t.match(done.stderr, 'its key stays in: its key in the OS keychain');
    t.equal(existsSync(sandbox.home), false);
  });
});
