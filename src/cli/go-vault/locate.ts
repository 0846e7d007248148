/** Where a vault of the Go program is, as the command line was told. */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isOurVault } from '../../places/foreign-vault.ts';
import { type Home, locateFolder } from '../../places/home.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT } from '../run/failure.ts';

const DATABASE = 'vault.db';

export interface GoVaultPlace {
  /** Absolute path of its database. */
  readonly path: string;
  /** Whether it lies where the vault of mav belongs. */
  readonly isInPlace: boolean;
}

/** Where the file of a vault stays that was replaced. */
export function keptPath({ databasePath }: Pick<Home, 'databasePath'>): string {
  return `${databasePath}.go-v3.bak`;
}

/** The argument is its folder or its file; without one it is that program's own folder. Throws CliError. */
export function locateGoVault({ args: [given], home, context: { env } }: Input): GoVaultPlace {
  const start =
    given === undefined
      ? locateFolder({ ...env, MAV_HOME: undefined, MAV_VAULT: undefined })
      : resolve(given);
  const path = isFolder(start) ? join(start, DATABASE) : start;
  if (!existsSync(path))
    throw new CliError(
      EXIT.notFound,
      `there is no vault of the Go program at ${isFolder(start) ? path : start}`,
    );
  if (isOurVault(path)) throw new CliError(EXIT.failed, explainOurs(path));
  const isInPlace =
    isFolder(home.directory) && realpathSync(path) === join(realpathSync(home.directory), DATABASE);
  return { path: isInPlace ? home.databasePath : path, isInPlace };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function explainOurs(path: string): string {
  const kept = keptPath({ databasePath: path });
  const isReplaced = existsSync(kept);
  return isReplaced
    ? `${path} is a vault of mav already, and the one of the Go program that it replaced is ${kept}`
    : `${path} is a vault of mav, and not one of the Go program; give the folder of that: mav import --from-maestrovault DIR`;
}
