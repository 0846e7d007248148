/** Lines of a segment as bytes. What is asked of every line of a log stands at a fixed place, so that most are not parsed. */
import { Buffer } from 'node:buffer';

export const NEWLINE = 0x0a;

const CLOSING_START = Buffer.from('{"mac":"');
const CLOSING_END = Buffer.from('"}');
/** 32 bytes as base64url without padding. */
const MAC_LENGTH = 43;
const CLOSING_LENGTH = CLOSING_START.length + MAC_LENGTH + CLOSING_END.length;
/** Bytes of a closing line with its newline. No other line begins as it does. */
export const CLOSING_SIZE = CLOSING_LENGTH + 1;

const AT_START = Buffer.from('{"at":"');
const AT_LENGTH = '2026-11-30T17:20:00.123Z'.length;
const SEQ_START = Buffer.from('","seq":');
const SEQ_PLACE = AT_START.length + AT_LENGTH + SEQ_START.length;
const COMMA = 0x2c;
const ZERO = 0x30;
const MAX_DIGITS = 12;

function startsAt(bytes: Buffer, place: number, text: Buffer): boolean {
  return bytes.compare(text, 0, text.length, place, place + text.length) === 0;
}

/** Returns the line that closes a batch, with its newline. `mac`: 32 bytes. */
export function formatClosingLine(mac: Buffer): string {
  return `${CLOSING_START}${mac.toString('base64url')}${CLOSING_END}\n`;
}

/** Returns the MAC of a line that closes a batch, as it is written; null for another line. `end`: where its newline is. */
export function findMac(bytes: Buffer, start: number, end: number): string | null {
  if (end - start !== CLOSING_LENGTH || !startsAt(bytes, start, CLOSING_START)) return null;
  const at = start + CLOSING_START.length;
  return startsAt(bytes, at + MAC_LENGTH, CLOSING_END) ? bytes.toString('latin1', at, at + MAC_LENGTH) : null;
}

/** Returns the time of an entry's line; empty for another line. */
export function findTime(line: Buffer): string {
  if (line.length < SEQ_PLACE || !startsAt(line, 0, AT_START)) return '';
  return line.toString('latin1', AT_START.length, AT_START.length + AT_LENGTH);
}

/** Returns an entry's number in its segment; 0 for a line that is no entry. `end`: where its newline is. */
export function findSequence(bytes: Buffer, start: number, end: number): number {
  const place = start + SEQ_PLACE;
  if (end < place || !startsAt(bytes, start, AT_START)) return 0;
  if (!startsAt(bytes, place - SEQ_START.length, SEQ_START)) return 0;
  let sequence = 0;
  for (let at = place; at < end && at < place + MAX_DIGITS; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === COMMA) return sequence;
    const digit = byte - ZERO;
    if (digit < 0 || digit > 9) return 0;
    sequence = sequence * 10 + digit;
  }
  return 0;
}
