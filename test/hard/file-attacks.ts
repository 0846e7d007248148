/**
 * Attacks on the file, all of them: a daemon serves a small vault while somebody who may write vault.db, but has no
 * key, exchanges every stored blob for every other one, flips every bit of a sample, raises and forges token rows and
 * puts older versions under newer rows. Each attack is refused with the one answer, and seen in the log.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { encodeContext } from '../../workers/envelope/context.ts';
import { unwrapRootKey, wrapRootKey } from '../../workers/envelope/slot.ts';
import { type Answer, ask } from '../fixtures/ask.ts';
import { type Daemon, startDaemon } from '../fixtures/daemon.ts';
import { type Located, RawText, type Row, StoredFile, type Table } from '../fixtures/stored.ts';
import { CANARY, REFUSAL, readersOf, secretPath } from '../fixtures/tampered.ts';
import { createSandbox } from '../fixtures/vault.ts';

t.setTimeout(300_000);

const under = (name: string, environment: string, rest: string) =>
  secretPath(name, environment).replace('?', `${rest}?`);
const put = (text: string, owner?: string) => ({
  value: `${CANARY} ${text}`,
  ...(owner && { metadata: { owner } }),
});

/** Values of equal and of other lengths, names that differ in the environment only, fields with and without a value beside them. */
const SECRETS: readonly (readonly [target: string, body: object])[] = [
  [secretPath('db', ''), put('one', 'ann')],
  [secretPath('db', 'prod'), put('two', 'bob')],
  [secretPath('db', 'stage'), put('six')],
  [secretPath('api', 'prod'), put('a somewhat longer value', 'eve')],
  [secretPath('short', ''), { value: '1' }],
  [secretPath('ключ/🔑', 'tëst'), put('ünïcødé 🔑', 'дом')],
  [under('api', 'prod', '/fields/user'), put('ten')],
  [under('api', 'prod', '/fields/password'), put('two')],
  [under('db', 'prod', '/fields/user'), put('one')],
  [under('fields-only', '', '/fields/user'), put('ten')],
  [under('ключ/🔑', 'tëst', `/fields/${encodeURIComponent('🔑')}`), put('🔑')],
];
const WITNESS = secretPath('witness', 'prod');

interface Made {
  readonly token: string;
  readonly id: string;
}

interface Attacked {
  readonly daemon: Daemon;
  readonly file: StoredFile;
  /** As the command line asks: with the session's token, which no row of the file stands behind. */
  readonly ask: (method: string, target: string, body?: unknown) => Promise<Answer>;
}

async function serveAttacked(t: Test, puts = SECRETS): Promise<Attacked> {
  const daemon = await startDaemon(t);
  const file = new StoredFile(daemon.databasePath);
  t.teardown(() => file.close());
  for (const [target, body] of [...puts, [WITNESS, put('witness')] as const]) {
    const { status, text } = await daemon.ask('PUT', target, { body });
    if (status !== 201) throw new Error(text);
  }
  return { daemon, file, ask: askAsSession(daemon) };
}

function askAsSession(daemon: Daemon): Attacked['ask'] {
  const token = readFileSync(`${daemon.socket}.session`, 'utf8');
  return (method, target, body) => ask(daemon.socket, method, target, { token, body });
}

/** What was not refused with the one answer. Never what was answered: that may be a value. */
async function findAnswered({ ask }: Attacked, targets: readonly string[], what: string): Promise<string[]> {
  const answers = await Promise.all(targets.map((target) => ask('GET', target)));
  return answers.flatMap(({ status, text, json }, index) =>
    status === 500 && text === REFUSAL ? [] : [`${what}: ${targets[index]} answered ${status} ${json?.code}`],
  );
}

/** The witness answers, the daemon's log has as many refusals as there were, and no value. */
async function checkAfterwards(t: Test, attacked: Attacked, refusals: number): Promise<void> {
  const witness = await attacked.ask('GET', WITNESS);
  t.match([witness.status, witness.json?.value], [200, `${CANARY} witness`], 'the witness is readable');
  const { code, stdout, stderr } = await attacked.daemon.stop();
  t.equal(code, 0, 'the daemon went on to its end');
  const logged = attacked.daemon
    .log()
    .filter((line) => line.event === 'request' && line.code === 'integrity');
  t.equal(logged.length, refusals, 'every refusal is in the log');
  t.comment(`figure: ${refusals} refused requests, ${logged.length} of them logged`);
  t.notOk((stdout + stderr).includes(CANARY), 'and no value');
}

const isWitness = ({ row }: Located) => row.name === 'witness';

function listRows(file: StoredFile): Located[] {
  return (['secrets', 'fields'] as const)
    .flatMap((table) => file.rows(table).map((row) => ({ table, row })))
    .filter((located) => !isWitness(located));
}

/** A stored blob, and the row it belongs to. */
interface Blob {
  readonly located: Located;
  readonly column: string;
  readonly bytes: Buffer;
}

function listBlobs(table: Table, rows: readonly Row[]): Blob[] {
  return rows.flatMap((row) =>
    Object.entries(row).flatMap(([column, bytes]) =>
      bytes instanceof Uint8Array ? [{ located: { table, row }, column, bytes: Buffer.from(bytes) }] : [],
    ),
  );
}

const withBlob = ({ located, column }: Blob, bytes: Buffer): Located => ({
  ...located,
  row: { ...located.row, [column]: bytes },
});

/** Two rows after these two blobs changed places; one, where both are one row's. */
function swap(a: Blob, b: Blob): Located[] {
  if (a.located.row === b.located.row)
    return [{ ...a.located, row: { ...a.located.row, [a.column]: b.bytes, [b.column]: a.bytes } }];
  return [withBlob(a, b.bytes), withBlob(b, a.bytes)];
}

const ownRows = (a: Blob, b: Blob) => [...new Set([a.located, b.located])];

t.test(
  'read > any two stored blobs swapped, or one put in the place of another > integrity, logged',
  async (t) => {
    const attacked = await serveAttacked(t);
    const { daemon, file } = attacked;
    for (const scope of ['read', 'write', 'admin']) await daemon.createToken([scope]);
    const rows = listRows(file);
    const places = rows.flatMap(({ table, row }) =>
      listBlobs(table, [row]).map((blob) => ({ ...blob, located: rows.find((one) => one.row === row)! })),
    );
    const others = [...listBlobs('keks', file.rows('keks')), ...listBlobs('tokens', file.rows('tokens'))];
    const problems: string[] = [];
    const count = { swaps: 0, copies: 0, requests: 0 };
    const attack = async (out: readonly Located[], changed: readonly Located[], what: string) => {
      file.replace(out, changed);
      const targets = changed.flatMap((one) => readersOf(file, one));
      problems.push(...(await findAnswered(attacked, targets, what)));
      file.replace(changed, out);
      count.requests += targets.length;
    };
    for (const [index, a] of places.entries()) {
      for (const b of places.slice(index + 1)) {
        await attack(ownRows(a, b), swap(a, b), `swap of ${index} and ${places.indexOf(b)}`);
        count.swaps += 1;
      }
      for (const b of [...places, ...others]) {
        if (a === b) continue;
        await attack([a.located], [withBlob(a, b.bytes)], `copy to ${index}`);
        count.copies += 1;
      }
    }
    t.same(problems.slice(0, 20), []);
    t.equal(count.swaps, (places.length * (places.length - 1)) / 2);
    t.equal(count.copies, places.length * (places.length + others.length - 1), 'every ordered pair');
    t.comment(
      `figure: ${places.length} payloads and wraps, ${others.length} other blobs: ${count.swaps} swaps, ${count.copies} ordered pairs copied`,
    );
    await checkAfterwards(t, attacked, count.requests);
  },
);

/** Every value that differs from this one in one bit; an integer has 64 of them. */
function* flipBits(value: unknown): Generator<unknown> {
  if (typeof value === 'number') {
    for (let bit = 0n; bit < 64n; bit++) yield BigInt.asIntN(64, BigInt(value) ^ (1n << bit));
  } else {
    const bytes = typeof value === 'string' ? Buffer.from(value) : Buffer.from(value as Uint8Array);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      yield typeof value === 'string' ? new RawText(flipped) : flipped;
    }
  }
}

/** What decides what a row says. Its name is attacked in test/tampering.ts: it is where the row is asked for. */
const BOUND_COLUMNS: Readonly<Record<string, readonly string[]>> = {
  secrets: ['payload', 'wrapped_dek', 'metadata', 'version', 'created_at', 'updated_at'],
  fields: ['payload', 'wrapped_dek', 'version', 'created_at', 'updated_at'],
};

t.test('read > any bit of a row flipped > integrity, logged', async (t) => {
  const attacked = await serveAttacked(t);
  const { file, ask } = attacked;
  const rows = listRows(file);
  const find = (name: string) => rows.find(({ row }) => row.name === name)!;
  const field = rows.find(({ table, row }) => table === 'fields' && row.secret_id === find('api').row.id)!;
  const samples = {
    'a secret': find('api'),
    'a secret without a value': find('fields-only'),
    'a field': field,
  };
  const problems: string[] = [];
  let requests = 0;
  for (const [what, located] of Object.entries(samples)) {
    const [target] = readersOf(file, located) as [string];
    let bits = 0;
    for (const column of BOUND_COLUMNS[located.table]!) {
      if (located.row[column] === null) continue;
      for (const value of flipBits(located.row[column])) {
        const changed = { ...located, row: { ...located.row, [column]: value } };
        file.replace([located], [changed]);
        problems.push(...(await findAnswered(attacked, [target], `${what}, ${column}, bit ${bits}`)));
        file.replace([located], [located]);
        bits += 1;
      }
    }
    t.comment(`figure: ${what}: ${bits} bits flipped one by one`);
    requests += bits;
  }
  t.same(problems.slice(0, 20), []);
  t.equal((await ask('GET', readersOf(file, samples['a field'])[0]!)).status, 200, 'readable when put back');
  await checkAfterwards(t, attacked, requests);
});

t.test(
  'batch-get, export > a row is changed > the error stands in its place, and the log names it',
  async (t) => {
    const attacked = await serveAttacked(t);
    const { file, ask, daemon } = attacked;
    const db = listRows(file).find(({ row }) => row.name === 'db' && row.environment === 'prod')!;
    file.replace([db], [{ ...db, row: { ...db.row, payload: randomBytes(db.row.payload.length) } }]);
    const refs = [
      { name: 'db', environment: 'prod' },
      { name: 'witness', environment: 'prod' },
    ];
    const batch = await ask('POST', '/v1/secrets/batch-get', { refs });
    const error = { name: 'db', environment: 'prod', ...JSON.parse(REFUSAL) };
    t.match(batch.json.secrets, [error, { value: `${CANARY} witness` }]);
    const exported = await ask('GET', '/v1/export');
    t.equal(exported.status, 200);
    t.same(
      exported.json.filter((entry: Row) => 'error' in entry),
      [error],
    );
    t.equal(exported.json.length, 8);
    await daemon.stop();
    const warnings = daemon.log().filter(({ event }) => event === 'warning');
    t.equal(warnings.filter(({ detail }) => detail.includes('["db","prod"]')).length, 2);
  },
);

/** Every choice of some of these, none and all of them excepted. */
function* chooseSome<T>(things: readonly T[]): Generator<T[]> {
  for (let chosen = 1; chosen < 2 ** things.length - 1; chosen++)
    yield things.filter((_thing, index) => chosen & (1 << index));
}

const VERSIONS = 4;
const CHANGING = ['payload', 'wrapped_dek', 'version', 'updated_at', 'metadata'];

t.test('read > any part of any version under the row of any other > integrity, logged', async (t) => {
  const attacked = await serveAttacked(t, []);
  const { file, ask } = attacked;
  const history = { secrets: [] as Row[], fields: [] as Row[] };
  for (let version = 0; version < VERSIONS; version++) {
    await ask('PUT', secretPath('s', ''), put(`${version}`, `owner ${version}`));
    await ask('PUT', under('s', '', '/fields/f'), put(`${version}`));
    history.secrets.push(file.rows('secrets').find(({ name }) => name === 's')!);
    history.fields.push(...file.rows('fields'));
  }
  const problems: string[] = [];
  const count = { attacks: 0, requests: 0 };
  for (const [table, rows] of Object.entries(history) as [Table, Row[]][]) {
    const [newest] = rows.slice(-1) as [Row];
    for (const row of rows) {
      for (const other of rows.filter((one) => one !== row)) {
        const differing = CHANGING.filter(
          (column) => column in row && String(row[column]) !== String(other[column]),
        );
        // All of them would be the whole row of another version: docs/security.md says that this is not noticed.
        for (const columns of chooseSome(differing)) {
          const changed = { ...row, ...Object.fromEntries(columns.map((column) => [column, other[column]])) };
          file.replace([{ table, row: newest }], [{ table, row: changed }]);
          const targets = readersOf(file, { table, row: changed });
          problems.push(...(await findAnswered(attacked, targets, `${columns}`)));
          count.attacks += 1;
          count.requests += targets.length;
        }
      }
    }
    file.replace([{ table, row: newest }], [{ table, row: newest }]);
  }
  t.same(problems.slice(0, 20), []);
  t.equal((await ask('GET', secretPath('s', ''))).json.value, `${CANARY} ${VERSIONS - 1}`);
  t.comment(`figure: ${VERSIONS} versions of a secret and a field: ${count.attacks} mixtures of two of them`);
  await checkAfterwards(t, attacked, count.requests);
});

/** What a token's row says of who may do what; `last_used_at` grants nothing. */
const TOKEN_COLUMNS = ['id', 'hash', 'name', 'scopes', 'created_at', 'expires_at', 'kek_id', 'mac'];
const SCOPES = ['read', 'write', 'generate', 'admin'];

interface AttackedTokens extends Attacked {
  readonly tokens: readonly Made[];
  readonly rows: readonly Row[];
  readonly count: { reloads: number; refused: number };
  /** Makes the table hold these rows; what grants more than nothing. */
  readonly attack: (rows: readonly Row[], tokens: readonly string[], what: string) => Promise<string[]>;
}

/** Tokens with a name, a scope and an expiry of their own each. */
async function serveTokens(t: Test, amount: number): Promise<AttackedTokens> {
  const attacked = await serveAttacked(t, []);
  const { daemon, file, ask } = attacked;
  const tokens: Made[] = [];
  for (let index = 0; index < amount; index++) {
    const more = { name: `token ${index}`, expires_in: `${index + 24}h` };
    tokens.push(await daemon.createToken(SCOPES.slice(index % 4, (index % 4) + 1), more));
  }
  const all = file.rows('tokens');
  const kept = all.filter(({ id }) => !tokens.some((token) => token.id === id));
  const rows = tokens.map((token) => all.find(({ id }) => id === token.id)!);
  const unknown = await askWith(daemon, `mvt_${randomBytes(32).toString('hex')}`);
  const count = { reloads: 0, refused: 0 };
  const attack: AttackedTokens['attack'] = async (changed, presented, what) => {
    file.write({ tokens: [...kept, ...changed] });
    await reload(ask);
    if (presented.length > 0) count.reloads += 1;
    const answers = await Promise.all(presented.map((token) => askWith(daemon, token)));
    count.refused += presented.length;
    const witness = await askWith(daemon, daemon.admin);
    if (witness.status !== 200) return [`${what}: an untouched token got ${witness.status}`];
    return answers.flatMap(({ status, text }, index) =>
      status === 401 && text === unknown.text ? [] : [`${what}: row ${index} got ${status}`],
    );
  };
  return { ...attacked, tokens, rows, count, attack };
}

const askWith = (daemon: Daemon, token: string) => ask(daemon.socket, 'GET', '/v1/info', { token });

/** The rows are read, and verified, when the vault is unsealed. */
async function reload(ask: Attacked['ask']): Promise<void> {
  const [sealed, unsealed] = [await ask('POST', '/v1/seal'), await ask('POST', '/v1/unseal')];
  if (sealed.status !== 200 || unsealed.status !== 200) throw new Error('the vault was not loaded again');
}

async function checkTokens(t: Test, attacked: AttackedTokens, attacks: number): Promise<void> {
  const { daemon, rows, tokens, count, attack, ask } = attacked;
  t.same(await attack(rows, [], 'all put back'), []);
  t.equal((await ask('GET', '/v1/tokens')).json.length, rows.length + 1);
  const { stdout, stderr } = await daemon.stop();
  const warnings = daemon.log().filter(({ event }) => event === 'warning');
  t.equal(warnings.length, count.reloads, 'every loading of changed rows is in the log');
  t.comment(
    `figure: ${attacks} changed token rows in ${count.reloads} loadings, ${count.refused} refused requests, ${warnings.length} warnings`,
  );
  t.notOk(
    tokens.some(({ token }) => (stdout + stderr).includes(token)),
    'no token is in the log',
  );
}

t.test('authenticate > any two token rows exchange any part, every ordered pair > 401, logged', async (t) => {
  const attacked = await serveTokens(t, 6);
  const { file, rows, tokens, attack } = attacked;
  const presented = tokens.map(({ token }) => token);
  const problems: string[] = [];
  let attacks = 0;
  const columns = TOKEN_COLUMNS.filter(
    (column) => new Set(rows.map((row) => String(row[column]))).size === rows.length,
  );
  // All of them at once would be a whole row under a name of its own: nothing is exchanged then.
  const parts = [...chooseSome(columns)];
  // All rows at once, since each is verified by itself; by every distance, so that each gets every other one's part.
  for (const part of parts) {
    for (let distance = 1; distance < rows.length; distance++) {
      const changed = rows.map((row, index) => {
        const other = rows[(index + distance) % rows.length]!;
        return { ...row, ...Object.fromEntries(part.map((column) => [column, other[column]])) };
      });
      problems.push(...(await attack(changed, presented, `${part}`)));
      attacks += changed.length;
    }
  }
  t.same(problems.slice(0, 20), []);
  t.comment(
    `figure: ${parts.length} parts of ${rows.length} token rows, ${rows.length * (rows.length - 1)} ordered pairs each`,
  );
  const blobs = [...listBlobs('secrets', file.rows('secrets')), ...listBlobs('keks', file.rows('keks'))];
  for (const { bytes } of [...blobs, ...listBlobs('tokens', rows)]) {
    const inMac = rows.filter((row) => !bytes.equals(row.mac)).map((row): Row => ({ ...row, mac: bytes }));
    const whose = inMac.map(({ id }) => tokens.find((token) => token.id === id)!.token);
    problems.push(...(await attack(inMac, whose, 'another blob as the MAC')));
    attacks += inMac.length;
  }
  t.same(problems.slice(0, 20), []);
  await checkTokens(t, attacked, attacks);
});

t.test('authenticate > any bit of a token row flipped > 401, logged', async (t) => {
  const attacked = await serveTokens(t, 8);
  const { rows, tokens, attack } = attacked;
  const problems: string[] = [];
  let attacks = 0;
  for (const column of TOKEN_COLUMNS) {
    // Each row has the next bit flipped: eight attacks a loading.
    const flips = rows.map((row) => [...flipBits(row[column])]);
    const bits = Math.max(...flips.map(({ length }) => length));
    for (let first = 0; first < bits; first += rows.length) {
      const changed = rows.flatMap((row, index) => {
        const value = flips[index]?.[first + index];
        return value === undefined ? [] : [{ index, row: { ...row, [column]: value } }];
      });
      const presented = changed.map(({ index }) => tokens[index]!.token);
      problems.push(
        ...(await attack(
          changed.map(({ row }) => row),
          presented,
          `${column} from bit ${first}`,
        )),
      );
      attacks += changed.length;
    }
  }
  t.same(problems.slice(0, 20), []);
  await checkTokens(t, attacked, attacks);
});

t.test('authenticate > scopes raised, rows forged > 401, logged by their ids', async (t) => {
  const attacked = await serveTokens(t, 8);
  const { daemon, rows, tokens, attack } = attacked;
  const presented = tokens.map(({ token }) => token);
  const raises = [...chooseSome(SCOPES), SCOPES, ['session'], [], ['read', 'read']].map((scopes) =>
    scopes.join(','),
  );
  const problems: string[] = [];
  let attacks = 0;
  for (const scopes of raises) {
    const raised = rows.filter((row) => row.scopes !== scopes).map((row): Row => ({ ...row, scopes }));
    const whose = raised.map(({ id }) => tokens.find((token) => token.id === id)!.token);
    problems.push(...(await attack(raised, whose, `scopes ${scopes}`)));
    attacks += raised.length;
  }
  const forgedTokens = rows.map(() => `mvt_${randomBytes(32).toString('hex')}`);
  const forged = rows.map((row, index) => ({
    ...row,
    id: randomBytes(8).toString('hex'),
    hash: createHash('sha256').update(forgedTokens[index]!).digest(),
    scopes: 'admin',
    mac: [row.mac, randomBytes(32), Buffer.alloc(32), Buffer.alloc(0)][index % 4],
  }));
  problems.push(...(await attack([...rows, ...forged], forgedTokens, 'forged')));
  attacks += forged.length;
  const warnings = () => daemon.log().filter(({ event }) => event === 'warning');
  t.ok(
    forged.every(({ id }) => warnings().some(({ detail }) => detail.includes(id))),
    'each forged row is named',
  );
  t.equal((await attack(rows, [], 'put back')).length, 0);
  const answers = await Promise.all(presented.map((token) => askWith(daemon, token)));
  t.same(
    answers.filter(({ status }) => status === 401),
    [],
    'what was issued is good again',
  );
  t.same(problems, []);
  await checkTokens(t, attacked, attacks);
});

/** Why an unsealing and a reading were not refused as those of a sealed vault. */
async function findUnsealed(ask: Attacked['ask'], what: string, body?: object): Promise<string[]> {
  const unsealed = await ask('POST', '/v1/unseal', body);
  const read = await ask('GET', WITNESS);
  return [unsealed, read].every(({ status, json }) => status === 503 && json?.code === 'sealed')
    ? []
    : [`${what}: ${unsealed.status}, reading ${read.status}`];
}

t.test('unseal > any bit of the wrapped KEK flipped, or any other blob in its place > sealed', async (t) => {
  const attacked = await serveAttacked(t);
  const { file, ask, daemon } = attacked;
  const [kek] = file.rows('keks') as [Row];
  const blobs = (['secrets', 'fields', 'tokens'] as const).flatMap((table) =>
    listBlobs(table, file.rows(table)),
  );
  await ask('POST', '/v1/seal');
  const problems: string[] = [];
  let bits = 0;
  for (const column of ['wrapped', 'id', 'generation', 'created_at']) {
    for (const value of flipBits(kek[column])) {
      file.write({ keks: [{ ...kek, [column]: value }] });
      problems.push(...(await findUnsealed(ask, `${column}, bit ${bits}`)));
      bits += 1;
    }
  }
  for (const { bytes, column } of [...blobs, { bytes: kek.id, column: 'id' }]) {
    file.write({ keks: [{ ...kek, wrapped: bytes }] });
    problems.push(...(await findUnsealed(ask, `${column} as the wrap`)));
  }
  t.same(problems.slice(0, 20), []);
  t.comment(`figure: ${bits} bits of a KEK's row flipped, ${blobs.length + 1} blobs put in its wrap's place`);
  file.write({ keks: [kek] });
  t.equal((await ask('POST', '/v1/unseal')).status, 200, 'it opens when put back');
  t.equal((await ask('GET', WITNESS)).json.value, `${CANARY} witness`);
  await daemon.stop();
  const sealed = daemon.log().filter(({ code }) => code === 'sealed');
  t.equal(sealed.length, 2 * (bits + blobs.length + 1), 'every refusal is in the log');
});

const PASSPHRASE = 'a passphrase of this test';
/** So that the same root key can be asked for a thousand times. */
const CHEAP = { memoryKib: 8, passes: 1, parallelism: 1 };

t.test('unseal > any bit of a passphrase slot flipped > sealed, whatever the passphrase', async (t) => {
  const sandbox = createSandbox(t);
  const passphraseFile = join(sandbox.folder, 'passphrase');
  writeFileSync(passphraseFile, PASSPHRASE, { mode: 0o600 });
  const init = ['--key-store', 'passphrase', '--passphrase-file', passphraseFile];
  const daemon = await startDaemon(t, { sandbox, init, token: false });
  const ask = askAsSession(daemon);
  const file = new StoredFile(sandbox.databasePath);
  t.teardown(() => file.close());
  const [slot] = file.rows('slots') as [Row];
  const place = { environment: '', name: 'passphrase', field: '', version: 0 };
  const ctx = encodeContext({ vaultId: file.vaultId(), kind: 'slot', ...place });
  const passphrase = Buffer.from(PASSPHRASE);
  const blob = wrapRootKey(passphrase, unwrapRootKey(passphrase, slot.blob, ctx), ctx, CHEAP);
  const body = { passphrase: PASSPHRASE };
  const problems: string[] = [];
  let bits = 0;
  for (const changed of flipBits(blob)) {
    file.write({ slots: [{ ...slot, blob: changed }] });
    problems.push(...(await findUnsealed(ask, `bit ${bits}`, body)));
    bits += 1;
  }
  t.same(problems.slice(0, 20), []);
  t.equal(bits, blob.length * 8);
  t.comment(`figure: ${bits} bits of a passphrase slot flipped one by one`);
  file.write({ slots: [{ ...slot, blob }] });
  t.equal((await ask('POST', '/v1/unseal', body)).status, 200, 'it opens when put back');
  const { stdout, stderr } = await daemon.stop();
  t.notOk((stdout + stderr).includes(PASSPHRASE), 'the passphrase is not in the log');
});
