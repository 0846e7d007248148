/** passwords.generate over the socket: which passwords it makes, and what it stores. */
import { wordlist } from '@scure/bip39/wordlists/english.js';
import t from 'tap';
import { isError, replaceVolatile, show } from './fixtures/answers.ts';
import { ask } from './fixtures/ask.ts';
import { startDaemon } from './fixtures/daemon.ts';

t.cleanSnapshot = replaceVolatile;

const daemon = await startDaemon(t);

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
