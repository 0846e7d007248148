/**
 * Finds where a segment ends that an earlier process left open. What was written after the anchor is taken over as far as the
 * chain goes. What a power failure cut off in the middle goes; the batches of writes are in the database, too, and are
 * written again from there.
 */
import { fdatasyncSync, fstatSync } from 'node:fs';
import type { Anchor } from '../../envelope/segment-digest.ts';
import type { Keyring } from '../../keys/keyring.ts';
import type { AuditHead } from '../../row-set/row-sums.ts';
import type { StoredBlock } from '../../store/audit.ts';
import type { SegmentRow } from '../../store/columns.ts';
import { followChain, NO_MAC, readLastMac } from '../chain.ts';
import { cutOff, readFrom, writeAt } from '../segment-files.ts';
import { withSegmentKey } from '../segment-keys.ts';
import { writeHead } from './segment-head.ts';

/** The file is not as this program left it: somebody changed it without the key. */
export class BrokenSegmentError extends Error {
  override readonly name = 'BrokenSegmentError';
}

export interface Recovered {
  readonly anchor: Anchor;
  /** Bytes of a batch that was not written whole. */
  readonly tornBytes: number;
}

/** Returns where the file's chain ends. Changes nothing. Throws BrokenSegmentError, or IntegrityError for a changed row. */
export function findEnd(keyring: Keyring, row: SegmentRow, descriptor: number): Anchor {
  checkAnchored(row, descriptor);
  return followFrom(keyring, row, row, readFrom(descriptor, row.bytes));
}

/**
 * As findEnd. Also writes the blocks that the file lacks, cuts off what follows, and syncs the file. `head`: where the segment
 * ended at the last commit, if that wrote into it; to this the file must reach then.
 */
export function recoverSegment(
  keyring: Keyring,
  row: SegmentRow,
  descriptor: number,
  blocks: readonly StoredBlock[],
  head: AuditHead | null = null,
): Recovered {
  let anchor = findEnd(keyring, row, descriptor);
  const { size } = fstatSync(descriptor);
  const tornBytes = size - anchor.bytes;
  cutOff(descriptor, anchor.bytes);
  if (anchor.bytes === 0) anchor = writeHead(keyring, row, descriptor);
  for (const { position, block } of blocks) {
    if (position < anchor.bytes) continue;
    const after = followFrom(keyring, row, anchor, block);
    if (position > anchor.bytes || after.bytes !== position + block.length) throw new BrokenSegmentError();
    writeAt(descriptor, block, position);
    anchor = after;
  }
  if (head !== null && readLastMac(descriptor, head.bytes) !== Buffer.from(head.mac).toString('base64url'))
    throw new BrokenSegmentError();
  if (anchor.bytes !== size) fdatasyncSync(descriptor);
  return { anchor, tornBytes };
}

/** The file must have what was anchored. Only its last MAC is compared here; verifying the log compares all. */
function checkAnchored({ bytes, mac }: SegmentRow, descriptor: number): void {
  if (fstatSync(descriptor).size < bytes) throw new BrokenSegmentError();
  if (bytes > 0 && readLastMac(descriptor, bytes) !== Buffer.from(mac).toString('base64url'))
    throw new BrokenSegmentError();
}

function followFrom(keyring: Keyring, row: SegmentRow, from: Anchor, bytes: Buffer): Anchor {
  const previous = from.bytes === 0 ? NO_MAC : from.mac;
  const sound = withSegmentKey(keyring, row, (key) => followChain(key, previous, bytes));
  if (sound.isBroken) throw new BrokenSegmentError();
  // The head is a line, but not an entry.
  const heads = from.bytes === 0 && sound.bytes > 0 ? 1 : 0;
  return {
    bytes: from.bytes + sound.bytes,
    entries: from.entries + sound.lines - heads,
    mac: sound.mac,
  };
}
