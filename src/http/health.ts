/** What `GET /v1/health` says, which needs neither a token nor a worker. */
import type { Principals } from '../auth/principals.ts';
import { hasScope } from '../auth/scope.ts';
import type { LongWork } from '../long-work.ts';
import type { Backend } from './backend.ts';

/** What there is to say of the daemon and its vault. `Backend` says what each is. */
interface Health {
  readonly principals: Principals;
  readonly sealedBecause: object | null;
  readonly isDamaged: boolean;
  readonly changedRows: Backend['changedRows'];
  readonly isReplaced: boolean;
  readonly longWork: LongWork;
  readonly sealingTimes: { readonly idleAtMs: number | null; readonly latestAtMs: number | null } | null;
  readonly unheard: readonly string[];
}

export function describeHealth(backend: Health, authorization: string | undefined): object {
  const health: Record<string, unknown> = { status: 'ok', time: formatSecond(Date.now()) };
  if (backend.sealedBecause !== null) health.sealed = true;
  if (backend.isDamaged) health.damaged = true;
  if (backend.changedRows !== null) health.changed = true;
  if (backend.isReplaced) health.replaced = true;
  // For the owner's session alone: it tells how many secrets there are, and their names, and health needs no token.
  if (isSession(backend, authorization)) {
    health.progress = backend.longWork;
    if (backend.changedRows !== null) health.changed_rows = describeChanged(backend.changedRows);
    const { idleAtMs = null, latestAtMs = null } = backend.sealingTimes ?? {};
    if (idleAtMs !== null) health.idle_seal_at = formatSecond(idleAtMs);
    if (latestAtMs !== null) health.max_unsealed_at = formatSecond(latestAtMs);
    if (backend.unheard.length > 0) health.unheard = backend.unheard;
  }
  return health;
}

function describeChanged({ foundAtMs, ...changed }: NonNullable<Backend['changedRows']>): object {
  return { found_at: formatSecond(foundAtMs), ...changed };
}

/** Kept because formatting a time takes longer than the rest of a health check. */
let formatted = { second: Number.NaN, text: '' };

/** Returns the time as RFC 3339 UTC, to the second. */
function formatSecond(nowMs: number): string {
  const second = Math.floor(nowMs / 1000);
  if (second !== formatted.second)
    formatted = { second, text: `${new Date(second * 1000).toISOString().slice(0, 19)}Z` };
  return formatted.text;
}

function isSession({ principals }: Health, authorization: string | undefined): boolean {
  if (authorization === undefined) return false;
  const principal = principals.authenticate(authorization, Date.now());
  return principal !== null && hasScope(principal, 'session');
}
