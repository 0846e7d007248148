/** Splits the bytes of a segment into batches: some lines and the line with their MAC. The first batch is the head. */
import { findMac, findSequence, NEWLINE } from './lines.ts';

export interface Batch {
  /** Counted from 1, as editors do. */
  readonly firstLine: number;
  /** The number of the line that has the MAC. */
  readonly closingLine: number;
  /** Where its lines are: from `start` to `linesEnd`. */
  readonly start: number;
  readonly linesEnd: number;
  /** Where the batch ends, the line with the MAC included. */
  readonly end: number;
  /** The MAC as it is written, 43 characters. */
  readonly mac: string;
  /** The number of each entry in its segment, in the order of the lines; 0 for a line that is no entry. */
  readonly sequences: readonly number[];
}

/** Yields the batches that are complete. */
export function* splitBatches(bytes: Buffer): Generator<Batch> {
  let [firstLine, start] = [1, 0];
  let sequences: number[] = [];
  let [line, lineStart] = [1, 0];
  for (let newline = bytes.indexOf(NEWLINE); newline >= 0; newline = bytes.indexOf(NEWLINE, lineStart)) {
    const mac = findMac(bytes, lineStart, newline);
    const end = newline + 1;
    if (mac === null) sequences.push(findSequence(bytes, lineStart, newline));
    else {
      yield { firstLine, closingLine: line, start, linesEnd: lineStart, end, mac, sequences };
      [firstLine, start, sequences] = [line + 1, end, []];
    }
    [line, lineStart] = [line + 1, end];
  }
}
