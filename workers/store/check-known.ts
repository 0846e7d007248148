/**
 * Checks that the vault that a thread opened is the one that the user knows at this path. Without this check a foreign vault
 * with its key beside it would open without a question, return its author's values and receive the user's next ones.
 */
import { SealedError } from '../errors/sealed.ts';
import type { KnownSlot, KnownVault } from '../messages.ts';

/** Throws SealedError, naming what differs, unless `found` is what `known` says. */
export function checkKnown(databasePath: string, known: KnownVault | null, found: KnownVault): void {
  if (known === null) {
    throw new SealedError(
      'unknown_vault',
      `the vault at ${databasePath} is not known to this account (${describeIdAndSlots(found)})`,
    );
  }
  const difference = findDifference(known, found);
  if (difference !== null)
    throw new SealedError(
      'other_vault',
      `${databasePath} is not the vault that is known there: ${difference}`,
    );
}

/**
 * Returns what differs, in words, or null if nothing does. A newer schema does not count, because an upgrade of the program
 * brings one. An older schema counts: it may lack what the newer one checks.
 */
export function findDifference(known: KnownVault, found: KnownVault): string | null {
  const differences = [];
  if (found.vault_id !== known.vault_id)
    differences.push(`its id is ${found.vault_id || 'missing'} (known: ${known.vault_id})`);
  if (!haveSameSlots(known, found)) differences.push(describeOtherSlots(known, found));
  if (found.schema < known.schema) differences.push(`its schema is ${found.schema} (known: ${known.schema})`);
  return differences.length === 0 ? null : differences.join('; ');
}

/** A slot that is being added or removed may be there or not. */
function haveSameSlots(known: KnownVault, found: KnownVault): boolean {
  const knownNames = new Set(known.slots.map(identifySlot));
  const foundNames = new Set(found.slots.map(identifySlot));
  const settled = known.slots.filter(({ pending }) => pending !== true);
  return (
    foundNames.size === found.slots.length &&
    found.slots.every((slot) => knownNames.has(identifySlot(slot))) &&
    settled.every((slot) => foundNames.has(identifySlot(slot)))
  );
}

function identifySlot({ id, kind, location }: KnownSlot): string {
  return JSON.stringify([id, kind, location]);
}

/** Slots that look alike are told apart by their ids. */
function describeOtherSlots(known: KnownVault, found: KnownVault): string {
  const [slots, knownSlots] = [describeSlots(found), describeSlots(known)];
  if (slots !== knownSlots) return `its key is kept in: ${slots} (known: ${knownSlots})`;
  const listIds = (vault: KnownVault) =>
    vault.slots
      .map(({ id }) => id)
      .sort()
      .join(', ');
  return `its key slots are ${listIds(found)} (known: ${listIds(known)})`;
}

function describeIdAndSlots(vault: KnownVault): string {
  return `id ${vault.vault_id || 'missing'}, its key is kept in: ${describeSlots(vault)}`;
}

/** Sorted, because the rows of a table have no order. */
function describeSlots({ slots }: KnownVault): string {
  return slots.length === 0 ? 'nothing' : slots.map(describeSlot).sort().join(', ');
}

function describeSlot({ kind, location }: KnownSlot): string {
  return location === null ? kind : `${kind} ${location}`;
}
