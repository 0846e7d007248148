/**
 * Templates: any bytes, in which `{{ mav://ENV/NAME#FIELD }}` stands for what is stored. Everything else, other
 * languages' `{{ … }}` too, is left as it is.
 */

import { parseReference } from '../input/reference.ts';
import type { Reference } from '../run/command.ts';
import { usageError } from '../run/failure.ts';

export interface Slot {
  readonly reference: Reference;
  /** Counted from 1. */
  readonly line: number;
  /** Where it starts and ends in the template, in bytes. */
  readonly start: number;
  readonly end: number;
}

/** A slot goes up to the first `}}` on its line. Both patterns match latin1 text, one character for each byte. */
const OPENING = /\{\{[ \t]*(?=mav:)/g;
const REFERENCE = /(mav:[^\r\n]*?)[ \t]*\}\}/y;
const NEWLINE = 0x0a;
/** How much of a malformed reference a message repeats. */
const MAX_SHOWN = 100;

/** How text in UTF-16 or UTF-32 begins, with a byte order mark, or has `mav:` without one. */
const WIDE_MARKS = [/^\xff\xfe|^\xfe\xff|^\0\0\xfe\xff/, /m\0+a\0+v\0+:/];

/**
 * Throws CliError for a text in UTF-16 or UTF-32, as some editors and PowerShell's > write it: no reference would be
 * found, and the file would be passed on as it is, unfilled.
 */
export function checkEncoding(template: Buffer, what: string): void {
  const text = template.toString('latin1');
  if (WIDE_MARKS.some((mark) => mark.test(text)))
    throw usageError(`${what} is UTF-16 or UTF-32 text; save it as UTF-8`);
}

/** Throws CliError for a malformed reference, with its line. `what` names the template. */
export function findSlots(template: Buffer, what: string): Slot[] {
  const text = template.toString('latin1');
  const slots: Slot[] = [];
  let [line, counted] = [1, 0];
  for (const { index, 0: opening } of text.matchAll(OPENING)) {
    // Another opening inside of one that is not ended yet.
    if (index < (slots.at(-1)?.end ?? 0)) continue;
    for (; counted < index; counted++) if (template[counted] === NEWLINE) line += 1;
    REFERENCE.lastIndex = index + opening.length;
    const written = REFERENCE.exec(text)?.[1];
    const reference = written === undefined ? null : parseReference(decodeLatin1(written));
    if (reference === null) throw usageError(explainReference(`${what}, line ${line}`, written));
    slots.push({ reference, line, start: index, end: REFERENCE.lastIndex });
  }
  return slots;
}

/** Returns an empty text for bytes that are not UTF-8: no reference is empty. */
function decodeLatin1(latin1: string): string {
  const text = Buffer.from(latin1, 'latin1').toString();
  return text.includes('\ufffd') ? '' : text;
}

function explainReference(place: string, written: string | undefined): string {
  const how =
    'write {{ mav://ENV/NAME }} or {{ mav://ENV/NAME#FIELD }}, with an empty ENV for the default environment';
  if (written === undefined) return `${place}: a reference is not ended with }} on its line; ${how}`;
  return `${place}: not a reference: ${JSON.stringify(decodeLatin1(written).slice(0, MAX_SHOWN))}; ${how}`;
}

/** The template with the values, one for each slot, in their places. */
export function fillSlots(template: Buffer, slots: readonly Slot[], values: readonly Uint8Array[]): Buffer {
  const pieces: Uint8Array[] = [];
  let done = 0;
  for (const [at, { start, end }] of slots.entries()) {
    pieces.push(template.subarray(done, start), values[at] ?? new Uint8Array());
    done = end;
  }
  return Buffer.concat([...pieces, template.subarray(done)]);
}
