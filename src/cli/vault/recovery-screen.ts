/** How a recovery code stands on the terminal. The words are bytes, and so is the screen, which whoever shows it zeroes. */
import { wrapText } from '../terminal/wrap.ts';

const MAX_COLUMNS = 4;
const MAX_WIDTH = 80;
/** The number, and the longest word, which has 8 letters. */
const NUMBER_WIDTH = 6;
const WORD_WIDTH = 10;
const CELL_WIDTH = NUMBER_WIDTH + WORD_WIDTH;

const ADVICE =
  'This is the recovery code of your vault: the vault opens with it when its key is lost. Write it on paper, and keep it where ' +
  'you keep your passport. It is shown only now.';

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** `notes`: what to say below the words, each a line or more. */
export function layOutCode(
  words: readonly Uint8Array[],
  notes: readonly string[],
  { columns, rows }: ScreenSize,
): Uint8Array {
  const width = Math.min(columns, MAX_WIDTH) - 1;
  const advice = toLines([ADVICE], width);
  const below = toLines(notes, width);
  const perRow = Math.min(MAX_COLUMNS, Math.max(1, Math.floor(width / CELL_WIDTH)));
  const height = Math.ceil(words.length / perRow);
  // With the empty lines between them, and the question.
  const isTall = advice.length + height + below.length + 4 > rows;
  const table = isTall ? layOutInLine(words, width) : layOutInColumns(words, height);
  const end = Buffer.from('\r\n');
  return Buffer.concat([...(isTall ? [] : [...advice, end]), ...table, end, ...below]);
}

function toLines(texts: readonly string[], width: number): Buffer[] {
  return texts.flatMap((text) => wrapText(text, '', width)).map((line) => Buffer.from(`${line}\r\n`));
}

/** One column after the other, each from top to bottom. */
function layOutInColumns(words: readonly Uint8Array[], height: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let row = 0; row < height; row++) {
    for (let at = row; at < words.length; at += height) {
      const word = words[at] as Uint8Array;
      const isLast = at + height >= words.length;
      pieces.push(number(at), word, Buffer.from(isLast ? '\r\n' : ' '.repeat(WORD_WIDTH - word.length)));
    }
  }
  return pieces;
}

/** For a screen that is too small for columns: one word after the other, in as few lines as can be. */
function layOutInLine(words: readonly Uint8Array[], width: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let used = 0;
  for (const [at, word] of words.entries()) {
    const label = Buffer.from(`${at + 1}.`);
    const size = label.length + word.length + 1;
    if (used > 0 && used + size > width) {
      pieces.push(Buffer.from('\r\n'));
      used = 0;
    }
    pieces.push(label, word, Buffer.from(' '));
    used += size;
  }
  return [...pieces, Buffer.from('\r\n')];
}

function number(at: number): Buffer {
  return Buffer.from(`${String(at + 1).padStart(NUMBER_WIDTH - 2)}. `);
}
