/**
 * Writes test/vectors/mav5/*.txt, one test vector in each file: `key: value` lines (what is needed to open the blob, `expect`, and
 * a comment), an empty line, then the stored bytes in hex. Everything comes from fixed seeds and the slow reference
 * implementation, so it writes the same files each time. test/vectors.ts checks that.
 *
 *     node scripts/vectors.ts
 */

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import {
  type Context,
  context,
  payload,
  type Row,
  rowDigest,
  type SlotInput,
  slot,
  type TokenMacInput,
  tokenMac,
  u32,
  wrap,
} from '../test/fixtures/reference.ts';

export const VECTORS_FOLDER = new URL('../test/vectors/mav5/', import.meta.url);

type Value = string | number | Buffer;

interface Vector {
  readonly name: string;
  readonly comment: string;
  readonly expect: 'success' | 'integrity';
  /** The header's inputs for opening the blob. They may differ from those that the blob was made from. */
  readonly inputs: Readonly<Record<string, Value>>;
  readonly blob: Buffer;
}

/** Returns the text of every vector, by file name. */
export function buildVectors(): Map<string, string> {
  const vectors = [
    ...payloadVectors(),
    ...wrapVectors(),
    ...slotVectors(),
    ...digestVectors(),
    ...tokenMacVectors(),
  ];
  return new Map(vectors.map((vector) => [`${vector.name}.txt`, format(vector)]));
}

function format({ name, comment, expect, inputs, blob }: Vector): string {
  const header = { comment, kind: name.slice(0, name.indexOf('_')), expect, ...inputs };
  const lines = Object.entries(header).map(([key, value]) => `${key}: ${formatValue(value)}`.trimEnd());
  const body = blob.toString('hex').match(/.{1,64}/g) ?? [];
  return `${[...lines, '', ...body].join('\n')}\n`;
}

function formatValue(value: Value): string {
  return Buffer.isBuffer(value) ? value.toString('hex') : String(value);
}

/** Returns `size` bytes that look random and are always the same. */
function seed(label: string, size: number): Buffer {
  return createHash('shake256', { outputLength: size }).update(`MaestroVault vector: ${label}`).digest();
}

/** Flips the lowest bit of one byte; a negative offset counts from the end. */
function flip(blob: Buffer, offset: number): Buffer {
  const copy = Buffer.from(blob);
  const index = offset < 0 ? copy.length + offset : offset;
  copy.writeUInt8(copy.readUInt8(index) ^ 1, index);
  return copy;
}

function patch(blob: Buffer, bytes: Buffer, offset: number): Buffer {
  return Buffer.concat([blob.subarray(0, offset), bytes, blob.subarray(offset + bytes.length)]);
}

const SECRET: Context = {
  vaultId: seed('vault id', 16),
  kind: 'secret',
  environment: 'production',
  name: 'database/primary',
  field: '',
  version: 3,
};

const describe = (c: Context): Record<string, Value> => ({
  'vault-id': c.vaultId,
  'context-kind': c.kind,
  environment: c.environment,
  name: c.name,
  field: c.field,
  version: c.version,
});

/** Returns one context for each component, which differs only in that component, and two that shift bytes between two. */
function wrongContexts(c: Context): [name: string, comment: string, context: Context][] {
  return [
    ['vault-id', 'the vault id is another', { ...c, vaultId: seed('other vault id', 16) }],
    ['kind', 'the kind is another', { ...c, kind: c.kind === 'secret' ? 'field' : 'secret' }],
    ['environment', 'the environment is another', { ...c, environment: 'staging' }],
    ['name', 'the name is another', { ...c, name: `${c.name}2` }],
    ['field', 'the field is another', { ...c, field: `${c.field}x` }],
    ['version', 'the version is one lower: a downgrade', { ...c, version: c.version - 1 }],
    [
      'boundary',
      'a character moved from the name to the environment: the same text when joined',
      { ...c, environment: c.environment + c.name.slice(0, 1), name: c.name.slice(1) },
    ],
    ['case', 'the name differs in case only', { ...c, name: c.name.toUpperCase() }],
  ];
}

/** Damage that must be noticed in every kind of blob. */
function damages(blob: Buffer): [name: string, comment: string, blob: Buffer][] {
  return [
    ['empty', 'nothing is there', Buffer.alloc(0)],
    ['magic-only', 'nothing after the magic', blob.subarray(0, 4)],
    ['truncated', 'the last byte is missing', blob.subarray(0, -1)],
    ['tag-missing', 'the whole tag is missing', blob.subarray(0, -16)],
    ['extended', 'one zero byte too many', Buffer.concat([blob, Buffer.alloc(1)])],
    ['doubled', 'the blob twice', Buffer.concat([blob, blob])],
    ['magic-flipped', 'one bit of the magic is flipped', flip(blob, 3)],
    ['body-flipped', 'one bit of the ciphertext is flipped', flip(blob, -17)],
    ['tag-flipped', 'the last bit of the tag is flipped', flip(blob, -1)],
    ['tag-zero', 'the tag is all zeros', patch(blob, Buffer.alloc(16), blob.length - 16)],
  ];
}

function payloadVectors(): Vector[] {
  const dek = seed('dek', 32);
  const make = (name: string, plaintext: Buffer, c: Context, head = {}) =>
    payload({ ...head, dek, nonce: seed(`${name} nonce`, 24), plaintext, ctx: context(c) });
  const good = (name: string, comment: string, plaintext: Buffer, c: Context = SECRET): Vector => ({
    name: `payload_${name}`,
    comment,
    expect: 'success',
    inputs: { dek, ...describe(c), plaintext },
    blob: make(name, plaintext, c),
  });
  const value = Buffer.from('correct horse battery staple');
  const bad = (name: string, comment: string, blob: Buffer, c: Context = SECRET, key = dek): Vector => ({
    name: `payload_bad-${name}`,
    comment,
    expect: 'integrity',
    inputs: { dek: key, ...describe(c) },
    blob,
  });
  const blob = make('value', value, SECRET);
  const otp: Context = { ...SECRET, kind: 'field', field: 'otp' };
  const unicode: Context = { ...SECRET, environment: 'prüfung', name: 'größe/秘密/🔑', version: 1 };
  return [
    good('value', 'the value of a secret', value),
    good('empty', 'an empty value is still authenticated', Buffer.alloc(0)),
    good('tag-block', 'exactly one block of Poly1305', seed('tag block', 16)),
    good('block', 'exactly one block of ChaCha20', seed('block', 64)),
    good('binary-1kb', '1,024 bytes that are no text', seed('binary', 1024)),
    good('field', 'a field of the same secret', Buffer.from('JBSWY3DPEHPK3PXP'), otp),
    good('unicode', 'names beyond ASCII: lengths count bytes, not characters', value, unicode),
    good('version-zero', 'the lowest version', value, { ...SECRET, version: 0 }),
    good('version-max', 'the highest version, 2^53 - 1', value, { ...SECRET, version: 2 ** 53 - 1 }),
    ...damages(blob).map(([name, comment, damaged]) => bad(name, comment, damaged)),
    ...wrongContexts(SECRET).map(([name, comment, c]) => bad(`context-${name}`, comment, blob, c)),
    bad('nonce-flipped', 'one bit of the nonce is flipped', flip(blob, 5)),
    bad('dek', 'another DEK', blob, SECRET, seed('other dek', 32)),
    bad('swapped-field', 'the payload of field "otp", at field "pin"', make('otp', value, otp), {
      ...otp,
      field: 'pin',
    }),
    bad('old-magic', 'authentic, but of an older format', make('old', value, SECRET, { magic: 'MAV4' })),
    bad('wrap-magic', 'authentic, but says it is a wrap', make('wm', value, SECRET, { magic: 'MAVK' })),
    bad('suite-zero', 'authentic, but of suite 0', make('s0', value, SECRET, { suite: 0 })),
    bad('suite-one', 'authentic, but of an older suite', make('s1', value, SECRET, { suite: 1 })),
    bad('suite-three', 'authentic, but of suite 3', make('s3', value, SECRET, { suite: 3 })),
    bad('nonce-end-flipped', 'one bit of the part that ChaCha20 takes is flipped', flip(blob, 28)),
  ];
}

interface WrapCase extends Row {
  readonly wrappingKey: Buffer;
  readonly keyId: Buffer;
  readonly key: Buffer;
  readonly c: Context;
}

/** The lines of the header about a row. */
const describeRow = (r: Row): Record<string, Value> => ({
  metadata: r.metadata,
  'created-at': r.createdAt,
  'updated-at': r.updatedAt,
  'written-by': r.writtenBy,
  accepted: r.accepted,
  fields: r.fields.map(({ field, version }) => `${field}=${version}`).join(' '),
});

const DEK_WRAP: WrapCase = {
  wrappingKey: seed('kek', 32),
  keyId: seed('kek id', 16),
  key: seed('dek', 32),
  c: SECRET,
  metadata: '{"owner":"payments","url":"https://db.example"}',
  createdAt: 1_767_225_600,
  updatedAt: 1_769_904_000,
  writtenBy: 'session',
  accepted: 1,
  fields: [
    { field: 'otp', version: 4 },
    { field: 'pin', version: 5 },
  ],
};

/** The root key wraps the KEK: the key id is the vault's, the name is the KEK's id, and the version is its generation. */
const KEK_WRAP: WrapCase = {
  ...DEK_WRAP,
  wrappingKey: seed('root key', 32),
  keyId: SECRET.vaultId,
  key: seed('kek', 32),
  c: { ...SECRET, kind: 'kek', environment: '', name: seed('kek id', 16).toString('hex'), version: 1 },
  metadata: '{}',
  writtenBy: '',
  accepted: 0,
  fields: [],
};

function wrapVectors(): Vector[] {
  const make = (name: string, w: WrapCase, head = {}) =>
    wrap({
      ...head,
      ...w,
      nonce: seed(`${name} wrap nonce`, 24),
      ctx: context(w.c),
      digest: rowDigest(w),
    });
  const inputs = (w: WrapCase) => ({
    'wrapping-key': w.wrappingKey,
    ...describe(w.c),
    ...describeRow(w),
  });
  const good = (name: string, comment: string, w: WrapCase): Vector => ({
    name: `wrap_${name}`,
    comment,
    expect: 'success',
    inputs: { ...inputs(w), 'wrapping-key-id': w.keyId, key: w.key },
    blob: make(name, w),
  });
  const blob = make('dek', DEK_WRAP);
  const bad = (name: string, comment: string, stored: Buffer, change: Partial<WrapCase> = {}): Vector => ({
    name: `wrap_bad-${name}`,
    comment,
    expect: 'integrity',
    inputs: inputs({ ...DEK_WRAP, ...change }),
    blob: stored,
  });
  const { createdAt, updatedAt, fields } = DEK_WRAP;
  const [otp, pin] = fields as [Row['fields'][number], Row['fields'][number]];
  const otherRow: WrapCase = { ...DEK_WRAP, c: { ...SECRET, name: 'database/replica' } };
  return [
    good('dek', 'a DEK under a KEK', DEK_WRAP),
    good('kek', 'a KEK under the root key', KEK_WRAP),
    good('no-metadata', 'a row with empty metadata, made at time 0', {
      ...DEK_WRAP,
      metadata: '{}',
      createdAt: 0,
      updatedAt: 0,
    }),
    good('unicode-metadata', 'metadata beyond ASCII', { ...DEK_WRAP, metadata: '{"größe":"秘密 🔑"}' }),
    ...damages(blob).map(([name, comment, damaged]) => bad(name, comment, damaged)),
    ...wrongContexts(SECRET).map(([name, comment, c]) => bad(`context-${name}`, comment, blob, { c })),
    bad('key-id-flipped', 'one bit of the key id is flipped', flip(blob, 5)),
    bad('nonce-flipped', 'one bit of the nonce is flipped', flip(blob, 21)),
    bad('nonce-end-flipped', 'one bit of the part that ChaCha20 takes is flipped', flip(blob, 44)),
    bad('wrapping-key', 'another KEK', blob, { wrappingKey: seed('other kek', 32) }),
    bad('metadata', 'the metadata was edited', blob, { metadata: '{"owner":"mallory"}' }),
    bad('metadata-space', 'the same JSON, stored with a space', blob, {
      metadata: DEK_WRAP.metadata.replace(',', ', '),
    }),
    bad('created-at', 'the time of creation was edited', blob, { createdAt: createdAt - 1 }),
    bad('updated-at', 'the time of change was edited', blob, { updatedAt: updatedAt + 1 }),
    bad('times-swapped', 'the two times changed places', blob, {
      createdAt: updatedAt,
      updatedAt: createdAt,
    }),
    bad('created-at-negative', 'a time that no row can have', blob, { createdAt: -1 }),
    bad('written-by', 'another writer', blob, { writtenBy: '00c0ffee00c0ffee' }),
    bad('accepted', 'no longer accepted', blob, { accepted: 0 }),
    bad('accepted-two', 'accepted, as no row can be', blob, { accepted: 2 }),
    bad('field-lost', 'the row of a field is gone', blob, { fields: [otp] }),
    bad('fields-lost', 'the rows of all fields are gone', blob, { fields: [] }),
    bad('field-added', 'a field too many', blob, { fields: [...fields, { field: 'user', version: 1 }] }),
    bad('field-renamed', 'a field of another name', blob, { fields: [otp, { ...pin, field: 'pim' }] }),
    bad('field-older', 'an older version of a field', blob, { fields: [otp, { ...pin, version: 2 }] }),
    bad('fields-swapped', 'two fields exchanged their versions', blob, {
      fields: [
        { ...otp, version: pin.version },
        { ...pin, version: otp.version },
      ],
    }),
    bad('swapped-row', 'the wrap of another row', make('replica', otherRow)),
    bad('kek-as-dek', 'the wrap of a KEK, at a secret', make('kek', KEK_WRAP)),
    bad('payload-magic', 'authentic, but says it is a payload', make('pm', DEK_WRAP, { magic: 'MAV5' })),
    bad('suite-zero', 'authentic, but of suite 0', make('s0', DEK_WRAP, { suite: 0 })),
    bad('suite-one', 'authentic, but of an older suite', make('s1', DEK_WRAP, { suite: 1 })),
    bad('suite-three', 'authentic, but of suite 3', make('s3', DEK_WRAP, { suite: 3 })),
  ];
}

const SLOT: Context = { ...SECRET, kind: 'slot', environment: '', name: 'passphrase', version: 1 };

function slotVectors(): Vector[] {
  const passphrase = 'anvil-copper-meadow-seventeen';
  const cost = { memoryKib: 32, passes: 1, parallelism: 1 };
  const rootKey = seed('root key', 32);
  const make = (name: string, change: Partial<SlotInput> = {}) =>
    slot({
      passphrase: Buffer.from(passphrase),
      ...cost,
      salt: seed(`${name} salt`, 16),
      nonce: seed(`${name} slot nonce`, 24),
      rootKey,
      ctx: context(SLOT),
      ...change,
    });
  const good = (name: string, comment: string, words: string, change: Partial<SlotInput> = {}): Vector => ({
    name: `slot_${name}`,
    comment,
    expect: 'success',
    inputs: { passphrase: words, ...describe(SLOT), 'root-key': rootKey },
    blob: make(name, { passphrase: Buffer.from(words), ...change }),
  });
  const bad = (name: string, comment: string, blob: Buffer, c = SLOT, words = passphrase): Vector => ({
    name: `slot_bad-${name}`,
    comment,
    expect: 'integrity',
    inputs: { passphrase: words, ...describe(c) },
    blob,
  });
  const blob = make('cheap');
  const parameter = (value: number, offset: number) => patch(blob, u32(value), offset);
  const commitment = seed('commitment', 32);
  return [
    good('cheap', 'parameters for tests: 32 KiB, one pass, one lane', passphrase),
    good('default', 'the parameters of RFC 9106, second option', passphrase, {
      memoryKib: 65_536,
      passes: 3,
      parallelism: 4,
    }),
    good('lanes', 'four lanes, three passes', passphrase, { memoryKib: 64, passes: 3, parallelism: 4 }),
    good('unicode', 'the UTF-8 bytes of the passphrase count', 'größe 秘密 🔑'),
    ...damages(blob).map(([name, comment, damaged]) => bad(name, comment, damaged)),
    ...wrongContexts(SLOT).map(([name, comment, c]) => bad(`context-${name}`, comment, blob, c)),
    bad('passphrase', 'another passphrase', blob, SLOT, `${passphrase}s`),
    bad('salt-flipped', 'one bit of the salt is flipped', flip(blob, 18)),
    bad('commitment-flipped', 'one bit of the commitment is flipped', flip(blob, 34)),
    bad('commitment', 'authentic, but committed to another key', make('commitment', { commitment })),
    bad('nonce-flipped', 'one bit of the nonce is flipped', flip(blob, 66)),
    bad('wrap-magic', 'authentic, but says it is a wrap', make('wm', { magic: 'MAVK' })),
    bad('suite-one', 'authentic, but of an older suite', make('s1', { suite: 1 })),
    bad('kdf-two', 'authentic, but of another key derivation', make('k2', { kdf: 2 })),
    bad('kdf-zero', 'authentic, but of key derivation 0', make('k0', { kdf: 0 })),
    bad('passes-65', 'authentic, but one pass above the bound', make('p65', { passes: 65 })),
    bad(
      'lanes-17',
      'authentic, but one lane above the bound',
      make('l17', { memoryKib: 136, parallelism: 17 }),
    ),
    bad('memory-above', 'one KiB above 1 GiB', parameter(1024 * 1024 + 1, 6)),
    bad('memory-max', 'memory at the top of its 32 bits', parameter(0xffffffff, 6)),
    bad('memory-below', 'less than 8 KiB for a lane', parameter(7, 6)),
    bad('memory-zero', 'no memory', parameter(0, 6)),
    bad('passes-zero', 'no passes', parameter(0, 10)),
    bad('passes-max', 'passes at the top of their 32 bits', parameter(0xffffffff, 10)),
    bad('lanes-zero', 'no lanes', parameter(0, 14)),
    bad('lanes-more', 'five lanes on the memory of four', parameter(5, 14)),
  ];
}

function digestVectors(): Vector[] {
  const make = (name: string, comment: string, change: Partial<Row>) => {
    const { metadata, createdAt, updatedAt, writtenBy, accepted, fields } = { ...DEK_WRAP, ...change };
    const row: Row = { metadata, createdAt, updatedAt, writtenBy, accepted, fields };
    return {
      name: `row-digest_${name}`,
      comment,
      expect: 'success' as const,
      inputs: describeRow(row),
      blob: rowDigest(row),
    };
  };
  const nothing = { metadata: '', createdAt: 0, updatedAt: 0, writtenBy: '', accepted: 0, fields: [] };
  const unicode = { metadata: '{"größe":"秘密 🔑"}', fields: [{ field: '🔑', version: 1 }] };
  return [
    make('usual', 'a usual row', {}),
    make('empty', 'no metadata at all, time 0, no writer, no fields', nothing),
    make('unicode', 'lengths count bytes, not characters', { ...unicode, createdAt: 1, updatedAt: 2 }),
    make('far-future', 'times of more than 32 bits', { createdAt: 2 ** 32, updatedAt: 2 ** 53 - 1 }),
    make('token', 'written by a token, not accepted', { writtenBy: '00c0ffee00c0ffee', accepted: 0 }),
  ];
}

function tokenMacVectors(): Vector[] {
  const row: TokenMacInput = {
    kek: seed('kek', 32),
    vaultId: SECRET.vaultId,
    id: '00c0ffee00c0ffee',
    tokenHash: createHash('sha256').update('mvt_example').digest(),
    name: 'deploy robot',
    scopes: 'read,write',
    trusted: 0,
    createdAt: 1_767_225_600,
    expiresAt: 1_798_761_600,
  };
  const make = (
    name: string,
    comment: string,
    expect: Vector['expect'],
    r: TokenMacInput,
    mac = tokenMac(r),
  ) => ({
    name: `token-mac_${name}`,
    comment,
    expect,
    inputs: {
      kek: r.kek,
      'vault-id': r.vaultId,
      'token-id': r.id,
      'token-hash': r.tokenHash,
      name: r.name,
      scopes: r.scopes,
      trusted: r.trusted,
      'created-at': r.createdAt,
      'expires-at': r.expiresAt ?? 'never',
    },
    blob: mac,
  });
  const mac = tokenMac(row);
  const bad = (name: string, comment: string, change: Partial<TokenMacInput>, stored = mac) =>
    make(`bad-${name}`, comment, 'integrity', { ...row, ...change }, stored);
  const forever = { ...row, expiresAt: null };
  return [
    make('expiring', 'a token that expires', 'success', row),
    make('trusted', 'a trusted token', 'success', { ...row, trusted: 1 }),
    make('forever', 'a token that never expires', 'success', forever),
    bad('scopes', 'the token was given a scope', { scopes: 'read,write,admin' }),
    bad('trusted', 'it was made a trusted one', { trusted: 1 }),
    bad('trusted-two', 'trusted, as no row can be', { trusted: 2 }),
    bad('expires-at', 'its life was prolonged', { expiresAt: 1_830_297_600 }),
    bad('never', 'it was made to live for ever', { expiresAt: null }),
    bad('expires-at-zero', 'an expiry of 0 is not "never"', { expiresAt: 0 }, tokenMac(forever)),
    bad('created-at', 'the time of creation was edited', { createdAt: 1 }),
    bad('token-hash', 'the row was given another token', { tokenHash: seed('hash', 32) }),
    bad('token-id', 'another id', { id: '00c0ffee00c0ffef' }),
    bad('name', 'another name', { name: 'deploy' }),
    bad('boundary', 'a character moved from the name to the scopes', {
      name: 'deploy robo',
      scopes: 'tread,write',
    }),
    bad('vault-id', 'the row of another vault', { vaultId: seed('other vault id', 16) }),
    bad('kek', 'another KEK', { kek: seed('other kek', 32) }),
    bad('mac-flipped', 'one bit of the MAC is flipped', {}, flip(mac, 31)),
    bad('mac-truncated', 'the last byte of the MAC is missing', {}, mac.subarray(0, 31)),
    bad('mac-empty', 'no MAC', {}, Buffer.alloc(0)),
  ];
}

function main(): void {
  mkdirSync(VECTORS_FOLDER, { recursive: true });
  for (const file of readdirSync(VECTORS_FOLDER)) rmSync(new URL(file, VECTORS_FOLDER));
  const vectors = buildVectors();
  for (const [file, text] of vectors) writeFileSync(new URL(file, VECTORS_FOLDER), text);
  console.log(`${vectors.size} vectors written to test/vectors/mav5`);
}

if (import.meta.main) main();
