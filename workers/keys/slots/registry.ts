/** The kinds of key slots. A kind of `SlotKind` without a line here does not compile. */
import type { SlotKind } from '../../messages.ts';
import { fileSlot } from './file.ts';
import type { KeySlot } from './key-slot.ts';
import { keychainSlot } from './keychain.ts';
import { passphraseSlot } from './passphrase.ts';
import { recoverySlot } from './recovery.ts';

/** In the order of removal. The keychain comes first, because its refusal is the one that cannot be foreseen. */
const keySlots: { readonly [Kind in SlotKind]: KeySlot & { readonly kind: Kind } } = {
  keychain: keychainSlot,
  passphrase: passphraseSlot,
  file: fileSlot,
  recovery: recoverySlot,
};

const kinds = Object.keys(keySlots);

/** Null for a kind that this program does not know: a request and a changed database may name any. */
export function findKeySlot(kind: string): KeySlot | null {
  return kinds.includes(kind) ? keySlots[kind as SlotKind] : null;
}

/** Returns the slot of a kind that this program knows. */
export function getKeySlot(kind: SlotKind): KeySlot {
  return keySlots[kind];
}

/** Sorts slots in the order in which their keys are to be removed. */
export function compareForRemoval(a: { readonly kind: SlotKind }, b: { readonly kind: SlotKind }): number {
  return kinds.indexOf(a.kind) - kinds.indexOf(b.kind);
}
