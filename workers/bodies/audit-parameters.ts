/** Reads and checks the parameters of the routes of the audit log. */
import type { Order, Position } from '../audit/reading/read-segment.ts';
import type { Call } from '../messages.ts';
import { parseDueDate } from './due-dates.ts';
import { checkName } from './names.ts';
import { badCursor, badRequest, decodeParts, encodeParts, parseLimit } from './parameters.ts';

const DEFAULT_LIMIT = 100;
/** Before and behind all times, as texts. */
const ALWAYS = { since: '', until: '9' };
const TOKEN_ID = /^(?:[0-9a-f]{16}|session)$/;
/** `secrets.get`, or the beginning of several: `secrets.`, `secrets.*`, `sec*`. */
const OPERATION = /^[a-z][a-zA-Z]*(?:\.[a-zA-Z]*)?\*?$/;

export interface AuditQuery {
  readonly order: Order;
  /** RFC 3339, UTC, to the millisecond, as entries have it. */
  readonly since: string;
  readonly until: string;
  /** The entry that the page before ended with. */
  readonly after: Position | undefined;
  readonly limit: number;
  /** A glob. */
  readonly name: string | undefined;
  readonly environment: string | undefined;
  readonly token: string | undefined;
  readonly operation: string | undefined;
}

/** Throws RequestError. */
export function getAuditQuery({ params }: Call): AuditQuery {
  const { since, until, name, environment, operation, order = 'newest', limit, cursor } = params;
  if (order !== 'newest' && order !== 'oldest') throw badRequest('order', 'must be newest or oldest');
  if (name !== undefined) checkName('name', name);
  if (environment !== undefined) checkName('environment', environment);
  if (operation !== undefined && !OPERATION.test(operation))
    throw badRequest(
      'operation',
      'must be an operation such as secrets.get, or a beginning such as secrets.*',
    );
  return {
    order,
    since: since === undefined ? ALWAYS.since : parseTime('since', since),
    until: until === undefined ? ALWAYS.until : parseTime('until', until),
    after: cursor === undefined ? undefined : decodeAuditCursor(cursor),
    limit: limit === undefined ? DEFAULT_LIMIT : parseLimit(limit),
    ...{ name, environment, operation },
    token: params.token === undefined ? undefined : checkTokenId(params.token),
  };
}

/** Returns the id of a token, or `session`. Throws RequestError. */
export function getTokenId({ params: { token = '' } }: Call): string {
  return checkTokenId(token);
}

/** The message does not repeat the text, which may be a token. */
function checkTokenId(text: string): string {
  if (TOKEN_ID.test(text)) return text;
  throw badRequest('token', 'must be the id of a token, 16 hexadecimal digits, or session');
}

function parseTime(member: string, text: string): string {
  const seconds = parseDueDate(text);
  if (seconds === null || seconds === 0)
    throw badRequest(member, 'must be a time such as "2027-01-31T00:00:00Z" (RFC 3339)');
  return new Date(Date.parse(text.toUpperCase())).toISOString();
}

export function encodeAuditCursor({ at, segment, seq }: Position): string {
  return encodeParts([at, segment, seq]);
}

function decodeAuditCursor(cursor: string): Position {
  const [at, segment, seq] = decodeParts(cursor);
  if (typeof at === 'string' && Number.isSafeInteger(segment) && Number.isSafeInteger(seq))
    return { at, segment: Number(segment), seq: Number(seq) };
  throw badCursor();
}
