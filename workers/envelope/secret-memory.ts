/**
 * Secret memory, from libsodium's sodium_malloc: it is locked, so that it is never swapped out, left out of core dumps,
 * lies between pages that cannot be touched, and is zeroed when it is freed, also when its thread ends. Each piece takes
 * four pages and some system calls. The caller that allocates a piece frees it.
 */
import { loadSodium } from './sodium.ts';

/** Returns a new piece, filled with zeros. Throws MissingSodiumError. */
export function allocateSecretMemory(size: number): Uint8Array<ArrayBuffer> {
  // libsodium fills new memory with 0xdb.
  return new Uint8Array(loadSodium().sodium_malloc(size)).fill(0);
}

/** Zeroes all of the piece at once and gives it back. Every view of it is empty afterwards; freeing it again does nothing. */
export function freeSecretMemory({ buffer }: Uint8Array<ArrayBuffer>): void {
  if (buffer.detached) return;
  // Here, because sodium_free erases it only when no view of it is left.
  new Uint8Array(buffer).fill(0);
  loadSodium().sodium_free(buffer);
}

/** Hands out a piece for the length of a call. */
export function withSecretMemory<T>(size: number, use: (memory: Uint8Array<ArrayBuffer>) => T): T {
  const memory = allocateSecretMemory(size);
  try {
    return use(memory);
  } finally {
    freeSecretMemory(memory);
  }
}
