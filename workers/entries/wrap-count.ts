/**
 * Counts how many keys each KEK has wrapped, as its row in `keks` says. A count for every write would take a page of the log each
 * time, so the wraps are counted in blocks before they are made: the count is never too low, and a little too high.
 */
import type { Keyring } from '../keys/keyring.ts';
import type { OpenVault } from '../open-vault.ts';

const BLOCK = 65_536;
/** For wraps outside of transactions that reserve some: those of the audit log's segments. */
const SLACK = BLOCK / 4;

/** By keyring, how many of its wraps the database counts. */
const counted = new WeakMap<Keyring, number>();

/**
 * For the end of a transaction that may have wrapped keys: counts a block more if the one before is used up. Returns what the
 * caller hands to `keepWraps` after the commit.
 */
export function reserveWraps({ keyring, vault }: Pick<OpenVault, 'keyring' | 'vault'>): number {
  const known = counted.get(keyring) ?? 0;
  const missing = keyring.wrapCount + SLACK - known;
  if (missing <= 0) return known;
  const more = Math.ceil(missing / BLOCK) * BLOCK;
  vault.countWraps(keyring.current.id, more);
  return known + more;
}

/** Notes that the database counts so many of the keyring's wraps. */
export function keepWraps({ keyring }: Pick<OpenVault, 'keyring'>, reserved: number): void {
  counted.set(keyring, reserved);
}
