/** Tokens, generated passwords, info and health over the socket. */
import { setTimeout as sleep } from 'node:timers/promises';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import t, { type Test } from 'tap';
import { isError, replaceVolatile, show } from './fixtures/answers.ts';
import { ask, startDaemon } from './fixtures/vault.ts';

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

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const SETS = {
  uppercase: UPPER,
  lowercase: UPPER.toLowerCase(),
  digits: '0123456789',
  symbols: '!@#$%^&*()-_=+[]{}|;:,.<>?',
};
type SetName = keyof typeof SETS;
const SET_NAMES = Object.keys(SETS) as SetName[];

const generate = (body?: unknown, token = daemon.admin) =>
  ask(daemon.socket, 'POST', '/v1/generate', body === undefined ? { token } : { token, body });

t.test('passwords.generate > no body, empty body, empty object, all null > the defaults', async (t) => {
  t.matchSnapshot(show(await generate()), 'no body');
  const nulls = { name: null, environment: null, length: null, metadata: null, symbols: null };
  for (const body of [undefined, '', '{}', nulls]) {
    const { status, json } = await generate(body);
    t.strictSame(
      [status, Object.keys(json), json.stored],
      [200, ['password', 'stored', 'entropy_bits'], false],
    );
    t.equal(json.password.length, 32);
    t.equal(json.entropy_bits, 206.6);
    for (const name of SET_NAMES) t.ok(hasOf(json.password, SETS[name]), `has ${name}`);
  }
});

function hasOf(password: string, set: string): boolean {
  return [...password].some((character) => set.includes(character));
}

t.test('passwords.generate > every choice of sets > each of them is in it and no other', async (t) => {
  for (let choice = 1; choice < 16; choice++) {
    const enabled = SET_NAMES.filter((_, index) => choice & (1 << index));
    const flags = Object.fromEntries(SET_NAMES.map((name) => [name, enabled.includes(name)]));
    for (const length of [enabled.length, 20]) {
      const { password } = (await generate({ ...flags, length })).json;
      const found = SET_NAMES.filter((name) => hasOf(password, SETS[name]));
      t.strictSame([password.length, found], [length, enabled], `${enabled.join(', ')}: ${length}`);
    }
  }
});

t.test('passwords.generate > many characters > uniform over the alphabet', async (t) => {
  const alphabet = Object.values(SETS).join('');
  const counts = new Map<string, number>();
  const passwords = await Promise.all(Array.from({ length: 20 }, () => generate({ length: 4096 })));
  for (const { json } of passwords) {
    for (const character of json.password) counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  t.strictSame(
    [...counts.keys()].sort(),
    [...alphabet].sort(),
    'all characters of the alphabet and no other',
  );
  const expected = (20 * 4096) / alphabet.length;
  const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
  // 87 degrees of freedom: above 170 once in some ten million runs.
  t.ok(chiSquare < 170, 'no character is drawn more often than chance has it');
  t.equal(new Set(passwords.map(({ json }) => json.password)).size, 20, 'no two alike');
});

/** How many passwords a request allows, counted one by one. */
function countOneByOne(length: number, sets: readonly string[]): number {
  let passwords = [''];
  for (let i = 0; i < length; i++) {
    passwords = passwords.flatMap((begun) => [...sets.join('')].map((next) => begun + next));
  }
  return passwords.filter((password) => sets.every((set) => hasOf(password, set))).length;
}

t.test('passwords.generate > short passwords > entropy_bits counts those that are possible', async (t) => {
  const choices: SetName[][] = [['digits'], ['digits', 'symbols'], ['uppercase', 'digits'], ['lowercase']];
  for (const enabled of choices) {
    const sets = enabled.map((name) => SETS[name]);
    const flags = Object.fromEntries(SET_NAMES.map((name) => [name, enabled.includes(name)]));
    for (let length = sets.length; length <= 3; length++) {
      const { json } = await generate({ ...flags, length });
      const bits = Math.floor(Math.log2(countOneByOne(length, sets)) * 10) / 10;
      t.equal(json.entropy_bits, bits, `${enabled.join(', ')}: ${length}`);
    }
  }
  t.equal((await generate({ length: 4 })).json.entropy_bits, 22, 'each set once: 4! * 26 * 26 * 10 * 26');
  t.equal((await generate({ length: 4096 })).json.entropy_bits, 26457.8);
});

t.test('passwords.generate > words > so many of the BIP-39 list, with the delimiter between', async (t) => {
  for (const [delimiter, count] of [
    [undefined, 1],
    [undefined, 6],
    [' ', 6],
    ['→ß', 64],
    ['0'.repeat(16), 2],
  ] as const) {
    const { status, json } = await generate({ words: count, delimiter: delimiter ?? null });
    const words: string[] = json.password.split(delimiter ?? '-');
    t.strictSame([status, words.length, json.entropy_bits, json.stored], [200, count, 11 * count, false]);
    t.ok(
      words.every((word) => wordlist.includes(word)),
      'all are of the list',
    );
  }
  const { password } = (await generate({ words: 3, delimiter: '' })).json;
  t.match(password, /^[a-z]{9,24}$/, 'an empty delimiter is one');
});

t.test('passwords.generate > words, with a name > stored', async (t) => {
  const made = await generate({ words: 5, name: 'phrase', metadata: { n: 1 } });
  t.match(made.json, { name: 'phrase', stored: true, entropy_bits: 55 });
  const stored = (await daemon.ask('GET', '/v1/secrets/phrase')).json;
  t.ok(stored.value === made.json.password, 'the value is the passphrase');
  t.strictSame(stored.metadata, { n: 1 });
});

t.test('passwords.generate > many words > uniform over the list', async (t) => {
  const counts = new Map<string, number>();
  // Each on a connection of its own: not more at once than any system queues.
  for (let round = 0; round < 16; round++) {
    const drawn = await Promise.all(Array.from({ length: 64 }, () => generate({ words: 64 })));
    for (const { json } of drawn)
      for (const word of json.password.split('-')) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  t.strictSame([...counts.keys()].sort(), [...wordlist].sort(), 'all words of the list and no other');
  const expected = (1024 * 64) / wordlist.length;
  const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
  // 2047 degrees of freedom: above 2400 once in some ten million runs.
  t.ok(chiSquare < 2400, 'no word is drawn more often than chance has it');
});

const REFUSED_GENERATES: [condition: string, body: unknown][] = [
  ['length 0', { length: 0 }],
  ['length -1', { length: -1 }],
  ['length 4097', { length: 4097 }],
  ['length 1e9', { length: 1e9 }],
  ['length 1.5', { length: 1.5 }],
  ['length as text', { length: '32' }],
  ['length true', { length: true }],
  ['length below the four sets', { length: 3 }],
  ['length below the two sets', { length: 1, digits: false, symbols: false }],
  ['no set', { uppercase: false, lowercase: false, digits: false, symbols: false }],
  ['a set as text', { digits: 'false' }],
  ['a set as number', { digits: 0 }],
  ['empty name', { name: '' }],
  ['number name', { name: 1 }],
  ['control character in the name', { name: 'refused\u0007' }],
  ['name of 513 bytes', { name: 'é'.repeat(257) }],
  ['number environment', { name: 'refused', environment: 1 }],
  ['environment of 513 bytes', { name: 'refused', environment: 'e'.repeat(513) }],
  ['metadata no object', { name: 'refused', metadata: [] }],
  ['metadata as text', { name: 'refused', metadata: '{}' }],
  ['unknown member', { name: 'refused', value: 'v' }],
  ['unknown member env', { name: 'refused', env: 'prod' }],
  ['words 0', { words: 0 }],
  ['words 65', { words: 65 }],
  ['words 1.5', { words: 1.5 }],
  ['words as text', { words: '6' }],
  ['words and length', { words: 6, length: 32 }],
  ['words and a set', { words: 6, digits: false }],
  ['words and the default of a set', { words: 6, symbols: true }],
  ['a delimiter without words', { delimiter: '-' }],
  ['number delimiter', { words: 6, delimiter: 1 }],
  ['delimiter of 17 bytes', { words: 6, delimiter: `${'é'.repeat(8)}x` }],
  ['control character in the delimiter', { words: 6, delimiter: '\t' }],
  ['a list', []],
  ['text', '"x"'],
  ['null', 'null'],
];

t.test('passwords.generate > out of the rules > 400 and nothing stored', async (t) => {
  const messages: string[] = [];
  for (const [condition, body] of REFUSED_GENERATES) {
    const answer = await generate(body);
    isError(t, answer, 400, condition);
    messages.push(`${condition}: ${answer.json.error}`);
  }
  t.matchSnapshot(messages.join('\n'), 'messages');
  isError(t, await daemon.ask('GET', '/v1/secrets/refused'), 404, 'nothing was stored');
});

t.test('passwords.generate > with a name > stored, with environment and metadata', async (t) => {
  const { token } = await daemon.createToken(['generate']);
  const body = { name: 'made/ü', environment: 'prod', length: 4096, metadata: { n: 1 } };
  const made = await generate(body, token);
  t.matchSnapshot(show(made), 'with a name');
  const target = `/v1/secrets/${encodeURIComponent(body.name)}?env=prod`;
  const stored = (await daemon.ask('GET', target)).json;
  t.ok(stored.value === made.json.password, 'the value is the password');
  t.match(stored, { name: 'made/ü', environment: 'prod', metadata: { n: 1 } });
  const again = await generate(body, token);
  isError(t, again, 403, 'replacing it needs write');
  t.ok((await daemon.ask('GET', target)).json.value === made.json.password, 'it is as it was');
  t.equal((await generate({ ...body, environment: '' }, token)).status, 200, 'another environment is new');
});

t.test('passwords.generate > over an existing secret, with write > replaced, fields kept', async (t) => {
  const { token } = await daemon.createToken(['generate', 'write']);
  await daemon.ask('PUT', '/v1/secrets/replaced', { body: { value: 'v', metadata: { a: 1 } } });
  await daemon.ask('PUT', '/v1/secrets/replaced/fields/user', { body: { value: 'root' } });
  const made = await generate({ name: 'replaced' }, token);
  t.equal(made.status, 200);
  const secret = (await daemon.ask('GET', '/v1/secrets/replaced')).json;
  t.ok(secret.value === made.json.password);
  t.match(secret, { metadata: {}, fields: { user: 'root' } });
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
