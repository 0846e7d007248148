/** Where a backup goes: a file that is named, or a new file in a folder. Nothing is written before all of this is checked. */
import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Home } from '../../places/home.ts';
import { isWithin } from '../../places/known-vaults.ts';
import { describeSystemError } from '../../system/system-error.ts';
import { CliError, EXIT, usageError } from '../run/failure.ts';
import { checkReplaceable } from '../transfer/output-file.ts';
import type { BackupHead } from './backup-head.ts';

export interface BackupTarget {
  /** A real path. */
  readonly folder: string;
  /** Null: the name is made from what the backup is. */
  readonly name: string | null;
}

const ID_DIGITS = 8;
const UNIQUE_DIGITS = 4;

/** Throws CliError. */
export function chooseTarget(given: string, { directory }: Home, mayReplace: boolean): BackupTarget {
  const path = resolve(given);
  const isFolder = given.endsWith('/') || statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const folder = findFolder(isFolder ? path : dirname(path));
  if (
    existsSync(directory) &&
    (folder === realpathSync(directory) || isWithin(folder, realpathSync(directory)))
  )
    throw usageError(
      `${given} lies in the vault's folder, and would be lost with it; name another place, best on another disk`,
    );
  if (isFolder) return { folder, name: null };
  const file = join(folder, basename(path));
  checkReplaceable(file);
  if (existsSync(file) && !mayReplace) throw usageError(`${given} is there already; --force replaces it`);
  return { folder, name: basename(path) };
}

function findFolder(path: string): string {
  if (!existsSync(path)) throw new CliError(EXIT.failed, `the folder ${path} is not there; make it first`);
  try {
    const folder = realpathSync(path);
    accessSync(folder, constants.W_OK | constants.X_OK);
    return folder;
  } catch (error) {
    throw new CliError(EXIT.failed, `${path} cannot be written: ${describeSystemError(error)}`);
  }
}

/** Returns a name that says of which vault the backup is and when it was made. `id`: the draft's, so that no two are alike. */
export function nameBackup({ vault, made_at: madeAt }: BackupHead, id: string): string {
  const time = madeAt.replaceAll(/[-:]/g, '');
  return `${namePrefix(vault.vault_id)}${time}-${id.slice(0, UNIQUE_DIGITS)}.backup`;
}

/** How the names of the backups of a vault begin. */
export function namePrefix(vaultId: string): string {
  return `maestrovault-${vaultId.slice(0, ID_DIGITS)}-`;
}
