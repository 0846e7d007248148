/**
 * A segment into which one thread writes. Holds the segment's key, which the keyring zeroes at its end; the segment can then
 * not be written any more.
 */
import type { Anchor } from '../../envelope/segment-digest.ts';
import type { SegmentRow } from '../../store/columns.ts';
import { type Block, closeBatch } from '../chain.ts';
import { writeAt } from '../segment-files.ts';

/** 16 MiB. A segment that has more is followed by another. */
const MAX_SIZE = 16 * 1_048_576;
/** 30 days. Only closed segments can be dropped, so even a small one is closed at some time. */
const MAX_AGE_SECONDS = 30 * 86_400;

/** Returns until when a segment may be written, in Unix milliseconds. */
export function findExpiryMs({ openedAt }: Pick<SegmentRow, 'openedAt'>): number {
  return (openedAt + MAX_AGE_SECONDS) * 1000;
}

/** A batch that is ready to be written, and where the segment then ends. */
export interface PreparedBatch extends Block {
  readonly position: number;
  readonly after: Anchor;
}

export class OpenSegment {
  readonly id: number;
  /** Unix time. */
  readonly #untilMs: number;
  readonly #descriptor: number;
  readonly #key: Uint8Array;
  #anchor: Anchor;

  constructor(row: Pick<SegmentRow, 'id' | 'openedAt'>, descriptor: number, key: Uint8Array, anchor: Anchor) {
    this.id = row.id;
    this.#untilMs = findExpiryMs(row);
    this.#descriptor = descriptor;
    this.#key = key;
    this.#anchor = anchor;
  }

  /** Where it ends, after what was written so far. */
  get anchor(): Anchor {
    return this.#anchor;
  }

  /** Whether its key is still there, and it is neither full nor old. */
  get isUsable(): boolean {
    return this.#key.length > 0 && this.#anchor.bytes < MAX_SIZE && Date.now() < this.#untilMs;
  }

  /** Makes a batch of lines, each with its newline, that have `entries` entries. Writes nothing. */
  prepare(lines: string, entries: number): PreparedBatch {
    const { bytes: position, entries: before, mac: previous } = this.#anchor;
    const block = closeBatch(this.#key, previous, lines);
    const bytes = position + block.bytes.length;
    return { ...block, position, after: { bytes, entries: before + entries, mac: block.mac } };
  }

  /** Writes a batch that was prepared last. Throws what the system says; the next batch then takes the same place. */
  write({ bytes, position, after }: PreparedBatch): void {
    if (position !== this.#anchor.bytes) throw new RangeError('a batch was prepared for another place');
    writeAt(this.#descriptor, bytes, position);
    this.#anchor = after;
  }
}
