/** Names: every way in takes the same ones. What is stored can be exported, imported elsewhere and exported again as it was. */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { anyCharacter } from './fixtures/any-character.ts';
import { createHeldVault, type Held, hold } from './fixtures/held.ts';
import { ODD_NAMES } from './fixtures/odd-names.ts';
import { RUNS_WHOLE_SWEEPS, sample } from './fixtures/sample.ts';
import { stripDetermined } from './fixtures/transfer.ts';
import { createSandbox, createVault, fillVault, MAV, mav } from './fixtures/vault.ts';
import {
  encode,
  fresh,
  importOf,
  type Kind,
  only,
  READS,
  send,
  toImport,
  WAYS,
  type Way,
} from './fixtures/ways-in.ts';

t.setTimeout(550_000);

/** Size of the sample of ODD_NAMES. */
const SAMPLE = 24;
const ANY_TEXTS = RUNS_WHOLE_SWEEPS ? 60 : 20;

const NODE_FOLDER = dirname(process.execPath);

/** In ASCII, as the lines of a test's output cannot have every character. */
const show = (text: string) =>
  JSON.stringify(text.length > 20 ? `${text.slice(0, 20)}… of ${text.length}` : text).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16)}`,
  );

async function checkAlike(t: Test, held: Held, kind: Kind, text: string): Promise<boolean> {
  const shown = `${kind} ${show(text)}`;
  const taken: Record<string, boolean> = {};
  for (const [way, go] of Object.entries(WAYS[kind])) {
    const status = await go(held, text);
    if (![200, 201, 400, 404].includes(status)) t.fail(`${shown}: ${way} answered ${status}`);
    taken[way] = status < 400;
  }
  const isTaken = Object.values(taken).some((one) => one);
  // An empty name or field is another path, which there is none of or which is the list.
  const isOtherPath = text === '' && kind !== 'environment';
  t.ok(
    Object.values(taken).every((one) => one === isTaken),
    `${shown}: all ways alike`,
    { taken },
  );
  for (const [way, go] of Object.entries(READS[kind])) {
    const status = await go(held, text);
    if (!isOtherPath) t.equal(status === 400, !isTaken, `${shown}: ${way}, ${status}`);
  }
  return isTaken;
}

async function exportAll({ ask }: Held): Promise<object[]> {
  const entries: object[] = [];
  for (let target: string | null = '/v1/export'; target !== null; ) {
    const { status, json, headers }: Awaited<ReturnType<Held['ask']>> = await ask('GET', target);
    if (status !== 200) throw new Error(`the export answered ${status}`);
    entries.push(...json.map(stripDetermined));
    target = /<([^>]*)>; *rel="next"/.exec(headers.link ?? '')?.[1] ?? null;
  }
  return entries;
}

async function checkTransfer(t: Test, from: Held): Promise<void> {
  const to = await hold(t, await createHeldVault(t));
  const exported = await exportAll(from);
  for (let at = 0; at < exported.length; at += 200) {
    const body = { secrets: exported.slice(at, at + 200) };
    const { status, text } = await to.ask('POST', '/v1/import', { body });
    t.equal(status, 200, status === 200 ? 'imported' : text);
  }
  t.equal(
    JSON.stringify(await exportAll(to)),
    JSON.stringify(exported),
    `${exported.length} entries, the same`,
  );
}

t.test('names > odd ones, by every way in > all take the same, and all can be moved', async (t) => {
  const held = await hold(t, await createHeldVault(t));
  await held.ask('PUT', '/v1/secrets/of', { body: { value: 'v' } });
  const refused: [Kind, string][] = [];
  const texts = sample(t, ODD_NAMES, SAMPLE);
  for (const kind of ['name', 'field', 'environment'] as const)
    for (const text of texts) if (!(await checkAlike(t, held, kind, text))) refused.push([kind, text]);
  const all = [
    '\0',
    'a\0',
    '\t',
    '\n',
    '\r\n',
    '\x1b[2J',
    '\x7f',
    '\x80',
    '\x9b',
    '\ud800',
    '\udc00',
    'a\ud83d',
  ];
  const long = ['x'.repeat(513), `${'é'.repeat(256)}x`];
  const expected: [Kind, string][] = [
    ...['', ...all, ...long].map((text): [Kind, string] => ['name', text]),
    ...['__proto__', '', ...all, ...long].map((text): [Kind, string] => ['field', text]),
    ...[...all, ...long].map((text): [Kind, string] => ['environment', text]),
  ];
  t.strictSame(
    refused,
    expected.filter(([, text]) => texts.includes(text)),
    'and these are what no way takes',
  );
  await checkTransfer(t, held);
});

t.test('names > any text > every way in says the same of it, and all can be moved', async (t) => {
  const held = await hold(t, await createHeldVault(t));
  await held.ask('PUT', '/v1/secrets/of', { body: { value: 'v' } });
  const text = fc.oneof(
    fc.string({ unit: anyCharacter, minLength: 1, maxLength: 20 }),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 130 }),
    fc
      .array(fc.integer({ min: 0, max: 0xffff }), { minLength: 1, maxLength: 4 })
      .map((units) => String.fromCharCode(...units)),
  );
  const kind = fc.constantFrom<Kind[]>('name', 'field', 'environment');
  await fc.assert(
    fc.asyncProperty(kind, text, async (kind, text) => void (await checkAlike(t, held, kind, text))),
    { numRuns: ANY_TEXTS },
  );
  await checkTransfer(t, held);
});

t.test(
  'metadata > keys that objects have of themselves > kept as they are, or refused everywhere',
  async (t) => {
    const held = await hold(t, await createHeldVault(t));
    const ways: Readonly<Record<string, Way>> = {
      PUT: send(
        'PUT',
        () => `/v1/secrets/${encode(fresh())}`,
        (key) => ({ value: 'v', metadata: only(key, 1) }),
      ),
      'an import': send(
        'POST',
        toImport,
        importOf((key) => ({ name: fresh(), value: 'v', metadata: only(key, 1) })),
      ),
      'a password': send(
        'POST',
        () => '/v1/generate',
        (key) => ({ name: fresh(), metadata: only(key, 1) }),
      ),
      'deeper down': send(
        'PUT',
        () => `/v1/secrets/${encode(fresh())}`,
        (key) => ({
          value: 'v',
          metadata: { a: [only(key, 1)] },
        }),
      ),
    };
    const keys = ODD_NAMES.filter((name) => name.isWellFormed() && name !== '__proto__');
    for (const key of ['__proto__', ...sample(t, keys, SAMPLE)])
      for (const [way, go] of Object.entries(ways))
        t.equal((await go(held, key)) === 400, key === '__proto__', `${show(key)} by ${way}`);
    await checkTransfer(t, held);
  },
);

t.test('mav > names that objects have of themselves > set, shown, exported and imported', async (t) => {
  const [sandbox, other] = [await createVault(t), await createVault(t)];
  const run = async (...args: string[]) => mav(sandbox, args, { input: '' });
  for (const name of ['__proto__', 'constructor', '..']) {
    t.equal((await run('set', name, '--value', `v ${name}`, '--env', name)).code, 0, name);
    t.equal(
      (await run('set', name, '--env', name, '--field', `constructor=f ${name}`, '--field', 'a=b')).code,
      0,
    );
    t.equal((await run('get', name, '--env', name)).stdout, `v ${name}`);
    t.equal((await run('get', name, '--env', name, '--field', 'constructor')).stdout, `f ${name}`);
    const shown = JSON.parse((await run('get', name, '--env', name, '-o', 'json')).stdout);
    t.strictSame([shown.name, shown.environment, shown.fields.constructor], [name, name, `f ${name}`]);
  }
  for (const field of [['__proto__=v'], ['__proto__', '--value', 'v'], ['__proto__=v', '--field', 'a=b']]) {
    const refused = await run('set', 'x', '--field', ...field);
    t.equal(refused.code, 2, field.join(' '));
    t.match(refused.stderr, '__proto__');
  }
  const meta = await run('set', 'x', '--value', 'v', '--metadata', '__proto__=v');
  t.equal(meta.code, 2);
  const variables = JSON.parse((await run('env', '--env', '__proto__', '-o', 'json')).stdout);
  t.strictSame(Object.entries(variables), [
    ['__PROTO__', 'v __proto__'],
    ['__PROTO___A', 'b'],
    ['__PROTO___CONSTRUCTOR', 'f __proto__'],
  ]);
  const exported = (await run('export')).stdout;
  const imported = await mav(other, ['import', '-'], { input: exported });
  t.equal(imported.code, 0, imported.stderr);
  const times = /"(created|updated)_at":"[^"]*"|"version":\d+/g;
  t.equal((await mav(other, ['export'])).stdout.replace(times, ''), exported.replace(times, ''));
});

t.test('exec > variables that objects have of themselves > reach the program', async (t) => {
  const sandbox = createSandbox(t);
  await fillVault(sandbox);
  const names = ['__proto__', 'constructor', 'toString'];
  const variables = [...names.map((name) => `${name}=of ${name}`), `PATH=${NODE_FOLDER}:${process.env.PATH}`];
  // As a shell starts it: that is what notes the environment before Node has it.
  const command = ['sh', MAV, 'exec', '--allow-empty', '--', 'env'];
  const { stdout, stderr } = spawnSync('env', [...variables, ...command], {
    env: sandbox.env,
    encoding: 'utf8',
  });
  for (const name of names) t.match(stdout, `${name}=of ${name}\n`, stderr);
});
