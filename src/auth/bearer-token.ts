/** The token in an `Authorization` header. It is looked up by its hash, and never kept or logged. */

/** RFC 6750 section 2.1, with the case-insensitive scheme of RFC 9110 section 11.1. */
export const BEARER = /^bearer +(mv[ts]_[0-9a-f]{64}) *$/i;

/** Returns the token of a well-formed header; else null. */
export function findToken(authorization: string | undefined): string | null {
  return BEARER.exec(authorization ?? '')?.[1] ?? null;
}

/** Returns whether a well-formed token is a session token. This process knows those even while the vault is sealed. */
export function isSessionToken(token: string): boolean {
  return token.startsWith('mvs_');
}
