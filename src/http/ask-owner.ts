/** What becomes of a request that gets nothing before the owner has said yes. */
import type { Failure } from '../../workers/messages.ts';
import type { ApprovalDescription, Approvals, Asking, Verdict } from '../auth/approvals.ts';

const NOBODY_ASKED: Failure = {
  ok: false,
  code: 'not_approved',
  reason: 'nobody_asked',
  message: 'the owner has to approve this, and cannot be asked here',
};
const NOT_ANSWERED: Failure = {
  ...NOBODY_ASKED,
  reason: 'not_answered',
  message: 'the owner did not approve this in time',
};
const DENIED: Failure = { ...NOBODY_ASKED, reason: 'denied', message: 'the owner did not approve this' };
const TOO_MANY: Failure = {
  ok: false,
  code: 'busy',
  message: 'too many requests wait for the owner; try again later',
};

/** The request, as far as it is waited for. One of the first three is called, once. */
interface Waiting {
  /** Carries the request out. */
  readonly repeat: (approved: readonly number[]) => void;
  /** `approval`: the one to wait for, where the client asked for it. */
  readonly refuse: (failure: Failure, approval?: ApprovalDescription | null) => void;
  /** The client has gone away. */
  readonly leave: () => void;
  /** Calls the listener when the connection ends. Returns how to stop listening. */
  readonly onDisconnect: (listener: () => void) => () => void;
}

/** `failure`: what the worker refused with. `header`: the `X-Approval` of the request. */
export function askOwner(
  approvals: Approvals,
  asking: Asking,
  failure: Failure,
  header: string | undefined,
  { repeat, refuse, leave, onDisconnect }: Waiting,
): void {
  const ids = asking.needed.secrets.map(({ id }) => id);
  if (approvals.covers(asking)) return void repeat(ids);
  if (header === 'never') return void refuse(failure);
  if (header === 'ask') return void refuse(failure, approvals.defer(asking));
  if (!approvals.canWait) return void refuse(NOBODY_ASKED);
  const settle = (verdict: Verdict) => {
    stopListening();
    if (verdict === 'approved') repeat(ids);
    else refuse(verdict === 'denied' ? DENIED : NOT_ANSWERED);
  };
  const stopWaiting = approvals.wait(asking, settle);
  if (stopWaiting === null) return void refuse(TOO_MANY);
  const stopListening = onDisconnect(() => {
    stopWaiting();
    leave();
  });
}
