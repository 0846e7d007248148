/**
 * What binds a key slot to its vault and to its row. The context goes into a slot's blob. The MAC covers the row, also
 * that of a slot without a blob: a row that somebody changed, moved or added without the root key is not accepted. Sees the
 * root key, which belongs to the caller; the key that is derived from it is zeroed before each function returns.
 */
import { Buffer } from 'node:buffer';
import { timingSafeEqual } from 'node:crypto';
import { encodeContext } from './context.ts';
import { deriveKey } from './derive.ts';
import { encodeFields, isU64 } from './encoding.ts';
import type { RootKey } from './keys.ts';
import { withSecretMemory } from './secret-memory.ts';
import { KEY_SIZE, MAC_SIZE } from './sizes.ts';
import { writeMac } from './sodium.ts';

/**
 * The columns that the MAC covers. The location of a key file is not among them: it only says where to look, and what lies
 * there opens the vault only if it is the root key. The list of known vaults has the location, too.
 */
export interface BoundSlot {
  readonly id: string;
  readonly kind: string;
  readonly blob: Uint8Array | null;
  /** Unix time in seconds. */
  readonly createdAt: number;
}

/** `vaultId` has 16 bytes. A blob opens only in the slot that it was made for. */
export function encodeSlotContext(
  vaultId: Uint8Array,
  { id, kind }: Pick<BoundSlot, 'id' | 'kind'>,
): Buffer<ArrayBuffer> {
  return encodeContext({ vaultId, kind: 'slot', environment: '', name: kind, field: id, version: 0 });
}

/**
 * Returns HMAC-SHA-512-256 (32 bytes) over ctx ‖ u64(has a blob) ‖ LP(blob) ‖ u64(created at), under a key that is derived
 * from the root key.
 */
export function computeSlotMac(rootKey: RootKey, vaultId: Uint8Array, slot: BoundSlot): Buffer<ArrayBuffer> {
  const { blob, createdAt } = slot;
  const fields = encodeFields([blob === null ? 0 : 1, blob ?? '', createdAt]);
  const input = Buffer.concat([encodeSlotContext(vaultId, slot), fields]);
  const mac = Buffer.alloc(MAC_SIZE);
  withSecretMemory(KEY_SIZE, (macKey) => {
    deriveKey(rootKey, 'mav.v5.slot-mac', encodeFields([vaultId]), macKey);
    writeMac(macKey, input, mac);
  });
  return mac;
}

/** Whether somebody with this root key wrote the row. */
export function isGenuineSlot(
  rootKey: RootKey,
  vaultId: Uint8Array,
  slot: BoundSlot & { readonly mac: Uint8Array },
): boolean {
  if (slot.mac.length !== MAC_SIZE || !isU64(slot.createdAt)) return false;
  return timingSafeEqual(computeSlotMac(rootKey, vaultId, slot), slot.mac);
}
