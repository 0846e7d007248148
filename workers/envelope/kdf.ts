/**
 * From a passphrase to keys: Argon2id (RFC 9106), then HKDF-SHA256. Sees a passphrase, which belongs to the caller;
 * Argon2id's output is zeroed here, the derived pair by the caller.
 */

import type { Buffer } from 'node:buffer';
import { argon2Sync } from 'node:crypto';
import { encodeFields } from './encoding.ts';
import { deriveBytes, NO_SALT } from './hkdf.ts';
import { KEY_SIZE } from './keys.ts';

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

/** A key and a commitment to it, 32 bytes each: views into one buffer. The caller zeroes both. */
export interface SlotKeys {
  readonly key: Buffer<ArrayBuffer>;
  readonly commitment: Buffer<ArrayBuffer>;
}

/** Blocks the thread for as long as the parameters make it take: some 100 ms by default. */
export function deriveSlotKeys(
  passphrase: Uint8Array,
  salt: Uint8Array,
  ctx: Uint8Array,
  { memoryKib, passes, parallelism }: KdfParameters,
): SlotKeys {
  const stretched = argon2Sync('argon2id', {
    message: passphrase,
    nonce: salt,
    memory: memoryKib,
    passes,
    parallelism,
    tagLength: KEY_SIZE,
  });
  try {
    const bytes = deriveBytes(stretched, NO_SALT, encodeSlotInfo(ctx), KEY_SIZE + COMMITMENT_SIZE);
    return { key: bytes.subarray(0, KEY_SIZE), commitment: bytes.subarray(KEY_SIZE) };
  } finally {
    stretched.fill(0);
  }
}

/** LP("mav.v4.slot") ‖ ctx. */
function encodeSlotInfo(ctx: Uint8Array): Uint8Array {
  const label = encodeFields(['mav.v4.slot']);
  const info = new Uint8Array(label.length + ctx.length);
  info.set(label, 0);
  info.set(ctx, label.length);
  return info;
}

function isWithin(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}
