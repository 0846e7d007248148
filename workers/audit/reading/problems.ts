/** What can be wrong with the log, and where. */

export type ProblemKind =
  /** Lines, or the MAC behind them, are not what was written. */
  | 'changed'
  /** Entries are missing. */
  | 'removed'
  | 'reordered'
  | 'duplicated'
  /** The end is missing. */
  | 'truncated'
  /** Something follows the end of a closed segment. */
  | 'added'
  /** The chain is sound, and is not the one that the vault's database knows. */
  | 'not_anchored'
  /** The file is that of another segment, or of another vault. */
  | 'foreign'
  | 'missing_file'
  /** The database has no row of a segment that was not dropped. */
  | 'missing_segment'
  /** A file whose segment the database does not know. */
  | 'unknown_file'
  /** The segment's row in the database was changed without the key. */
  | 'changed_row';

export interface Problem {
  readonly segment: number;
  /** The first entry that is concerned, as `segment.sequence`; null if it is not known. */
  readonly entry: string | null;
  /** The first line that is concerned, counted from 1; null if it is about the file as a whole. */
  readonly line: number | null;
  /** The last line that is concerned; absent if it is the same. */
  readonly last_line?: number;
  readonly problem: ProblemKind;
}
