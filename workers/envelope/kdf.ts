/**
 * Derives keys from a passphrase: Argon2id (RFC 9106), then HMAC-SHA-512-256. Sees a passphrase, which belongs to the caller;
 * Argon2id's output is zeroed here, the derived pair by the caller.
 */

import { argon2Sync } from 'node:crypto';
import { deriveKey } from './derive.ts';
import { assertSize, KEY_SIZE } from './sizes.ts';

export const SALT_SIZE = 16;
export const COMMITMENT_SIZE = 32;

/** Argon2id's cost: memory in KiB, passes over it, and lanes. */
export interface KdfParameters {
  readonly memoryKib: number;
  readonly passes: number;
  readonly parallelism: number;
}

/** RFC 9106 §4, the second recommended option: 64 MiB, 3 passes, 4 lanes. */
export const DEFAULT_KDF_PARAMETERS: KdfParameters = { memoryKib: 64 * 1024, passes: 3, parallelism: 4 };

const MAX_MEMORY_KIB = 1024 * 1024;
const MIN_MEMORY_KIB_PER_LANE = 8; // RFC 9106 §3.1
const MAX_PASSES = 64;
const MAX_PARALLELISM = 16;

/** Keeps a tampered blob from asking for all of the machine's memory or hours of its time. */
export function isWithinBounds({ memoryKib, passes, parallelism }: KdfParameters): boolean {
  return (
    isWithin(parallelism, 1, MAX_PARALLELISM) &&
    isWithin(passes, 1, MAX_PASSES) &&
    isWithin(memoryKib, MIN_MEMORY_KIB_PER_LANE * parallelism, MAX_MEMORY_KIB)
  );
}

/** A key and a commitment to it, 32 bytes each. */
export interface SlotKeys {
  readonly key: Uint8Array;
  readonly commitment: Uint8Array;
}

/** Fills `target`, for the caller to zero. Blocks the thread for as long as the parameters make it take: some 100 ms by default. */
export function deriveSlotKeys(
  passphrase: Uint8Array,
  salt: Uint8Array,
  ctx: Uint8Array,
  { memoryKib, passes, parallelism }: KdfParameters,
  target: SlotKeys,
): void {
  assertSize(salt, SALT_SIZE, 'a salt');
  const stretched = argon2Sync('argon2id', {
    message: passphrase,
    nonce: salt,
    memory: memoryKib,
    passes,
    parallelism,
    tagLength: KEY_SIZE,
  });
  try {
    deriveKey(stretched, 'mav.v5.slot.key', ctx, target.key);
    deriveKey(stretched, 'mav.v5.slot.commitment', ctx, target.commitment);
  } finally {
    stretched.fill(0);
  }
}

function isWithin(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}
