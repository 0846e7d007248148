/**
 * Answers one request: routes it, authenticates, reads the body, dispatches the call and builds the response. It knows no
 * socket, so the command line can send the same requests inside its own process.
 */
import type { Call, Failure, NeededApproval } from '../../workers/messages.ts';
import type { ApprovalDescription, Asking } from '../auth/approvals.ts';
import type { AuthenticatedPrincipal } from '../auth/principals.ts';
import type { CallResult, IsWanted, PendingCall } from '../call-result.ts';
import { API, API_WITH_KEY, type Reader } from '../remedies.ts';
import type { LocalRoute, Route, WorkerRoute } from '../routes.ts';
import { answerApprovals, readApproval } from './approval-routes.ts';
import { askOwner } from './ask-owner.ts';
import type { Backend } from './backend.ts';
import { type Body, ClientGoneError, MAX_BODY_SIZE } from './body.ts';
import { buildCall } from './build-call.ts';
import type { AskChanges } from './change-streams.ts';
import { checkPrincipal, ForbiddenError, mayUnseal } from './check-principal.ts';
import { HttpError } from './errors.ts';
import { describeHealth } from './health.ts';
import {
  buildResponse,
  type Content,
  chooseRequestId,
  describeSuccess,
  explainError,
  explainFailure,
  explainNotApproved,
  type HttpResponse,
  type Progress,
} from './http-response.ts';
import { readOpenApi } from './openapi.ts';
import { type AnsweredAs, recordAnswer } from './record-answer.ts';
import type { Request } from './request.ts';
import { isOpenToAll, type Match, matchRoute } from './router.ts';
import { CHALLENGE, explainNoPrincipal, explainSealed, WrongTokenError } from './unauthorized.ts';
import { startList } from './whole-list.ts';

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
  /** The body of a batch-get, which has names only: the call may have to be sent again. */
  #references: Body | null = null;

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
      if (route.pool === 'none') return void this.#answerLocally(route);
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
      if (isUnsealing) await this.#backend.settled(mayUnseal(route, this.#request));
      const principal = this.#authorize(route);
      if (principal.maxUses !== undefined && !this.#isRepeated(principal.id))
        await this.#countUse(principal.id, principal.maxUses);
      const size = route.maxBodySize ?? MAX_BODY_SIZE;
      const body = route.body === 'none' ? null : await this.#request.readBody(size);
      this.#dispatch(route, principal, body);
    } catch (error) {
      await this.#fail(error);
    }
  }

  /** Returns whether the request was made before, and counted, and is made again because the owner approved it. */
  #isRepeated(principalId: string): boolean {
    const { approval, method, target } = this.#request;
    if (approval === undefined) return false;
    return this.#backend.approvals.isApproved(approval, { principalId, request: `${method} ${target}` });
  }

  /** Throws HttpError 401 if the token has no use left. */
  async #countUse(tokenId: string, maxUses: number): Promise<void> {
    if (!(await this.#backend.takeUse(tokenId, maxUses)))
      throw new HttpError('unauthorized', 'the token has been used as often as it may be', CHALLENGE);
  }

  /** Returns the principal, if it may use this route, and notes the use. Throws as checkPrincipal. */
  #authorize(route: Route): AuthenticatedPrincipal {
    const [{ client }, nowMs] = [this.#request, Date.now()];
    const principal = checkPrincipal(this.#backend, route, this.#request.authorization, nowMs);
    if (client !== undefined) client.holder = principal.id;
    this.#backend.noteUse(principal.id, nowMs);
    this.tokenId = principal.id;
    return principal;
  }

  #dispatch(route: WorkerRoute, principal: AuthenticatedPrincipal, body: Body | null): void {
    const [{ params: given }, { requestId }] = [this.#match, this];
    const call = buildCall(this.#request, { route, given, principal, body, requestId });
    const approved = this.#redeem(principal.id);
    if (approved !== null) call.approved = approved;
    if (route.operation === 'secrets.batchGet') this.#references = body?.slice() ?? null;
    if (route.cancellable) call.cancel = this.#cancelWhenGone();
    this.call = call;
    this.#backend.dispatch(route.pool, this);
  }

  /** Returns what the owner approved of this request. Throws HttpError 400. */
  #redeem(principalId: string): number[] | null {
    const approval = readApproval(this.#request.approval);
    if (approval === undefined) return null;
    const { method, target } = this.#request;
    return this.#backend.approvals.redeem(approval, { principalId, request: `${method} ${target}` });
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
    else if (!result.ok && result.approval !== undefined) this.#askOwner(result);
    else if (!result.ok) this.#send(explainFailure(result, readerOf(this.#backend, this.#match.route)));
    else if (this.call.page !== undefined) this.#send(this.#beginList(result));
    else if (this.#match.route.isLive) this.#beginStream(result);
    else this.#send(describeSuccess(this.#match, result));
  }

  /** The worker refused, and named what the owner has to approve. */
  #askOwner(failure: Failure): void {
    const [{ approvals }, request] = [this.#backend, this.#request];
    const asking = this.#describeAsking(failure.approval ?? { secrets: [] });
    askOwner(approvals, asking, failure, request.approval, {
      repeat: (approved) => this.#repeat(approved),
      refuse: (refusal, approval) => this.#refuse(refusal, approval),
      leave: () => this.#respond(request, null),
      onDisconnect: (listener) => request.onDisconnect(listener),
    });
  }

  #refuse(failure: Failure, approval: ApprovalDescription | null = null): void {
    const { sealedBecause } = this.#backend;
    // Sealing ends the waiting.
    if (sealedBecause !== null) void this.#fail(explainSealed(sealedBecause));
    else this.#send(explainNotApproved(failure, approval));
  }

  #describeAsking(needed: NeededApproval): Asking {
    const { asker = null, purpose = null, operation, confirm: tokenAsks = 0 } = this.call;
    const { method, target } = this.#request;
    const principalId = this.tokenId ?? '';
    return { principalId, asker, purpose, operation, request: `${method} ${target}`, tokenAsks, needed };
  }

  /** Sends the call again, with what the owner approved. */
  #repeat(approved: readonly number[]): void {
    const route = this.#match.route as WorkerRoute;
    try {
      // The token may have been revoked, or the vault sealed, while the owner was asked.
      this.#authorize(route);
    } catch (error) {
      return void this.#fail(error);
    }
    this.call = { ...this.call, body: this.#references?.slice() ?? null, approved };
    this.#backend.dispatch(route.pool, this);
  }

  #beginList(first: Extract<CallResult, { ok: true }>): Content {
    const route = this.#match.route as WorkerRoute;
    const readPage = (call: Call) => {
      // Since the page before, which a slow client may have read for long, the token may be revoked or the vault sealed.
      this.#authorize(route);
      return this.#dispatchNext(route, call);
    };
    return { status: route.success, headers: [], code: null, ...startList(this.call, first, readPage) };
  }

  /** Dispatches a call for another piece of the response. */
  #dispatchNext({ pool }: WorkerRoute, call: Call): Promise<CallResult> {
    return new Promise((take) => this.#backend.dispatch(pool, { call, isWanted: this.isWanted, take }));
  }

  /** Sends a response that goes on until the client may not have it any more, or goes away. */
  #beginStream(first: Extract<CallResult, { ok: true }>): void {
    const route = this.#match.route as WorkerRoute;
    const [backend, request, { params }] = [this.#backend, this.#request, this.call];
    try {
      const { id, expiresAt } = checkPrincipal(backend, route, request.authorization, Date.now());
      const stream = backend.changeStreams.open(id);
      request.onDisconnect(() => stream.end());
      const ask: AskChanges = async (after) => {
        checkPrincipal(backend, route, request.authorization, Date.now());
        return this.#dispatchNext(route, { ...this.call, params: { ...params, after } });
      };
      const untilMs = expiresAt === null ? Number.POSITIVE_INFINITY : expiresAt * 1_000;
      const started = stream.start(first, { ask, untilMs, isResumed: params.after !== undefined });
      // The head is all that HEAD asks for.
      if (request.method === 'HEAD') stream.end();
      this.isLast = true;
      this.#send({ status: route.success, headers: [], code: null, ...started });
    } catch (error) {
      void this.#fail(error);
    }
  }

  #answerLocally(route: LocalRoute): void {
    const { operation } = route;
    const send = (body: string) => this.#send({ status: 200, headers: [], body, rest: null, code: null });
    if (operation === 'health')
      send(JSON.stringify(describeHealth(this.#backend, this.#request.authorization)));
    else if (operation === 'openapi') readOpenApi().then(send, (error) => this.#fail(error));
    else {
      const principal = this.#authorize(route);
      const onGone = (listener: () => void) => this.#request.onGone(listener);
      const onDecided = ({ needed }: Asking) => {
        for (const { name, environment: env } of needed.secrets) this.#record(principal, 'ok', { name, env });
      };
      answerApprovals(this.#backend.approvals, this.#match, onGone, onDecided).then(
        (body) => send(JSON.stringify(body)),
        (error) => this.#fail(error),
      );
    }
  }

  #record(principal: AuthenticatedPrincipal, answered: AnsweredAs, params: Match['params']): void {
    const { requestId } = this;
    const { operation } = this.#match.route;
    recordAnswer(this.#backend, this.#request, { principal, operation, params, requestId, answered });
  }

  async #fail(error: unknown): Promise<void> {
    const told = this.route === null ? await this.#chooseProblem(error) : error;
    if (told instanceof ForbiddenError) this.#record(told.principal, told.code, this.#match.params);
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
    if (principal === null)
      return explainNoPrincipal(this.#backend.sealedBecause, this.#request.authorization);
    this.tokenId = principal.id;
    return problem;
  }

  #send(content: Content): void {
    this.#respond(this.#request, buildResponse(content, this));
  }
}

/**
 * Returns for whom a failure's remedy is. The remedy does not send a request that itself brings the key of the vault to
 * another request that brings it. A change of the keys brings it only while the vault is unsealed.
 */
function readerOf({ sealedBecause }: Backend, { operation }: Route): Reader {
  const bringsKey =
    operation === 'vault.unseal' ||
    operation === 'vault.recover' ||
    (operation.startsWith('keys.') && sealedBecause === null);
  return bringsKey ? API_WITH_KEY : API;
}
