/** Making a folder with those above it. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { describeSystemError } from '../system/system-error.ts';

/**
 * Makes the folder, and those above it that are missing; it may be there already. Throws what mkdir throws. Node's own
 * `recursive` never returns below /proc and its like, where a folder cannot be made although the one above it is there.
 */
export function makeFolders(path: string, mode = 0o777): void {
  for (const folder of listMissing(path)) makeOne(folder, mode);
}

/** The folder and those above it, as far as they are missing, the outermost first. */
export function listMissing(path: string): string[] {
  const missing: string[] = [];
  for (let at = resolve(path); !isThere(at); at = dirname(at)) missing.unshift(at);
  return missing;
}

/** True for a folder that Node's permission model hides: it was there when the daemon was launched. */
function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_ACCESS_DENIED') return true;
    throw error;
  }
}

/** Another process may make it at the same time. */
function makeOne(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !statSync(path).isDirectory()) throw error;
  }
}

/** Why `makeFolders` threw: to mkdir, "no such file" is what /proc and its like say of every new folder. */
export function explainNoFolder(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? 'its file system takes no new folders' : describeSystemError(error);
}
