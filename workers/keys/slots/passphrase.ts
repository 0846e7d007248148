/**
 * The `passphrase` slot: the root key lies in the database, wrapped under a key that Argon2id derives from a passphrase.
 * Holds the passphrase for the length of a call and zeroes it; the root key belongs to the caller.
 */
import { isUtf8 } from 'node:buffer';
import { join } from 'node:path';
import { IntegrityError } from '../../envelope/integrity.ts';
import { unwrapRootKey, wrapRootKey } from '../../envelope/slot.ts';
import { encodeSlotContext } from '../../envelope/slot-mac.ts';
import { RequestError } from '../../errors/request-error.ts';
import { SealedError } from '../../errors/sealed.ts';
import type { KeySlot, KeySources, NewSlot } from './key-slot.ts';
import { readPassphraseFile, readPassphraseIfThere } from './passphrase-file.ts';

const CREDENTIAL_NAME = 'maestrovault.passphrase';

/** The shortest passphrase that a vault is made with, in characters. */
export const MIN_PASSPHRASE_LENGTH = 8;

const KIND = 'passphrase';

export const passphraseSlot: KeySlot & { readonly kind: typeof KIND } = {
  kind: KIND,

  planLocation() {
    return null;
  },

  async create(slot) {
    const passphrase = choosePassphrase(slot);
    const ctx = encodeSlotContext(slot.vaultId, { id: slot.id, kind: KIND });
    try {
      checkPassphrase(passphrase);
      const blob = wrapRootKey(passphrase, slot.rootKey, ctx);
      return { blob, undo: async () => {} };
    } finally {
      if (passphrase !== slot.passphrase) passphrase.fill(0);
    }
  },

  async open(slot, vaultId, sources) {
    const passphrase = findPassphrase(sources);
    if (passphrase === null) throw new SealedError('needs_passphrase', 'the vault needs its passphrase');
    try {
      return unwrapRootKey(passphrase, slot.blob ?? new Uint8Array(), encodeSlotContext(vaultId, slot));
    } catch (error) {
      throw error instanceof IntegrityError ? explainWrong(sources) : error;
    } finally {
      if (passphrase !== sources.passphrase) passphrase.fill(0);
    }
  },

  isRemovable() {
    return true;
  },

  /** There is nothing to remove: the wrapped key is deleted together with the database. */
  async remove() {
    return true;
  },
};

function choosePassphrase({ passphrase, passphraseFile }: NewSlot): Uint8Array {
  if (passphrase !== null) return passphrase;
  if (passphraseFile === null) throw new RequestError('bad_request', 'a passphrase is needed');
  return readPassphraseFile(passphraseFile);
}

function checkPassphrase(passphrase: Uint8Array): void {
  // The passphrase will be typed later, and sent as JSON.
  if (!isUtf8(passphrase)) throw new RequestError('bad_request', 'the passphrase must be valid UTF-8');
  // Counts characters without making a string: a byte that does not continue a character begins one.
  const characters = passphrase.reduce((count, byte) => ((byte & 0xc0) === 0x80 ? count : count + 1), 0);
  if (characters < MIN_PASSPHRASE_LENGTH) {
    throw new RequestError(
      'bad_request',
      `the passphrase must have at least ${MIN_PASSPHRASE_LENGTH} characters`,
    );
  }
}

/**
 * Returns the passphrase that came with the request, or that of the file or the credential that the vault is opened with; null if
 * there is none. The caller zeroes it. Throws SealedError.
 */
export function findPassphrase({
  passphrase,
  passphraseFile,
  credentialsDirectory,
}: KeySources): Uint8Array | null {
  if (passphrase !== null) return passphrase;
  if (passphraseFile !== null) return readPassphraseFile(passphraseFile);
  if (credentialsDirectory === null) return null;
  return readPassphraseIfThere(join(credentialsDirectory, CREDENTIAL_NAME));
}

function explainWrong({ passphrase, passphraseFile: file }: KeySources): SealedError {
  if (passphrase !== null) return new SealedError('wrong_passphrase', 'the passphrase is wrong');
  const source = file === null ? `the credential ${CREDENTIAL_NAME}` : `the file ${file}`;
  return new SealedError('passphrase_file', `the passphrase in ${source} is wrong`);
}
