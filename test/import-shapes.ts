/** `mav import` of the JSON that other tools export, and what it says of JSON that it does not know. */
import t from 'tap';
import { stripDetermined } from './fixtures/transfer.ts';
import { createSandbox, type Finished, fillVault, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);

let sandbox: Sandbox;

t.before(async () => {
  sandbox = createSandbox(t);
  await fillVault(sandbox);
});

function importText(input: string, ...args: readonly string[]): Promise<Finished> {
  return mav(sandbox, ['import', '-', ...args], { input });
}

async function exportEntries(environment: string): Promise<unknown[]> {
  const { stdout } = await mav(sandbox, ['export', '--env', environment]);
  return JSON.parse(stdout).secrets.map(stripDetermined);
}

t.test('import > [{"key", "value"}] > each a secret; what else an entry has is named', async (t) => {
  const text = JSON.stringify([
    { key: 'DB_URL', value: 'postgres://x', type: 'shared', comment: '', tags: [], workspace: 'w1' },
    { key: 'TOKEN', value: 'a\n"b"', type: 'shared', comment: 'hunter2', _id: '5' },
  ]);
  const { code, stderr } = await importText(text, '--env', 'infisical');
  t.equal(code, 0);
  t.match(stderr, 'Left out, because a secret has no such thing: "type", "workspace", "comment".\n');
  t.notMatch(stderr, 'hunter2');
  t.strictSame(await exportEntries('infisical'), [
    { name: 'DB_URL', environment: 'infisical', value: 'postgres://x', metadata: {} },
    { name: 'TOKEN', environment: 'infisical', value: 'a\n"b"', metadata: {} },
  ]);
  const others = ['[{"name":"A","value":"1","slotSetting":false}]', '[{"secretKey":"B","secretValue":"2"}]'];
  for (const other of others) t.equal((await importText(other, '--env', 'other')).code, 0);
  const read = await mav(sandbox, ['export', '--env', 'other', '-o', 'dotenv', '--only', 'A,B']);
  t.match(read.stdout, 'A=1\nB=2\n');
});

t.test("import > the Go program's array > values, environments, metadata and labels", async (t) => {
  const text = `[
    {"id": 1, "name": "db", "environment": "go", "value": "v", "metadata": {"port": 5432, "n": 1.0}, "created_at": "2025-01-01T00:00:00Z", "updated_at": "2025-01-01T00:00:00Z"},
    {"name": "old", "value": "w", "labels": {"team": "x"}, "environment": "go"},
    {"name": "none", "value": "x", "metadata": null, "environment": null},
    {"name": "default", "value": "y", "metadata": {}, "environment": ""}
  ]`;
  const { code, stderr } = await importText(text);
  t.same([code, stderr], [0, 'Added: 4 (db in go, old in go, none, default)\nChanged: 0\nAlready so: 0\n']);
  t.strictSame(await exportEntries('go'), [
    { name: 'db', environment: 'go', value: 'v', metadata: { port: 5432, n: 1 } },
    { name: 'old', environment: 'go', value: 'w', metadata: { team: 'x' } },
  ]);
  const contradiction = await importText(text, '--env', 'prod');
  t.match([contradiction.code, contradiction.stderr], [2, 'leave --env out']);
  t.equal(
    (await importText(text)).stderr,
    'Added: 0\nChanged: 0\nAlready so: 4 (db in go, old in go, none, default)\n',
  );
});

t.test('import > a list with empty values > named by line; left out where that is asked for', async (t) => {
  const text = '[{"key":"A","value":"1"},\n{"key":"B","value":""}]';
  const refused = await importText(text, '--env', 'empty');
  t.match([refused.code, refused.stderr], [2, 'line 2: "B" is empty']);
  t.equal((await importText(text, '--env', 'empty', '--skip-empty')).code, 0);
  t.equal((await exportEntries('empty')).length, 1);
  t.match(await importText('[]'), { code: 0, stderr: 'There is nothing in standard input.\n' });
});

t.test('import > JSON of another shape > names those that are known, and never the content', async (t) => {
  const unknown = [
    '{"secrets":[{"name":"a","value":"hunter2"}]}',
    '{"a":"1",\n"b":{"hunter2":"x"}}',
    '["hunter2"]',
    '[{"hunter2":"x"}]',
    '[{"name":"a","value":"1"},\n{"name":"hunter2"}]',
    '[[{"name":"a","value":"hunter2"}]]',
    '{"items":[],"hunter2":1}',
    '{"name":"a","value":"hunter2"}\n{"name":"b","value":"hunter2"}\n',
    '"hunter2"',
    'name,value\na,hunter2\n',
    '---\na: hunter2\n',
    '<a>hunter2</a>',
  ];
  const said: string[] = [];
  for (const text of unknown) {
    const { code, stdout, stderr } = await importText(text);
    t.same([code, stdout], [2, ''], stderr);
    t.match(
      stderr,
      'an import takes what mav export wrote, {"NAME": "value"}, [{"name": "…", "value": "…"}]',
    );
    said.push(stderr);
  }
  said.push((await importText('"hunter2"', '--format', 'json')).stderr);
  const wrong = [
    '[{"key":"a","name":"b","value":"c"}]',
    '[{"key":"a",\n"value":5}]',
    '[{"key":"a","value":"1"},{"key":"a","value":"2"}]',
  ];
  for (const text of wrong) {
    const { code, stderr } = await importText(text);
    t.equal(code, 2);
    said.push(stderr);
  }
  t.notMatch(said.join(''), 'hunter2');
  t.matchSnapshot(said.join(''));
});

t.test('import, export > --format env > is dotenv', async (t) => {
  t.equal((await importText('A=1', '--format', 'env', '--env', 'named')).code, 0);
  t.equal((await mav(sandbox, ['export', '--env', 'named', '-o', 'env', '--only', 'A'])).stdout, 'A=1\n');
  t.equal((await mav(sandbox, ['env', '--env', 'named', '-o', 'env', '--only', 'A'])).stdout, 'A=1\n');
});
