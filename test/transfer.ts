/** `mav export` and `mav import` as a user meets them: what one writes, the other takes back, all of it or nothing. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { IMPORT_ENTRIES } from '../src/routes.ts';
import { MAX_ENTRIES } from '../workers/bodies/import-entries.ts';
import { skipWithout } from './fixtures/programs.ts';
import { StoredFile } from './fixtures/stored.ts';
import { KEYS, mavOnTerminal, openTerminal } from './fixtures/terminal.ts';
import {
  BIN,
  createSandbox,
  type Finished,
  mav,
  type Sandbox,
  spawnMav,
  startDaemon,
} from './fixtures/vault.ts';

t.setTimeout(550_000);
const skipTerminal = skipWithout('python3');

async function createVault(t: Test): Promise<Sandbox> {
  const sandbox = createSandbox(t);
  await mav(sandbox, ['init', '--key-store', 'file']);
  return sandbox;
}

/** An export, as JSON text, of these entries. */
function exportOf(...entries: readonly string[]): string {
  return `{"format":"maestrovault-export","version":1,"secrets":[${entries.join(',\n')}]}`;
}

/** All that an entry can be: the times are the vault's own. */
const ENTRIES = [
  String.raw`{"name":"a/b \"c\" é\u2028","environment":"prod","value":"line\n\u0000\"\\ü","metadata":{"n":1.0,"big":1e400,"digits":1234567890123456789012345678901234567890,"b":1,"1":2,"deep":{"a":[null,true,"\u0001"]}}}`,
  '{"name":"binary","environment":"","value":"/wD+gA==","encoding":"base64","metadata":{"constructor":"x"},"fields":{"plain":"p","raw":{"value":"gIGC","encoding":"base64"}}}',
  '{"name":"fields only","environment":"dev","metadata":{},"fields":{"constructor":"f","#":"hash"}}',
  '{"name":"-x","environment":"--","value":"0123","metadata":{}}',
];

async function importText(sandbox: Sandbox, text: string | Uint8Array, ...args: string[]): Promise<Finished> {
  return mav(sandbox, ['import', '-', ...args], { input: text });
}

/** What is exported, without what two vaults differ in. */
async function exportText(sandbox: Sandbox, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout, code, stderr } = await mav(sandbox, ['export'], { env });
  if (code !== 0) throw new Error(stderr);
  return stdout.replaceAll(/,"created_at":"[^"]*","updated_at":"[^"]*"/g, '');
}

t.test('export, import > into a new vault > exports the same', async (t) => {
  const first = await createVault(t);
  const made = await importText(first, exportOf(...ENTRIES));
  t.same([made.code, made.stdout], [0, '']);
  const exported = await exportText(first);
  t.matchSnapshot(exported, 'export');
  for (const number of [
    '"n":1.0,',
    '"big":1e400,',
    '"digits":1234567890123456789012345678901234567890,',
    '"b":1,"1":2,',
  ])
    t.ok(exported.includes(number), number);
  const file = join(first.folder, 'vault.json');
  t.equal((await mav(first, ['export', '--to', file])).code, 0);
  const second = await createVault(t);
  t.equal((await mav(second, ['import', file])).code, 0);
  t.equal(await exportText(second), exported);
  const again = await mav(second, ['import', file, '-o', 'json']);
  const { added, changed, unchanged } = JSON.parse(again.stdout);
  t.same([added, changed, unchanged.length], [[], [], 4], 'and importing it again changes nothing');
  const get = spawnSync(process.execPath, [BIN, 'get', 'binary', '--field', 'raw'], { env: second.env });
  t.same(get.stdout, Buffer.from([0x80, 0x81, 0x82]));
});

t.test(
  'export, import > with a daemon, and with tokens > the same, where their scopes allow it',
  async (t) => {
    const daemon = await startDaemon(t);
    const write = { MAV_TOKEN: (await daemon.createToken(['write'])).token };
    const read = { MAV_TOKEN: (await daemon.createToken(['read'])).token };
    const file = join(daemon.folder, 'vault.json');
    writeFileSync(file, exportOf(...ENTRIES));
    t.equal((await mav(daemon, ['import', file], { env: read })).code, 4);
    t.equal((await mav(daemon, ['import', file], { env: write })).code, 0);
    const over = await mav(daemon, ['import', file], { env: write });
    t.equal(over.code, 4, 'whether what is stored is the same is not told to who may not read it');
    t.equal((await mav(daemon, ['export'], { env: write })).code, 4);
    const exported = await exportText(daemon, read);
    t.equal(await exportText(daemon), exported);
    await daemon.stop();
    t.equal(await exportText(daemon), exported, 'and without a daemon');
  },
);

t.test('export > an environment, or an empty vault > only that; an export of nothing', async (t) => {
  const sandbox = await createVault(t);
  const empty = await mav(sandbox, ['export']);
  t.strictSame(JSON.parse(empty.stdout), { format: 'maestrovault-export', version: 1, secrets: [] });
  t.equal((await importText(sandbox, empty.stdout)).code, 0);
  await importText(sandbox, exportOf(...ENTRIES));
  const names = ({ stdout }: Finished) =>
    JSON.parse(stdout).secrets.map(({ name }: { name: string }) => name);
  t.same(names(await mav(sandbox, ['export', '--env', 'dev'])), ['fields only']);
  t.same(names(await mav(sandbox, ['export'], { env: { MAV_ENV: 'dev' } })), ['fields only']);
  t.same(names(await mav(sandbox, ['export', '--env', ''])), ['binary']);
});

t.test('export --to > a file > closed to others, whole or not there, and not over another', async (t) => {
  const sandbox = await createVault(t);
  await importText(sandbox, '{"a":"1"}');
  const folder = join(sandbox.folder, 'out');
  mkdirSync(folder);
  const file = join(folder, 'vault.json');
  const write = (...args: string[]) => mav(sandbox, ['export', '--to', file, ...args]);
  const made = await write();
  t.same([made.code, made.stdout, made.stderr], [0, '', 'Exported 1 secret.\n']);
  t.equal(statSync(file).mode & 0o777, 0o600);
  const before = readFileSync(file, 'utf8');
  const refused = await write('-o', 'dotenv');
  t.equal(refused.code, 2);
  t.match(refused.stderr, '--force replaces it');
  t.equal(readFileSync(file, 'utf8'), before);
  t.equal((await write('-o', 'dotenv', '--force')).code, 0);
  t.equal(readFileSync(file, 'utf8'), 'A=1\n');
  symlinkSync(file, join(folder, 'link'));
  t.match((await mav(sandbox, ['export', '--force', '--to', join(folder, 'link')])).stderr, 'symbolic link');
  t.match((await mav(sandbox, ['export', '--force', '--to', folder])).stderr, 'is a folder');
  t.equal((await mav(sandbox, ['export', '--to', join(folder, 'no/such')])).code, 1);
  t.same(readdirSync(folder).sort(), ['link', 'vault.json'], 'no drafts are left');
});

t.test('export --to > a signal ends it > no draft is left', async (t) => {
  const { folder, env } = createSandbox(t);
  const source = new URL('../src/cli/transfer/output-file.ts', import.meta.url).href;
  const script = `
    const { PrivateFile } = await import(${JSON.stringify(source)});
    const file = new PrivateFile('out');
    file.write('hunter2');
    setInterval(() => {}, 1000);
    console.log('written');`;
  for (const [signal, expected] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: folder, env });
    await once(child.stdout, 'data');
    t.equal(readdirSync(folder).length, 2, 'a draft beside home');
    child.kill(signal);
    const [code] = await once(child, 'close');
    t.equal(code, expected, signal);
    t.same(readdirSync(folder), ['home']);
  }
});

t.test(
  'progress > something long on a terminal > one line that is taken away',
  { skip: skipTerminal },
  async (t) => {
    const sandbox = createSandbox(t);
    const source = new URL('../src/cli/terminal/progress.ts', import.meta.url).href;
    const script = (isQuiet: boolean) => `
    const { Progress } = await import(${JSON.stringify(source)});
    const context = { isErrorTerminal: true, isQuiet: ${isQuiet}, env: process.env };
    const progress = new Progress({ context });
    const timer = setInterval(() => progress.show('so far'), 5);
    setTimeout(() => {
      clearInterval(timer);
      progress.end();
      console.log('done');
    }, 1000);`;
    const show = async (isQuiet: boolean) => {
      const command = [process.execPath, '--input-type=module', '-e', script(isQuiet)];
      return (await openTerminal(t, sandbox, command).ended()).shown;
    };
    t.match(await show(false), /^(\rso far)+\rdone\n$/);
    t.equal(await show(true), 'done\n');
  },
);

t.test('export > wrong usage > exit 2', async (t) => {
  const sandbox = await createVault(t);
  const wrong = [
    ['-o', 'table'],
    ['--only', 'a'],
    ['--prefix', 'A'],
    ['-o', 'dotenv', '--skip-unreadable'],
    ['x'],
  ];
  for (const args of wrong) t.equal((await mav(sandbox, ['export', ...args])).code, 2, args.join(' '));
});

t.test('export > the screen would show it > refused, unless forced', { skip: skipTerminal }, async (t) => {
  const sandbox = await createVault(t);
  await importText(sandbox, '{"a":"hunter2"}');
  const refused = await mavOnTerminal(t, sandbox, ['export']).ended();
  t.equal(refused.code, 2);
  t.matchSnapshot(refused.shown);
  const forced = await mavOnTerminal(t, sandbox, ['export', '--force']).ended();
  t.equal(forced.code, 0);
  t.match(forced.shown, 'hunter2');
});

t.test('export > an entry cannot be opened > named; left out where that is asked for, exit 1', async (t) => {
  const sandbox = await createVault(t);
  await importText(sandbox, exportOf(...ENTRIES));
  const file = new StoredFile(sandbox.databasePath);
  const { secrets } = file.read();
  file.write({ secrets: secrets.map((row) => (row.name === '-x' ? { ...row, metadata: '{"x":1}' } : row)) });
  file.close();
  const target = join(sandbox.folder, 'vault.json');
  const refused = await mav(sandbox, ['export', '--to', target]);
  t.equal(refused.code, 1);
  t.match(refused.stderr, /^mav: -x in --: .*; --skip-unreadable leaves it out$/m);
  t.notOk(existsSync(target));
  const skipping = await mav(sandbox, ['export', '--to', target, '--skip-unreadable']);
  t.equal(skipping.code, 1);
  t.match(skipping.stderr, 'Exported 3 secrets.');
  t.match(skipping.stderr, '1 that cannot be opened were left out');
  t.equal(JSON.parse(readFileSync(target, 'utf8')).secrets.length, 3);
});

t.test('export -o dotenv > a value that is not text > refused by name, and nothing is written', async (t) => {
  const sandbox = await createVault(t);
  await mav(sandbox, ['set', 'key-file'], { input: Buffer.from([0xff]) });
  const refused = await mav(sandbox, ['export', '-o', 'dotenv', '--only', 'key-file']);
  t.equal(refused.code, 1);
  t.match(refused.stderr, 'key-file cannot be a variable: it is not UTF-8');
  t.equal(refused.stdout, '');
});

t.test('import > a plain object, or dotenv > each a secret, in the environment that is given', async (t) => {
  const sandbox = await createVault(t);
  const plain = '\ufeff{"db-password":"p\\u0061ss","__proto__":"q"}';
  t.equal((await importText(sandbox, plain, '--env', 'prod')).code, 0);
  t.equal((await mav(sandbox, ['get', 'db-password', '-e', 'prod'])).stdout, 'pass');
  t.equal((await mav(sandbox, ['get', '__proto__', '-e', 'prod'])).stdout, 'q');
  const dotenv =
    '# comment\r\nexport A=plain value # comment\nB="two\nlines \\"q\\" \\$x"\nC=\'$raw\' \n\nD=a#b\nE=`it\'s`\n';
  const made = await importText(sandbox, dotenv, '-o', 'json');
  t.same(JSON.parse(made.stdout).added.length, 5);
  const { stdout } = await mav(sandbox, ['export', '--env', '']);
  t.strictSame(
    JSON.parse(stdout).secrets.map(({ name, value }: { name: string; value: string }) => [name, value]),
    [
      ['A', 'plain value'],
      ['B', 'two\nlines "q" $x'],
      ['C', '$raw'],
      ['D', 'a#b'],
      ['E', "it's"],
    ],
  );
  for (const nothing of ['{}', '', '# nothing']) {
    const { code, stderr } = await importText(sandbox, nothing);
    t.same([code, stderr], [0, 'There is nothing in standard input.\n']);
  }
});

t.test('import > environments of its own > --env must not contradict them', async (t) => {
  const sandbox = await createVault(t);
  const text = exportOf('{"name":"a","environment":"prod","value":"1"}', '{"name":"b","value":"2"}');
  t.equal((await importText(sandbox, text, '--env', 'dev')).code, 2);
  t.equal((await mav(sandbox, ['import', '-'], { input: text, env: { MAV_ENV: 'dev' } })).code, 0);
  t.equal((await mav(sandbox, ['get', 'a', '--env', 'prod'])).stdout, '1');
  t.equal((await mav(sandbox, ['get', 'b', '--env', 'dev'])).stdout, '2');
  t.equal(
    (await importText(sandbox, exportOf('{"name":"a","environment":"pr\\u006fd","value":"1"}'), '-e', 'prod'))
      .code,
    0,
  );
});

t.test(
  'import > over secrets that exist > says what it will do; refused without --force, and nothing is done',
  async (t) => {
    const sandbox = await createVault(t);
    await importText(sandbox, '{"same":"1","other":"2"}');
    await mav(sandbox, ['set', 'other', '--field', 'kept'], { input: 'f' });
    const next = '{"same":"1","other":"changed","new":"3"}';
    const dry = await importText(sandbox, next, '--dry-run', '-o', 'table');
    t.same([dry.code, dry.stderr], [0, '']);
    t.matchSnapshot(dry.stdout, 'dry run');
    const json = await importText(sandbox, next, '--dry-run', '-o', 'json');
    t.matchSnapshot(JSON.parse(json.stdout), 'dry run as JSON');
    t.equal((await importText(sandbox, next, '--dry-run', '--force', '-q')).code, 0);
    const refused = await importText(sandbox, next);
    t.equal(refused.code, 2);
    t.matchSnapshot(refused.stderr, 'refused');
    t.equal((await mav(sandbox, ['get', 'other'])).stdout, '2');
    t.equal((await mav(sandbox, ['get', 'new'])).code, 3);
    const forced = await importText(sandbox, next, '--force');
    t.equal(forced.code, 0);
    t.matchSnapshot(forced.stderr, 'forced');
    t.equal((await mav(sandbox, ['get', 'other'])).stdout, 'changed');
    t.equal(
      (await mav(sandbox, ['get', 'other', '--field', 'kept'])).stdout,
      'f',
      'what the file does not mention stays',
    );
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`n${index}`, 'v']));
    t.match(
      (await importText(sandbox, JSON.stringify(many))).stderr,
      /^Added: 30 \(n0, .*, n19 and 10 more\)$/m,
    );
  },
);

t.test(
  'import > on a terminal > asks before it changes, and only then',
  { skip: skipTerminal },
  async (t) => {
    const sandbox = await createVault(t);
    const file = join(sandbox.folder, 'f.json');
    writeFileSync(file, '{"a":"1"}');
    const added = await mavOnTerminal(t, sandbox, ['import', file]).ended();
    t.equal(added.code, 0);
    writeFileSync(file, '{"a":"2"}');
    const answer = async (typed: string) => {
      const terminal = mavOnTerminal(t, sandbox, ['import', file]);
      await terminal.see('[y/N]');
      // The vault is not held while somebody thinks.
      t.equal((await mav(sandbox, ['get', 'a'])).stdout, '1');
      terminal.type(typed + KEYS.enter);
      return terminal.ended();
    };
    const no = await answer('n');
    t.equal(no.code, 1);
    t.equal((await mav(sandbox, ['get', 'a'])).stdout, '1');
    const yes = await answer('y');
    t.equal(yes.code, 0);
    t.matchSnapshot(yes.shown.replaceAll('\r', ''));
    t.equal((await mav(sandbox, ['get', 'a'])).stdout, '2');
  },
);

t.test(
  'import > something is wrong with the file > its line is named, its content never, and nothing is stored',
  async (t) => {
    const sandbox = await createVault(t);
    const good = '{"name":"good","value":"v"}';
    const wrong: readonly [text: string | Uint8Array, ...args: string[]][] = [
      ['{"good":"v",\n"pin":2222}'],
      ['{"good":"v",\n"x":{"hunter2":1}}'],
      ['{"good":"v",\n"x":""}'],
      ['{"good":"v",\n"good":"hunter2"}'],
      ['{"good":"v",\n"x\\u0007":"hunter2"}'],
      ['{"good":"hunter2\n"}'],
      ['[1]'],
      [exportOf(good, '{"name":"x","value":"hunter2","fields":{}}')],
      [exportOf(good, '{"name":"x","value":"hunter2","extra":1}')],
      [exportOf(good, '{"value":"hunter2"}')],
      [exportOf(good, '{"name":"x","value":5}')],
      [exportOf(good, '{"name":"x","value":"hunter2","encoding":"base64"}')],
      [exportOf(good, '{"name":"x","value":"hunter2","environment":7}')],
      [exportOf(good, '{"name":"x","environment":"prod","value":"hunter2"}'), '--env', 'dev'],
      [exportOf(good, good)],
      [exportOf(good, '"hunter2"')],
      [exportOf(good).replace('"version":1', '"version":2')],
      [exportOf(good).replace('"version":1', '"hunter2":1')],
      [`${exportOf(good)} "hunter2"`],
      [`{"secrets":[${good}],"format":"maestrovault-export"}`],
      ['{"format":"maestrovault-export","version":1,"secrets":{"hunter2":1}}'],
      ['GOOD=v\nhunter2\n'],
      ['GOOD=v\nX="hunter2\n'],
      ['GOOD=v\nGOOD=hunter2\n'],
      ['GOOD=v\nX=\n'],
      [Buffer.from('GOOD=v\nX=\xff\n', 'latin1')],
      ['{"good":"v"}', '--format', 'yaml'],
      ['{"good":"hunter2"}', '--format', 'dotenv'],
    ];
    const said: string[] = [];
    for (const [text, ...args] of wrong) {
      const { code, stdout, stderr } = await importText(sandbox, text, ...args);
      t.same([code, stdout], [2, ''], stderr);
      t.notMatch(stderr, /hunter2|2222/);
      said.push(stderr);
    }
    t.matchSnapshot(said.join(''));
    t.strictSame(JSON.parse((await mav(sandbox, ['list'])).stdout), []);
    t.equal((await mav(sandbox, ['import', join(sandbox.folder, 'nosuch')])).code, 1);
    const left = await importText(sandbox, 'GOOD=v\nX=\n', '--skip-empty');
    t.equal(left.code, 0);
    t.match(left.stderr, 'Left out: standard input, line 2: X is empty.');
  },
);

t.test('import > more than the API takes > says so, and asks nobody', async (t) => {
  const sandbox = await createVault(t);
  const value = 'x'.repeat(1_000_000);
  const file = join(sandbox.folder, 'large.json');
  writeFileSync(
    file,
    exportOf(...Array.from({ length: 68 }, (_, index) => `{"name":"n${index}","value":"${value}"}`)),
  );
  const refused = await mav(sandbox, ['import', file]);
  t.equal(refused.code, 1);
  t.match(
    refused.stderr,
    /has 65 MiB of secrets, and at most 64 can be imported at once, where all is stored or nothing; split it/,
  );
  t.equal(IMPORT_ENTRIES, MAX_ENTRIES, 'as the API counts');
  const many = Array.from({ length: IMPORT_ENTRIES + 1 }, (_, index) => `N${index}=v`).join('\n');
  t.match(await importText(sandbox, many), {
    code: 1,
    stderr:
      'mav: standard input has 100,001 secrets, and at most 100,000 can be imported at once, where all is stored or ' +
      'nothing; split it into files, and import one after the other\n',
  });
  const child = spawnMav(sandbox, ['import', '/dev/zero']);
  const [code] = await once(child, 'close');
  t.equal(code, 1, 'a file without an end');
});

t.test('import, export > thousands of secrets > all of them, or none', async (t) => {
  const sandbox = await createVault(t);
  const count = 20_000;
  const entry = (index: number) =>
    `{"name":"n${index}","environment":"e${index % 5}","value":"value ${index}","metadata":{"n":1.0}}`;
  const entries = Array.from({ length: count }, (_, index) => entry(index));
  const broken = await importText(sandbox, exportOf(...entries, '{"name":"last","value":""}'));
  t.equal(broken.code, 2);
  t.match(broken.stderr, `line ${count + 1}: "value" must be a non-empty string; nothing was imported`);
  t.strictSame(JSON.parse((await mav(sandbox, ['list'])).stdout), []);
  const made = await importText(sandbox, exportOf(...entries), '-o', 'json');
  t.equal(JSON.parse(made.stdout).added.length, count);
  const exported = await exportText(sandbox);
  t.equal(exported.split('\n').filter((line) => line.includes('"metadata":{"n":1.0}')).length, count);
});

t.test('export > nobody reads it any longer > quiet', async (t) => {
  const sandbox = await createVault(t);
  const entries = Array.from(
    { length: 30 },
    (_, index) => `{"name":"n${index}","value":"${'x'.repeat(500_000)}"}`,
  );
  t.equal((await importText(sandbox, exportOf(...entries))).code, 0);
  const command = `'${process.execPath}' '${BIN}' export -q | head -c 10`;
  const child = spawn('sh', ['-c', command], { env: sandbox.env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, error] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (error += text));
  await once(child, 'close');
  t.same([out, error], ['{"format":', '']);
});

t.test(
  'import > it takes long > on a terminal the seconds are counted',
  { skip: skipTerminal },
  async (t) => {
    const daemon = await startDaemon(t);
    const path = join(daemon.folder, 'in.json');
    const secrets = ['a', 'b'].map((name) => ({ name, environment: '', value: 'v' }));
    writeFileSync(path, JSON.stringify({ format: 'maestrovault-export', version: 1, secrets }));
    daemon.child.kill('SIGSTOP');
    t.teardown(() => daemon.child.kill('SIGCONT'));
    const terminal = mavOnTerminal(t, daemon, ['import', path]);
    await terminal.see('Storing secrets, 1 s');
    daemon.child.kill('SIGCONT');
    const { code, shown } = await terminal.ended();
    t.equal(code, 0);
    t.match(shown, 'Added: 2');
  },
);
