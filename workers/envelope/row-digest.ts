/**
 * The row digest: a hash of the plaintext columns of a row. The wrap of its DEK binds the digest, so that a changed row
 * cannot be decrypted.
 */

import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';
import { encodeFields, U32_SIZE, U64_SIZE, writeText, writeU64 } from './encoding.ts';

const LABEL = encodeFields('mav.v4.row');

/** A field as its secret's row binds it. Its value is bound by its own row, and that by this version. */
export interface FieldVersion {
  readonly field: string;
  readonly version: number;
}

/** The plaintext of a row that its wrapped DEK binds. */
export interface BoundRow {
  /** The exact stored JSON text; empty for a field. */
  readonly metadata: string;
  /** The stored integers, whatever their unit. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** `session`, or the id of the token that wrote the row last. */
  readonly writtenBy: string;
  /** 1 if the owner wrote or accepted the row's value, else 0. */
  readonly accepted: number;
  /** A secret's fields in the order of their names' bytes; empty for a field. */
  readonly fields: readonly FieldVersion[];
}

/** What a row without a writer and without fields binds: a wrapped KEK's. */
export const NO_WRITER: Pick<BoundRow, 'writtenBy' | 'accepted' | 'fields'> = {
  writtenBy: '',
  accepted: 0,
  fields: [],
};

/**
 * SHA-256 of LP("mav.v4.row") LP(metadata) u64(createdAt) u64(updatedAt) LP(writtenBy) u64(accepted) u64(number of
 * fields), and for each field LP(name) u64(version). Throws IntegrityError for a number that is not a safe
 * non-negative integer.
 */
export function digestRow(row: BoundRow): Buffer<ArrayBuffer> {
  const { metadata, writtenBy, fields } = row;
  const metadataSize = Buffer.byteLength(metadata);
  const writerSize = Buffer.byteLength(writtenBy);
  const fieldSizes = fields.map(({ field }) => Buffer.byteLength(field));
  const texts = fieldSizes.reduce((sum, size) => sum + size, metadataSize + writerSize);
  const lengths = (2 + fields.length) * U32_SIZE + (4 + fields.length) * U64_SIZE;
  const bytes = Buffer.allocUnsafe(LABEL.length + texts + lengths);
  bytes.set(LABEL, 0);
  let offset = writeText(bytes, metadata, metadataSize, LABEL.length);
  offset = writeU64(bytes, row.createdAt, offset);
  offset = writeU64(bytes, row.updatedAt, offset);
  offset = writeText(bytes, writtenBy, writerSize, offset);
  offset = writeU64(bytes, row.accepted, offset);
  offset = writeU64(bytes, fields.length, offset);
  for (const [index, { field, version }] of fields.entries()) {
    offset = writeText(bytes, field, fieldSizes[index] ?? 0, offset);
    offset = writeU64(bytes, version, offset);
  }
  return hash('sha256', bytes, 'buffer');
}
