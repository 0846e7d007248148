/** Payloads, wraps and slots: sealed, opened, and damaged in every way, which always ends in the one IntegrityError. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { encodeContext } from '../workers/envelope/context.ts';
import { asDek, asKek, asRootKey, createRootKey, withDek } from '../workers/envelope/keys.ts';
import { decryptPayload, encryptPayload, PAYLOAD_OVERHEAD } from '../workers/envelope/payload.ts';
import { digestRow } from '../workers/envelope/row-digest.ts';
import { computeTokenMac, deriveTokenMacKey } from '../workers/envelope/row-mac.ts';
import { KEY_SIZE } from '../workers/envelope/sizes.ts';
import { SLOT_SIZE, unwrapRootKey, wrapRootKey } from '../workers/envelope/slot.ts';
import { readWrap, unwrapKey, WRAP_SIZE, wrapKey } from '../workers/envelope/wrap.ts';
import {
  CONTEXT,
  isUniformFailure,
  openPayload,
  openWrap,
  plaintext,
  ROW,
  TOKEN,
} from './fixtures/envelope.ts';
import * as reference from './fixtures/reference.ts';
import { sample } from './fixtures/sample.ts';

// Blobs of every kind, and how they open.

const ctx = encodeContext(CONTEXT);

const slotCtx = encodeContext({ ...CONTEXT, kind: 'slot', environment: '', name: 'passphrase', version: 1 });

const rowDigest = digestRow({
  ...ROW,
  metadata: '{"owner":"payments"}',
  createdAt: 1_767_225_600,
  updatedAt: 1_769_904_000,
});

const passphrase = Buffer.from('anvil-copper-meadow-seventeen');

const CHEAP = { memoryKib: 8, passes: 1, parallelism: 1 };

const dek = asDek(randomBytes(KEY_SIZE));

const rootKey = createRootKey();

const kek = asKek(randomBytes(KEY_SIZE));

const kekId = randomBytes(16);

const blobs = {
  payload: {
    blob: encryptPayload(dek, plaintext, ctx),
    open: (blob: Buffer) => openPayload(dek, blob, ctx),
    expected: plaintext,
  },
  wrap: {
    blob: wrapKey(kek, kekId, dek, ctx, rowDigest),
    open: (blob: Buffer) => openWrap(kek, blob, ctx, rowDigest),
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
    const key = asDek(randomBytes(KEY_SIZE));
    const blob = encryptPayload(key, value, ctx);
    t.equal(blob.length, PAYLOAD_OVERHEAD + size);
    t.ok(openPayload(key, blob, ctx).equals(value), `${size} bytes`);
  }
});

t.test(
  'encryptPayload, wrapKey, wrapRootKey > with their own random nonce > the reference writes the same',
  async (t) => {
    const { payload, wrap, slot } = blobs;
    const [d, k, r] = [dek, kek, rootKey].map((key) => Buffer.from(key)) as [Buffer, Buffer, Buffer];
    t.same(reference.payload({ dek: d, nonce: payload.blob.subarray(5, 29), plaintext, ctx }), payload.blob);
    const nonce = Buffer.from(readWrap(wrap.blob).nonce);
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
  t.notSame(readWrap(wrapKey(kek, kekId, dek, ctx, rowDigest)).nonce, readWrap(blobs.wrap.blob).nonce);
  const again = wrapRootKey(passphrase, rootKey, slotCtx, CHEAP);
  t.notSame(again.subarray(18, 34), blobs.slot.blob.subarray(18, 34), 'salt');
  t.notSame(again.subarray(66, 90), blobs.slot.blob.subarray(66, 90), 'nonce');
});

t.test('decryptPayload, unwrapKey, unwrapRootKey > undamaged > the bytes that were sealed', async (t) => {
  for (const [name, { blob, open, expected }] of Object.entries(blobs))
    t.ok(Buffer.from(open(blob)).equals(expected), name);
});

t.test('readWrap > a wrap > the id of the key that wrapped it', async (t) => {
  t.same(Buffer.from(readWrap(blobs.wrap.blob).keyId), kekId);
  for (const blob of [blobs.wrap.blob.subarray(1), blobs.wrap.blob.subarray(0, -1), Buffer.alloc(WRAP_SIZE)])
    t.ok(isUniformFailure(() => readWrap(blob)));
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

t.test('decryptPayload, unwrapKey > the tag does not match > the target holds zeros', async (t) => {
  const target = (size: number) => Buffer.alloc(size, 0xaa);
  const [value, key] = [target(plaintext.length), target(KEY_SIZE)];
  const damaged = (blob: Buffer) => {
    const copy = Buffer.from(blob);
    flip(copy, blob.length - 1, 0);
    return copy;
  };
  t.ok(isUniformFailure(() => decryptPayload(dek, damaged(blobs.payload.blob), ctx, value)));
  t.ok(isUniformFailure(() => unwrapKey(kek, damaged(blobs.wrap.blob), ctx, rowDigest, key)));
  t.ok([...value, ...key].every((byte) => byte === 0));
});

t.test('withDek > a call that returns, throws or asks for another DEK > zeroed, and never two', async (t) => {
  let seen: Uint8Array = new Uint8Array(0);
  const use = (then: () => void) =>
    withDek((memory) => {
      t.ok(memory.every((byte) => byte === 0));
      seen = memory.fill(7);
      then();
    });
  use(() => {});
  t.ok(seen.every((byte) => byte === 0));
  t.throws(() => use(() => use(() => {})), RangeError);
  t.ok(seen.length === KEY_SIZE && seen.every((byte) => byte === 0), 'and it goes on afterwards');
  use(() => {});
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
    asKek: () => asKek(short),
    encryptPayload: () => encryptPayload(short as never, empty, ctx),
    decryptPayload: () => decryptPayload(short as never, payload.blob, ctx, Buffer.alloc(plaintext.length)),
    'decryptPayload target': () => decryptPayload(dek, payload.blob, ctx, short),
    'wrapKey wrapping key': () => wrapKey(short as never, kekId, dek, ctx, rowDigest),
    'wrapKey key': () => wrapKey(kek, kekId, short, ctx, rowDigest),
    'wrapKey key id': () => wrapKey(kek, short, dek, ctx, rowDigest),
    'wrapKey digest': () => wrapKey(kek, kekId, dek, ctx, short),
    'unwrapKey digest': () => unwrapKey(kek, wrap.blob, ctx, short, Buffer.alloc(KEY_SIZE)),
    'unwrapKey target': () => unwrapKey(kek, wrap.blob, ctx, rowDigest, short),
    wrapRootKey: () => wrapRootKey(passphrase, short as never, slotCtx, CHEAP),
    deriveTokenMacKey: () => deriveTokenMacKey(short as never, kekId, Buffer.alloc(KEY_SIZE)),
    'deriveTokenMacKey vault id': () => deriveTokenMacKey(kek, short, Buffer.alloc(KEY_SIZE)),
    'deriveTokenMacKey target': () => deriveTokenMacKey(kek, kekId, short),
    computeTokenMac: () => computeTokenMac(kek, { ...TOKEN, tokenHash: short }),
    'computeTokenMac key': () => computeTokenMac(short, TOKEN),
  };
  for (const [name, call] of Object.entries(calls)) {
    t.throws(call, RangeError, name);
    t.throws(call, { message: /^(?!.*(ZZ|5a5a|90, ?90))/ }, `${name}: no content`);
  }
});
