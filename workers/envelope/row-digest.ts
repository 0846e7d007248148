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
  /** The id of the secret, so that no version can be put among those of another secret; 0 for a field. */
  readonly id: number;
  /** The exact stored JSON text; empty for a field. */
  readonly metadata: string;
  /** The stored integers, whatever their unit. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** `session`, or the id of the token that wrote the row last. */
  readonly writtenBy: string;
  /** 1 if the owner wrote or accepted the row's value, else 0. */
  readonly accepted: number;
  /** Due dates, in the unit of the other times; 0 if there is none. */
  readonly expiresAt: number;
  readonly rotateBy: number;
  /** Whether the owner is asked before a value is read, as stored; 0 for a field. */
  readonly confirm: number;
  /** The number of the secret's version that this row is, or, of a field, that it came with. */
  readonly revision: number;
  /** What made that version (`Change`); empty for a field. */
  readonly change: string;
  /** True if the row was replaced or deleted. Without the key nobody can put it in the place of the current one. */
  readonly isOld?: boolean;
  /** A secret's fields in the order of their names' bytes; empty for a field. */
  readonly fields: readonly FieldVersion[];
}

/** What only the row of a secret binds, as the rows of fields have it. */
export const NOT_A_SECRET = {
  id: 0,
  metadata: '',
  expiresAt: 0,
  rotateBy: 0,
  confirm: 0,
  change: '',
  fields: [],
} as const;

/** What a row without a writer binds: a wrapped KEK's. */
export const NO_WRITER = { ...NOT_A_SECRET, writtenBy: '', accepted: 0, revision: 0 } as const;

/**
 * SHA-256 of LP("mav.v5.row") u64(id) LP(metadata) u64(createdAt) u64(updatedAt) LP(writtenBy) u64(accepted)
 * u64(expiresAt) u64(rotateBy) u64(confirm) u64(revision) LP(change) u64(1 if old, else 0) u64(number of fields), and for each field
 * LP(name) u64(version). Throws IntegrityError for a number that is not a safe non-negative integer.
 */
export function digestRow(row: BoundRow): Buffer<ArrayBuffer> {
  const { id, metadata, createdAt, updatedAt, writtenBy, accepted, expiresAt, rotateBy } = row;
  const { confirm, revision, change, isOld = false, fields } = row;
  const parts = [LABEL, id, metadata, createdAt, updatedAt, writtenBy, accepted, expiresAt, rotateBy];
  parts.push(confirm, revision, change, isOld ? 1 : 0, fields.length);
  for (const { field, version } of fields) parts.push(field, version);
  return hash('sha256', encodeFields(parts), 'buffer');
}
