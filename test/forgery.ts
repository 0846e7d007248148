/**
 * Attacks on the rows that give access: wrapped KEKs, key slots and tokens, changed or forged by somebody who may
 * write vault.db but has no key. What was changed opens nothing and grants nothing; the rest works as before.
 */
import { createHash, randomBytes } from 'node:crypto';
import t from 'tap';
import { encodeContext } from '../workers/envelope/context.ts';
import { unwrapRootKey, wrapRootKey } from '../workers/envelope/slot.ts';
import { ask } from './fixtures/ask.ts';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { createHeldVault, type Held, hold } from './fixtures/held.ts';
import { sample } from './fixtures/sample.ts';
import { type Row, StoredFile } from './fixtures/stored.ts';
import { createSandbox, mav } from './fixtures/vault.ts';

const CANARY = 'canary-91c3';
const REFUSAL = '{"error":"stored data failed its integrity check","code":"integrity"}';
const PASSPHRASE = 'a passphrase of this test';
const CHEAP = { memoryKib: 8, passes: 1, parallelism: 1 };

function flip(bytes: Buffer, at: number, bit = 0): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[at]! ^= 1 << bit;
  return flipped;
}

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
  const [held, other] = [await hold(t, await createHeldVault(t)), await hold(t, await createHeldVault(t))];
  const [file, otherFile] = [held, other].map(({ sandbox }) => new StoredFile(sandbox.databasePath)) as [
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
    const sandbox = await createHeldVault(t, PASSPHRASE);
    const file = new StoredFile(sandbox.databasePath);
    t.teardown(() => file.close());
    const [slot] = file.rows('slots') as [Row];
    const vaultId = file.vaultId();
    const ctx = encodeContext({
      vaultId,
      kind: 'slot',
      environment: '',
      name: 'passphrase',
      field: '',
      version: 0,
    });
    const passphrase = Buffer.from(PASSPHRASE);
    // With a cheap key derivation the same root key can be asked for hundreds of times.
    const blob = wrapRootKey(passphrase, unwrapRootKey(passphrase, slot.blob, ctx), ctx, CHEAP);
    file.write({ slots: [{ ...slot, blob }] });
    const held = await hold(t, sandbox);
    const body = { passphrase: PASSPHRASE };
    const problems: string[] = [];
    for (const [what, changed] of sample(t, [...damagesOf(blob)], DAMAGES)) {
      file.write({ slots: [{ ...slot, blob: changed }] });
      problems.push(...(await findUnsealed(held, what, body)));
    }
    for (const change of [{ kind: 'file', location: '/nowhere' }, { kind: 'keychain' }, { blob: null }]) {
      file.write({ slots: [{ ...slot, blob, ...change }] });
      problems.push(...(await findUnsealed(held, JSON.stringify(change), body)));
    }
    file.write({ slots: [] });
    problems.push(...(await findUnsealed(held, 'no slot', body)));
    t.same(problems, []);
    file.write({ slots: [{ ...slot, blob }] });
    t.equal((await held.ask('POST', '/v1/unseal', { body })).status, 200);
    t.notOk(held.events.join().includes(PASSPHRASE));
  },
);

/** What is done to a token's row, each to a token of its own with the scope read and an expiry. */
const TOKEN_ATTACKS: Readonly<Record<string, (row: Row, other: Row) => Row>> = {
  'scopes raised': () => ({ scopes: 'read,write,generate,admin' }),
  'scopes reordered': () => ({ scopes: 'write,read' }),
  'scopes emptied': () => ({ scopes: '' }),
  'a scope that is never stored': () => ({ scopes: 'session' }),
  'expiry extended': ({ expires_at }) => ({ expires_at: expires_at + 1_000_000 }),
  'expiry removed': () => ({ expires_at: null }),
  'expiry 0': () => ({ expires_at: 0 }),
  'expiry beyond all integers': () => ({ expires_at: 2n ** 62n }),
  'name changed': () => ({ name: 'mallory' }),
  'id changed': () => ({ id: 'f00df00df00df00d' }),
  'creation changed': ({ created_at }) => ({ created_at: created_at - 1 }),
  'MAC changed': ({ mac }) => ({ mac: flip(mac, 31) }),
  'MAC cut': ({ mac }) => ({ mac: mac.subarray(0, 16) }),
  'MAC empty': () => ({ mac: Buffer.alloc(0) }),
  'MAC of another row': (_row, { mac }) => ({ mac }),
  'no such KEK': () => ({ kek_id: Buffer.alloc(16) }),
  'KEK id cut': ({ kek_id }) => ({ kek_id: kek_id.subarray(0, 8) }),
  'hash changed': ({ hash }) => ({ hash: flip(hash, 0) }),
};

interface Made {
  readonly token: string;
  readonly id: string;
}

t.test(
  'serve > token rows and a secret were changed while it was stopped > they grant and answer nothing',
  async (t) => {
    const sandbox = createSandbox(t);
    const first = await startDaemon(t, { sandbox });
    await first.ask('PUT', '/v1/secrets/s', { body: { value: CANARY } });
    await first.ask('PUT', '/v1/secrets/good', { body: { value: CANARY } });
    const create = (): Promise<Made> => first.createToken(['read'], { expires_in: '24h' });
    const [good, alsoGood, swapped, withSwapped] = [
      await create(),
      await create(),
      await create(),
      await create(),
    ];
    const victims = new Map<string, Made>();
    for (const what of Object.keys(TOKEN_ATTACKS)) victims.set(what, await create());
    await first.stop();

    const forgedToken = `mvt_${randomBytes(32).toString('hex')}`;
    const forgedId = '0123456789abcdef';
    const file = new StoredFile(sandbox.databasePath);
    t.teardown(() => file.close());
    const rows = new Map(file.rows('tokens').map((row) => [row.id as string, row]));
    const rowOf = ({ id }: Made) => rows.get(id)!;
    const changed: Row[] = [...victims].map(([what, made]) => ({
      ...rowOf(made),
      ...TOKEN_ATTACKS[what]?.(rowOf(made), rowOf(good)),
    }));
    const exchanged: Row[] = [
      { ...rowOf(swapped), hash: rowOf(withSwapped).hash },
      { ...rowOf(withSwapped), hash: rowOf(swapped).hash },
    ];
    const forged: Row = {
      ...rowOf(good),
      id: forgedId,
      hash: createHash('sha256').update(forgedToken).digest(),
      scopes: 'admin',
    };
    const touched = new Set([...victims.values(), swapped, withSwapped].map(({ id }) => id));
    const kept = [...rows.values()].filter(({ id }) => !touched.has(id));
    const secrets = file
      .rows('secrets')
      .map((row) => (row.name === 's' ? { ...row, payload: flip(row.payload, 40) } : row));
    file.write({ secrets, tokens: [...kept, ...changed, ...exchanged, forged] });

    const second = await startDaemon(t, { sandbox, init: null });
    const status = async (token: string, target = '/v1/info') =>
      (await ask(sandbox.socket, 'GET', target, { token })).status;
    for (const [what, { token }] of victims) {
      const answer = await ask(sandbox.socket, 'GET', '/v1/secrets/good', { token });
      t.same([answer.status, answer.headers['www-authenticate']], [401, 'Bearer'], what);
      t.notOk(answer.text.includes(CANARY));
    }
    t.same([await status(swapped.token), await status(withSwapped.token)], [401, 401], 'hashes exchanged');
    t.equal(await status(forgedToken), 401, 'a forged row');
    t.same(
      [await status(good.token), await status(alsoGood.token), await status(first.admin)],
      [200, 200, 200],
    );

    const refused = await second.ask('GET', '/v1/secrets/s');
    t.same([refused.status, refused.text], [500, REFUSAL]);
    t.equal((await second.ask('GET', '/v1/secrets/good')).json.value, CANARY);
    t.equal((await second.ask('GET', '/v1/secrets')).json.length, 2);

    const listed: Row[] = (await second.ask('GET', '/v1/tokens')).json;
    const known = [good.id, alsoGood.id];
    t.ok(known.every((id) => listed.some((row) => row.id === id)));
    const bad = [...changed, ...exchanged, forged].map(({ id }) => id as string);
    t.notOk(
      listed.some(({ id }) => bad.includes(id)),
      'none of them is shown as a token',
    );

    t.equal((await second.ask('POST', '/v1/keys/rotate')).status, 403, 'for the session only');
    const rotated = await mav(sandbox, ['key', 'rotate']);
    t.equal(rotated.code, 0, rotated.stderr);
    t.equal((await second.ask('DELETE', `/v1/tokens/${forgedId}`)).status, 200, 'can be revoked');
    await checkLog(t, second, bad, [
      forgedToken,
      ...[...victims.values(), good, swapped].map(({ token }) => token),
    ]);

    const third = await startDaemon(t, { sandbox, init: null });
    for (const [what, { token }] of victims) t.equal(await status(token), 401, `after a rotation: ${what}`);
    t.equal(await status(forgedToken), 401);
    t.same([await status(good.token), await status(alsoGood.token)], [200, 200]);
    const still = await third.ask('GET', '/v1/secrets/s');
    t.same([still.status, still.text], [500, REFUSAL]);
  },
);

/** Stops the daemon and reads its log: the ids as a warning, and never a value, a token or a key. */
async function checkLog(
  t: Parameters<typeof startDaemon>[0],
  daemon: Daemon,
  ids: readonly string[],
  secrets: readonly string[],
): Promise<void> {
  const { stdout, stderr } = await daemon.stop();
  const warnings = daemon.log().filter(({ event, level }) => event === 'warning' && level === 40);
  for (const id of ids)
    t.ok(
      warnings.some(({ detail }) => detail.includes(id)),
      'its id is logged',
    );
  const output = stdout + stderr;
  t.notOk([CANARY, ...secrets].some((secret) => output.includes(secret)));
  const requests = daemon.log().filter(({ code }) => code === 'integrity');
  t.ok(requests.length > 0, 'a refused secret is seen in the log');
}

t.test('key rotate > a row was changed > refused as a whole, and everything else still opens', async (t) => {
  const held = await hold(t, await createHeldVault(t));
  const file = new StoredFile(held.sandbox.databasePath);
  t.teardown(() => file.close());
  for (const name of ['a', 'b', 'c'])
    await held.ask('PUT', `/v1/secrets/${name}`, { body: { value: CANARY } });
  const original = file.rows('secrets');
  file.write({ secrets: original.map((row) => (row.name === 'b' ? { ...row, metadata: '{"x":1}' } : row)) });
  const rotated = await held.ask('POST', '/v1/keys/rotate');
  t.same([rotated.status, rotated.text], [500, REFUSAL]);
  t.equal((await held.ask('GET', '/v1/secrets/a')).json.value, CANARY);
  t.equal((await held.ask('GET', '/v1/secrets/b')).text, REFUSAL);
  t.equal((await held.ask('PUT', '/v1/secrets/d', { body: { value: CANARY } })).status, 201);
  await held.ask('POST', '/v1/seal');
  t.equal((await held.ask('POST', '/v1/unseal')).status, 200, 'after a restart, too');
  t.equal((await held.ask('GET', '/v1/secrets/d')).json.value, CANARY);
  t.equal((await held.ask('PUT', '/v1/secrets/b', { body: { value: CANARY } })).status, 201);
  t.equal((await held.ask('POST', '/v1/keys/rotate')).status, 200, 'once the row is replaced');
  for (const name of ['a', 'b', 'c', 'd'])
    t.equal((await held.ask('GET', `/v1/secrets/${name}`)).json.value, CANARY);
  t.equal(file.rows('keks').length, 1, 'no generation is left over');
});
