/**
 * The folder that this process was started in may have been deleted since: then no thread starts there, and no relative
 * path means anything. The process leaves it, and a program that it becomes gets it back.
 */
import { openSync } from 'node:fs';

/** The descriptor of the deleted folder; null if it was not deleted, or cannot be opened. */
let deleted: number | null = null;
let isDeleted = false;

/** Must be called before any path is used and any thread is started. */
export function leaveDeletedFolder(): void {
  try {
    process.cwd();
  } catch {
    isDeleted = true;
    deleted = openFolder();
    process.chdir('/');
  }
}

function openFolder(): number | null {
  try {
    return openSync('.', 'r');
  } catch {
    return null;
  }
}

/** The descriptor by which it is held, if it was deleted: it is not for a program that this process becomes. */
export function holdsFolderBy(descriptor: number): boolean {
  return descriptor === deleted;
}

export function isFolderDeleted(): boolean {
  return isDeleted;
}

/** Goes back to the deleted folder, for a program that this process becomes or starts. Does nothing if the system has no way back. */
export function returnToDeletedFolder(): void {
  if (deleted === null) return;
  try {
    process.chdir(`/proc/self/fd/${deleted}`);
  } catch {
    // Not on Linux: the program starts in `/`.
  }
}
