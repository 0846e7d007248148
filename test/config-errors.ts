/** A config.json that cannot be followed: said in words, with its place, and without a value of it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createSandbox, fillVault, mav, type Sandbox } from './fixtures/vault.ts';

/** Lays a config.json and runs a command. */
async function configured(sandbox: Sandbox, text: string | Uint8Array, args: readonly string[]) {
  writeFileSync(join(sandbox.home, 'config.json'), text);
  return mav(sandbox, args);
}

t.test('config.json > cannot be followed > where and what, and no value of it', async (t) => {
  const sandbox = createSandbox(t);
  await fillVault(sandbox);
  const cases: readonly (readonly [text: string | Uint8Array, says: string])[] = [
    ['', ' is not a JSON object: line 1, column 1: { is expected, as in {"env": "prod"}'],
    ['[]', ' is not a JSON object: line 1, column 1: { is expected'],
    ['{\n  "env": "canary",\n}', " is not a JSON object: line 3, column 1: a member's name is expected"],
    ['{\n  "env": "canary"\n  "output": "json"}', ' is not a JSON object: line 3, column 3: } is expected'],
    ['{"env": "canary', ' is not a JSON object: line 1, column 16: a string does not end'],
    ['{"env": "prod"}\ncanary', ' is not a JSON object: line 2, column 1: text follows the JSON value'],
    ['{\n  "sokcet": "canary"\n}', ', line 2, column 3: unknown key "sokcet"; known are socket, env'],
    ['{"env": "a",\n "output": "canary"}', ', line 2, column 2: "output" must be "table", "json"'],
    ['{"env": "a", "env": "canary"}', ' is not a JSON object: line 1, column 14: a member is given twice'],
    [Buffer.from([0xff, 0xfe, 0x7b, 0]), ' is not UTF-8 text'],
  ];
  for (const [text, says] of cases) {
    const { code, stdout, stderr } = await configured(sandbox, text, ['list']);
    t.match({ code, stdout, stderr }, { code: 2, stdout: '', stderr: `config.json${says}` });
    t.notMatch(stderr, 'canary');
  }
  t.equal((await configured(sandbox, '\ufeff{"output": "json"}', ['list'])).code, 0, 'a byte order mark');
});

t.test('config.json > broken, a folder or a FIFO > stops no version, help or doctor', async (t) => {
  const sandbox = createSandbox(t);
  await fillVault(sandbox);
  const path = join(sandbox.home, 'config.json');
  const lay: Record<string, () => void> = {
    broken: () => writeFileSync(path, '{"env": canary'),
    folder: () => mkdirSync(path),
    FIFO: () => spawnSync('mkfifo', [path]),
  };
  for (const [what, make] of Object.entries(lay)) {
    rmSync(path, { recursive: true, force: true });
    make();
    for (const args of [
      ['version'],
      ['--version'],
      ['help'],
      ['--help'],
      ['get', '--help'],
      ['completion', 'zsh'],
    ])
      t.match(await mav(sandbox, args), { code: 0, stderr: '' }, `${what}: ${args.join(' ')}`);
    const doctor = await mav(sandbox, ['doctor', '-o', 'table']);
    t.match(
      doctor.stdout,
      /FAIL +config\.json .*config\.json is not a (JSON object: line 1, column 9: a JSON value|file)/,
      what,
    );
    t.match(doctor.stdout, /ok +entries/, what);
    t.match(await mav(sandbox, ['list']), { code: 2, stderr: /config\.json/ }, what);
  }
});
