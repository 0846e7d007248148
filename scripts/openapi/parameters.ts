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
  reencrypt: {
    schema: { type: 'boolean' },
    description: 'true: every value and field is encrypted again, under a new key of its own',
  },
  root: {
    schema: { type: 'boolean' },
    description:
      'true: the vault gets a new root key, too, and each of its keys is made again; needs the passphrase of every passphrase key, ' +
      'and the recovery code unless it is dropped',
  },
  names: { schema: { type: 'boolean' }, description: 'true: only the names, without values' },
  backup: {
    schema: { type: 'string', pattern: '^[0-9a-f]{32}$' },
    description: 'The id of the draft of a backup, which is checked instead of the vault',
  },
  q: {
    schema: { type: 'string', minLength: 1 },
    required: true,
    description: 'Text to search for, in upper or lower case',
  },
  version: {
    schema: { type: 'integer', minimum: 1 },
    description: 'This version of the secret, deleted or not; absent: the current one',
  },
  since: {
    schema: { type: 'string', format: 'date-time' },
    description: 'Only entries of this time or later',
  },
  until: {
    schema: { type: 'string', format: 'date-time' },
    description: 'Only entries of this time or earlier',
  },
  name: {
    schema: name,
    description:
      'Only secrets of this name: `*` stands for any text within a segment, `**` across `/`. Entries about several secrets have only these',
  },
  environment: { schema: environment, description: 'Only secrets and lists of this environment' },
  token: {
    schema: { type: 'string', pattern: '^([0-9a-f]{16}|session)$' },
    description: 'Only what this token did, and what was done to it; `session`: the owner',
  },
  operation: {
    schema: { type: 'string', pattern: '^[a-z][a-zA-Z]*(\\.[a-zA-Z]*)?\\*?$' },
    description:
      'Only this operation, such as `secrets.get`; or those that begin so: `secrets.` or `secrets.*`',
  },
  order: {
    schema: { type: 'string', enum: ['newest', 'oldest'] },
    description: 'Which entries come first; absent: the newest',
  },
  wait: {
    schema: { type: 'integer', minimum: 0, maximum: 60 },
    description: 'So many seconds to wait for a request, if none waits for an answer; absent: 0',
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

/** The same of the audit log. */
const ENTRY_LIMIT: JsonSchema = {
  ...PAGE_LIMIT,
  description: 'Maximum number on one page (absent: 100); a page that grows beyond 4 MiB ends earlier',
};
/** The token whose reads are listed. */
const READER: JsonSchema = {
  ...QUERY.token,
  required: true,
  description: 'The id of the token, which may be revoked since; `session`: the owner',
};

export function describeQuery(
  { query, streamed, isLive, operation }: Route,
  parameter: QueryParameter,
): JsonSchema {
  if (operation === 'audit.list' && parameter === 'limit') return ENTRY_LIMIT;
  if (operation === 'audit.reads' && parameter === 'token') return READER;
  if (parameter === 'env' && (query.includes('cursor') || isLive === true)) return ONLY_ENV;
  if (parameter === 'limit' && !streamed) return PAGE_LIMIT;
  return QUERY[parameter];
}

export const PATH: Readonly<Record<string, JsonSchema>> = {
  name: { schema: name, description: 'The name of the secret, percent-encoded (`/` as `%2F`)' },
  field: { schema: field, description: 'The name of the field, percent-encoded' },
  id: {
    schema: text,
    description: 'The id of the token, of the approval, of the key slot, or the number of the segment',
  },
};

export const REQUEST_ID: JsonSchema = {
  name: 'X-Request-Id',
  in: 'header',
  schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,128}$' },
  description: 'Returned in the answer and written to the log; an id of another form is replaced',
};
export const APPROVAL: JsonSchema = {
  name: 'X-Approval',
  in: 'header',
  schema: { type: 'string', pattern: '^(ask|never|[0-9a-f]{16})$' },
  description:
    'How to wait if the owner has to approve the request: absent: up to 60 s; `ask`: not at all, and the answer has the id of the approval; `never`: not at all; such an id, once it is approved: carries the request out',
};
export const PURPOSE: JsonSchema = {
  name: 'X-Purpose',
  in: 'header',
  schema: { type: 'string', maxLength: 200 },
  description: 'What the answer is needed for, for the owner to read: printable characters, in UTF-8',
};
export const LAST_EVENT_ID: JsonSchema = {
  name: 'Last-Event-ID',
  in: 'header',
  schema: text,
  description:
    'The id of the last event that the client has; the stream goes on after it. Absent: it starts now',
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
