/** A test vector, and the parts that vectors of every kind are made from: fixed bytes, contexts, damage. */
import { createHash } from 'node:crypto';
import type { Context } from '../../test/fixtures/reference.ts';

export type Value = string | number | Buffer;

export interface Vector {
  readonly name: string;
  readonly comment: string;
  readonly expect: 'success' | 'integrity';
  /** The header's inputs for opening the blob. They may differ from those that the blob was made from. */
  readonly inputs: Readonly<Record<string, Value>>;
  readonly blob: Buffer;
}

/** Returns `size` bytes that look random and are always the same. */
export function seed(label: string, size: number): Buffer {
  return createHash('shake256', { outputLength: size }).update(`MaestroVault vector: ${label}`).digest();
}

/** Flips the lowest bit of one byte; a negative offset counts from the end. */
export function flip(blob: Buffer, offset: number): Buffer {
  const copy = Buffer.from(blob);
  const index = offset < 0 ? copy.length + offset : offset;
  copy.writeUInt8(copy.readUInt8(index) ^ 1, index);
  return copy;
}

export function patch(blob: Buffer, bytes: Buffer, offset: number): Buffer {
  return Buffer.concat([blob.subarray(0, offset), bytes, blob.subarray(offset + bytes.length)]);
}

export const SECRET: Context = {
  vaultId: seed('vault id', 16),
  kind: 'secret',
  environment: 'production',
  name: 'database/primary',
  field: '',
  version: 3,
};

export const describe = (c: Context): Record<string, Value> => ({
  'vault-id': c.vaultId,
  'context-kind': c.kind,
  environment: c.environment,
  name: c.name,
  field: c.field,
  version: c.version,
});

/** Returns one context for each component, which differs only in that component, and two that shift bytes between two. */
export function wrongContexts(c: Context): [name: string, comment: string, context: Context][] {
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
export function damages(blob: Buffer): [name: string, comment: string, blob: Buffer][] {
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
