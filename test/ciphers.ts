/** The primitives of the envelope: published vectors through the code that payload, wrap and slot use. */
import { createSecretKey, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { decryptGcm, encryptGcm } from '../workers/envelope/aes-gcm.ts';
import { deriveBytes } from '../workers/envelope/hkdf.ts';
import { KEY_SIZE } from '../workers/envelope/keys.ts';
import { fillRandom } from '../workers/envelope/random.ts';
import { XaesKey } from '../workers/envelope/xaes.ts';
import { bytes, hex, isUniformFailure } from './fixtures/envelope.ts';
import * as reference from './fixtures/reference.ts';

function readJson<Test>(file: string): { counts: Record<string, number>; tests: Test[] } {
  return JSON.parse(readFileSync(new URL(`vectors/${file}`, import.meta.url), 'utf8'));
}

interface GcmTest {
  readonly tcId: number;
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
  readonly result: 'valid' | 'invalid';
}

t.test('encryptGcm and decryptGcm > Wycheproof AES-256-GCM > 39 valid, 27 invalid', async (t) => {
  const { tests } = readJson<GcmTest>('aes-256-gcm.json');
  const outcomes = { valid: 0, invalid: 0 };
  for (const { tcId, key, iv, aad, msg, ct, tag, result } of tests) {
    const [k, n, a, sealed] = [hex(key), hex(iv), hex(aad), hex(ct + tag)] as const;
    if (result === 'valid') {
      t.same(encryptGcm(k, n, hex(msg), a), sealed, `${tcId} seals`);
      t.same(decryptGcm(k, n, sealed, a), hex(msg), `${tcId} opens`);
      outcomes.valid++;
    } else {
      t.ok(
        isUniformFailure(() => decryptGcm(k, n, sealed, a)),
        `${tcId} is refused`,
      );
      outcomes.invalid++;
    }
  }
  t.same(outcomes, { valid: 39, invalid: 27 });
});

interface HkdfTest {
  readonly tcId: number;
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly size: number;
  readonly okm: string;
  readonly result: 'valid' | 'invalid';
}

t.test('deriveBytes > Wycheproof HKDF-SHA256 > 83 valid, 3 too large', async (t) => {
  const { tests } = readJson<HkdfTest>('hkdf-sha256.json');
  const outcomes = { valid: 0, invalid: 0 };
  for (const { tcId, ikm, salt, info, size, okm, result } of tests) {
    const derive = () => deriveBytes(hex(ikm), hex(salt), hex(info), size);
    if (result === 'valid') t.same(derive(), hex(okm), `${tcId}`);
    else t.throws(derive, RangeError, `${tcId}`);
    outcomes[result]++;
  }
  t.same(outcomes, { valid: 83, invalid: 3 });
});

/** c2sp.org/XAES-256-GCM, "Test vectors": one for each value of the most significant bit of L. */
const XAES_VECTORS = [
  { key: 0x01, aad: '', sealed: 'ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271' },
  {
    key: 0x03,
    aad: 'c2sp.org/XAES-256-GCM',
    sealed: '986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d',
  },
] as const;

t.test('XaesKey > vectors of the specification > seals, opens, and so does the reference', async (t) => {
  const nonce = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWX');
  const plaintext = Buffer.from('XAES-256-GCM');
  for (const vector of XAES_VECTORS) {
    const key = Buffer.alloc(KEY_SIZE, vector.key);
    const aad = Buffer.from(vector.aad);
    const xaesKey = new XaesKey(createSecretKey(key));
    t.same(xaesKey.encrypt(nonce, plaintext, aad), hex(vector.sealed));
    t.same(xaesKey.decrypt(nonce, hex(vector.sealed), aad), plaintext);
    t.same(reference.xaes256Gcm(key, nonce, plaintext, aad), hex(vector.sealed));
  }
});

t.test('fillRandom > more than is fetched at once, in every size > nobody gets the same bytes', async (t) => {
  const all = Array.from({ length: 3_000 }, (_, i) => fillRandom(Buffer.alloc(12 + (i % 21))));
  t.equal(new Set(all.map((random) => random.toString('hex', 0, 12))).size, all.length);
  t.throws(() => fillRandom(new Uint8Array(4_097)), RangeError);
  t.equal(fillRandom(new Uint8Array(4_096)).includes(0xff), true);
});

t.test('XaesKey > any key, nonce, plaintext and AAD > agrees with the reference', async (t) => {
  const some = fc.uint8Array({ maxLength: 70 }).map((array) => Buffer.from(array));
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(bytes(32), bytes(24), some, some, (key, nonce, plaintext, aad) => {
        const xaesKey = new XaesKey(createSecretKey(key));
        const sealed = xaesKey.encrypt(nonce, plaintext, aad);
        return (
          sealed.equals(reference.xaes256Gcm(key, nonce, plaintext, aad)) &&
          xaesKey.decrypt(nonce, sealed, aad).equals(plaintext)
        );
      }),
      { numRuns: 150 },
    ),
  );
});

t.test('XaesKey > one key, many nonces in turn > nothing of one call stays for the next', async (t) => {
  const key = randomBytes(32);
  const xaesKey = new XaesKey(createSecretKey(key));
  const [first, second] = [randomBytes(24), randomBytes(24)];
  const plaintext = Buffer.from('value');
  for (const nonce of [first, second, first]) {
    const expected = reference.xaes256Gcm(key, nonce, plaintext, Buffer.alloc(0));
    t.same(xaesKey.encrypt(nonce, plaintext, Buffer.alloc(0)), expected);
  }
});

t.test('XaesKey > destroyed, twice > neither seals nor opens', async (t) => {
  const xaesKey = new XaesKey(createSecretKey(randomBytes(32)));
  xaesKey.destroy();
  xaesKey.destroy();
  t.throws(() => xaesKey.encrypt(randomBytes(24), Buffer.alloc(1), Buffer.alloc(0)));
  t.throws(() => xaesKey.decrypt(randomBytes(24), Buffer.alloc(17), Buffer.alloc(0)));
});
