/** What the Tab key does: the words that `mav completion`'s scripts offer, in real shells, and how they are quoted. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { planCompletion } from '../src/cli/completion/plan.ts';
import { quoteForBash, quoteForPowerShell, splitLine } from '../src/cli/completion/shell-words.ts';
import { anyCharacter } from './fixtures/any-character.ts';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { openTerminal } from './fixtures/terminal.ts';
import { BIN, createSandbox, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);
/** As bash sets it. */
const WORD_BREAKS = ' \t\n"\'><=;|&(:';
/** Names that a shell would take for something else, and one that would leave a file. */
const NAMES = ['plain', 'my secret', `it's`, 'a:b', 'dq"x', '$(touch pwned)', 'back\\slash', '~home', 'ключ'];

/** A daemon with secrets of these names, and a folder where shells find `mav`. */
async function startNamed(t: Test): Promise<Daemon & { readonly tokenId: string }> {
  const daemon = await startDaemon(t);
  for (const name of NAMES)
    await daemon.ask('PUT', `/v1/secrets/${encodeURIComponent(name)}`, { body: { value: 'the value' } });
  await daemon.ask('PUT', '/v1/secrets/plain?env=prod', { body: { value: 'the value' } });
  const fields = { host: 'the value', 'user name': 'the value' };
  await daemon.ask('PUT', '/v1/secrets/my%20secret/fields', { body: { fields } });
  const { id } = await daemon.createToken(['read'], { name: 'reader' });
  installProgram(daemon);
  return { ...daemon, tokenId: id };
}

function installProgram({ folder, env }: Sandbox): void {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'mav'), `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`);
  chmodSync(join(bin, 'mav'), 0o755);
  env.PATH = `${bin}${delimiter}${env.PATH}`;
}

/** For the tests that only ask it. */
const daemon = await startNamed(t);

async function complete(sandbox: Sandbox, words: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { code, stdout, stderr } = await mav(sandbox, ['__complete', 'fish', ...words], { env });
  t.same([code, stderr], [0, ''], words.join(' '));
  return stdout.split('\n').filter((line) => line !== '');
}

/** The values that are offered for the last word of a line, before a vault is asked. */
function plan(...words: string[]): string[] {
  return planCompletion(words.slice(0, -1), words.at(-1) ?? '').candidates.map(({ value }) => value);
}

t.test('plan > commands > their words, aliases and what help is for', async (t) => {
  const all = plan('');
  for (const word of ['get', 'ls', 'token', 'doctor', 'destroy', 'completion', 'help'])
    t.ok(all.includes(word), word);
  t.notOk(all.includes('__complete'));
  t.same(plan('token', ''), ['create', 'list', 'ls', 'show', 'rotate', 'revoke']);
  t.same(plan('help', 'token', ''), ['create', 'list', 'ls', 'show', 'rotate', 'revoke']);
  t.same(plan('audit', ''), ['verify', 'forget', 'export'], 'behind a command that is a group too');
  t.ok(plan('audit', '--').includes('--since'));
  t.ok(plan('--').includes('--version'));
  t.same(plan('hunter2', ''), []);
});

t.test('plan > options > those of the command that are not given yet', async (t) => {
  const options = plan('get', 'name', '--');
  for (const option of ['--env', '--field', '--home', '--help']) t.ok(options.includes(option), option);
  t.notOk(plan('get', '--env', 'prod', '--').includes('--env'));
  t.notOk(plan('get', '-eprod', '--').includes('--env'));
  t.ok(plan('set', '-m', 'a=b', '--').includes('--metadata'), 'it may be repeated');
  t.same(plan('list', '--output', ''), ['table', 'json', 'plain', 'names']);
  t.same(
    plan('list', '--output='),
    ['table', 'json', 'plain', 'names'].map((form) => `--output=${form}`),
  );
  t.same(plan('init', '--key-store', ''), ['auto', 'keychain', 'passphrase', 'file']);
  t.ok(plan('status', '').includes('--output'), 'where no argument can come');
  t.same(plan('completion', ''), ['bash', 'zsh', 'fish', 'powershell']);
});

t.test('plan > what the vault or the shell knows > is asked for', async (t) => {
  const lookup = (...words: string[]) => planCompletion(words.slice(0, -1), words.at(-1) ?? '').lookup;
  t.same(lookup('get', ''), { kind: 'names' });
  t.same(lookup('rm', '--env', 'prod', ''), { kind: 'names' });
  t.same(lookup('get', '--', '-x'), { kind: 'names' });
  t.equal(lookup('get', 'name', ''), null);
  t.equal(lookup('rename', 'name', ''), null, 'a new name is nobody’s to know');
  t.same(lookup('token', 'revoke', ''), { kind: 'tokens' });
  t.same(lookup('undelete', 'one', ''), { kind: 'deleted' });
  t.same(lookup('purge', ''), { kind: 'deleted' });
  for (const words of [
    ['get', 'name', '--version', ''],
    ['rollback', 'name', '--to', ''],
    ['diff', 'name', ''],
  ])
    t.same(lookup(...words), { kind: 'versions', name: 'name' });
  t.same(lookup('get', '-e', ''), { kind: 'environments' });
  t.same(lookup('get', '--env=p'), { kind: 'environments' });
  t.same(lookup('get', 'name', '--field', ''), { kind: 'fields', name: 'name' });
  t.equal(lookup('get', '--field', ''), null);
  t.ok(planCompletion(['set', 'name', '--from-file'], '').files);
  t.notOk(planCompletion(['get'], '').files);
});

t.test('answer > a daemon > names without values', async (t) => {
  const names = await complete(daemon, ['get', '']);
  t.same(names.toSorted(), NAMES.map((name) => (name === 'plain' ? 'plain\tprod' : name)).toSorted());
  t.same(await complete(daemon, ['get', '--env', 'prod', '']), ['plain\tprod']);
  t.same(await complete(daemon, ['get', ''], { MAV_ENV: 'prod' }), ['plain\tprod']);
  t.same(await complete(daemon, ['get', '--env', '']), ['prod']);
  t.same(await complete(daemon, ['get', 'my secret', '--field', '']), ['host', 'user name']);
  t.same(await complete(daemon, ['get', 'nothing', '--field', '']), []);
  t.ok((await complete(daemon, ['token', 'revoke', ''])).includes(`${daemon.tokenId}\treader`));
  const listed = await daemon.ask('GET', '/v1/secrets/my%20secret/fields?names=true');
  t.same(listed.json, ['host', 'user name']);
  t.equal((await daemon.ask('GET', '/v1/secrets/my%20secret/fields?names=1')).status, 400);
  t.equal((await daemon.ask('GET', '/v1/secrets/nothing/fields?names=true')).status, 404);
});

t.test('answer > MAV_TOKEN, a sealed vault, no daemon, one that hangs > nothing, and no word', async (t) => {
  const daemon = await startNamed(t);
  const { token } = await daemon.createToken(['read']);
  t.equal((await complete(daemon, ['get', ''], { MAV_TOKEN: token })).length, NAMES.length);
  t.same(await complete(daemon, ['token', 'revoke', ''], { MAV_TOKEN: token }), []);
  t.same(await complete(daemon, ['get', ''], { MAV_TOKEN: 'malformed' }), []);
  await mav(daemon, ['seal']);
  t.same(await complete(daemon, ['get', '']), []);
  await daemon.stop();
  t.same(await complete(daemon, ['get', '']), [], 'though the vault could be opened');
  writeFileSync(join(daemon.home, 'config.json'), 'no JSON');
  t.same(await complete(daemon, ['get', '']), []);
  const silent = createServer().listen(join(daemon.folder, 'silent'));
  t.teardown(() => silent.close());
  t.same(await complete(daemon, ['get', '--socket', join(daemon.folder, 'silent'), '']), []);
  t.same(await complete(daemon, []), await complete(daemon, ['']), 'and without a word the commands');
});

t.test('completion > each shell > its script, and help does not show what it calls', async (t) => {
  const sandbox = createSandbox(t);
  for (const shell of ['bash', 'zsh', 'fish', 'powershell']) {
    const { code, stdout } = await mav(sandbox, ['completion', shell]);
    t.equal(code, 0);
    t.matchSnapshot(stdout, shell);
  }
  const refused = await mav(sandbox, ['completion', 'hunter2']);
  t.equal(refused.code, 2);
  t.notMatch(refused.stderr, 'hunter2');
  t.notMatch((await mav(sandbox, ['--help'])).stdout, '__complete');
});

const name = fc
  .string({ unit: anyCharacter, minLength: 1, maxLength: 20 })
  .filter((text) => !/\p{Cc}/u.test(text));

/** What bash makes of words of its own, whatever they are. */
function evaluate(words: readonly string[]): string[] {
  const { stdout } = spawnSync('bash', ['--norc', '-c', `printf '%s\\0' ${words.join(' ')}`], {
    encoding: 'utf8',
    env: { LC_ALL: 'C.UTF-8', PATH: process.env.PATH },
  });
  return stdout.split('\0').slice(0, -1);
}

t.test('quoting > any name > is that name to bash, and to us', { skip: skipWithout('bash') }, async (t) => {
  const names = [...NAMES, ...fc.sample(name, { numRuns: 500, seed: 1 })];
  for (const opening of ['', "'", '"']) {
    const quoted = names.map((value) => {
      const [word] = splitLine(opening, WORD_BREAKS);
      return word === undefined ? '' : `${opening}${quoteForBash(value, word)}${opening}`;
    });
    t.same(evaluate(quoted), names, `in ${opening === '' ? 'no quotes' : opening}`);
    t.same(
      quoted.map((word) => splitLine(`mav get ${word}`, WORD_BREAKS).map(({ value }) => value)),
      names.map((value) => ['mav', 'get', value]),
    );
  }
  t.same(NAMES.map(quoteForPowerShell), [
    'plain',
    `'my secret'`,
    `'it''s'`,
    'a:b',
    `'dq"x'`,
    `'$(touch pwned)'`,
    `'back\\slash'`,
    `'~home'`,
    'ключ',
  ]);
  t.equal(quoteForPowerShell('a‘b’'), `'a‘‘b’’'`);
});

/** What a shell offers for each line, shown below it. `script` gets the lines, and prints `###` behind the offers of each. */
function showOffers(
  t: Test,
  lines: readonly string[],
  [shell = '', ...args]: readonly string[],
  script: string,
): string {
  const { stdout, stderr } = spawnSync(shell, [...args, '-c', script, ...lines], {
    env: daemon.env,
    cwd: daemon.folder,
    encoding: 'utf8',
  });
  t.equal(stderr, '');
  const offers = stdout.split(/^###\n/m);
  t.equal(offers.length, lines.length + 1);
  return lines
    .map((line, index) =>
      [line, ...(offers[index] ?? '').split('\n').filter((text) => text !== '')].join('\n    '),
    )
    .join('\n');
}

t.test('bash > a line and a Tab > what it offers', { skip: skipWithout('bash') }, async (t) => {
  const lines = [
    'mav tok',
    'mav token ',
    'mav get ',
    'mav get my',
    'mav get "my',
    `mav get 'it`,
    'mav get a:',
  ];
  const more = [
    'mav get --env=p',
    'mav get my\\ secret --field u',
    'mav get "my secret" --field ',
    'mav help tok',
  ];
  const script = `source <(mav completion bash)
    for line in "$0" "$@"; do
      COMP_LINE=$line; COMP_POINT=\${#line}; COMPREPLY=(); _mav; printf '%s\\n' "\${COMPREPLY[@]}" '###'
    done`;
  t.matchSnapshot(showOffers(t, [...lines, ...more], ['bash', '--norc'], script));
});

t.test('fish > a line and a Tab > what it offers', { skip: skipWithout('fish') }, async (t) => {
  const lines = ['mav ge', 'mav token ', 'mav get ', 'mav get my', 'mav get --env ', 'mav get --env=p'];
  const more = [
    'mav get "my secret" --field ',
    'mav get my\\ secret --field u',
    'mav set x --from-file /etc/pass',
  ];
  const script = `mav completion fish | source; for line in $argv; complete -C $line; echo '###'; end`;
  t.matchSnapshot(showOffers(t, [...lines, ...more], ['fish', '--no-config'], script));
});

/** Keys typed before the last word's completion is shown, and the words that the shell then has. */
const TYPED: readonly (readonly [string, readonly string[]])[] = [
  ['mav get my\t', ['mav', 'get', 'my secret']],
  ['mav get "my\t', ['mav', 'get', 'my secret']],
  [`mav get 'it\t`, ['mav', 'get', `it's`]],
  ['mav get it\t', ['mav', 'get', `it's`]],
  ['mav get a:\t', ['mav', 'get', 'a:b']],
  ['mav get dq\t', ['mav', 'get', 'dq"x']],
  ['mav get \\$\t', ['mav', 'get', '$(touch pwned)']],
  ['mav get back\t', ['mav', 'get', 'back\\slash']],
  ['mav get --env=p\t', ['mav', 'get', '--env=prod']],
  ['mav get plain --en\tp\t', ['mav', 'get', 'plain', '--env', 'prod']],
  ['mav token re\t', ['mav', 'token', 'revoke']],
  ['mav set x --from-file /etc/passw\t', ['mav', 'set', 'x', '--from-file', '/etc/passwd']],
];

for (const [shell, ...args] of [
  ['bash', '--norc', '-i'],
  ['zsh', '-f', '-i'],
] as const) {
  const init = shell === 'zsh' ? 'autoload -U compinit; compinit -u -D; ' : '';
  t.test(
    `${shell} > typed on a terminal > the words are the names`,
    { skip: skipWithout(shell, 'python3') },
    async (t) => {
      const terminal = openTerminal(t, daemon, [shell, ...args], { LC_ALL: 'C.UTF-8' });
      const show = `show() { printf '<%s>' "$@"; echo ' end'; }`;
      // What is echoed must not look like the prompt.
      terminal.type(`${init}source <(mav completion ${shell}); ${show}; PS1='rea''dy> '\r`);
      for (const [keys, words] of TYPED) {
        await terminal.see('ready> ');
        // Ctrl-A: to the line's start.
        terminal.type(`${keys}\x01show \r`);
        await terminal.see(`${words.map((word) => `<${word}>`).join('')} end`);
        t.pass(keys);
      }
      terminal.type('exit\r');
      t.equal((await terminal.ended()).code, 0);
      t.notOk(spawnSync('ls', [daemon.folder], { encoding: 'utf8' }).stdout.includes('pwned'));
    },
  );
}
