/** What a client is told that has no valid token, or that asks while no token can be verified. */
import { findToken, isSessionToken } from '../auth/bearer-token.ts';
import type { Problem } from '../remedies.ts';
import { HttpError } from './errors.ts';

/** The token is known to be wrong, so it may be a guess. */
export class WrongTokenError extends HttpError {}

/** Flat list of headers. */
export const CHALLENGE = ['WWW-Authenticate', 'Bearer'];

/**
 * `sealedBecause`: null while the vault is unsealed. While it is sealed, only a session token can be verified, so no other token is
 * called wrong.
 */
export function explainNoPrincipal(
  sealedBecause: Problem | null,
  authorization: string | undefined,
): HttpError {
  const token = findToken(authorization);
  if (token === null)
    return new HttpError('unauthorized', 'a token is needed: Authorization: Bearer mvt_…', CHALLENGE);
  if (sealedBecause === null)
    return new WrongTokenError('unauthorized', 'the token is unknown, expired or revoked', CHALLENGE);
  return explainSealed(sealedBecause, isSessionToken(token) ? WrongTokenError : HttpError);
}

export function explainSealed({ message, reason }: Problem, SealedError = HttpError): HttpError {
  return new SealedError('sealed', message, [], reason);
}
