/**
 * The MAC of a token's row: a row written without the key grants nothing. Sees the KEK and a key that is derived from it,
 * which both belong to the caller. It sees only the SHA-256 of the token.
 */

import { Buffer } from 'node:buffer';
import { timingSafeEqual } from 'node:crypto';
import { encodeContext } from './context.ts';
import { deriveKey } from './derive.ts';
import { encodeFields, isU64 } from './encoding.ts';
import type { Kek } from './keys.ts';
import { assertSize, DIGEST_SIZE, MAC_SIZE, VAULT_ID_SIZE } from './sizes.ts';
import { writeMac } from './sodium.ts';

/** The columns that the MAC covers: all that decide who may do what, and for how long. */
export interface TokenRow {
  /** 16 bytes. */
  readonly vaultId: Uint8Array;
  readonly id: string;
  /** SHA-256 of the token, 32 bytes. */
  readonly tokenHash: Uint8Array;
  readonly name: string;
  /** The scopes in their canonical order, joined by commas. */
  readonly scopes: string;
  /** 1 if what the token writes counts as accepted by the owner, else 0. */
  readonly trusted: number;
  /** Whether the owner is asked before the token reads a value, as stored. */
  readonly confirm: number;
  readonly createdAt: number;
  /** Null if the token does not expire. */
  readonly expiresAt: number | null;
  /** Null if the token is valid from the beginning. */
  readonly notBefore: number | null;
  /** The stored text. */
  readonly limits: string;
  /** Null if the token may be used as often as wanted. */
  readonly maxUses: number | null;
  readonly uses: number;
}

/**
 * Writes a key for MACs only into the 32 bytes of `target`, for the caller to zero: the KEK itself is used for nothing but
 * wraps and this.
 */
export function deriveTokenMacKey(kek: Kek, vaultId: Uint8Array, target: Uint8Array): void {
  assertSize(vaultId, VAULT_ID_SIZE, 'a vault id');
  deriveKey(kek, 'mav.v5.token-mac', encodeFields([vaultId]), target);
}

/**
 * HMAC-SHA-512-256 (32 bytes) over ctx ‖ LP(token hash) ‖ LP(name) ‖ LP(scopes) ‖ u64(trusted) ‖ u64(confirm) ‖ u64(created) ‖
 * u64(expires, 0 for never) ‖ u64(not before, 0 for none) ‖ LP(limits) ‖
 * u64(most uses, 0 for any number) ‖ u64(uses). `macKey` is 32 bytes. Throws RangeError for an impossible row: see `isTokenRow`.
 */
export function computeTokenMac(macKey: Uint8Array, row: TokenRow): Buffer {
  if (!isTokenRow(row)) throw new RangeError('a token row must have a 32-byte hash and positive times');
  const { vaultId, id, tokenHash, name, scopes, trusted, confirm, createdAt, expiresAt, notBefore } = row;
  const uses = [row.maxUses ?? 0, row.uses];
  const ctx = encodeContext({ vaultId, kind: 'token', environment: '', name: id, field: '', version: 0 });
  const times = [createdAt, expiresAt ?? 0, notBefore ?? 0];
  const fields = encodeFields([tokenHash, name, scopes, trusted, confirm, ...times, row.limits, ...uses]);
  const mac = Buffer.alloc(MAC_SIZE);
  writeMac(macKey, Buffer.concat([ctx, fields]), mac);
  return mac;
}

/** Whether the stored MAC is the stored row's; false for impossible rows, too. */
export function verifyTokenMac(macKey: Uint8Array, row: TokenRow, mac: Uint8Array): boolean {
  if (mac.length !== MAC_SIZE || !isTokenRow(row)) return false;
  return timingSafeEqual(computeTokenMac(macKey, row), mac);
}

/** A 0 is refused, because 0 stands for null in the MAC. */
function isTokenRow(row: TokenRow): boolean {
  const { tokenHash, trusted, confirm, createdAt, expiresAt, notBefore, maxUses, uses } = row;
  const isSound =
    tokenHash.length === DIGEST_SIZE &&
    (trusted === 0 || trusted === 1) &&
    [confirm, createdAt, uses].every(isU64);
  return isSound && [expiresAt, notBefore, maxUses].every((number) => number === null || isPositive(number));
}

function isPositive(number: number): boolean {
  return isU64(number) && number > 0;
}
