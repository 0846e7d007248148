/** Makes and syncs folders, and tells which path lies in which. src/places/make-folders.ts is for the other side of the wall. */
import { closeSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';

/** Whether `path` is the folder or lies in it. Both are real paths: absolute and without links. */
export function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || !(way === '..' || way.startsWith('../'));
}

/** Syncs a folder: only then do new and removed names in it survive a power failure. */
export function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Makes the folder and the missing ones above it, unless it is there. Throws what mkdir throws. Node's own `recursive` never
 * returns below /proc and the like, where no folder can be made although the one above it is there.
 */
export function makeFolders(path: string, mode = 0o777): void {
  const missing: string[] = [];
  for (let at = resolve(path); statSync(at, { throwIfNoEntry: false }) === undefined; at = dirname(at))
    missing.unshift(at);
  for (const folder of missing) makeFolder(folder, mode);
}

/** Another process may make the folder at the same time. */
function makeFolder(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !statSync(path).isDirectory()) throw error;
  }
}
