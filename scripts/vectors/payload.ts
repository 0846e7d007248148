/** Vectors of payloads: values and fields under a DEK. */
import { type Context, context, payload } from '../../test/fixtures/reference.ts';
import { damages, describe, flip, SECRET, seed, type Vector, wrongContexts } from './vector.ts';

export function payloadVectors(): Vector[] {
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
