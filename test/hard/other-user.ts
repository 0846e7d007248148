/**
 * Another user of the machine gets nothing: not from the folder, the database, the lock, the session token or the
 * socket, and not when folder and socket have lost their modes. The other user is one without an account, made by
 * setpriv: a test of modes that runs as root would see none of them.
 */
import { spawn } from 'node:child_process';
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Libc } from '../../src/daemon/libc.ts';
import { type Daemon, startDaemon } from '../fixtures/daemon.ts';
import { skipWithout } from '../fixtures/programs.ts';
import { CANARY } from '../fixtures/tampered.ts';
import { type Finished, finished } from '../fixtures/vault.ts';

t.setTimeout(120_000);
const STRANGER = '54321';
const seesPeers = Libc.open() !== null;
const skip = process.geteuid?.() === 0 ? skipWithout('setpriv') : 'only root can become another user';

/** Tries each of these and says how it went: `EACCES`, or `done`. Written for any node, without a module of ours. */
const PROBE = `
const fs = require('node:fs'), net = require('node:net'), http = require('node:http');
const { pid, socket, files, folder, requests } = JSON.parse(process.argv[1]);
const found = {};
const attempt = (what, act) => { try { act(); found[what] = 'done'; } catch (error) { found[what] = error.code; } };
attempt('list ' + folder, () => fs.readdirSync(folder));
attempt('write ' + folder, () => fs.writeFileSync(folder + '/planted', ''));
for (const file of files) {
  attempt('read ' + file, () => fs.closeSync(fs.openSync(file, 'r')));
  attempt('write ' + file, () => fs.closeSync(fs.openSync(file, 'r+')));
  attempt('remove ' + file, () => fs.unlinkSync(file));
  attempt('chmod ' + file, () => fs.chmodSync(file, 0o666));
}
for (const name of ['mem', 'environ', 'maps']) attempt('proc ' + name, () => fs.closeSync(fs.openSync('/proc/' + pid + '/' + name, 'r')));
attempt('proc fd', () => fs.readdirSync('/proc/' + pid + '/fd'));
for (const signal of ['SIGUSR1', 'SIGTERM', 'SIGSEGV']) attempt(signal, () => process.kill(pid, signal));
const send = (token, [method, path]) => new Promise((resolve) => {
  const headers = token ? { authorization: 'Bearer ' + token } : {};
  const request = http.request({ socketPath: socket, method, path, headers, agent: false }, (response) => {
    let text = '';
    response.on('data', (chunk) => (text += chunk)).on('end', () => resolve([response.statusCode, text]));
  });
  request.on('error', (error) => resolve([error.code, ''])).end();
});
(async () => {
  const answers = [];
  for (const token of ['', 'mvt_' + '0'.repeat(64), 'mvs_' + '0'.repeat(64)])
    for (const request of requests) answers.push([request.join(' '), ...(await send(token, request))]);
  console.log(JSON.stringify({ uid: process.geteuid(), found, answers }));
})();
`;

const REQUESTS = [
  ['GET', '/v1/secrets'],
  ['GET', '/v1/secrets/s'],
  ['GET', '/v1/secrets/s/value'],
  ['PUT', '/v1/secrets/s'],
  ['DELETE', '/v1/secrets/s'],
  ['GET', '/v1/search?q=s'],
  ['GET', '/v1/export'],
  ['GET', '/v1/info'],
  ['GET', '/v1/tokens'],
  ['POST', '/v1/tokens'],
  ['GET', '/v1/status'],
  ['POST', '/v1/seal'],
  ['POST', '/v1/unseal'],
  ['POST', '/v1/keys/rotate'],
  ['POST', '/v1/destroy'],
] as const;

interface Probed {
  readonly uid: number;
  readonly found: Readonly<Record<string, string>>;
  readonly answers: readonly (readonly [what: string, status: number | string, text: string])[];
}

function runAsStranger(args: readonly string[]): Promise<Finished> {
  const become = ['--reuid', STRANGER, '--regid', STRANGER, '--clear-groups'];
  return finished(
    spawn('setpriv', [...become, process.execPath, ...args], {
      env: { PATH: process.env.PATH },
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
}

async function probe(t: Test, daemon: Daemon): Promise<Probed> {
  const files = readdirSync(daemon.home).map((name) => join(daemon.home, name));
  const given = {
    pid: daemon.child.pid,
    socket: daemon.socket,
    folder: daemon.home,
    files,
    requests: REQUESTS,
  };
  const run = await runAsStranger(['-e', PROBE, JSON.stringify(given)]);
  t.equal(run.code, 0, run.stderr);
  t.notOk(run.stdout.includes(CANARY), 'no value');
  const probed = JSON.parse(run.stdout) as Probed;
  t.equal(String(probed.uid), STRANGER, 'it was another user');
  t.ok(Object.keys(probed.found).length >= 4 * files.length + 9);
  return probed;
}

async function serveToStranger(t: Test): Promise<Daemon> {
  const daemon = await startDaemon(t);
  // The folder around it is open: nothing but the vault's own modes keeps the stranger out.
  chmodSync(daemon.folder, 0o755);
  await daemon.ask('PUT', '/v1/secrets/s', { body: { value: CANARY } });
  return daemon;
}

const isDenied = (outcome: string | number) => outcome === 'EACCES' || outcome === 'EPERM';
const unreached = ({ found, answers }: Probed) => [
  ...Object.entries(found).filter(([, outcome]) => !isDenied(outcome)),
  ...answers.filter(([, status]) => !isDenied(status)).map(([what, status]) => [what, status]),
];

async function checkUnharmed(t: Test, daemon: Daemon): Promise<void> {
  t.equal((await daemon.ask('GET', '/v1/secrets/s')).json.value, CANARY, 'the vault is unharmed');
  t.equal((await daemon.stop()).code, 0);
}

t.test('another user > the vault as it is made > every attempt is denied', { skip }, async (t) => {
  const daemon = await serveToStranger(t);
  const probed = await probe(t, daemon);
  t.same(unreached(probed), []);
  t.comment(
    `figure: ${Object.keys(probed.found).length} attempts and ${probed.answers.length} requests, all denied`,
  );
  await checkUnharmed(t, daemon);
});

t.test('another user > the folder was opened to everybody > only names are seen', { skip }, async (t) => {
  const daemon = await serveToStranger(t);
  chmodSync(daemon.home, 0o755);
  const probed = await probe(t, daemon);
  t.same(unreached(probed), [[`list ${daemon.home}`, 'done']]);
  t.comment(`figure: ${Object.keys(probed.found).length} attempts, all but the list of names denied`);
  await checkUnharmed(t, daemon);
});

t.test('another user > folder and socket were opened to everybody > is not answered', { skip }, async (t) => {
  const daemon = await serveToStranger(t);
  chmodSync(daemon.home, 0o755);
  chmodSync(daemon.socket, 0o666);
  const probed = await probe(t, daemon);
  const { answers, found } = probed;
  const own = Object.entries(found)
    .filter(([, outcome]) => !isDenied(outcome))
    .map(([what]) => what);
  t.same(
    own,
    [`list ${daemon.home}`, `read ${daemon.socket}`, `write ${daemon.socket}`].filter((what) =>
      own.includes(what),
    ),
  );
  // The daemon hangs up on them, where it can see who asks.
  const refused: readonly (string | number)[] = seesPeers ? ['ECONNRESET', 'EPIPE'] : [401];
  t.same(
    answers.filter(([, status]) => !refused.includes(status)),
    [],
    'nobody is let in',
  );
  t.equal(
    daemon.log().filter(({ detail }) => detail === `a connection of the user ${STRANGER} was closed`).length,
    seesPeers ? answers.length : 0,
    'and it is logged',
  );
  for (let first = 0; first < answers.length; first += REQUESTS.length) {
    const texts = answers.slice(first, first + REQUESTS.length).map(([, , text]) => text);
    t.equal(new Set(texts).size, 1, 'whatever is asked for, the answer is the same');
  }
  t.comment(`figure: ${answers.length} requests on a loosened socket, all refused`);
  await checkUnharmed(t, daemon);
});
