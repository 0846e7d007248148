/**
 * The MAC of a backup's head, which has the SHA-256 of the database behind it: so a backup is what somebody with the key made,
 * byte for byte. Sees the KEK, which belongs to the caller, and derives a key from it that is zeroed at once.
 */

import { Buffer } from 'node:buffer';
import { timingSafeEqual } from 'node:crypto';
import { deriveKey } from './derive.ts';
import { encodeFields } from './encoding.ts';
import type { Kek } from './keys.ts';
import { withSecretMemory } from './secret-memory.ts';
import { assertSize, KEY_SIZE, MAC_SIZE, VAULT_ID_SIZE } from './sizes.ts';
import { writeMac } from './sodium.ts';

/** Returns HMAC-SHA-512-256 (32 bytes) over the bytes of the head. `vaultId`: 16 bytes. */
export function computeBackupMac(kek: Kek, vaultId: Uint8Array, head: Uint8Array): Buffer {
  assertSize(vaultId, VAULT_ID_SIZE, 'a vault id');
  const mac = Buffer.alloc(MAC_SIZE);
  withSecretMemory(KEY_SIZE, (key) => {
    deriveKey(kek, 'mav.v5.backup-mac', encodeFields([vaultId]), key);
    writeMac(key, head, mac);
  });
  return mac;
}

export function verifyBackupMac(kek: Kek, vaultId: Uint8Array, head: Uint8Array, mac: Uint8Array): boolean {
  return mac.length === MAC_SIZE && timingSafeEqual(computeBackupMac(kek, vaultId, head), mac);
}
