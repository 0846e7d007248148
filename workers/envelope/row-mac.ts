/**
 * The MAC of a token's row: a row written without the key grants nothing. Sees the KEK as a
 * KeyObject and makes a second one from it; the bytes between the two are zeroed at once. Neither is kept here.
 * Of the token it sees the SHA-256 only.
 */

import type { Buffer } from 'node:buffer';
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { encodeContext } from './context.ts';
import { encodeFields, isU64 } from './encoding.ts';
import { deriveBytes, NO_SALT } from './hkdf.ts';
import { KEY_SIZE } from './keys.ts';
import { assertSize, DIGEST_SIZE, VAULT_ID_SIZE } from './sizes.ts';

/** What the MAC covers: everything in the row that decides who may do what, and for how long. */
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
  readonly createdAt: number;
  /** Null if the token does not expire. */
  readonly expiresAt: number | null;
}

/** A key for MACs only, so that the KEK itself is used for nothing but wraps. */
export function deriveTokenMacKey(kek: KeyObject, vaultId: Uint8Array): KeyObject {
  assertSize(vaultId, VAULT_ID_SIZE, 'a vault id');
  if (kek.symmetricKeySize !== KEY_SIZE) throw new RangeError(`a KEK must be ${KEY_SIZE} bytes long`);
  const bytes = deriveBytes(kek, NO_SALT, encodeFields(['mav.v4.token-mac', vaultId]), KEY_SIZE);
  try {
    return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
}

/**
 * HMAC-SHA256 (32 bytes) over ctx ‖ LP(token hash) ‖ LP(name) ‖ LP(scopes) ‖ u64(trusted) ‖ u64(created) ‖
 * u64(expires, 0 for never). Throws RangeError for an impossible row: see `isTokenRow`.
 */
export function computeTokenMac(macKey: KeyObject, row: TokenRow): Buffer {
  if (!isTokenRow(row)) throw new RangeError('a token row must have a 32-byte hash and positive times');
  const { vaultId, id, tokenHash, name, scopes, trusted, createdAt, expiresAt } = row;
  const ctx = encodeContext({ vaultId, kind: 'token', environment: '', name: id, field: '', version: 0 });
  const fields = encodeFields([tokenHash, name, scopes, trusted, createdAt, expiresAt ?? 0]);
  return createHmac('sha256', macKey).update(ctx).update(fields).digest();
}

/** Whether the stored MAC is the stored row's; false for impossible rows, too. */
export function verifyTokenMac(macKey: KeyObject, row: TokenRow, mac: Uint8Array): boolean {
  if (mac.length !== DIGEST_SIZE || !isTokenRow(row)) return false;
  return timingSafeEqual(computeTokenMac(macKey, row), mac);
}

/** An expiry of 0 is refused, because 0 stands for "never" in the MAC. */
function isTokenRow(row: TokenRow): boolean {
  const { tokenHash, trusted, createdAt, expiresAt } = row;
  const isSound = tokenHash.length === DIGEST_SIZE && (trusted === 0 || trusted === 1) && isU64(createdAt);
  return isSound && (expiresAt === null || isExpiry(expiresAt));
}

function isExpiry(expiresAt: number): boolean {
  return isU64(expiresAt) && expiresAt > 0;
}
