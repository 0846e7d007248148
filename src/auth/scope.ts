/** What a principal may do: the only place where a scope is compared. */
import type { Author, Principal, Scope } from '../../workers/messages.ts';
import type { Route } from '../routes.ts';

/** `admin` implies every other stored scope; `session` implies `admin`, and only it may change the vault's state. */
export function hasScope(principal: Principal, scope: Scope): boolean {
  const { scopes } = principal;
  if (scopes.includes('session')) return true;
  if (scope === 'session') return false;
  return scopes.includes(scope) || scopes.includes('admin');
}

/** Whether the principal may replace a secret that exists, on a route that also creates. */
export function mayReplace(principal: Principal, route: Route): boolean {
  return route.replaceScope === undefined || hasScope(principal, route.replaceScope);
}

/** Whom a write of the principal's is bound to. */
export function toAuthor(principal: Principal): Author {
  const isSession = hasScope(principal, 'session');
  return { id: isSession ? 'session' : principal.id, isTrusted: isSession || principal.isTrusted === true };
}
