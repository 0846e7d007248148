/** Tells one root key of a vault from another, without saying anything about either: for what an interrupted change left behind. */
import { Buffer } from 'node:buffer';
import { deriveKey } from './derive.ts';
import { encodeFields } from './encoding.ts';
import type { RootKey } from './keys.ts';
import { assertSize, KEY_SIZE, VAULT_ID_SIZE } from './sizes.ts';

/** Returns HMAC-SHA-512-256 under the root key, in hexadecimal digits. `vaultId`: 16 bytes. */
export function identifyRootKey(rootKey: RootKey, vaultId: Uint8Array): string {
  assertSize(vaultId, VAULT_ID_SIZE, 'a vault id');
  const id = Buffer.alloc(KEY_SIZE);
  deriveKey(rootKey, 'mav.v5.root-key-id', encodeFields([vaultId]), id);
  return id.toString('hex');
}
