/** Opens a file of a project. Whoever can write it decides what programs are given, so it must be this user's own. */
import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { isTrustedUser } from '../../places/trusted-places.ts';
import { describeSystemError } from '../../system/system-error.ts';
import { CliError, EXIT, usageError } from '../run/failure.ts';

export interface ProjectText {
  readonly path: string;
  readonly toml: string;
}

/** Far more than a project needs. */
const MAX_SIZE = 1_048_576;
const WRITE_BY_ANYBODY = 0o002;
const WITHOUT_IT = 'mav exec --no-project goes on without it';

/** Throws CliError, which has nothing of the content. */
export function readProjectFile(path: string): ProjectText {
  let file: number | null = null;
  try {
    // O_NONBLOCK: a FIFO in a cloned repository must not make us wait.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    checkFile(path, file);
    const bytes = readFileSync(file);
    if (!isUtf8(bytes)) throw usageError(`${path} is not UTF-8`);
    return { path, toml: bytes.toString() };
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(EXIT.failed, `${path} cannot be read: ${describeSystemError(error)}; ${WITHOUT_IT}`);
  } finally {
    if (file !== null) closeSync(file);
  }
}

function checkFile(path: string, file: number): void {
  const stat = fstatSync(file);
  if (!stat.isFile()) throw usageError(`${path} is not a file; ${WITHOUT_IT}`);
  if (stat.size > MAX_SIZE) throw usageError(`${path} is larger than ${MAX_SIZE} bytes; ${WITHOUT_IT}`);
  if (!isTrustedUser(stat.uid))
    throw new CliError(EXIT.notAllowed, `${path} belongs to another user, so it is not used; ${WITHOUT_IT}`);
  if ((stat.mode & WRITE_BY_ANYBODY) !== 0)
    throw new CliError(
      EXIT.notAllowed,
      `${path} can be written by any user, so it is not used; run: chmod o-w ${path}`,
    );
}
