/** The backups of a vault in a folder: which there are, and which of them are too many. */
import { closeSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openBackup } from './backup-head.ts';
import { namePrefix } from './backup-target.ts';

const SUFFIX = '.backup';

/** Removes all backups of this vault but the newest `kept`, and returns the paths of those. */
export function removeOldBackups(folder: string, vaultId: string, kept: number): string[] {
  const old = listBackups(folder, vaultId).slice(kept);
  for (const path of old) rmSync(path, { force: true });
  return old;
}

/** Returns the newest first. A file counts by its name, and by what its head says: somebody may have renamed another one. */
function listBackups(folder: string, vaultId: string): string[] {
  const prefix = namePrefix(vaultId);
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && name.endsWith(SUFFIX))
    .map((name) => ({ path: join(folder, name), madeAt: findMadeAt(join(folder, name), vaultId) }))
    .filter(({ madeAt }) => madeAt !== null)
    .sort((one, other) => Number(other.madeAt) - Number(one.madeAt) || (one.path < other.path ? 1 : -1))
    .map(({ path }) => path);
}

/** Returns null for what is not a backup of this vault. */
function findMadeAt(path: string, vaultId: string): number | null {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isFile()) return null;
  try {
    const { fd, head } = openBackup(path);
    closeSync(fd);
    return head.vault.vault_id === vaultId ? Date.parse(head.made_at) : null;
  } catch {
    return null;
  }
}
