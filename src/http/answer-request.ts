/**
 * Answers one request: routes it, authenticates, reads the body, dispatches the call and builds the response. It knows no
 * socket, so the command line can send the same requests inside its own process.
 */
import type { Call } from '../../workers/messages.ts';
import { findToken, isSessionToken } from '../auth/bearer-token.ts';
import type { GuessLimit } from '../auth/limits.ts';
import type { AuthenticatedPrincipal, Principals } from '../auth/principals.ts';
import { hasScope } from '../auth/scope.ts';
import type { CallResult, IsWanted, PendingCall } from '../call-result.ts';
import type { LongWork } from '../long-work.ts';
import { API, API_WITH_KEY, type Problem, type Reader } from '../remedies.ts';
import type { LocalRoute, Pool, Route, WorkerRoute } from '../routes.ts';
import { type Body, ClientGoneError, MAX_BODY_SIZE } from './body.ts';
import type { Holder } from './client-connection.ts';
import { HttpError } from './errors.ts';
import {
  buildResponse,
  type Content,
  chooseRequestId,
  describeSuccess,
  explain,
  explainFailure,
  type HttpResponse,
  type Progress,
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
  /** Counts a use of a token with so many. Resolves with false if none is left. Rejects with Failure's words as HttpError. */
  takeUse(tokenId: string, maxUses: number): Promise<boolean>;
  /** Runs a call on a pool. A read may be left out if `isWanted` says that its client is gone. */
  dispatch(pool: Pool, pending: PendingCall): void;
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

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

/** Takes the response to a request; null: the client has gone away. */
export type Respond<Asked> = (request: Asked, response: HttpResponse | null) => void;

/** Resolves with the response. Rejects only with ClientGoneError, when the client has disconnected. */
export function answerRequest(backend: Backend, request: Request): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const respond = (_: Request, response: HttpResponse | null) =>
      response === null ? reject(new ClientGoneError()) : resolve(response);
    new Exchange(backend, request, respond).start();
  });
}

/**
 * A request that is being answered. From the parsed request to the queue of its call, and from the call's result to the
 * response, nothing is awaited, unless the vault is being unsealed or the request has a body.
 */
export class Exchange<Asked extends Request> implements PendingCall, Progress {
  readonly isWanted: IsWanted;
  readonly requestId: string;
  route: string | null = null;
  tokenId: string | null = null;
  isLast = false;
  /** Set once a route was found. */
  #match!: Match;
  /** Set once the request is dispatched. */
  call!: Call;
  readonly #backend: Backend;
  readonly #request: Asked;
  readonly #respond: Respond<Asked>;
  #stopListening: (() => void) | null = null;

  constructor(backend: Backend, request: Asked, respond: Respond<Asked>) {
    this.isWanted = request.isWanted;
    this.requestId = chooseRequestId(request.requestId);
    this.#backend = backend;
    this.#request = request;
    this.#respond = respond;
  }

  /** Calls `respond` at once if the request thread can answer by itself. */
  start(): void {
    const { sealedBecause } = this.#backend;
    try {
      const match = matchRoute(this.#request.method, this.#request.target);
      const { route } = match;
      this.#match = match;
      this.route = route.path;
      if (route.pool === 'none') return void this.#answerLocally(route.operation);
      // A control operation does not wait for the unsealing: it may be what ends it.
      const isUnsealing = sealedBecause !== null && route.pool !== 'control';
      const principal = isUnsealing || route.body !== 'none' ? null : this.#authorize(route);
      if (principal === null || principal.maxUses !== undefined) void this.#dispatchLater(route, isUnsealing);
      else this.#dispatch(route, principal, null);
    } catch (error) {
      void this.#fail(error);
    }
  }

  /** For a request that waits for the vault to be unsealed, for its own body, or for a use of its token to be stored. */
  async #dispatchLater(route: WorkerRoute, isUnsealing: boolean): Promise<void> {
    try {
      if (isUnsealing) await this.#backend.settled();
      const principal = this.#authorize(route);
      if (principal.maxUses !== undefined) await this.#countUse(principal.id, principal.maxUses);
      const size = route.maxBodySize ?? MAX_BODY_SIZE;
      const body = route.body === 'none' ? null : await this.#request.readBody(size);
      this.#dispatch(route, principal, body);
    } catch (error) {
      await this.#fail(error);
    }
  }

  /** Throws HttpError 401 if the token has no use left. */
  async #countUse(tokenId: string, maxUses: number): Promise<void> {
    if (!(await this.#backend.takeUse(tokenId, maxUses)))
      throw new HttpError('unauthorized', 'the token has been used as often as it may be', CHALLENGE);
  }

  /** Returns the principal, if it may use this route. Throws HttpError 401, 403 or, while the vault is sealed, 503. */
  #authorize(route: WorkerRoute): AuthenticatedPrincipal {
    const [backend, request, nowMs] = [this.#backend, this.#request, Date.now()];
    const principal = backend.principals.authenticate(request.authorization, nowMs);
    if (principal === null) throw explainNoPrincipal(backend, request);
    if (route.scope !== null && !hasScope(principal, route.scope))
      throw new HttpError('forbidden', `the token does not have the scope ${route.scope}`);
    if (backend.sealedBecause !== null && route.pool !== 'control')
      throw explainSealed(backend.sealedBecause);
    if (request.client !== undefined) request.client.holder = principal.id;
    backend.noteUse(principal.id, nowMs);
    this.tokenId = principal.id;
    return principal;
  }

  #dispatch(route: WorkerRoute, principal: AuthenticatedPrincipal, body: Body | null): void {
    const { operation, replaceScope, pool } = route;
    const given = this.#match.params;
    const params = route.ofSelf === true ? { ...given, id: principal.id } : given;
    const { ifMatch, ifNoneMatch } = this.#request;
    const mayReplace = replaceScope === undefined || hasScope(principal, replaceScope);
    const call: Mutable<Call> = { operation, params, body, mayReplace, author: principal };
    if (principal.limits !== undefined) call.limits = principal.limits;
    if (ifMatch !== undefined) call.ifMatch = ifMatch;
    if (ifNoneMatch !== undefined) call.ifNoneMatch = ifNoneMatch;
    if (route.cancellable) call.cancel = this.#cancelWhenGone();
    // Of a whole list, only the first page is waited for. It may be all, or fail with a status of its own.
    if (route.streamed && params.limit === undefined) call.page = PAGE;
    this.call = call;
    this.#backend.dispatch(pool, this);
  }

  /** Returns the word that says so when the client has disconnected. */
  #cancelWhenGone(): SharedArrayBuffer {
    const cancel = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    this.#stopListening = this.#request.onDisconnect(() => Atomics.store(new Int32Array(cancel), 0, 1));
    return cancel;
  }

  take(result: CallResult): void {
    this.#stopListening?.();
    if (!result.ok && !this.isWanted()) this.#respond(this.#request, null);
    else if (!result.ok) this.#send(explainFailure(result, readerOf(this.#backend, this.#match.route)));
    else if (this.call.page !== undefined) this.#send(this.#beginList(result));
    else this.#send(describeSuccess(this.#match, result));
  }

  #beginList(first: Extract<CallResult, { ok: true }>): Content {
    const route = this.#match.route as WorkerRoute;
    const readPage = (call: Call) => {
      // Since the page before, which a slow client may have read for long, the token may be revoked or the vault sealed.
      this.#authorize(route);
      return new Promise<CallResult>((take) =>
        this.#backend.dispatch(route.pool, { call, isWanted: this.isWanted, take }),
      );
    };
    return { status: route.success, headers: [], code: null, ...startList(this.call, first, readPage) };
  }

  #answerLocally(operation: LocalRoute['operation']): void {
    const send = (body: string) => this.#send({ status: 200, headers: [], body, rest: null, code: null });
    if (operation === 'health') send(JSON.stringify(describeHealth(this.#backend, this.#request)));
    else readOpenApi().then(send, (error) => this.#fail(error));
  }

  async #fail(error: unknown): Promise<void> {
    const told = this.route === null ? await this.#chooseProblem(error) : error;
    if (told instanceof ClientGoneError) return void this.#respond(this.#request, null);
    // If too many refusals are held back already, the client has to connect again for its next guess.
    if (told instanceof WrongTokenError)
      this.isLast = !(await this.#backend.guesses.holdBack((listener) => this.#request.onGone(listener)));
    this.#send(explainError(told));
  }

  /**
   * Resolves with what the client is told where no route matches. What is wrong with its path, method or query (404, 405, 400)
   * is told only to clients with a token. For all others, an endpoint that exists looks like one that does not.
   */
  async #chooseProblem(problem: unknown): Promise<unknown> {
    const { principals, sealedBecause } = this.#backend;
    if (isOpenToAll(this.#request.target)) return problem;
    if (sealedBecause !== null) await this.#backend.settled();
    const principal = principals.authenticate(this.#request.authorization, Date.now());
    if (principal === null) return explainNoPrincipal(this.#backend, this.#request);
    this.tokenId = principal.id;
    return problem;
  }

  #send(content: Content): void {
    this.#respond(this.#request, buildResponse(content, this));
  }
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
