/**
 * The row digest: what a secret's row says in plaintext, so that the wrap of its DEK can vouch for it. Holds no
 * secret; metadata and times lie open in the database.
 */

import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';
import { encodeFields, U32_SIZE, U64_SIZE, writeText, writeU64 } from './encoding.ts';

const LABEL = encodeFields('mav.v4.row');

/**
 * SHA-256 of LP("mav.v4.row") LP(metadata) u64(createdAt) u64(updatedAt). `metadata` is the exact stored JSON text;
 * the times are the stored integers, in whatever unit the store keeps. Throws IntegrityError for a time that is no
 * safe non-negative integer.
 */
export function digestRow(metadata: string, createdAt: number, updatedAt: number): Buffer<ArrayBuffer> {
  const metadataSize = Buffer.byteLength(metadata);
  const bytes = Buffer.allocUnsafe(LABEL.length + U32_SIZE + metadataSize + 2 * U64_SIZE);
  bytes.set(LABEL, 0);
  let offset = writeText(bytes, metadata, metadataSize, LABEL.length);
  offset = writeU64(bytes, createdAt, offset);
  writeU64(bytes, updatedAt, offset);
  return hash('sha256', bytes, 'buffer');
}
