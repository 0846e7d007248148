/** What a value looks like in a file: as it is, and in the encodings that configuration files put values into. */
import { isUtf8 } from 'node:buffer';

/** Bytes. A shorter value would be found everywhere. */
export const MIN_VALUE_SIZE = 6;
/** Bytes. Of a longer value only so much is looked for: a file that has that much has a copy of it. */
export const MAX_VALUE_SIZE = 4_096;

/** Words, in lower case, that stand in files for other reasons. */
const ORDINARY_WORDS: ReadonlySet<string> = new Set(
  `changeme default develop developer development disabled enabled example localhost optional password postgres
  postgresql production required secret secrets staging testing undefined unknown username 127.0.0.1 0.0.0.0`.split(
    /\s+/,
  ),
);

const BITS_OF_BYTE = 8;
const BITS_OF_DIGIT = 6;

/** Returns null for a value that is too short or too common to be looked for. */
export function listForms(value: Uint8Array): Buffer[] | null {
  const bytes = cutValue(trimNewlines(Buffer.from(value.buffer, value.byteOffset, value.length)));
  if (bytes.length < MIN_VALUE_SIZE || isOrdinary(bytes)) return null;
  const forms = [bytes, ...listTextForms(bytes), ...listBase64Forms(bytes)];
  return forms.filter((form, index) => forms.findIndex((other) => other.equals(form)) === index);
}

/** A value that came out of a file has a newline at its end, which it hardly has elsewhere. */
function trimNewlines(value: Buffer): Buffer {
  let end = value.length;
  while (end > 0 && (value[end - 1] === 0x0a || value[end - 1] === 0x0d)) end -= 1;
  return value.subarray(0, end);
}

/** Cuts a long value, but never in the middle of a character. */
function cutValue(value: Buffer): Buffer {
  let end = Math.min(value.length, MAX_VALUE_SIZE);
  while (end > 0 && end < value.length && ((value[end] as number) & 0xc0) === 0x80) end -= 1;
  return value.subarray(0, end);
}

/** Returns whether the value is one repeated byte, or a word that is everywhere in configuration. */
function isOrdinary(bytes: Buffer): boolean {
  return (
    bytes.every((byte) => byte === bytes[0]) || ORDINARY_WORDS.has(bytes.toString('latin1').toLowerCase())
  );
}

/** In JSON, with the letters beyond ASCII as they are and escaped, and in a URL. */
function listTextForms(bytes: Buffer): Buffer[] {
  if (!isUtf8(bytes)) return [];
  const text = bytes.toString();
  const json = JSON.stringify(text).slice(1, -1);
  const url = encodeURIComponent(text);
  return [json, escapeBeyondAscii(json), json.replaceAll('/', '\\/'), url, url.replaceAll('%20', '+')].map(
    (form) => Buffer.from(form),
  );
}

function escapeBeyondAscii(json: string): string {
  return json.replace(/[^\0-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * In base64, by itself and inside of what was encoded as a whole (`user:password` of HTTP): a digit stands for six
 * bits, so there are three ways in which a value can lie; digits that its neighbours have a part in are left out.
 */
function listBase64Forms(bytes: Buffer): Buffer[] {
  return [0, 1, 2].flatMap((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const first = Math.ceil((before * BITS_OF_BYTE) / BITS_OF_DIGIT);
    const end = Math.floor(((before + bytes.length) * BITS_OF_BYTE) / BITS_OF_DIGIT);
    const digits = encoded.slice(first, end);
    return [digits, digits.replaceAll('+', '-').replaceAll('/', '_')].map((form) => Buffer.from(form));
  });
}
