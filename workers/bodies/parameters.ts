/** Reads and checks the parameters of a call. */
import { foldSearchText } from '../entries/search-text.ts';
import { RequestError } from '../errors/request-error.ts';
import type { Call, SecretName } from '../messages.ts';
import type { DeletedRow } from '../store/columns.ts';
import type { DeletedFilter } from '../store/history.ts';
import type { ListFilter } from '../store/lists.ts';
import { parseDueDate } from './due-dates.ts';
import { checkName } from './names.ts';

/** Rows of a page. */
const MAX_LIMIT = 1_000;

/** `problem`: a predicate, as it follows the name of the parameter. */
export function badRequest(member: string, problem: string): RequestError {
  return new RequestError('bad_request', `${member} ${problem}`, { member, problem });
}

/** Returns the secret that the call names. Throws RequestError. */
export function getSecretName(call: Call): SecretName {
  const name = call.params.name ?? '';
  const environment = call.params.env ?? '';
  checkName('name', name);
  checkName('environment', environment);
  return { name, environment };
}

export function getFieldName(call: Call): string {
  const field = call.params.field ?? '';
  checkName('field', field);
  return field;
}

/** Returns the filter of a list. Throws RequestError. */
export function getListFilter(call: Call): ListFilter {
  const { env, metadata_key: key, metadata_value: value, due_before: due } = call.params;
  if (env !== undefined) checkName('environment', env);
  if (value !== undefined && key === undefined)
    throw badRequest('metadata_value', 'needs metadata_key beside it');
  return {
    ...getPage(call),
    ...(env === undefined ? {} : { environment: env }),
    ...(key === undefined ? {} : { metadataKey: key }),
    ...(value === undefined ? {} : { metadataValue: value }),
    ...(due === undefined ? {} : { dueBefore: parseTime('due_before', due) }),
  };
}

/** Returns the one environment that is asked for; undefined for all. Throws RequestError. */
export function getEnvironmentFilter({ params: { env } }: Call): string | undefined {
  if (env !== undefined) checkName('environment', env);
  return env;
}

/** Returns the filter of an export, which always has a limit. Throws RequestError. */
export function getExportFilter(call: Call): ListFilter & { readonly limit: number } {
  return { limit: MAX_LIMIT, ...getListFilter(call) };
}

/** Returns the number of the version that is asked for; undefined for the current one. Throws RequestError. */
export function getVersion({ params: { version } }: Call): number | undefined {
  if (version === undefined) return undefined;
  const number = /^[1-9][0-9]{0,15}$/.test(version) ? Number(version) : 0;
  if (number < 1 || number > Number.MAX_SAFE_INTEGER)
    throw badRequest('version', 'must be a whole number from 1');
  return number;
}

/** Returns how many rows a page of a check has, and where it begins: a table, and a position in it. Throws RequestError. */
export function getCheckPage({ params: { limit, cursor } }: Call): {
  readonly limit: number;
  readonly after: readonly (string | number)[];
} {
  const after = cursor === undefined ? [] : decodeParts(cursor);
  const isCursor = after.every((part) => typeof part === 'string' || Number.isSafeInteger(part));
  if (!isCursor || (cursor !== undefined && after.length === 0)) throw badCursor();
  return {
    limit: limit === undefined ? MAX_LIMIT : parseLimit(limit),
    after: after as readonly (string | number)[],
  };
}

/** Returns the filter of a list of deleted secrets, which always has a limit. Throws RequestError. */
export function getDeletedFilter(call: Call): DeletedFilter {
  const { env, limit, cursor } = call.params;
  if (env !== undefined) checkName('environment', env);
  return {
    limit: limit === undefined ? MAX_LIMIT : parseLimit(limit),
    ...(env === undefined ? {} : { environment: env }),
    ...(cursor === undefined ? {} : { after: decodeDeletedCursor(cursor) }),
  };
}

/** As encodeCursor. Several deleted secrets can have had one name. */
export function encodeDeletedCursor({ name, environment, secretId }: DeletedRow): string {
  return encodeParts([name, environment, secretId]);
}

function decodeDeletedCursor(cursor: string): NonNullable<DeletedFilter['after']> {
  const [name, environment, secretId] = decodeParts(cursor);
  if (typeof name === 'string' && typeof environment === 'string' && Number.isSafeInteger(secretId))
    return { name, environment, secretId: Number(secretId) };
  throw badCursor();
}

/** Returns whether an import only says what it would do. Throws RequestError. */
export function getDryRun(call: Call): boolean {
  return readFlag(call, 'dry_run');
}

/** Returns what a rotation renews beside the KEK: every value, the root key. Throws RequestError. */
export function getRotationKind(call: Call): { readonly reencrypts: boolean; readonly isOfRoot: boolean } {
  return { reencrypts: readFlag(call, 'reencrypt'), isOfRoot: readFlag(call, 'root') };
}

/** Returns whether the client wants only the names of fields. Throws RequestError. */
export function getNamesOnly(call: Call): boolean {
  return readFlag(call, 'names');
}

function readFlag({ params }: Call, name: string): boolean {
  const { [name]: given = 'false' } = params;
  if (given !== 'true' && given !== 'false') throw badRequest(name, 'must be true or false');
  return given === 'true';
}

/** Returns the filter of a search. Throws RequestError. */
export function getSearchFilter(call: Call): ListFilter {
  const query = call.params.q ?? '';
  if (query === '') throw badRequest('q', 'must say what to search for');
  return { ...getPage(call), searchText: foldSearchText(query) };
}

function getPage(call: Call): { limit?: number; after?: SecretName } {
  const { limit, cursor } = call.params;
  return {
    ...(limit === undefined ? {} : { limit: parseLimit(limit) }),
    ...(cursor === undefined ? {} : { after: decodeCursor(cursor) }),
  };
}

function parseTime(member: string, text: string): number {
  const seconds = parseDueDate(text);
  if (seconds === null || seconds === 0)
    throw badRequest(member, 'must be a time such as "2027-01-31T00:00:00Z" (RFC 3339)');
  return seconds;
}

/** Throws RequestError. */
export function parseLimit(text: string): number {
  const limit = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT)
    throw badRequest('limit', `must be a whole number from 1 to ${MAX_LIMIT}`);
  return limit;
}

/** Returns the cursor of the page that starts just after this secret. Clients must not look into it. */
export function encodeCursor({ name, environment }: SecretName): string {
  return encodeParts([name, environment]);
}

function decodeCursor(cursor: string): SecretName {
  const [name, environment] = decodeParts(cursor);
  if (typeof name === 'string' && typeof environment === 'string') return { name, environment };
  throw badCursor();
}

/** Returns a cursor of these parts, which are JSON. */
export function encodeParts(parts: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** Returns an empty list for what is no cursor of this API. */
export function decodeParts(cursor: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
}

export function badCursor(): RequestError {
  return badRequest('cursor', 'is not one that this API gave out');
}
