/** The MAC of a token and the digest of a secret, for rows that cannot exist. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { asKek } from '../workers/envelope/keys.ts';
import { digestRow } from '../workers/envelope/row-digest.ts';
import { computeTokenMac, verifyTokenMac } from '../workers/envelope/row-mac.ts';
import { KEY_SIZE } from '../workers/envelope/sizes.ts';
import { deriveMacKey, isUniformFailure, ROW, TOKEN } from './fixtures/envelope.ts';

const kek = asKek(randomBytes(KEY_SIZE));

t.test('verifyTokenMac > a stored row that cannot be > false, not an exception', async (t) => {
  const macKey = deriveMacKey(kek, TOKEN.vaultId);
  const mac = computeTokenMac(macKey, TOKEN);
  t.equal(verifyTokenMac(macKey, TOKEN, mac), true);
  for (const change of [{ createdAt: -1 }, { createdAt: 0.5 }, { expiresAt: 0 }, { expiresAt: -5 }]) {
    t.equal(verifyTokenMac(macKey, { ...TOKEN, ...change }, mac), false);
    t.throws(() => computeTokenMac(macKey, { ...TOKEN, ...change }), RangeError);
  }
  t.equal(verifyTokenMac(macKey, { ...TOKEN, tokenHash: Buffer.alloc(31) }, mac), false);
  t.equal(verifyTokenMac(macKey, TOKEN, Buffer.alloc(0)), false);
});

t.test('digestRow > a time that no row can have > integrity error', async (t) => {
  for (const time of [-1, 0.5, Number.NaN, 2 ** 53]) {
    t.ok(isUniformFailure(() => digestRow({ ...ROW, id: time })));
    t.ok(isUniformFailure(() => digestRow({ ...ROW, createdAt: time })));
    t.ok(isUniformFailure(() => digestRow({ ...ROW, updatedAt: time })));
    t.ok(isUniformFailure(() => digestRow({ ...ROW, accepted: time })));
    t.ok(isUniformFailure(() => digestRow({ ...ROW, expiresAt: time })));
    t.ok(isUniformFailure(() => digestRow({ ...ROW, rotateBy: time })));
    t.ok(isUniformFailure(() => digestRow({ ...ROW, confirm: time })));
    t.ok(isUniformFailure(() => digestRow({ ...ROW, revision: time })));
    t.ok(isUniformFailure(() => digestRow({ ...ROW, fields: [{ field: 'otp', version: time }] })));
  }
});
