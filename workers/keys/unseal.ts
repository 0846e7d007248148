/**
 * Opens a vault's key slots and unwraps its keyring. Holds the root key from opening a slot until the KEKs are unwrapped,
 * and zeroes it then. Writes nothing: if no slot opens, the vault stays sealed and unchanged.
 */
import { IntegrityError } from '../envelope/integrity.ts';
import type { RootKey } from '../envelope/keys.ts';
import { isGenuineSlot } from '../envelope/slot-mac.ts';
import { SealedError } from '../errors/sealed.ts';
import type { Reason } from '../messages.ts';
import { type Keyring, unwrapKeyring, type WrappedKek } from './keyring.ts';
import type { KeySources, StoredSlot } from './slots/key-slot.ts';
import { findKeySlot } from './slots/registry.ts';

/** The rows that say how a vault is opened. */
export interface SealedRows {
  /** 16 bytes. */
  readonly vaultId: Uint8Array;
  readonly slots: readonly StoredSlot[];
  readonly keks: readonly WrappedKek[];
}

export interface OpenedSlot {
  /** The caller zeroes it. */
  readonly rootKey: RootKey;
  readonly slotId: string;
}

const WRONG_KEY = "the key store's root key does not open this vault";

/** Of several failures one of these is told: somebody can be asked for a passphrase. */
const TOLD_FIRST: ReadonlySet<Reason> = new Set(['needs_passphrase', 'wrong_passphrase', 'passphrase_file']);

/**
 * Opens the vault's slots in turn and returns the first root key that is this vault's. The caller zeroes it. Only slots that
 * the vault records are tried; if a passphrase is given, those that take one, if there are any. Zeroes the passphrase. Throws
 * SealedError if all fail, with a reason that somebody can do something about, if one of them has such.
 */
export async function unsealRootKey(rows: SealedRows, sources: KeySources): Promise<OpenedSlot> {
  let failure = new SealedError('unusable', 'the vault has no key slot; restore vault.db from a backup');
  try {
    for (const slot of chooseSlots(rows.slots, sources)) {
      try {
        return { slotId: slot.id, rootKey: await openGenuine(slot, rows, sources) };
      } catch (error) {
        if (!(error instanceof SealedError)) throw error;
        if (!TOLD_FIRST.has(failure.reason)) failure = error;
      }
    }
  } finally {
    sources.passphrase?.fill(0);
  }
  throw failure;
}

/**
 * A passphrase that was given is never ignored, because its owner wants to know whether it is right. A recovery slot is tried
 * only by those who give the code, and then no other is.
 */
function chooseSlots(
  slots: readonly StoredSlot[],
  { passphrase, recoveryCode }: KeySources,
): readonly StoredSlot[] {
  if (recoveryCode !== null) return slots.filter(({ kind }) => kind === 'recovery');
  const typed = slots.filter(({ kind }) => kind === 'passphrase');
  return passphrase === null || typed.length === 0 ? slots.filter(({ kind }) => kind !== 'recovery') : typed;
}

/** Throws SealedError also if the slot holds another root key, or its row was not written by somebody with the key. */
async function openGenuine(slot: StoredSlot, rows: SealedRows, sources: KeySources): Promise<RootKey> {
  const rootKey = await openSlot(slot, rows.vaultId, sources);
  const isOurs = opensVault(rootKey, rows);
  if (isOurs && isGenuineSlot(rootKey, rows.vaultId, slot)) return rootKey;
  rootKey.fill(0);
  throw new SealedError('wrong_key', isOurs ? describeForged(slot) : WRONG_KEY);
}

function describeForged({ id }: StoredSlot): string {
  return `the row of the key slot ${id} was changed by somebody without the key`;
}

async function openSlot(slot: StoredSlot, vaultId: Uint8Array, sources: KeySources): Promise<RootKey> {
  const keySlot = findKeySlot(slot.kind);
  if (keySlot === null)
    throw new SealedError('unusable', `this program knows no key slot of the kind ${slot.kind}`);
  return keySlot.open(slot, vaultId, sources);
}

/** Whether this root key is the vault's. Does not zero it. */
export function opensVault(rootKey: RootKey, { vaultId, keks }: Omit<SealedRows, 'slots'>): boolean {
  try {
    unwrapKeyring(rootKey, vaultId, keks).destroy();
    return true;
  } catch (error) {
    if (error instanceof IntegrityError) return false;
    throw error;
  }
}

/**
 * Returns the keyring that this root key opens, for the caller to destroy, and zeroes the root key. `current` as for Keyring.
 * Throws SealedError if it is not this vault's.
 */
export function openKeyring(
  rootKey: RootKey,
  vaultId: Uint8Array,
  wrappedKeks: readonly WrappedKek[],
  current?: number,
): Keyring {
  try {
    return unwrapKeyring(rootKey, vaultId, wrappedKeks, current);
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
    throw new SealedError('wrong_key', WRONG_KEY);
  } finally {
    rootKey.fill(0);
  }
}
