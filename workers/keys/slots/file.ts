/**
 * The `file` slot: the root key lies in a file of its own, 32 bytes, readable by its owner only and outside the
 * vault's folder, or in a systemd credential. Holds the root key for the length of a call.
 */
import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { asRootKey, KEY_SIZE, type RootKey } from '../../envelope/keys.ts';
import { allocateSecret } from '../../secret-bytes.ts';
import { SealedError } from '../sealed.ts';

const CREDENTIAL_NAME = 'maestrovault.key';
const OWNER_READ_ONLY = 0o400;
const ACCESS_BY_OTHERS = 0o077;

/** The root key (the caller zeroes it). Throws SealedError with the remedy if it cannot be had. */
export function readKeyFile(location: string, credentialsDirectory: string | null): RootKey {
  const credential =
    credentialsDirectory === null ? null : openOrNull(join(credentialsDirectory, CREDENTIAL_NAME));
  // A credential lies in a folder that systemd made for this service alone, with the modes it sees fit.
  if (credential !== null) return readKey(credential, `the credential ${CREDENTIAL_NAME}`, false);
  const descriptor = openOrNull(location);
  if (descriptor === null) {
    throw new SealedError(`the key file ${location} cannot be opened; put it back, then run: mav unseal`);
  }
  return readKey(descriptor, `the key file ${location}`, true);
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
      throw new SealedError(
        `${what} is not a root key of ${KEY_SIZE} bytes; put the right one back, then run: mav unseal`,
      );
    if (checkMode && (stat.mode & ACCESS_BY_OTHERS) !== 0) {
      throw new SealedError(`${what} is open to other users; run chmod 400 on it, then: mav unseal`);
    }
    if (checkMode && stat.uid !== process.geteuid?.()) {
      throw new SealedError(`${what} belongs to another user; own it, then run: mav unseal`);
    }
    const bytes = allocateSecret(KEY_SIZE);
    if (readSync(descriptor, bytes, 0, KEY_SIZE, 0) !== KEY_SIZE)
      throw new SealedError(`${what} cannot be read; put it back, then run: mav unseal`);
    return asRootKey(bytes);
  } finally {
    closeSync(descriptor);
  }
}

/** Writes the root key to a new file, 0400. Throws if anything lies at that path already. */
export function writeKeyFile(location: string, rootKey: RootKey): void {
  const descriptor = openSync(location, 'wx', OWNER_READ_ONLY);
  try {
    writeSync(descriptor, rootKey);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
