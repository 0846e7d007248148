/** A new root key by the API: every key of the vault is made again, or nothing is changed. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createHeldVault, type Held, type HeldAnswer, hold } from './fixtures/held.ts';
import { KEY_FILE } from './fixtures/made-vaults.ts';
import { waitUntil } from './fixtures/raw.ts';
import { identify, listGenuine, openByWords, openKeks, readValue } from './fixtures/root-key-reader.ts';
import { StoredFile } from './fixtures/stored.ts';
import type { Sandbox } from './fixtures/vault.ts';

const FIRST = 'the first passphrase';
const SECOND = 'the second passphrase';

interface Subject {
  readonly held: Held;
  readonly file: StoredFile;
  readonly words: string;
  /** The path of the words. */
  readonly code: string;
  readonly key: string;
}

/** A vault with a key file, a passphrase, a recovery code and one secret. */
async function start(t: Test): Promise<Subject> {
  const sandbox = await createHeldVault(t);
  const held = await hold(t, sandbox);
  await held.ask('PUT', '/v1/secrets/kept', { body: { value: 'v' } });
  await held.ask('POST', '/v1/keys', { body: { kind: 'passphrase', new_passphrase: FIRST } });
  const words: string = (await held.ask('POST', '/v1/keys/recovery-code')).json.recovery_code;
  await held.ask('POST', '/v1/keys', { body: { kind: 'recovery', recovery_code: words } });
  const code = join(sandbox.folder, 'code');
  writeFileSync(code, words);
  const file = new StoredFile(sandbox.databasePath);
  t.teardown(() => file.close());
  return { held, file, words, code, key: join(sandbox.folder, KEY_FILE) };
}

const renew = ({ held }: Pick<Subject, 'held'>, body: object, more = ''): Promise<HeldAnswer> =>
  held.ask('POST', `/v1/keys/rotate?root=true${more}`, { body });

const locateList = ({ env }: Sandbox) => join(env.HOME ?? '', '.config/maestrovault/known-vaults.json');

const readKnown = (sandbox: Sandbox) =>
  JSON.parse(readFileSync(locateList(sandbox), 'utf8')).vaults[0].slots as Record<string, string>[];

const listKeyFiles = ({ folder }: Sandbox) => readdirSync(folder).filter((name) => name.endsWith('.key'));

t.test('keys.rotate root=true > a file, a passphrase and a code > each opens by the new key', async (t) => {
  const subject = await start(t);
  const { held, file, words, code, key } = subject;
  const { id, token } = (await held.ask('POST', '/v1/tokens', { body: { name: 't', scopes: ['read'] } }))
    .json;
  t.ok(id);
  const old = readFileSync(key);
  const before = file.rows('slots').map((slot) => slot.id);
  const { status, json } = await renew(subject, { passphrase: FIRST, recovery_code: words });
  t.match([status, json], [200, { kek_generation: 2, kept_generations: [], damaged_count: 0 }]);
  const { keys, dropped, kept } = json.root_key;
  t.same([keys.map(({ replaces }: any) => replaces), dropped, kept], [before, [], []]);
  t.match(keys, [{ kind: 'file' }, { kind: 'passphrase' }, { kind: 'recovery' }]);
  t.equal(keys[0].location, join(held.sandbox.folder, `vault-${keys[0].id}.key`));
  t.same(listKeyFiles(held.sandbox), [`vault-${keys[0].id}.key`], 'the old one is gone');
  const ids = keys.map((one: { id: string }) => one.id);
  t.same(
    [file.rows('slots').map((slot) => slot.id), readKnown(held.sandbox).map((slot) => slot.id)],
    [ids, ids],
  );
  t.same(
    readKnown(held.sandbox).filter(({ pending }) => pending),
    [],
  );
  const next = readFileSync(keys[0].location);
  t.notSame(next, old);
  // The second implementation reads what is there now.
  t.same(openByWords(file, code), next);
  t.same([listGenuine(file, next), listGenuine(file, old)], [ids, []]);
  t.equal(readValue(file, next, 'kept'), 'v');
  t.throws(() => openKeks(file, old), /a wrong wrap/);
  for (const given of [{ passphrase: FIRST }, { recovery_code: words }, undefined]) {
    await held.ask('POST', '/v1/seal');
    t.equal(
      (await held.ask('POST', '/v1/unseal', { body: given })).status,
      200,
      Object.keys(given ?? {})[0] ?? 'file',
    );
    t.equal((await held.ask('GET', '/v1/secrets/kept', { token })).json.value, 'v', 'with a token of before');
  }
  t.match((await held.ask('GET', '/v1/check')).json, { damaged: [] });
});

t.test('keys.rotate root=true > with reencrypt, and once more > another key each time', async (t) => {
  const { held, file, key } = await start(t);
  const [, passphrase, code] = file.rows('slots').map(({ id }) => id);
  for (const id of [passphrase, code]) await held.ask('POST', `/v1/keys/${id}/remove`);
  const payload = () => file.rows('secrets')[0]?.payload.toString('hex');
  const seen = new Set([payload()]);
  const roots = new Set([readFileSync(key, 'hex')]);
  for (const generation of [2, 3]) {
    const { json } = await renew({ held }, {}, '&reencrypt=true');
    t.match(json, { kek_generation: generation, root_key: { keys: [{ kind: 'file' }], kept: [] } });
    seen.add(payload());
    roots.add(readFileSync(json.root_key.keys[0].location, 'hex'));
    t.match(listKeyFiles(held.sandbox), [/^vault-[0-9a-f]{8}\.key$/], 'its name does not grow');
  }
  t.same([seen.size, roots.size, file.rows('keks').length], [3, 3, 1]);
  t.match((await held.ask('POST', '/v1/keys/rotate')).json, { kek_generation: 4, root_key: null });
});

t.test('keys.rotate root=true > a key cannot be renewed > it is named, and nothing changed', async (t) => {
  const subject = await start(t);
  const { held, file, words } = subject;
  const other: string = (await held.ask('POST', '/v1/keys/recovery-code')).json.recovery_code;
  const before = JSON.stringify([file.rows('slots'), file.rows('keks')]);
  const [, passphrase, code] = file.rows('slots').map(({ id }) => id);
  const refused: [body: object, status: number, says: RegExp][] = [
    [
      { recovery_code: words },
      409,
      new RegExp(`^nothing was changed, because the key ${passphrase} \\(passphrase\\)`),
    ],
    [
      { passphrase: FIRST },
      409,
      new RegExp(`the key ${code} \\(recovery\\) cannot be renewed without its words`),
    ],
    [{ passphrase: SECOND, recovery_code: words }, 503, /the passphrase is wrong/],
    [{ passphrase: FIRST, recovery_code: other }, 400, /the recovery code is wrong/],
    [{ passphrase: FIRST, recovery_code: other, drop_recovery: true }, 400, /the recovery code is wrong/],
    [{ passphrase: FIRST, recovery_code: 'one two' }, 400, /the recovery code is wrong/],
    [{ passphrase: FIRST, drop_recovery: 'yes' }, 400, /must be true or false/],
  ];
  for (const [body, status, says] of refused)
    t.match(await renew(subject, body), { status, json: { error: says } }, says.source);
  const plain = await held.ask('POST', '/v1/keys/rotate', { body: { drop_recovery: true } });
  t.match(plain, { status: 400, json: { error: /goes with root=true/ } });
  t.equal(JSON.stringify([file.rows('slots'), file.rows('keks')]), before);
  t.same(listKeyFiles(held.sandbox), [KEY_FILE]);
  t.same(
    readKnown(held.sandbox).filter(({ pending }) => pending),
    [],
  );
  const added = await held.ask('POST', '/v1/keys', { body: { kind: 'passphrase', new_passphrase: SECOND } });
  const two = await renew(subject, { passphrase: FIRST, recovery_code: words });
  t.match(two, {
    status: 409,
    json: { error: new RegExp(`the key ${added.json.id} .*wrong.*mav key remove ${added.json.id}`) },
  });
});

t.test('keys.rotate root=true > drop_recovery > the words open nothing, and it is said', async (t) => {
  const subject = await start(t);
  const { held, words } = subject;
  const { json } = await renew(subject, { passphrase: FIRST, drop_recovery: true });
  t.match(json.root_key, {
    keys: [{ kind: 'file' }, { kind: 'passphrase' }],
    dropped: [{ kind: 'recovery' }],
  });
  await held.ask('POST', '/v1/seal');
  t.equal((await held.ask('POST', '/v1/unseal', { body: { recovery_code: words } })).status, 400);
  t.equal((await held.ask('POST', '/v1/unseal')).status, 200);
});

t.test('keys.rotate root=true > several at once > one after the other, or refused', async (t) => {
  const subject = await start(t);
  const { held, file } = subject;
  const body = { passphrase: FIRST, recovery_code: subject.words };
  const answers = await Promise.all([
    renew(subject, body),
    renew(subject, body),
    held.ask('POST', '/v1/keys', { body: { kind: 'passphrase', new_passphrase: SECOND } }),
    renew(subject, body),
  ]);
  for (const { status, json } of answers) t.ok([200, 201, 409].includes(status), json.error ?? `${status}`);
  const [last = ''] = listKeyFiles(held.sandbox);
  t.same(
    [listKeyFiles(held.sandbox).length, readKnown(held.sandbox).filter(({ pending }) => pending)],
    [1, []],
  );
  const rootKey = readFileSync(join(held.sandbox.folder, last));
  t.equal(listGenuine(file, rootKey).length, file.rows('slots').length);
  t.equal(readValue(file, rootKey, 'kept'), 'v');
});

t.test('unseal > a new root key was interrupted after the commit > the old key file goes', async (t) => {
  for (const isOurs of [true, false]) {
    const subject = await start(t);
    const { held, file, key, words } = subject;
    const [old, [slot]] = [readFileSync(key), readKnown(held.sandbox)];
    await renew(subject, { passphrase: FIRST, recovery_code: words });
    await held.close();
    // As it was before the end: the key of before lies in its place, and is still to go.
    writeFileSync(key, isOurs ? old : Buffer.alloc(32, 7), { mode: 0o400 });
    const known = JSON.parse(readFileSync(locateList(held.sandbox), 'utf8'));
    known.vaults[0].slots.push({ ...slot, pending: true, root_key_id: identify(file, old) });
    writeFileSync(locateList(held.sandbox), JSON.stringify(known));
    const again = await hold(t, held.sandbox);
    await waitUntil(() => readKnown(held.sandbox).every(({ pending }) => pending === undefined));
    t.equal(existsSync(key), !isOurs, isOurs ? 'it is gone' : 'what is another key stays');
    t.equal((await again.ask('GET', '/v1/secrets/kept')).json.value, 'v');
  }
});
