/**
 * Where backups are made: in the vault's folder, the only one where the daemon may write. Whoever asked for a backup takes the
 * finished draft away from there. A draft that nobody will take any more is removed when the next one is made: its program is
 * gone, or the process is that had the vault then.
 */
import { closeSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Longer than copying a draft to a slow disk takes. */
const MAX_AGE_MS = 3_600_000;
const ID = /^[0-9a-f]{32}$/;
const SUFFIXES = ['', '-wal', '-shm', '-journal'] as const;

/** Returns the path of a draft; null if that is not the id of one. */
export function locateDraft(databasePath: string, id: string): string | null {
  return ID.test(id) ? `${databasePath}.backup-${id}` : null;
}

/** The drafts that this process made, and which process asked for each; null: it is not known. */
const takers = new Map<string, number | null>();

/** Makes an empty draft that only its owner may read. `taker`: the number of the process that will take it. */
export function createDraft(path: string, taker: number | null): void {
  closeSync(openSync(path, 'wx', 0o600));
  takers.set(path, taker);
}

export function removeDraft(path: string): void {
  for (const suffix of SUFFIXES) rmSync(path + suffix, { force: true });
  takers.delete(path);
}

/** Removes the drafts that nobody will take. */
export function removeLeftDrafts(databasePath: string): void {
  for (const path of listDrafts(databasePath)) if (isLeft(path)) removeDraft(path);
}

export function removeAllDrafts(databasePath: string): void {
  for (const path of listDrafts(databasePath)) removeDraft(path);
}

function listDrafts(databasePath: string): Set<string> {
  const prefix = `${basename(databasePath)}.backup-`;
  const ids = readdirSync(dirname(databasePath))
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length).replace(/-(wal|shm|journal)$/, ''));
  return new Set(ids.map((id) => locateDraft(databasePath, id)).filter((path) => path !== null));
}

/** One process at a time has the vault, so a draft that is not of this process is of one that is gone. */
function isLeft(path: string): boolean {
  const taker = takers.get(path);
  if (taker === undefined) return true;
  const stat = statSync(path, { throwIfNoEntry: false });
  const isOld = stat === undefined || stat.mtimeMs < Date.now() - MAX_AGE_MS;
  return isOld || (taker !== null && !isRunning(taker));
}

function isRunning(pid: number): boolean {
  try {
    // Sends nothing: kill(2) looks whether there is such a process.
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
