/** Imports that are refused: the place of a mistake is named, and nothing is stored. */
import t from 'tap';
import { isError } from './fixtures/answers.ts';
import { MIB } from './fixtures/api-transfer.ts';
import { ask as askSocket } from './fixtures/ask.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { CANARY } from './fixtures/tampered.ts';

const IMPORT_LIMIT = 64 * MIB;

const daemon = await startDaemon(t);

const E = '"secrets"[1]';

const good = { name: 'good', value: 'v' };

const CANARY_ENTRY = { name: 'n', value: CANARY };

/** What is wrong with the second entry (or the whole body), and what is said of it. */
const REFUSED: readonly (readonly [entry: unknown, says: string])[] = [
  [1, `${E} must be an object`],
  [CANARY, `${E} must be an object`],
  [[CANARY], `${E} must be an object`],
  [null, `${E} must be an object`],
  [{ value: CANARY }, `${E}."name" is required`],
  [{ ...CANARY_ENTRY, name: null }, `${E}."name" is required`],
  [{ ...CANARY_ENTRY, name: 7 }, `${E}."name" must be a string`],
  [{ ...CANARY_ENTRY, name: '' }, `${E}."name" must not be empty`],
  [{ ...CANARY_ENTRY, name: 'a\n' }, `${E}."name" must not have control characters`],
  [{ ...CANARY_ENTRY, name: 'é'.repeat(257) }, `${E}."name" must be at most 512 bytes long`],
  [{ ...CANARY_ENTRY, environment: ['x'] }, `${E}."environment" must be a string`],
  [{ ...CANARY_ENTRY, environment: '\0' }, `${E}."environment" must not have control characters`],
  [{ name: 'n' }, `${E} needs "value" or "fields"`],
  [{ name: 'n', value: null, metadata: { a: CANARY } }, `${E} needs "value" or "fields"`],
  [{ name: 'n', value: '' }, `${E}."value" must be a non-empty string`],
  [{ name: 'n', value: 1234 }, `${E}."value" must be a non-empty string`],
  [{ name: 'n', value: [CANARY] }, `${E}."value" must be a non-empty string`],
  [{ ...CANARY_ENTRY, encoding: 'hex' }, `${E}."encoding" must be "base64"`],
  [{ ...CANARY_ENTRY, encoding: true }, `${E}."encoding" must be "base64"`],
  [
    { name: 'n', value: 'QUI', encoding: 'base64' },
    `${E}."value" must be base64 with its padding (RFC 4648 section 4)`,
  ],
  [{ name: 'n', fields: { a: CANARY }, encoding: 'base64' }, `${E}: "encoding" needs "value" beside it`],
  [{ ...CANARY_ENTRY, metadata: CANARY }, `${E}."metadata" must be an object`],
  [{ name: 'n', fields: [CANARY] }, `${E}."fields" must be an object of non-empty strings`],
  [{ name: 'n', fields: {} }, `${E}."fields" must have at least one member`],
  [{ name: 'n', fields: { '': CANARY } }, `${E}."fields" has a member whose name must not be empty`],
  [{ name: 'n', fields: { f: '' } }, `${E}."fields"."f" must be a non-empty string`],
  [{ name: 'n', fields: { f: null } }, `${E}."fields"."f" must be a non-empty string`],
  [{ name: 'n', fields: { f: { value: CANARY } } }, `${E}."fields"."f"."encoding" is required`],
  [{ name: 'n', fields: { f: { encoding: 'base64' } } }, `${E}."fields"."f"."value" is required`],
  [
    { name: 'n', fields: { f: { value: CANARY, encoding: 'base64' } } },
    `${E}."fields"."f"."value" must be base64 with its padding (RFC 4648 section 4)`,
  ],
  [{ name: 'n', fields: { f: { [CANARY]: 1 } } }, `${E}."fields"."f": unknown member "${CANARY}"`],
  [{ ...CANARY_ENTRY, valeu: CANARY }, `${E}: unknown member "valeu"`],
  [{ ...good, value: CANARY }, `${E} has the name and environment of "secrets"[0]; give each entry once`],
  [
    { ...good, environment: '', fields: { a: CANARY } },
    `${E} has the name and environment of "secrets"[0]; give each entry once`,
  ],
];

/** Bodies as they are sent. */
const REFUSED_BODIES: readonly (readonly [body: string, says: string | RegExp])[] = [
  ['{}', '"secrets" is required'],
  ['{"secrets":null}', '"secrets" is required'],
  ['{"secrets":[]}', '"secrets" must be a non-empty list of entries'],
  ['{"secrets":{"a":"b"}}', '"secrets" must be a non-empty list of entries'],
  ['{"secrets":"x"}', '"secrets" must be a non-empty list of entries'],
  ['{"secrets":[{"name":"n","value":"v"}],"more":1}', 'unknown member "more"'],
  ['{"secrets":[{"name":"n","name":"m","value":"v"}]}', '"secrets"[0]: member "name" is given twice'],
  ['{"secrets":[{"name":"n","value":"v","__proto__":1}]}', /^"secrets"\[0\]: a member must not be named/],
  ['{"secrets":[{"name":"n","value":"v"}', /not valid JSON/],
  ['{"secrets":[{"name":"n","value":"v"},]}', '"secrets"[1] must be an object'],
  ['{"secrets":[{"name":"n","value":"v"}]} x', /not valid JSON/],
  ['', 'a JSON body is required'],
];

t.test('secrets.import > a body with a mistake > 400 that names its place, nothing stored', async (t) => {
  for (const [entry, says] of REFUSED) {
    const answer = await daemon.ask('POST', '/v1/import', { body: { secrets: [good, entry] } });
    isError(t, answer, 400, says);
    t.equal(answer.json?.error, says);
    const { list, index, problem, same_as: sameAs } = answer.json?.at ?? {};
    t.equal(sameAs, says.includes('"secrets"[0]') ? 0 : undefined, says);
    t.strictSame([list, index], ['secrets', 1], says);
    t.ok(problem && says === `${E}${says.slice(E.length, -problem.length)}${problem}`, 'without the place');
  }
  for (const [body, says] of REFUSED_BODIES) {
    const answer = await daemon.ask('POST', '/v1/import', { body });
    isError(t, answer, 400, body);
    t.match(answer.json?.error, says);
  }
  const answer = await daemon.ask('POST', '/v1/import?dry_run=yes', { body: { secrets: [good] } });
  t.equal(answer.json?.error, 'dry_run must be true or false');
  t.equal((await daemon.ask('GET', '/v1/secrets/good')).status, 404);
});

t.test('secrets.import > a token that may not read > adds, and 403 for what exists', async (t) => {
  const { token } = await daemon.createToken(['write']);
  const send = (secrets: unknown, query = '') =>
    daemon.ask('POST', `/v1/import${query}`, { token, body: { secrets } });
  t.equal((await send([{ name: 'by-writer', value: 'v' }])).status, 200);
  for (const query of ['', '?dry_run=true']) {
    const both = [
      { name: 'also', value: 'v' },
      { name: 'by-writer', value: 'v' },
    ];
    isError(t, await send(both, query), 403, `a guess is not answered ${query}`);
  }
  t.equal((await daemon.ask('GET', '/v1/secrets/also')).status, 404, 'all or none');
});

t.test(
  'secrets.import > bodies up to 64 MiB > taken; larger ones and those of nobody are not read',
  async (t) => {
    const padded = (size: number) => Buffer.from(JSON.stringify({ secrets: [good] }).padEnd(size));
    for (const size of [MIB + 1, IMPORT_LIMIT]) {
      const { status } = await daemon.ask('POST', '/v1/import?dry_run=true', { body: padded(size) });
      t.equal(status, 200, `${size}`);
    }
    for (const headers of [{}, { 'Transfer-Encoding': 'chunked' }]) {
      const body = padded(IMPORT_LIMIT + 1);
      const answer = await daemon.ask('POST', '/v1/import?dry_run=true', { body, headers });
      isError(t, answer, 413, 'too large');
      t.match(answer.json?.error, String(IMPORT_LIMIT));
    }
    const unasked = await askSocket(daemon.socket, 'POST', '/v1/import', { body: padded(2 * MIB) });
    isError(t, unasked, 401, 'nobody');
  },
);
