/** Allocates memory for secrets. The caller fills it and zeroes it. */

/** A secret as UTF-8 bytes in memory of its own, outside the V8 heap. The code that holds it zeroes it. */
export type SecretBytes = Uint8Array<ArrayBuffer>;

/**
 * Returns zeroed memory that `fill(0)` really erases. Buffer.allocUnsafeSlow would take 64 bytes or less from the V8 heap,
 * where the garbage collector moves them and leaves the old copy behind. An explicit ArrayBuffer is never in that heap.
 */
export function allocateSecret(size: number): SecretBytes {
  return new Uint8Array(new ArrayBuffer(size));
}

/** Bytes. Smaller memory may wait for the garbage collector. */
const LARGE = 16_384;

/**
 * Zeroes bytes after their last use. If they are large and have their memory to themselves, it is freed at once: otherwise
 * the values of a large entry would add up before the garbage collector runs.
 */
export function discardBytes(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.detached) return;
  bytes.fill(0);
  if (bytes.length <= LARGE || bytes.length !== buffer.byteLength) return;
  if (buffer instanceof ArrayBuffer) buffer.transferToFixedLength(0);
}
