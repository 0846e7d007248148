/**
 * One request, top-down: route, authenticate, read the body, dispatch, build the answer. It knows no socket, so the
 * command line can ask the same questions inside its own process.
 */
import { randomBytes } from 'node:crypto';
import type { Call, ErrorCode, Failure, Principal } from '../../workers/messages.ts';
import type { Answered, IsWanted } from '../answered.ts';
import { authenticate, findToken, isSessionToken } from '../auth/authenticate.ts';
import type { GuessLimit } from '../auth/limits.ts';
import type { Principals } from '../auth/principals.ts';
import { hasScope, mayReplace, toAuthor } from '../auth/scope.ts';
import type { LongWork } from '../long-work.ts';
import { API, API_WITH_KEY, adviseOn, type Problem, type Reader } from '../remedies.ts';
import type { Pool, Route } from '../routes.ts';
import { type Body, ClientGoneError, MAX_BODY_SIZE } from './body.ts';
import { HttpError, STATUS_OF } from './errors.ts';
import { readOpenApi } from './openapi.ts';
import { isOpenToAll, type Match, matchRoute } from './router.ts';
import { isWholeList, PAGE, type Rest, startList } from './whole-list.ts';

/** What the pipeline needs of the vault behind it. */
export interface Backend {
  readonly principals: Principals;
  readonly guesses: GuessLimit;
  /** Why the vault is sealed; null while it is not. */
  readonly sealedBecause: Problem | null;
  /** Whether the database turned out to be damaged: nothing is written to it any more. */
  readonly isDamaged: boolean;
  /** Whether other files lie by now where the daemon's program was started from. */
  readonly isReplaced: boolean;
  /** How far the long requests are that are under way. */
  readonly longWork: LongWork;
  /** Resolves when no unsealing is under way. */
  settled(): Promise<void>;
  noteUse(tokenId: string, nowMs: number): void;
  /** Runs a call on a pool; never rejects. One that only reads may be left out when its answer is not wanted any more. */
  dispatch(pool: Pool, call: Call, isWanted: IsWanted): Promise<Answered>;
}

export interface Request {
  /** Whether there is somebody to answer. */
  readonly isWanted: IsWanted;
  readonly method: string;
  /** The request target: path and query, percent-encoded. */
  readonly target: string;
  readonly authorization: string | undefined;
  readonly requestId: string | undefined;
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  /** At most `maxSize` bytes. */
  readBody(maxSize: number): Promise<Body | null>;
  /** Told who asks, once that is known. */
  onPrincipal?(principal: Principal): void;
  /** Calls the listener when the client goes away before it is answered. */
  onGone(listener: () => void): void;
  /** Calls the listener when the connection ends. Returns how to stop listening. */
  onDisconnect(listener: () => void): () => void;
}

export interface Answer {
  readonly status: number;
  /** Flat list of names and values. */
  readonly headers: readonly string[];
  /** May hold plaintext: whoever sends it zeroes it afterwards. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** What comes after `body` in an answer that is too long for one piece; its length is not known then. */
  readonly rest: Rest | null;
  /** For the log; null where no route was found. */
  readonly route: string | null;
  readonly tokenId: string | null;
  readonly code: string | null;
  readonly requestId: string;
  /** Whether the connection must end with it. */
  readonly isLast: boolean;
}

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** Ids that we give are unique within and across runs without asking for random bytes each time. */
const RUN_ID = randomBytes(6).toString('hex');
let requestCount = 0;

function chooseRequestId(given: string | undefined): string {
  if (given !== undefined && REQUEST_ID.test(given)) return given;
  requestCount += 1;
  return `${RUN_ID}-${requestCount.toString(36)}`;
}

/** What is known of a request as it goes along, for the answer and the log. */
interface Progress {
  route: string | null;
  tokenId: string | null;
  isLast: boolean;
}

/** A token that can be told to be wrong, which may be a guess. */
class WrongTokenError extends HttpError {}

/** The answer to what never became a request: nothing but what is wrong with it is known. */
export function refuse(code: ErrorCode, message: string): Answer {
  return finishAnswer(
    explain({ code, message }),
    { route: null, tokenId: null, isLast: true },
    chooseRequestId(undefined),
  );
}

/** Answers a request; throws ClientGoneError only, when there is nobody to answer. */
export async function answerRequest(backend: Backend, request: Request): Promise<Answer> {
  const requestId = chooseRequestId(request.requestId);
  const progress: Progress = { route: null, tokenId: null, isLast: false };
  let content: Content;
  try {
    content = await answer(backend, request, progress);
  } catch (error) {
    content = explainError(error);
    // Whoever may not be kept waiting, because too many are, has to connect anew for the next guess.
    if (error instanceof WrongTokenError)
      progress.isLast = !(await backend.guesses.holdBack((listener) => request.onGone(listener)));
  }
  return finishAnswer(content, progress, requestId);
}

function finishAnswer(
  { status, type = 'application/json', headers, body, rest = null, code }: Content,
  progress: Progress,
  requestId: string,
): Answer {
  return {
    status,
    headers: [
      'Content-Type',
      type,
      ...(rest === null ? ['Content-Length', String(body.length)] : []),
      'Cache-Control',
      'no-store',
      'X-Request-Id',
      requestId,
      ...headers,
    ],
    body,
    rest,
    ...progress,
    code,
    requestId,
  };
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

/** Throws ClientGoneError on. */
function explainError(error: unknown): Content {
  if (error instanceof ClientGoneError) throw error;
  if (error instanceof HttpError) return explain(error, error.headers);
  return explain({
    code: 'internal',
    message: 'the daemon failed to do this; its log says more',
  });
}

async function answer(backend: Backend, request: Request, progress: Progress): Promise<Content> {
  const match = await matchFor(backend, request, progress);
  const { route } = match;
  progress.route = route.path;
  if (route.pool === 'none') return answerLocally(route.operation, backend, request);
  // Control operations may not wait for the unsealing: they are what can end it.
  if (backend.sealedBecause !== null && route.pool !== 'control') await backend.settled();
  const principal = authorize(backend, request, route);
  progress.tokenId = principal.id;
  request.onPrincipal?.(principal);
  const body = route.body === 'none' ? null : await request.readBody(route.maxBodySize ?? MAX_BODY_SIZE);
  const call = buildCall(request, match, principal, body);
  if (isWholeList(match)) return answerWholeList(backend, request, route, call);
  if (!route.cancellable) return toContent(backend, match, await ask(backend, request, route.pool, call));
  return toContent(backend, match, await askCancellably(backend, request, route.pool, call));
}

/** As ask, but the call is cancelled when the client goes away. */
async function askCancellably(backend: Backend, request: Request, pool: Pool, call: Call): Promise<Answered> {
  const cancel = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const stopListening = request.onDisconnect(() => Atomics.store(new Int32Array(cancel), 0, 1));
  try {
    return await ask(backend, request, pool, { ...call, cancel });
  } finally {
    stopListening();
  }
}

/**
 * The route of the request. What is wrong with its path, method or query (404, 405, 400) is told only to clients with a
 * token: to all others an endpoint that exists looks like one that does not.
 */
async function matchFor(backend: Backend, request: Request, progress: Progress): Promise<Match> {
  try {
    return matchRoute(request.method, request.target);
  } catch (error) {
    if (!isOpenToAll(request.target)) {
      if (backend.sealedBecause !== null) await backend.settled();
      progress.tokenId = identify(backend, request).id;
    }
    throw error;
  }
}

/** Throws ClientGoneError where the client's end is why there is no answer. */
async function ask(backend: Backend, { isWanted }: Request, pool: Pool, call: Call): Promise<Answered> {
  const answered = await backend.dispatch(pool, call, isWanted);
  if (!answered.ok && !isWanted()) throw new ClientGoneError();
  return answered;
}

/** The first page is waited for: it may be all there is, or fail with a status of its own. */
async function answerWholeList(
  backend: Backend,
  request: Request,
  route: Route,
  call: Call,
): Promise<Content> {
  const first = await ask(backend, request, 'long-readers', { ...call, page: PAGE });
  if (!first.ok) return explainFailure(first, API);
  const readPage = (next: Call) => {
    // A slow reader may take its time: what it may not see any more, it does not get to see.
    authorize(backend, request, route);
    return backend.dispatch('long-readers', next, request.isWanted);
  };
  return { status: route.success, headers: [], code: null, ...startList(call, first, readPage) };
}

/** The principal, if it may use this route. Throws HttpError 401, 403 or, while the vault is sealed, 503. */
function authorize(backend: Backend, request: Request, route: Route): Principal {
  const principal = identify(backend, request);
  if (route.scope !== null && !hasScope(principal, route.scope)) {
    throw new HttpError('forbidden', `the token does not have the scope ${route.scope}`);
  }
  if (backend.sealedBecause !== null && route.pool !== 'control') throw explainSealed(backend.sealedBecause);
  backend.noteUse(principal.id, Date.now());
  return principal;
}

/** The principal whose token the request has. Throws HttpError 401 or, while the vault is sealed, 503. */
function identify(backend: Backend, request: Request): Principal {
  const principal = authenticate(backend.principals, request.authorization, Date.now());
  if (principal === null) throw explainNoPrincipal(backend, request);
  return principal;
}

const CHALLENGE = ['WWW-Authenticate', 'Bearer'];

/** While the vault is sealed only a session's token can be verified, and so none but that be called wrong. */
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
  request: Request,
  { route, params }: Match,
  principal: Principal,
  body: Body | null,
): Call {
  if (route.pool === 'none') throw new RangeError('a local route makes no call');
  return {
    operation: route.operation,
    params,
    body,
    mayReplace: mayReplace(principal, route),
    author: toAuthor(principal),
    ...(request.ifMatch === undefined ? {} : { ifMatch: request.ifMatch }),
    ...(request.ifNoneMatch === undefined ? {} : { ifNoneMatch: request.ifNoneMatch }),
  };
}

function toContent(backend: Backend, match: Match, answered: Answered): Content {
  if (!answered.ok) return explainFailure(answered, bringsKey(backend, match.route) ? API_WITH_KEY : API);
  const headers: string[] = [];
  if (answered.etag !== undefined) headers.push('ETag', `"${answered.etag}"`);
  if (answered.cursor !== undefined)
    headers.push('Link', `<${nextTarget(match, answered.cursor)}>; rel="next"`);
  const { success: status, bytes } = match.route;
  const type = bytes === 'answer' ? 'application/octet-stream' : 'application/json';
  return { status, type, headers, body: answered.body, code: null };
}

/** The next page of the same list. Written anew: a target as it came may hold what has no place in a header. */
function nextTarget({ route, params }: Match, cursor: string): string {
  return `${route.path}?${new URLSearchParams({ ...params, cursor })}`;
}

/**
 * Whether the request is to bring the vault's key: that the vault needs it is no reason to send its client to another
 * request. For a rotation the vault has to be unsealed all the same.
 */
function bringsKey({ sealedBecause }: Backend, { operation }: Route): boolean {
  return operation === 'vault.unseal' || (operation === 'keys.rotate' && sealedBecause === null);
}

function explainFailure(failure: Failure, reader: Reader): Content {
  return explain(failure, failure.code === 'busy' ? ['Retry-After', '1'] : [], reader);
}

function explain(
  failure: Pick<Failure, 'code' | 'message' | 'reason' | 'member' | 'at'>,
  headers: readonly string[] = [],
  reader: Reader = API,
): Content {
  const { code, message, reason, member, at } = failure;
  const why = reason === undefined ? {} : { reason, problem: message };
  // JSON has no members that are undefined.
  const body = encodeJson({ error: adviseOn(failure, reader), code, ...why, member, at });
  return { status: STATUS_OF[code], headers, body, code };
}

/** Small bodies without secrets only. */
function encodeJson(value: unknown): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(JSON.stringify(value)));
}

async function answerLocally(
  operation: 'health' | 'openapi',
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
    // How many secrets there are is for the owner's session: everybody else may ask for health without a token.
    ...(isSession(backend, authorization) ? { progress: backend.longWork } : {}),
  };
}

function isSession({ principals }: Backend, authorization: string | undefined): boolean {
  const principal = authorization === undefined ? null : authenticate(principals, authorization, Date.now());
  return principal !== null && hasScope(principal, 'session');
}
