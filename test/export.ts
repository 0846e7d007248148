/** `mav export`: whole vaults to a file or a pipe, and what it refuses. */
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
import t from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { StoredFile } from './fixtures/stored.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { exportOf, exportText, importText, skipTerminal } from './fixtures/transfer.ts';
import { BIN, createSandbox, createVault, type Finished, mav } from './fixtures/vault.ts';

t.setTimeout(550_000);

/** All that an entry can be: the times are the vault's own. */
const ENTRIES = [
  String.raw`{"name":"a/b \"c\" é\u2028","environment":"prod","value":"line\n\u0000\"\\ü","metadata":{"n":1.0,"big":1e400,"digits":1234567890123456789012345678901234567890,"b":1,"1":2,"deep":{"a":[null,true,"\u0001"]}}}`,
  '{"name":"binary","environment":"","value":"/wD+gA==","encoding":"base64","metadata":{"constructor":"x"},"fields":{"plain":"p","raw":{"value":"gIGC","encoding":"base64"}}}',
  '{"name":"fields only","environment":"dev","metadata":{},"fields":{"constructor":"f","#":"hash"}}',
  '{"name":"-x","environment":"--","value":"0123","metadata":{}}',
];

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
