/**
 * Key files: 32 bytes, readable by their owner only and outside the vault's folder. A systemd credential may stand in
 * for one. Holds the root key for the length of a call.
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
import { asRootKey, type RootKey } from '../../envelope/keys.ts';
import { allocateSecretMemory } from '../../envelope/secret-memory.ts';
import { KEY_SIZE } from '../../envelope/sizes.ts';
import { SealedError } from '../../errors/sealed.ts';
import { isInside, syncFolder } from '../../files/folders.ts';
import { KeyKeptError } from './key-slot.ts';

const CREDENTIAL_NAME = 'maestrovault.key';
const OWNER_READ_ONLY = 0o400;
const OWNER_READ_WRITE = 0o600;
const ACCESS_BY_OTHERS = 0o077;

/**
 * Returns the root key, which the caller zeroes. `folder` is the vault's folder, a real path, and no key file may lie in
 * it: a copy of that folder would have both vault and key, and a user who may write it could bring a vault together with
 * its key. Null allows any folder. Throws SealedError if the key cannot be read.
 */
export function readKeyFile(
  location: string,
  credentialsDirectory: string | null,
  folder: string | null,
): RootKey {
  const credential =
    credentialsDirectory === null ? null : openOrNull(join(credentialsDirectory, CREDENTIAL_NAME));
  // No check of the mode: systemd made the folder for this service alone, and chooses the modes in it.
  if (credential !== null) return readKey(credential, `the credential ${CREDENTIAL_NAME}`, false);
  const descriptor = openOrNull(location);
  if (descriptor === null) throw explainUnopened(location);
  // It was opened with O_NOFOLLOW, so the last step of the path is not a link.
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

/** O_NOFOLLOW: a user who may place a link must not choose the key. O_NONBLOCK: opening a FIFO must not block. */
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
    const bytes = allocateSecretMemory(KEY_SIZE);
    if (readSync(descriptor, bytes, 0, KEY_SIZE, 0) !== KEY_SIZE)
      throw new SealedError('key_file_unreadable', `${what} cannot be read`);
    return asRootKey(bytes);
  } finally {
    closeSync(descriptor);
  }
}

/** Writes the root key to a new file with mode 0400. Throws if the path exists. Leaves no partial file. */
export function writeKeyFile(location: string, rootKey: RootKey): void {
  const descriptor = openSync(location, 'wx', OWNER_READ_ONLY);
  try {
    writeSync(descriptor, rootKey);
    fsyncSync(descriptor);
    // Without that the file itself may be gone after a power failure.
    syncFolder(dirname(location));
  } catch (error) {
    rmSync(location, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Returns whether there is a key file that `destroyKeyFile` can destroy; false if the path leads to nothing. The path comes
 * from vault.db, which others may have written, so `isOurs` must confirm that the key is the vault's. Throws KeyKeptError.
 */
export function isDestroyable(location: string, isOurs: (rootKey: RootKey) => boolean): boolean {
  if (lstatSync(location, { throwIfNoEntry: false }) === undefined) return false;
  const rootKey = readOwnKey(location);
  try {
    if (!isOurs(rootKey)) throw new KeyKeptError(`${location} does not hold the root key of this vault`);
  } finally {
    rootKey.fill(0);
  }
  try {
    accessSync(dirname(location), constants.W_OK);
  } catch {
    throw new KeyKeptError(`the folder of the key file ${location} cannot be written`);
  }
  return true;
}

function readOwnKey(location: string): RootKey {
  try {
    return readKeyFile(location, null, null);
  } catch (error) {
    if (error instanceof SealedError) throw new KeyKeptError(`${location} is not the key file of this vault`);
    throw error;
  }
}

/**
 * Whether the file at this path is one of ours that was not written to its end, or one that was overwritten with zeros and not
 * removed. The caller must know that we made the file.
 */
export function isUnfinishedKey(location: string): boolean {
  const stat = lstatSync(location, { throwIfNoEntry: false });
  if (stat?.isFile() !== true || stat.uid !== process.geteuid?.()) return false;
  return stat.size < KEY_SIZE || (stat.size === KEY_SIZE && isErased(location));
}

function isErased(location: string): boolean {
  const descriptor = openOrNull(location);
  if (descriptor === null) return false;
  const bytes = allocateSecretMemory(KEY_SIZE);
  try {
    return readSync(descriptor, bytes, 0, KEY_SIZE, 0) === KEY_SIZE && bytes.every((byte) => byte === 0);
  } finally {
    bytes.fill(0);
    closeSync(descriptor);
  }
}

/** Overwrites the key and removes its file. Throws KeyKeptError, and then the key is unchanged. */
export function destroyKeyFile(location: string): void {
  try {
    overwriteKey(location);
  } catch {
    throw new KeyKeptError(`the key file ${location} cannot be overwritten`);
  }
  try {
    rmSync(location);
  } catch {
    // The file that stays holds zeros.
  }
}

/** On most disks this erases the key. A disk that writes each block to a new place keeps the old block for a while. */
function overwriteKey(location: string): void {
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
