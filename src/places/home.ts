/** Where the vault lies on this machine, and whether those places are safe to use. */
import { accessSync, constants, lstatSync, type Stats } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { describeSystemError } from '../system/system-error.ts';
import { nameVault } from '../text/name-vault.ts';
import { explainForeignVault } from './foreign-vault.ts';
import { explainNoFolder, makeFolders } from './make-folders.ts';
import {
  ACCESS_BY_OTHERS,
  checkFolders,
  UnsafePlaceError,
  UntrustedError,
  WRITE_BY_OTHERS,
} from './trusted-places.ts';
import { DEFAULT_VAULT, VAULTS_FOLDER } from './vault-names.ts';

export { UnsafePlaceError } from './trusted-places.ts';

export interface Home {
  readonly directory: string;
  readonly databasePath: string;
  readonly socketPath: string;
  /** Held, by a lock on it, for as long as a process has the vault open. */
  readonly lockPath: string;
  /** The file that says which process holds the lock. For messages only: nothing is decided by it. */
  readonly ownerPath: string;
  /** Default path of a key file, outside the vault's folder. */
  readonly keyDirectory: string;
  /** The list of the user's vaults; not absolute where nothing says where the user's settings are. */
  readonly knownVaultsPath: string;
}

/** `sun_path` of unix(7) is 108 bytes with its NUL on Linux, 104 on macOS. */
const MAX_SOCKET_PATH = process.platform === 'linux' ? 107 : 103;
/** As long as the name of a socket that is not in its place yet. */
export const SOCKET_DRAFT = '.00000000';

/**
 * The vault's folder. `env`: as chooseVault returns it, so MAV_VAULT is valid and stands alone. Throws UnsafePlaceError where
 * nothing says where the folder is.
 */
export function locateFolder(env: NodeJS.ProcessEnv): string {
  const { MAV_HOME: given, MAV_VAULT: vault } = env;
  if (given) return resolve(given);
  if (vault && vault !== DEFAULT_VAULT) return join(locateVaults(env), vault);
  return join(getUserHome(env), '.maestrovault');
}

/** The folder of the vaults that have a name. Throws UnsafePlaceError. */
export function locateVaults(env: NodeJS.ProcessEnv): string {
  return join(getUserHome(env), VAULTS_FOLDER);
}

/** Throws UnsafePlaceError. */
function getUserHome(env: NodeJS.ProcessEnv): string {
  const user = findUserHome(env);
  // An empty HOME would make it a folder of whatever place the command is run in.
  if (!isAbsolute(user))
    throw new UnsafePlaceError('HOME is not set; set it, or MAV_HOME to the folder of the vault');
  return user;
}

/** Empty where neither HOME nor the system's list of users says it. */
function findUserHome({ HOME }: NodeJS.ProcessEnv): string {
  if (HOME) return HOME;
  try {
    // Loaded here, because HOME is nearly always set.
    return process.getBuiltinModule('node:os').homedir();
  } catch {
    return '';
  }
}

/** Reads only the environment. `socketPath`: null for the default. */
export function locateHome(env: NodeJS.ProcessEnv, socketPath: string | null): Home {
  const directory = locateFolder(env);
  const settings = locateSettings(env);
  return {
    directory,
    databasePath: join(directory, 'vault.db'),
    socketPath: resolve(socketPath ?? (env.MAV_SOCKET || join(directory, 'maestrovault.sock'))),
    lockPath: join(directory, 'owner.lock'),
    ownerPath: join(directory, 'owner.json'),
    keyDirectory: settings,
    knownVaultsPath: join(settings, 'known-vaults.json'),
  };
}

/** The XDG Base Directory Specification has a path that is not absolute ignored. */
function locateSettings(env: NodeJS.ProcessEnv): string {
  const { XDG_CONFIG_HOME: given = '' } = env;
  const folder = isAbsolute(given) ? given : join(findUserHome(env), '.config');
  return join(folder, 'maestrovault');
}

/** Makes the vault's folder (0700) if it is not there; checks it and the database. Throws UnsafePlaceError. */
export function secureHome(home: Home): void {
  checkAbove(home);
  makeFolder(home.directory);
  checkHome(home);
  checkWritable(home);
}

/**
 * The folders above the vault's, and above its socket. A vault that is yet to be made is not laid below what others can
 * exchange either. Throws UntrustedError.
 */
export function checkAbove({ directory, socketPath }: Home): void {
  for (const path of [directory, socketPath]) checkFolders(dirname(path));
}

/** Says that there is no vault, and what to do about it. */
export function describeNoVault({ databasePath }: Pick<Home, 'databasePath'>): string {
  return nameVault(`there is no vault at ${databasePath}; make one: mav init`);
}

/** Whether a vault's database is there. Throws UnsafePlaceError if its place is not safe, or cannot be written. */
export function hasVault(home: Home): boolean {
  checkAbove(home);
  if (lstatOrNull(home.directory) === null) return false;
  checkHome(home);
  if (!isThere(home.databasePath)) return false;
  checkWritable(home);
  return true;
}

/** Checks that a vault can be opened here. Even reading takes a lock and a log beside the database. Throws UnsafePlaceError. */
export function checkWritable(home: Home): void {
  const { directory, lockPath } = home;
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    const isReadOnly = (error as NodeJS.ErrnoException).code === 'EROFS';
    throw new UnsafePlaceError(
      isReadOnly
        ? `${directory} is on a read-only file system, where no vault can be opened; make it writable, or copy the folder ` +
            'to a place that is, and set MAV_HOME to the copy'
        : `${directory} cannot be written; run: chmod 700 ${directory}`,
    );
  }
  for (const path of [...listDatabaseFiles(home), lockPath]) checkUsableFile(path);
}

/** Checks one of the vault's files, if it is there: its owner may have made it unusable by its mode. Throws UnsafePlaceError. */
export function checkUsableFile(path: string): void {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    throw new UnsafePlaceError(
      code === 'EACCES'
        ? `${path} may not be read and written; run: chmod 600 ${path}`
        : `${path} cannot be opened: ${describeSystemError(error)}`,
    );
  }
}

function checkHome(home: Home): void {
  // First: whose vault it is says more than how its files lie there.
  const foreign = explainForeignVault(home.databasePath);
  if (foreign !== null) throw new UnsafePlaceError(foreign);
  checkPrivateFolder(home.directory);
  // The last two hold nothing secret; but a FIFO would make us wait, and a link lead elsewhere.
  for (const path of [...listDatabaseFiles(home), home.lockPath, home.ownerPath]) {
    // Looked at once: another command that ends takes some of them away at any moment.
    const stat = lstatOrNull(path);
    if (stat !== null) checkStat(path, stat, 'file', ACCESS_BY_OTHERS, 'chmod 600');
  }
}

/** The database and what SQLite lays beside it; not all of them are always there. */
export function listDatabaseFiles({ databasePath }: Home): string[] {
  return ['', '-wal', '-shm'].map((suffix) => databasePath + suffix);
}

/** Throws UnsafePlaceError. */
export function checkPrivateFolder(path: string): void {
  checkOwn(path, 'folder', ACCESS_BY_OTHERS, 'chmod 700');
}

/** Throws UnsafePlaceError. */
export function checkPrivateFile(path: string): void {
  checkOwn(path, 'file', ACCESS_BY_OTHERS, 'chmod 600');
}

/** Does nothing if something lies there already; checkOwn judges it. */
function makeFolder(path: string): void {
  if (lstatOrNull(path) !== null) return;
  try {
    makeFolders(path, 0o700);
  } catch (error) {
    throw new UnsafePlaceError(
      `the vault's folder ${path} cannot be made: ${explainNoFolder(error)}; set MAV_HOME to another place`,
    );
  }
}

/** Checks that a socket can lie at this path and that no other user can put one there. Throws UnsafePlaceError. */
export function checkSocketPath(path: string): void {
  checkSocketPathSize(path);
  const folder = dirname(path);
  // A link to nothing is there: checkOwn says so.
  if (lstatOrNull(folder) === null)
    throw new UnsafePlaceError(`the socket's folder ${folder} is not there; make it first`);
  checkOwn(folder, 'folder', WRITE_BY_OTHERS, 'chmod 700');
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new UnsafePlaceError(
      (error as NodeJS.ErrnoException).code === 'EACCES'
        ? `the socket's folder ${folder} cannot be written; run: chmod 700 ${folder}`
        : `the socket's folder ${folder} cannot be written: ${describeSystemError(error)}; choose another --socket`,
    );
  }
}

/** Throws UnsafePlaceError. */
export function checkSocketPathSize(path: string): void {
  // The socket is made beside its place, under a name that is longer than a short one.
  const size = Math.max(Buffer.byteLength(path), Buffer.byteLength(join(dirname(path), SOCKET_DRAFT)));
  if (size > MAX_SOCKET_PATH) {
    throw new UnsafePlaceError(
      `the socket's path takes ${size} bytes and this system allows ${MAX_SOCKET_PATH}; choose a shorter --socket`,
    );
  }
}

/** Returns null if nothing is there. Throws UnsafePlaceError if that cannot be told. */
function lstatOrNull(path: string): Stats | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    throw new UnsafePlaceError(
      `${path} cannot be looked at: ${describeSystemError(error)}; set MAV_HOME to a folder of your own`,
    );
  }
}

/** Whether something lies there. Throws UnsafePlaceError where that cannot be told. */
export function isThere(path: string): boolean {
  return lstatOrNull(path) !== null;
}

function checkOwn(path: string, kind: 'folder' | 'file', forbidden: number, remedy: string): void {
  const stat = lstatOrNull(path);
  if (stat === null) throw new UnsafePlaceError(`${path} is not there`);
  checkStat(path, stat, kind, forbidden, remedy);
}

/** Throws UnsafePlaceError unless it is this user's, closed to others, and not a link. */
function checkStat(
  path: string,
  stat: Stats,
  kind: 'folder' | 'file',
  forbidden: number,
  remedy: string,
): void {
  if (stat.isSymbolicLink()) throw new UntrustedError(`${path} is a symbolic link; use the real ${kind}`);
  if (kind === 'folder' ? !stat.isDirectory() : !stat.isFile())
    throw new UnsafePlaceError(`${path} is not a ${kind}; move it away`);
  if (stat.uid !== process.geteuid?.()) {
    throw new UntrustedError(`${path} belongs to another user (uid ${stat.uid}); use a ${kind} of your own`);
  }
  if ((stat.mode & forbidden) !== 0) {
    throw new UntrustedError(`${path} is open to other users; run: ${remedy} ${path}`);
  }
}
