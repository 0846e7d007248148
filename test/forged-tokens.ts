/** Rows of tokens that were changed or forged by somebody who may write vault.db but has no key: they grant nothing. */
import { createHash, randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { ask } from './fixtures/ask.ts';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { type Row, StoredFile } from './fixtures/stored.ts';
import { flip } from './fixtures/tampering.ts';
import { createSandbox, mav, type Sandbox } from './fixtures/vault.ts';

const CANARY = 'canary-91c3';
const REFUSAL = '{"error":"stored data failed its integrity check","code":"integrity"}';

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
  'asks once a session': () => ({ confirm: 1 }),
  'asks always': () => ({ confirm: 2 }),
  'limits removed': () => ({ limits: '[]' }),
  'limits widened': () => ({ limits: '[{"names":["**"]}]' }),
  'limits that are not JSON': () => ({ limits: '[' }),
  'valid earlier': ({ not_before }) => ({ not_before: not_before - 1 }),
  'valid from the beginning': () => ({ not_before: null }),
  'beginning 0': () => ({ not_before: 0 }),
  'more uses': ({ max_uses }) => ({ max_uses: max_uses + 1 }),
  'uses not counted': () => ({ max_uses: null }),
  'uses taken back': ({ uses }) => ({ uses: uses - 1 }),
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

/** Tokens as they were created, and what became of them in the file. */
interface Attacked {
  readonly sandbox: Sandbox;
  readonly admin: string;
  readonly good: Made;
  readonly alsoGood: Made;
  /** Two whose hashes were exchanged. */
  readonly swapped: readonly [Made, Made];
  /** One for each attack on its row, by the attack's name. */
  readonly victims: ReadonlyMap<string, Made>;
  /** A token that was never created, with a row of its own. */
  readonly forgedToken: string;
  /** Ids of all rows that were changed, exchanged or forged. */
  readonly bad: readonly string[];
}

const FORGED_ID = '0123456789abcdef';

/** Creates tokens and two secrets, stops the daemon, and changes rows of tokens and the secret `s`. */
async function attackRows(t: Test): Promise<Attacked> {
  const sandbox = createSandbox(t);
  const first = await startDaemon(t, { sandbox });
  await first.ask('PUT', '/v1/secrets/s', { body: { value: CANARY } });
  await first.ask('PUT', '/v1/secrets/good', { body: { value: CANARY } });
  const create = (): Promise<Made> =>
    first.createToken(['read'], {
      expires_in: '24h',
      not_before: '2020-01-31T00:00:00Z',
      names: ['*'],
      max_uses: 1000,
    });
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
    id: FORGED_ID,
    hash: createHash('sha256').update(forgedToken).digest(),
    scopes: 'admin',
  };
  const touched = new Set([...victims.values(), swapped, withSwapped].map(({ id }) => id));
  const kept = [...rows.values()].filter(({ id }) => !touched.has(id));
  const secrets = file
    .rows('secrets')
    .map((row) => (row.name === 's' ? { ...row, payload: flip(row.payload, 40) } : row));
  file.write({ secrets, tokens: [...kept, ...changed, ...exchanged, forged] });
  const bad = [...changed, ...exchanged, forged].map(({ id }) => id as string);
  return {
    ...{ sandbox, admin: first.admin, good, alsoGood, victims, forgedToken, bad },
    swapped: [swapped, withSwapped],
  };
}

t.test(
  'serve > token rows and a secret were changed while it was stopped > they grant and answer nothing',
  async (t) => {
    const attacked = await attackRows(t);
    const { sandbox, good, alsoGood, swapped, victims, forgedToken, bad } = attacked;
    const second = await startDaemon(t, { sandbox, init: null });
    const status = async (token: string, target = '/v1/info') =>
      (await ask(sandbox.socket, 'GET', target, { token })).status;
    for (const [what, { token }] of victims) {
      const answer = await ask(sandbox.socket, 'GET', '/v1/secrets/good', { token });
      t.same([answer.status, answer.headers['www-authenticate']], [401, 'Bearer'], what);
      t.notOk(answer.text.includes(CANARY));
    }
    t.same([await status(swapped[0].token), await status(swapped[1].token)], [401, 401], 'hashes exchanged');
    t.equal(await status(forgedToken), 401, 'a forged row');
    t.same(
      [await status(good.token), await status(alsoGood.token), await status(attacked.admin)],
      [200, 200, 200],
    );

    const refused = await second.ask('GET', '/v1/secrets/s');
    t.same([refused.status, refused.text], [500, REFUSAL]);
    t.equal((await second.ask('GET', '/v1/secrets/good')).json.value, CANARY);
    t.equal((await second.ask('GET', '/v1/secrets')).json.length, 2);

    const listed: Row[] = (await second.ask('GET', '/v1/tokens')).json;
    const known = [good.id, alsoGood.id];
    t.ok(known.every((id) => listed.some((row) => row.id === id)));
    t.notOk(
      listed.some(({ id }) => bad.includes(id)),
      'none of them is shown as a token',
    );

    t.equal((await second.ask('POST', '/v1/keys/rotate')).status, 403, 'for the session only');
    const rotated = await mav(sandbox, ['key', 'rotate']);
    t.equal(rotated.code, 1, 'it names what it did not wrap again');
    t.match(rotated.stderr, new RegExp(`the token ${FORGED_ID}`));
    t.equal((await second.ask('DELETE', `/v1/tokens/${FORGED_ID}`)).status, 200, 'can be revoked');
    await checkLog(t, second, bad, [
      forgedToken,
      ...[...victims.values(), good, swapped[0]].map(({ token }) => token),
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
