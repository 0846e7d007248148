/** Signs and verifies the rows of tokens. The keys stay in the keyring. */
import { computeTokenMac, verifyTokenMac } from '../envelope/row-mac.ts';
import type { Keyring } from '../keys/keyring.ts';

/** The part of a token's row that its MAC covers: everything that decides what the token grants. */
export interface SignedToken {
  readonly id: string;
  /** SHA-256 of the token. */
  readonly hash: Uint8Array;
  readonly name: string;
  readonly scopes: string;
  readonly trusted: number;
  readonly confirm: number;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly notBefore: number | null;
  readonly limits: string;
  readonly maxUses: number | null;
  readonly uses: number;
}

export function signTokenRow(keyring: Keyring, row: SignedToken): { kekId: Buffer; mac: Buffer } {
  const { id, tokenMacKey } = keyring.current;
  return { kekId: Buffer.from(id), mac: computeTokenMac(tokenMacKey, pickSigned(keyring.vaultId, row)) };
}

/** Returns whether the row is as somebody with the key wrote it. */
export function isGenuine(
  keyring: Keyring,
  row: SignedToken & { readonly kekId: Uint8Array; readonly mac: Uint8Array },
): boolean {
  const kek = keyring.find(row.kekId);
  return kek !== null && verifyTokenMac(kek.tokenMacKey, pickSigned(keyring.vaultId, row), row.mac);
}

function pickSigned(vaultId: Uint8Array, row: SignedToken) {
  const {
    id,
    hash: tokenHash,
    name,
    scopes,
    trusted,
    confirm,
    createdAt,
    expiresAt,
    notBefore,
    limits,
    maxUses,
    uses,
  } = row;
  const grant = { name, scopes, trusted, confirm, createdAt, expiresAt, notBefore, limits, maxUses, uses };
  return { vaultId, id, tokenHash, ...grant };
}
