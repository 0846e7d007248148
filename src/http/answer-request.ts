/**
 * Answers one request: routes it, authenticates, reads the body, dispatches the call and builds the response. It knows no
 * socket, so the command line can send the same requests inside its own process.
 */
import type { Call } from '../../workers/messages.ts';
import { findToken, isSessionToken } from '../auth/bearer-token.ts';
import type { GuessLimit } from '../auth/limits.ts';
import type { AuthenticatedPrincipal, Principals } from '../auth/principals.ts';
import { hasScope } from '../auth/scope.ts';
import type { CallResult, IsWanted } from '../call-result.ts';
import type { LongWork } from '../long-work.ts';
import { API, API_WITH_KEY, type Problem, type Reader } from '../remedies.ts';
import type { LocalRoute, Pool, Route, WorkerRoute } from '../routes.ts';
import { type Body, ClientGoneError, MAX_BODY_SIZE } from './body.ts';
import type { Holder } from './client-connection.ts';
import { HttpError } from './errors.ts';
import {
  buildResponse,
  type Content,
  describeSuccess,
  encodeJson,
  explain,
  explainFailure,
  type HttpResponse,
  type Progress,
  startProgress,
} from './http-response.ts';
import { readOpenApi } from './openapi.ts';
import { isOpenToAll, type Match, matchRoute } from './router.ts';
import { PAGE, startList } from './whole-list.ts';

/** The vault, as far as answering needs it. */
export interface Backend {
  readonly principals: Principals;
  readonly guesses: GuessLimit;
  /** Why the vault is sealed; null while it is unsealed. */
  readonly sealedBecause: Problem | null;
  /** Whether the database was found damaged. Then nothing is written to it any more. */
  readonly isDamaged: boolean;
  /** Whether the files that the daemon was started from have been replaced. */
  readonly isReplaced: boolean;
  /** Progress of the long requests that are under way. */
  readonly longWork: LongWork;
  /** Resolves when no unsealing is under way. */
  settled(): Promise<void>;
  noteUse(tokenId: string, nowMs: number): void;
  /** Runs a call on a pool. Never rejects. A read may be left out if `isWanted` says that its client is gone. */
  dispatch(pool: Pool, call: Call, isWanted: IsWanted): Promise<CallResult>;
}

export interface Request {
  /** Returns whether the client is still connected. */
  readonly isWanted: IsWanted;
  readonly method: string;
  /** The request target: path and query, percent-encoded. */
  readonly target: string;
  readonly authorization: string | undefined;
  readonly requestId: string | undefined;
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  /** Gets the id of the principal once the principal may use the route. */
  readonly client?: { holder: Holder };
  /** Resolves with at most `maxSize` bytes; with null where there is no body. */
  readBody(maxSize: number): Promise<Body | null>;
  /** Calls the listener if the client goes away before the response. */
  onGone(listener: () => void): void;
  /** Calls the listener when the connection ends. Returns how to stop listening. */
  onDisconnect(listener: () => void): () => void;
}

/** The token is known to be wrong, so it may be a guess. */
class WrongTokenError extends HttpError {}

/**
 * Answers a request, at once if the request thread needs nobody else for it. Rejects only with ClientGoneError, when the
 * client has disconnected.
 */
export function answerRequest(backend: Backend, request: Request): HttpResponse | Promise<HttpResponse> {
  const progress = startProgress(request.requestId);
  try {
    const content = runRequest(backend, request, progress);
    if (!(content instanceof Promise)) return buildResponse(content, progress);
    return finishLater(backend, request, progress, content);
  } catch (error) {
    return finishLater(backend, request, progress, Promise.reject(error));
  }
}

async function finishLater(
  backend: Backend,
  request: Request,
  progress: Progress,
  running: Promise<Content>,
): Promise<HttpResponse> {
  try {
    return buildResponse(await running, progress);
  } catch (error) {
    if (error instanceof ClientGoneError) throw error;
    // If too many refusals are held back already, the client has to connect again for its next guess.
    if (error instanceof WrongTokenError)
      progress.isLast = !(await backend.guesses.holdBack((listener) => request.onGone(listener)));
    return buildResponse(explainError(error), progress);
  }
}

/** Throws HttpError, and rejects with HttpError or ClientGoneError. */
function runRequest(backend: Backend, request: Request, progress: Progress): Content | Promise<Content> {
  let match: Match;
  try {
    match = matchRoute(request.method, request.target);
  } catch (error) {
    return explainNoMatch(backend, request, progress, error);
  }
  const { route } = match;
  progress.route = route.path;
  if (route.pool === 'none') return answerLocally(route.operation, backend, request);
  // A control operation does not wait for the unsealing: it may be what ends it.
  if (backend.sealedBecause !== null && route.pool !== 'control')
    return backend.settled().then(() => runCall(backend, request, progress, match, route));
  return runCall(backend, request, progress, match, route);
}

function runCall(
  backend: Backend,
  request: Request,
  progress: Progress,
  match: Match,
  route: WorkerRoute,
): Promise<Content> {
  const principal = authorize(backend, request, route);
  progress.tokenId = principal.id;
  const { params } = match;
  if (route.body === 'none') {
    const call = buildCall(request, route, params, principal, null);
    return dispatch(backend, request, match, route, call);
  }
  return request
    .readBody(route.maxBodySize ?? MAX_BODY_SIZE)
    .then((body) =>
      dispatch(backend, request, match, route, buildCall(request, route, params, principal, body)),
    );
}

async function dispatch(
  backend: Backend,
  request: Request,
  match: Match,
  route: WorkerRoute,
  call: Call,
): Promise<Content> {
  if (route.streamed && match.params.limit === undefined)
    return startWholeList(backend, request, route, call);
  const result = await (route.cancellable
    ? dispatchCancellably(backend, request, route, call)
    : backend.dispatch(route.pool, call, request.isWanted));
  if (result.ok) return describeSuccess(match, result);
  if (!request.isWanted()) throw new ClientGoneError();
  return explainFailure(result, readerOf(backend, route));
}

/** Returns the principal, if it may use this route. Throws HttpError 401, 403 or, while the vault is sealed, 503. */
function authorize(backend: Backend, request: Request, route: Route): AuthenticatedPrincipal {
  const nowMs = Date.now();
  const principal = backend.principals.authenticate(request.authorization, nowMs);
  if (principal === null) throw explainNoPrincipal(backend, request);
  if (route.scope !== null && !hasScope(principal, route.scope)) {
    throw new HttpError('forbidden', `the token does not have the scope ${route.scope}`);
  }
  if (backend.sealedBecause !== null && route.pool !== 'control') throw explainSealed(backend.sealedBecause);
  if (request.client !== undefined) request.client.holder = principal.id;
  backend.noteUse(principal.id, nowMs);
  return principal;
}

const CHALLENGE = ['WWW-Authenticate', 'Bearer'];

/** While the vault is sealed, only a session token can be verified, so no other token is called wrong. */
function explainNoPrincipal({ sealedBecause }: Backend, { authorization }: Request): HttpError {
  const token = findToken(authorization);
  if (token === null)
    return new HttpError('unauthorized', 'a token is needed: Authorization: Bearer mvt_…', CHALLENGE);
  if (sealedBecause === null)
    return new WrongTokenError('unauthorized', 'the token is unknown, expired or revoked', CHALLENGE);
  return explainSealed(sealedBecause, isSessionToken(token) ? WrongTokenError : HttpError);
}

function explainSealed({ message, reason }: Problem, SealedError = HttpError): HttpError {
  return new SealedError('sealed', message, [], reason);
}

function buildCall(
  { ifMatch, ifNoneMatch }: Request,
  { operation, replaceScope }: WorkerRoute,
  params: Match['params'],
  principal: AuthenticatedPrincipal,
  body: Body | null,
): Call {
  const mayReplace = replaceScope === undefined || hasScope(principal, replaceScope);
  const call: Call = { operation, params, body, mayReplace, author: principal.author };
  if (ifMatch === undefined && ifNoneMatch === undefined) return call;
  return {
    ...call,
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
  };
}

/** Dispatches a call that is cancelled when the client disconnects. */
async function dispatchCancellably(
  backend: Backend,
  request: Request,
  { pool }: WorkerRoute,
  call: Call,
): Promise<CallResult> {
  const cancel = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const stopListening = request.onDisconnect(() => Atomics.store(new Int32Array(cancel), 0, 1));
  try {
    return await backend.dispatch(pool, { ...call, cancel }, request.isWanted);
  } finally {
    stopListening();
  }
}

/** Waits for the first page only, which may be the whole list, or fail with a status of its own. */
async function startWholeList(
  backend: Backend,
  request: Request,
  route: WorkerRoute,
  call: Call,
): Promise<Content> {
  const first = await backend.dispatch(route.pool, { ...call, page: PAGE }, request.isWanted);
  if (!first.ok && !request.isWanted()) throw new ClientGoneError();
  if (!first.ok) return explainFailure(first, API);
  const readPage = (next: Call) => {
    // Since the page before, which a slow client may have read for long, the token may be revoked or the vault sealed.
    authorize(backend, request, route);
    return backend.dispatch(route.pool, next, request.isWanted);
  };
  return { status: route.success, headers: [], code: null, ...startList(call, first, readPage) };
}

/**
 * Rejects with what the client is told where no route matches. What is wrong with its path, method or query (404, 405, 400) is
 * told only to clients with a token. For all others, an endpoint that exists looks like one that does not.
 */
async function explainNoMatch(
  backend: Backend,
  request: Request,
  progress: Progress,
  problem: unknown,
): Promise<never> {
  if (isOpenToAll(request.target)) throw problem;
  if (backend.sealedBecause !== null) await backend.settled();
  const principal = backend.principals.authenticate(request.authorization, Date.now());
  if (principal === null) throw explainNoPrincipal(backend, request);
  progress.tokenId = principal.id;
  throw problem;
}

function explainError(error: unknown): Content {
  if (error instanceof HttpError) return explain(error, error.headers);
  return explain({ code: 'internal', message: 'the daemon failed to do this; its log says more' });
}

/**
 * Returns for whom a failure's remedy is. The remedy does not send a request that itself brings the key of the vault to
 * another request that brings it. A rotation brings it only while the vault is unsealed.
 */
function readerOf({ sealedBecause }: Backend, { operation }: Route): Reader {
  const bringsKey = operation === 'vault.unseal' || (operation === 'keys.rotate' && sealedBecause === null);
  return bringsKey ? API_WITH_KEY : API;
}

function answerLocally(
  operation: LocalRoute['operation'],
  backend: Backend,
  request: Request,
): Content | Promise<Content> {
  if (operation === 'openapi') return readOpenApi().then(describeLocal);
  return describeLocal(encodeJson(describeHealth(backend, request)));
}

function describeLocal(body: Content['body']): Content {
  return { status: 200, headers: [], body, code: null };
}

function describeHealth(backend: Backend, { authorization }: Request): object {
  const health: Record<string, unknown> = { status: 'ok', time: formatSecond(Date.now()) };
  if (backend.sealedBecause !== null) health.sealed = true;
  if (backend.isDamaged) health.damaged = true;
  if (backend.isReplaced) health.replaced = true;
  // For the owner's session alone: it tells how many secrets there are, and health needs no token.
  if (isSession(backend, authorization)) health.progress = backend.longWork;
  return health;
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

function isSession({ principals }: Backend, authorization: string | undefined): boolean {
  if (authorization === undefined) return false;
  const principal = principals.authenticate(authorization, Date.now());
  return principal !== null && hasScope(principal, 'session');
}
