/** Lines for programs, such as cut, awk and `while read`: tabs between the columns, no heading, nothing cut. */

import { escapeControls } from '../../text/escape-controls.ts';
import type { Context } from '../run/context.ts';
import { writeInTurn } from '../terminal/output.ts';

const LINES_AT_ONCE = 500;
const CONTROL_CHARACTERS = /\p{Cc}/gu;

/** Prints a line for each row. What would break a line or a column is escaped: `\u{9}` for a tab. */
export async function printPlain(context: Context, rows: readonly (readonly string[])[]): Promise<void> {
  // A terminal could be moved by more than a program.
  const protect = context.isOutputTerminal ? escapeControls : escapeBreaks;
  await writeInTurn(context, formatLines(rows, protect));
}

function* formatLines(
  rows: readonly (readonly string[])[],
  protect: (text: string) => string,
): Generator<string> {
  for (let start = 0; start < rows.length; start += LINES_AT_ONCE) {
    const lines = rows.slice(start, start + LINES_AT_ONCE).map((row) => row.map(protect).join('\t'));
    yield `${lines.join('\n')}\n`;
  }
}

function escapeBreaks(text: string): string {
  return text.replaceAll(CONTROL_CHARACTERS, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`);
}

/** JSON on one line, whatever reads it: the control characters that JSON allows as they are become its escapes. */
export function formatJsonCell(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\x7f-\x9f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
