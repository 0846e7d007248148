/** The interface of every kind of key slot. Each kind has a file in this folder and a line in `registry.ts`. */
import type { RootKey } from '../../envelope/keys.ts';
import type { Reason, SlotKind } from '../../messages.ts';

/** A key slot as the database keeps it. */
export interface StoredSlot {
  readonly kind: SlotKind;
  /** The wrapped root key; null for kinds that keep it outside the database. */
  readonly blob: Uint8Array | null;
  /** The key file's path; null for kinds that need none. */
  readonly location: string | null;
}

/** What a new slot is made from. The caller zeroes `rootKey` and `passphrase`. */
export interface NewSlot {
  readonly rootKey: RootKey;
  readonly vaultId: Uint8Array;
  /** The vault's folder, a real path: no key file may lie in it. */
  readonly folder: string;
  /** Absolute path of the key file; absent: a new file in `keyDirectory`. */
  readonly keyFile?: string | undefined;
  readonly keyDirectory?: string | undefined;
  readonly passphrase: Uint8Array | null;
  readonly passphraseFile: string | null;
  readonly keychainTimeoutMs: number;
}

export interface CreatedSlot extends Pick<StoredSlot, 'blob' | 'location'> {
  /** Takes the root key away again, if the vault cannot be made. */
  undo(): Promise<void>;
}

/** Where `open` may look for the root key. */
export interface KeySources {
  /** The passphrase that came with the request. `open` zeroes it. */
  readonly passphrase: Uint8Array | null;
  readonly passphraseFile: string | null;
  readonly credentialsDirectory: string | null;
  readonly keychainTimeoutMs: number;
  /** The vault's folder, a real path: no key file may lie in it. */
  readonly folder: string;
}

export interface Removal {
  readonly vaultId: Uint8Array;
  readonly keychainTimeoutMs: number;
  /** Whether a root key is this vault's. Does not zero it. */
  readonly opensVault: (rootKey: RootKey) => boolean;
}

export interface KeySlot {
  readonly kind: SlotKind;
  /** Puts the root key where `open` finds it. Throws RequestError, and then nothing of the slot is left. */
  create(slot: NewSlot): Promise<CreatedSlot>;
  /** Returns the root key, which the caller zeroes. Throws SealedError. */
  open(slot: StoredSlot, vaultId: Uint8Array, sources: KeySources): Promise<RootKey>;
  /** Returns whether there may be a key to remove. Removes nothing. Throws KeyKeptError. */
  isRemovable(slot: StoredSlot, removal: Removal): boolean;
  /** Removes the root key; returns whether there was one. Throws KeyKeptError, and then the key is as it was. */
  remove(slot: StoredSlot, removal: Removal): Promise<boolean>;
}

/** The root key could not be removed from its key store; `message` says why. */
export class KeyKeptError extends Error {
  readonly reason: Reason;

  constructor(message: string, reason: 'key_kept' | 'keychain_kept' = 'key_kept') {
    super(message);
    this.reason = reason;
  }
}
