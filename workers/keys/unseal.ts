/**
 * From a vault's key slots to its keyring. Holds the root key between the slot and the KEKs, and zeroes it as soon
 * as they are unwrapped. Nothing here writes: a slot that does not open leaves the vault sealed and untouched.
 */
import { IntegrityError } from '../envelope/integrity.ts';
import type { RootKey } from '../envelope/keys.ts';
import type { SlotKind } from '../messages.ts';
import { Keyring, unwrapKeks, type WrappedKek } from './keyring.ts';
import { SealedError } from './sealed.ts';
import { readKeyFile } from './slots/file.ts';
import { readRootKey } from './slots/keychain.ts';
import { openPassphraseSlot } from './slots/passphrase.ts';

/** A key slot as the database keeps it. */
export interface Slot {
  readonly kind: SlotKind;
  /** The wrapped root key, of a `passphrase` slot. */
  readonly blob: Uint8Array | null;
  /** The key file's path, of a `file` slot. */
  readonly location: string | null;
}

/** What may be asked for the root key. */
export interface KeySources {
  /** Given with this very request; zeroed when it has been tried. */
  readonly passphrase: Uint8Array | null;
  readonly passphraseFile: string | null;
  readonly credentialsDirectory: string | null;
  readonly keychainTimeoutMs: number;
  /** The vault's, a real path: no key file may lie in it. */
  readonly folder: string;
}

/**
 * Opens the vault's slots in turn until one gives the root key; only the kinds that the vault itself records are
 * ever asked. Throws SealedError, for the last slot's reason, if none does.
 */
export async function unsealRootKey(
  slots: readonly Slot[],
  vaultId: Uint8Array,
  sources: KeySources,
): Promise<RootKey> {
  let failure = new SealedError('unusable', 'the vault has no key slot; restore vault.db from a backup');
  for (const slot of slots) {
    try {
      return await openSlotOf(slot, vaultId, sources);
    } catch (error) {
      if (!(error instanceof SealedError)) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function openSlotOf(slot: Slot, vaultId: Uint8Array, sources: KeySources): Promise<RootKey> {
  switch (slot.kind) {
    case 'keychain':
      return readRootKey(vaultId, sources.keychainTimeoutMs);
    case 'file':
      return readKeyFile(slot.location ?? '', sources.credentialsDirectory, sources.folder);
    case 'passphrase': {
      const { passphrase: given, passphraseFile: file, credentialsDirectory } = sources;
      return openPassphraseSlot(slot.blob ?? new Uint8Array(), vaultId, {
        given,
        file,
        credentialsDirectory,
      });
    }
    default:
      throw new SealedError(
        'unusable',
        `this program knows no key slot of the kind ${slot.kind satisfies never}`,
      );
  }
}

/** The keyring that this root key opens; zeroes the root key. Throws SealedError if it is not this vault's. */
export function openKeyring(
  rootKey: RootKey,
  vaultId: Uint8Array,
  wrappedKeks: readonly WrappedKek[],
): Keyring {
  try {
    const keks = unwrapKeks(rootKey, vaultId, wrappedKeks);
    return new Keyring({ vaultId, keks });
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
    throw new SealedError('wrong_key', "the key store's root key does not open this vault");
  } finally {
    rootKey.fill(0);
  }
}
