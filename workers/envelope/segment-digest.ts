/** The digest of a row of `audit_segments`. The wrap of the segment's key binds it, so that a changed row opens no segment. */

import type { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';
import { encodeFields } from './encoding.ts';

const LABEL = 'mav.v5.segment';

/** What is known of a segment's file: it has at least these bytes, and a closed segment has no others. */
export interface Anchor {
  readonly bytes: number;
  readonly entries: number;
  /** The MAC of the last batch within these bytes (32 bytes); empty if there are none. */
  readonly mac: Uint8Array;
}

export interface BoundSegment extends Anchor {
  /** Unix seconds. */
  readonly openedAt: number;
  /** Unix seconds; 0 while the segment is open. */
  readonly closedAt: number;
}

/**
 * SHA-256 of LP("mav.v5.segment") u64(openedAt) u64(closedAt) u64(bytes) u64(entries) LP(mac). Throws IntegrityError for a
 * number that is not a safe non-negative integer.
 */
export function digestSegment(segment: BoundSegment): Buffer<ArrayBuffer> {
  const { openedAt, closedAt, bytes, entries, mac } = segment;
  return hash('sha256', encodeFields([LABEL, openedAt, closedAt, bytes, entries, mac]), 'buffer');
}
