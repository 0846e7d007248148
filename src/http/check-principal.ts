/** Decides whether the token of a request may use a route. */
import { findToken } from '../auth/bearer-token.ts';
import type { AuthenticatedPrincipal } from '../auth/principals.ts';
import { hasScope } from '../auth/scope.ts';
import type { Route } from '../routes.ts';
import type { Backend } from './backend.ts';
import { HttpError } from './errors.ts';
import type { Request } from './request.ts';
import { explainNoPrincipal, explainSealed } from './unauthorized.ts';

/** A request that its token does not permit. */
export class ForbiddenError extends HttpError {
  readonly principal: AuthenticatedPrincipal;

  constructor(principal: AuthenticatedPrincipal, message: string) {
    super('forbidden', message);
    this.principal = principal;
  }
}

/**
 * Returns the principal, if it may use this route. Throws ForbiddenError, HttpError 401 or, while the vault is sealed, 503.
 * `authorization`: the request header, unchecked.
 */
export function checkPrincipal(
  { principals, sealedBecause }: Pick<Backend, 'principals' | 'sealedBecause'>,
  route: Route,
  authorization: string | undefined,
  nowMs: number,
): AuthenticatedPrincipal {
  const principal = principals.authenticate(authorization, nowMs);
  if (principal === null) throw explainNoPrincipal(sealedBecause, authorization);
  if (route.scope !== null && !hasScope(principal, route.scope))
    throw new ForbiddenError(principal, `the token does not have the scope ${route.scope}`);
  if (sealedBecause !== null && route.pool !== 'control') throw explainSealed(sealedBecause);
  return principal;
}

/**
 * Returns whether the request may unseal a vault that has sealed itself. Without a token of the right form it may not. Whether
 * the token is valid, only an unsealed vault can tell.
 */
export function mayUnseal({ isUpkeep }: Route, { authorization }: Pick<Request, 'authorization'>): boolean {
  return isUpkeep !== true && findToken(authorization) !== null;
}
