/** The first batch of a segment's file: its head says whose it is and which. */
import type { Anchor } from '../../envelope/segment-digest.ts';
import type { Keyring } from '../../keys/keyring.ts';
import type { SegmentRow } from '../../store/columns.ts';
import { closeBatch, NO_MAC } from '../chain.ts';
import { writeAt } from '../segment-files.ts';
import { withSegmentKey } from '../segment-keys.ts';

/** The version of the log's format. */
const FORMAT = 1;

/** Writes the head into an empty file, always the same for the same row. Returns where it ends. */
export function writeHead(keyring: Keyring, row: SegmentRow, descriptor: number): Anchor {
  const vault = Buffer.from(keyring.vaultId).toString('hex');
  const opened = new Date(row.openedAt * 1000).toISOString();
  const line = `${JSON.stringify({ audit: FORMAT, vault, segment: row.id, opened })}\n`;
  const { bytes, mac } = withSegmentKey(keyring, row, (key) => closeBatch(key, NO_MAC, line));
  writeAt(descriptor, bytes, 0);
  return { bytes: bytes.length, entries: 0, mac };
}
