/** Finds a program as a shell does (XCU 2.9.1.4), with a shell's exit codes for one that is missing. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { CliError } from '../run/failure.ts';

/** As shells have them (XCU 2.8.2). */
const EXIT_NOT_FOUND = 127;
export const EXIT_NOT_EXECUTABLE = 126;

/** execvp uses this path if PATH is not set. */
const DEFAULT_PATH = '/bin:/usr/bin';

/** The program's path. Throws CliError with 127 or 126. */
export function findProgram(command: string, path: string = DEFAULT_PATH): string {
  const isPath = command.includes('/');
  const candidates = isPath
    ? [command]
    : // An empty entry is the folder that we are in.
      path.split(delimiter).map((folder) => join(folder === '' ? '.' : folder, command));
  const found = command === '' ? [] : candidates.filter((candidate) => isThere(candidate, isPath));
  const program = found.find(isExecutable);
  if (program !== undefined) return toPath(program);
  if (found.length === 0) throw new CliError(EXIT_NOT_FOUND, `${quoteCommand(command)}: command not found`);
  throw new CliError(EXIT_NOT_EXECUTABLE, `${quoteCommand(command)}: not an executable file`);
}

/** A program in a folder that may not be searched counts as there only if its path was given. */
function isThere(path: string, isNamed: boolean): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // Nothing can lie at a path through a file, or at a name that is too long.
    return isNamed && (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** execvp would look for a bare name on PATH again. */
function toPath(program: string): string {
  return program.includes('/') ? program : `./${program}`;
}

function quoteCommand(command: string): string {
  return /^[\x21-\x7e]+$/.test(command) ? command : JSON.stringify(command);
}
