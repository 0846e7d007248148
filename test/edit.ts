/** `mav edit` by options, and what it refuses. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createVault, get } from './fixtures/edit.ts';
import { shareDaemon } from './fixtures/shared-daemon.ts';
import { mav, type Sandbox } from './fixtures/vault.ts';

const emptied = await shareDaemon(t);

t.setTimeout(550_000);

/** By options; the same with a daemon and without. */
async function testOptions(t: Test, sandbox: Sandbox): Promise<void> {
  const run = (args: readonly string[], input: string | Uint8Array = '') =>
    mav(sandbox, ['edit', 'x', ...args], { input });
  await mav(sandbox, ['set', 'x', '--value', 'old', '--metadata', 'a=1', '--metadata', 'b=2']);
  await mav(sandbox, ['set', 'x', '--field', 'f', '--value', 'field']);
  const changed = await run(['--value', '0123']);
  t.same([changed.code, changed.signal, changed.stdout], [0, null, '']);
  t.match(changed.stderr, /^Changed x, version \d; mav rollback x brings \d back\.\n$/);
  t.equal(await get(sandbox), '0123');
  t.equal((await run(['--metadata', 'b=3', '--metadata', 'c=4', '--remove-metadata', 'a'])).code, 0);
  const entry = JSON.parse(await get(sandbox, '-o', 'json'));
  t.same([entry.value, entry.metadata, entry.fields], ['0123', { b: '3', c: '4' }, { f: 'field' }]);
  const binary = new Uint8Array([0xff, 0x00, 0x0a]);
  t.equal((await run(['--stdin', '--metadata', 'd=5'], binary)).code, 0);
  const both = JSON.parse(await get(sandbox, '-o', 'json'));
  t.same([both.value, both.encoding], [Buffer.from(binary).toString('base64'), 'base64']);
  t.same(both.metadata, { b: '3', c: '4', d: '5' });
  writeFileSync(join(sandbox.folder, 'file'), 'from a file\n');
  t.equal((await run(['--from-file', 'file', '--trim'])).code, 0);
  t.equal(await get(sandbox), 'from a file');
  t.match(
    (await run(['--field', 'f', '--value', 'new'])).stderr,
    /^Changed the field f of x, version \d; mav rollback x brings \d back\.\n$/,
  );
  t.equal(await get(sandbox, '--field', 'f'), 'new');
  t.same(JSON.parse(await get(sandbox, '-o', 'json')).metadata, { b: '3', c: '4', d: '5' });
}

t.test('edit > by options, without a daemon > changes what is given and keeps the rest', async (t) => {
  await testOptions(t, await createVault(t));
});

t.test('edit > by options, with a daemon > the same', async (t) => {
  await testOptions(t, await emptied());
});

t.test('edit > metadata with numbers > stay as they were written', async (t) => {
  const daemon = await emptied();
  const body = '{"value":"v","metadata":{"n":1.0,"long":1234567890123456789012345678901234567890,"s":"t"}}';
  await daemon.ask('PUT', '/v1/secrets/x', { body });
  t.equal((await mav(daemon, ['edit', 'x', '--metadata', 's=u'])).code, 0);
  const { text } = await daemon.ask('GET', '/v1/secrets/x');
  t.match(text, '"metadata":{"n":1.0,"long":1234567890123456789012345678901234567890,"s":"u"}');
});

t.test('edit > several at once > every change is kept', async (t) => {
  const daemon = await emptied();
  await mav(daemon, ['set', 'x', '--value', 'v']);
  const keys = ['a', 'b', 'c', 'd'];
  const ends = await Promise.all(keys.map((key) => mav(daemon, ['edit', 'x', '--metadata', `${key}=1`])));
  t.same(
    ends.map(({ code }) => code),
    keys.map(() => 0),
  );
  t.same(Object.keys(JSON.parse(await get(daemon, '-o', 'json')).metadata).sort(), keys);
});

t.test('edit > a token > may as far as its scopes go', async (t) => {
  const daemon = await emptied();
  await mav(daemon, ['set', 'x', '--value', 'old']);
  const [reader, writer] = [await daemon.createToken(['read']), await daemon.createToken(['write'])];
  const run = (MAV_TOKEN: string, ...args: string[]) =>
    mav(daemon, ['edit', 'x', ...args], { env: { MAV_TOKEN } });
  t.equal((await run(reader.token, '--value', 'new')).code, 4);
  t.equal((await run(reader.token, '--metadata', 'a=b')).code, 4);
  t.equal((await run(writer.token, '--metadata', 'a=b')).code, 4, 'which metadata to keep must be read');
  t.equal((await run(writer.token, '--value', 'new')).code, 0);
  t.equal(await get(daemon), 'new');
});

t.test('edit > it cannot be done > refused, nothing changed', async (t) => {
  const sandbox = await createVault(t, { served: true });
  const cases: readonly [args: string[], code: number, says: RegExp][] = [
    [['missing', '--value', 'v'], 3, /no secret "missing" in the default environment/],
    [['missing', '--metadata', 'a=b'], 3, /no secret "missing" in the default environment/],
    [['x', '--field', 'missing', '--value', 'v'], 3, /has no field "missing"/],
    [['x', '--value', ''], 2, /empty/],
    [['x', '--stdin'], 2, /empty/],
    [['x', '--value', 'hunter2', '--stdin'], 2, /--value and --stdin/],
    [['x', '--field', 'f', '--metadata', 'a=b'], 2, /--metadata belongs to a secret/],
    [['x', '--field', 'f', '--remove-metadata', 'a'], 2, /--remove-metadata belongs/],
    [['x', '--metadata', 'a=b', '--remove-metadata', 'a'], 2, /the same key/],
    [['x', '--metadata', 'hunter2'], 2, /takes K=V/],
    [['x', '--remove-metadata', 'hunter2'], 3, /no such key/],
    [['x', '--trim'], 2, /nothing was piped in/],
    [['x'], 2, /no editor can be used here; give --value/],
  ];
  for (const [args, code, says] of cases) {
    const refused = await mav(sandbox, ['edit', ...args]);
    t.equal(refused.code, code, args.join(' '));
    t.match(refused.stderr, says);
    t.notMatch(refused.stderr, 'hunter2');
  }
  t.equal((await mav(sandbox, ['get', 'missing'])).code, 3);
  const { value, metadata } = JSON.parse(await get(sandbox, '-o', 'json'));
  t.same([value, metadata], ['old', {}]);
});
