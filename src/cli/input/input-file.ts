/** What a command reads: a file, or standard input. */
import { accessSync, closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { describeSystemError } from '../../system/system-error.ts';
import { CliError, EXIT, usageError } from '../run/failure.ts';

const PIECE_SIZE = 65_536;
/** More than any env file or template that somebody wrote. */
const MAX_SIZE = 268_435_456;

/** Returns the whole file, which may be a pipe or a device without a known size. Throws CliError. */
export function readInputFile(path: string): Buffer {
  const bytes = readUpTo(path, MAX_SIZE);
  if (bytes === null) throw new CliError(EXIT.failed, `${path} is larger than ${MAX_SIZE} bytes`);
  return bytes;
}

/** Returns the whole file, or null if it has more than `maxSize` bytes. Throws CliError if it cannot be read. */
export function readUpTo(path: string, maxSize: number): Buffer | null {
  if (path === '') throw usageError('the path of a file is empty');
  const pieces: Buffer[] = [];
  let file: number | null = null;
  try {
    file = openSync(path, 'r');
    // All at once where the size is known; one byte more would say that there is more.
    const pieceSize = Math.min(Math.max(fstatSync(file).size + 1, PIECE_SIZE), maxSize + 1);
    for (let size = 0; size <= maxSize; ) {
      const piece = Buffer.allocUnsafeSlow(pieceSize);
      const count = readSync(file, piece);
      if (count === 0) return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
      pieces.push(piece.subarray(0, count));
      size += count;
    }
    return null;
  } catch (error) {
    throw cannotRead(path, error);
  } finally {
    if (file !== null) closeSync(file);
  }
}

/** Throws CliError where the file cannot be read, and says why: what reads it later, elsewhere, could not. */
export function checkReadable(path: string): void {
  if (path === '') throw usageError('the path of a file is empty');
  try {
    accessSync(path, constants.R_OK);
    if (statSync(path).isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
  } catch (error) {
    throw cannotRead(path, error);
  }
}

/** Returns all of standard input, or null once it has more than `maxSize` bytes. */
export async function readStandardInput(maxSize: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxSize) return null;
  }
  return Buffer.concat(chunks);
}

function cannotRead(path: string, error: unknown): CliError {
  return new CliError(EXIT.failed, `${path} cannot be read: ${describeSystemError(error)}`);
}
