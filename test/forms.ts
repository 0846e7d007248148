/** The forms that commands print in, `-o FORM`: in a pipe, on a terminal, by config.json, and which command takes which. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { commands } from '../src/cli/command-table/commands.ts';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { shareDaemon } from './fixtures/shared-daemon.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { createSandbox, mav } from './fixtures/vault.ts';

const emptied = await shareDaemon(t);

t.setTimeout(550_000);
const skip = skipWithout('python3');

async function fill(daemon: Daemon): Promise<void> {
  const metadata = { owner: 'me', text: 'a\tb\nc\u0085d', port: 1 };
  await daemon.ask('PUT', '/v1/secrets/b?env=prod', { body: { value: 'hunter2', metadata } });
  await daemon.ask('PUT', '/v1/secrets/a', { body: { value: 'hunter2' } });
  await daemon.ask('PUT', '/v1/secrets/a/fields/host?env=dev', { body: { value: 'hunter2' } });
  await daemon.ask('PUT', '/v1/secrets/n%E2%80%AEx%20y?env=prod', { body: { value: 'hunter2' } });
}

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g;

t.test('list, search, envs, token list > each form in a pipe > lines and columns that hold', async (t) => {
  const daemon = await emptied();
  await fill(daemon);
  const print = async (...args: string[]) => {
    const { code, stdout, stderr } = await mav(daemon, args);
    t.same([code, stderr], [0, ''], args.join(' '));
    return stdout.replaceAll(TIME, '<time>');
  };
  t.equal(JSON.parse(await print('list')).length, 4);
  const plain = [
    'a\t\t0\t<time>\t{}\t\t',
    'a\tdev\t1\t<time>\t{}\t\t',
    'b\tprod\t0\t<time>\t{"owner":"me","text":"a\\tb\\nc\\u0085d","port":1}\t\t',
    'n\u202ex y\tprod\t0\t<time>\t{}\t\t',
  ];
  t.equal(await print('list', '-o', 'plain'), `${plain.join('\n')}\n`);
  t.equal(await print('list', '-o', 'NAMES'), 'a\na\nb\nn\u202ex y\n');
  t.equal(await print('list', '-o', 'names', '--env', 'prod', '--filter', 'B'), 'b\n');
  t.equal(await print('search', 'OWNER', '-o', 'plain'), `${plain[2]}\n`);
  t.equal(await print('search', 'dev', '--output=Names'), 'a\n');
  t.equal(await print('list', '-o', 'names', '--env', 'none'), '');
  t.same(JSON.parse(await print('envs')), [
    { environment: '', secret_count: 1 },
    { environment: 'dev', secret_count: 1 },
    { environment: 'prod', secret_count: 2 },
  ]);
  t.equal(await print('envs', '-o', 'plain'), '\t1\ndev\t1\nprod\t2\n');
  t.equal(await print('envs', '-o', 'names'), '\ndev\nprod\n');
  t.match(await print('envs', '-o', 'table'), /^ENVIRONMENT +SECRETS\n\(default\) +1\ndev +1\nprod +2\n$/);
  await daemon.createToken(['read', 'write'], { name: 'a b' });
  await mav(daemon, ['token', 'create', '--name', 'ci', '--scope', 'write', '--trusted']);
  const tokens = (await print('token', 'list', '-o', 'plain')).split('\n').sort();
  t.match(
    tokens.find((line) => line.includes('a b')),
    /^[0-9a-f]{16}\ta b\tread,write\t\t\t<time>\t\t$/,
  );
  t.match(
    tokens.find((line) => line.includes('\tci\t')),
    /\tci\twrite\t\t\t<time>\ttrusted\t$/,
  );
});

t.test('lists > on a terminal > a table, or what is asked for, and nothing unsafe', { skip }, async (t) => {
  const daemon = await emptied();
  await fill(daemon);
  const show = async (...args: string[]) => (await mavOnTerminal(t, daemon, args).ended()).shown;
  t.match(await show('envs'), /^ENVIRONMENT +SECRETS\n\(default\) +1\ndev +1\nprod +2\n$/);
  t.equal(await show('list', '-o', 'names'), 'a\na\nb\nn\\u{202e}x y\n');
  t.match(await show('list', '-o', 'json'), /^\[\{"name":"a"/);
  t.equal(await show('envs', '-o', 'names'), '\ndev\nprod\n');
});

t.test('status, doctor, service status, token create > in a pipe > text unless -o json', async (t) => {
  const daemon = await startDaemon(t, { token: false });
  for (const form of ['text', 'TABLE', undefined]) {
    const given = form === undefined ? [] : ['-o', form];
    t.match((await mav(daemon, ['status', ...given])).stdout, /^daemon +running/);
    t.match((await mav(daemon, ['doctor', ...given])).stdout, /^ok +/);
    const made = await mav(daemon, ['token', 'create', '--name', 'n', '--scope', 'read', ...given]);
    t.match(made.stdout, /^mvt_[0-9a-f]{64}\n$/);
    t.match(made.stderr, 'shown this once');
  }
  t.equal(JSON.parse((await mav(daemon, ['status', '-o', 'JSON'])).stdout).state, 'unsealed');
  t.equal(typeof JSON.parse((await mav(daemon, ['doctor', '--output=json'])).stdout).ok, 'boolean');
  const made = await mav(daemon, ['token', 'create', '--name', 'n', '--scope', 'read', '-o', 'json']);
  t.match(JSON.parse(made.stdout), { token: /^mvt_/, name: 'n', scopes: ['read'] });
  const service = await mav(daemon, ['service', 'status', '-o', 'json']);
  t.match(JSON.parse(service.stdout), { installed: false, running: false });
  t.equal(service.code, 1);
});

t.test(
  '--output > a form that the command does not take > exit 2, and those it takes are named',
  async (t) => {
    const sandbox = createSandbox(t);
    const said = new Set<string>();
    for (const [words, { options, arguments: takes = '' }] of Object.entries(commands)) {
      const forms = options.output?.forms;
      if (forms === undefined) continue;
      const args = takes.split(' ').filter((slot) => slot.startsWith('<'));
      const { code, stdout, stderr } = await mav(sandbox, [...words.split(' '), ...args, '-o', 'hunter2']);
      const list = `${forms.slice(0, -1).join(', ')} or ${forms.at(-1)}`;
      t.same([code, stdout, stderr], [2, '', `mav: --output must be ${list}\n`], words);
      said.add(list);
    }
    t.ok(said.size >= 5, 'commands of every kind');
  },
);

t.test('--output > what people read, by either of its names > is what the command has', async (t) => {
  const daemon = await emptied();
  await fill(daemon);
  for (const form of ['text', 'TABLE']) {
    t.equal((await mav(daemon, ['get', 'b', '--env', 'prod', '-o', form])).stdout, 'hunter2');
    t.match((await mav(daemon, ['generate', '--format', form])).stdout, /^.{32}$/);
    t.match((await mav(daemon, ['list', '-o', form])).stdout, /^NAME/);
  }
});

t.test('config.json > "output" > is for lists, and breaks no other command', async (t) => {
  const daemon = await startDaemon(t);
  await fill(daemon);
  const configure = (output: string) => {
    mkdirSync(daemon.home, { recursive: true });
    writeFileSync(join(daemon.home, 'config.json'), JSON.stringify({ output }));
  };
  configure('names');
  t.equal((await mav(daemon, ['list', '--env', 'dev'])).stdout, 'a\n');
  t.equal((await mav(daemon, ['list', '--env', 'dev', '-o', 'plain'])).stdout.split('\t').length, 7);
  t.ok(Array.isArray(JSON.parse((await mav(daemon, ['token', 'list'])).stdout)), 'a list without that form');
  configure('json');
  t.match((await mav(daemon, ['status'])).stdout, /^daemon +running/);
  t.match((await mav(daemon, ['token', 'create', '--name', 'n', '--scope', 'read'])).stdout, /^mvt_/);
  t.equal((await mav(daemon, ['get', 'b', '--env', 'prod'])).stdout, 'hunter2');
  configure('table');
  t.match((await mav(daemon, ['list'])).stdout, /^NAME/);
  t.equal((await mav(daemon, ['get', 'b', '--env', 'prod', '-o', 'json'])).code, 0);
  configure('hunter2');
  t.match((await mav(daemon, ['list'])).stderr, /"output" must be "table", "json", "plain" or "names"/);
});
