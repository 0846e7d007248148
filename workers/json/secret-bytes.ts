/**
 * Memory for secrets. Secrets it may hold: none itself; what it hands out is filled and zeroed by the caller.
 */

/** A secret as UTF-8 bytes in memory of its own, outside the V8 heap. Whoever holds it zeroes it. */
export type SecretBytes = Uint8Array<ArrayBuffer>;

/**
 * Zero-filled memory that `fill(0)` can really erase. Not Buffer.allocUnsafeSlow: at 64 bytes or less that lies in
 * the V8 heap, where the garbage collector moves it and leaves the old copy behind. An explicit ArrayBuffer never does.
 */
export function allocateSecret(size: number): SecretBytes {
  return new Uint8Array(new ArrayBuffer(size));
}

/** Bytes; what is smaller may wait for the garbage collector. */
const LARGE = 16_384;

/**
 * Zeroes bytes that nobody uses any more. The memory of large ones goes back at once where it is theirs alone: as garbage
 * the values of a large entry would add up to many times their size.
 */
export function discard(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.detached) return;
  bytes.fill(0);
  if (bytes.length <= LARGE || bytes.length !== buffer.byteLength) return;
  if (buffer instanceof ArrayBuffer) buffer.transferToFixedLength(0);
}
