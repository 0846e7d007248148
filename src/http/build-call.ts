/** Makes the call of a request: what a worker is told of it. */
import type { Call } from '../../workers/messages.ts';
import type { AuthenticatedPrincipal } from '../auth/principals.ts';
import { hasScope } from '../auth/scope.ts';
import type { WorkerRoute } from '../routes.ts';
import type { Body } from './body.ts';
import { readPurpose } from './purpose.ts';
import type { Request } from './request.ts';
import { PAGE } from './whole-list.ts';

export type MutableCall = { -readonly [Name in keyof Call]: Call[Name] };

/** What is known of the request once it may be answered. */
interface Authorized {
  readonly route: WorkerRoute;
  /** Of the path and the query. */
  readonly given: Call['params'];
  readonly principal: AuthenticatedPrincipal;
  readonly body: Body | null;
  readonly requestId: string;
}

/** Throws HttpError 400 if the purpose is not valid. */
export function buildCall(
  { ifMatch, ifNoneMatch, lastEventId = '', purpose, asker }: Request,
  { route, given, principal, body, requestId }: Authorized,
): MutableCall {
  const { operation, replaceScope } = route;
  let params = given;
  if (route.ofSelf === true) params = { ...given, id: principal.id };
  if (route.isLive === true && lastEventId !== '') params = { ...given, after: lastEventId };
  const mayReplace = replaceScope === undefined || hasScope(principal, replaceScope);
  const call: MutableCall = { operation, params, body, mayReplace, author: principal, requestId };
  if (asker !== null) call.asker = asker;
  if (purpose !== undefined && purpose !== '') call.purpose = readPurpose(purpose);
  if (principal.limits !== undefined) call.limits = principal.limits;
  if (principal.confirm !== undefined) call.confirm = principal.confirm;
  if (ifMatch !== undefined) call.ifMatch = ifMatch;
  if (ifNoneMatch !== undefined) call.ifNoneMatch = ifNoneMatch;
  // Of a whole list, only the first page is waited for. It may be all, or fail with a status of its own.
  if (route.streamed && params.limit === undefined) call.page = PAGE;
  return call;
}
