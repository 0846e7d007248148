/** Checks of the places that the vault uses: its folder and files, config.json, the socket's path, the disk. */
import { existsSync, realpathSync, statfsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readConfig } from '../../places/config.ts';
import { explainForeignVault } from '../../places/foreign-vault.ts';
import {
  checkAbove,
  checkPrivateFile,
  checkPrivateFolder,
  checkSocketPath,
  checkSocketPathSize,
  checkUsableFile,
  describeNoVault,
  type Home,
  isThere,
  listDatabaseFiles,
} from '../../places/home.ts';
import { findKnownVault } from '../../places/known-vaults.ts';
import { adviseOn } from '../../remedies.ts';
import { formatSize } from '../formats/sizes.ts';
import type { Input } from '../run/command.ts';
import { toCliError } from '../run/failure.ts';
import { describeVault } from '../vault/known-report.ts';
import { chooseReader } from '../vault/remedy-readers.ts';
import { type Finding, fail, judge, ok, warn } from './finding.ts';

/** Folders that a program copies to other machines, by their usual names. */
const SYNCED =
  /^(dropbox( \(.*\))?|onedrive( - .*)?|google ?drive|my drive|nextcloud|owncloud|icloud drive|icloud~.*|mobile documents|com~apple~clouddocs|cloudstorage|pcloud ?drive|mega|seafile|syncthing)$/i;
/** What Syncthing, Dropbox, Nextcloud and ownCloud leave in the folder that they copy. */
const SYNC_MARKS = ['.stfolder', '.dropbox.cache', '.sync_folder', '.owncloudsync.log', '.nextcloudsync.log'];

const LOW_DISK = 100_000_000;
const NO_DISK = 10_000_000;

export function checkPlaces({ home }: Input): Finding[] {
  const folder = findNearest(home.directory);
  return [
    ...checkFolder(home),
    judge('folders', 'those above the vault and its socket are closed to others', () => checkAbove(home)),
    ...checkKnown(home),
    ...checkSurroundings(folder),
    judge('config.json', 'absent or valid', () => readConfig(join(home.directory, 'config.json'))),
    checkSocketPlace(home),
    checkDisk(folder),
  ];
}

function checkFolder(home: Home): Finding[] {
  try {
    return inspectFolder(home);
  } catch (error) {
    return [fail('folder', toCliError(error).message)];
  }
}

function inspectFolder(home: Home): Finding[] {
  const { directory, databasePath } = home;
  const foreign = explainForeignVault(databasePath);
  if (foreign !== null) return [fail('vault', foreign)];
  if (!isThere(directory)) return [warn('folder', `there is no vault in ${directory}; make one: mav init`)];
  const folder = judge('folder', `${directory} is yours and closed to others`, () =>
    checkPrivateFolder(directory),
  );
  if (!isThere(databasePath)) return [folder, warn('files', describeNoVault(home))];
  const files = listDatabaseFiles(home)
    .filter(isThere)
    .map((path) => judge('files', `${path} is yours and closed to others`, () => checkFile(path)));
  return [folder, ...files];
}

/** What known-vaults.json says of the vault. The thread that opens the vault compares the file with it. */
function checkKnown(home: Home): Finding[] {
  try {
    const known = findKnownVault(home);
    if (known !== null)
      return [ok('known vault', `${describeVault(known)}; so says ${home.knownVaultsPath}`)];
    const unknown = { message: `${home.knownVaultsPath} has none here`, reason: 'unknown_vault' } as const;
    const isOne = isThere(home.databasePath) && explainForeignVault(home.databasePath) === null;
    return isOne ? [fail('known vault', adviseOn(unknown, chooseReader('own')))] : [];
  } catch (error) {
    return [fail('known vault', toCliError(error).message)];
  }
}

/** Throws UnsafePlaceError. */
function checkFile(path: string): void {
  checkPrivateFile(path);
  checkUsableFile(path);
}

/** The folder itself, or of those above it the first that is there. */
function findNearest(path: string): string {
  return existsSync(path) ? realpathSync(path) : findNearest(dirname(path));
}

function checkSurroundings(folder: string): Finding[] {
  const above = listAbove(folder);
  const repository = above.find((path) => existsSync(join(path, '.git')));
  const synced = above.find(isSynced);
  return [
    repository === undefined
      ? ok('git', 'the folder is in no git work tree')
      : warn('git', `the folder is in the git work tree ${repository}; move it, or never commit it`),
    synced === undefined
      ? ok('sync', 'the folder seems to be copied nowhere')
      : warn('sync', `the folder seems to be copied to other machines with ${synced}; move it out of there`),
  ];
}

/** The folder and all above it, nearest first. */
function listAbove(path: string): string[] {
  return dirname(path) === path ? [path] : [path, ...listAbove(dirname(path))];
}

export function isSynced(folder: string): boolean {
  return SYNCED.test(basename(folder)) || SYNC_MARKS.some((mark) => existsSync(join(folder, mark)));
}

function checkSocketPlace({ socketPath, directory }: Home): Finding {
  const folder = dirname(socketPath);
  return judge('socket path', socketPath, () => {
    // The vault's own folder comes with the vault.
    const check = folder === directory && !isThere(folder) ? checkSocketPathSize : checkSocketPath;
    check(socketPath);
  });
}

function checkDisk(folder: string): Finding {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const detail = `${formatSize(free)} free`;
  if (free < NO_DISK) return fail('disk', `${detail}; make room, or nothing can be stored`);
  return free < LOW_DISK ? warn('disk', `${detail}; make room soon`) : ok('disk', detail);
}
