/**
 * Answers one request: route, authenticate, read the body, dispatch, build the response. It knows no socket, so the command
 * line can send the same requests inside its own process.
 */
import { randomBytes } from 'node:crypto';
import type { Call, ErrorCode, Failure } from '../../workers/messages.ts';
import { findToken, isSessionToken } from '../auth/bearer-token.ts';
import type { GuessLimit } from '../auth/limits.ts';
import type { AuthenticatedPrincipal, Principals } from '../auth/principals.ts';
import { hasScope } from '../auth/scope.ts';
import type { CallResult, IsWanted } from '../call-result.ts';
import type { LongWork } from '../long-work.ts';
import { API, API_WITH_KEY, adviseOn, type Problem, type Reader } from '../remedies.ts';
import type { LocalRoute, Pool, Route, WorkerRoute } from '../routes.ts';
import { type Body, ClientGoneError, MAX_BODY_SIZE } from './body.ts';
import type { Holder } from './client-connection.ts';
import { HttpError, STATUS_OF } from './errors.ts';
import { readOpenApi } from './openapi.ts';
import { isOpenToAll, type Match, matchRoute } from './router.ts';
import { PAGE, type Rest, startList } from './whole-list.ts';

/** The vault, as far as answering needs it. */
export interface Backend {
  readonly principals: Principals;
  readonly guesses: GuessLimit;
  /** Why the vault is sealed; null while it is unsealed. */
  readonly sealedBecause: Problem | null;
  /** Whether the database was found damaged: nothing is written to it any more. */
  readonly isDamaged: boolean;
  /** Whether the files that the daemon was started from have been replaced. */
  readonly isReplaced: boolean;
  /** Progress of the long requests that are under way. */
  readonly longWork: LongWork;
  /** Resolves when no unsealing is under way. */
  settled(): Promise<void>;
  noteUse(tokenId: string, nowMs: number): void;
  /** Runs a call on a pool; never rejects. A read may be left out if `isWanted` says that its client is gone. */
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
  /** Gets the id of the principal as soon as that is known. */
  readonly client?: { holder: Holder };
  /** Returns at most `maxSize` bytes; null where there is no body. */
  readBody(maxSize: number): Promise<Body | null>;
  /** Calls the listener if the client goes away before the response. */
  onGone(listener: () => void): void;
  /** Calls the listener when the connection ends. Returns how to stop listening. */
  onDisconnect(listener: () => void): () => void;
}

export interface HttpResponse {
  readonly status: number;
  /** Flat list of names and values. */
  readonly headers: readonly string[];
  /** May hold plaintext: its sender zeroes it afterwards. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** What comes after `body` in a response that is too long for one piece. Its length is not known beforehand. */
  readonly rest: Rest | null;
  /** For the log; null where no route was found. */
  readonly route: string | null;
  readonly tokenId: string | null;
  readonly code: string | null;
  readonly requestId: string;
  /** Whether the connection must end with it. */
  readonly isLast: boolean;
}

/** What is learnt of a request on its way, for the response and the log. */
interface Progress {
  readonly requestId: string;
  route: string | null;
  tokenId: string | null;
  isLast: boolean;
}

interface Content {
  readonly status: number;
  /** Absent: JSON. */
  readonly type?: string;
  readonly headers: readonly string[];
  readonly body: Uint8Array<ArrayBuffer>;
  /** Absent: `body` is all. */
  readonly rest?: Rest | null;
  readonly code: string | null;
}

/** The token is known to be wrong, so it may be a guess. */
class WrongTokenError extends HttpError {}

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** Our own ids are unique within a run and across runs, without random bytes for each. */
const RUN_ID = randomBytes(6).toString('hex');
let requestCount = 0;

function startProgress(givenId: string | undefined): Progress {
  const isGiven = givenId !== undefined && REQUEST_ID.test(givenId);
  const requestId = isGiven ? givenId : `${RUN_ID}-${(++requestCount).toString(36)}`;
  return { requestId, route: null, tokenId: null, isLast: false };
}

/** Returns the response to bytes that are not a request. */
export function refuse(code: ErrorCode, message: string): HttpResponse {
  return buildResponse(explain({ code, message }), { ...startProgress(undefined), isLast: true });
}

/** Answers a request. Throws only ClientGoneError, when the client has disconnected. */
export async function answerRequest(backend: Backend, request: Request): Promise<HttpResponse> {
  const progress = startProgress(request.requestId);
  try {
    return buildResponse(await runRequest(backend, request, progress), progress);
  } catch (error) {
    const content = explainError(error);
    // If too many refusals are held back already, the client has to connect again for its next guess.
    if (error instanceof WrongTokenError)
      progress.isLast = !(await backend.guesses.holdBack((listener) => request.onGone(listener)));
    return buildResponse(content, progress);
  }
}

/** Throws HttpError and ClientGoneError. */
async function runRequest(backend: Backend, request: Request, progress: Progress): Promise<Content> {
  const match = await findRoute(backend, request, progress);
  const { route, params } = match;
  progress.route = route.path;
  if (route.pool === 'none') return answerLocally(route.operation, backend, request);
  // A control operation does not wait for the unsealing: it may be what ends it.
  if (backend.sealedBecause !== null && route.pool !== 'control') await backend.settled();
  const principal = authorize(backend, request, route);
  progress.tokenId = principal.id;
  if (request.client !== undefined) request.client.holder = principal.id;
  const body = route.body === 'none' ? null : await request.readBody(route.maxBodySize ?? MAX_BODY_SIZE);
  const call = buildCall(request, route, params, principal, body);
  if (route.streamed && params.limit === undefined) return startWholeList(backend, request, route, call);
  const result = route.cancellable
    ? await dispatchCancellably(backend, request, route, call)
    : await backend.dispatch(route.pool, call, request.isWanted);
  if (!result.ok && !request.isWanted()) throw new ClientGoneError();
  return result.ok ? describeSuccess(match, result) : explainFailure(result, readerOf(backend, route));
}

function buildResponse(
  { status, type = 'application/json', headers, body, rest = null, code }: Content,
  progress: Progress,
): HttpResponse {
  return {
    status,
    headers: [
      'Content-Type',
      type,
      ...(rest === null ? ['Content-Length', String(body.length)] : []),
      'Cache-Control',
      'no-store',
      'X-Request-Id',
      progress.requestId,
      ...headers,
    ],
    body,
    rest,
    ...progress,
    code,
  };
}

/** Throws ClientGoneError again. */
function explainError(error: unknown): Content {
  if (error instanceof ClientGoneError) throw error;
  if (error instanceof HttpError) return explain(error, error.headers);
  return explain({
    code: 'internal',
    message: 'the daemon failed to do this; its log says more',
  });
}

/**
 * Returns the route of the request. What is wrong with its path, method or query (404, 405, 400) is told only to clients
 * with a token. For all others, an endpoint that exists looks like one that does not.
 */
async function findRoute(backend: Backend, request: Request, progress: Progress): Promise<Match> {
  try {
    return matchRoute(request.method, request.target);
  } catch (error) {
    if (!isOpenToAll(request.target)) {
      if (backend.sealedBecause !== null) await backend.settled();
      const principal = backend.principals.authenticate(request.authorization, Date.now());
      if (principal === null) throw explainNoPrincipal(backend, request);
      progress.tokenId = principal.id;
    }
    throw error;
  }
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

/** Waits for the first page only: it may be the whole list, or fail with a status of its own. */
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
    // A slow reader may take long: the token may have been revoked, or the vault sealed, since the page before.
    authorize(backend, request, route);
    return backend.dispatch(route.pool, next, request.isWanted);
  };
  return { status: route.success, headers: [], code: null, ...startList(call, first, readPage) };
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
  backend.noteUse(principal.id, nowMs);
  return principal;
}

const CHALLENGE = ['WWW-Authenticate', 'Bearer'];

/** While the vault is sealed only a session's token can be verified, so no other token is called wrong. */
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
  return {
    operation,
    params,
    body,
    mayReplace: replaceScope === undefined || hasScope(principal, replaceScope),
    author: principal.author,
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
  };
}

function describeSuccess(
  { route, params }: Match,
  { etag, cursor, body }: Extract<CallResult, { ok: true }>,
): Content {
  const headers: string[] = [];
  if (etag !== undefined) headers.push('ETag', `"${etag}"`);
  // Not the target as it came, which may hold what a header must not.
  if (cursor !== undefined)
    headers.push('Link', `<${route.path}?${new URLSearchParams({ ...params, cursor })}>; rel="next"`);
  const type = route.bytes === 'answer' ? 'application/octet-stream' : 'application/json';
  return { status: route.success, type, headers, body, code: null };
}

/**
 * Returns for whom a failure's remedy is. A request that is itself to bring the key of the vault is not sent to another
 * request for it; a rotation is, while the vault is sealed.
 */
function readerOf({ sealedBecause }: Backend, { operation }: Route): Reader {
  const bringsKey = operation === 'vault.unseal' || (operation === 'keys.rotate' && sealedBecause === null);
  return bringsKey ? API_WITH_KEY : API;
}

function explainFailure(failure: Failure, reader: Reader): Content {
  return explain(failure, failure.code === 'busy' ? ['Retry-After', '1'] : [], reader);
}

function explain(
  failure: Pick<Failure, 'code' | 'message' | 'reason' | 'member' | 'problem' | 'at'>,
  headers: readonly string[] = [],
  reader: Reader = API,
): Content {
  const { code, message, reason, member, at } = failure;
  const problem = reason === undefined ? failure.problem : message;
  // JSON has no members that are undefined.
  const body = encodeJson({ error: adviseOn(failure, reader), code, reason, problem, member, at });
  return { status: STATUS_OF[code], headers, body, code };
}

/** For small bodies without secrets. */
function encodeJson(value: unknown): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(JSON.stringify(value)));
}

async function answerLocally(
  operation: LocalRoute['operation'],
  backend: Backend,
  request: Request,
): Promise<Content> {
  const body = operation === 'openapi' ? await readOpenApi() : encodeJson(describeHealth(backend, request));
  return { status: 200, headers: [], body, code: null };
}

function describeHealth(backend: Backend, { authorization }: Request): object {
  const time = `${new Date().toISOString().slice(0, 19)}Z`;
  return {
    status: 'ok',
    time,
    ...(backend.sealedBecause === null ? {} : { sealed: true }),
    ...(backend.isDamaged ? { damaged: true } : {}),
    ...(backend.isReplaced ? { replaced: true } : {}),
    // It tells how many secrets there are, and health needs no token: so it is for the owner's session alone.
    ...(isSession(backend, authorization) ? { progress: backend.longWork } : {}),
  };
}

function isSession({ principals }: Backend, authorization: string | undefined): boolean {
  const principal = principals.authenticate(authorization, Date.now());
  return principal !== null && hasScope(principal, 'session');
}
