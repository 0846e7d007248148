/**
 * Where backups are made: in the vault's folder, the only one where the daemon may write. Whoever asked for a backup takes the
 * finished draft away from there. A draft that nobody took is removed when the next one is made.
 */
import { closeSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Longer than copying a draft to a slow disk takes. */
const MAX_AGE_MS = 3_600_000;
const ID = /^[0-9a-f]{32}$/;
const SUFFIXES = ['', '-wal', '-shm', '-journal'] as const;

/** Returns the path of a draft; null if that is not the id of one. */
export function locateDraft(databasePath: string, id: string): string | null {
  return ID.test(id) ? `${databasePath}.backup-${id}` : null;
}

/** Makes an empty draft that only its owner may read. */
export function createDraft(path: string): void {
  closeSync(openSync(path, 'wx', 0o600));
}

export function removeDraft(path: string): void {
  for (const suffix of SUFFIXES) rmSync(path + suffix, { force: true });
}

/** Removes drafts that are older than an hour. `nowMs`: Infinity removes all of them. */
export function removeOldDrafts(databasePath: string, nowMs: number): void {
  const folder = dirname(databasePath);
  const prefix = `${basename(databasePath)}.backup-`;
  for (const name of readdirSync(folder).filter((one) => one.startsWith(prefix))) {
    const stat = statSync(join(folder, name), { throwIfNoEntry: false });
    if (stat !== undefined && stat.mtimeMs < nowMs - MAX_AGE_MS) rmSync(join(folder, name), { force: true });
  }
}
