/**
 * The envelope: published vectors through the code that payload, wrap and slot use, our own vectors against a slow
 * second implementation, and damage of every kind, which must always end in the one IntegrityError.
 */

import { Cipheriv, createHash, createSecretKey, Decipheriv, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { buildVectors, VECTORS_FOLDER } from '../scripts/vectors.ts';
import { decryptGcm, encryptGcm } from '../workers/envelope/aes-gcm.ts';
import { type Context, type ContextKind, encodeContext } from '../workers/envelope/context.ts';
import { deriveBytes } from '../workers/envelope/hkdf.ts';
import { IntegrityError } from '../workers/envelope/integrity.ts';
import { asDek, asRootKey, createDek, createKek, createRootKey, KEY_SIZE } from '../workers/envelope/keys.ts';
import { decryptPayload, encryptPayload, PAYLOAD_OVERHEAD } from '../workers/envelope/payload.ts';
import { fillRandom } from '../workers/envelope/random.ts';
import { digestRow } from '../workers/envelope/row-digest.ts';
import {
  computeTokenMac,
  deriveTokenMacKey,
  type TokenRow,
  verifyTokenMac,
} from '../workers/envelope/row-mac.ts';
import { SLOT_SIZE, unwrapRootKey, wrapRootKey } from '../workers/envelope/slot.ts';
import { readWrapKeyId, readWrapNonce, unwrapKey, WRAP_SIZE, wrapKey } from '../workers/envelope/wrap.ts';
import { XaesKey } from '../workers/envelope/xaes.ts';
import * as reference from './fixtures/reference.ts';
import { sample } from './fixtures/sample.ts';

const MESSAGE = 'stored data failed its integrity check';
const hex = (text: string) => Buffer.from(text, 'hex');

/** Whether `open` throws the one error, with nothing in it that could tell one failure from another. */
function isUniformFailure(open: () => unknown): boolean {
  try {
    open();
  } catch (error) {
    return (
      error instanceof IntegrityError &&
      error.message === MESSAGE &&
      error.cause === undefined &&
      Object.keys(error).every((key) => key === 'name')
    );
  }
  return false;
}

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

const bytes = (size: number) =>
  fc.uint8Array({ minLength: size, maxLength: size }).map((array) => Buffer.from(array));

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

const text = fc.oneof(fc.string({ maxLength: 4, unit: 'binary' }), fc.constantFrom('', 'a', 'ab', 'é', '\0'));
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

const CONTEXT: Context = {
  vaultId: Buffer.alloc(16, 7),
  kind: 'secret',
  environment: 'production',
  name: 'database/primary/password',
  field: '',
  version: 12,
};

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

// Blobs of every kind, and how they open.

const ctx = encodeContext(CONTEXT);
const slotCtx = encodeContext({ ...CONTEXT, kind: 'slot', environment: '', name: 'passphrase', version: 1 });
const ROW = {
  metadata: '{}',
  createdAt: 0,
  updatedAt: 0,
  writtenBy: 'session',
  accepted: 1,
  fields: [{ field: 'otp', version: 2 }],
};
const rowDigest = digestRow({
  ...ROW,
  metadata: '{"owner":"payments"}',
  createdAt: 1_767_225_600,
  updatedAt: 1_769_904_000,
});
const plaintext = randomBytes(1024);
const passphrase = Buffer.from('anvil-copper-meadow-seventeen');
const CHEAP = { memoryKib: 8, passes: 1, parallelism: 1 };

const dek = createDek();
const rootKey = createRootKey();
const kek = createKek();
const kekId = randomBytes(16);
const xaesKek = new XaesKey(createSecretKey(kek));

const blobs = {
  payload: {
    blob: encryptPayload(dek, plaintext, ctx),
    open: (blob: Buffer) => decryptPayload(dek, blob, ctx),
    expected: plaintext,
  },
  wrap: {
    blob: wrapKey(xaesKek, kekId, dek, ctx, rowDigest),
    open: (blob: Buffer) => unwrapKey(xaesKek, blob, ctx, rowDigest),
    expected: dek,
  },
  slot: {
    blob: wrapRootKey(passphrase, rootKey, slotCtx, CHEAP),
    open: (blob: Buffer) => unwrapRootKey(passphrase, blob, slotCtx),
    expected: rootKey,
  },
};

t.test('encryptPayload > every size about a block > opens to the same bytes', async (t) => {
  for (const size of [0, 1, 15, 16, 17, 1024, 65_536, 1_048_576]) {
    const value = randomBytes(size);
    const key = createDek();
    const blob = encryptPayload(key, value, ctx);
    t.equal(blob.length, PAYLOAD_OVERHEAD + size);
    t.ok(decryptPayload(key, blob, ctx).equals(value), `${size} bytes`);
  }
});

t.test(
  'encryptPayload, wrapKey, wrapRootKey > with their own random nonce > the reference writes the same',
  async (t) => {
    const { payload, wrap, slot } = blobs;
    const [d, k, r] = [dek, kek, rootKey].map((key) => Buffer.from(key)) as [Buffer, Buffer, Buffer];
    t.same(reference.payload({ dek: d, nonce: payload.blob.subarray(5, 17), plaintext, ctx }), payload.blob);
    const nonce = Buffer.from(readWrapNonce(wrap.blob));
    t.same(
      reference.wrap({ wrappingKey: k, keyId: kekId, nonce, key: d, ctx, digest: rowDigest }),
      wrap.blob,
    );
    const [salt, slotNonce] = [slot.blob.subarray(18, 34), slot.blob.subarray(66, 90)];
    t.same(
      reference.slot({ passphrase, ...CHEAP, salt, nonce: slotNonce, rootKey: r, ctx: slotCtx }),
      slot.blob,
    );
  },
);

t.test('encryptPayload, wrapKey, wrapRootKey > the same input twice > new nonces', async (t) => {
  t.notSame(encryptPayload(dek, plaintext, ctx), blobs.payload.blob);
  t.notSame(readWrapNonce(wrapKey(xaesKek, kekId, dek, ctx, rowDigest)), readWrapNonce(blobs.wrap.blob));
  const again = wrapRootKey(passphrase, rootKey, slotCtx, CHEAP);
  t.notSame(again.subarray(18, 34), blobs.slot.blob.subarray(18, 34), 'salt');
  t.notSame(again.subarray(66, 90), blobs.slot.blob.subarray(66, 90), 'nonce');
});

t.test('decryptPayload, unwrapKey, unwrapRootKey > undamaged > bytes in memory of their own', async (t) => {
  for (const [name, { blob, open, expected }] of Object.entries(blobs)) {
    const opened = open(blob);
    t.ok(Buffer.from(opened).equals(expected), name);
    t.equal(opened.buffer.byteLength, opened.length, `${name}: zeroing it zeroes all there is`);
  }
});

t.test('readWrapKeyId > a wrap > the id of the key that wrapped it', async (t) => {
  t.same(Buffer.from(readWrapKeyId(blobs.wrap.blob)), kekId);
  for (const read of [readWrapKeyId, readWrapNonce]) {
    t.ok(isUniformFailure(() => read(blobs.wrap.blob.subarray(1))));
    t.ok(isUniformFailure(() => read(Buffer.alloc(WRAP_SIZE))));
  }
});

function flip(bytes: Buffer, offset: number, bit: number): void {
  bytes.writeUInt8(bytes.readUInt8(offset) ^ (1 << bit), offset);
}

/** All but three bits of the slot's memory cost: with them Argon2id only takes 128 to 512 MiB to say the same. */
function isCheap(name: string, offset: number, bit: number): boolean {
  return !(name === 'slot' && offset === 7 && bit >= 1 && bit <= 3);
}

/** How many bits of a blob are flipped in `npm test`. */
const BITS = 600;

for (const [name, { blob, open }] of Object.entries(blobs)) {
  t.test(`open ${name} > one bit flipped anywhere > integrity error`, async (t) => {
    const accepted: string[] = [];
    const damaged = Buffer.from(blob);
    const bits = [...Array(8 * blob.length).keys()].map((at) => [at >> 3, at & 7] as const);
    for (const [offset, bit] of sample(t, bits, BITS)) {
      if (!isCheap(name, offset, bit)) continue;
      flip(damaged, offset, bit);
      if (!isUniformFailure(() => open(damaged))) accepted.push(`${offset}.${bit}`);
      flip(damaged, offset, bit);
    }
    t.same(accepted, []);
    t.doesNotThrow(() => open(damaged), 'and whole again it opens');
  });

  t.test(`open ${name} > truncated to every length > integrity error`, async (t) => {
    const accepted: number[] = [];
    for (let size = 0; size < blob.length; size++) {
      if (!isUniformFailure(() => open(blob.subarray(0, size)))) accepted.push(size);
    }
    t.same(accepted, []);
  });

  t.test(`open ${name} > one byte more > integrity error`, async (t) => {
    for (const byte of [0x00, 0xff]) {
      t.ok(
        isUniformFailure(() => open(Buffer.concat([blob, Buffer.from([byte])]))),
        `${byte} appended`,
      );
      t.ok(
        isUniformFailure(() => open(Buffer.concat([Buffer.from([byte]), blob]))),
        `${byte} prepended`,
      );
    }
  });

  t.test(`open ${name} > a blob of another kind > integrity error`, async (t) => {
    for (const other of Object.values(blobs)) {
      if (other.blob !== blob) t.ok(isUniformFailure(() => open(other.blob)));
    }
    t.ok(isUniformFailure(() => open(randomBytes(blob.length))));
  });
}

/** What OpenSSL handed out while `run` ran: every output of a cipher's or decipher's update(). */
function collectOutputs(type: { prototype: Cipheriv | Decipheriv }, run: () => void): Buffer[] {
  const outputs: Buffer[] = [];
  const update = type.prototype.update as (...input: unknown[]) => Buffer;
  Object.assign(type.prototype, {
    update(this: unknown, ...input: unknown[]) {
      const output = update.apply(this, input);
      outputs.push(output);
      return output;
    },
  });
  try {
    run();
  } finally {
    Object.assign(type.prototype, { update });
  }
  return outputs;
}

const isZero = (output: Buffer) => output.every((byte) => byte === 0);

t.test('decryptGcm > opened > hardly ever a copy in memory that is handed out again', async (t) => {
  const [key, nonce] = [randomBytes(KEY_SIZE), randomBytes(12)];
  const rounds = 20;
  for (const size of [100, 5_000, 70_000, 2_400_000]) {
    let left = 0;
    for (let round = 0; round < rounds; round++) {
      const plaintext = Buffer.alloc(size, 'CANARY-value ');
      const sealed = encryptGcm(key, nonce, plaintext, Buffer.alloc(0));
      plaintext.fill(0);
      decryptGcm(key, nonce, sealed, Buffer.alloc(0)).fill(0);
      // Node frees what it decrypted into, one byte more than that, as it is.
      const reused = Array.from({ length: 20 }, () => Buffer.allocUnsafeSlow(size + 1));
      if (reused.some((memory) => memory.includes('CANARY-value CANARY'))) left += 1;
      for (const memory of reused) memory.fill(0);
    }
    // Which memory comes next is the allocator's choice; unerased, it is this one in every round.
    t.ok(left <= rounds / 4, `${size} bytes: ${left} of ${rounds}`);
  }
});

t.test('decryptPayload, unwrapKey > the tag does not match > what was decrypted is zeroed', async (t) => {
  for (const { blob, open } of [blobs.payload, blobs.wrap]) {
    const damaged = Buffer.from(blob);
    flip(damaged, blob.length - 1, 0);
    const outputs = collectOutputs(Decipheriv, () => t.ok(isUniformFailure(() => open(damaged))));
    t.same([outputs.length, outputs.every(isZero)], [1, true]);
  }
});

t.test('unwrapKey > opened or refused > the derived key is zeroed', async (t) => {
  const { blob, open } = blobs.wrap;
  const damaged = Buffer.from(blob);
  flip(damaged, blob.length - 1, 0);
  const outputs = collectOutputs(Cipheriv, () => {
    open(blob);
    t.ok(isUniformFailure(() => open(damaged)));
  });
  t.same([outputs.length, outputs.every(isZero)], [2, true]);
});

t.test('unwrapRootKey > a wrong passphrase > integrity error, as for a damaged blob', async (t) => {
  for (const wrong of ['', 'anvil', `${passphrase} `, passphrase.toString().toUpperCase()]) {
    t.ok(isUniformFailure(() => unwrapRootKey(Buffer.from(wrong), blobs.slot.blob, slotCtx)));
  }
});

t.test('wrapRootKey > no parameters given > 64 MiB, 3 passes, 4 lanes, stored in the blob', async (t) => {
  const blob = wrapRootKey(passphrase, rootKey, slotCtx);
  t.equal(blob.length, SLOT_SIZE);
  t.same(
    [6, 10, 14].map((offset) => blob.readUInt32BE(offset)),
    [65_536, 3, 4],
  );
  t.same(unwrapRootKey(passphrase, blob, slotCtx), rootKey);
});

t.test('wrapRootKey > parameters out of bounds, no passphrase > range error', async (t) => {
  for (const change of [
    { memoryKib: 7 },
    { memoryKib: 1024 * 1024 + 1 },
    { memoryKib: 8.5 },
    { passes: 0 },
    { passes: 65 },
    { parallelism: 0 },
    { parallelism: 2 },
    { parallelism: 17, memoryKib: 136 },
  ]) {
    t.throws(() => wrapRootKey(passphrase, rootKey, slotCtx, { ...CHEAP, ...change }), RangeError);
  }
  t.throws(() => wrapRootKey(Buffer.alloc(0), rootKey, slotCtx, CHEAP), RangeError);
});

t.test('every entry > a length our own code got wrong > range error that names no content', async (t) => {
  const short = Buffer.alloc(31, 0x5a);
  const empty = Buffer.alloc(0);
  const { payload, wrap } = blobs;
  const calls: Record<string, () => unknown> = {
    asDek: () => asDek(short),
    asRootKey: () => asRootKey(short),
    encryptGcm: () => encryptGcm(short, randomBytes(12), empty, empty),
    'encryptGcm nonce': () => encryptGcm(dek, randomBytes(16), empty, empty),
    'decryptGcm nonce': () => decryptGcm(dek, randomBytes(11), randomBytes(16), empty),
    XaesKey: () => new XaesKey(createSecretKey(short)),
    'XaesKey.encrypt nonce': () => xaesKek.encrypt(randomBytes(12), empty, empty),
    'XaesKey.decrypt nonce': () => xaesKek.decrypt(randomBytes(25), randomBytes(16), empty),
    encryptPayload: () => encryptPayload(short as never, empty, ctx),
    decryptPayload: () => decryptPayload(short as never, payload.blob, ctx),
    'wrapKey key': () => wrapKey(xaesKek, kekId, short, ctx, rowDigest),
    'wrapKey key id': () => wrapKey(xaesKek, short, dek, ctx, rowDigest),
    'wrapKey digest': () => wrapKey(xaesKek, kekId, dek, ctx, short),
    'unwrapKey digest': () => unwrapKey(xaesKek, wrap.blob, ctx, short),
    wrapRootKey: () => wrapRootKey(passphrase, short as never, slotCtx, CHEAP),
    deriveTokenMacKey: () => deriveTokenMacKey(createSecretKey(short), kekId),
    'deriveTokenMacKey vault id': () => deriveTokenMacKey(createSecretKey(kek), short),
    computeTokenMac: () => computeTokenMac(createSecretKey(kek), { ...TOKEN, tokenHash: short }),
  };
  for (const [name, call] of Object.entries(calls)) {
    t.throws(call, RangeError, name);
    t.throws(call, { message: /^(?!.*(ZZ|5a5a|90, ?90))/ }, `${name}: no content`);
  }
});

const TOKEN: TokenRow = {
  trusted: 0,
  vaultId: Buffer.alloc(16, 7),
  id: '00c0ffee00c0ffee',
  tokenHash: createHash('sha256').update('mvt_example').digest(),
  name: 'deploy robot',
  scopes: 'read,write',
  createdAt: 1_767_225_600,
  expiresAt: null,
};

t.test('verifyTokenMac > a stored row that cannot be > false, not an exception', async (t) => {
  const macKey = deriveTokenMacKey(createSecretKey(kek), TOKEN.vaultId);
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
    t.ok(isUniformFailure(() => digestRow({ ...ROW, createdAt: time })));
    t.ok(isUniformFailure(() => digestRow({ ...ROW, updatedAt: time })));
    t.ok(isUniformFailure(() => digestRow({ ...ROW, accepted: time })));
    t.ok(isUniformFailure(() => digestRow({ ...ROW, fields: [{ field: 'otp', version: time }] })));
  }
});

// Our own vectors: test/vectors/mav4, written by scripts/vectors.ts.

/** The members of a header; an absent one is a mistake in the vector. */
type Header = (key: string) => string;

function parseVector(file: string): { header: Header; blob: Buffer } {
  const [head = '', body = ''] = readFileSync(new URL(file, VECTORS_FOLDER), 'utf8').split(/\n\n/, 2);
  const members = new Map<string, string>();
  for (const [, key = '', value = ''] of head.matchAll(/^([a-z-]+):(?: (.*))?$/gm)) members.set(key, value);
  const header = (key: string): string => {
    const value = members.get(key);
    if (value === undefined) throw new Error(`${file} has no ${key}`);
    return value;
  };
  return { header, blob: hex(body.replaceAll('\n', '')) };
}

const readContext = (h: Header): Buffer =>
  encodeContext({
    vaultId: hex(h('vault-id')),
    kind: h('context-kind') as ContextKind,
    environment: h('environment'),
    name: h('name'),
    field: h('field'),
    version: Number(h('version')),
  });

const readDigest = (h: Header): Buffer =>
  digestRow({
    metadata: h('metadata'),
    createdAt: Number(h('created-at')),
    updatedAt: Number(h('updated-at')),
    writtenBy: h('written-by'),
    accepted: Number(h('accepted')),
    fields: [...h('fields').matchAll(/(\S+)=(\d+)/g)].map(([, field = '', version]) => ({
      field,
      version: Number(version),
    })),
  });

const readTokenRow = (h: Header): TokenRow => ({
  vaultId: hex(h('vault-id')),
  id: h('token-id'),
  tokenHash: hex(h('token-hash')),
  name: h('name'),
  scopes: h('scopes'),
  trusted: Number(h('trusted')),
  createdAt: Number(h('created-at')),
  expiresAt: h('expires-at') === 'never' ? null : Number(h('expires-at')),
});

/** By kind: opens the blob and returns what must be equal, [what came out, what the header expects]. */
const openers: Record<string, (h: Header, blob: Buffer) => [Uint8Array, Uint8Array]> = {
  payload: (h, blob) => [decryptPayload(asDek(hex(h('dek'))), blob, readContext(h)), hex(h('plaintext'))],
  wrap: (h, blob) => {
    const key = new XaesKey(createSecretKey(hex(h('wrapping-key'))));
    const unwrapped = unwrapKey(key, blob, readContext(h), readDigest(h));
    return [Buffer.concat([readWrapKeyId(blob), unwrapped]), hex(h('wrapping-key-id') + h('key'))];
  },
  slot: (h, blob) => [unwrapRootKey(Buffer.from(h('passphrase')), blob, readContext(h)), hex(h('root-key'))],
  'row-digest': (h, blob) => [readDigest(h), blob],
  'token-mac': (h, blob) => {
    const row = readTokenRow(h);
    const macKey = deriveTokenMacKey(createSecretKey(hex(h('kek'))), row.vaultId);
    if (!verifyTokenMac(macKey, row, blob)) throw new IntegrityError();
    return [computeTokenMac(macKey, row), blob];
  },
};

t.test('vectors > every file > ends as it says', async (t) => {
  const files = readdirSync(VECTORS_FOLDER);
  t.ok(files.length > 100);
  for (const file of files) {
    const { header, blob } = parseVector(file);
    const opener = openers[header('kind')];
    if (opener === undefined) throw new Error(`${file} is of an unknown kind`);
    const open = () => opener(header, blob);
    if (header('expect') === 'success') {
      const [actual, expected] = open();
      t.ok(Buffer.from(actual).equals(expected), `${file}: ${header('comment')}`);
    } else {
      t.equal(header('expect'), 'integrity');
      t.ok(isUniformFailure(open), `${file}: ${header('comment')}`);
    }
  }
});

t.test('vectors > generated again > the same files', async (t) => {
  const vectors = buildVectors();
  t.same([...vectors.keys()].sort(), readdirSync(VECTORS_FOLDER).sort());
  for (const [file, expected] of vectors) {
    t.equal(readFileSync(new URL(file, VECTORS_FOLDER), 'utf8'), expected, file);
  }
});
