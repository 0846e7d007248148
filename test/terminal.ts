/** What a person meets at the terminal: prompts, Ctrl-C, the end of input, and a terminal that is left as it was. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import t, { type Test } from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { type Ended, KEYS, mavOnTerminal, openTerminal, type Terminal } from './fixtures/terminal.ts';
import { BIN, createSandbox, fillVault, keepNothing, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);
const skip = skipWithout('python3');
const { enter, ctrlC, ctrlD } = KEYS;

/** With a daemon where not told otherwise: that is quicker. `keeps`: whether what is replaced or deleted is kept. */
async function createVault(t: Test, { served = true, keeps = true } = {}): Promise<Sandbox> {
  const sandbox = createSandbox(t);
  await fillVault(sandbox);
  if (!keeps) keepNothing(sandbox);
  return served ? startDaemon(t, { sandbox, init: null, token: false }) : sandbox;
}

/** Types each line when its prompt is seen. */
async function answer(
  terminal: Terminal,
  ...pairs: readonly [prompt: string, typed: string][]
): Promise<Ended> {
  for (const [prompt, typed] of pairs) {
    await terminal.see(prompt);
    terminal.type(typed);
  }
  return terminal.ended();
}

function checkSane(t: Test, { echoes, readsLines }: Ended): void {
  t.same({ echoes, readsLines }, { echoes: true, readsLines: true }, 'the terminal is as it was');
}

t.test('terminal > the driver itself > types, sees, and tells the end', { skip }, async (t) => {
  const sandbox = createSandbox(t);
  const terminal = openTerminal(t, sandbox, ['sh', '-c', 'read x; echo "got $x"; stty -echo; exit 7']);
  terminal.type('a word\r');
  await terminal.see('got a word');
  const end = await terminal.ended();
  t.same([end.code, end.echoes, end.readsLines], [7, false, true]);
  const other = openTerminal(t, sandbox, ['sleep', '60']);
  await other.signal('SIGTERM');
  t.equal((await other.ended()).code, null);
  await t.rejects(openTerminal(t, sandbox, ['echo', 'x']).see('y'), { message: /showed:\nx/ });
});

t.test('set > a value is typed twice > stored as typed, and never shown', { skip }, async (t) => {
  const sandbox = await createVault(t, { served: false });
  const typed = '  hunter2 \t"ü';
  const end = await answer(
    mavOnTerminal(t, sandbox, ['set', 'x']),
    ['Value of x: ', typed + enter],
    ['Once more: ', typed + enter],
  );
  t.equal(end.code, 0);
  checkSane(t, end);
  t.notMatch(end.shown, 'hunter2');
  t.matchSnapshot(end.shown);
  t.equal((await mav(sandbox, ['get', 'x'])).stdout, typed);
});

t.test('set > the second entry differs > asked again', { skip }, async (t) => {
  const sandbox = await createVault(t);
  const end = await answer(
    mavOnTerminal(t, sandbox, ['set', 'x', '--env', 'prod', '--field', 'f']),
    ['Value of the field f of x in prod: ', `one${enter}`],
    ['Once more: ', `two${enter}`],
    ['Value of the field f', `three\x7f\x7f\x7f\x7f\x7ffour${enter}`],
    ['Once more: ', `four${enter}`],
  );
  t.equal(end.code, 0);
  t.match(end.shown, 'These were not the same.');
  t.notMatch(end.shown, /one\b|two|three|four/);
  t.equal((await mav(sandbox, ['get', 'x', '--env', 'prod', '--field', 'f'])).stdout, 'four');
});

t.test('set > stopped, ended, empty or pasted > nothing is stored', { skip }, async (t) => {
  const sandbox = await createVault(t);
  const cases: readonly [what: string, code: number | null, ...answers: [string, string][]][] = [
    ['Ctrl-C at once', 130, ['Value', ctrlC]],
    ['Ctrl-C behind some letters', 130, ['Value', `hunter2${ctrlC}`]],
    ['Ctrl-C at the second prompt', 130, ['Value', `hunter2${enter}`], ['Once', ctrlC]],
    ['Ctrl-D at once', 1, ['Value', ctrlD]],
    ['Ctrl-D at the second prompt', 1, ['Value', `hunter2${enter}`], ['Once', ctrlD]],
    [
      'an empty value, and none when asked again',
      1,
      ['Value', enter],
      ['That is empty.\nValue of x: ', ctrlD],
    ],
    ['three lines pasted', 1, ['Value', `hunter2${enter}hunter2${enter}hunter2${enter}`]],
    ['two lines pasted, the second one open', 1, ['Value', `hunter2${enter}hunter2`]],
  ];
  for (const [what, code, ...answers] of cases) {
    const end = await answer(mavOnTerminal(t, sandbox, ['set', 'x']), ...answers);
    t.equal(end.code, code, what);
    checkSane(t, end);
    t.notMatch(end.shown, 'hunter2', what);
    t.match(end.shown, /nothing was (stored|done)/, what);
  }
  t.equal((await mav(sandbox, ['get', 'x'])).code, 3);
});

t.test('set > SIGTERM at the prompt > nothing stored, the terminal as it was', { skip }, async (t) => {
  const sandbox = await createVault(t);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const terminal = mavOnTerminal(t, sandbox, ['set', 'x']);
    await terminal.see('Value of x: ');
    terminal.type('hunter2');
    await terminal.signal(signal);
    const end = await terminal.ended();
    t.not(end.code, 0, signal);
    checkSane(t, end);
  }
  t.equal((await mav(sandbox, ['get', 'x'])).code, 3);
});

t.test('delete > for good, asked on the terminal > only a yes deletes', { skip }, async (t) => {
  const sandbox = await createVault(t, { keeps: false });
  await mav(sandbox, ['set', 'x', '--value', 'v']);
  const refusals: readonly [typed: string, code: number][] = [
    [`n${enter}`, 1],
    [enter, 1],
    [`yess${enter}`, 1],
    [ctrlD, 1],
    [ctrlC, 130],
  ];
  for (const [typed, code] of refusals) {
    const end = await answer(mavOnTerminal(t, sandbox, ['delete', 'x']), [
      'Delete x for ever? [y/N] ',
      typed,
    ]);
    t.equal(end.code, code, JSON.stringify(typed));
    checkSane(t, end);
    t.match(end.shown, 'nothing was done');
  }
  t.equal((await mav(sandbox, ['get', 'x'])).code, 0);
  const end = await answer(mavOnTerminal(t, sandbox, ['delete', 'x']), ['[y/N] ', `y${enter}`]);
  t.equal(end.code, 0);
  checkSane(t, end);
  t.equal((await mav(sandbox, ['get', 'x'])).code, 3);
});

t.test('asking > nobody may or can be asked > refused, naming the way', { skip }, async (t) => {
  const sandbox = await createVault(t, { keeps: false });
  await mav(sandbox, ['set', 'x', '--value', 'v']);
  const program = `${process.execPath} ${BIN}`;
  const cases = {
    'no input wanted': `${program} delete x --no-input`,
    'no terminal to type at': `${program} delete x </dev/null`,
    'a yes in a pipe': `echo y | ${program} delete x`,
    'no terminal to print to': `${program} delete x | cat`,
    'no terminal for the question': `${program} delete x 2>&1 | cat`,
    'a value, no input wanted': `${program} set y --no-input`,
    'a value, no terminal to print to': `${program} set y | cat`,
  };
  for (const [what, command] of Object.entries(cases)) {
    const end = await openTerminal(t, sandbox, ['bash', '-o', 'pipefail', '-c', command]).ended();
    t.equal(end.code, 2, what);
    t.match(end.shown, what.startsWith('a value') ? '--from-file' : '--force', what);
  }
  t.equal((await mav(sandbox, ['get', 'x'])).code, 0);
});

t.test('passphrase > typed with spaces around it > kept as typed', { skip }, async (t) => {
  const sandbox = createSandbox(t);
  const typed = '  hunter2 hunter3  ';
  const made = await answer(
    mavOnTerminal(t, sandbox, ['init', '--key-store', 'passphrase', '--no-recovery']),
    ['New passphrase (at least 8 characters): ', typed + enter],
    ['Once more: ', typed + enter],
  );
  t.equal(made.code, 0);
  const right = await answer(mavOnTerminal(t, sandbox, ['list']), ['Passphrase: ', typed + enter]);
  t.equal(right.code, 0);
  const wrong = await answer(
    mavOnTerminal(t, sandbox, ['list']),
    ['Passphrase: ', typed.trim() + enter],
    ['The passphrase is wrong.\nPassphrase: ', typed.trim() + enter],
    ['The passphrase is wrong.\nPassphrase: ', typed.trim() + enter],
  );
  t.equal(wrong.code, 5);
  t.notMatch(made.shown + right.shown + wrong.shown, 'hunter');
  for (const end of [made, right, wrong]) checkSane(t, end);
});

t.test('init > the passphrase is not given > no vault is left behind', { skip }, async (t) => {
  const sandbox = createSandbox(t);
  const prompt = 'New passphrase (at least 8 characters): ';
  const cases: readonly [code: number, ...answers: [string, string][]][] = [
    [130, [prompt, ctrlC]],
    [1, [prompt, ctrlD]],
    [130, [prompt, enter], [`Choose a longer one.\n${prompt}`, ctrlC]],
  ];
  for (const [code, ...answers] of cases) {
    const init = mavOnTerminal(t, sandbox, ['init', '--key-store', 'passphrase', '--no-recovery']);
    t.equal((await answer(init, ...answers)).code, code);
    t.notOk(existsSync(sandbox.databasePath));
  }
});

t.test('output > the reader has gone > quiet', async (t) => {
  const sandbox = await createVault(t, { served: false });
  await mav(sandbox, ['set', 'x'], { input: 'v'.repeat(1_000_000) });
  for (const command of ['list -o json', 'list -o table', 'get x', '--help']) {
    const line = `${process.execPath} ${BIN} ${command} | head -c 0`;
    const { status, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', line], {
      env: sandbox.env,
      encoding: 'utf8',
    });
    t.same([status, stderr], [0, ''], command);
  }
});
