/** What the vaults that several parts share hold. */
import type { Filling } from './vaults.ts';

/** The secrets of 1 kB that single requests are about. */
export const KILOBYTE_SECRETS: Filling = { count: 1_000, valueSize: 1_000 };

/** Small enough that a million of them are stored in a minute or two. */
const SMALL_VALUE_SIZE = 100;

/** A vault that differs from the other such vaults in nothing but its size. */
export function smallSecrets(count: number): Filling {
  return { count, valueSize: SMALL_VALUE_SIZE };
}

/** The size that the large vault is compared with. */
export const FEW_SECRETS = smallSecrets(1_000);
