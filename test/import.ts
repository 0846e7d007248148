/** `mav import`: what it stores, asks and refuses. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { IMPORT_ENTRIES } from '../src/routes.ts';
import { MAX_ENTRIES } from '../workers/bodies/import-entries.ts';
import { KEYS, mavOnTerminal } from './fixtures/terminal.ts';
import { exportOf, importText, skipTerminal } from './fixtures/transfer.ts';
import { createVault, keepNothing, mav, spawnMav } from './fixtures/vault.ts';

t.setTimeout(550_000);

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
  'import > over secrets that would not be kept > says what it will do; refused without --force, and nothing is done',
  async (t) => {
    const sandbox = await createVault(t);
    keepNothing(sandbox);
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

t.test('import > over secrets that exist > asks nothing, and what they were is kept', async (t) => {
  const sandbox = await createVault(t);
  await importText(sandbox, '{"a":"1","b":"1"}');
  const one = await importText(sandbox, '{"a":"2","b":"1"}');
  t.match(
    { ...one },
    { code: 0, stderr: /Changed: 1 \(a\)\n.*\nWhat was changed is kept; mav rollback a brings/ },
  );
  const both = await importText(sandbox, '{"a":"3","b":"3"}', '-o', 'json');
  t.match({ ...both }, { code: 0, stderr: 'What was changed is kept; mav rollback NAME brings it back.\n' });
  t.equal((await mav(sandbox, ['get', 'a', '--version', '2'])).stdout, '2');
});

t.test(
  'import > on a terminal, nothing is kept > asks before it changes, and only then',
  { skip: skipTerminal },
  async (t) => {
    const sandbox = await createVault(t);
    keepNothing(sandbox);
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
    // Without the line of progress that a slow machine draws, and takes back.
    t.matchSnapshot(yes.shown.replace(/[^\n]*\r(?=[^\r\n])/g, '').replaceAll('\r', ''));
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
