/** Files that a command reads. */
import { readFileSync } from 'node:fs';
import { CliError, EXIT } from './failure.ts';

/** Throws CliError where it cannot be read. */
export function readInputFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CliError(EXIT.failed, `${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}
