/** The flags of the Go program whose API we keep, on the built program: each works, and means what it meant. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);

async function startMav(t: Test) {
  const daemon = await startDaemon(t, { token: false });
  const run = async (args: readonly string[], input: string | Uint8Array = '') => {
    const { code, stdout, stderr } = await mav(daemon, args, { input });
    t.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const entry = async (...args: string[]) => JSON.parse(await run(['get', ...args, '-o', 'JSON']));
  const names = async (...args: string[]) =>
    JSON.parse(await run(args)).map(
      (row: { name: string; environment: string }) => `${row.name}@${row.environment}`,
    );
  return { daemon, run, entry, names };
}

/** A clipboard that is a file: what a Wayland desktop's programs would be asked. */
function installClipboard({ folder, env }: Sandbox): string {
  const [bin, held] = [join(folder, 'bin'), join(folder, 'held')];
  mkdirSync(bin);
  const scripts = {
    'wl-copy': `case "$*" in *--help*) ;; *--clear*) : > '${held}' ;; *) cat > '${held}' ;; esac`,
    'wl-paste': `cat '${held}'`,
  };
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  env.PATH = `${bin}${delimiter}${env.PATH}`;
  env.WAYLAND_DISPLAY = 'wayland-0';
  return held;
}

t.test('set, get, edit, delete > its flags > do what they did', async (t) => {
  const { daemon, run, entry } = await startMav(t);
  await run(['set', 'a', '-v', 'one', '-m', 'k=1', '--metadata', 'l=2', '-e', 'prod', '--format', 'json']);
  t.match(await entry('a', '-e=prod'), { value: 'one', metadata: { k: '1', l: '2' } });
  for (const args of [['-q'], ['-p'], ['--print'], ['--quiet=true', '--clip=false'], []])
    t.equal(await run(['get', 'a', '--env=prod', ...args]), 'one', args.join(' '));
  writeFileSync(join(daemon.folder, 'file'), 'from a file\n');
  await run(['set', 'b', '-f', 'file']);
  t.equal(await run(['get', 'b']), 'from a file\n');
  await run(['set', 'c', '-g', '--length', '20', '--symbols=false']);
  t.match(await run(['get', 'c']), /^[A-Za-z0-9]{20}$/);
  await run(['set', 'd', '--generate=true', '--symbols=true']);
  t.match(await run(['get', 'd']), /[^A-Za-z0-9]/);
  await run(['edit', 'b', '-v', 'two']);
  t.equal(await run(['get', 'b']), 'two');
  await run(['edit', 'b'], 'piped\0\n');
  t.equal(await run(['get', 'b']), 'piped\0\n');
  await run(['edit', 'a', '-e', 'prod', '-m', 'k=3']);
  t.same((await entry('a', '-e', 'prod')).metadata, { k: '3', l: '2' }, 'and keeps the rest, unlike there');
  await run(['delete', 'b', '-f']);
  await run(['rm', 'a', '-f', '-e', 'prod']);
  t.same(JSON.parse(await run(['list', '-o', 'Json'])).length, 2);
});

t.test('list, search > its flags > find names and metadata', async (t) => {
  const { run, names } = await startMav(t);
  for (const [name, env, metadata] of [
    ['alpha', '', 'owner=Team'],
    ['beta', 'prod', 'owner=you'],
    ['team-key', 'prod', 'n=1'],
  ] as const)
    await run(['set', name, '-v', 'v', '-e', env, '-m', metadata]);
  t.same(await names('list', '-f', 'TEAM'), ['alpha@', 'team-key@prod']);
  t.same(await names('ls', '--filter=team', '-e', 'prod'), ['team-key@prod']);
  t.same(await names('list', '-f', 'owner'), ['alpha@', 'beta@prod'], 'keys of metadata too');
  t.same(await names('list', '-f', '"'), [], 'and not the JSON around them');
  t.same(await names('search', 'a', '-e', 'prod'), ['beta@prod', 'team-key@prod']);
  t.same(await names('search', 'owner', '-e', ''), ['alpha@']);
  t.same(await names('search', 'e', '--metadata-key', 'owner', '--metadata-value', 'you'), ['beta@prod']);
  t.same(await names('search', 'prod', '-f', 'key', '--format', 'json'), ['team-key@prod']);
  t.match(await run(['search', 'beta', '--format', 'TABLE']), /^NAME .*\nbeta +prod /);
});

t.test('generate > its flags > choose the characters', async (t) => {
  const { run } = await startMav(t);
  const digits = ['--uppercase=false', '--lowercase=false', '--symbols=false', '--digits=true'];
  t.match(await run(['generate', '--length', '9', ...digits]), /^[0-9]{9}$/);
  t.match(await run(['generate', '--no-digits=true', '--no-symbols=0', '--uppercase']), /[^A-Za-z0-9]/);
  t.match(
    await run(['generate', '--passphrase=true', '--words=3', '--delimiter', '.']),
    /^[a-z]+\.[a-z]+\.[a-z]+$/,
  );
});

t.test('clipboard > generate -c, copy --clear with a bare number > copied, and for as long', async (t) => {
  const { daemon, run } = await startMav(t);
  const held = installClipboard(daemon);
  const copy = async (...args: string[]) => {
    const { code, stdout, stderr } = await mav(daemon, args);
    t.same([code, stdout], [0, ''], `${args.join(' ')}: ${stderr}`);
    return stderr;
  };
  t.match(await copy('generate', '-c', '--clear', '0', '--length', '12'), 'Copied the password; it stays');
  t.equal(readFileSync(held, 'utf8').length, 12);
  t.match(await copy('generate', '-c', '--clear=0', '--name', 'g'), 'Stored g.');
  t.equal(readFileSync(held, 'utf8'), await run(['get', 'g']));
  await run(['set', 'x', '-v', 'value']);
  t.match(await copy('copy', 'x', '--clear', '0'), 'it stays in the clipboard');
  t.equal(readFileSync(held, 'utf8'), 'value');
  writeFileSync(join(daemon.home, 'config.json'), '{"clear": "2"}');
  for (const [seconds, ...args] of [
    [1, 'copy', 'x', '--clear', '1'],
    [1, 'cp', 'x', '-c', '1s'],
    [2, 'get', 'x', '-c'],
  ] as const) {
    t.match(await copy(...args), `cleared in ${seconds} s`);
    // What clears it must be done before the folder goes.
    while (readFileSync(held, 'utf8') !== '') await sleep(20);
  }
});

t.test('generate -c > no clipboard, or -o json beside it > nothing is stored', async (t) => {
  const { daemon, run } = await startMav(t);
  for (const [args, expected] of [
    [['generate', '-c', '-n', 'g'], 1],
    [['generate', '-c', '-n', 'g', '-o', 'json'], 2],
    [['generate', '--clear', '5', '-n', 'g'], 2],
    [['get', 'g', '-c', '-p'], 2],
  ] as const)
    t.equal((await mav(daemon, args)).code, expected, args.join(' '));
  t.equal(await run(['list']), '[]\n');
});

t.test('token, version > its flags > are known', async (t) => {
  const { run } = await startMav(t);
  const create = (...args: string[]) => run(['token', 'create', '--name', 'n', ...args, '--format', 'json']);
  t.same(JSON.parse(await create('--scope', 'read', '--scope', 'write, generate')).scopes, [
    'read',
    'write',
    'generate',
  ]);
  t.same(JSON.parse(await create('--scopes=read,read')).scopes, ['read']);
  t.equal(JSON.parse(await run(['token', 'ls', '-o', 'json'])).length, 2);
  const { version, ...rest } = JSON.parse(await run(['version', '-o', 'json']));
  t.equal(`${version}\n`, await run(['version', '--format', 'table']));
  t.same(rest, { node: process.versions.node, os: process.platform, arch: process.arch });
});

t.test('export, import, exec, env > their flags > are known', async (t) => {
  const { daemon, run } = await startMav(t);
  for (const name of ['app-one', 'app-two', 'other']) await run(['set', name, '-v', `of ${name}`]);
  for (const format of ['env', 'ENV', 'dotenv'])
    t.match(await run(['export', '--format', format]), /^APP_ONE='of app-one'$/m, format);
  const exported = await run(['export', '--format', 'JSON']);
  t.equal(JSON.parse(exported).secrets.length, 3);
  writeFileSync(join(daemon.folder, 'all.env'), 'A=1\n');
  await run(['import', '--format', 'env', 'all.env', '-f', '-e', 'x']);
  await run(['import', 'all.env', '--format=ENV', '--force=true', '-e=y']);
  t.equal(await run(['get', 'A', '-e', 'y']), '1');
  for (const args of [
    ['-f', 'APP'],
    ['--filter=app', '--prefix', 'P_'],
  ]) {
    const set = await run(['exec', ...args, '--', 'env']);
    t.match(set, /^(P_)?APP_ONE=of app-one$/m);
    t.notMatch(set, /OTHER=/);
    t.match(await run(['env', ...args]), /^export (P_)?APP_TWO=/m);
  }
  t.equal(await run(['run', '-f', 'other', 'printenv', 'OTHER']), 'of other\n');
});
