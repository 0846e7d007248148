/** Makes what was written last through a power failure. workers/files/folders.ts is for the other side of the wall. */
import { closeSync, fsyncSync, openSync } from 'node:fs';

export function syncFile(path: string): void {
  sync(path, 'r+');
}

/** Only then are new and removed names in the folder there after a power failure. */
export function syncFolder(path: string): void {
  sync(path, 'r');
}

function sync(path: string, flags: string): void {
  const fd = openSync(path, flags);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
