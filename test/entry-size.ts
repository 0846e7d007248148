/** How large an entry may be: refused when it is written, by every way in, and readable in every way up to there. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { createHeldVault, type Held, hold } from './fixtures/held.ts';
import { readMemory } from './fixtures/process-figures.ts';
import { RawConnection } from './fixtures/raw.ts';
import { createSandbox, fillVault, mav } from './fixtures/vault.ts';

t.setTimeout(550_000);

const MIB = 1_048_576;
const MAX_BYTES = 8 * MIB;
const MAX_FIELDS = 1_000;

const open = async (t: Test): Promise<Held> => hold(t, await createHeldVault(t));
const named = (count: number, value: string, from = 0) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`f${String(from + at).padStart(4, '0')}`, value]),
  );

const importOf = ({ ask }: Held, entry: object, ...others: object[]) =>
  ask('POST', '/v1/import', { body: { secrets: [...others, entry] } });

t.test('an entry > as many fields as may be > one more is refused by every way in', async (t) => {
  const held = await open(t);
  const { ask } = held;
  const target = '/v1/secrets/many';
  t.equal((await ask('PUT', `${target}/fields`, { body: { fields: named(MAX_FIELDS, 'v') } })).status, 201);
  const more = named(1, 'v', MAX_FIELDS);
  const ways = {
    'PUT of a field': () => ask('PUT', `${target}/fields/more`, { body: { value: 'v' } }),
    'PUT of a value': () => ask('PUT', `${target}/fields/more/value`, { body: Buffer.from('v') }),
    'PUT of fields': () => ask('PUT', `${target}/fields`, { body: { fields: more } }),
    'PUT of too many at once': () =>
      ask('PUT', '/v1/secrets/new/fields', { body: { fields: named(MAX_FIELDS + 1, 'v') } }),
    'an import over it': () => importOf(held, { name: 'many', fields: more }, { name: 'ok', value: 'v' }),
    'an import of a new one': () =>
      importOf(held, { name: 'new', fields: named(MAX_FIELDS + 1, 'v') }, { name: 'ok', value: 'v' }),
  };
  for (const [way, go] of Object.entries(ways)) {
    const { status, json } = await go();
    t.match(
      { status, json },
      { status: 413, json: { code: 'too_large', member: 'fields', problem: /^an entry has at most/ } },
      way,
    );
    t.match(
      json.error,
      way.startsWith('an import') ? '"secrets"[1]."fields": an entry has at most' : '"fields": an',
    );
  }
  t.equal((await ask('PUT', `${target}/fields/f0000`, { body: { value: 'w' } })).status, 201, 'one of them');
  const { json } = await ask('GET', target);
  t.equal(json.field_count, MAX_FIELDS);
  t.equal(Object.keys(json.fields).length, MAX_FIELDS);
  t.equal((await ask('GET', '/v1/secrets/ok')).status, 404, 'nothing of an import that is refused');
  t.equal((await ask('GET', '/v1/secrets/new')).status, 404);
});

t.test('an entry > as large as may be > one byte more is refused by every way in', async (t) => {
  const held = await open(t);
  const { ask } = held;
  const target = '/v1/secrets/large';
  // Eight fields, the last with room for metadata of two bytes and a value of ten.
  const fields = { ...named(7, 'x'.repeat(MIB)), last: 'x'.repeat(MIB - 12) };
  t.equal((await importOf(held, { name: 'large', value: 'v'.repeat(10), fields })).status, 200);
  const ways: Record<string, [member: string, go: () => ReturnType<Held['ask']>]> = {
    PUT: ['value', () => ask('PUT', target, { body: { value: 'v'.repeat(11) } })],
    PATCH: ['value', () => ask('PATCH', target, { body: { value: 'v'.repeat(11) } })],
    'PATCH of metadata': ['metadata', () => ask('PATCH', target, { body: { metadata: { a: 1 } } })],
    'PUT of a value': ['value', () => ask('PUT', `${target}/value`, { body: Buffer.alloc(11) })],
    'PUT of a field': ['fields', () => ask('PUT', `${target}/fields/more`, { body: { value: 'v' } })],
    'PUT of fields': ['fields', () => ask('PUT', `${target}/fields`, { body: { fields: { more: 'v' } } })],
    'a password': ['metadata', () => ask('POST', '/v1/generate', { body: { name: 'large', length: 11 } })],
    'an import over it': ['fields', () => importOf(held, { name: 'large', fields: { more: 'v' } })],
    'an import of a new one': [
      'value',
      () => importOf(held, { name: 'new', value: 'x'.repeat(MAX_BYTES - 1) }),
    ],
  };
  for (const [way, [member, go]] of Object.entries(ways)) {
    const { status, json } = await go();
    t.match({ status, json }, { status: 413, json: { code: 'too_large', member } }, way);
  }
  t.equal(
    (await ask('PUT', target, { body: { value: 'w'.repeat(10) } })).status,
    201,
    'as much as there was',
  );
  t.equal((await importOf(held, { name: 'one', value: 'x'.repeat(MAX_BYTES - 2) })).status, 200, 'one value');
});

t.test('config.json > smaller bounds > they hold; what is no bound is refused', async (t) => {
  const sandbox = createSandbox(t);
  await fillVault(sandbox);
  const configure = (config: object) =>
    writeFileSync(join(sandbox.home, 'config.json'), JSON.stringify(config), { mode: 0o600 });
  configure({ max_fields: 2, max_entry_bytes: 100 });
  const set = (...args: string[]) => mav(sandbox, ['set', 'a', ...args]);
  t.equal((await set('--field', 'a=1', '--field', 'b=2')).code, 0);
  const fields = await set('--field', 'c=3');
  t.equal(fields.code, 1);
  t.match(fields.stderr, 'an entry has at most 2 fields');
  const value = await set('--value', 'x'.repeat(98));
  t.match(value.stderr, 'an entry has at most 100 bytes');
  for (const wrong of [
    { max_fields: 0 },
    { max_fields: 1_001 },
    { max_entry_bytes: '1' },
    { max_entry_bytes: 1e9 },
  ]) {
    configure(wrong);
    t.match((await set('--value', 'v')).stderr, 'must be a whole number from 1 to', JSON.stringify(wrong));
  }
});

/** MiB that other things may take meanwhile. */
const MODEST = 64;

t.test('announced bodies > 20 imports of headers alone > take no memory', async (t) => {
  if (process.platform !== 'linux') return t.pass('only Linux says how much memory a process has');
  const daemon = await startDaemon(t, { launched: true });
  const { token } = await daemon.createToken(['write']);
  const pid = daemon.child.pid ?? 0;
  const before = readMemory(pid).peak;
  const head = `POST /v1/import HTTP/1.1\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${64 * MIB}\r\n\r\n`;
  for (let count = 0; count < 20; count++) {
    const connection = await RawConnection.open(daemon.socket);
    t.teardown(() => connection.close());
    connection.write(head);
  }
  // CallResult after those, whose headers came first.
  t.equal((await daemon.ask('GET', '/v1/secrets')).status, 200);
  const grown = readMemory(pid).peak - before;
  t.ok(grown < MODEST, `${Math.round(grown)} MiB`);
});

t.test('a body that grows beyond its limit > 413, and the daemon stays', async (t) => {
  const daemon = await startDaemon(t, { launched: true });
  const body = Buffer.alloc(3 * MIB, 0x20);
  for (let round = 0; round < 3; round++) {
    const connection = await RawConnection.open(daemon.socket);
    t.teardown(() => connection.close());
    connection.write(
      `PUT /v1/secrets/a HTTP/1.1\r\nAuthorization: Bearer ${daemon.admin}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    connection.write(`${body.length.toString(16)}\r\n`);
    connection.write(body);
    connection.write('\r\n0\r\n\r\n');
    t.equal((await connection.waitFor(1))[0]?.status, 413);
  }
  t.equal((await daemon.ask('GET', '/v1/health')).status, 200);
});
