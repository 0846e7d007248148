/** Puts request bodies together as bytes: what is secret in them becomes no string. */

/** Returns one JSON object with the members of all. Each is an object, or the bytes of one; undefined has no members. */
export function joinBodies(...parts: readonly unknown[]): Uint8Array<ArrayBuffer> {
  const inner = parts.flatMap((part) => {
    if (part === undefined) return [];
    const bytes = part instanceof Uint8Array ? part : new TextEncoder().encode(JSON.stringify(part));
    return bytes.length > EMPTY_OBJECT ? [bytes.subarray(1, -1)] : [];
  });
  const joined = new Uint8Array(
    inner.reduce((size, bytes) => size + bytes.length + 1, inner.length === 0 ? 2 : 1),
  );
  let at = 0;
  for (const [index, bytes] of inner.entries()) {
    joined[at] = index === 0 ? OPEN : COMMA;
    joined.set(bytes, at + 1);
    at += bytes.length + 1;
  }
  if (inner.length === 0) joined[at++] = OPEN;
  joined[at] = CLOSE;
  return joined;
}

/** The length of `{}`. */
const EMPTY_OBJECT = 2;
const [OPEN, COMMA, CLOSE] = [0x7b, 0x2c, 0x7d];
