/** Requests that are refused: bodies, targets and sizes out of the rules. */
import t, { type Test } from 'tap';
import type { Method } from '../src/routes.ts';
import { isError, replaceVolatile } from './fixtures/answers.ts';
import { fromRaw, MAX_BODY_SIZE, REFUSED, REFUSED_TARGETS } from './fixtures/api-errors.ts';
import { type Answer, ask, type RequestOptions } from './fixtures/ask.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { sendRaw } from './fixtures/raw.ts';

t.cleanSnapshot = replaceVolatile;

const daemon = await startDaemon(t);

/** Stands in bodies and targets where content stands: no error may repeat it. */
const CANARY = 'canary-6b1f';

type Case = [condition: string, body: unknown];

/** What is wrong with any body. */
const BROKEN_BODIES: Case[] = [
  ['no body', undefined],
  ['only whitespace', ' \n'],
  ['broken JSON', `{"value":"${CANARY}"`],
  ['a trailing comma', `{"value":"${CANARY}",}`],
  ['single quotes', `{'value':'${CANARY}'}`],
  ['a comment', `{"value":"${CANARY}"} // ${CANARY}`],
  ['text after the JSON', `{"value":"${CANARY}"}x`],
  ['a second object', `{"value":"${CANARY}"}{}`],
  ['a form', `value=${CANARY}`],
  ['a list', `["${CANARY}"]`],
  ['text', `"${CANARY}"`],
  ['a number', '1'],
  ['null', 'null'],
  ['a byte order mark', `\ufeff{"value":"${CANARY}"}`],
  ['bytes that are not UTF-8', Buffer.from(`{"value":"${CANARY}\u00ff"}`, 'latin1')],
  ['an unpaired surrogate', '{"value":"\\ud800"}'],
  ['a control character in a string', '{"value":"a\nb"}'],
  ['a bad escape', '{"value":"\\x41"}'],
  ['nested too deep', `{"value":"v","metadata":${'{"a":'.repeat(100)}1${'}'.repeat(100)}}`],
  ['a duplicate member', `{"value":"${CANARY}","value":"${CANARY}"}`],
  ['a duplicate member written otherwise', `{"value":"${CANARY}","v\\u0061lue":"${CANARY}"}`],
  ['a duplicate member in the metadata', '{"value":"v","metadata":{"a":1,"a":2}}'],
  ['a duplicate member deep in the metadata', '{"value":"v","metadata":{"a":[{"b":1,"b":2}]}}'],
  ['__proto__', `{"value":"${CANARY}","__proto__":{}}`],
  ['__proto__ in the metadata', '{"value":"v","metadata":{"__proto__":{}}}'],
  ['__proto__ written otherwise', '{"value":"v","\\u005f_proto__":{}}'],
  ['an unknown member', { value: CANARY, extra: CANARY }],
  ['a member in capitals', { Value: CANARY }],
  ['a value that is a number', { value: 1234 }],
  ['a value that is true', { value: true }],
  ['a value that is a list', { value: [CANARY] }],
  ['a value that is an object', { value: { value: CANARY } }],
  ['an empty value', { value: '' }],
];

const BAD_METADATA: Case[] = [
  ['metadata as text', { value: 'v', metadata: CANARY }],
  ['metadata as a list', { value: 'v', metadata: [CANARY] }],
  ['metadata as a number', { value: 'v', metadata: 1 }],
  ['metadata as false', { value: 'v', metadata: false }],
  ['a bad number in the metadata', '{"value":"v","metadata":{"a":01}}'],
  ['NaN in the metadata', '{"value":"v","metadata":{"a":NaN}}'],
];

const BAD_FIELDS: Case[] = [
  ['no fields', { fields: {} }],
  ['no member', {}],
  ['null', { fields: null }],
  ['a list', { fields: [CANARY] }],
  ['text', { fields: CANARY }],
  ['an empty key', { fields: { a: CANARY, '': CANARY } }],
  ['an empty value', { fields: { a: CANARY, b: '' } }],
  ['a null value', { fields: { a: CANARY, b: null } }],
  ['a number', { fields: { a: CANARY, b: 1 } }],
  ['an object', { fields: { a: { b: CANARY } } }],
  ['a control character in a key', { fields: { 'a\u007f': CANARY } }],
  ['a key of 513 bytes', { fields: { [`${'é'.repeat(256)}x`]: CANARY } }],
  ['a duplicate key', `{"fields":{"a":"${CANARY}","a":"${CANARY}"}}`],
  ['__proto__', `{"fields":{"__proto__":"${CANARY}"}}`],
  ['an unknown member', { fields: { a: CANARY }, value: CANARY }],
];

const BAD_RENAMES: Case[] = [
  ['no body', undefined],
  ['broken JSON', `{"name":"${CANARY}"`],
  ['no name', { environment: CANARY }],
  ['a null name', { name: null, environment: CANARY }],
  ['an empty name', { name: '' }],
  ['a number name', { name: 1 }],
  ['a control character in the name', { name: `${CANARY}\n` }],
  ['a name of 513 bytes', { name: `${'é'.repeat(256)}x` }],
  ['a number environment', { name: CANARY, environment: 1 }],
  ['an environment of 513 bytes', { name: CANARY, environment: `${'é'.repeat(256)}x` }],
  ['a value', { name: CANARY, value: CANARY }],
  ['the same name', { name: 'kept' }],
  ['the same name and environment', { name: 'kept', environment: '' }],
];

const REFUSED_BODIES: [method: Method, target: string, cases: Case[]][] = [
  ['PUT', REFUSED, [...BROKEN_BODIES, ['no value', {}], ['a null value', { value: null }], ...BAD_METADATA]],
  ['PATCH', '/v1/secrets/kept', [...BROKEN_BODIES, ...BAD_METADATA]],
  [
    'PUT',
    `${REFUSED}/fields/f`,
    [
      ...BROKEN_BODIES,
      ['no value', {}],
      ['a null value', { value: null }],
      ['metadata', { value: 'v', metadata: {} }],
    ],
  ],
  ['PUT', `${REFUSED}/fields`, BAD_FIELDS],
  ['POST', '/v1/secrets/kept/rename', BAD_RENAMES],
];

t.test('bodies > out of the rules > 400 that names the member, and nothing is stored', async (t) => {
  await daemon.ask('PUT', '/v1/secrets/kept', { body: { value: 'v', metadata: { a: 1 } } });
  const before = await daemon.ask('GET', '/v1/secrets');
  const tag = (await daemon.ask('GET', '/v1/secrets/kept')).headers.etag;
  const messages: string[] = [];
  for (const [method, target, cases] of REFUSED_BODIES) {
    for (const [condition, body] of cases) {
      const answer = await daemon.ask(method, target, { body });
      isRefusal(t, answer, 400, `${method} ${target} > ${condition}`);
      messages.push(`${method} ${target} > ${condition}: ${answer.json.error}`);
    }
  }
  t.matchSnapshot(messages.join('\n'), 'messages');
  t.equal((await daemon.ask('GET', '/v1/secrets')).text, before.text, 'the list is as before');
  t.equal((await daemon.ask('GET', '/v1/secrets/kept')).headers.etag, tag, 'and the secret is untouched');
});

/** An error of the contract that repeats nothing of what was sent. */
function isRefusal(t: Test, answer: Answer, status: number, condition: string): void {
  isError(t, answer, status, condition);
  if (answer.text.includes(CANARY)) t.fail(`the error repeats content: ${condition}`);
}

t.test('targets > out of the rules > 400', async (t) => {
  const messages: string[] = [];
  for (const [condition, target] of REFUSED_TARGETS) {
    const answer = await daemon.ask('GET', target);
    isError(t, answer, 400, condition);
    messages.push(`${condition}: ${answer.json.error}`);
  }
  t.matchSnapshot(messages.join('\n'), 'messages');
  for (const method of ['PUT', 'PATCH', 'DELETE'] as const) {
    for (const target of ['/v1/secrets/', `/v1/secrets/${'n'.repeat(513)}`, '/v1/secrets/x?env=%07']) {
      const body = method === 'DELETE' ? {} : { body: { value: 'v' } };
      isError(t, await daemon.ask(method, target, body), 400, `${method} ${target.slice(0, 24)}`);
    }
  }
});

t.test('bodies > larger than 1 MiB > 413, and 1 MiB is taken', async (t) => {
  const overhead = JSON.stringify({ value: '' }).length;
  const bodyOf = (size: number) => JSON.stringify({ value: 'v'.repeat(size - overhead) });
  const chunked = { 'Transfer-Encoding': 'chunked' };
  const forms: [form: string, options: RequestOptions][] = [
    ['Content-Length', {}],
    ['chunked', { headers: chunked }],
  ];
  for (const [form, options] of forms) {
    for (const size of [MAX_BODY_SIZE - 1, MAX_BODY_SIZE]) {
      const answer = await daemon.ask('PUT', '/v1/secrets/large', { ...options, body: bodyOf(size) });
      t.equal(answer.status, 201, `${form}: ${size}`);
    }
    for (const size of [MAX_BODY_SIZE + 1, 5 * MAX_BODY_SIZE]) {
      for (const [method, target] of [
        ['PUT', REFUSED],
        ['PATCH', '/v1/secrets/large'],
        ['PUT', `${REFUSED}/fields`],
        ['PUT', `${REFUSED}/value`],
        ['PUT', `${REFUSED}/fields/f/value`],
        ['POST', '/v1/secrets/large/rename'],
        ['POST', '/v1/secrets/batch-get'],
        ['POST', '/v1/generate'],
        ['POST', '/v1/tokens'],
      ] as const) {
        const answer = await daemon.ask(method, target, { ...options, body: bodyOf(size) });
        isError(t, answer, 413, `${form}: ${method} ${target} with ${size}`);
      }
    }
  }
  isError(t, await daemon.ask('GET', REFUSED), 404, 'nothing was stored');
  const unasked = await ask(daemon.socket, 'PUT', REFUSED, { body: bodyOf(2 * MAX_BODY_SIZE) });
  isError(t, unasked, 401, 'who may not ask is not read');
});

t.test('headers > larger than 16 KiB > 431', async (t) => {
  for (const header of [`X-Large: ${'x'.repeat(20_000)}`, 'X-Many: x\r\n'.repeat(2_000).trim()]) {
    const raw = await sendRaw(daemon.socket, `GET /v1/health HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`);
    isError(t, fromRaw(raw), 431, header.slice(0, 7));
  }
  const long = await sendRaw(daemon.socket, `GET /v1/secrets/${'n'.repeat(20_000)} HTTP/1.1\r\n\r\n`);
  isError(t, fromRaw(long), 431, 'a long target');
});
