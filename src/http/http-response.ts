/** The response to a request, made of a call's result, a failure or a refusal. */
import { randomBytes } from 'node:crypto';
import type { ErrorCode, Failure } from '../../workers/messages.ts';
import type { CallResult } from '../call-result.ts';
import { API, adviseOn, type Reader } from '../remedies.ts';
import { STATUS_OF } from './errors.ts';
import type { Match } from './router.ts';
import type { Rest } from './whole-list.ts';

export interface HttpResponse {
  readonly status: number;
  /** Flat list of names and values. */
  readonly headers: readonly string[];
  /** May hold plaintext. Its sender zeroes it afterwards. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** What comes after `body` in a response that is too long for one piece, of unknown length; null if `body` is all. */
  readonly rest: Rest | null;
  /** For the log; null where no route was found. */
  readonly route: string | null;
  readonly tokenId: string | null;
  readonly code: string | null;
  readonly requestId: string;
  /** Whether the connection must end with it. */
  readonly isLast: boolean;
}

/** What is learnt of a request while it is answered, for the response and the log. */
export interface Progress {
  readonly requestId: string;
  readonly route: string | null;
  readonly tokenId: string | null;
  readonly isLast: boolean;
}

/** What a response says. */
export interface Content {
  readonly status: number;
  /** Absent: JSON. */
  readonly type?: string;
  /** Flat list of names and values. */
  readonly headers: readonly string[];
  readonly body: Uint8Array<ArrayBuffer>;
  /** Absent: `body` is all. */
  readonly rest?: Rest | null;
  readonly code: string | null;
}

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** The server's own ids are unique within a run and across runs, without random bytes for each. */
const RUN_ID = randomBytes(6).toString('hex');
let requestCount = 0;

/** `given`: the client's own id of the request. */
export function chooseRequestId(given: string | undefined): string {
  return given !== undefined && REQUEST_ID.test(given) ? given : `${RUN_ID}-${(++requestCount).toString(36)}`;
}

export function buildResponse(
  { status, type = 'application/json', headers, body, rest = null, code }: Content,
  { requestId, route, tokenId, isLast }: Progress,
): HttpResponse {
  const all = ['Content-Type', type];
  if (rest === null) all.push('Content-Length', String(body.length));
  all.push('Cache-Control', 'no-store', 'X-Request-Id', requestId, ...headers);
  return { status, headers: all, body, rest, route, tokenId, code, requestId, isLast };
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
  return { status: route.success, type, headers, body, code: null };
}

export function explainFailure(failure: Failure, reader: Reader): Content {
  return explain(failure, failure.code === 'busy' ? ['Retry-After', '1'] : [], reader);
}

/** `headers`: flat list of names and values. `reader`: for whom the remedy is. */
export function explain(
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
export function encodeJson(value: unknown): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(JSON.stringify(value)));
}
