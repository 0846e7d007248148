/** Sizes in bytes that several files share, and their check. */

export const VAULT_ID_SIZE = 16;
export const KEY_ID_SIZE = 16;
export const KEY_SIZE = 32;
/** Nonce of XChaCha20-Poly1305: so long that random ones never repeat. */
export const NONCE_SIZE = 24;
/** Tag of Poly1305. */
export const TAG_SIZE = 16;
/** HMAC-SHA-512-256. */
export const MAC_SIZE = 32;
/** SHA-256. */
export const DIGEST_SIZE = 32;

/**
 * Checks lengths that the code itself determines: a wrong one is a bug, so it is a RangeError and not an
 * IntegrityError. The message names the argument and never its content.
 */
export function assertSize(bytes: Uint8Array, size: number, what: string): void {
  if (bytes.length !== size) throw new RangeError(`${what} must be ${size} bytes long`);
}
