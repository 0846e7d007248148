/** Vectors of wraps: DEKs under a KEK, and a KEK under the root key. */
import { type Context, context, type Row, rowDigest, wrap } from '../../test/fixtures/reference.ts';
import { damages, describe, flip, SECRET, seed, type Value, type Vector, wrongContexts } from './vector.ts';

interface WrapCase extends Row {
  readonly wrappingKey: Buffer;
  readonly keyId: Buffer;
  readonly key: Buffer;
  readonly c: Context;
}

/** The lines of the header about a row. */
export const describeRow = (r: Row): Record<string, Value> => ({
  'secret-id': r.id,
  metadata: r.metadata,
  'created-at': r.createdAt,
  'updated-at': r.updatedAt,
  'written-by': r.writtenBy,
  accepted: r.accepted,
  'expires-at': r.expiresAt,
  'rotate-by': r.rotateBy,
  confirm: r.confirm,
  revision: r.revision,
  change: r.change,
  old: r.isOld ? 1 : 0,
  fields: r.fields.map(({ field, version }) => `${field}=${version}`).join(' '),
});

export const DEK_WRAP: WrapCase = {
  wrappingKey: seed('kek', 32),
  keyId: seed('kek id', 16),
  key: seed('dek', 32),
  c: SECRET,
  id: 3,
  metadata: '{"owner":"payments","url":"https://db.example"}',
  createdAt: 1_767_225_600,
  updatedAt: 1_769_904_000,
  writtenBy: 'session',
  accepted: 1,
  expiresAt: 1_798_761_600,
  rotateBy: 1_790_812_800,
  confirm: 1,
  revision: 7,
  change: 'set',
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
  id: 0,
  metadata: '{}',
  writtenBy: '',
  accepted: 0,
  expiresAt: 0,
  rotateBy: 0,
  confirm: 0,
  revision: 0,
  change: '',
  fields: [],
};

export function wrapVectors(): Vector[] {
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
    bad('secret-id', 'the row of another secret', blob, { id: 4 }),
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
    bad('expires-at', 'it expires later', blob, { expiresAt: DEK_WRAP.expiresAt + 1 }),
    bad('expires-never', 'it does not expire any more', blob, { expiresAt: 0 }),
    bad('rotate-by', 'it is to be replaced later', blob, { rotateBy: DEK_WRAP.rotateBy + 1 }),
    bad('dates-swapped', 'the two due dates changed places', blob, {
      expiresAt: DEK_WRAP.rotateBy,
      rotateBy: DEK_WRAP.expiresAt,
    }),
    bad('confirm-never', 'the owner is not asked any more', blob, { confirm: 0 }),
    bad('confirm-always', 'the owner is asked more often', blob, { confirm: 2 }),
    bad('revision', 'another version of the secret', blob, { revision: 6 }),
    bad('change', 'made by another change', blob, { change: 'import' }),
    bad('old', 'the current version, as an old one', blob, { isOld: true }),
    bad('not-old', 'an old version, as the current one', make('old', { ...DEK_WRAP, isOld: true })),
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
