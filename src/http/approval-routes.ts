/** The routes by which the owner answers requests that wait for a yes, and the header with which requests choose how they wait. */
import type { Approvals, Asking } from '../auth/approvals.ts';
import { HttpError } from './errors.ts';
import type { Match } from './router.ts';

/** Seconds. */
const MAX_WAIT = 60;
const APPROVAL = /^(?:ask|never|[0-9a-f]{16})$/;

/**
 * The `X-Approval` request header: `ask` answers at once, with the id of the approval to wait for; `never` answers at once; an id
 * uses that approval up. Returns undefined without the header. Throws HttpError 400.
 */
export function readApproval(header: string | undefined): string | undefined {
  if (header !== undefined && !APPROVAL.test(header))
    throw new HttpError('bad_request', 'X-Approval must be ask, never, or the id of an approval');
  return header;
}

/**
 * Answers a request of the session. Resolves with the body of the response; rejects with HttpError. `onDecided` is called
 * with what was approved or denied.
 */
export async function answerApprovals(
  approvals: Approvals,
  { route: { operation }, params }: Match,
  onGone: (listener: () => void) => void,
  onDecided: (asking: Asking) => void,
): Promise<object> {
  const { id = '', wait } = params;
  if (operation === 'approvals.list') {
    await approvals.awaitAny(readWait(wait) * 1_000, onGone);
    return { approvals: approvals.list() };
  }
  const isApproved = operation === 'approvals.approve';
  const asking = approvals.decide(id, isApproved);
  if (asking === null) throw new HttpError('not_found', 'no request with this id waits for an answer');
  onDecided(asking);
  return { status: isApproved ? 'approved' : 'denied', id };
}

function readWait(given = '0'): number {
  const seconds = /^\d{1,2}$/.test(given) ? Number(given) : Number.NaN;
  if (!(seconds <= MAX_WAIT))
    throw new HttpError('bad_request', `wait must be a whole number of seconds from 0 to ${MAX_WAIT}`);
  return seconds;
}
