/** What a reader and the writer say to each other about the audit log, over a channel that only these two threads have. */
import type { Anchor } from '../../envelope/segment-digest.ts';
import type { SegmentRow } from '../../store/columns.ts';

/** A segment that a reader may write. */
export interface LentSegment {
  readonly row: SegmentRow;
  readonly anchor: Anchor;
  /** Of its file, which the writer opened: a reader may open none for writing. */
  readonly descriptor: number;
  /** One 32-bit word. The reader sets it when it has written, and the writer clears it before it syncs. */
  readonly dirty: SharedArrayBuffer;
}

/** A segment that the reader does not write any more, and where it ends. */
export interface Returned {
  readonly id: number;
  readonly anchor: Anchor;
}

export type ToWriter =
  /** Asks for a segment, and gives the one before it back. `number`: counts the reader's questions. */
  | { readonly kind: 'borrow'; readonly number: number; readonly returned: Returned | null }
  /** The reader has set `dirty`. */
  | { readonly kind: 'written' };

export type ToReader =
  /** The vault is unsealed: whoever has no segment may ask for one. */
  | { readonly kind: 'unsealed' }
  /** The answer to the question of that number. */
  | { readonly kind: 'answer'; readonly number: number; readonly answer: BorrowAnswer };

export type BorrowAnswer =
  | { readonly kind: 'lent'; readonly segment: LentSegment }
  | { readonly kind: 'sealed' }
  /** The log cannot be written. `code`: of the system's error. */
  | { readonly kind: 'refused'; readonly code: string };
