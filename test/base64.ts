/** The base64 codec: as RFC 4648 has it, decoded where it lies. */
import fc from 'fast-check';
import t from 'tap';
import { base64Length, decodeBase64, spreadBase64 } from '../workers/json/base64.ts';
import { bytes, bytesOf, isZero } from './fixtures/parsed-bodies.ts';

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
  target.set(plain, 1);
  spreadBase64(target, 1, plain.length);
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
