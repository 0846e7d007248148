/** Tables and lists as people and programs get them: every shape of entry, on terminals of every width and in pipes. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import stringWidth from 'string-width';
import t, { type Test } from 'tap';
import { formatTable } from '../src/cli/formats/table.ts';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { shareDaemon } from './fixtures/shared-daemon.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { BIN, mav } from './fixtures/vault.ts';

const emptied = await shareDaemon(t);

t.setTimeout(550_000);
const skip = skipWithout('python3');

/** Names, environments and metadata that are hard to show; some with fields, some with those only. */
const SHAPES: readonly { name: string; env?: string; metadata?: string; fields?: number; value?: boolean }[] =
  [
    { name: 'plain' },
    { name: 'with-field', fields: 1 },
    { name: 'fields-only', fields: 3, value: false },
    { name: 'numbers', metadata: '{"a":1.0,"b":12345678901234567890123456789,"c":-0,"d":1e400}' },
    { name: 'nested', metadata: '{"a":{"b":[1,null,true,{"c":"d"}]},"n":null,"t":true}', fields: 2 },
    { name: 'wide-名前-🔑', env: '本番', metadata: '{"持主":"鈴木さん","e":"👍🏽👨‍👩‍👧"}' },
    { name: 'combining-e\u0301\u0323', env: 'u\u0308', metadata: '{"k":"o\u0308"}' },
    { name: 'zero\u200bwidth\u2060', env: 'a\u200db', metadata: '{"z":"\ufeff"}' },
    { name: 'bidi-\u202etxt.exe', env: '\u2066x', metadata: '{"b":"\u202e"}' },
    { name: 'separators\u2028\u2029', metadata: '{"s":"\u2028"}' },
    {
      name: 'controls',
      metadata: JSON.stringify({ c: '\u001b[31m\u009b2J\u0007\r\n\t', '\u001b]0;x\u0007': '\u0085\u007f' }),
    },
    {
      name: `long-${'n'.repeat(507)}`,
      env: 'e'.repeat(512),
      metadata: JSON.stringify({ m: 'v'.repeat(3000) }),
    },
    { name: `長${'い'.repeat(160)}`, metadata: JSON.stringify({ m: '値'.repeat(1000) }) },
    { name: '(default)', env: '(default)' },
    { name: '-o', env: '--env' },
    { name: 'it\'s "x" $(y) `z` \\n', env: 'a/b' },
  ];

async function fill({ ask }: Daemon): Promise<void> {
  for (const { name, env = '', metadata = '{}', fields = 0, value = true } of SHAPES) {
    const place = `/v1/secrets/${encodeURIComponent(name)}`;
    const query = `?env=${encodeURIComponent(env)}`;
    if (value) await ask('PUT', place + query, { body: `{"value":"hunter2","metadata":${metadata}}` });
    for (let field = 0; field < fields; field++)
      await ask('PUT', `${place}/fields/f${field}${query}`, { body: { value: 'hunter2' } });
  }
}

async function onTerminal(t: Test, daemon: Daemon, args: readonly string[], columns: number) {
  const { code, shown } = await mavOnTerminal(t, daemon, args, { TZ: 'UTC' }, columns).ended();
  return { code, shown, lines: shown.trimEnd().split('\n') };
}

/** What no text on a terminal may have: it would move, hide or turn something. */
const UNSAFE = /[^\P{C}\n]|\p{Zl}|\p{Zp}/u;

const TIME = /\d{4}-\d\d-\d\d \d\d:\d\d/g;

t.test('list and search > every shape of entry > fits every terminal, line for line', { skip }, async (t) => {
  const daemon = await emptied();
  await fill(daemon);
  for (const command of [['list'], ['search', 'e'], ['list', '--filter', 'O']]) {
    const all = JSON.parse((await mav(daemon, command)).stdout).length;
    for (const columns of [20, 40, 80, 200]) {
      const { code, shown, lines } = await onTerminal(t, daemon, command, columns);
      const what = `${command.join(' ')} at ${columns}`;
      t.equal(code, 0, what);
      t.equal(lines.length, all + 1, `${what}: a line for each`);
      t.same(
        lines.filter((line) => stringWidth(line) > columns),
        [],
        `${what}: no line is too wide`,
      );
      t.notMatch(shown, UNSAFE, `${what}: nothing unsafe`);
      t.notMatch(shown, 'hunter2');
      if (columns >= 80) t.matchSnapshot(shown.replaceAll(TIME, '<the time now>'), what);
    }
  }
});

t.test('tables > a terminal that tells no width, and a pipe > nothing is cut', { skip }, async (t) => {
  const daemon = await emptied();
  await fill(daemon);
  const { shown } = await onTerminal(t, daemon, ['list'], 0);
  const piped = (await mav(daemon, ['list', '-o', 'table'], { env: { TZ: 'UTC' } })).stdout;
  t.equal(shown.replaceAll(TIME, ''), piped.replaceAll(TIME, ''));
  t.match(piped, 'n'.repeat(507));
  t.match(piped, 'v'.repeat(3000));
  t.match(piped, '"a":1.0,"b":12345678901234567890123456789,"c":-0,"d":1e400');
  t.notMatch(piped, '…');
});

t.test('tables > no entry > a sentence and no heading', { skip }, async (t) => {
  const daemon = await startDaemon(t, { token: false });
  for (const [command, sentence] of [
    [['list'], 'There are no secrets yet; store one: mav set NAME'],
    [['list', '--filter', 'x'], 'No secrets match.'],
    [['list', '--env', 'prod'], 'environment "prod" (--env) holds no secrets, nor does any other.'],
    [['search', 'x'], 'No secrets match.'],
    [['token', 'list'], 'There are no tokens yet.'],
  ] as const) {
    const { code, shown } = await onTerminal(t, daemon, command, 80);
    t.same([code, shown], [0, `${sentence}\n`]);
  }
});

t.test('token list > every shape > fits, times are short, ids whole', { skip }, async (t) => {
  const daemon = await emptied();
  const names = ['ci', '名前-🔑', 'x\u202ey\u200b', 'n'.repeat(300)];
  for (const name of names)
    await daemon.createToken(['read', 'write', 'generate', 'admin'], { name, expires_in: '24h' });
  for (const columns of [40, 80, 200]) {
    const { code, shown, lines } = await onTerminal(t, daemon, ['token', 'list'], columns);
    t.equal(code, 0);
    t.equal(lines.length, names.length + 2);
    t.same(
      lines.filter((line) => stringWidth(line) > columns),
      [],
      `at ${columns}`,
    );
    for (const line of lines.slice(1)) t.match(line, /^[0-9a-f]{16} /);
    t.notMatch(shown, UNSAFE);
    t.notMatch(shown, /T\d\d:\d\d:\d\dZ/);
  }
});

t.test('list > 20,000 secrets > all of them; a reader that ends early is no error', { skip }, async (t) => {
  const daemon = await startDaemon(t, { token: false });
  const count = 20_000;
  const secrets = Array.from({ length: count }, (_, index) => ({
    name: `secret-${index}`,
    environment: ['', 'prod', '本番'][index % 3],
    value: 'v',
    metadata: { port: index, owner: 'me' },
  }));
  const file = join(daemon.folder, 'many.json');
  writeFileSync(file, JSON.stringify({ format: 'maestrovault-export', version: 1, secrets }));
  t.equal((await mav(daemon, ['import', file])).code, 0);
  t.equal((await mav(daemon, ['list', '-o', 'table'])).stdout.split('\n').length, count + 2);
  const { code, lines } = await onTerminal(t, daemon, ['list'], 80);
  t.same([code, lines.length], [0, count + 1]);
  for (const form of ['table', 'json']) {
    const pipe = `set -o pipefail; '${process.execPath}' '${BIN}' list -o ${form} | head -c 5`;
    const { status, stdout, stderr } = spawnSync('bash', ['-c', pipe], { env: daemon.env, encoding: 'utf8' });
    t.same([status, stdout.length, stderr], [0, 5, ''], form);
  }
});

/** How often cells are read: what a row costs must not grow with the number of rows. */
async function countReads(rows: number): Promise<number> {
  let reads = 0;
  const row = new Proxy(['a', 'b'], {
    get: (cells, key) => {
      reads += 1;
      return Reflect.get(cells, key);
    },
  });
  const table = await formatTable([{ head: 'A' }, { head: 'B' }], new Array(rows).fill(row), 80);
  t.equal([...table].join('').split('\n').length, rows + 2);
  return reads;
}

t.test('tables > ten times the rows > ten times the work', async (t) => {
  t.equal((await countReads(20_000)) / (await countReads(2_000)), 10);
});

t.test('tables > many rows > come in pieces', async (t) => {
  const table = await formatTable([{ head: 'A' }], new Array(20_000).fill(['x'.repeat(50)]), 80);
  t.ok([...table].every((piece) => piece.length < 100_000));
});
