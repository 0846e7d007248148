/** Files and places that cannot be read or written: said in words. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { findMissing } from './fixtures/programs.ts';
import { BIN, createSandbox, fillVault, finished, mav, spawnMav } from './fixtures/vault.ts';

t.setTimeout(300_000);
/** What no message may look like: Node's own words, or the name of an error's class. */
const RAW = /permission denied|no such file or directory|, (open|lstat|stat|scandir|mkdir) '|\b\w*Error\b/;

const isRoot = process.geteuid?.() === 0;
const STRANGER = 12_345;
const skip =
  isRoot && findMissing('setpriv').length > 0 ? 'root may do everything, and setpriv is not there' : false;

interface Stranger {
  readonly folder: string;
  readonly home: string;
  run(
    args: readonly string[],
    env?: NodeJS.ProcessEnv,
  ): { code: number | null; stdout: string; stderr: string };
}

/** Somebody who is not root, with a vault, and with a folder `closed` that they may not enter. */
function becomeStranger(t: Test): Stranger {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'mav-')));
  t.teardown(() => {
    chmodSync(join(folder, 'closed'), 0o700);
    rmSync(folder, { recursive: true, force: true });
  });
  const home = join(folder, 'vault');
  const become = isRoot
    ? ['setpriv', '--reuid', `${STRANGER}`, '--regid', `${STRANGER}`, '--clear-groups']
    : [];
  if (isRoot) spawnSync('chown', [`${STRANGER}:${STRANGER}`, folder]);
  const run: Stranger['run'] = (args, env = {}) => {
    const [program = '', ...words] = [...become, process.execPath, BIN, ...args];
    const { status, stdout, stderr } = spawnSync(program, words, {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        MAV_HOME: home,
        DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
        // Node hands it on by itself, and its folder is root's.
        NODE_V8_COVERAGE: '',
        ...env,
      },
      encoding: 'utf8',
      input: 'x',
    });
    return { code: status, stdout, stderr };
  };
  const made = run(['init', '--key-store', 'file']);
  if (made.code !== 0) throw new Error(made.stderr);
  mkdirSync(join(folder, 'closed'), { mode: 0o700 });
  writeFileSync(join(folder, 'closed/file'), 'x');
  chmodSync(join(folder, 'closed'), 0);
  return { folder, home, run };
}

t.test('a place that may not be entered > every option that takes a path > in words', { skip }, async (t) => {
  const { run, folder } = becomeStranger(t);
  const file = join(folder, 'closed/file');
  const notRead = /closed\/file cannot be read: EACCES \(this user may not do that\)\n$/;
  const notWritten = /closed\/file cannot be written: EACCES \(this user may not do that\)\n$/;
  const cases: readonly (readonly [args: string[], says: RegExp, env?: NodeJS.ProcessEnv])[] = [
    [['set', 'a', '--from-file', file], notRead],
    [['edit', 'a', '--from-file', file], notRead],
    [['get', 'a', '--passphrase-file', file], notRead],
    [['import', file], notRead],
    [['inject', '-i', file], notRead],
    [['inject', '-o', file, '-i', '/dev/null'], notWritten],
    [['export', '--to', file], notWritten],
    [['scan', file], /closed\/file cannot be read \(EACCES\): this user may not do that\n/],
    [['init', '--home', join(folder, 'new'), '--key-store', 'file', '--key-file', file], /closed.*/],
    ...['list', 'status', 'init', 'serve', 'set a', 'destroy --force'].map(
      (command) =>
        [
          command.split(' '),
          /cannot be (read|looked at): EACCES \(/,
          { MAV_HOME: `${folder}/closed/v` },
        ] as const,
    ),
  ];
  for (const [args, says, env] of cases) {
    const { code, stdout, stderr } = run([...args], env);
    t.not(code, 0, args.join(' '));
    t.match(stderr, says, args.join(' '));
    t.notMatch(stderr + stdout, RAW, args.join(' '));
  }
  const doctor = run(['doctor', '-o', 'json'], { MAV_HOME: `${folder}/closed/v` });
  t.match(JSON.parse(doctor.stdout).checks, [{ check: 'program' }]);
  t.match(doctor.stdout, /"folder","result":"FAIL","detail":"[^"]*cannot be looked at: EACCES/);
});

t.test('the vault’s files > their owner may not use them > the chmod that mends it', { skip }, async (t) => {
  const { run, home, folder } = becomeStranger(t);
  const database = join(home, 'vault.db');
  for (const mode of [0, 0o400]) {
    chmodSync(database, mode);
    const says = `${database} may not be read and written; run: chmod 600 ${database}\n`;
    for (const args of ['list', 'get a', 'set a', 'serve', 'init', 'key rotate', 'destroy --force']) {
      const { code, stdout, stderr } = run(args.split(' '));
      t.same({ code, stdout, stderr }, { code: 1, stdout: '', stderr: `mav: ${says}` }, args);
    }
    for (const command of ['status', 'doctor']) {
      const { code, stdout, stderr } = run([command]);
      t.equal(code, 1, command);
      t.match(stdout + stderr, says, command);
      t.notMatch(stdout + stderr, RAW, command);
    }
  }
  chmodSync(database, 0o600);
  const full = join(folder, 'full');
  mkdirSync(full, { mode: 0o500 });
  if (isRoot) chownSync(full, STRANGER, STRANGER);
  const { code, stderr } = run(['serve', '--socket', join(full, 'socket')]);
  t.equal(code, 1);
  t.match(stderr, `mav: the socket's folder ${full} cannot be written; run: chmod 700 ${full}\n`);
});

t.test('no HOME > what needs none > works; else says what to set', { skip }, async (t) => {
  const { run } = becomeStranger(t);
  const nowhere = { HOME: '', MAV_HOME: '' };
  t.equal(run(['version'], nowhere).code, 0);
  t.equal(run(['completion', 'bash'], nowhere).code, 0);
  t.equal(run(['--help'], nowhere).code, 0);
  t.match(run(['list'], nowhere).stderr, 'mav: HOME is not set; set it, or MAV_HOME');
});

t.test('a path that is of another kind, or not there > in words', async (t) => {
  const sandbox = createSandbox(t);
  await fillVault(sandbox);
  const { folder } = sandbox;
  symlinkSync('loop', join(folder, 'loop'));
  const long = join(folder, 'n'.repeat(300));
  const cases: readonly (readonly [args: string[], says: RegExp])[] = [
    [['set', 'a', '--from-file', folder], /cannot be read: EISDIR \(it is a folder\)/],
    [
      ['set', 'a', '--from-file', `${folder}/no`],
      /cannot be read: ENOENT \(there is no such file or folder\)/,
    ],
    [['set', 'a', '--from-file', '/dev/zero'], /the value is larger than 1048576 bytes/],
    [['set', 'a', '--from-file', ''], /the path of a file is empty/],
    [['import', `${folder}/loop`], /cannot be read: ELOOP \(/],
    [['inject', '-i', long], /cannot be read: ENAMETOOLONG \(the path is too long\)/],
    [['inject', '-o', long], /cannot be written: ENAMETOOLONG \(the path is too long\)/],
    [['get', 'a', '--passphrase-file', folder], /cannot be read: EISDIR/],
    [['list', '--home', long], /cannot be read: ENAMETOOLONG/],
  ];
  for (const [args, says] of cases) {
    const { code, stderr } = await mav(sandbox, args, { input: 'x' });
    t.not(code, 0, args.join(' '));
    t.match(stderr, says, args.join(' '));
    t.notMatch(stderr, RAW, args.join(' '));
  }
});

t.test(
  'a fault of the program itself > says that it is one, where, and nothing of what it worked on',
  async (t) => {
    const sandbox = createSandbox(t);
    const fault = join(sandbox.folder, 'fault.mjs');
    writeFileSync(fault, 'String.prototype.padEnd = () => { null.canary; };');
    const env = { ...sandbox.env, NODE_OPTIONS: `--import=${fault}` };
    await fillVault(sandbox);
    const { code, stderr } = await finished(spawnMav(sandbox, ['status', '-o', 'table'], { env }));
    t.equal(code, 1);
    t.match(stderr, /^mav: this is a fault of mav itself.*please report it: TypeError at \S+:\d+:\d+\n$/);
    t.notMatch(stderr, 'canary');
  },
);

t.test(
  "an option that is wrong > by the API's judgement > is named as the option, a member to clients",
  async (t) => {
    const daemon = await startDaemon(t);
    const long = 'x'.repeat(600);
    const cases: readonly (readonly [args: string[], says: string])[] = [
      [['set', '', '--value', 'v'], 'NAME must not be empty'],
      [['set', 'a', '--value', 'v', '--env', long], '--env must be at most 512 bytes long'],
      [['set', 'a', '--value', 'v', '--field', ''], '--field must not be empty'],
      [['search', ''], 'QUERY must say what to search for'],
      [['list', '--metadata-value', 'x'], '--metadata-value needs --metadata-key beside it'],
      [['token', 'create', '--name', 'a', '--scope', 'x'], '--scope must be a non-empty list of "read"'],
      [
        ['token', 'create', '--name', 'a', '--scope', 'read', '--expires', '5'],
        '--expires must be a duration',
      ],
      [['generate', '--passphrase', '--delimiter', long], '--delimiter must be at most 16 bytes long'],
    ];
    for (const [args, says] of cases) {
      const { code, stderr } = await mav(daemon, args);
      t.equal(code, 2, says);
      t.match(stderr, `mav: ${says}`);
    }
    const named = await mav(daemon, ['get', 'a'], { env: { MAV_ENV: long } });
    t.match(named, { code: 2, stderr: 'mav: MAV_ENV must be at most 512 bytes long\n' });
    writeFileSync(join(daemon.home, 'config.json'), JSON.stringify({ env: long }));
    const configured = await mav(daemon, ['list']);
    t.match(configured, { code: 2, stderr: 'mav: "env" in config.json must be at most 512 bytes long\n' });
    const body = { name: 'a', scopes: ['read'], expires_in: '5' };
    const { json } = await daemon.ask('POST', '/v1/tokens', { body });
    t.match(json, {
      code: 'bad_request',
      error: /^"expires_in" must be a duration/,
      member: 'expires_in',
      problem: /^must be a duration/,
    });
    const parameter = await daemon.ask('GET', '/v1/secrets?limit=0');
    t.strictSame(parameter.json, {
      error: 'limit must be a whole number from 1 to 1000',
      code: 'bad_request',
      problem: 'must be a whole number from 1 to 1000',
      member: 'limit',
    });
    const unknown = await daemon.ask('POST', '/v1/tokens', { body: { ...body, 'naïve\n': 1 } });
    t.strictSame(unknown.json, { error: 'unknown member "naïve\\n"', code: 'bad_request' });
  },
);
