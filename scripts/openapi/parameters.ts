/** The parameters and headers of requests, and the headers of answers. */
import type { QueryParameter, Route } from '../../src/routes.ts';
import { environment, field, type JsonSchema, name, text, whole } from './schemas.ts';

const QUERY: Readonly<Record<QueryParameter, JsonSchema>> = {
  env: { schema: environment, description: 'The environment; the default one if absent' },
  metadata_key: { schema: text, description: 'Only secrets whose metadata has this top-level member' },
  metadata_value: {
    schema: text,
    description: 'With metadata_key: only secrets in which it has this value, compared as text',
  },
  due_before: {
    schema: { type: 'string', format: 'date-time' },
    description: 'Only secrets whose `expires_at` or `rotate_by` is not after this time',
  },
  dry_run: {
    schema: { type: 'boolean' },
    description: 'true: only report what would be done',
  },
  names: { schema: { type: 'boolean' }, description: 'true: only the names, without values' },
  q: {
    schema: { type: 'string', minLength: 1 },
    required: true,
    description: 'Text to search for, in upper or lower case',
  },
  version: {
    schema: { type: 'integer', minimum: 1 },
    description: 'This version of the secret, deleted or not; absent: the current one',
  },
  limit: {
    schema: { type: 'integer', minimum: 1, maximum: 1000 },
    description: 'Maximum number on one page; absent: all',
  },
  cursor: {
    schema: text,
    description: 'Start of the page, from the Link header of the page before',
  },
};

/** The parameter `env` of a list of entries. */
const ONLY_ENV: JsonSchema = {
  schema: environment,
  description: 'Only this environment; absent: all of them',
};
/** The parameter `limit` of a list that is never sent whole. */
const PAGE_LIMIT: JsonSchema = {
  schema: { type: 'integer', minimum: 1, maximum: 1000 },
  description: 'Maximum number on one page (absent: 1000); a page that grows beyond 4 MiB ends earlier',
};

export function describeQuery({ query, streamed }: Route, parameter: QueryParameter): JsonSchema {
  if (parameter === 'env' && query.includes('cursor')) return ONLY_ENV;
  if (parameter === 'limit' && !streamed) return PAGE_LIMIT;
  return QUERY[parameter];
}

export const PATH: Readonly<Record<string, JsonSchema>> = {
  name: { schema: name, description: 'The name of the secret, percent-encoded (`/` as `%2F`)' },
  field: { schema: field, description: 'The name of the field, percent-encoded' },
  id: { schema: text, description: 'The id of the token' },
};

export const REQUEST_ID: JsonSchema = {
  name: 'X-Request-Id',
  in: 'header',
  schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,128}$' },
  description: 'Returned in the answer and written to the log; an id of another form is replaced',
};
export const PRECONDITIONS: Readonly<Record<NonNullable<Route['preconditions']>, readonly JsonSchema[]>> = {
  one: describePreconditions({
    'If-Match': 'Only if the secret has one of these entity tags; `*`: only if it is there',
    'If-None-Match': 'Only if the secret has none of these entity tags; `*`: only if it is not there',
  }),
  each: describePreconditions({
    'If-Match': 'Only if each secret that exists and would be changed has one of these entity tags',
    'If-None-Match':
      'Only if none of these secrets has one of these entity tags; `*`: only if no such secret exists',
  }),
};

function describePreconditions(headers: Readonly<Record<string, string>>): readonly JsonSchema[] {
  return Object.entries(headers).map(([header, description]) => ({
    name: header,
    in: 'header',
    schema: text,
    description,
  }));
}

export const HEADERS = {
  'Cache-Control': { schema: { type: 'string', const: 'no-store' }, required: true },
  'X-Request-Id': { schema: REQUEST_ID.schema, required: true },
  ETag: {
    schema: text,
    description:
      'The entity tag of the secret, for If-Match: its version and its id, such as `"7-42"`. If-Match takes the version alone too, `"7"`; then a secret that was purged and made again is not told apart',
  },
  Link: { schema: text, description: '`<…>; rel="next"`: the next page, if there is one' },
  Allow: { schema: text, description: 'The methods that this path takes' },
  'WWW-Authenticate': { schema: { type: 'string', const: 'Bearer' } },
  'Retry-After': { schema: whole, description: 'Seconds' },
} as const;
export type HeaderName = keyof typeof HEADERS;
