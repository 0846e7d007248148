/** The ways to open a vault: adding and removing them by the API and by the command line, and changing the passphrase. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { locateSessionToken, readSessionToken } from '../src/places/session-token.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { createHeldVault, type Held, hold } from './fixtures/held.ts';
import { KEY_FILE } from './fixtures/made-vaults.ts';
import { answer, NEW } from './fixtures/passphrases.ts';
import { type Row, StoredFile } from './fixtures/stored.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { createSandbox, createVault, initVault, mav, mavAlone, type Sandbox } from './fixtures/vault.ts';

const FIRST = 'the first passphrase';
const SECOND = 'the second passphrase';

interface Key {
  readonly id: string;
  readonly kind: string;
}

async function listKeys(held: Held): Promise<Key[]> {
  return (await held.ask('GET', '/v1/keys')).json.keys;
}

/** Returns what the list of known vaults says of the slots. */
function readKnownSlots({ env }: Sandbox): object[] {
  const path = join(env.HOME ?? '', '.config/maestrovault/known-vaults.json');
  return JSON.parse(readFileSync(path, 'utf8')).vaults[0].slots;
}

async function start(t: Test): Promise<Held> {
  const held = await hold(t, await createHeldVault(t));
  await held.ask('PUT', '/v1/secrets/kept', { body: { value: 'v' } });
  return held;
}

t.test('keys.add > a passphrase and another file > each opens the vault alone', async (t) => {
  const held = await start(t);
  const added = await held.ask('POST', '/v1/keys', { body: { kind: 'passphrase', new_passphrase: FIRST } });
  t.match([added.status, added.json], [201, { status: 'added', kind: 'passphrase', location: null }]);
  const place = join(held.sandbox.folder, 'another.key');
  const file = await held.ask('POST', '/v1/keys', { body: { kind: 'file', key_file: place } });
  t.match([file.status, file.json.location], [201, place]);
  t.same(readFileSync(place), readFileSync(join(held.sandbox.folder, KEY_FILE)));
  const [first] = await listKeys(held);
  t.match(await held.ask('POST', `/v1/keys/${first?.id}/remove`), { status: 200, json: { key_kept: null } });
  t.notOk(existsSync(join(held.sandbox.folder, KEY_FILE)), 'the file of the removed key is gone');
  const body = { passphrase: FIRST };
  t.match(await held.ask('POST', `/v1/keys/${file.json.id}/remove`), { status: 503 }, 'no other opens alone');
  t.match(await held.ask('POST', `/v1/keys/${file.json.id}/remove`, { body }), { status: 200 });
  t.notOk(existsSync(place));
  t.same(
    (await listKeys(held)).map(({ id }) => id),
    [added.json.id],
  );
  t.match(readKnownSlots(held.sandbox), [{ id: added.json.id, kind: 'passphrase' }]);
  await held.ask('POST', '/v1/seal');
  t.match(await held.ask('POST', '/v1/unseal', { body: { passphrase: SECOND } }), { status: 503 });
  t.equal((await held.ask('POST', '/v1/unseal', { body })).status, 200);
  t.equal((await held.ask('GET', '/v1/secrets/kept')).json.value, 'v');
});

t.test('keys.remove, keys.add > what must not be > said, and nothing changed', async (t) => {
  const held = await start(t);
  const [only] = await listKeys(held);
  const refused: [method: string, path: string, body: object | undefined, status: number, says: RegExp][] = [
    ['POST', `/v1/keys/${only?.id}/remove`, undefined, 409, /only key, beside .*; add another first/],
    ['POST', '/v1/keys/00000000/remove', undefined, 404, /no such key slot/],
    ['POST', '/v1/keys', { kind: 'other' }, 400, /"kind" must be one of/],
    ['POST', '/v1/keys', { kind: 'file' }, 400, /a key_file or a key_directory is needed/],
    ['POST', '/v1/keys', { kind: 'file', key_file: 'relative' }, 400, /must be an absolute path/],
    [
      'POST',
      '/v1/keys',
      { kind: 'file', key_file: join(held.sandbox.folder, KEY_FILE) },
      409,
      /exists already/,
    ],
    ['POST', '/v1/keys', { kind: 'passphrase', new_passphrase: 'short' }, 400, /at least 8 characters/],
    ['POST', '/v1/keys', { kind: 'keychain' }, 400, /the OS keychain .*; choose another/],
    ['POST', '/v1/keys/passphrase', { passphrase: FIRST, new_passphrase: SECOND }, 409, /has no passphrase/],
  ];
  for (const [method, path, body, status, says] of refused)
    t.match(await held.ask(method, path, { body }), { status, json: { error: says } }, says.source);
  t.same(await listKeys(held), [only]);
  t.match(readKnownSlots(held.sandbox), [{ id: only?.id, pending: undefined }]);
  await held.ask('POST', '/v1/seal');
  t.equal((await held.ask('GET', '/v1/keys')).status, 200, 'needs no key');
  t.match(await held.ask('POST', '/v1/keys', { body: { kind: 'passphrase', new_passphrase: FIRST } }), {
    status: 503,
  });
});

t.test(
  'keys.changePassphrase > the old one is right > the new one opens, the old one does not',
  async (t) => {
    const held = await start(t);
    await held.ask('POST', '/v1/keys', { body: { kind: 'passphrase', new_passphrase: FIRST } });
    const change = (passphrase: string, next: string) =>
      held.ask('POST', '/v1/keys/passphrase', { body: { passphrase, new_passphrase: next } });
    t.match(await change(SECOND, FIRST), { status: 503, json: { reason: 'wrong_passphrase' } });
    t.match(await change(FIRST, 'short'), { status: 400 });
    t.match(await change(FIRST, SECOND), { status: 200, json: { status: 'changed' } });
    await held.ask('POST', '/v1/seal');
    t.match(await held.ask('POST', '/v1/unseal', { body: { passphrase: FIRST } }), { status: 503 });
    t.equal((await held.ask('POST', '/v1/unseal', { body: { passphrase: SECOND } })).status, 200);
    t.equal((await listKeys(held)).length, 2);
    t.notOk([...held.events].join().includes(SECOND));
  },
);

t.test('unseal > rows of slots moved or added without the key > they open nothing', async (t) => {
  const held = await start(t);
  await held.ask('POST', '/v1/keys', { body: { kind: 'passphrase', new_passphrase: FIRST } });
  await held.ask('POST', '/v1/keys', { body: { kind: 'passphrase', new_passphrase: SECOND } });
  const file = new StoredFile(held.sandbox.databasePath);
  t.teardown(() => file.close());
  const [key, one, two] = file.rows('slots') as [Row, Row, Row];
  await held.ask('POST', '/v1/seal');
  const unseal = async (slots: Row[], body?: object) => {
    file.write({ slots });
    return (await held.ask('POST', '/v1/unseal', { body })).status;
  };
  const swapped = [key, { ...one, blob: two.blob, mac: two.mac }, two];
  t.equal(await unseal(swapped, { passphrase: SECOND }), 200, 'in its own place it opens');
  await held.ask('POST', '/v1/seal');
  t.equal(
    await unseal([key, { ...one, blob: two.blob }, { ...two, blob: one.blob }], { passphrase: FIRST }),
    503,
  );
  t.equal(await unseal([key, one], { passphrase: FIRST }), 503, 'one is missing');
  t.equal(await unseal([key, one, two, { ...two, id: '00000000' }], { passphrase: FIRST }), 503, 'one more');
  t.equal(await unseal([{ ...key, mac: one.mac }, one, two]), 503, 'the row of the key file alone');
  t.equal(await unseal([{ ...key, mac: one.mac }, one, two], { passphrase: FIRST }), 200, 'the others open');
  t.match(held.events.join('\n'), /warning: key slots that somebody without the key changed: [0-9a-f]{8}\b/);
});

t.test('key add, list, remove, passphrase change > with and without a daemon', async (t) => {
  const sandbox = createSandbox(t);
  await initVault(sandbox, ['--key-store', 'file']);
  const [first, second] = [FIRST, SECOND].map((text, at) => {
    const path = join(sandbox.folder, `pass${at}`);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }) as [string, string];
  t.match(await mav(sandbox, ['key', 'add', 'passphrase', '--new-passphrase-file', first]), { code: 0 });
  const daemon = await startDaemon(t, { sandbox, init: null, token: false, launched: true });
  t.match(await mav(sandbox, ['key', 'add', 'file']), { code: 0, stderr: /^Added the key [0-9a-f]{8}: / });
  const list = await mav(sandbox, ['key', 'list', '-o', 'plain']);
  const ids = list.stdout.split('\n').map((line) => line.split('\t')[0] ?? '');
  t.match(list.stdout, /\tfile\t.*\n.*\tpassphrase\t.*\n.*\tfile\t/);
  const closed = await mav(sandbox, ['key', 'add', 'keychain']);
  t.match(closed, { code: 1, stderr: /only the key stores that the vault had at its start: end it/ });
  t.match(await mav(sandbox, ['key', 'remove', ids[0] ?? '']), { code: 2, stderr: /give --force/ });
  t.match(await mav(sandbox, ['key', 'remove', ids[0] ?? '', '--force']), { code: 0 });
  const changing = ['passphrase', 'change', '--passphrase-file', first, '--new-passphrase-file', second];
  t.match(await mav(sandbox, changing), { code: 0, stderr: /^The passphrase is changed\./ });
  t.equal((await daemon.stop()).code, 0);
  t.match(await mav(sandbox, ['key', 'remove', ids[2] ?? '', '--force']), {
    code: 5,
    stderr: /needs its passphrase/,
  });
  t.match(await mav(sandbox, ['key', 'remove', ids[2] ?? '', '--force', '--passphrase-file', second]), {
    code: 0,
  });
  t.match(await mav(sandbox, ['key', 'remove', 'none', '--passphrase-file', second]), { code: 3 });
  t.match(await mav(sandbox, ['status', '--passphrase-file', second]), { code: 0, stdout: /passphrase/ });
  const [last] = (await mav(sandbox, ['key', 'list', '-o', 'plain'])).stdout.split('\t');
  const refused = await mav(sandbox, ['key', 'remove', last ?? '', '--force', '--passphrase-file', second]);
  t.match(refused, { code: 1, stderr: /vault's only key/ });
});

t.test('passphrase change > on a terminal > one prompt at a time', async (t) => {
  const sandbox = createSandbox(t);
  const path = join(sandbox.folder, 'pass');
  writeFileSync(path, FIRST, { mode: 0o600 });
  await initVault(sandbox, ['--key-store', 'passphrase', '--passphrase-file', path]);
  const terminal = mavOnTerminal(t, sandbox, ['passphrase', 'change']);
  await answer(terminal, 'Passphrase: ', 'a wrong one');
  await answer(terminal, 'Passphrase: ', FIRST);
  await answer(terminal, NEW, SECOND);
  await answer(terminal, 'Once more: ', SECOND);
  t.match(await terminal.ended(), { code: 0, shown: /The passphrase is changed\./ });
  t.equal((await mav(sandbox, ['list', '--passphrase-file', path])).code, 5);
});

t.test(
  'key add > several at once, without a daemon > each waits for its turn and adds its key',
  async (t) => {
    const sandbox = await createVault(t);
    const places = [1, 2, 3].map((nth) => join(sandbox.folder, `${nth}.key`));
    // The later ones have read what is known of the vault before the first has changed it.
    const ran = await Promise.all(
      places.map((place) => mavAlone(sandbox, ['key', 'add', 'file', '--key-file', place])),
    );
    for (const { code, stderr } of ran) t.equal(code, 0, stderr);
    const { stdout } = await mav(sandbox, ['key', 'list', '-o', 'json']);
    t.equal(JSON.parse(stdout).length, 4);
    t.equal(readKnownSlots(sandbox).length, 4);
  },
);

t.test('key add file > a folder that is not there > what to do depends on who opens the vault', async (t) => {
  const daemon = await startDaemon(t);
  const args = ['key', 'add', 'file', '--key-file', join(daemon.folder, 'nowhere/key')];
  const CLOSED = /nowhere is not there; make it first\. mav serve lets itself reach only the key stores/;
  t.match(await mav(daemon, args), { code: 1, stderr: CLOSED }, 'a closed daemon may not see it');
  const { json } = await daemon.ask('POST', '/v1/keys', {
    token: readSessionToken(locateSessionToken(daemon.env, daemon.socket)),
    body: { kind: 'file', key_file: args.at(-1) },
  });
  t.match(json, { code: 'bad_request', reason: 'key_folder' });
  await daemon.stop();
  const alone = await mav(daemon, args);
  t.equal(alone.code, 2);
  t.match(alone.stderr, /nowhere is not there; make it first\n$/);
});
