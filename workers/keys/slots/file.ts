/** The `file` slot: the root key lies in a key file outside the vault's folder, or in a systemd credential. */
import { existsSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { RootKey } from '../../envelope/keys.ts';
import { RequestError } from '../../errors/request-error.ts';
import { isInside, makeFolders } from '../../files/folders.ts';
import type { Reason } from '../../messages.ts';
import { destroyKeyFile, isDestroyable, readKeyFile, writeKeyFile } from './key-file.ts';
import type { KeySlot, NewSlot } from './key-slot.ts';

export const fileSlot: KeySlot & { readonly kind: 'file' } = {
  kind: 'file',

  planLocation: planKeyFile,

  async create({ location, rootKey }) {
    if (location === null) throw new RangeError('a key file needs a place');
    writeNewKeyFile(location, rootKey);
    return { blob: null, undo: async () => rmSync(location, { force: true }) };
  },

  async open({ location }, _vaultId, { credentialsDirectory, folder }) {
    return readKeyFile(location ?? '', credentialsDirectory, folder);
  },

  isRemovable({ location }, { isOurs }) {
    return location !== null && isDestroyable(location, isOurs);
  },

  async remove({ location }) {
    destroyKeyFile(location ?? '');
    return true;
  },
};

/**
 * Returns the absolute path of the new key file. It must not lie in the vault's folder, or a copy of that folder would
 * have both vault and key. Throws RequestError.
 */
function planKeyFile(slot: Omit<NewSlot, 'location'>): string {
  const { keyFile, keyDirectory = '', folder } = slot;
  if (keyFile === undefined && keyDirectory === '')
    throw new RequestError('bad_request', 'a key_file or a key_directory is needed');
  const location = keyFile ?? chooseName(keyDirectory, slot);
  if (existsSync(location))
    throw new RequestError('conflict', `${location} exists already; nothing was changed`);
  if (keyFile === undefined) makeKeyFolder(keyDirectory);
  if (!existsSync(dirname(location))) {
    throw new RequestError('bad_request', `the folder ${dirname(location)} is not there; make it first`, {
      reason: 'key_folder',
    });
  }
  if (isInside(realpathSync(dirname(location)), folder)) {
    throw new RequestError('bad_request', "the key file must lie outside the vault's folder");
  }
  return resolve(location);
}

/** The first key file of a vault has its id as its name, a further one also the id of its slot. */
function chooseName(directory: string, { vaultId, id }: Pick<NewSlot, 'vaultId' | 'id'>): string {
  const name = Buffer.from(vaultId).toString('hex');
  const first = join(directory, `${name}.key`);
  return existsSync(first) ? join(directory, `${name}-${id}.key`) : first;
}

function makeKeyFolder(path: string): void {
  try {
    makeFolders(path, 0o700);
  } catch (error) {
    throw new RequestError(
      'bad_request',
      `the folder ${path} for the key file cannot be made (${codeOf(error)}); choose another --key-file`,
      reasonOf(error),
    );
  }
}

function writeNewKeyFile(location: string, rootKey: RootKey): void {
  try {
    writeKeyFile(location, rootKey);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOSPC') throw new RequestError('disk_full', 'the disk is full; nothing was stored');
    throw new RequestError(
      'bad_request',
      `the key file ${location} cannot be written (${code}); choose another --key-file`,
      reasonOf(error),
    );
  }
}

/** A closed daemon has only some folders, and gets this error for the others. */
function reasonOf(error: unknown): { readonly reason?: Reason } {
  return codeOf(error) === 'EACCES' ? { reason: 'key_folder' } : {};
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'failed';
}
