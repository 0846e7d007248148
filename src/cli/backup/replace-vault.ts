/**
 * Puts an unpacked vault in the place of the one that is there, which is kept aside. This process owns the vault, and no process
 * has its files open. If it is killed in between, the vault is the old one, or the new one; the old one is whole in the folder
 * aside, and restoring again finishes it.
 */
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import type { Home } from '../../places/home.ts';
import { syncFile, syncFolder } from '../../system/sync.ts';

const LOG = 'audit';
const ASIDE = 'replaced-';

/** Returns the folder in which the replaced vault is; null if there was none. */
export function replaceVault({ directory, databasePath }: Home, unpacked: string): string | null {
  const aside = existsSync(databasePath) ? keepAside(directory, databasePath) : null;
  syncFile(join(unpacked, basename(databasePath)));
  const log = `${databasePath}-wal`;
  // Without its log the old file lacks what was written last, and the new one must not get it.
  if (existsSync(log) && statSync(log).size > 0) rmSync(databasePath, { force: true });
  for (const suffix of ['-wal', '-shm']) rmSync(databasePath + suffix, { force: true });
  renameSync(join(unpacked, basename(databasePath)), databasePath);
  syncFolder(directory);
  replaceLog(directory, unpacked);
  return aside;
}

/** Whether a file of this name in a vault's folder is the folder of a vault that was replaced. */
export function isAside(name: string): boolean {
  return name.startsWith(ASIDE);
}

/** Links, so that the vault is in both places until the new one takes the old one's. */
function keepAside(directory: string, databasePath: string): string {
  const aside = makeAside(directory);
  for (const suffix of ['', '-wal'])
    if (existsSync(databasePath + suffix))
      keepFile(databasePath + suffix, join(aside, basename(databasePath) + suffix));
  const log = join(directory, LOG);
  if (existsSync(log)) {
    mkdirSync(join(aside, LOG), { mode: 0o700 });
    for (const name of readdirSync(log)) keepFile(join(log, name), join(aside, LOG, name));
    syncFolder(join(aside, LOG));
  }
  syncFolder(aside);
  syncFolder(directory);
  return aside;
}

function makeAside(directory: string): string {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  for (let count = 1; ; count++) {
    const path = join(directory, `${ASIDE}${time}${count === 1 ? '' : `-${count}`}`);
    if (existsSync(path)) continue;
    mkdirSync(path, { mode: 0o700 });
    return path;
  }
}

/** Some file systems have no links. */
function keepFile(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
    syncFile(to);
  }
}

/** The old log is in the folder aside by now. The new vault knows nothing of it. */
function replaceLog(directory: string, unpacked: string): void {
  const log = join(directory, LOG);
  if (existsSync(log)) renameSync(log, join(unpacked, 'old-audit'));
  if (existsSync(join(unpacked, LOG))) renameSync(join(unpacked, LOG), log);
  syncFolder(directory);
}
