/**
 * A keyring on its way from one thread to another. A message would leave copies of what it carries, in memory that nobody
 * zeroes, so it carries shared memory instead: the receiver moves the KEKs out of it into its own keyring and zeroes it at
 * once. The sender zeroes it once the other thread has said that it knows as much, or is gone, since a thread may die with
 * a message unread. Holds the KEKs in between.
 */
import { KEY_SIZE } from '../envelope/sizes.ts';
import { type KekHead, Keyring } from './keyring.ts';

export interface LentKeyring {
  readonly vaultId: Uint8Array;
  readonly heads: readonly KekHead[];
  /** The generation under which everything new is wrapped. */
  readonly current: number;
  /** The KEK of each head, one after the other. */
  readonly keks: SharedArrayBuffer;
}

/** Copies a keyring's KEKs. The caller zeroes them with `wipeKeyring`. */
export function lendKeyring({ vaultId, entries, current }: Keyring): LentKeyring {
  const keks = new SharedArrayBuffer(KEY_SIZE * entries.length);
  for (const [index, { kek }] of entries.entries()) new Uint8Array(keks).set(kek, KEY_SIZE * index);
  const heads = entries.map(({ id, generation }) => ({ id, generation }));
  return { vaultId, heads, current: current.generation, keks };
}

/** Returns a keyring of this thread's own, which the caller destroys, and zeroes the lent one. */
export function takeKeyring(lent: LentKeyring): Keyring {
  try {
    const keks = new Uint8Array(lent.keks);
    const fillKek = (kek: Uint8Array<ArrayBuffer>, index: number) =>
      kek.set(keks.subarray(KEY_SIZE * index, KEY_SIZE * (index + 1)));
    return new Keyring(lent.vaultId, lent.heads, fillKek, lent.current);
  } finally {
    wipeKeyring(lent);
  }
}

export function wipeKeyring({ keks }: LentKeyring): void {
  new Uint8Array(keks).fill(0);
}
