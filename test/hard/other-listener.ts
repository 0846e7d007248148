/**
 * Another user who listens where the victim's daemon would, gets nothing: no token, no value, no passphrase, not one
 * byte; and the command line says that it failed. Victim and attacker are both ordinary users.
 */
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { PeerCredentials } from '../../src/system/peer-credentials.ts';
import {
  ATTACKER,
  listenFalsely,
  makeFolderOf,
  type RunOptions,
  runAs,
  skipWithoutUsers as skip,
  spawnAs,
  VICTIM,
} from '../fixtures/users.ts';
import { BIN, createSandbox, type Finished, MAV } from '../fixtures/vault.ts';

t.setTimeout(300_000);
const CLIENT = new URL('../../dist/src/client/index.js', import.meta.url).href;
const TOKEN = `mvs_${'a'.repeat(64)}`;
const PASSPHRASE = 'the passphrase of the victim';

interface Victim {
  readonly home: string;
  readonly socket: string;
  readonly pass: string;
  /** The attacker's own folder, which everybody may look into. */
  readonly theirs: string;
  readonly mav: (args: readonly string[], options?: RunOptions) => Promise<Finished>;
  /** As \`mav\`, by the shell script that is installed. */
  readonly installed: (args: readonly string[], options?: RunOptions) => Promise<Finished>;
}

/** A vault under a passphrase in `parent`, and the token that a killed daemon left beside its socket. */
async function createVictim(t: Test, findParent = (folder: string) => folder): Promise<Victim> {
  const { folder } = createSandbox(t);
  chmodSync(folder, 0o755);
  const home = join(findParent(folder), 'vault');
  const own = makeFolderOf(VICTIM, join(folder, 'victim'));
  const theirs = makeFolderOf(ATTACKER, join(folder, 'attacker'), 0o755);
  makeFolderOf(VICTIM, home);
  const pass = join(own, 'pass');
  const socket = join(home, 'maestrovault.sock');
  const writeOwn = (path: string, text: string) => {
    writeFileSync(path, text, { mode: 0o600 });
    chownSync(path, VICTIM, VICTIM);
  };
  writeOwn(pass, PASSPHRASE);
  const env = { HOME: own, MAV_HOME: home };
  const start =
    (command: readonly string[]) =>
    (args: readonly string[], options: RunOptions = {}) =>
      runAs(VICTIM, [...command, ...args], { ...options, env: { ...env, ...options.env } });
  const run = start([process.execPath, BIN]);
  const installed = start(['env', `PATH=${dirname(process.execPath)}:${process.env.PATH}`, MAV]);
  const made = await run(['init', '--key-store', 'passphrase', '--passphrase-file', pass]);
  t.equal(made.code, 0, made.stderr);
  writeOwn(`${socket}.session`, TOKEN);
  // What the killed daemon said of its own socket.
  writeOwn(`${socket}.session-path`, `${socket}.session\n4711:1700000000\n`);
  return { home, socket, pass, theirs, mav: run, installed };
}

const listCommands = (pass: string): [args: string[], input?: string][] => [
  [['set', 'x'], 'canary'],
  [['get', 'x']],
  [['list']],
  [['search', 'x']],
  [['delete', 'x', '--force']],
  [['export']],
  [['env']],
  [['exec', '--', 'true']],
  [['status']],
  [['seal']],
  [['unseal', '--passphrase-file', pass]],
  [['key', 'rotate', '--passphrase-file', pass]],
  [['token', 'list']],
  [['token', 'create', '--name', 'n', '--scope', 'read']],
  [['doctor']],
  [['__complete', 'get', '']],
];

/** Every command, as the victim; `says`: what each of them has to say. */
async function attack(
  t: Test,
  victim: Victim,
  heard: () => number,
  { env = {}, says }: { readonly env?: NodeJS.ProcessEnv; readonly says: RegExp },
): Promise<void> {
  let tried = 0;
  for (const [args, input = ''] of listCommands(victim.pass)) {
    const { code, stdout, stderr } = await victim.mav(args, { input, env });
    const what = args.join(' ');
    t.equal(heard(), 0, `${what}: nothing was sent`);
    tried += 1;
    if (what.startsWith('__')) continue;
    t.equal(code, args[0] === 'doctor' ? 1 : 4, `${what}: ${stdout}${stderr}`);
    if (args[0] !== 'doctor') t.match({ stdout, stderr }, { stdout: '', stderr: says }, what);
    // Where the folder is exchanged under its eyes, it may not come to the end.
    else if (stdout !== '') t.match(stdout, says, what);
  }
  const installed = await victim.installed(['get', 'x'], { env });
  t.match(installed, { code: 4, stdout: '', stderr: says }, 'mav get by the shell script');
  t.equal(heard(), 0, 'nothing was sent by it either');
  t.comment(`figure: ${tried + 1} commands, not a byte sent`);
}

const theirUid = `\\(uid ${ATTACKER}\\)`;

t.test(
  'another user listens > in the vault’s folder, which was opened > nothing is sent',
  { skip },
  async (t) => {
    const victim = await createVictim(t);
    chmodSync(victim.home, 0o777);
    const { countHeard } = await listenFalsely(t, victim.socket, victim.theirs);
    await attack(t, victim, countHeard, {
      says: new RegExp(`${victim.home} can be written by other users; run: chmod go-w ${victim.home}`),
    });
    await t.test('the folder was closed again > nothing is sent', async (t) => {
      chmodSync(victim.home, 0o700);
      const says = new RegExp(`${victim.socket} belongs to another user ${theirUid}`);
      await attack(t, victim, countHeard, { says });
    });
  },
);

t.test(
  'another user listens > at MAV_SOCKET, in a folder of theirs > nothing is sent',
  { skip },
  async (t) => {
    const victim = await createVictim(t);
    const socket = join(victim.theirs, 's');
    const { countHeard } = await listenFalsely(t, socket, victim.theirs);
    const says = new RegExp(`${victim.theirs} belongs to another user ${theirUid}`);
    await attack(t, victim, countHeard, { env: { MAV_SOCKET: socket }, says });
    const token = `mvt_${'b'.repeat(64)}`;
    const given = await victim.mav(['get', 'x'], { env: { MAV_SOCKET: socket, MAV_TOKEN: token } });
    t.match(given, { code: 4, stdout: '', stderr: says }, 'nor is a token that was given');
    t.equal(countHeard(), 0);
  },
);

t.test('another user listens > a sticky folder like /tmp > nothing is sent', { skip }, async (t) => {
  const victim = await createVictim(t);
  const sticky = join(victim.home, '..', 'sticky');
  mkdirSync(sticky);
  chmodSync(sticky, 0o1777);
  const { countHeard } = await listenFalsely(t, join(sticky, 's'), victim.theirs);
  await attack(t, victim, countHeard, {
    env: { MAV_SOCKET: join(sticky, 's') },
    says: /sticky can be written by other users/,
  });
});

t.test('config.json of another user > names their socket > not followed', { skip }, async (t) => {
  const victim = await createVictim(t);
  const socket = join(victim.theirs, 's');
  const { countHeard } = await listenFalsely(t, socket, victim.theirs);
  const path = join(victim.home, 'config.json');
  writeFileSync(path, JSON.stringify({ socket }), { mode: 0o644 });
  chownSync(path, ATTACKER, ATTACKER);
  await attack(t, victim, countHeard, {
    says: new RegExp(`(${path}|${victim.theirs}) belongs to another user ${theirUid}`),
  });
});

t.test('a link of another user > on the way to the vault > not followed', { skip }, async (t) => {
  const victim = await createVictim(t);
  const link = join(victim.theirs, '..', 'way');
  const fake = makeFolderOf(ATTACKER, join(victim.theirs, 'vault'), 0o755);
  const { countHeard } = await listenFalsely(t, join(fake, 'maestrovault.sock'), victim.theirs);
  const made = await runAs(ATTACKER, ['ln', '-s', victim.theirs, join(victim.theirs, 'link')]);
  t.equal(made.code, 0, made.stderr);
  symlinkSync(victim.theirs, link);
  for (const way of [join(victim.theirs, 'link'), link]) {
    const env = { MAV_HOME: join(way, 'vault') };
    await attack(t, victim, countHeard, { env, says: /attacker belongs to another user/ });
  }
});

t.test(
  'a folder above that others can write > the vault was exchanged > nothing is sent',
  { skip },
  async (t) => {
    const victim = await createVictim(t, (folder) => {
      const shared = makeFolderOf(VICTIM, join(folder, 'shared'));
      return shared;
    });
    const shared = join(victim.home, '..');
    // As a home is where the umask is 002, to somebody of its group.
    chownSync(shared, VICTIM, ATTACKER);
    chmodSync(shared, 0o775);
    renameSync(victim.home, join(shared, 'away'));
    makeFolderOf(ATTACKER, victim.home, 0o755);
    const { countHeard } = await listenFalsely(t, victim.socket, victim.theirs);
    await attack(t, victim, countHeard, { says: /shared can be written by other users; run: chmod go-w / });
  },
);

/** Exchanges the two for each other as fast as it can. */
const EXCHANGE = `
const fs = require('node:fs');
const [one, other] = process.argv.slice(1);
console.log('begun');
for (;;) {
  fs.renameSync(one, one + '.x');
  fs.renameSync(other, one);
  fs.renameSync(one + '.x', other);
}`;

t.test(
  'a folder above that others can write > exchanged in a loop > nothing is sent',
  { skip },
  async (t) => {
    const victim = await createVictim(t, (folder) => makeFolderOf(VICTIM, join(folder, 'shared'), 0o755));
    chownSync(join(victim.home, '..'), ATTACKER, ATTACKER);
    const fake = makeFolderOf(ATTACKER, join(victim.home, '..', 'fake'), 0o755);
    const { countHeard } = await listenFalsely(t, join(fake, 'maestrovault.sock'), victim.theirs);
    const child = spawnAs(ATTACKER, [process.execPath, '-e', EXCHANGE, victim.home, fake]);
    const ended = once(child, 'exit');
    t.teardown(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    await once(child.stdout ?? child, 'data');
    const says = new RegExp(`shared belongs to another user ${theirUid}`);
    for (let round = 0; round < 3; round++) await attack(t, victim, countHeard, { says });
  },
);

t.test(
  'another user listens > every place looks well > the kernel says who it is',
  { skip: skip || (PeerCredentials.open() === null && 'no node:ffi here') },
  async (t) => {
    const victim = await createVictim(t);
    chmodSync(victim.home, 0o777);
    const { countHeard } = await listenFalsely(t, victim.socket, victim.theirs);
    chmodSync(victim.home, 0o700);
    chownSync(victim.socket, VICTIM, VICTIM);
    const says = new RegExp(`another user ${theirUid} listens on ${victim.socket}; nothing was sent there`);
    await attack(t, victim, countHeard, { says });
  },
);

const ASK = `
const { connect, UntrustedError } = await import(${JSON.stringify(CLIENT)});
const options = { ...JSON.parse(process.argv[1]), token: ${JSON.stringify(TOKEN)} };
try { console.log('got', Buffer.from(await connect(options).getValue('x')).toString()); }
catch (error) { console.log(error instanceof UntrustedError, error.message); }
process.exit();`;

t.test('the client library > another user listens > nothing is sent unless told to', { skip }, async (t) => {
  const { home, theirs } = await createVictim(t);
  const socketPath = join(theirs, 's');
  const { countHeard } = await listenFalsely(t, socketPath, theirs);
  const ask = (options: object) =>
    runAs(VICTIM, [process.execPath, '--input-type=module', '-e', ASK, JSON.stringify(options)], {
      env: { MAV_HOME: home },
    });
  t.match((await ask({ socketPath })).stdout, new RegExp(`^true ${theirs} belongs to another user`));
  t.equal(countHeard(), 0);
  t.equal((await ask({ socketPath, checksOwner: false })).stdout, 'got theirs\n');
  t.ok(countHeard() > 0);
});

t.test('a passphrase file that others may have a hand in > refused, by name', { skip }, async (t) => {
  const { mav, pass, theirs } = await createVictim(t);
  const own = join(pass, '..');
  const linked = join(own, 'linked');
  symlinkSync(pass, linked);
  chownSync(linked, VICTIM, VICTIM);
  const planted = join(theirs, 'pass');
  writeFileSync(planted, PASSPHRASE, { mode: 0o600 });
  chownSync(planted, VICTIM, VICTIM);
  const open = join(own, 'open');
  writeFileSync(open, PASSPHRASE, { mode: 0o640 });
  chownSync(open, VICTIM, ATTACKER);
  const cases: [path: string, says: string][] = [
    [linked, `${linked} is a symbolic link`],
    [planted, `${theirs} belongs to another user`],
    [open, `${open} is open to other users; run: chmod 600 ${open}`],
  ];
  for (const [path, says] of cases) {
    for (const command of ['serve', 'list']) {
      const { code, stdout, stderr } = await mav([command, '--passphrase-file', path]);
      t.match({ code, stdout, stderr }, { code: 4, stdout: '', stderr: says }, `${command} ${path}`);
    }
  }
  t.equal((await mav(['list', '--passphrase-file', pass])).code, 0, 'one that is private is taken');
});
