/**
 * Builds the OpenAPI document from the route table and the schemas of the request bodies. What these do not say is written here
 * by hand: the shapes of the answers, and of the body that a reader thread reads. `npm run openapi` writes
 * src/http/openapi.json, which is checked in. A test asserts that it is up to date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { STATUS_OF } from '../src/http/errors.ts';
import { REASONS } from '../src/remedies.ts';
import { type QueryParameter, type Route, type RoutedOperation, routes } from '../src/routes.ts';
import { MAX_REFS } from '../workers/bodies/references.ts';
import { type BodyOperation, bodyJsonSchema, bodySchemas } from '../workers/bodies/schemas.ts';

const root = dirname(import.meta.dirname);
const TARGET = join(root, 'src/http/openapi.json');

export type JsonSchema = { readonly [keyword: string]: unknown };
type RoutedRoute = (typeof routes)[number];

const text: JsonSchema = { type: 'string' };
const name: JsonSchema = {
  type: 'string',
  minLength: 1,
  description: 'Any UTF-8 without control characters, at most 512 bytes',
};
const field: JsonSchema = {
  ...name,
  description: `${name.description}; not \`__proto__\``,
};
const environment: JsonSchema = {
  type: 'string',
  description: 'Any UTF-8 without control characters, at most 512 bytes; empty: the default environment',
};
const time: JsonSchema = { type: 'string', format: 'date-time', description: 'RFC 3339, UTC, to the second' };
const timeOrNull: JsonSchema = { ...time, type: ['string', 'null'] };
const whole: JsonSchema = { type: 'integer', minimum: 0 };
const value: JsonSchema = { type: 'string', minLength: 1 };
const metadata: JsonSchema = {
  type: 'object',
  additionalProperties: true,
  description: 'Any JSON; numbers come back as they were written',
};
const fieldCount: JsonSchema = {
  type: 'integer',
  minimum: 1,
  description: 'Absent if there are no fields',
};
const tokenId: JsonSchema = { type: 'string', pattern: '^[0-9a-f]{16}$' };
const scopes: JsonSchema = {
  type: 'array',
  items: { type: 'string', enum: ['read', 'write', 'generate', 'admin'] },
};

/** Returns the schema of an object with these members. A member whose name ends in `?` may be absent. */
function object(members: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const entries = Object.entries(members);
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([member, schema]) => [member.replace(/\?$/, ''), schema])),
    required: entries.filter(([member]) => !member.endsWith('?')).map(([member]) => member),
  };
}

const BINARY = 'application/octet-stream';
const bytes: JsonSchema = { contentMediaType: BINARY, description: 'The value, byte for byte' };
const encoding: JsonSchema = {
  type: 'string',
  const: 'base64',
  description: 'Present if the stored bytes are not UTF-8: then `value` is their base64 (RFC 4648 section 4)',
};
const fieldValues: JsonSchema = {
  type: 'object',
  additionalProperties: { anyOf: [value, object({ value, encoding })] },
};

const ref = (kind: string, component: string): JsonSchema => ({ $ref: `#/components/${kind}/${component}` });
const done = (status: string, members: Readonly<Record<string, JsonSchema>>): JsonSchema =>
  object({ status: { type: 'string', const: status }, ...members });

const writtenBy: JsonSchema = {
  type: 'string',
  description: '`session` if the owner wrote it last, else the id of the token that did',
};
const accepted: JsonSchema = {
  type: 'boolean',
  description: 'Whether the owner wrote or accepted all of it, its fields included',
};
const trusted: JsonSchema = {
  type: 'boolean',
  description: 'Whether what the token writes counts as accepted by the owner',
};

const SCHEMAS = {
  Error: object({
    error: { type: 'string', description: 'What is wrong, in a sentence' },
    code: { type: 'string', enum: Object.keys(STATUS_OF), description: 'Stays the same in every version' },
    'reason?': {
      type: 'string',
      enum: REASONS,
      description:
        'The cause, if a code has several; mostly why the vault is sealed. Stays the same in every version',
    },
    'problem?': {
      ...text,
      description:
        'With a reason: `error` without the remedy. With a member: what is wrong with it, without its name',
    },
    'member?': { ...text, description: 'The member of the body, or the parameter, that is wrong' },
    'at?': {
      ...object({
        list: { ...text, description: 'The member that is the list' },
        index: { ...whole, description: 'Counted from 0' },
        problem: { ...text, description: '`error` without the place of the item' },
        'same_as?': { ...whole, description: 'The index of an earlier item that is the same entry' },
      }),
      description: 'The item of a list in the body that is wrong',
    },
  }),
  SecretSummary: object({
    name,
    environment,
    metadata,
    'field_count?': fieldCount,
    created_at: time,
    updated_at: time,
    written_by: writtenBy,
    accepted,
  }),
  Secret: object({
    name,
    environment,
    'value?': { ...value, description: 'Absent in an entry that has only fields' },
    'encoding?': encoding,
    metadata,
    'fields?': { ...fieldValues, minProperties: 1, description: 'Absent if there are none' },
    'field_count?': fieldCount,
    created_at: time,
    updated_at: time,
    written_by: writtenBy,
    accepted,
    'unaccepted_fields?': {
      type: 'object',
      additionalProperties: text,
      minProperties: 1,
      description:
        'Fields that the owner neither wrote nor accepted, each with the id of the token that wrote it; absent if there are none',
    },
  }),
  UnreadableSecret: object({
    name,
    environment,
    error: { ...text, description: 'This entry fails verification; the rest of the page is not affected' },
    code: { type: 'string', const: 'integrity' },
  }),
  BatchField: object({ name, environment, field, value, 'encoding?': encoding }),
  BatchError: object({
    name,
    environment,
    'field?': { ...name, description: 'Absent if the secret itself was asked for' },
    error: { ...text, description: 'What is wrong with this one; the others are not affected' },
    code: {
      type: 'string',
      enum: ['not_found', 'integrity'],
      description: 'It is not there, or it fails verification',
    },
  }),
  SecretName: object({ name, environment }),
  Token: object({
    id: tokenId,
    name,
    scopes,
    trusted,
    created_at: time,
    expires_at: timeOrNull,
    last_used_at: timeOrNull,
  }),
} as const;

const arrayOf = (component: keyof typeof SCHEMAS): JsonSchema => ({
  type: 'array',
  items: ref('schemas', component),
});

/** Where the vault's key is; in the answer to a destruction, where it was. */
const keyStores: JsonSchema = {
  type: 'array',
  items: { type: 'string', enum: ['keychain', 'passphrase', 'file'] },
};
const generation: JsonSchema = {
  ...whole,
  description: 'Generation of the key that wraps the keys of the secrets',
};

const count = object({ done: whole, total: whole });

/** The body of each operation's successful answer. */
const RESULTS: Readonly<Record<RoutedOperation, JsonSchema>> = {
  health: object({
    status: { type: 'string', const: 'ok' },
    time,
    'sealed?': { type: 'boolean', const: true, description: 'Present while the vault is sealed' },
    'damaged?': {
      type: 'boolean',
      const: true,
      description: 'Present after the database was found damaged; nothing is written to it any more',
    },
    'replaced?': {
      type: 'boolean',
      const: true,
      description: "Present after the daemon's program was replaced or removed; the daemon must be restarted",
    },
    'progress?': {
      ...object({ 'writing?': count, 'reading?': count }),
      description:
        "Only with the session's token: progress of an import or a rotation (writing), and of a check (reading)",
    },
  }),
  openapi: { type: 'object', description: 'An OpenAPI 3.1 document' },
  'secrets.list': arrayOf('SecretSummary'),
  'secrets.search': arrayOf('SecretSummary'),
  'secrets.export': {
    type: 'array',
    items: { anyOf: [ref('schemas', 'Secret'), ref('schemas', 'UnreadableSecret')] },
  },
  'secrets.import': object({
    dry_run: { type: 'boolean', description: 'Whether nothing was stored' },
    added: arrayOf('SecretName'),
    changed: arrayOf('SecretName'),
    unchanged: arrayOf('SecretName'),
  }),
  'secrets.batchGet': object({
    secrets: {
      type: 'array',
      minItems: 1,
      maxItems: MAX_REFS,
      items: {
        anyOf: [ref('schemas', 'Secret'), ref('schemas', 'BatchField'), ref('schemas', 'BatchError')],
      },
      description: 'One for each reference, in the same order',
    },
  }),
  'secrets.get': ref('schemas', 'Secret'),
  'secrets.put': done('stored', { name }),
  'secrets.patch': done('updated', { name }),
  'secrets.delete': done('deleted', { name }),
  'secrets.rename': done('renamed', { name, environment }),
  'secrets.accept': done('accepted', { name }),
  'values.get': bytes,
  'values.put': done('stored', { name }),
  'fields.list': {
    oneOf: [
      { ...fieldValues, description: 'Field to value' },
      { type: 'array', items: name, description: 'With names=true: the names' },
    ],
  },
  'fields.putMany': done('stored', {
    name,
    field_count: { ...whole, description: 'Number of fields that this request set' },
  }),
  'fields.get': object({ name, field, value, 'encoding?': encoding }),
  'fields.put': done('stored', { name, field }),
  'fields.delete': done('deleted', { name, field }),
  'fieldValues.get': bytes,
  'fieldValues.put': done('stored', { name, field }),
  'passwords.generate': object({
    password: value,
    'name?': name,
    stored: { type: 'boolean', description: 'Whether it was stored under that name' },
    entropy_bits: {
      type: 'number',
      minimum: 0,
      description: 'log2 of the number of equally likely values, rounded down to a tenth',
    },
  }),
  'vault.info': object({ dir: text, db_path: text, db_size_bytes: whole, secret_count: whole }),
  'tokens.list': arrayOf('Token'),
  'tokens.create': object({
    token: { type: 'string', pattern: '^mvt_[0-9a-f]{64}$', description: 'Shown only once' },
    id: tokenId,
    name,
    scopes,
    trusted,
    expires_at: timeOrNull,
  }),
  'tokens.revoke': done('revoked', { id: tokenId }),
  'vault.status': object({
    sealed: { type: 'boolean' },
    vault_id: { type: 'string', pattern: '^[0-9a-f]{32}$' },
    key_stores: keyStores,
    key_file: { type: ['string', 'null'], description: 'Path of the key file; null if there is none' },
    kek_generation: generation,
  }),
  'vault.unseal': done('unsealed', {}),
  'vault.seal': done('sealed', {}),
  'keys.rotate': done('rotated', { kek_generation: generation }),
  'vault.check': object({
    database: { ...text, description: '`ok`, or the first thing that SQLite found wrong' },
    secrets: whole,
    fields: whole,
    tokens: whole,
    unreadable: {
      ...arrayOf('SecretName'),
      maxItems: 100,
      description: 'The first entries that do not open',
    },
    unreadable_count: whole,
  }),
  'vault.destroy': done('destroyed', { key_stores: keyStores }),
};

/** The request body of batch-get. */
const REFS: JsonSchema = {
  ...object({
    refs: {
      type: 'array',
      minItems: 1,
      maxItems: MAX_REFS,
      items: {
        ...object({
          name,
          'environment?': environment,
          'field?': { ...field, description: 'Only this field; absent: the secret with all of its fields' },
        }),
        additionalProperties: false,
      },
    },
  }),
  additionalProperties: false,
};
const REFS_NOTE =
  'Refused with 413 if the answer grows beyond 4 MiB before the last reference; a single reference never is';

const QUERY: Readonly<Record<QueryParameter, JsonSchema>> = {
  env: { schema: environment, description: 'The environment; the default one if absent' },
  metadata_key: { schema: text, description: 'Only secrets whose metadata has this top-level member' },
  metadata_value: {
    schema: text,
    description: 'With metadata_key: only secrets in which it has this value, compared as text',
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

function describeQuery({ query, streamed }: Route, parameter: QueryParameter): JsonSchema {
  if (parameter === 'env' && query.includes('cursor')) return ONLY_ENV;
  if (parameter === 'limit' && !streamed) return PAGE_LIMIT;
  return QUERY[parameter];
}

const PATH: Readonly<Record<string, JsonSchema>> = {
  name: { schema: name, description: 'The name of the secret, percent-encoded (`/` as `%2F`)' },
  field: { schema: field, description: 'The name of the field, percent-encoded' },
  id: { schema: text, description: 'The id of the token' },
};

const REQUEST_ID: JsonSchema = {
  name: 'X-Request-Id',
  in: 'header',
  schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,128}$' },
  description: 'Returned in the answer and written to the log; an id of another form is replaced',
};
const PRECONDITIONS: Readonly<Record<NonNullable<Route['preconditions']>, readonly JsonSchema[]>> = {
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

const HEADERS = {
  'Cache-Control': { schema: { type: 'string', const: 'no-store' }, required: true },
  'X-Request-Id': { schema: REQUEST_ID.schema, required: true },
  ETag: { schema: text, description: 'The entity tag of the secret, for If-Match' },
  Link: { schema: text, description: '`<…>; rel="next"`: the next page, if there is one' },
  Allow: { schema: text, description: 'The methods that this path takes' },
  'WWW-Authenticate': { schema: { type: 'string', const: 'Bearer' } },
  'Retry-After': { schema: whole, description: 'Seconds' },
} as const;
type HeaderName = keyof typeof HEADERS;

/** Descriptions of the operations' errors, by status. */
const ERRORS: Readonly<Record<number, { meaning: string; headers?: readonly HeaderName[] }>> = {
  400: { meaning: 'The request is not what this endpoint takes; nothing was stored' },
  401: {
    meaning:
      'The token is missing, malformed, unknown, expired or revoked; after many wrong tokens this answer comes up to 5 s later',
    headers: ['WWW-Authenticate'],
  },
  403: { meaning: 'The token does not have the scope' },
  404: { meaning: 'The secret, field or token does not exist' },
  405: { meaning: 'The path takes other methods', headers: ['Allow'] },
  408: { meaning: 'The request took too long to arrive' },
  409: { meaning: 'A secret with the new name exists, or this is under way already; nothing was changed' },
  412: { meaning: 'A secret is not as If-Match or If-None-Match expects' },
  413: {
    meaning:
      'The body is larger than 1 MiB, or than this endpoint takes; the entry would have more than 1,000 fields or 8 MiB (`member` names the cause); or the answer would be too large',
  },
  431: { meaning: 'The headers are larger than 16 KiB' },
  500: { meaning: 'The stored data fails verification, or something unforeseen happened' },
  503: {
    meaning: 'The vault is sealed, too many requests are waiting, or clients hold too much memory',
    headers: ['Retry-After'],
  },
  507: { meaning: 'The disk is full; nothing was stored' },
};

/** Returns the statuses with which an operation can fail. `default` is for those that later versions may add. */
function errorsOf(route: Route): number[] {
  const needsExisting = route.path.includes('/:') && route.success !== 201;
  return [
    ...[400, 405, 408, 431, 500],
    ...(route.pool === 'none' ? [] : [401, 403, 503]),
    ...(needsExisting ? [404] : []),
    ...(route.canConflict ? [409] : []),
    ...(route.preconditions === undefined ? [] : [412]),
    ...(route.body === 'none' ? [] : [413]),
    ...(route.pool === 'writer' || route.canFillDisk ? [507] : []),
  ].sort((a, b) => a - b);
}

const json = (schema: JsonSchema) => ({ 'application/json': { schema } });
const binary = (schema: JsonSchema) => ({ [BINARY]: { schema } });

function headersOf(...names: readonly HeaderName[]): JsonSchema {
  const all = ['Cache-Control', 'X-Request-Id', ...names] as const;
  return Object.fromEntries(all.map((header) => [header, ref('headers', header)]));
}

function successOf(route: RoutedRoute): JsonSchema {
  const extra: HeaderName[] = [];
  if (route.hasTag) extra.push('ETag');
  if (route.query.includes('cursor')) extra.push('Link');
  const schema = RESULTS[route.operation];
  const content = route.bytes === 'response' ? binary(schema) : json(schema);
  return { description: 'Done', headers: headersOf(...extra), content };
}

function parametersOf(route: Route): JsonSchema[] {
  const inPath = [...route.path.matchAll(/:(\w+)/g)].map(([, parameter = '']) => ({
    name: parameter,
    in: 'path',
    required: true,
    ...PATH[parameter],
  }));
  const inQuery = route.query.map((parameter) => ({
    name: parameter,
    in: 'query',
    ...describeQuery(route, parameter),
  }));
  const headers = route.preconditions === undefined ? [] : PRECONDITIONS[route.preconditions];
  return [...inPath, ...inQuery, ...headers, ref('parameters', 'RequestId')];
}

/** Returns the JSON Schema of the body, with what zod's schema does not say. */
function describeBody({ operation }: Route): { schema: JsonSchema; notes: readonly string[] } {
  if (operation === 'secrets.batchGet') return { schema: REFS, notes: [REFS_NOTE] };
  const described = operation === 'keys.rotate' ? 'vault.unseal' : operation;
  if (!(described in bodySchemas)) throw new Error(`no body is described for ${operation}`);
  return { schema: tellDefaults(bodyJsonSchema(described as BodyOperation)) as JsonSchema, notes: [] };
}

/**
 * Returns the schema with each `default` moved into the description. Generators think that a member with a default is always
 * there, and their clients then require it in every request.
 */
function tellDefaults(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(tellDefaults);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { default: value, ...rest } = schema as JsonSchema;
  const described = Object.entries(rest).map(([keyword, child]) => [keyword, tellDefaults(child)]);
  if (value === undefined) return Object.fromEntries(described);
  const before = rest.description === undefined ? '' : `${rest.description}; `;
  const description = `${before}default: ${JSON.stringify(value)}`;
  return { ...Object.fromEntries(described), description };
}

function bodyOf(route: Route): JsonSchema {
  if (route.body === 'none') return {};
  if (route.bytes === 'body') {
    const description = 'At least one byte, at most 1 MiB, with any Content-Type';
    return { requestBody: { description, required: true, content: binary(bytes) } };
  }
  const { schema, notes: own } = describeBody(route);
  const required = route.body === 'required';
  const notes = [
    ...own,
    ...(required ? [] : ['No body means the defaults']),
    ...(route.maxBodySize === undefined ? [] : [`At most ${route.maxBodySize / 1_048_576} MiB`]),
  ];
  return {
    requestBody: {
      ...(notes.length === 0 ? {} : { description: notes.join('; ') }),
      required,
      content: json(schema),
    },
  };
}

function describeOperation(route: RoutedRoute): JsonSchema {
  const failures = errorsOf(route).map((status) => [status, ref('responses', `Error${status}`)]);
  return {
    operationId: route.operation,
    tags: [tagOf(route)],
    summary: route.summary,
    ...(route.scope === null ? {} : { description: describeUse(route) }),
    security: securityOf(route),
    parameters: parametersOf(route),
    ...bodyOf(route),
    responses: {
      [route.success]: successOf(route),
      ...Object.fromEntries(failures),
      default: ref('responses', 'Error'),
    },
  };
}

function securityOf({ scope }: Route): JsonSchema[] {
  if (scope === null) return [];
  return scope === 'session' ? [{ session: [] }] : [{ bearer: [scope] }];
}

const TAGS = {
  secrets: 'Secrets, their values and fields, one at a time or many at once',
  tokens: 'Who may ask, and for what',
  daemon: 'The daemon and its vault',
  session: 'Only for the session token, which the daemon makes for its own command line',
} as const;

function tagOf({ scope, operation }: Route): keyof typeof TAGS {
  if (scope === 'session') return 'session';
  if (operation.startsWith('tokens.')) return 'tokens';
  return ['health', 'openapi', 'vault.info'].includes(operation) ? 'daemon' : 'secrets';
}

const STREAMED = `Without \`limit\` this is the whole list. A long list is sent in chunks, without Content-Length. If it breaks off
(because the vault is sealed or the token revoked meanwhile), the connection is closed before the last chunk. The pages of
the list are read one after the other, at different times. A secret that stays in its place meanwhile is in the list exactly
once and in order. A secret that is added, deleted or renamed meanwhile may be in it or not.`;

function describeUse(route: Route): string {
  return route.streamed === true ? `${describeScope(route)}\n\n${STREAMED}` : describeScope(route);
}

function describeScope({ scope, replaceScope }: Route): string {
  if (scope === 'session') return 'Needs the session token; no scope permits it.';
  const replacing =
    replaceScope === undefined ? '' : `; to replace an existing secret, \`${replaceScope}\` as well`;
  return `Needs the scope \`${scope}\`${replacing}.`;
}

function describePaths(): JsonSchema {
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describeOperation(route) };
  }
  return paths;
}

const OTHER_ERRORS = 'Any other error; later versions may have more';

function describeErrors(): JsonSchema {
  const content = json(ref('schemas', 'Error'));
  const byStatus = Object.entries(ERRORS).map(([status, { meaning, headers = [] }]) => [
    `Error${status}`,
    { description: meaning, headers: headersOf(...headers), content },
  ]);
  return {
    Error: { description: OTHER_ERRORS, headers: headersOf(), content },
    ...Object.fromEntries(byStatus),
  };
}

const DESCRIPTION = `Secrets of a developer's own machine, over HTTP/1.1 on a Unix socket.

- Every path that has GET has HEAD too.
- A body is read as JSON, or as bytes where a path takes bytes, with any Content-Type. It has at most 1 MiB unless the path
  says otherwise.
- Unknown members, duplicate members and unknown query parameters are errors. \`null\` for an optional member means that it
  is absent.
- Errors are JSON on every path.
- A request without a valid token is answered 401, whatever else is wrong with it. \`GET /v1/health\` and this document need
  no token.
- Later versions may add members that are not described here.`;

/** Returns the same document for the same sources, at any time and on any machine. */
export function buildDocument(): JsonSchema {
  const { version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return {
    openapi: '3.1.0',
    info: {
      title: 'MaestroVault',
      version,
      description: DESCRIPTION,
      license: { name: license, identifier: license },
    },
    servers: [{ url: 'http://localhost', description: 'Over the Unix socket; any host is accepted' }],
    security: [{ bearer: [] }],
    tags: Object.entries(TAGS).map(([tag, description]) => ({ name: tag, description })),
    paths: describePaths(),
    components: {
      schemas: SCHEMAS,
      parameters: { RequestId: REQUEST_ID },
      headers: HEADERS,
      responses: describeErrors(),
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'mvt_ and 64 hexadecimal digits',
          description:
            'A token of `mav token create`. Each operation needs a scope; `admin` implies all of them.',
        },
        session: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'mvs_ and 64 hexadecimal digits',
          description:
            'The session token. It is made when the daemon starts, readable only by its user, and removed when the daemon ends. It permits everything.',
        },
      },
    },
  };
}

export function renderDocument(): string {
  return `${JSON.stringify(buildDocument(), null, 2)}\n`;
}

if (import.meta.main) writeFileSync(TARGET, renderDocument());
