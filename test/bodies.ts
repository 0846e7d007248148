/** Request bodies of each operation: their members, what is wrong with them, and that they are wiped. */
import t, { type Test } from 'tap';
import {
  type BodyOperation,
  bodyJsonSchema,
  bodySchemas,
  parseRequest,
  wipeRequest,
} from '../workers/bodies/schemas.ts';
import { bytes, bytesOf, isZero, recordMemory } from './fixtures/parsed-bodies.ts';

const accept = (operation: BodyOperation, text: string) => parseRequest(operation, bytes(text));

type Refused = readonly [operation: BodyOperation, body: string, message: string];

function checkRefused(t: Test, refused: readonly Refused[]): void {
  for (const [operation, body, message] of refused) {
    const error = { name: 'BodyError', code: 'bad_request', message };
    t.throws(() => accept(operation, body), error, `${operation} ${body}`);
  }
}

const VALUE = '"value" must be a non-empty string';

t.test('parseRequest > a wrong value, metadata or fields > an error that names the member', async (t) => {
  checkRefused(t, [
    ['secrets.put', '', 'a JSON body is required'],
    ['secrets.put', '{}', '"value" is required'],
    ['secrets.put', '{"value":null}', '"value" is required'],
    ['secrets.put', '{"valeu":"x"}', 'unknown member "valeu"'],
    ['secrets.put', '{"value":"x","extra":null}', 'unknown member "extra"'],
    ['secrets.put', '{"Value":"x"}', 'unknown member "Value"'],
    ['secrets.put', '{"value":""}', VALUE],
    ['secrets.put', '{"value":1}', VALUE],
    ['secrets.put', '{"value":["x"]}', VALUE],
    ['secrets.put', '{"value":"x","metadata":[]}', '"metadata" must be an object'],
    ['secrets.put', '{"value":"x","metadata":"{}"}', '"metadata" must be an object'],
    ['secrets.patch', '{"value":""}', VALUE],
    ['secrets.patch', '', 'a JSON body is required'],
    ['fields.put', '{"value":"x","metadata":{}}', 'unknown member "metadata"'],
    ['fields.putMany', '{}', '"fields" is required'],
    ['fields.putMany', '{"fields":{}}', '"fields" must have at least one member'],
    ['fields.putMany', '{"fields":"x"}', '"fields" must be an object of non-empty strings'],
    ['fields.putMany', '{"fields":["x"]}', '"fields" must be an object of non-empty strings'],
    ['fields.putMany', '{"fields":{"a":""}}', '"fields"."a" must be a non-empty string'],
    ['fields.putMany', '{"fields":{"a":null}}', '"fields"."a" must be a non-empty string'],
    ['fields.putMany', '{"fields":{"":"x"}}', '"fields" has a member whose name must not be empty'],
    ['fields.putMany', '{"fields":{"a":["x"]}}', '"fields"."a" must be a non-empty string'],
    [
      'fields.putMany',
      '{"fields":{"\\n":"x"}}',
      '"fields" has a member whose name must not have control characters',
    ],
  ]);
});

t.test(
  'parseRequest > a wrong encoding, or text that is not base64 > an error that names the member',
  async (t) => {
    const encoding = '"encoding" must be "base64"';
    const base64 = '"value" must be base64 with its padding (RFC 4648 section 4)';
    checkRefused(t, [
      ['secrets.put', '{"value":"eA==","encoding":"hex"}', encoding],
      ['secrets.put', '{"value":"eA==","encoding":"base64url"}', encoding],
      ['secrets.put', '{"value":"eA==","encoding":""}', encoding],
      ['secrets.put', '{"value":"eA==","encoding":true}', encoding],
      ['secrets.put', '{"value":"eA","encoding":"base64"}', base64],
      ['secrets.put', '{"value":"","encoding":"base64"}', VALUE],
      ['secrets.put', '{"encoding":"base64"}', '"value" is required'],
      ['secrets.patch', '{"value":"e A=","encoding":"base64"}', base64],
      ['secrets.patch', '{"encoding":"base64"}', '"encoding" needs "value" beside it'],
      ['secrets.patch', '{"value":null,"encoding":"base64"}', '"encoding" needs "value" beside it'],
      ['fields.put', '{"value":"e-_=","encoding":"base64"}', base64],
      ['fields.putMany', '{"fields":{"a":{"value":"eA","encoding":"base64"}}}', `"fields"."a".${base64}`],
      ['fields.putMany', '{"fields":{"a":{"value":"","encoding":"base64"}}}', `"fields"."a".${VALUE}`],
      ['fields.putMany', '{"fields":{"a":{"value":"x","encoding":null}}}', `"fields"."a".${encoding}`],
      ['fields.putMany', '{"fields":{"a":{"value":"x"}}}', '"fields"."a"."encoding" is required'],
      [
        'fields.putMany',
        '{"fields":{"a":{"value":"x","encodng":"y"}}}',
        'unknown member "fields"."a"."encodng"',
      ],
    ]);
  },
);

t.test('parseRequest > a wrong length, character set or name > an error that names the member', async (t) => {
  const length = '"length" must be a whole number from 1 to 4096';
  const noSets = 'at least one of "uppercase", "lowercase", "digits" and "symbols" must be true';
  checkRefused(t, [
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
  ]);
});

t.test('parseRequest > a wrong token or passphrase > an error that names the member', async (t) => {
  const scopes = '"scopes" must be a non-empty list of "read", "write", "generate", "admin"';
  const duration = '"expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry';
  checkRefused(t, [
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
  ]);
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
    confirm: 0,
    scopes: ['read', 'admin'],
    lifetimeSeconds: null,
    notBefore: null,
    maxUses: null,
    limits: {},
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

t.test('bodyJsonSchema > every operation > an object that allows no other member', async (t) => {
  for (const operation of Object.keys(bodySchemas) as BodyOperation[]) {
    t.match(bodyJsonSchema(operation), { type: 'object', additionalProperties: false, properties: {} });
  }
  const dueDate = { type: 'string', anyOf: [{ format: 'date-time' }, { const: 'never' }] };
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
      expires_at: dueDate,
      rotate_by: dueDate,
      confirm: { type: 'string', enum: ['never', 'session', 'always'] },
    },
    required: ['value'],
    additionalProperties: false,
  });
  t.match(bodyJsonSchema('passwords.generate'), {
    properties: { length: { type: 'integer', minimum: 1, maximum: 4096, default: 32 } },
  });
  t.match(bodyJsonSchema('tokens.create'), { properties: { expires_in: { type: 'string' } } });
});
