/** Vectors of row digests. */
import { type Row, rowDigest } from '../../test/fixtures/reference.ts';
import type { Vector } from './vector.ts';
import { DEK_WRAP, describeRow } from './wrap.ts';

export function digestVectors(): Vector[] {
  const make = (name: string, comment: string, change: Partial<Row>) => {
    const { wrappingKey: _wrappingKey, keyId: _keyId, key: _key, c: _c, ...row } = { ...DEK_WRAP, ...change };
    return {
      name: `row-digest_${name}`,
      comment,
      expect: 'success' as const,
      inputs: describeRow(row),
      blob: rowDigest(row),
    };
  };
  const nothing = {
    ...{ id: 0, metadata: '', createdAt: 0, updatedAt: 0, writtenBy: '', accepted: 0, fields: [] },
    ...{ expiresAt: 0, rotateBy: 0, confirm: 0, revision: 0, change: '' },
  };
  const unicode = { metadata: '{"größe":"秘密 🔑"}', fields: [{ field: '🔑', version: 1 }] };
  return [
    make('usual', 'a usual row', {}),
    make('empty', 'no metadata at all, time 0, no writer, no fields', nothing),
    make('unicode', 'lengths count bytes, not characters', { ...unicode, createdAt: 1, updatedAt: 2 }),
    make('far-future', 'times of more than 32 bits', { createdAt: 2 ** 32, updatedAt: 2 ** 53 - 1 }),
    make('old', 'a version that was replaced', { isOld: true }),
    make('confirm', 'the owner is asked each time', { confirm: 2 }),
    make('token', 'written by a token, not accepted', { writtenBy: '00c0ffee00c0ffee', accepted: 0 }),
  ];
}
