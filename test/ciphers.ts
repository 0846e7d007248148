/** The primitives of the envelope: published vectors through the code that payload, wrap and slot use. */
import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import fc from 'fast-check';
import t from 'tap';
import { deriveKey } from '../workers/envelope/derive.ts';
import { fillRandom } from '../workers/envelope/random.ts';
import {
  allocateSecretMemory,
  freeSecretMemory,
  withSecretMemory,
} from '../workers/envelope/secret-memory.ts';
import { NONCE_SIZE, TAG_SIZE } from '../workers/envelope/sizes.ts';
import { decryptBytes, encryptBytes, writeMac } from '../workers/envelope/sodium.ts';
import { bytes, hex, isUniformFailure } from './fixtures/envelope.ts';
import * as reference from './fixtures/reference.ts';

function seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Buffer {
  const sealed = Buffer.alloc(plaintext.length + TAG_SIZE);
  encryptBytes(key, nonce, plaintext, aad, sealed);
  return sealed;
}

function open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Buffer {
  const plaintext = Buffer.alloc(sealed.length - TAG_SIZE);
  decryptBytes(key, nonce, sealed, aad, plaintext);
  return plaintext;
}

interface AeadTest {
  readonly tcId: number;
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
  readonly result: 'valid' | 'invalid';
}

const { tests: wycheproof } = JSON.parse(
  readFileSync(new URL('vectors/xchacha20-poly1305.json', import.meta.url), 'utf8'),
) as { tests: readonly AeadTest[] };

t.test('encryptBytes and decryptBytes > Wycheproof XChaCha20-Poly1305 > 246 valid, 60 invalid', async (t) => {
  const outcomes = { valid: 0, invalid: 0 };
  for (const { tcId, key, iv, aad, msg, ct, tag, result } of wycheproof) {
    const [k, n, a, sealed] = [hex(key), hex(iv), hex(aad), hex(ct + tag)] as const;
    if (result === 'valid') {
      t.same(seal(k, n, hex(msg), a), sealed, `${tcId} seals`);
      t.same(open(k, n, sealed, a), hex(msg), `${tcId} opens`);
    } else
      t.ok(
        isUniformFailure(() => open(k, n, sealed, a)),
        `${tcId} is refused`,
      );
    outcomes[result]++;
  }
  t.same(outcomes, { valid: 246, invalid: 60 });
});

/** draft-irtf-cfrg-xchacha-03 §2.2.1. */
const HCHACHA20 = {
  key: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
  nonce: '000000090000004a0000000031415927',
  subkey: '82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc',
} as const;

/** draft-irtf-cfrg-xchacha-03 A.3.1. */
const DRAFT = {
  key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
  nonce: '404142434445464748494a4b4c4d4e4f5051525354555657',
  aad: '50515253c0c1c2c3c4c5c6c7',
  plaintext:
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  sealed:
    'bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39' +
    'ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9' +
    '21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49',
} as const;

t.test('encryptBytes > the vectors of the draft > seals, opens, and so does the reference', async (t) => {
  const { subkey } = HCHACHA20;
  t.same(reference.hChaCha20(hex(HCHACHA20.key), hex(HCHACHA20.nonce)), hex(subkey));
  const [key, nonce, aad, sealed] = [DRAFT.key, DRAFT.nonce, DRAFT.aad, DRAFT.sealed].map(hex) as [
    Buffer,
    Buffer,
    Buffer,
    Buffer,
  ];
  const plaintext = Buffer.from(DRAFT.plaintext);
  t.same(seal(key, nonce, plaintext, aad), sealed);
  t.same(open(key, nonce, sealed, aad), plaintext);
  t.same(reference.xChaCha20Poly1305(key, nonce, plaintext, aad), sealed);
});

const some = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));

t.test(
  'encryptBytes > any key, nonce, plaintext and AAD > agrees with the reference and with @noble/ciphers',
  async (t) => {
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(bytes(32), bytes(24), some, some, (key, nonce, plaintext, aad) => {
          const sealed = seal(key, nonce, plaintext, aad);
          const noble = xchacha20poly1305(key, nonce, aad);
          return (
            sealed.equals(reference.xChaCha20Poly1305(key, nonce, plaintext, aad)) &&
            sealed.equals(noble.encrypt(plaintext)) &&
            open(key, nonce, sealed, aad).equals(noble.decrypt(sealed))
          );
        }),
        { numRuns: 300 },
      ),
    );
  },
);

t.test('decryptBytes > one bit flipped > integrity error, and the target holds zeros', async (t) => {
  const [key, nonce, aad] = [randomBytes(32), randomBytes(24), randomBytes(20)];
  const sealed = seal(key, nonce, Buffer.alloc(100, 'CANARY'), aad);
  for (let offset = 0; offset < sealed.length; offset++) {
    const damaged = Buffer.from(sealed);
    damaged.writeUInt8(damaged.readUInt8(offset) ^ 1, offset);
    const target = Buffer.alloc(100, 0xaa);
    t.ok(isUniformFailure(() => decryptBytes(key, nonce, damaged, aad, target)));
    t.ok(target.equals(Buffer.alloc(100)));
  }
});

t.test(
  'encryptBytes, decryptBytes, writeMac > any wrong length > refused before the addon is called',
  async (t) => {
    const [key, nonce, none] = [Buffer.alloc(32), Buffer.alloc(NONCE_SIZE), Buffer.alloc(0)];
    const freed = allocateSecretMemory(32);
    freeSecretMemory(freed);
    for (const [name, call] of Object.entries({
      'seal: key': () => encryptBytes(Buffer.alloc(31), nonce, none, none, Buffer.alloc(16)),
      'seal: key freed': () => encryptBytes(freed, nonce, none, none, Buffer.alloc(16)),
      'seal: nonce': () => encryptBytes(key, Buffer.alloc(12), none, none, Buffer.alloc(16)),
      'seal: target short': () => encryptBytes(key, nonce, Buffer.alloc(2), none, Buffer.alloc(17)),
      'seal: target long': () => encryptBytes(key, nonce, none, none, Buffer.alloc(17)),
      'open: key': () => decryptBytes(Buffer.alloc(33), nonce, Buffer.alloc(16), none, none),
      'open: nonce': () => decryptBytes(key, Buffer.alloc(25), Buffer.alloc(16), none, none),
      'open: no tag': () => decryptBytes(key, nonce, Buffer.alloc(15), none, none),
      'open: target short': () => decryptBytes(key, nonce, Buffer.alloc(18), none, Buffer.alloc(1)),
      'open: target long': () => decryptBytes(key, nonce, Buffer.alloc(16), none, Buffer.alloc(1)),
      'MAC: key': () => writeMac(Buffer.alloc(16), none, Buffer.alloc(32)),
      'MAC: target': () => writeMac(key, none, Buffer.alloc(31)),
      'derive: key': () => deriveKey(Buffer.alloc(31), 'label', none, Buffer.alloc(32)),
      'derive: target': () => deriveKey(key, 'label', none, Buffer.alloc(64)),
    }))
      t.throws(call, RangeError, name);
  },
);

t.test("writeMac and deriveKey > any input > HMAC-SHA-512's first 32 bytes, by node:crypto", async (t) => {
  const hmac = (key: Buffer, input: Uint8Array) =>
    createHmac('sha512', key).update(input).digest().subarray(0, 32);
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(bytes(32), some, fc.string(), (key, input, label) => {
        const [mac, derived] = [Buffer.alloc(32), Buffer.alloc(32)];
        writeMac(key, input, mac);
        deriveKey(key, label, input, derived);
        return (
          mac.equals(hmac(key, input)) &&
          derived.equals(hmac(key, Buffer.concat([reference.lp(label), input])))
        );
      }),
    ),
  );
});

t.test('fillRandom > more than is fetched at once, in every size > nobody gets the same bytes', async (t) => {
  const all = Array.from({ length: 3_000 }, (_, i) => fillRandom(Buffer.alloc(12 + (i % 21))));
  t.equal(new Set(all.map((random) => random.toString('hex', 0, 12))).size, all.length);
  t.throws(() => fillRandom(new Uint8Array(4_097)), RangeError);
  t.equal(fillRandom(new Uint8Array(4_096)).includes(0xff), true);
});

t.test('secret memory > allocated, freed, handed out for a call > zeros before, gone after', async (t) => {
  const memory = allocateSecretMemory(100);
  const view = memory.subarray(10, 42);
  t.ok(memory.every((byte) => byte === 0));
  memory.fill(7);
  freeSecretMemory(memory);
  t.same([memory.length, view.length], [0, 0], 'no view of it is left');
  t.doesNotThrow(() => freeSecretMemory(memory), 'twice');
  let kept = new Uint8Array(1);
  t.equal(
    withSecretMemory(32, (handed) => {
      kept = handed;
      return handed.length;
    }),
    32,
  );
  t.equal(kept.length, 0);
  t.throws(() =>
    withSecretMemory(32, (handed) => {
      kept = handed;
      throw new Error('in the midst');
    }),
  );
  t.equal(kept.length, 0);
});
