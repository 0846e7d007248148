/** Tokens over the socket: made, listed, revoked, and what they open. */
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { isError, replaceVolatile, show } from './fixtures/answers.ts';
import { ask } from './fixtures/ask.ts';
import { startDaemon } from './fixtures/daemon.ts';

t.cleanSnapshot = replaceVolatile;

const daemon = await startDaemon(t);

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

const DAY_S = 86_400;

interface Listed {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
}

const create = (body: unknown) => daemon.ask('POST', '/v1/tokens', { body });

const listTokens = async (): Promise<Listed[]> => (await daemon.ask('GET', '/v1/tokens')).json;

const findListed = async (id: string) => (await listTokens()).find((token) => token.id === id);

const secondsBetween = (from: string, to: string) => (Date.parse(to) - Date.parse(from)) / 1000;

t.test('tokens.create, tokens.list, tokens.revoke > a token > as in the contract', async (t) => {
  const created = await create({ name: 'ci ✓', scopes: ['generate', 'read'], expires_in: '24h' });
  t.matchSnapshot(show(created), 'create');
  const { token, id, ...shown } = created.json;
  t.match(token, /^mvt_[0-9a-f]{64}$/);
  t.match(id, /^[0-9a-f]{16}$/);
  const listed = await findListed(id);
  t.matchSnapshot(JSON.stringify(listed), 'one of the list');
  t.match(listed, { ...shown, last_used_at: null });
  const answer = await daemon.ask('GET', '/v1/tokens');
  t.notOk(answer.text.includes(token) || answer.text.includes('mvt_'), 'the list never has the token');
  t.matchSnapshot(show(await daemon.ask('DELETE', `/v1/tokens/${id}`)), 'revoke');
  t.equal(await findListed(id), undefined);
  isError(t, await daemon.ask('DELETE', `/v1/tokens/${id}`), 404, 'revoked twice');
});

const LIFETIMES: [expiresIn: unknown, seconds: number | null][] = [
  ['24h', DAY_S],
  ['720h', 30 * DAY_S],
  ['30d', 30 * DAY_S],
  ['2w', 14 * DAY_S],
  ['1h30m', 5_400],
  ['24h0m0s', DAY_S],
  ['1w2d3h4m5s', 9 * DAY_S + 3 * 3_600 + 245],
  ['1.5h', 5_400],
  ['90s', 90],
  ['0', null],
  [null, null],
  [undefined, null],
];

t.test('tokens.create > every form of expires_in > expires that long after its creation', async (t) => {
  for (const [expires_in, seconds] of LIFETIMES) {
    const { status, json } = await create({ name: 'lifetime', scopes: ['read'], expires_in });
    const listed = await findListed(json.id);
    const { created_at = '', expires_at = '' } = listed ?? {};
    const lifetime = expires_at === null ? null : secondsBetween(created_at, expires_at);
    t.strictSame([status, json.expires_at, lifetime], [201, expires_at, seconds], JSON.stringify(expires_in));
    t.match(created_at, TIME);
  }
});

const REFUSED_LIFETIMES = [
  24,
  0,
  true,
  [],
  '',
  ' ',
  '24',
  '0s',
  '0h',
  '0d0h',
  '00',
  '0.0',
  '0.4s',
  '-1h',
  '-0',
  '+1h',
  '1h ',
  ' 1h',
  '1 h',
  '1h-30m',
  'h',
  '1x',
  '1y',
  '100ms',
  '1H',
  '1e3h',
  '0x10h',
  '1,5h',
  '.5h',
  '5.h',
  '١h',
  '1h1h',
  'Infinity',
  'NaN',
  '101w52d'.repeat(20),
  '99999999999999999999h',
  '36526d',
  '5219w',
  `${'9'.repeat(400)}h`,
];

const REFUSED_TOKENS: [condition: string, body: unknown][] = [
  ...REFUSED_LIFETIMES.map((expires_in): [string, unknown] => [
    `expires_in ${JSON.stringify(expires_in).slice(0, 30)}`,
    { name: 'refused', scopes: ['read'], expires_in },
  ]),
  ['no name', { scopes: ['read'] }],
  ['null name', { name: null, scopes: ['read'] }],
  ['empty name', { name: '', scopes: ['read'] }],
  ['number name', { name: 1, scopes: ['read'] }],
  ['control character in the name', { name: 'refused\n', scopes: ['read'] }],
  ['name of 513 bytes', { name: `refused${'n'.repeat(506)}`, scopes: ['read'] }],
  ['no scopes', { name: 'refused' }],
  ['null scopes', { name: 'refused', scopes: null }],
  ['empty scopes', { name: 'refused', scopes: [] }],
  ['scopes no list', { name: 'refused', scopes: 'read' }],
  ['unknown scope', { name: 'refused', scopes: ['read', 'root'] }],
  ['scope in capitals', { name: 'refused', scopes: ['READ'] }],
  ["the command line's own scope", { name: 'refused', scopes: ['session'] }],
  ['joined scopes', { name: 'refused', scopes: ['read,admin'] }],
  ['empty scope', { name: 'refused', scopes: [''] }],
  ['null scope', { name: 'refused', scopes: [null] }],
  ['nested scope', { name: 'refused', scopes: [['read']] }],
  ['unknown member', { name: 'refused', scopes: ['read'], scope: 'admin' }],
  ['no body', undefined],
];

t.test('tokens.create > out of the rules > 400 and no token', async (t) => {
  const messages: string[] = [];
  for (const [condition, body] of REFUSED_TOKENS) {
    const answer = await create(body);
    isError(t, answer, 400, condition);
    messages.push(`${condition}: ${answer.json.error}`);
  }
  t.matchSnapshot(messages.join('\n'), 'messages');
  t.notOk((await listTokens()).some(({ name }) => name.startsWith('refused')));
});

t.test('tokens.create > scopes given twice and in any order > each once', async (t) => {
  const { json } = await create({ name: 'twice', scopes: ['write', 'read', 'write', 'read'] });
  t.strictSame(json.scopes, ['read', 'write']);
  t.strictSame((await findListed(json.id))?.scopes, ['read', 'write']);
});

t.test('tokens.list > a token was used > says when, whatever was asked', async (t) => {
  const { token, id } = await daemon.createToken(['read']);
  t.equal((await findListed(id))?.last_used_at, null);
  const before = Math.floor(Date.now() / 1000) * 1000;
  await ask(daemon.socket, 'GET', '/v1/info', { token });
  const used = (await findListed(id))?.last_used_at ?? '';
  t.match(used, TIME);
  t.ok(Date.parse(used) >= before && Date.parse(used) <= Date.now(), 'at the time of the request');
});

async function isRefused(t: Test, token: string | null, condition: string, headers = {}): Promise<void> {
  const answer = await ask(daemon.socket, 'GET', '/v1/info', { token, headers });
  isError(t, answer, 401, condition);
  t.notOk(token !== null && answer.text.includes(token), 'the answer does not repeat it');
}

t.test('authorization > missing, malformed, unknown > 401', async (t) => {
  await isRefused(t, null, 'no header');
  await isRefused(t, `mvt_${'0'.repeat(64)}`, 'unknown token');
  await isRefused(t, `mvs_${'0'.repeat(64)}`, 'unknown session token');
  const good = daemon.admin;
  const malformed = [
    '',
    'Bearer',
    'Bearer ',
    good,
    `Basic ${good}`,
    `Bearer${good}`,
    `Bearer ${good}, Bearer ${good}`,
    `Bearer ${good} x`,
    `Bearer ${good.slice(0, -1)}`,
    `Bearer ${good}0`,
    `Bearer ${good.toUpperCase()}`,
    `Bearer ${good.slice(4)}`,
    `Bearer "${good}"`,
    `Token ${good}`,
  ];
  for (const [index, Authorization] of malformed.entries()) {
    await isRefused(t, null, `malformed ${index}`, { Authorization });
  }
  for (const scheme of ['Bearer', 'bearer', 'BEARER ', 'Bearer  ']) {
    const headers = { Authorization: `${scheme} ${good}` };
    const answer = await ask(daemon.socket, 'GET', '/v1/info', { headers });
    t.equal(answer.status, 200, `the scheme ${scheme} is Bearer`);
  }
});

t.test('authorization > revoked > 401 from the next request on', async (t) => {
  const { token, id } = await daemon.createToken(['admin']);
  t.equal((await ask(daemon.socket, 'GET', '/v1/info', { token })).status, 200);
  const revoked = await ask(daemon.socket, 'DELETE', `/v1/tokens/${id}`, { token });
  t.equal(revoked.status, 200, 'a token may revoke itself');
  await isRefused(t, token, 'revoked');
});

t.test('authorization > expired > 401, and still listed', async (t) => {
  const { token, id } = await daemon.createToken(['read'], { expires_in: '1s' });
  const expiresAt = Date.parse((await findListed(id))?.expires_at ?? '');
  while (Date.now() < expiresAt) await sleep(expiresAt - Date.now());
  await isRefused(t, token, 'expired');
  t.ok(await findListed(id));
});

t.test('tokens.revoke > unknown ids > 404', async (t) => {
  for (const id of ['0000000000000000', 'x', '%20', "' OR 1=1 --", 'session']) {
    const answer = await daemon.ask('DELETE', `/v1/tokens/${encodeURIComponent(id)}`);
    isError(t, answer, 404, JSON.stringify(id));
  }
});

t.test('vault.info > any time > where the vault lies, its size and how many secrets', async (t) => {
  t.matchSnapshot(
    show(await daemon.ask('GET', '/v1/info')).replace(/"secret_count":\d+/, '"secret_count":<count>'),
  );
  const before = (await daemon.ask('GET', '/v1/info')).json;
  t.strictSame([before.dir, before.db_path], [daemon.home, daemon.databasePath]);
  t.ok(Number.isInteger(before.db_size_bytes) && before.db_size_bytes > 0);
  await daemon.ask('PUT', '/v1/secrets/counted', { body: { value: 'v'.repeat(100_000) } });
  await daemon.ask('PUT', '/v1/secrets/counted/fields/f', { body: { value: 'v' } });
  const after = (await daemon.ask('GET', '/v1/info')).json;
  t.equal(after.secret_count, before.secret_count + 1);
  t.ok(after.db_size_bytes > before.db_size_bytes);
  await daemon.ask('DELETE', '/v1/secrets/counted');
});

t.test('health > no token, any token > 200 with the time', async (t) => {
  t.matchSnapshot(show(await ask(daemon.socket, 'GET', '/v1/health')));
  for (const token of [null, 'nonsense', daemon.admin]) {
    const { status, json } = await ask(daemon.socket, 'GET', '/v1/health', { token });
    t.strictSame([status, Object.keys(json), json.status], [200, ['status', 'time'], 'ok']);
    t.ok(Math.abs(Date.parse(json.time) - Date.now()) < 60_000);
  }
});
