/** Whether the owner is asked before a value is read: the columns `confirm` of secrets and of tokens. */
import { RequestError } from '../errors/request-error.ts';
import type { Author } from '../messages.ts';

/** By their numbers in the database. The greater one holds where two meet. */
export const CONFIRMATIONS = ['never', 'session', 'always'] as const;
export type Confirmation = (typeof CONFIRMATIONS)[number];

export const NEVER_ASKED = 0;
export const ALWAYS_ASKED = 2;

/** The id of the owner's own principal. */
export const SESSION = 'session';

/** Returns the number of a word, or null if it is none. */
export function parseConfirmation(word: string): number | null {
  const number = CONFIRMATIONS.indexOf(word as Confirmation);
  return number < 0 ? null : number;
}

/** Returns the word of a stored number. */
export function nameConfirmation(confirm: number): Confirmation {
  return CONFIRMATIONS[confirm] ?? 'always';
}

/**
 * Returns the number that a write stores. `wanted`: undefined keeps the stored one. Throws RequestError `forbidden` if a token
 * would have the owner asked less.
 */
export function chooseConfirm(author: Author, stored: number, wanted: number | undefined): number {
  if (wanted === undefined) return stored;
  if (wanted < stored && author.id !== SESSION)
    throw new RequestError('forbidden', 'only the owner may have a secret ask less', { member: 'confirm' });
  return wanted;
}
