/** Reads and checks the parameters of a call. */
import { foldSearchText } from '../entries/search-text.ts';
import { RequestError } from '../errors/request-error.ts';
import type { Call, SecretName } from '../messages.ts';
import type { ListFilter } from '../store/lists.ts';
import { checkName } from './names.ts';

const MAX_LIMIT = 1_000;

function badRequest(member: string, problem: string): RequestError {
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
  const { env, metadata_key: key, metadata_value: value } = call.params;
  if (env !== undefined) checkName('environment', env);
  if (value !== undefined && key === undefined)
    throw badRequest('metadata_value', 'needs metadata_key beside it');
  return {
    ...getPage(call),
    ...(env === undefined ? {} : { environment: env }),
    ...(key === undefined ? {} : { metadataKey: key }),
    ...(value === undefined ? {} : { metadataValue: value }),
  };
}

/** Returns the filter of an export, which always has a limit. Throws RequestError. */
export function getExportFilter(call: Call): ListFilter & { readonly limit: number } {
  return { limit: MAX_LIMIT, ...getListFilter(call) };
}

/** Returns whether an import only says what it would do. Throws RequestError. */
export function getDryRun(call: Call): boolean {
  return readFlag(call, 'dry_run');
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

function parseLimit(text: string): number {
  const limit = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT)
    throw badRequest('limit', `must be a whole number from 1 to ${MAX_LIMIT}`);
  return limit;
}

/** Returns the cursor of the page that starts just after this secret. Clients must not look into it. */
export function encodeCursor({ name, environment }: SecretName): string {
  return Buffer.from(JSON.stringify([name, environment])).toString('base64url');
}

function decodeCursor(cursor: string): SecretName {
  try {
    const [name, environment] = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (typeof name === 'string' && typeof environment === 'string') return { name, environment };
  } catch {
    // Not a cursor of this API: falls through to the error.
  }
  throw badRequest('cursor', 'is not one that this API gave out');
}
