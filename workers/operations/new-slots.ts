/**
 * Makes key slots. Holds the root key, a passphrase and a recovery code until the slot is made and has been opened; all belong to the
 * caller.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { RootKey } from '../envelope/keys.ts';
import { computeSlotMac } from '../envelope/slot-mac.ts';
import { RequestError } from '../errors/request-error.ts';
import { nowSeconds } from '../json/times.ts';
import type { NewSlot } from '../keys/slots/key-slot.ts';
import { getKeySlot } from '../keys/slots/registry.ts';
import type { SlotKind } from '../messages.ts';
import type { SlotRow } from '../store/columns.ts';
import type { Vault } from '../vault.ts';
import { announce, commitChange, finishEarlier } from './slot-changes.ts';

const ID_SIZE = 4;

export function createSlotId(): string {
  return randomBytes(ID_SIZE).toString('hex');
}

interface WantedSlot {
  /** The id that it is to have; absent: a new one. */
  readonly id?: string;
  readonly kind: SlotKind;
  readonly keyFile?: string | undefined;
  readonly keyDirectory?: string | undefined;
  /** The new one. */
  readonly passphrase: Uint8Array | null;
  /** The 32 bytes of the code of a recovery slot. */
  readonly recoveryCode?: Uint8Array | null;
  /** The ids of the slots whose place the new one takes. */
  readonly replaced?: readonly string[];
}

/**
 * Makes a slot, opens it, and stores its row in place of the one that it replaces. If any of that fails, nothing is left. The
 * caller zeroes the root key.
 */
export async function placeSlot(vault: Vault, rootKey: RootKey, wanted: WantedSlot): Promise<SlotRow> {
  const { kind, replaced = [] } = wanted;
  const planned = planSlot(vault, rootKey, wanted);
  const { location } = planned;
  const old = vault.known.current?.slots.filter(({ id }) => replaced.includes(id)) ?? [];
  announce(vault, [{ id: planned.id, kind, location }, ...old]);
  try {
    const row = await makeSlot(vault, kind, planned);
    commitChange(vault, { added: row, removed: replaced });
    return row;
  } finally {
    await finishEarlier(vault);
  }
}

/** Chooses the id of a new slot, and the place of its key file. Makes nothing yet. Throws RequestError. */
export function planSlot(
  vault: Vault,
  rootKey: RootKey,
  { id = createSlotId(), kind, keyFile, keyDirectory, passphrase, recoveryCode = null }: WantedSlot,
): NewSlot {
  const { keychainTimeoutMs } = vault.options;
  const vaultId = vault.stores.vault.getVaultId();
  const given = { keyFile, keyDirectory, passphrase, passphraseFile: null, recoveryCode };
  const slot = { id, rootKey, vaultId, folder: vault.folder, ...given, keychainTimeoutMs };
  return { ...slot, location: getKeySlot(kind).planLocation(slot) };
}

/** Returns the row of a slot that was just made and then opened. Leaves nothing in the key store if it throws. */
export async function makeSlot(vault: Vault, kind: SlotKind, slot: NewSlot): Promise<SlotRow> {
  const { id, rootKey, vaultId, location } = slot;
  const keySlot = getKeySlot(kind);
  const { blob, undo } = await keySlot.create(slot);
  try {
    const row = { id, kind, blob, location };
    const sources = { ...vault.options, ...slot, credentialsDirectory: null };
    const opened = await keySlot.open(row, vaultId, sources);
    const isSame = timingSafeEqual(opened, rootKey);
    opened.fill(0);
    if (!isSame)
      throw new RequestError('conflict', 'the new key slot does not keep the key; nothing was changed');
    return signSlot(rootKey, vaultId, row);
  } catch (error) {
    await undo();
    throw error;
  }
}

/** Returns the complete row of a slot, made now. */
export function signSlot(
  rootKey: RootKey,
  vaultId: Uint8Array,
  slot: Pick<SlotRow, 'id' | 'kind' | 'blob' | 'location'>,
): SlotRow {
  const bound = { ...slot, createdAt: nowSeconds() };
  return { ...bound, mac: computeSlotMac(rootKey, vaultId, bound) };
}
