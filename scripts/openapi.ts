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
  description: 'Absent where there are no fields',
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
  description:
    'There where the stored bytes are not UTF-8: then `value` is base64 of them (RFC 4648 section 4)',
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
  description: "`session` for the owner's own, else the id of the token that wrote it last",
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
    code: { type: 'string', enum: Object.keys(STATUS_OF), description: 'The same in every version' },
    'reason?': {
      type: 'string',
      enum: REASONS,
      description:
        'Which of several causes of this code it is, mostly why the vault is sealed; the same in every version',
    },
    'problem?': {
      ...text,
      description:
        'Beside a reason: `error` without what to do about it. Beside a member: what is wrong with it, without its name',
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
    'value?': { ...value, description: 'Absent in an entry that has fields only' },
    'encoding?': encoding,
    metadata,
    'fields?': { ...fieldValues, minProperties: 1, description: 'Absent where there are none' },
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
        'Fields that the owner neither wrote nor accepted, each with the id of the token that wrote it; absent where there are none',
    },
  }),
  UnreadableSecret: object({
    name,
    environment,
    error: { ...text, description: 'It fails verification; the rest of the page does not suffer' },
    code: { type: 'string', const: 'integrity' },
  }),
  BatchField: object({ name, environment, field, value, 'encoding?': encoding }),
  BatchError: object({
    name,
    environment,
    'field?': { ...name, description: 'Absent where the secret itself was asked for' },
    error: { ...text, description: 'What is wrong with this one; the others do not suffer' },
    code: {
      type: 'string',
      enum: ['not_found', 'integrity'],
      description: 'Whether it is not there, or fails its verification',
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

/** Where the vault's key is, or was. */
const keyStores: JsonSchema = {
  type: 'array',
  items: { type: 'string', enum: ['keychain', 'passphrase', 'file'] },
};
const generation: JsonSchema = { ...whole, description: 'Of the key that wraps the keys of the secrets' };

const count = object({ done: whole, total: whole });

/** The body of each operation's successful answer. */
const RESULTS: Readonly<Record<RoutedOperation, JsonSchema>> = {
  health: object({
    status: { type: 'string', const: 'ok' },
    time,
    'sealed?': { type: 'boolean', const: true, description: 'While no key is at hand; else absent' },
    'damaged?': {
      type: 'boolean',
      const: true,
      description:
        'Once the database turned out to be damaged, and nothing is written to it any more; else absent',
    },
    'replaced?': {
      type: 'boolean',
      const: true,
      description:
        "Once the daemon's program was replaced or removed, and it is to be restarted; else absent",
    },
    'progress?': {
      ...object({ 'writing?': count, 'reading?': count }),
      description:
        "With the session's token only: how far an import or a rotation is (writing), and a check (reading)",
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
      description: 'One for each reference, in their order',
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
    field_count: { ...whole, description: 'How many fields this request set' },
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
      description: 'log2 of how many equally likely values there were, rounded down to a tenth',
    },
  }),
  'vault.info': object({ dir: text, db_path: text, db_size_bytes: whole, secret_count: whole }),
  'tokens.list': arrayOf('Token'),
  'tokens.create': object({
    token: { type: 'string', pattern: '^mvt_[0-9a-f]{64}$', description: 'Shown this once' },
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
    key_file: { type: ['string', 'null'], description: 'Where the key file is; null where there is none' },
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
    unreadable: { ...arrayOf('SecretName'), maxItems: 100, description: 'The first of what does not open' },
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
  'Refused with 413 if the answer grows beyond 4 MiB before the last one; a single one never is';

const QUERY: Readonly<Record<QueryParameter, JsonSchema>> = {
  env: { schema: environment, description: 'The environment; the default one where it is absent' },
  metadata_key: { schema: text, description: 'Only secrets whose metadata has this top-level member' },
  metadata_value: {
    schema: text,
    description: 'With metadata_key: only those where it has this value, compared as text',
  },
  dry_run: {
    schema: { type: 'boolean' },
    description: 'true: only say what would be done',
  },
  names: { schema: { type: 'boolean' }, description: 'true: only the names, without values' },
  q: { schema: { type: 'string', minLength: 1 }, required: true, description: 'Case does not count' },
  limit: {
    schema: { type: 'integer', minimum: 1, maximum: 1000 },
    description: 'At most so many on one page; absent: all',
  },
  cursor: {
    schema: text,
    description: 'Where the page starts: taken from the Link header of the one before',
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
  description: 'At most so many on one page (absent: 1000); one that grows beyond 4 MiB ends earlier',
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
  description: 'Echoed in the answer and in the log; one that does not have this form is replaced',
};
const PRECONDITIONS: Readonly<Record<NonNullable<Route['preconditions']>, readonly JsonSchema[]>> = {
  one: describePreconditions({
    'If-Match': 'Only if the secret has one of these entity tags; `*`: only if it is there',
    'If-None-Match': 'Only if the secret has none of these entity tags; `*`: only if it is not there',
  }),
  each: describePreconditions({
    'If-Match': 'Only if each secret that exists and would be changed has one of these entity tags',
    'If-None-Match': 'Only if none of them has one of these entity tags; `*`: only if there is none',
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
  Link: { schema: text, description: '`<…>; rel="next"`: the next page, while there is one' },
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
      'The token is missing, malformed, unknown, expired or revoked; after many wrong ones it comes up to 5 s later',
    headers: ['WWW-Authenticate'],
  },
  403: { meaning: 'The token does not have the scope' },
  404: { meaning: 'There is no such secret, field or token' },
  405: { meaning: 'The path takes other methods', headers: ['Allow'] },
  408: { meaning: 'The request took too long to arrive' },
  409: { meaning: 'There is a secret of the new name, or this is under way already; nothing was changed' },
  412: { meaning: 'A secret is not as If-Match or If-None-Match expects' },
  413: {
    meaning:
      'The body is larger than 1 MiB, or than this endpoint takes; the entry would have more than 1,000 fields or 8 MiB (`member` says by what); or the answer would be too large',
  },
  431: { meaning: 'The headers are larger than 16 KiB' },
  500: { meaning: 'What is stored fails its verification, or something unforeseen' },
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
  const content = route.bytes === 'answer' ? binary(schema) : json(schema);
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
    const description = 'At least one byte and 1 MiB at most, whatever Content-Type says';
    return { requestBody: { description, required: true, content: binary(bytes) } };
  }
  const { schema, notes: own } = describeBody(route);
  const required = route.body === 'required';
  const notes = [
    ...own,
    ...(required ? [] : ['No body at all means the defaults']),
    ...(route.maxBodySize === undefined ? [] : [`${route.maxBodySize / 1_048_576} MiB at most`]),
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
  secrets: 'Secrets, their values and fields, one by one and many at once',
  tokens: 'Who may ask, and for what',
  daemon: 'The daemon and its vault',
  session: 'What only the session token may do, which the daemon leaves for its own command line',
} as const;

function tagOf({ scope, operation }: Route): keyof typeof TAGS {
  if (scope === 'session') return 'session';
  if (operation.startsWith('tokens.')) return 'tokens';
  return ['health', 'openapi', 'vault.info'].includes(operation) ? 'daemon' : 'secrets';
}

const STREAMED = `Without \`limit\` this is the whole list. A long one comes in chunks, without Content-Length; if it
breaks off (the vault is sealed meanwhile, the token revoked), the connection is closed before the last chunk. It is read
page by page, each page at a time of its own: a secret that is there all the while, in the same place, is in the list
exactly once and in order; one that comes, goes or is renamed meanwhile may be in it or not.`;

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

Every path that has GET has HEAD as well. A body is read as JSON whatever its Content-Type (where a path takes bytes,
as those bytes), 1 MiB at most unless it says otherwise; an unknown member, a duplicate one and an unknown query parameter are errors, and
\`null\` for an optional member means that it is absent. Errors are JSON everywhere. A request without a valid token is
answered 401 whatever else is wrong with it, so 404, 405 and 400 are for those who have one; \`GET /v1/health\` and this
document are for everybody. A member that is not described here may come with a later version.`;

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
    servers: [{ url: 'http://localhost', description: 'Over the Unix socket; the host is not looked at' }],
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
            'A token of `mav token create`. What each operation asks for is a scope; `admin` implies all of them.',
        },
        session: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'mvs_ and 64 hexadecimal digits',
          description:
            'The session token: made when the daemon starts, readable for its user alone, gone when it ends. It permits everything.',
        },
      },
    },
  };
}

export function renderDocument(): string {
  return `${JSON.stringify(buildDocument(), null, 2)}\n`;
}

if (import.meta.main) writeFileSync(TARGET, renderDocument());
