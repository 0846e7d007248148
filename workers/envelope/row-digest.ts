/**
 * The row digest: a hash of the plaintext columns of a row. The wrap of its DEK binds the digest, so that a changed row
 * cannot be decrypted.
 */

import type { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';
import { encodeFields } from './encoding.ts';

const LABEL = 'mav.v5.row';

/** A field as its secret's row binds it, by name and version. The field's own row binds its value to that version. */
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

/** The digest's input for a wrapped KEK, whose row has no writer and no fields. */
export const NO_WRITER: Pick<BoundRow, 'writtenBy' | 'accepted' | 'fields'> = {
  writtenBy: '',
  accepted: 0,
  fields: [],
};

/**
 * SHA-256 of LP("mav.v5.row") LP(metadata) u64(createdAt) u64(updatedAt) LP(writtenBy) u64(accepted) u64(number of
 * fields), and for each field LP(name) u64(version). Throws IntegrityError for a number that is not a safe
 * non-negative integer.
 */
export function digestRow(row: BoundRow): Buffer<ArrayBuffer> {
  const { metadata, createdAt, updatedAt, writtenBy, accepted, fields } = row;
  const parts = [LABEL, metadata, createdAt, updatedAt, writtenBy, accepted, fields.length];
  for (const { field, version } of fields) parts.push(field, version);
  return hash('sha256', encodeFields(parts), 'buffer');
}
