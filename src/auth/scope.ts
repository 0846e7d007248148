/** The only place that compares scopes. */
import type { Author, Principal, Scope } from '../../workers/messages.ts';

/** Every principal has `any`; `admin` implies every other stored scope; `session` implies `admin`, and only it may change the vault's state. */
export function hasScope(principal: Principal, scope: Scope): boolean {
  if (scope === 'any') return true;
  const { scopes } = principal;
  if (scopes.includes('session')) return true;
  if (scope === 'session') return false;
  return scopes.includes(scope) || scopes.includes('admin');
}

/** Returns what the principal's writes are bound to. */
export function toAuthor(principal: Principal): Author {
  const isSession = hasScope(principal, 'session');
  return { id: isSession ? 'session' : principal.id, isTrusted: isSession || principal.isTrusted === true };
}
