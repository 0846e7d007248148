/** The interface of every kind of key slot. Each kind has a file in this folder and a line in `registry.ts`. */
import type { RootKey } from '../../envelope/keys.ts';
import type { Reason, SlotKind } from '../../messages.ts';

/** A key slot as the database keeps it. */
export interface StoredSlot {
  /** 8 hexadecimal digits, random. */
  readonly id: string;
  readonly kind: SlotKind;
  /** The wrapped root key; null for kinds that keep it outside the database. */
  readonly blob: Uint8Array | null;
  /** The key file's path; null for kinds that need none. */
  readonly location: string | null;
  /** Unix time in seconds. */
  readonly createdAt: number;
  /** Under a key from the root key, over the row (envelope/slot-mac.ts). */
  readonly mac: Uint8Array;
}

/** The part of a slot by which its key is found. */
export type OpenableSlot = Omit<StoredSlot, 'createdAt' | 'mac'>;

/** What a new slot is made from. The caller zeroes `rootKey` and `passphrase`. */
export interface NewSlot {
  /** The id that its row will have. */
  readonly id: string;
  readonly rootKey: RootKey;
  readonly vaultId: Uint8Array;
  /** The vault's folder, a real path: no key file may lie in it. */
  readonly folder: string;
  /** Absolute path of the key file; absent: a new file in `keyDirectory`. */
  readonly keyFile?: string | undefined;
  readonly keyDirectory?: string | undefined;
  readonly passphrase: Uint8Array | null;
  readonly passphraseFile: string | null;
  /** The 32 bytes of a recovery code; the caller zeroes them. */
  readonly recoveryCode: Uint8Array | null;
  readonly keychainTimeoutMs: number;
  /** What `planLocation` returned. */
  readonly location: string | null;
}

export interface CreatedSlot extends Pick<StoredSlot, 'blob'> {
  /** Takes the root key away again, if the vault cannot be made. */
  undo(): Promise<void>;
}

/** Where `open` may look for the root key. */
export interface KeySources {
  /** The passphrase that came with the request. The caller zeroes it. */
  readonly passphrase: Uint8Array | null;
  readonly passphraseFile: string | null;
  /** The 32 bytes of the recovery code that came with the request; null: none. The caller zeroes them. */
  readonly recoveryCode: Uint8Array | null;
  readonly credentialsDirectory: string | null;
  readonly keychainTimeoutMs: number;
  /** The vault's folder, a real path: no key file may lie in it. */
  readonly folder: string;
}

export interface Removal {
  readonly vaultId: Uint8Array;
  readonly keychainTimeoutMs: number;
  /** Whether a root key is one that the slot may have: this vault's. Does not zero it. */
  readonly isOurs: (rootKey: RootKey) => boolean;
}

export interface KeySlot {
  readonly kind: SlotKind;
  /** Returns where the key file of a new slot will lie; null for kinds that need none. Throws RequestError. Makes no file. */
  planLocation(slot: Omit<NewSlot, 'location'>): string | null;
  /** Puts the root key where `open` finds it. Throws RequestError, and then nothing of the slot is left. */
  create(slot: NewSlot): Promise<CreatedSlot>;
  /** Returns the root key, which the caller zeroes. Throws SealedError. */
  open(slot: OpenableSlot, vaultId: Uint8Array, sources: KeySources): Promise<RootKey>;
  /** Returns whether there may be a key to remove. Removes nothing. Throws KeyKeptError. */
  isRemovable(slot: OpenableSlot, removal: Removal): boolean;
  /** Removes the root key; returns whether there was one. Throws KeyKeptError, and then the key is as it was. */
  remove(slot: OpenableSlot, removal: Removal): Promise<boolean>;
}

/** The root key could not be removed from its key store; `message` says why. */
export class KeyKeptError extends Error {
  readonly reason: Reason;

  constructor(message: string, reason: 'key_kept' | 'keychain_kept' = 'key_kept') {
    super(message);
    this.reason = reason;
  }
}
