/** From an `Authorization` header to a principal. A token is looked up by its hash and never kept or logged. */
import type { Principal } from '../../workers/messages.ts';
import type { Principals } from './principals.ts';

/** RFC 6750 section 2.1, with the case-insensitive scheme of RFC 9110 section 11.1. */
const BEARER = /^bearer +(mv[ts]_[0-9a-f]{64}) *$/i;

/** The principal, or null if the header is missing or malformed, or its token unknown or expired. */
export function authenticate(
  principals: Principals,
  authorization: string | undefined,
  nowMs: number,
): Principal | null {
  const token = findToken(authorization);
  const principal = token === null ? null : principals.find(token);
  if (principal === null) return null;
  return principal.expiresAt !== null && principal.expiresAt * 1000 <= nowMs ? null : principal;
}

/** The token of a well-formed header. */
export function findToken(authorization: string | undefined): string | null {
  return BEARER.exec(authorization ?? '')?.[1] ?? null;
}

/** Whether a well-formed token is a session's: known to this process alone, sealed or not. */
export function isSessionToken(token: string): boolean {
  return token.startsWith('mvs_');
}
