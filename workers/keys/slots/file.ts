/**
 * The `file` slot: the root key lies in a file of its own, 32 bytes, readable by its owner only and outside the
 * vault's folder, or in a systemd credential. Holds the root key for the length of a call.
 */
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { asRootKey, KEY_SIZE, type RootKey } from '../../envelope/keys.ts';
import { allocateSecret } from '../../json/secret-bytes.ts';
import { isInside } from '../../paths.ts';
import { SealedError } from '../sealed.ts';

const CREDENTIAL_NAME = 'maestrovault.key';
const OWNER_READ_ONLY = 0o400;
const OWNER_READ_WRITE = 0o600;
const ACCESS_BY_OTHERS = 0o077;

/**
 * The root key (the caller zeroes it). `folder`: the vault's, a real path, in which no key file may lie: whoever copies
 * that folder would have both, and whoever may write it could bring a vault together with its key; null: it may lie
 * anywhere. Throws SealedError if the key cannot be had.
 */
export function readKeyFile(
  location: string,
  credentialsDirectory: string | null,
  folder: string | null,
): RootKey {
  const credential =
    credentialsDirectory === null ? null : openOrNull(join(credentialsDirectory, CREDENTIAL_NAME));
  // A credential lies in a folder that systemd made for this service alone, with the modes it sees fit.
  if (credential !== null) return readKey(credential, `the credential ${CREDENTIAL_NAME}`, false);
  const descriptor = openOrNull(location);
  if (descriptor === null) throw explainUnopened(location);
  // The last step of the path is no link: it was opened.
  if (folder !== null && isInside(realpathSync(dirname(location)), folder)) {
    closeSync(descriptor);
    throw new SealedError('key_file_inside', `the key file ${location} lies in the vault's folder`);
  }
  return readKey(descriptor, `the key file ${location}`, true);
}

function explainUnopened(location: string): SealedError {
  return lstatSync(location, { throwIfNoEntry: false }) === undefined
    ? new SealedError('key_file_missing', `the key file ${location} is not there`)
    : new SealedError('key_file_unreadable', `the key file ${location} cannot be opened`);
}

/** O_NOFOLLOW: whoever may place a link must not choose the key. O_NONBLOCK: a FIFO must not make us wait. */
function openOrNull(path: string): number | null {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null;
  }
}

function readKey(descriptor: number, what: string, checkMode: boolean): RootKey {
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile() || stat.size !== KEY_SIZE)
      throw new SealedError('wrong_key', `${what} is not a root key of ${KEY_SIZE} bytes`);
    if (checkMode && (stat.mode & ACCESS_BY_OTHERS) !== 0) {
      throw new SealedError('key_file_exposed', `${what} is open to other users`);
    }
    if (checkMode && stat.uid !== process.geteuid?.()) {
      throw new SealedError('key_file_foreign', `${what} belongs to another user`);
    }
    const bytes = allocateSecret(KEY_SIZE);
    if (readSync(descriptor, bytes, 0, KEY_SIZE, 0) !== KEY_SIZE)
      throw new SealedError('key_file_unreadable', `${what} cannot be read`);
    return asRootKey(bytes);
  } finally {
    closeSync(descriptor);
  }
}

/** Writes the root key to a new file, 0400. Throws if anything lies at that path already; leaves no half of one. */
export function writeKeyFile(location: string, rootKey: RootKey): void {
  const descriptor = openSync(location, 'wx', OWNER_READ_ONLY);
  try {
    writeSync(descriptor, rootKey);
    fsyncSync(descriptor);
  } catch (error) {
    rmSync(location, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** The key file cannot be destroyed, and was left as it is; `message` says why. */
export class KeyFileKeptError extends Error {}

/**
 * Whether a key file lies there that `destroyKeyFile` can destroy; false if nothing does. The path comes from vault.db,
 * where anybody may have written it who may write that file, so the key itself must say that it is the vault's:
 * `opensVault` tells. Throws KeyFileKeptError.
 */
export function findKeyFile(location: string, opensVault: (rootKey: RootKey) => boolean): boolean {
  if (lstatSync(location, { throwIfNoEntry: false }) === undefined) return false;
  const rootKey = readOwnKey(location);
  try {
    if (!opensVault(rootKey))
      throw new KeyFileKeptError(`${location} does not hold the root key of this vault`);
  } finally {
    rootKey.fill(0);
  }
  try {
    accessSync(dirname(location), constants.W_OK);
  } catch {
    throw new KeyFileKeptError(`the folder of the key file ${location} cannot be written`);
  }
  return true;
}

function readOwnKey(location: string): RootKey {
  try {
    return readKeyFile(location, null, null);
  } catch (error) {
    if (error instanceof SealedError)
      throw new KeyFileKeptError(`${location} is not the key file of this vault`);
    throw error;
  }
}

/** Overwrites the key and removes its file. Throws KeyFileKeptError, and the key is as it was. */
export function destroyKeyFile(location: string): void {
  try {
    overwrite(location);
  } catch {
    throw new KeyFileKeptError(`the key file ${location} cannot be overwritten`);
  }
  try {
    rmSync(location);
  } catch {
    // What stays is a file of zeros.
  }
}

/** On most disks this leaves nothing of the key; one that writes every block elsewhere keeps the old one for a while. */
function overwrite(location: string): void {
  const reading = openSync(location, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    fchmodSync(reading, OWNER_READ_WRITE);
    const writing = openSync(location, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      writeSync(writing, new Uint8Array(KEY_SIZE), 0, KEY_SIZE, 0);
      fsyncSync(writing);
    } finally {
      closeSync(writing);
    }
  } finally {
    closeSync(reading);
  }
}
