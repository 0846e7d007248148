/** `mav doctor`: one line for each check, and what to do about it. */
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t from 'tap';
import { judgeScope } from '../src/cli/doctor/debuggers.ts';
import { checkClock, judgeSwaps } from '../src/cli/doctor/machine.ts';
import { isSynced } from '../src/cli/doctor/places.ts';
import { checkEnvironment, checkPath } from '../src/cli/doctor/program.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { type Diagnosis, diagnose, findKeyFile, MALFORMED, settle, UNKNOWN } from './fixtures/reports.ts';
import { hashFolder } from './fixtures/sealed.ts';
import {
  BIN,
  createPassphraseVault,
  createSandbox,
  createVault,
  fillVault,
  MAV,
  mav,
} from './fixtures/vault.ts';

t.setTimeout(550_000);

/** The folder's files without the audit log, which has what doctor reads, too. */
function hashBesideLog(folder: string): Record<string, string> {
  const hashes = Object.entries(hashFolder(folder));
  return Object.fromEntries(hashes.filter(([name]) => !name.startsWith('vault/audit/')));
}

t.test('doctor > nothing wrong > one line for each check, exit 0, and nothing changed', async (t) => {
  const sandbox = createSandbox(t);
  t.matchSnapshot(settle((await mav(sandbox, ['doctor', '-o', 'table'])).stdout, sandbox), 'no vault');
  t.equal(existsSync(sandbox.home), false);
  await fillVault(sandbox);
  // The first command that opens the vault begins its audit log.
  await mav(sandbox, ['list']);
  const before = hashBesideLog(sandbox.folder);
  const alone = await mav(sandbox, ['doctor', '-o', 'table']);
  t.same([alone.code, alone.stderr], [0, '']);
  t.matchSnapshot(settle(alone.stdout, sandbox), 'without a daemon');
  t.same(hashBesideLog(sandbox.folder), before);
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
  await fillVault(moved);
  await mav(moved, ['set', 'one', '--value', 'v']);
  const db = new Database(join(home, 'vault.db'));
  db.exec('UPDATE secrets SET updated_at = updated_at + 86400');
  db.close();
  const { complaints } = await diagnose(moved);
  t.match(complaints, [/^sync warn .*Dropbox/, /^entries FAIL/, /^entry times warn .*in the future/]);
  const locked = await createPassphraseVault(t);
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
  symlinkSync(MAV, join(sandbox.folder, 'mav'));
  t.equal(checkPath(sandbox.folder, BIN).result, 'ok');
  rmSync(join(sandbox.folder, 'mav'));
  writeFileSync(join(sandbox.folder, 'mav'), '', { mode: 0o755 });
  t.match(checkPath(`:${sandbox.folder}`, BIN), { result: 'warn', detail: 'another program' });
});
