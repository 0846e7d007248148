/** The newline that editors, `echo` and programs put at the end of a text. */

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Returns the length of `bytes` without one final `\n` or `\r\n`. */
export function findEndBeforeNewline(bytes: Uint8Array): number {
  if (bytes.at(-1) !== NEWLINE) return bytes.length;
  return bytes.at(-2) === CARRIAGE_RETURN ? bytes.length - 2 : bytes.length - 1;
}

/** A view of `bytes` without one final `\n` or `\r\n`. */
export function withoutFinalNewline(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, findEndBeforeNewline(bytes));
}
