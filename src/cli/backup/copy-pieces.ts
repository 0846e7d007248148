/** Reads a file from `offset` to its end, hands on what is read, and says what that was. */
import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';

/** 1 MiB. */
const PIECE_SIZE = 1_048_576;

/** Each piece is overwritten by the next one. `sha256`: 64 hexadecimal digits. */
export function copyPieces(
  fd: number,
  offset: number,
  write: (piece: Uint8Array) => void,
): { readonly sha256: string; readonly bytes: number } {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(PIECE_SIZE);
  for (let at = offset; ; ) {
    const length = readSync(fd, buffer, 0, PIECE_SIZE, at);
    if (length === 0) return { sha256: hash.digest('hex'), bytes: at - offset };
    const piece = buffer.subarray(0, length);
    hash.update(piece);
    write(piece);
    at += length;
  }
}
