/** A known vault in words, for people. */
import type { KnownVault } from '../../../workers/messages.ts';

export function describeVault({ vault_id: id, slots }: KnownVault): string {
  const places = slots.map(({ kind, location }) => (location === null ? kind : `${kind} ${location}`));
  return `the vault ${id || 'without an id'}, its key kept in: ${places.join(', ') || 'nothing'}`;
}
