/** Approvals on the command line: on a terminal, by a pinentry, by id, and without anybody to ask. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { waitUntil } from './fixtures/raw.ts';
import { KEYS, mavOnTerminal, openTerminal } from './fixtures/terminal.ts';
import { BIN, createSandbox, fillVault, finished, mav, spawnMav } from './fixtures/vault.ts';

t.setTimeout(550_000);
const { enter, ctrlC } = KEYS;
const skip = skipWithout('python3');

/** A daemon with a secret that asks, of a name that would turn text around. */
async function serve(t: Test) {
  const daemon = await startDaemon(t);
  const { token } = await daemon.createToken(['read'], { name: 'agent \u202e' });
  await daemon.ask('PUT', '/v1/secrets/db', { body: { value: 'hunter2', confirm: 'always' } });
  return { daemon, token };
}

const readByToken = ({ ask }: Daemon, token: string) =>
  ask('GET', '/v1/secrets/db/value', { token, headers: { 'X-Purpose': 'to see' } });

async function awaitId(daemon: Daemon): Promise<string> {
  let id = '';
  await waitUntil(async () => {
    const { stdout } = await mav(daemon, ['approvals', '-o', 'json']);
    id = JSON.parse(stdout)[0]?.id ?? '';
    return id !== '';
  });
  return id;
}

t.test('approve, deny > an id > the request is answered, and said so', async (t) => {
  const { daemon, token } = await serve(t);
  for (const [verb, said, status] of [
    ['approve', 'Approved.', 200],
    ['deny', 'Refused.', 403],
  ] as const) {
    const answer = readByToken(daemon, token);
    const { code, stdout, stderr } = await mav(daemon, [verb, await awaitId(daemon)]);
    t.strictSame([code, stdout, stderr], [0, '', `${said}\n`]);
    t.equal((await answer).status, status);
    const again = await mav(daemon, [verb, '0123456789abcdef']);
    t.match([again.code, again.stderr], [3, /no request with this ID/]);
    const byToken = await mav({ ...daemon, env: { ...daemon.env, MAV_TOKEN: token } }, [verb, 'x']);
    t.match([byToken.code, byToken.stderr], [4, /no token may/]);
  }
  t.equal((await mav(daemon, ['approvals', '-o', 'json'])).stdout, '[]\n');
  t.match(await mav(daemon, ['approvals']), { code: 2, stderr: /nobody can be asked here; give --pinentry/ });
});

t.test('approvals > on a terminal > asks for one after the other, until Ctrl-C', { skip }, async (t) => {
  const { daemon, token } = await serve(t);
  const terminal = mavOnTerminal(t, daemon, ['approvals']);
  await terminal.see('Waiting for requests');
  for (const [typed, status, said] of [
    ['y', 200, 'Approved.'],
    ['', 403, 'Refused.'],
  ] as const) {
    const answer = readByToken(daemon, token);
    await terminal.see('The token agent \\u{202e} (');
    await terminal.see(`process ${process.pid}, `);
    await terminal.see('wants to read:');
    await terminal.see('  db');
    await terminal.see('It says: to see');
    await terminal.see('Let it? [y/N]');
    terminal.type(typed + enter);
    t.equal((await answer).status, status);
    await terminal.see(said);
  }
  terminal.type(ctrlC);
  t.not((await terminal.ended()).code, 0);
});

t.test('get > on a terminal > asks there, with a daemon and without', { skip }, async (t) => {
  const { daemon } = await serve(t);
  const bare = createSandbox(t);
  await fillVault(bare);
  t.equal((await mav(bare, ['set', 'db', '--value', 'hunter2', '--confirm', 'always'])).code, 0);
  for (const sandbox of [daemon, bare])
    for (const [typed, code, shown] of [
      ['y', 0, 'hunter2'],
      ['n', 4, 'you refused it'],
    ] as const) {
      const terminal = mavOnTerminal(t, sandbox, ['get', 'db', '--reason', 'a test']);
      await terminal.see('Your own session, process ');
      await terminal.see('It says: a test');
      await terminal.see('Let it? [y/N]');
      terminal.type(typed + enter);
      await terminal.see(shown);
      t.equal((await terminal.ended()).code, code);
    }
  t.match(await mav(bare, ['get', 'db']), {
    code: 4,
    stdout: '',
    stderr: /cannot be asked here; run it on a terminal/,
  });
});

/** A program that speaks Assuan, answers CONFIRM as it is told, and notes what it is sent. */
function makePinentry({ folder }: Daemon, answer: string): { program: string; heard: () => string } {
  const [program, notes] = [join(folder, 'pinentry'), join(folder, 'heard')];
  const script = `#!/bin/sh
echo 'OK ready'
while read -r line; do
  printf '%s\\n' "$line" >>'${notes}'
  case $line in
    CONFIRM*) ${answer} ;;
    BYE) echo OK; exit ;;
    OPTION*) echo 'ERR 83886254 Unknown option <Pinentry>' ;;
    *) echo '# a comment'; echo OK ;;
  esac
done
`;
  writeFileSync(program, script);
  chmodSync(program, 0o700);
  return { program, heard: () => readFileSync(notes, 'utf8') };
}

t.test('approvals > by a pinentry > the answer of the window counts', async (t) => {
  const { daemon, token } = await serve(t);
  for (const [answer, status] of [
    ['echo OK', 200],
    ["echo 'ERR 83886194 Not confirmed <Pinentry>'", 403],
    ["echo 'ERR 83886179 Operation cancelled <Pinentry>'", 403],
  ] as const) {
    const { program, heard } = makePinentry(daemon, answer);
    const env = { ...daemon.env, MAV_PINENTRY: program, TERM: 'xterm' };
    const child = spawnMav({ ...daemon, env }, ['approvals', '--pinentry']);
    const ending = finished(child);
    t.equal((await readByToken(daemon, token)).status, status, answer);
    const said = /^SETDESC (.*)$/m.exec(heard())?.[1] ?? '';
    t.match(said, /^The token agent \\u\{202e\} \(.*wants to read:%0A {2}db%0AIt says: to see$/);
    child.kill('SIGKILL');
    await ending;
  }
  const broken = makePinentry(daemon, "echo 'ERR 83918950 no terminal <Pinentry>'");
  const waiting = readByToken(daemon, token);
  const env = { ...daemon.env, MAV_PINENTRY: broken.program };
  const said = await mav({ ...daemon, env }, ['approvals', '--pinentry']);
  t.match([said.code, said.stderr], [1, /cannot ask: no terminal/]);
  const none = await mav({ ...daemon, env: { ...daemon.env, MAV_PINENTRY: '/nonexistent' } }, [
    'approvals',
    '--pinentry',
  ]);
  t.match([none.code, none.stderr], [1, /\/nonexistent cannot be started; MAV_PINENTRY/]);
  await mav(daemon, ['approve', await awaitId(daemon)]);
  t.equal((await waiting).status, 200, 'and the request was not decided');
});

t.test(
  'approvals > by the real pinentry on a terminal > asks there',
  { skip: skip || skipWithout('pinentry-tty') },
  async (t) => {
    const { daemon, token } = await serve(t);
    const script = 'GPG_TTY=$(tty) exec "$0" "$@"';
    const env = { MAV_PINENTRY: 'pinentry-tty', TERM: 'xterm' };
    const command = ['sh', '-c', script, process.execPath, BIN, 'approvals', '--pinentry'];
    const terminal = openTerminal(t, daemon, command, env);
    const answer = readByToken(daemon, token);
    await terminal.see('wants to read:');
    await terminal.see('Let it read');
    terminal.type('l');
    terminal.type(enter);
    t.equal((await answer).text, 'hunter2');
    await terminal.see('Approved.');
    terminal.type(ctrlC);
    await terminal.ended();
  },
);
