/** JSON as request bodies have it: the values of a secret as bytes, and what is refused. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { plainMembersOf } from '../workers/bodies/schemas.ts';
import { BodyError, RequestError } from '../workers/errors/request-error.ts';
import { type BodyValue, parseBody, RawMetadata, wipeParsedBody } from '../workers/json/parse.ts';
import { bytes, isZero, recordMemory } from './fixtures/parsed-bodies.ts';

/** The plain members of two operations; `fields` is one of a token only. */
const PLAIN = new Set([...plainMembersOf('passwords.generate'), ...plainMembersOf('tokens.create')]);
PLAIN.delete('fields');
const parse = (text: string) => parseBody(bytes(text), PLAIN);

/** What a parsed value stands for, secrets as text, so that it can be compared with JSON.parse. */
function reveal(value: BodyValue): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (value instanceof RawMetadata) return JSON.parse(value.text);
  if (Array.isArray(value)) return value.map(reveal);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, reveal(member)]));
}

/** JSON values that our stricter rules allow; minus zero is written as 0. */
const jsonValue = fc
  .jsonValue({ maxDepth: 6, stringUnit: 'binary' })
  .filter((value) => !JSON.stringify(value).includes('__proto__'));

/** The same JSON with every character of every string escaped, and white space between the tokens. */
function disguise(value: unknown): string {
  return JSON.stringify(value, null, '\t').replace(/"(?:[^"\\]|\\.)*"/g, (token) => {
    const units = JSON.parse(token).split('');
    return `"${units.map((unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`;
  });
}

/** Numbers are kept in plain members and in metadata only. */
const wrappers: Record<string, (value: unknown) => unknown> = {
  scopes: (value) => value,
  metadata: (value) => ({ inner: value }),
  value: (value) =>
    JSON.parse(JSON.stringify(value), (_, inner) => (typeof inner === 'number' ? true : inner)),
};

for (const [member, wrap] of Object.entries(wrappers)) {
  t.test(`parseBody > any JSON as ${member} > equals JSON.parse`, async (t) => {
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(jsonValue, (value) => {
          const wrapped = wrap(value);
          for (const text of [
            JSON.stringify({ [member]: wrapped }),
            `\n{"${member}" : ${disguise(wrapped)}\r}\t `,
          ]) {
            const found = reveal(parse(text).members as BodyValue);
            if (!isDeepStrictEqual(found, JSON.parse(text))) throw new Error(text);
          }
        }),
        { numRuns: 300 },
      ),
    );
  });
}

t.test(
  'parseBody > one byte of a body is changed > accepted if and only if JSON.parse accepts',
  async (t) => {
    const text =
      '{"name":"a\\u00e9\\n","length":-1.5e+3,"value":[true,{"b":null}],"metadata":{"c":[0,1E2,"\\ud83d\\ude00"]}}';
    const alphabet = [...'{}[]",:\\/ \n\u0000\u001f0159.-+eEtfnu"'];
    let accepted = 0;
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.nat(1), fc.constantFrom(...alphabet), (at, removed, letter) => {
        const changed = text.slice(0, at) + letter + text.slice(at + removed);
        const expected = outcome(() => JSON.parse(changed));
        const found = outcome(() => parse(changed));
        const isOurs = /^"?(member|a string|a member)|must be a JSON object/.test(found);
        if (found === 'ok') accepted++;
        if (found !== expected && !isOurs) throw new Error(`${JSON.stringify(changed)}: ${found}`);
      }),
      { numRuns: 8000 },
    );
    t.ok(accepted > 100);
  },
);

function outcome(act: () => unknown): string {
  try {
    act();
    return 'ok';
  } catch (error) {
    return error instanceof SyntaxError || /not valid JSON/.test(String(error))
      ? 'invalid'
      : (error as Error).message;
  }
}

/** An object with the members `m0` to `m<last>`, and one of them again. */
function manyMembers(last: number, again: number): string {
  const names = [...Array.from({ length: last + 1 }, (_, index) => index), again];
  return `{${names.map((name) => `"m${name}":1`).join(',')}}`;
}

t.test('parseBody > valid under RFC 8259 but refused by our rules > says why', async (t) => {
  const deep = (depth: number) => `{"metadata":{"a":${'['.repeat(depth - 2)}${']'.repeat(depth - 2)}}}`;
  const refused: [body: string | Uint8Array, message: string | RegExp][] = [
    ['{"a":1,"\\u0061":2}', 'member "a" is given twice'],
    ['{"metadata":{"x":[{"a":1,"a":2}]}}', 'member "a" is given twice'],
    // The first and the last of few and of many members.
    ...[7, 8, 9, 20].map((last): [string, string] => [manyMembers(last, 0), 'member "m0" is given twice']),
    ...[7, 8, 9, 20].map((last): [string, string] => [
      manyMembers(last, last),
      `member "m${last}" is given twice`,
    ]),
    ['{"__proto__":1}', 'a member must not be named "__proto__"'],
    ['{"fields":{"\\u005f_proto__":"x"}}', 'a member must not be named "__proto__"'],
    ['{"metadata":{"a":{"__proto__":{}}}}', 'a member must not be named "__proto__"'],
    [`{"${'n'.repeat(70)}":1,"${'n'.repeat(70)}":1}`, `member "${'n'.repeat(64)}…" is given twice`],
    ['{"value":"\\ud800"}', 'a string has an unpaired surrogate (at byte 10)'],
    ['{"value":"\\udc00\\ud800"}', 'a string has an unpaired surrogate (at byte 10)'],
    ['{"value":"\\ud800\\u0041"}', 'a string has an unpaired surrogate (at byte 10)'],
    ['{"\\ud800":1}', 'a string has an unpaired surrogate (at byte 2)'],
    [deep(65), 'the body is nested deeper than 64 levels'],
    [`{"value":${'['.repeat(100_000)}`, 'the body is nested deeper than 64 levels'],
    [`{"a":${'{"a":'.repeat(100_000)}`, 'the body is nested deeper than 64 levels'],
    ['[]', 'the body must be a JSON object'],
    ['"x"', 'the body must be a JSON object'],
    ['', 'the body must be a JSON object'],
    ['  ', 'the body must be a JSON object'],
    ['{} {}', 'the body is not valid JSON (at byte 3)'],
    ['{"value":"x"}x', 'the body is not valid JSON (at byte 13)'],
    ['{"value":"a\nb"}', 'the body is not valid JSON (at byte 11)'],
    ['{"value":"a', 'the body is not valid JSON (at byte 11)'],
    ['{"value":tru', 'the body is not valid JSON (at byte 9)'],
    ['{"value":"x",}', 'the body is not valid JSON (at byte 13)'],
    ["{'value':1}", 'the body is not valid JSON (at byte 1)'],
    ['{"length":01}', 'the body is not valid JSON (at byte 11)'],
    ['{"length":1.}', 'the body is not valid JSON (at byte 12)'],
    ['{"length":+1}', 'the body is not valid JSON (at byte 10)'],
    ['{"length":NaN}', 'the body is not valid JSON (at byte 10)'],
    ['\ufeff{}', 'the body must not start with a byte order mark'],
    [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'the body is not valid UTF-8'],
    [Buffer.from('{"value":"\xed\xa0\x80"}', 'latin1'), 'the body is not valid UTF-8'],
    [Buffer.from('{"value":"\xc0\x80"}', 'latin1'), 'the body is not valid UTF-8'],
    [Buffer.from('{"a":1}', 'utf16le'), 'the body is not valid JSON (at byte 1)'],
  ];
  for (const [body, message] of refused) {
    const act = () => parseBody(typeof body === 'string' ? bytes(body) : body, PLAIN);
    t.throws(act, { name: 'BodyError', code: 'bad_request', message }, String(message));
  }
  t.doesNotThrow(() => parse(deep(64)));
  t.ok(new BodyError('') instanceof RequestError, 'so that it becomes a 400');
});

t.test(
  'parseBody > strings that may be secret > are bytes outside the V8 heap, all else is plain',
  async (t) => {
    const { members, secrets } = parse(
      '{"value":"v","passphrase":"p","fields":{"k":"f"},"valeu":["x",{"y":"z"}],"name":"n","length":3,"pin":1234}',
    );
    t.strictSame(
      secrets.map((secret) => Buffer.from(secret).toString()),
      ['v', 'p', 'f', 'x', 'z'],
    );
    for (const secret of secrets) {
      t.equal(secret.constructor, Uint8Array);
      t.equal(secret.buffer.byteLength, secret.length);
    }
    t.strictSame([members.name, members.length, members.pin], ['n', 3, Number.NaN]);
    t.equal(Object.getPrototypeOf(members), null);
  },
);

t.test('parseBody > its parsed body is wiped, or parsing fails midway > every secret is zero', async (t) => {
  const whole = '{"value":"secret\\n","fields":{"a":"b","c":"d"},"other":["x"]}';
  const memory = recordMemory(() => wipeParsedBody(parse(whole)));
  t.equal(memory.length, 4);
  t.ok(memory.every(isZero));
  const failed = recordMemory(() => t.throws(() => parse(`${whole}!`)));
  t.equal(failed.length, 4);
  t.ok(failed.every(isZero));
  const kept = recordMemory(() => parse(whole));
  t.notOk(kept.some(isZero));
});

t.test('parseBody > metadata > keeps numbers and order as written, drops white space', async (t) => {
  const digits = '1234567890123456789012345678901234567890';
  const { members } = parse(`{"metadata": { "b" : 1.0 , "2":1e5, "1": ${digits},
    "s":"a\\u0041\\/ \\"\\n", "o":{ "k" : [ true, null , "x" ], "e":{ } }, "l":[ ], "z": -0.10E+2 } }`);
  t.strictSame(
    { ...(members.metadata as RawMetadata) },
    {
      text: `{"b":1.0,"2":1e5,"1":${digits},"s":"aA/ \\"\\n","o":{"k":[true,null,"x"],"e":{}},"l":[],"z":-0.10E+2}`,
      entries: [
        ['b', '1.0'],
        ['2', '1e5'],
        ['1', digits],
        ['s', 'aA/ "\n'],
        ['o', '{"k":[true,null,"x"],"e":{}}'],
        ['l', '[]'],
        ['z', '-0.10E+2'],
      ],
      searchTexts: [
        ...['b', '1.0', '2', '1e5', '1', digits, 's', 'aA/ "\n'],
        ...['o', 'k', 'true', 'null', 'x', 'e', 'l', 'z', '-0.10E+2'],
      ],
    },
  );
});
