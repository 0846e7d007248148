/** The response to a request, made of a call's result, a failure or a refusal. */
import { randomBytes } from 'node:crypto';
import type { ErrorCode, Failure } from '../../workers/messages.ts';
import type { ApprovalDescription } from '../auth/approvals.ts';
import type { CallResult } from '../call-result.ts';
import { API, adviseOn, type Reader } from '../remedies.ts';
import { HttpError, STATUS_OF } from './errors.ts';
import type { Match } from './router.ts';
import type { Rest } from './whole-list.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A response's body: `body` is all, or in a list that is too long for one piece, `rest` comes after it. */
type Bodied =
  | {
      /** Bytes may hold plaintext, and their sender zeroes them afterwards. A text holds none. */
      readonly body: Bytes | string;
      readonly rest: null;
    }
  | { readonly body: Bytes; readonly rest: Rest };

export type HttpResponse = Described & Bodied;

interface Described {
  readonly status: number;
  /** Flat list of names and values. The server adds its own. */
  readonly headers: string[];
  /** For the log; null where no route was found. */
  readonly route: string | null;
  readonly tokenId: string | null;
  readonly code: string | null;
  readonly requestId: string;
  /** Whether the connection must end with it. */
  readonly isLast: boolean;
  /** Whether it goes on for as long as the client wants, so that its connection is never idle. */
  readonly isLive: boolean;
}

/** What is learnt of a request while it is answered, for the response and the log. */
export interface Progress {
  readonly requestId: string;
  readonly route: string | null;
  readonly tokenId: string | null;
  readonly isLast: boolean;
}

/** What a response says. */
export type Content = Pick<Described, 'status' | 'code'> &
  Bodied & {
    /** Absent: JSON. */
    readonly type?: string;
    readonly isLive?: boolean;
    /** Headers that not every response has: a flat list of names and values. */
    readonly headers: readonly string[];
  };

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** The server's own ids are unique within a run and across runs, without random bytes for each. */
const RUN_ID = randomBytes(6).toString('hex');
let requestCount = 0;

/** `given`: the client's own id of the request. */
export function chooseRequestId(given: string | undefined): string {
  return given !== undefined && REQUEST_ID.test(given) ? given : `${RUN_ID}-${(++requestCount).toString(36)}`;
}

export function buildResponse(content: Content, progress: Progress): HttpResponse {
  const { status, type = 'application/json', body, rest, code, isLive = false } = content;
  const { requestId, route, tokenId, isLast } = progress;
  const headers = ['Content-Type', type, 'Cache-Control', 'no-store', 'X-Request-Id', requestId];
  if (rest === null) headers.push('Content-Length', String(Buffer.byteLength(body)));
  for (const header of content.headers) headers.push(header);
  const bodied = { body, rest } as Bodied;
  return { status, headers, ...bodied, route, tokenId, code, requestId, isLast, isLive };
}

/** Returns the response to bytes that are not a request. */
export function buildRefusal(code: ErrorCode, message: string): HttpResponse {
  const requestId = chooseRequestId(undefined);
  return buildResponse(explain({ code, message }), { requestId, route: null, tokenId: null, isLast: true });
}

export function describeSuccess(
  { route, params }: Match,
  { etag, cursor, body }: Extract<CallResult, { ok: true }>,
): Content {
  const headers: string[] = [];
  if (etag !== undefined) headers.push('ETag', `"${etag}"`);
  // Made of the decoded parameters: the target as it came may hold what a header must not.
  if (cursor !== undefined)
    headers.push('Link', `<${route.path}?${new URLSearchParams({ ...params, cursor })}>; rel="next"`);
  const type = route.bytes === 'response' ? 'application/octet-stream' : 'application/json';
  return { status: route.success, type, headers, body, rest: null, code: null };
}

/** An error that is not an HttpError is a fault of ours: the client learns nothing of it. */
export function explainError(error: unknown): Content {
  if (error instanceof HttpError) return explain(error, error.headers);
  return explain({ code: 'internal', message: 'the daemon failed to do this; its log says more' });
}

export function explainFailure(failure: Failure, reader: Reader): Content {
  return explain(failure, failure.code === 'busy' ? ['Retry-After', '1'] : [], reader);
}

/** `approval`: the one to wait for, where the client asked for it; null: too many wait already, or it did not ask. */
export function explainNotApproved(failure: Failure, approval: ApprovalDescription | null): Content {
  return approval === null ? explainFailure(failure, API) : explain(failure, [], API, approval);
}

/** `headers`: flat list of names and values. `reader`: for whom the remedy is. */
function explain(
  failure: Pick<Failure, 'code' | 'message' | 'reason' | 'member' | 'problem' | 'at'>,
  headers: readonly string[] = [],
  reader: Reader = API,
  approval?: ApprovalDescription,
): Content {
  const { code, message, reason, member, at } = failure;
  const problem = reason === undefined ? failure.problem : message;
  // JSON has no members that are undefined.
  const body = JSON.stringify({
    error: adviseOn(failure, reader),
    code,
    reason,
    problem,
    member,
    at,
    approval,
  });
  return { status: STATUS_OF[code], headers, body, rest: null, code };
}
