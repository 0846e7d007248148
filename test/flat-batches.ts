/** Batches across the wall: whatever calls and replies have, arrives as it was. */
import fc from 'fast-check';
import t from 'tap';
import { decodeResult, encodeBatch } from '../src/pool/flat-batch.ts';
import { decodeBatch, encodeResult } from '../workers/flat-batch.ts';
import type { Call, Reply } from '../workers/messages.ts';
import { anyCharacter } from './fixtures/any-character.ts';

const OPERATIONS = ['secrets.get', 'values.put', 'tokens.touch'] as const;
const text = fc.string({ unit: anyCharacter, maxLength: 20 });
const someText = fc.string({ unit: anyCharacter, minLength: 1, maxLength: 20 });
const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((array) => new Uint8Array(array));
const PRESENT = { noNullPrototype: true } as const;

const calls: fc.Arbitrary<Call[]> = fc.array(
  fc.record(
    {
      operation: fc.constantFrom(...OPERATIONS),
      params: fc.dictionary(fc.constantFrom('name', 'env', 'field', 'ab12', ''), text, PRESENT),
      body: fc.option(bytes),
      mayReplace: fc.boolean(),
      author: fc.record({ id: text, isTrusted: fc.boolean() }, PRESENT),
      asker: fc.constantFrom('{"uid":0,"pid":1,"program":"a"}', '{"uid":1000,"pid":null,"program":null}'),
      requestId: someText,
      purpose: someText,
      ifMatch: text,
      ifNoneMatch: text,
      page: fc.record({ rows: fc.nat(), bytes: fc.nat() }, PRESENT),
    },
    { requiredKeys: ['operation', 'params', 'body', 'mayReplace'], ...PRESENT },
  ),
  { maxLength: 20 },
);

const success = fc.record(
  {
    ok: fc.constant(true as const),
    offset: fc.nat(),
    length: fc.nat(),
    etag: text,
    cursor: text,
    warning: text,
    damage: text,
  },
  { requiredKeys: ['ok', 'offset', 'length'], ...PRESENT },
);
const failure = fc.record(
  {
    ok: fc.constant(false as const),
    code: fc.constantFrom('not_found', 'busy'),
    message: text,
    reason: fc.constant('later'),
    detail: text,
  },
  { requiredKeys: ['ok', 'code', 'message'], ...PRESENT },
);
const replies = fc.array(fc.oneof(success, success, failure), { maxLength: 20 }) as fc.Arbitrary<Reply[]>;

t.test('batch > sent to a thread > every call arrives as it was, its body moved', async (t) => {
  fc.assert(
    fc.property(calls, (batch) => {
      const expected = structuredClone(batch);
      const flat = encodeBatch(batch);
      const [, , , bodies] = flat;
      const transfer = bodies.map(({ buffer }) => buffer);
      const arrived = decodeBatch(structuredClone(flat, { transfer }));
      t.strictSame(arrived, expected);
      t.ok(batch.every(({ body }) => body === null || body.buffer.detached));
    }),
  );
});

t.test('batch > a call that can be cancelled > the word is shared, not copied', async (t) => {
  const cancel = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const call: Call = { operation: 'vault.check', params: {}, body: null, mayReplace: false };
  const [plain, cancellable] = decodeBatch(encodeBatch([call, { ...call, cancel }]));
  t.equal(plain?.cancel, undefined);
  t.equal(cancellable?.cancel, cancel);
});

t.test('batch > as many words as parameters > all arrive', async (t) => {
  const params = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`id${index}`, `${index}`]));
  const call: Call = { operation: 'tokens.touch', params, body: null, mayReplace: false };
  t.strictSame(decodeBatch(structuredClone(encodeBatch([call]))), [call]);
});

t.test('replies > sent back by a thread > every one arrives as it was, the bytes moved', async (t) => {
  fc.assert(
    fc.property(replies, bytes, (given, body) => {
      const expected = structuredClone({ bytes: body, replies: given });
      const flat = encodeResult({ bytes: body, replies: given });
      t.strictSame(decodeResult(structuredClone(flat, { transfer: [body.buffer] })), expected);
      t.ok(body.buffer.detached);
    }),
  );
});
