/** Has the audit log note what the request thread answers by itself: refusals, and the owner's answers to approvals. */
import type { Call } from '../../workers/messages.ts';
import type { AuthenticatedPrincipal } from '../auth/principals.ts';
import type { Route } from '../routes.ts';
import type { Backend } from './backend.ts';
import { findPurpose } from './purpose.ts';
import type { Request } from './request.ts';

export type AnsweredAs = NonNullable<Call['answered']>;

/** A request whose answer is known. */
interface Answered {
  readonly principal: AuthenticatedPrincipal;
  readonly operation: Route['operation'];
  /** What it names: the parameters of its path and query. */
  readonly params: Call['params'];
  readonly requestId: string;
  readonly answered: AnsweredAs;
}

/**
 * Nothing waits for the entry: the answer holds nothing that must not leave without one. There is none while the vault is sealed,
 * because the log needs its key.
 */
export function recordAnswer(backend: Backend, request: Request, of: Answered): void {
  const { asker, purpose: header = '' } = request;
  const { principal: author, operation, params, requestId, answered } = of;
  if (backend.sealedBecause !== null || operation === 'health' || operation === 'openapi') return;
  const purpose = findPurpose(header);
  const call: Call = {
    ...{ operation, params, body: null, mayReplace: false, author, requestId, answered },
    ...(asker === null ? {} : { asker }),
    ...(purpose === null || purpose === '' ? {} : { purpose }),
  };
  backend.dispatch('readers', { call, isWanted: null, take: () => {} });
}
