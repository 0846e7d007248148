/** From an `Authorization` header to a principal. A token is looked up by its hash and never kept or logged. */
import type { Principal } from '../../workers/messages.ts';
import type { Principals } from './principals.ts';

/** RFC 6750 section 2.1, with the case-insensitive scheme of RFC 9110 section 11.1. */
const BEARER = /^bearer +(mv[ts]_[0-9a-f]{64}) *$/i;

/** Returns null if the header is missing or malformed, or its token unknown or expired. */
export function authenticate(
  principals: Principals,
  authorization: string | undefined,
  nowMs: number,
): Principal | null {
  const token = BEARER.exec(authorization ?? '')?.[1];
  const principal = token === undefined ? null : principals.find(token);
  if (principal === null) return null;
  return principal.expiresAt !== null && principal.expiresAt * 1000 <= nowMs ? null : principal;
}

/** Returns the token of a well-formed header; else null. */
export function findToken(authorization: string | undefined): string | null {
  return BEARER.exec(authorization ?? '')?.[1] ?? null;
}

/** Returns whether a well-formed token is a session token. This process knows those even while the vault is sealed. */
export function isSessionToken(token: string): boolean {
  return token.startsWith('mvs_');
}
