/** What a blob is bound to: contexts encode the same only if they are the same. */
import fc from 'fast-check';
import t from 'tap';
import { type Context, type ContextKind, encodeContext } from '../workers/envelope/context.ts';
import { bytes, CONTEXT, isUniformFailure, text } from './fixtures/envelope.ts';
import * as reference from './fixtures/reference.ts';

const contexts = fc.record({
  vaultId: fc.oneof(bytes(16), fc.constant(Buffer.alloc(16))),
  kind: fc.constantFrom<ContextKind>('secret', 'field', 'kek', 'slot', 'token'),
  environment: text,
  name: text,
  field: text,
  version: fc.oneof(fc.nat(3), fc.maxSafeNat()),
});

const describe = (c: Context) =>
  JSON.stringify([[...c.vaultId], c.kind, c.environment, c.name, c.field, c.version]);

t.test('encodeContext > two contexts > encode the same only if they are the same', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(contexts, contexts, (a, b) => {
        const areSame = describe(a) === describe(b);
        return encodeContext(a).equals(encodeContext(b)) === areSame;
      }),
      { numRuns: 3000 },
    ),
  );
});

t.test('encodeContext > the same text cut at other places > never encodes the same', async (t) => {
  const cuts = fc.tuple(fc.nat(12), fc.nat(12)).map(([i, j]) => [Math.min(i, j), Math.max(i, j)] as const);
  const cut = (whole: string, [i, j]: readonly [number, number]) =>
    encodeContext({
      vaultId: Buffer.alloc(16),
      kind: 'secret',
      environment: whole.slice(0, i),
      name: whole.slice(i, j),
      field: whole.slice(j),
      version: 0,
    });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.constantFrom('aaaaaaaaaaaa', '\0\0\0\x01\0\0\0\x02\0\0\0\0'),
        cuts,
        cuts,
        (whole, a, b) => {
          return cut(whole, a).equals(cut(whole, b)) === (a[0] === b[0] && a[1] === b[1]);
        },
      ),
      { numRuns: 1000 },
    ),
  );
});

t.test('encodeContext > any context > agrees with the reference', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(fc.property(contexts, (c) => encodeContext(c).equals(reference.context(c)))),
  );
});

t.test('encodeContext > what cannot be encoded exactly > is refused', async (t) => {
  t.throws(() => encodeContext({ ...CONTEXT, vaultId: Buffer.alloc(15) }), RangeError);
  t.throws(() => encodeContext({ ...CONTEXT, vaultId: Buffer.alloc(17) }), RangeError);
  t.throws(() => encodeContext({ ...CONTEXT, name: 'a\ud800' }), RangeError, 'it would collide with U+FFFD');
  for (const version of [-1, 1.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY]) {
    t.ok(
      isUniformFailure(() => encodeContext({ ...CONTEXT, version })),
      `version ${version}`,
    );
  }
});
