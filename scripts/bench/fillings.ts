/** The contents of the vaults that several parts share. */
import type { Filling } from './vaults.ts';

/** Secrets of 1 kB, for single requests. */
export const KILOBYTE_SECRETS: Filling = { count: 1_000, valueSize: 1_000 };

/** Secrets so small that a million of them are stored in a minute or two. */
const SMALL_VALUE_SIZE = 100;

/** A vault that differs from the others of this kind only in its size. */
export function smallSecrets(count: number): Filling {
  return { count, valueSize: SMALL_VALUE_SIZE };
}

/** Number of secrets in the vault that the large one is compared with. */
export const FEW_SECRETS = smallSecrets(1_000);
