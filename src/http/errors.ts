/** The only table from error codes to HTTP statuses. */
import type { ErrorCode, Reason } from '../../workers/messages.ts';

export const STATUS_OF = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_approved: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  conflict: 409,
  gone: 410,
  precondition_failed: 412,
  too_large: 413,
  headers_too_large: 431,
  integrity: 500,
  internal: 500,
  sealed: 503,
  busy: 503,
  disk_full: 507,
} as const satisfies Record<ErrorCode, number>;

/** Why the request thread itself refuses a request. */
export class HttpError extends Error {
  readonly code: ErrorCode;
  /** Flat list of names and values. */
  readonly headers: readonly string[];
  readonly reason: Reason | undefined;

  constructor(code: ErrorCode, message: string, headers: readonly string[] = [], reason?: Reason) {
    super(message);
    this.code = code;
    this.headers = headers;
    this.reason = reason;
  }
}
