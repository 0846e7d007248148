/**
 * Base64 (RFC 4648 section 4), from bytes to bytes, because a secret must not become a string. The caller zeroes both
 * buffers.
 */
import type { SecretBytes } from './secret-bytes.ts';

const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const PAD = 0x3d;
/** `A`, the digit whose six bits are zero. */
const ZERO_DIGIT = 0x41;

/** A digit's six bits by its byte, -1 for every other byte. */
const DIGITS = new Int32Array(256).fill(-1);
for (const [value, letter] of ALPHABET.entries()) DIGITS[letter] = value;

/** Returns the length of the base64 text of `size` bytes, with its padding. */
export function base64Length(size: number): number {
  return Math.ceil(size / 3) * 4;
}

/**
 * Decodes in place, so that there is no second copy: returns the beginning of `text` and zeroes the rest. Returns null
 * unless `text` is base64 as `encodeBase64` writes it: without white space, padded (section 3.2), the unused bits zero
 * (section 3.5). The content of `text` is then undefined, and the caller still zeroes it.
 */
export function decodeBase64(text: SecretBytes): SecretBytes | null {
  if (text.length % 4 !== 0) return null;
  const padding = replacePadding(text);
  const size = (text.length / 4) * 3 - padding;
  let to = 0;
  let bits = 0;
  for (let from = 0; from < text.length; from += 4) {
    bits = readQuad(text, from);
    if (bits < 0) return null;
    text[to++] = bits >> 16;
    text[to++] = bits >> 8;
    text[to++] = bits;
  }
  const unused = bits & ((1 << (8 * padding)) - 1);
  text.fill(0, size);
  return unused === 0 ? text.subarray(0, size) : null;
}

/** Replaces the padding by zero digits and returns how many bytes it had: at most two. */
function replacePadding(text: Uint8Array): number {
  let padding = 0;
  while (padding < 2 && text[text.length - 1 - padding] === PAD) padding++;
  text.fill(ZERO_DIGIT, text.length - padding);
  return padding;
}

/** Returns four digits as 24 bits; a negative number if one of the bytes is not a digit. */
function readQuad(text: Uint8Array, at: number): number {
  return (
    (readDigit(text, at) << 18) |
    (readDigit(text, at + 1) << 12) |
    (readDigit(text, at + 2) << 6) |
    readDigit(text, at + 3)
  );
}

function readDigit(text: Uint8Array, at: number): number {
  return DIGITS[text[at] ?? 0] ?? -1;
}

/**
 * Encodes the `size` bytes from `start` on in place, as `base64Length(size)` bytes of ASCII from there on. The memory must
 * have room for them. Goes backwards, because each group is longer than its bytes: no byte is overwritten before it is
 * read, and no byte is left.
 */
export function spreadBase64(memory: Uint8Array, start: number, size: number): void {
  let from = start + Math.floor((size - 1) / 3) * 3;
  let to = start + base64Length(size) - 4;
  const end = start + size;
  for (; from >= start; from -= 3, to -= 4) {
    const second = from + 1 < end ? (memory[from + 1] as number) : 0;
    const third = from + 2 < end ? (memory[from + 2] as number) : 0;
    const bits = ((memory[from] as number) << 16) | (second << 8) | third;
    // Not a loop, which takes four times as long: a large value has a million of these groups.
    memory[to] = ALPHABET[bits >> 18] as number;
    memory[to + 1] = ALPHABET[(bits >> 12) & 63] as number;
    memory[to + 2] = ALPHABET[(bits >> 6) & 63] as number;
    memory[to + 3] = ALPHABET[bits & 63] as number;
  }
  const padding = (3 - (size % 3)) % 3;
  const after = start + base64Length(size);
  memory.fill(PAD, after - padding, after);
}
