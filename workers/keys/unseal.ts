/**
 * Opens a vault's key slots and unwraps its keyring. Holds the root key from opening a slot until the KEKs are unwrapped,
 * and zeroes it then. Writes nothing: if no slot opens, the vault stays sealed and unchanged.
 */
import { IntegrityError } from '../envelope/integrity.ts';
import type { RootKey } from '../envelope/keys.ts';
import { SealedError } from '../errors/sealed.ts';
import { type Keyring, unwrapKeyring, type WrappedKek } from './keyring.ts';
import type { KeySources, StoredSlot } from './slots/key-slot.ts';
import { findKeySlot } from './slots/registry.ts';

/**
 * Opens the vault's slots in turn and returns the first root key, which the caller zeroes. Only slots that the vault
 * records are tried. Throws SealedError, with the last slot's reason, if all fail.
 */
export async function unsealRootKey(
  slots: readonly StoredSlot[],
  vaultId: Uint8Array,
  sources: KeySources,
): Promise<RootKey> {
  let failure = new SealedError('unusable', 'the vault has no key slot; restore vault.db from a backup');
  for (const slot of slots) {
    try {
      return await openSlot(slot, vaultId, sources);
    } catch (error) {
      if (!(error instanceof SealedError)) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function openSlot(slot: StoredSlot, vaultId: Uint8Array, sources: KeySources): Promise<RootKey> {
  const keySlot = findKeySlot(slot.kind);
  if (keySlot === null)
    throw new SealedError('unusable', `this program knows no key slot of the kind ${slot.kind}`);
  return keySlot.open(slot, vaultId, sources);
}

/**
 * Returns the keyring that this root key opens, for the caller to destroy, and zeroes the root key. Throws SealedError if
 * it is not this vault's.
 */
export function openKeyring(
  rootKey: RootKey,
  vaultId: Uint8Array,
  wrappedKeks: readonly WrappedKek[],
): Keyring {
  try {
    return unwrapKeyring(rootKey, vaultId, wrappedKeks);
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
    throw new SealedError('wrong_key', "the key store's root key does not open this vault");
  } finally {
    rootKey.fill(0);
  }
}
