/** Request bodies in, response bodies out: the bytes of a secret on both ways, and what is refused. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { parseDuration } from '../workers/bodies/durations.ts';
import { checkName } from '../workers/bodies/names.ts';
import {
  type BodyOperation,
  bodyJsonSchema,
  bodySchemas,
  PLAIN_MEMBERS,
  parseRequest,
  wipeRequest,
} from '../workers/bodies/schemas.ts';
import { base64Length, decodeBase64, encodeBase64 } from '../workers/json/base64.ts';
import { type BodyValue, parseBody, RawMetadata, wipeParsedBody } from '../workers/json/parse.ts';
import { ReplyBuffer } from '../workers/json/reply.ts';
import { BodyError, RequestError } from '../workers/request-error.ts';

const bytes = (text: string) => Buffer.from(text);
const parse = (text: string) => parseBody(bytes(text), PLAIN_MEMBERS);

/** What a parsed value stands for, secrets as text, so that it can be compared with JSON.parse. */
function reveal(value: BodyValue): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (value instanceof RawMetadata) return JSON.parse(value.text);
  if (Array.isArray(value)) return value.map(reveal);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, reveal(member)]));
}

/** Runs `act` and returns every buffer that was allocated for a secret or a reply meanwhile. */
function recordMemory(act: () => void): ArrayBuffer[] {
  const { ArrayBuffer: Original } = globalThis;
  const made: ArrayBuffer[] = [];
  globalThis.ArrayBuffer = class extends Original {
    constructor(size: number) {
      super(size);
      made.push(this);
    }
  } as ArrayBufferConstructor;
  try {
    act();
  } finally {
    globalThis.ArrayBuffer = Original;
  }
  return made;
}

const isZero = (memory: Uint8Array | ArrayBuffer) => new Uint8Array(memory).every((byte) => byte === 0);

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

t.test('parseBody > valid under RFC 8259 but refused by our rules > says why', async (t) => {
  const deep = (depth: number) => `{"metadata":{"a":${'['.repeat(depth - 2)}${']'.repeat(depth - 2)}}}`;
  const refused: [body: string | Uint8Array, message: string | RegExp][] = [
    ['{"a":1,"\\u0061":2}', 'member "a" is given twice'],
    ['{"metadata":{"x":[{"a":1,"a":2}]}}', 'member "a" is given twice'],
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
    const act = () => parseBody(typeof body === 'string' ? bytes(body) : body, PLAIN_MEMBERS);
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

const bytesOf = (text: string) => new Uint8Array(bytes(text));
const accept = (operation: BodyOperation, text: string) => parseRequest(operation, bytes(text));

t.test('parseRequest > a body that is not the operation’s > an error that names the member', async (t) => {
  const value = '"value" must be a non-empty string';
  const encoding = '"encoding" must be "base64"';
  const base64 = '"value" must be base64 with its padding (RFC 4648 section 4)';
  const length = '"length" must be a whole number from 1 to 4096';
  const scopes = '"scopes" must be a non-empty list of "read", "write", "generate", "admin"';
  const noSets = 'at least one of "uppercase", "lowercase", "digits" and "symbols" must be true';
  const duration = '"expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry';
  const refused: [operation: BodyOperation, body: string, message: string][] = [
    ['secrets.put', '', 'a JSON body is required'],
    ['secrets.put', '{}', '"value" is required'],
    ['secrets.put', '{"value":null}', '"value" is required'],
    ['secrets.put', '{"valeu":"x"}', 'unknown member "valeu"'],
    ['secrets.put', '{"value":"x","extra":null}', 'unknown member "extra"'],
    ['secrets.put', '{"Value":"x"}', 'unknown member "Value"'],
    ['secrets.put', '{"value":""}', value],
    ['secrets.put', '{"value":1}', value],
    ['secrets.put', '{"value":["x"]}', value],
    ['secrets.put', '{"value":"x","metadata":[]}', '"metadata" must be an object'],
    ['secrets.put', '{"value":"x","metadata":"{}"}', '"metadata" must be an object'],
    ['secrets.patch', '{"value":""}', value],
    ['secrets.patch', '', 'a JSON body is required'],
    ['fields.put', '{"value":"x","metadata":{}}', 'unknown member "metadata"'],
    ['fields.putMany', '{}', '"fields" is required'],
    ['fields.putMany', '{"fields":{}}', '"fields" must have at least one member'],
    ['fields.putMany', '{"fields":"x"}', '"fields" must be an object of non-empty strings'],
    ['fields.putMany', '{"fields":["x"]}', '"fields" must be an object of non-empty strings'],
    ['fields.putMany', '{"fields":{"a":""}}', '"fields"."a" must be a non-empty string'],
    ['fields.putMany', '{"fields":{"a":null}}', '"fields"."a" must be a non-empty string'],
    ['fields.putMany', '{"fields":{"":"x"}}', '"fields" has a member whose name must not be empty'],
    ['secrets.put', '{"value":"eA==","encoding":"hex"}', encoding],
    ['secrets.put', '{"value":"eA==","encoding":"base64url"}', encoding],
    ['secrets.put', '{"value":"eA==","encoding":""}', encoding],
    ['secrets.put', '{"value":"eA==","encoding":true}', encoding],
    ['secrets.put', '{"value":"eA","encoding":"base64"}', base64],
    ['secrets.put', '{"value":"","encoding":"base64"}', value],
    ['secrets.put', '{"encoding":"base64"}', '"value" is required'],
    ['secrets.patch', '{"value":"e A=","encoding":"base64"}', base64],
    ['secrets.patch', '{"encoding":"base64"}', '"encoding" needs "value" beside it'],
    ['secrets.patch', '{"value":null,"encoding":"base64"}', '"encoding" needs "value" beside it'],
    ['fields.put', '{"value":"e-_=","encoding":"base64"}', base64],
    ['fields.putMany', '{"fields":{"a":{"value":"eA","encoding":"base64"}}}', `"fields"."a".${base64}`],
    ['fields.putMany', '{"fields":{"a":{"value":"","encoding":"base64"}}}', `"fields"."a".${value}`],
    ['fields.putMany', '{"fields":{"a":{"value":"x","encoding":null}}}', `"fields"."a".${encoding}`],
    ['fields.putMany', '{"fields":{"a":{"value":"x"}}}', '"fields"."a"."encoding" is required'],
    [
      'fields.putMany',
      '{"fields":{"a":{"value":"x","encodng":"y"}}}',
      'unknown member "fields"."a"."encodng"',
    ],
    ['fields.putMany', '{"fields":{"a":["x"]}}', '"fields"."a" must be a non-empty string'],
    [
      'fields.putMany',
      '{"fields":{"\\n":"x"}}',
      '"fields" has a member whose name must not have control characters',
    ],
    ['passwords.generate', '{"length":0}', length],
    ['passwords.generate', '{"length":4097}', length],
    ['passwords.generate', '{"length":1.5}', length],
    ['passwords.generate', '{"length":"8"}', length],
    ['passwords.generate', '{"length":1e999}', length],
    ['passwords.generate', '{"length":3}', '"length" must be at least 4, one for each character set'],
    ['passwords.generate', '{"digits":1}', '"digits" must be true or false'],
    ['passwords.generate', '{"uppercase":false,"lowercase":false,"digits":false,"symbols":false}', noSets],
    ['passwords.generate', '{"name":""}', '"name" must not be empty'],
    ['passwords.generate', '{"name":5}', '"name" must be a string'],
    ['passwords.generate', '{"environment":"\\u0000"}', '"environment" must not have control characters'],
    ['tokens.create', '{"scopes":["read"]}', '"name" is required'],
    ['tokens.create', '{"name":"","scopes":["read"]}', '"name" must not be empty'],
    ['tokens.create', '{"name":"a"}', '"scopes" is required'],
    ['tokens.create', '{"name":"a","scopes":[]}', scopes],
    ['tokens.create', '{"name":"a","scopes":"read"}', scopes],
    ['tokens.create', '{"name":"a","scopes":["session"]}', scopes],
    ['tokens.create', '{"name":"a","scopes":[1]}', scopes],
    [
      'tokens.create',
      '{"name":"a","scopes":["read"],"expires_in":24}',
      '"expires_in" must be a string such as "24h"',
    ],
    ['tokens.create', '{"name":"a","scopes":["read"],"expires_in":"24"}', duration],
    ['vault.unseal', '{"passphrase":""}', '"passphrase" must be a non-empty string'],
  ];
  for (const [operation, body, message] of refused) {
    const error = { name: 'BodyError', code: 'bad_request', message };
    t.throws(() => accept(operation, body), error, `${operation} ${body}`);
  }
});

t.test('parseRequest > a good body > members, with absent for null and the defaults', async (t) => {
  const defaults = {
    environment: '',
    length: 32,
    uppercase: true,
    lowercase: true,
    digits: true,
    symbols: true,
  };
  t.strictSame(accept('secrets.put', '{"value":"x","metadata":null}'), { value: new Uint8Array([120]) });
  t.strictSame(accept('secrets.patch', '{"value":null}'), {});
  t.match(accept('secrets.patch', '{"metadata":{"a":1.0}}'), { metadata: { text: '{"a":1.0}' } });
  t.strictSame(accept('fields.putMany', '{"fields":{"k":"x"}}'), { fields: { k: new Uint8Array([120]) } });
  const decoded = new Uint8Array([0, 255]);
  t.strictSame(accept('secrets.put', '{"value":"AP8=","encoding":"base64"}'), { value: decoded });
  t.strictSame(accept('secrets.patch', '{"encoding":"base64","value":"AP8="}'), { value: decoded });
  t.strictSame(accept('secrets.patch', '{"encoding":null}'), {});
  t.strictSame(accept('fields.put', '{"value":"AP8=","encoding":null}'), { value: bytesOf('AP8=') });
  t.strictSame(
    accept('fields.putMany', '{"fields":{"k":"x","b":{"value":"\\u0041P8=","encoding":"base64"}}}'),
    { fields: { k: bytesOf('x'), b: decoded } },
  );
  t.strictSame(parseRequest('passwords.generate', null), defaults);
  t.strictSame(accept('passwords.generate', ''), defaults);
  t.strictSame(accept('passwords.generate', '{"name":null,"length":4,"symbols":null}'), {
    ...defaults,
    length: 4,
  });
  t.strictSame(parseRequest('vault.unseal', null), {});
  t.strictSame(accept('tokens.create', '{"name":"a","scopes":["read","admin","read"]}'), {
    name: 'a',
    trusted: false,
    scopes: ['read', 'admin'],
    lifetimeSeconds: null,
  });
  t.match(accept('tokens.create', '{"name":"a","scopes":["read"],"expires_in":"2w"}'), {
    lifetimeSeconds: 1_209_600,
  });
});

t.test('parseRequest > a request is wiped, or refused > every secret is zero', async (t) => {
  const bodies: [operation: BodyOperation, body: string][] = [
    ['secrets.put', '{"value":"x"}'],
    ['fields.putMany', '{"fields":{"a":"b","c":"d"}}'],
    ['vault.unseal', '{"passphrase":"x"}'],
    ['secrets.put', '{"value":"AP8=","encoding":"base64"}'],
    ['secrets.patch', '{"value":"QUJD","encoding":"base64"}'],
    ['fields.putMany', '{"fields":{"a":"b","c":{"value":"AP8=","encoding":"base64"}}}'],
    ['secrets.import', '{"secrets":[{"name":"n","value":"AP8=","encoding":"base64","fields":{"a":"b"}}]}'],
  ];
  for (const [operation, body] of bodies) {
    const wiped = recordMemory(() => wipeRequest(accept(operation, body)));
    t.ok(wiped.length > 0 && wiped.every(isZero), operation);
    const refused = recordMemory(() => t.throws(() => accept('fields.put', body.replace('}', ',"y":1}'))));
    t.ok(refused.length > 0 && refused.every(isZero), `${operation}, refused`);
  }
});

t.test('parseRequest > base64 of one value among several is refused > every secret is zero', async (t) => {
  const good = '"a":{"value":"QUJD","encoding":"base64"}';
  for (const bad of ['{"value":"QUJ","encoding":"base64"}', '{"value":"QUI=","encoding":"hex"}', '1']) {
    const memory = recordMemory(() =>
      t.throws(() => accept('fields.putMany', `{"fields":{${good},"b":${bad},"c":"d"}}`)),
    );
    t.ok(memory.length >= 3 && memory.every(isZero), bad);
  }
});

t.test('parseRequest > the last entry of an import is refused > every secret is zero', async (t) => {
  const good = '{"name":"a","value":"QUJD","encoding":"base64","fields":{"f":"x"}}';
  for (const bad of [
    '{"name":"b"}',
    good,
    '1',
    '{"name":"b","value":"QUI","encoding":"base64"}',
    '{',
    '{}}',
  ]) {
    const memory = recordMemory(() =>
      t.throws(() => accept('secrets.import', `{"secrets":[${good},${bad}]}`)),
    );
    t.ok(memory.length >= 3 && memory.every(isZero), bad);
  }
});

/** RFC 4648 section 10. */
const RFC_VECTORS: Readonly<Record<string, string>> = {
  '': '',
  f: 'Zg==',
  fo: 'Zm8=',
  foo: 'Zm9v',
  foob: 'Zm9vYg==',
  fooba: 'Zm9vYmE=',
  foobar: 'Zm9vYmFy',
};

function encode(plain: Uint8Array): string {
  const target = Buffer.alloc(base64Length(plain.length) + 2, '|');
  if (encodeBase64(plain, target, 1) !== target.length - 1) throw new Error('not as long as it said');
  return target.toString();
}

function decode(text: string): Uint8Array | null {
  return decodeBase64(bytesOf(text));
}

t.test('base64 > the vectors of RFC 4648 > both ways', async (t) => {
  for (const [plain, text] of Object.entries(RFC_VECTORS)) {
    t.equal(encode(bytes(plain)), `|${text}|`);
    t.strictSame(decode(text), bytesOf(plain));
  }
});

t.test("base64 > any bytes > as Buffer's codec, decoded where they lie", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (plain) => {
        const text = Buffer.from(plain).toString('base64');
        if (encode(plain) !== `|${text}|`) throw new Error(`encoded ${text}`);
        const memory = bytesOf(text);
        const decoded = decodeBase64(memory);
        if (decoded === null || !Buffer.from(plain).equals(decoded)) throw new Error(`decoded ${text}`);
        if (decoded.buffer !== memory.buffer) throw new Error('not in place');
        if (!isZero(memory.subarray(plain.length))) throw new Error('the rest is not zero');
      }),
      { numRuns: 2000 },
    ),
  );
});

t.test('base64 > any text > decoded if and only if encoding gives it back', async (t) => {
  const outcomes = { good: 0, bad: 0 };
  const letter = fc.constantFrom(...'AQgwBZz09+/=-_ \n\u0000é');
  const quads = fc.array(
    fc.constantFrom('AAAA', 'Zm9v', '+/+/', 'AAA=', 'AA==', 'AAE=', 'AB==', 'A===', '===='),
  );
  const text = fc.oneof(
    quads.map((list) => list.join('')),
    fc.string({ unit: letter, maxLength: 12 }),
  );
  fc.assert(
    fc.property(text, (given) => {
      const isCanonical = Buffer.from(given, 'base64').toString('base64') === given;
      outcomes[isCanonical ? 'good' : 'bad']++;
      if ((decode(given) !== null) !== isCanonical) throw new Error(JSON.stringify(given));
    }),
    { numRuns: 5000 },
  );
  t.ok(outcomes.good > 100 && outcomes.bad > 100, JSON.stringify(outcomes));
});

t.test('parseDuration > a table of durations > seconds, or what is wrong', async (t) => {
  const seconds: Record<string, number | null> = {
    '0': null,
    '24h': 86_400,
    '720h': 2_592_000,
    '30d': 2_592_000,
    '2w': 1_209_600,
    '1h30m': 5_400,
    '24h0m0s': 86_400,
    '1.5h': 5_400,
    '1.15m': 69,
    '1.9s': 1,
    '1w1d1h1m1s': 694_861,
    '0h5m': 300,
    '36525d': 3_155_760_000,
  };
  for (const [text, expected] of Object.entries(seconds))
    t.strictSame(parseDuration(text), { seconds: expected }, text);
  const wrong = {
    'must be a duration': [
      '',
      '24',
      '00',
      '-1h',
      '+1h',
      ' 1h',
      '1h ',
      '1H',
      '1m1h',
      '1h1h',
      '100ms',
      '1y',
      '.5h',
      'h',
    ],
    'must be at least one second': ['0s', '0h0m0s', '0.5s', '0.9s'],
    'must be at most 100 years': ['36525d1s', '5218w', `${'9'.repeat(60)}w`],
  };
  for (const [problem, texts] of Object.entries(wrong)) {
    for (const text of texts) t.match(parseDuration(text), { problem: new RegExp(`^${problem}`) }, text);
  }
  t.match(parseDuration(`${'0'.repeat(64)}1s`), { problem: /^must be a duration/ });
});

t.test('checkName > a table of names > accepted, or what is wrong', async (t) => {
  for (const name of [
    'a',
    '/',
    '..',
    'a b',
    'né',
    '😀',
    '__proto__',
    '%',
    'x'.repeat(512),
    'é'.repeat(256),
  ]) {
    for (const kind of ['name', 'field', 'environment'] as const)
      if (kind !== 'field' || name !== '__proto__') t.doesNotThrow(() => checkName(kind, name), name);
  }
  t.doesNotThrow(() => checkName('environment', ''));
  const wrong: [name: string, problem: string][] = [
    ['', 'must not be empty'],
    ['__proto__', 'must not be "__proto__"'],
    ['a\n', 'must not have control characters'],
    ['\u0000', 'must not have control characters'],
    ['\u007f', 'must not have control characters'],
    ['\u0085', 'must not have control characters'],
    ['\ud800', 'must not have an unpaired surrogate'],
    ['x'.repeat(513), 'must be at most 512 bytes long'],
    [`${'é'.repeat(256)}x`, 'must be at most 512 bytes long'],
  ];
  for (const [name, problem] of wrong) {
    t.throws(() => checkName('field', name), {
      name: 'BodyError',
      code: 'bad_request',
      message: `"field" ${problem}`,
    });
  }
});

t.test('bodyJsonSchema > every operation > an object that allows no other member', async (t) => {
  for (const operation of Object.keys(bodySchemas) as BodyOperation[]) {
    t.match(bodyJsonSchema(operation), { type: 'object', additionalProperties: false, properties: {} });
  }
  t.strictSame(bodyJsonSchema('secrets.put'), {
    type: 'object',
    properties: {
      value: { type: 'string', minLength: 1 },
      encoding: {
        type: 'string',
        const: 'base64',
        description: 'Then `value` is base64 of it (RFC 4648 section 4)',
      },
      metadata: { type: 'object', additionalProperties: true },
    },
    required: ['value'],
    additionalProperties: false,
  });
  t.match(bodyJsonSchema('passwords.generate'), {
    properties: { length: { type: 'integer', minimum: 1, maximum: 4096, default: 32 } },
  });
  t.match(bodyJsonSchema('tokens.create'), { properties: { expires_in: { type: 'string' } } });
});

/** What `write` puts into a fresh ReplyBuffer, as text. */
function written(write: (reply: ReplyBuffer) => void): string {
  const reply = new ReplyBuffer();
  write(reply);
  return Buffer.from(reply.take()).toString();
}

t.test('ReplyBuffer.secret > any text > equals JSON.stringify', async (t) => {
  const unit = fc.oneof(
    fc.constantFrom(...'"\\/\n\r\t\b\f\u0000\u001f\u007f\u2028é😀'),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.array(unit), fc.nat(5), (units, offset) => {
      const text = units.join('');
      // A view into larger memory, at an offset that is no multiple of the word.
      const view = bytes('-'.repeat(offset) + text).subarray(offset);
      const found = written((reply) => reply.secret(view));
      if (found !== JSON.stringify(text)) throw new Error(`${found} for ${JSON.stringify(text)}`);
    }),
    { numRuns: 2000 },
  );
  for (let code = 0; code < 0x100; code++) {
    for (const text of [String.fromCharCode(code), `abc${String.fromCharCode(code)}defgh`]) {
      if (written((reply) => reply.secret(bytes(text))) !== JSON.stringify(text)) t.fail(`code ${code}`);
    }
  }
  t.equal(
    written((reply) => reply.secret(bytes('\n'.repeat(10_000)))),
    JSON.stringify('\n'.repeat(10_000)),
  );
});

t.test('ReplyBuffer > all kinds of members > one JSON text', async (t) => {
  const text = written((reply) => {
    reply.ascii('{"name":');
    reply.string('é"\n😀');
    reply.ascii(',"metadata":');
    reply.raw('{"a":"ü"}');
    reply.ascii(',"count":');
    reply.integer(-7);
    reply.ascii(',"created_at":');
    reply.time(1_773_396_000);
    reply.ascii('}');
  });
  t.equal(text, '{"name":"é\\"\\n😀","metadata":{"a":"ü"},"count":-7,"created_at":"2026-03-13T10:00:00Z"}');
  t.throws(() => new ReplyBuffer().integer(1.5), RangeError);
});

t.test('ReplyBuffer > truncated, wiped or grown > what is left behind is zero', async (t) => {
  const made: Buffer[] = [];
  const { allocUnsafeSlow } = Buffer;
  t.teardown(() => Object.assign(Buffer, { allocUnsafeSlow }));
  Buffer.allocUnsafeSlow = (size) => {
    // As dirty as memory can be, so that what is zero below was zeroed.
    made.push(allocUnsafeSlow(size).fill(0xaa));
    return made.at(-1) as Buffer<ArrayBuffer>;
  };
  const reply = new ReplyBuffer();
  reply.secret(bytes('kept'));
  const kept = reply.length;
  reply.secret(bytes('dropped'));
  reply.truncate(kept);
  t.equal(reply.length, kept);
  t.ok(isZero((made[0] as Buffer).subarray(kept, kept + 9)));
  reply.secret(bytes('x'.repeat(10_000)));
  t.equal(made.length, 2);
  t.ok(isZero((made[0] as Buffer).subarray(0, kept)), 'grown out of');
  const end = reply.length;
  reply.wipe();
  t.ok(isZero((made[1] as Buffer).subarray(0, end)), 'wiped');
  t.throws(() => reply.truncate(1), RangeError);
});

t.test('ReplyBuffer.take > transferred > has its own memory, and the buffer starts anew', async (t) => {
  const reply = new ReplyBuffer();
  const empty = reply.take();
  t.equal(structuredClone(empty, { transfer: [empty.buffer] }).length, 0);
  reply.ascii('first');
  const first = reply.take();
  t.equal(Buffer.from(structuredClone(first, { transfer: [first.buffer] })).toString(), 'first');
  reply.ascii('second');
  t.equal(Buffer.from(reply.take()).toString(), 'second');
  t.equal(new ReplyBuffer().take().length, 0);
});
