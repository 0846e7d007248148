/**
 * Builds the OpenAPI document from the route table and the schemas of the request bodies. What these do not say is written here
 * by hand: the shapes of the answers, and of the body that a reader thread reads. `npm run openapi` writes
 * src/http/openapi.json, which is checked in. A test asserts that it is up to date.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EVENT_STREAM } from '../src/http/change-streams.ts';
import { type Route, routes } from '../src/routes.ts';
import { MAX_REFS } from '../workers/bodies/references.ts';
import { type BodyOperation, bodyJsonSchema, bodySchemas } from '../workers/bodies/schemas.ts';
import { RESULTS } from './openapi/answers.ts';
import { ERRORS } from './openapi/errors.ts';
import {
  APPROVAL,
  describeQuery,
  HEADERS,
  type HeaderName,
  LAST_EVENT_ID,
  PATH,
  PRECONDITIONS,
  PURPOSE,
  REQUEST_ID,
} from './openapi/parameters.ts';
import {
  BINARY,
  bytes,
  environment,
  field,
  type JsonSchema,
  name,
  object,
  ref,
  SCHEMAS,
} from './openapi/schemas.ts';

const root = dirname(import.meta.dirname);
const TARGET = join(root, 'src/http/openapi.json');

type RoutedRoute = (typeof routes)[number];

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

/** Returns the statuses with which an operation can fail. `default` is for those that later versions may add. */
function errorsOf(route: Route): number[] {
  const needsExisting = route.path.includes('/:') && route.success !== 201;
  return [
    ...[400, 405, 408, 431, 500],
    ...(route.scope === null ? [] : [401, 403, 503]),
    ...(needsExisting ? [404] : []),
    ...(route.canConflict ? [409] : []),
    ...(route.canBeGone ? [410] : []),
    ...(route.preconditions === undefined ? [] : [412]),
    ...(route.body === 'none' ? [] : [413]),
    ...(route.pool === 'writer' || route.canFillDisk ? [507] : []),
  ].sort((a, b) => a - b);
}

function typeOf({ bytes: which, isLive }: Route): string {
  if (isLive) return EVENT_STREAM;
  return which === 'response' ? BINARY : 'application/json';
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
  const content = { [typeOf(route)]: { schema } };
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
  const position = route.isLive ? [LAST_EVENT_ID] : [];
  const common = [
    ref('parameters', 'RequestId'),
    ...(route.pool === 'none' ? [] : [ref('parameters', 'Purpose')]),
    ...(route.givesValues ? [ref('parameters', 'Approval')] : []),
  ];
  return [...inPath, ...inQuery, ...headers, ...position, ...common];
}

/** Operations whose body has the passphrase, and nothing else. */
const PASSPHRASE_BODIES: readonly string[] = ['vault.backup'];

/** Returns the JSON Schema of the body, with what zod's schema does not say. */
function describeBody({ operation }: Route): { schema: JsonSchema; notes: readonly string[] } {
  if (operation === 'secrets.batchGet') return { schema: REFS, notes: [REFS_NOTE] };
  const described = PASSPHRASE_BODIES.includes(operation) ? 'vault.unseal' : operation;
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
  if (scope === 'any') return [{ bearer: [] }, { session: [] }];
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

const LIVE = `The response goes on until the client ends it, the token is revoked or expires, the vault is sealed, or the daemon stops.
After each change of a secret comes an event \`change\`. If the daemon does not have all that came after \`Last-Event-ID\` (it keeps the
last 4,096 changes, until it stops), an event \`reset\` comes first: then read again what you have read before. Ids are not to be looked
into. At times that nothing changes a comment comes every 15 seconds. A stream counts as one use of the token. At most 64 streams of one
token may be open; the next one is answered 503.`;

function describeUse(route: Route): string {
  const more = [route.streamed ? STREAMED : '', route.isLive ? LIVE : ''].filter((text) => text !== '');
  return [describeScope(route), ...more].join('\n\n');
}

function describeScope({ scope, replaceScope }: Route): string {
  if (scope === 'session') return 'Needs the session token; no scope permits it.';
  if (scope === 'any') return 'Any token may ask.';
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
      parameters: { RequestId: REQUEST_ID, Purpose: PURPOSE, Approval: APPROVAL },
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
