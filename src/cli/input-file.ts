/** What a command reads: a file, or standard input. */
import { readFileSync } from 'node:fs';
import { CliError, EXIT } from './failure.ts';

/** Throws CliError where it cannot be read. */
export function readInputFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw cannotRead(path, error);
  }
}

/** All of it; null once there are more than `maxSize` bytes. */
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

export function cannotRead(path: string, error: unknown): CliError {
  return new CliError(EXIT.failed, `${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
}
