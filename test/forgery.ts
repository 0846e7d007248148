/**
 * Attacks on the rows that open the vault: wrapped KEKs and key slots, changed by somebody who may write vault.db but has no
 * key. What was changed opens nothing; the rest works as before.
 */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { unwrapRootKey, wrapRootKey } from '../workers/envelope/slot.ts';
import { type BoundSlot, computeSlotMac, encodeSlotContext } from '../workers/envelope/slot-mac.ts';
import { createHeldVault, type Held, hold } from './fixtures/held.ts';
import { PASSPHRASE } from './fixtures/passphrases.ts';
import { sample } from './fixtures/sample.ts';
import { type Row, StoredFile } from './fixtures/stored.ts';
import { flip } from './fixtures/tampering.ts';
import { createPassphraseVault, createSandbox, initVault } from './fixtures/vault.ts';

const CANARY = 'canary-91c3';
const REFUSAL = '{"error":"stored data failed its integrity check","code":"integrity"}';
const CHEAP = { memoryKib: 8, passes: 1, parallelism: 1 };

/** How many of them are tried in `npm test`. */
const DAMAGES = 30;

/** Each byte of a blob changed, then each shorter length, then one byte more. */
function* damagesOf(blob: Buffer): Generator<[what: string, blob: Buffer]> {
  for (let at = 0; at < blob.length; at++) yield [`byte ${at}`, flip(blob, at)];
  for (let length = 0; length < blob.length; length += 7)
    yield [`length ${length}`, blob.subarray(0, length)];
  yield ['one byte more', Buffer.concat([blob, Buffer.alloc(1)])];
}

/** Answers what an unsealing says while the file is changed; it must never succeed. */
async function findUnsealed(held: Held, what: string, body?: object): Promise<string[]> {
  const { status, json } = await held.ask('POST', '/v1/unseal', { body });
  if (status !== 503 || json.code !== 'sealed') return [`${what}: unsealing answered ${status}`];
  const read = await held.ask('GET', '/v1/secrets/s');
  return read.status === 503 && read.json.code === 'sealed'
    ? []
    : [`${what}: reading answered ${read.status}`];
}

t.test('unseal > the row of a KEK is changed > sealed until it is put back', async (t) => {
  const held = await hold(t, await createHeldVault(t));
  const file = new StoredFile(held.sandbox.databasePath);
  t.teardown(() => file.close());
  await held.ask('PUT', '/v1/secrets/s', { body: { value: CANARY } });
  const [kek] = file.rows('keks') as [Row];
  await held.ask('POST', '/v1/seal');
  const problems: string[] = [];
  const changes: [string, Row][] = [
    ...sample(t, [...damagesOf(kek.wrapped)], DAMAGES).map(([what, wrapped]): [string, Row] => [
      what,
      { wrapped },
    ]),
    ['another id', { id: randomBytes(16) }],
    ['another generation', { generation: kek.generation + 1 }],
    ['generation 0', { generation: 0 }],
    ['a time', { created_at: kek.created_at - 1 }],
    ['a time below zero', { created_at: -1 }],
  ];
  for (const [what, change] of changes) {
    file.write({ keks: [{ ...kek, ...change }] });
    problems.push(...(await findUnsealed(held, what)));
  }
  file.write({ keks: [kek, { ...kek, id: randomBytes(16), generation: 2 }] });
  problems.push(...(await findUnsealed(held, 'a second KEK')));
  file.write({ keks: [] });
  const empty = await held.ask('POST', '/v1/unseal');
  t.not(empty.status, 200, 'no KEK at all');
  file.write({ keks: [kek] });
  t.same(problems, []);
  t.equal((await held.ask('POST', '/v1/unseal')).status, 200);
  t.equal((await held.ask('GET', '/v1/secrets/s')).json.value, CANARY);
  t.notOk(held.events.join().includes(CANARY));
});

t.test('unseal > the KEK of another vault is put in > sealed', async (t) => {
  const held = await hold(t, await createHeldVault(t));
  const other = createSandbox(t);
  await initVault(other, ['--key-store', 'file']);
  const [file, otherFile] = [held.sandbox, other].map((sandbox) => new StoredFile(sandbox.databasePath)) as [
    StoredFile,
    StoredFile,
  ];
  t.teardown(() => [file, otherFile].map((one) => one.close()));
  file.write({ keks: otherFile.rows('keks'), slots: file.rows('slots') });
  await held.ask('POST', '/v1/seal');
  t.same(await findUnsealed(held, 'the KEK alone'), []);
});

t.test(
  'unseal > the blob of a passphrase slot is changed in any byte > sealed, whatever the passphrase',
  async (t) => {
    const sandbox = await createPassphraseVault(t);
    const file = new StoredFile(sandbox.databasePath);
    t.teardown(() => file.close());
    const [slot] = file.rows('slots') as [Row];
    const vaultId = file.vaultId();
    const ctx = encodeSlotContext(vaultId, slot as { id: string; kind: string });
    const passphrase = Buffer.from(PASSPHRASE);
    // With a cheap key derivation the same root key can be asked for hundreds of times.
    const rootKey = unwrapRootKey(passphrase, slot.blob, ctx);
    const cheap = { ...slot, blob: wrapRootKey(passphrase, rootKey, ctx, CHEAP) } as Row;
    const { blob } = cheap;
    const bound = { ...cheap, createdAt: cheap.created_at } as unknown as BoundSlot;
    const mac = computeSlotMac(rootKey, vaultId, bound);
    file.write({ slots: [{ ...cheap, mac }] });
    const held = await hold(t, sandbox);
    const body = { passphrase: PASSPHRASE };
    const problems: string[] = [];
    for (const [what, changed] of sample(t, [...damagesOf(blob)], DAMAGES)) {
      file.write({ slots: [{ ...cheap, mac, blob: changed }] });
      problems.push(...(await findUnsealed(held, what, body)));
      // Else the attempts become slow.
      file.write({ slots: [{ ...cheap, mac }] });
      await held.ask('POST', '/v1/unseal', { body });
      await held.ask('POST', '/v1/seal');
    }
    const others = [{ mac: flip(mac, 0) }, { created_at: 1 }, { id: '00000000' }];
    const places = [{ kind: 'file', location: '/nowhere' }, { kind: 'keychain' }, { blob: null }];
    for (const change of [...others, ...places]) {
      file.write({ slots: [{ ...cheap, mac, ...change }] });
      problems.push(...(await findUnsealed(held, JSON.stringify(change), body)));
    }
    file.write({ slots: [] });
    problems.push(...(await findUnsealed(held, 'no slot', body)));
    t.same(problems, []);
    file.write({ slots: [{ ...cheap, mac }] });
    t.equal((await held.ask('POST', '/v1/unseal', { body })).status, 200);
    t.notOk(held.events.join().includes(PASSPHRASE));
  },
);

t.test('key rotate > a row was changed > named and left, and can be repaired or replaced', async (t) => {
  const held = await hold(t, await createHeldVault(t));
  const file = new StoredFile(held.sandbox.databasePath);
  t.teardown(() => file.close());
  for (const name of ['a', 'b', 'c'])
    await held.ask('PUT', `/v1/secrets/${name}`, { body: { value: CANARY } });
  const original = file.rows('secrets');
  file.write({ secrets: original.map((row) => (row.name === 'b' ? { ...row, metadata: '{"x":1}' } : row)) });
  const rotated = await held.ask('POST', '/v1/keys/rotate');
  const damaged = [{ table: 'secrets', name: 'b', environment: '', version: 1, problem: 'changed' }];
  t.match([rotated.status, rotated.json], [200, { kept_generations: [1], damaged, damaged_count: 1 }]);
  t.match((await held.ask('GET', '/v1/status')).json, { kek_generation: 2, old_kek_generations: [1] });
  t.equal((await held.ask('GET', '/v1/secrets/a')).json.value, CANARY);
  t.equal((await held.ask('GET', '/v1/secrets/b')).text, REFUSAL);
  t.equal((await held.ask('PUT', '/v1/secrets/d', { body: { value: CANARY } })).status, 201);
  await held.ask('POST', '/v1/seal');
  t.equal((await held.ask('POST', '/v1/unseal')).status, 200, 'after a restart, too');
  t.equal((await held.ask('GET', '/v1/secrets/d')).json.value, CANARY);
  const [b] = original.filter((row) => row.name === 'b');
  file.write({ secrets: file.rows('secrets').map((row) => (row.name === 'b' && b ? b : row)) });
  t.equal((await held.ask('GET', '/v1/secrets/b')).json.value, CANARY, 'the row is as it was, and opens');
  t.match((await held.ask('POST', '/v1/keys/rotate')).json, { kept_generations: [], damaged_count: 0 });
  for (const name of ['a', 'b', 'c', 'd'])
    t.equal((await held.ask('GET', `/v1/secrets/${name}`)).json.value, CANARY);
  t.equal(file.rows('keks').length, 1, 'no generation is left over');
});
