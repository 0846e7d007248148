/** `mav generate`: what is drawn, what is printed, and what is stored under a name. */
import t, { type Test } from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { KEYS, mavOnTerminal } from './fixtures/terminal.ts';
import { createSandbox, fillVault, keepNothing, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);

async function createVault(t: Test): Promise<Sandbox> {
  const sandbox = createSandbox(t);
  await fillVault(sandbox);
  return sandbox;
}

/** The same with a daemon and without. */
async function testGenerate(t: Test, sandbox: Sandbox): Promise<void> {
  const generate = (...args: string[]) => mav(sandbox, ['generate', ...args]);
  const plain = await generate();
  t.equal(plain.code, 0);
  t.match(plain.stdout, /^[!-~]{32}$/, 'nothing else, not even a newline');
  t.equal(plain.stderr, '206.6 bits of entropy.\n');
  const digits = await generate('--no-uppercase', '--no-lowercase', '--no-symbols', '--length', '10');
  t.match(digits.stdout, /^[0-9]{10}$/);
  t.equal(digits.stderr, '33.2 bits of entropy.\n');
  t.match((await generate('--no-symbols', '--no-digits', '--length', '4096')).stdout, /^[A-Za-z]{4096}$/);
  const words = await generate('--passphrase');
  t.match(words.stdout, /^[a-z]+(-[a-z]+){5}$/);
  t.equal(words.stderr, '66 bits of entropy.\n');
  t.match(
    (await generate('--passphrase', '--words', '3', '--delimiter', ' ')).stdout,
    /^[a-z]+( [a-z]+){2}$/,
  );
  t.match((await generate('--passphrase', '--words', '2', '--delimiter', '')).stdout, /^[a-z]+$/);
  const quiet = await generate('-q');
  t.same([quiet.code, quiet.stderr], [0, '']);
  const json = JSON.parse((await generate('-o', 'json', '--length', '8', '--no-symbols')).stdout);
  t.match(json.password, /^[A-Za-z0-9]{8}$/);
  t.same({ ...json, password: '' }, { password: '', stored: false, entropy_bits: json.entropy_bits });
  t.ok(json.entropy_bits > 46 && json.entropy_bits < 48);
  await testStoring(t, sandbox);
}

async function testStoring(t: Test, sandbox: Sandbox): Promise<void> {
  const stored = await mav(sandbox, [
    ...['generate', '--name', 'new', '--env', 'prod', '--passphrase'],
    ...['--metadata', 'owner=me', '--metadata', 'n=0123'],
  ]);
  t.equal(stored.code, 0);
  t.equal(stored.stderr, 'Stored new in prod.\n66 bits of entropy.\n');
  const entry = JSON.parse((await mav(sandbox, ['get', 'new', '--env', 'prod', '-o', 'json'])).stdout);
  t.equal(entry.value, stored.stdout);
  t.same(entry.metadata, { owner: 'me', n: '0123' });
  const replaced = await mav(sandbox, ['generate', '--name', 'new', '--env', 'prod']);
  t.equal(
    replaced.stderr,
    'Stored new in prod, version 2; mav rollback new --env prod brings 1 back.\n206.6 bits of entropy.\n',
  );
  t.equal((await mav(sandbox, ['get', 'new', '--env', 'prod'])).stdout, replaced.stdout);
  t.equal((await mav(sandbox, ['get', 'new', '--env', 'prod', '--version', '1'])).stdout, stored.stdout);
  t.equal((await mav(sandbox, ['generate', '--name', 'new'])).code, 0, 'the same name elsewhere');
  const forced = await mav(sandbox, ['generate', '--name', 'new', '--env', 'prod', '--force']);
  t.equal(forced.code, 0);
  t.equal((await mav(sandbox, ['get', 'new', '--env', 'prod'])).stdout, forced.stdout);
}

t.test('generate > without a daemon > printed, and stored where a name is given', async (t) => {
  await testGenerate(t, await createVault(t));
});

t.test('generate > with a daemon > the same', async (t) => {
  await testGenerate(t, await startDaemon(t, { token: false }));
});

t.test('generate > a token that may only generate > makes new secrets and replaces none', async (t) => {
  const daemon = await startDaemon(t);
  const { token } = await daemon.createToken(['generate']);
  const generate = (...args: string[]) =>
    mav(daemon, ['generate', '--name', 'x', ...args], { env: { MAV_TOKEN: token } });
  t.equal((await generate()).code, 0);
  t.equal((await generate()).code, 2);
  t.equal((await generate('--force')).code, 4);
  const reader = await daemon.createToken(['read']);
  t.equal((await mav(daemon, ['generate'], { env: { MAV_TOKEN: reader.token } })).code, 4);
});

t.test('generate > options that contradict each other > exit 2, nothing drawn', async (t) => {
  const sandbox = await createVault(t);
  const wrong = [
    ['--passphrase', '--length', '3'],
    ['--passphrase', '--no-symbols'],
    ['--passphrase', '--words', '0'],
    ['--passphrase', '--words', '65'],
    ['--passphrase', '--words', 'hunter2'],
    ['--passphrase', '--delimiter', 'hunter2hunter2hunter2'],
    ['--words', '3'],
    ['--delimiter', '-'],
    ['--length', '0'],
    ['--length', '3'],
    ['--length', '4097'],
    ['--length', '1e2'],
    ['--no-uppercase', '--no-lowercase', '--no-digits', '--no-symbols'],
    ['--env', 'prod'],
    ['--metadata', 'a=b'],
    ['--force'],
    ['--name', 'x', '--metadata', 'hunter2'],
    ['--name', ''],
    ['-o', 'yaml'],
    ['hunter2'],
  ];
  for (const args of wrong) {
    const refused = await mav(sandbox, ['generate', ...args]);
    t.same([refused.code, refused.stdout], [2, ''], args.join(' '));
    t.match(refused.stderr, /^mav: [^\n]+\n$/, args.join(' '));
    t.notMatch(refused.stderr, 'hunter2', args.join(' '));
  }
  t.equal((await mav(sandbox, ['list'])).stdout, '[]\n');
});

t.test('generate > what it replaces would not be kept > refused without --force', async (t) => {
  const sandbox = await createVault(t);
  keepNothing(sandbox);
  const stored = await mav(sandbox, ['generate', '--name', 'new', '--env', 'prod']);
  const refused = await mav(sandbox, ['generate', '--name', 'new', '--env', 'prod']);
  t.same([refused.code, refused.stdout], [2, '']);
  t.equal(refused.stderr, 'mav: Replace new in prod? Nobody can be asked here; give --force\n');
  t.equal((await mav(sandbox, ['get', 'new', '--env', 'prod'])).stdout, stored.stdout);
});

t.test(
  'generate > on a terminal, nothing is kept > a line of its own, asks before it replaces',
  {
    skip: skipWithout('python3'),
  },
  async (t) => {
    const sandbox = await createVault(t);
    const shown = await mavOnTerminal(t, sandbox, ['generate', '--passphrase']).ended();
    t.match(shown.shown, /^[a-z]+(-[a-z]+){5}\n66 bits of entropy.\n$/);
    await mav(sandbox, ['set', 'x', '--value', 'old']);
    keepNothing(sandbox);
    for (const [typed, code] of [
      [KEYS.enter, 1],
      [KEYS.ctrlD, 1],
      [`y${KEYS.enter}`, 0],
    ] as const) {
      const terminal = mavOnTerminal(t, sandbox, ['generate', '--name', 'x']);
      await terminal.see('Replace x? [y/N] ');
      terminal.type(typed);
      t.equal((await terminal.ended()).code, code);
      t.equal((await mav(sandbox, ['get', 'x'])).stdout === 'old', code !== 0);
    }
  },
);
