/**
 * Tables for people: no borders, so that a line can be selected and cut, and no line wider than the terminal. Loaded
 * only when a table is printed.
 */

import { escapeControls } from '../../text/escape-controls.ts';
import type { Context } from '../run/context.ts';
import { findTerminalWidth, writeInTurn } from '../terminal/output.ts';

export interface Column {
  readonly head: string;
  /** Columns that are never cut: part of a number, a time or an id is useless. */
  readonly isWhole?: boolean;
}

type Rows = readonly (readonly string[])[];

/** The width of a text in columns of a terminal. */
type Measure = (text: string) => number;

const GAP = '  ';
/**
 * All columns are cut to the first of these before one is cut further, and none below the second: then the line ends
 * at the terminal's edge.
 */
const LEAST_WIDTHS = [24, 12];
const LINES_AT_ONCE = 500;
/** Text whose characters are one column wide each: ASCII and precomposed letters of Latin, Greek and Cyrillic. */
const NARROW = ' -~\\u00a1-\\u00ac\\u00ae-\\u024f\\u0391-\\u03c9\\u0400-\\u0481\\u048a-\\u052f';
/** Two: the kana, ideographs and syllables of Japanese, Chinese and Korean that are in one piece. */
const WIDE = '\\u3041-\\u3096\\u30a1-\\u30fc\\u3400-\\u4dbf\\u4e00-\\u9fff\\uac00-\\ud7a3';
const PLAIN = new RegExp(`^[${NARROW}]*$`);
/** Told without looking for what is shown as one character, which takes ten times as long. */
const SIMPLE = new RegExp(`^[${NARROW}${WIDE}]*$`);
const ALL_NARROW = new RegExp(`[${NARROW}]+`, 'g');

/** Prints a heading and a line for each row. All rows have as many cells as there are columns. */
export async function printTable(context: Context, columns: readonly Column[], rows: Rows): Promise<void> {
  const width = context.isOutputTerminal ? findTerminalWidth(context.env) : null;
  await writeInTurn(context, await formatTable(columns, rows, width));
}

/** Returns the table in pieces of many lines. `width`: the terminal's, in columns; null to cut nothing. */
export async function formatTable(
  columns: readonly Column[],
  rows: Rows,
  width: number | null,
): Promise<Iterable<string>> {
  let isPlain = true;
  const cells = rows.map((row) =>
    row.map((cell) => {
      if (PLAIN.test(cell)) return cell;
      const escaped = escapeControls(cell);
      isPlain &&= PLAIN.test(escaped);
      return escaped;
    }),
  );
  return formatPieces(columns, cells, width, isPlain ? measurePlain : await loadMeasure());
}

const measurePlain: Measure = (text) => text.length;

/** Loaded only for text that needs it. Each text is measured twice: for its column, and for its line. */
async function loadMeasure(): Promise<Measure> {
  const { default: stringWidth } = await import('string-width');
  const known = new Map<string, number>();
  return (text) => {
    if (PLAIN.test(text)) return text.length;
    if (SIMPLE.test(text)) return text.length + text.replaceAll(ALL_NARROW, '').length;
    const width = known.get(text) ?? stringWidth(text);
    known.set(text, width);
    return width;
  };
}

function* formatPieces(
  columns: readonly Column[],
  rows: Rows,
  width: number | null,
  measure: Measure,
): Generator<string> {
  const natural = measureColumns(columns, rows, measure);
  const widths = width === null ? natural : fitWidths(columns, natural, width);
  const edge = width !== null && addUp(widths) > width ? width : null;
  const format = (row: readonly string[]) => formatLine(row, widths, edge, measure);
  let piece = format(columns.map(({ head }) => head));
  for (let at = 0; at === 0 || at < rows.length; at += LINES_AT_ONCE) {
    for (const row of rows.slice(at, at + LINES_AT_ONCE)) piece += format(row);
    yield piece;
    piece = '';
  }
}

/** Returns the width of the widest cell of each column. */
function measureColumns(columns: readonly Column[], rows: Rows, measure: Measure): number[] {
  return columns.map(({ head }, column) => {
    let widest = head.length;
    for (const row of rows) {
      const width = measure(row[column] ?? '');
      if (width > widest) widest = width;
    }
    return widest;
  });
}

/** The width of a whole line. */
function addUp(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
}

/** Cuts the last column first, then the widest of those that may be cut, as far as is needed. */
function fitWidths(columns: readonly Column[], natural: readonly number[], width: number): number[] {
  const fitted = [...natural];
  let excess = addUp(natural) - width;
  const shrink = (column: number, least: number) => {
    const before = fitted[column] ?? 0;
    fitted[column] = Math.max(before - excess, Math.min(before, least));
    excess -= before - fitted[column];
  };
  for (const least of LEAST_WIDTHS) {
    if (excess > 0 && !columns.at(-1)?.isWhole) shrink(columns.length - 1, least);
    let widest = findWidest(columns, fitted, least);
    for (; excess > 0 && widest !== null; widest = findWidest(columns, fitted, least))
      shrink(widest, (fitted[widest] ?? 0) - 1);
  }
  return fitted;
}

/** Returns the widest column that may be cut and is wider than `least`; null if there is none. */
function findWidest(columns: readonly Column[], widths: readonly number[], least: number): number | null {
  let widest: number | null = null;
  for (const [column, { isWhole }] of columns.entries()) {
    const width = widths[column] ?? 0;
    if (isWhole || width <= least) continue;
    if (widest === null || width > (widths[widest] ?? 0)) widest = column;
  }
  return widest;
}

/** `edge`: the column at which the line is cut; null if it fits. */
function formatLine(
  row: readonly string[],
  widths: readonly number[],
  edge: number | null,
  measure: Measure,
): string {
  let line = '';
  // By index: pairs of index and cell take as long as everything else here.
  for (let column = 0; column < row.length; column++) {
    const cell = row[column] ?? '';
    const room = widths[column] ?? 0;
    const taken = measure(cell);
    const text = taken > room ? cutText(cell, room, measure) : cell;
    line += text;
    if (column < row.length - 1)
      line += ' '.repeat(GAP.length + room - (taken > room ? measure(text) : taken));
  }
  if (edge !== null && measure(line) > edge) line = cutText(line, edge, measure);
  return `${line.trimEnd()}\n`;
}

const ELLIPSIS = '…';
/** Made for the first text that needs it: that takes 5 ms. */
let characters: Intl.Segmenter | undefined;

/** As much of a text as fits with an ellipsis behind it; never half of what is shown as one character. */
function cutText(text: string, room: number, measure: Measure): string {
  const start = text.slice(0, room - ELLIPSIS.length);
  if (PLAIN.test(start) && PLAIN.test(text[start.length] ?? '')) return `${start.trimEnd()}${ELLIPSIS}`;
  let kept = '';
  let width = ELLIPSIS.length;
  for (const character of splitCharacters(text, room)) {
    width += measure(character);
    if (width > room) break;
    kept += character;
  }
  return `${kept.trimEnd()}${ELLIPSIS}`;
}

/** Splits a text into what is shown as one character each, at least as many as fill the room. */
function splitCharacters(text: string, room: number): Iterable<string> {
  // What follows the last may belong to it.
  const start = text.slice(0, room + 1);
  return SIMPLE.test(start) ? start : segmentText(text);
}

/** Yields one character at a time, because the text may be much longer than the room. */
function* segmentText(text: string): Generator<string> {
  characters ??= new Intl.Segmenter();
  for (const { segment } of characters.segment(text)) yield segment;
}
