/**
 * What each operation's request body must be, read and checked.
 * Secrets it may hold: the SecretBytes of one body. A refused body's are zeroed here, an accepted one's by the caller
 * with `wipeRequest`. zod's issues hold names and messages, never input.
 */
import * as z from 'zod';
import { BodyError, quoteName } from '../errors/request-error.ts';
import { type ListReader, parseBody, wipeParsedBody } from '../json/parse.ts';
import type { SecretBytes } from '../json/secret-bytes.ts';
import { parseDuration } from './durations.ts';
import { ImportEntries, MAX_ENTRIES, readImportEntries } from './import-entries.ts';
import { metadata, must, name, report } from './members.ts';
import { findNameProblem } from './names.ts';
import { passwordRequest } from './passwords.ts';
import { decodeValue, encoding, fieldValue, secret, toJsonSchema } from './values.ts';

const TOKEN_SCOPES = ['read', 'write', 'generate', 'admin'] as const;

const fields = z
  .record(z.string(), fieldValue, { error: must('an object of non-empty strings') })
  .superRefine((record, context) => report(context, findFieldsProblem(record)))
  .meta({ minProperties: 1 });

const scopesRule = must(`a non-empty list of ${TOKEN_SCOPES.map((scope) => `"${scope}"`).join(', ')}`);
const scopes = z
  .array(z.enum(TOKEN_SCOPES, { error: scopesRule }), { error: scopesRule })
  .min(1, { error: scopesRule })
  .transform((list) => [...new Set(list)]);

const lifetime = z.string({ error: must('a string such as "24h"') }).transform((text, context) => {
  const duration = parseDuration(text);
  if ('seconds' in duration) return duration.seconds;
  report(context, duration.problem);
  return z.NEVER;
});

const createToken = z
  .strictObject({
    name: name('name'),
    scopes,
    trusted: z.boolean().default(false),
    expires_in: lifetime.prefault('0'),
  })
  .transform(({ expires_in: lifetimeSeconds, ...rest }) => ({ ...rest, lifetimeSeconds }));

/** For the document only: a hundred thousand of these are read and checked by hand (import-entries.ts). */
const importEntry = z.strictObject({
  name: name('name'),
  environment: name('environment').default(''),
  value: secret.exactOptional(),
  encoding: encoding.exactOptional(),
  metadata: metadata.exactOptional(),
  fields: fields.exactOptional(),
});

const importEntries = z
  .custom<ImportEntries>((input) => input instanceof ImportEntries && input.list.length > 0, {
    error: must('a non-empty list of entries'),
  })
  .meta({
    type: 'array',
    minItems: 1,
    maxItems: MAX_ENTRIES,
    items: { ...toJsonSchema(importEntry), anyOf: [{ required: ['value'] }, { required: ['fields'] }] },
  });

const destroy = z.strictObject({
  confirm: z.literal('destroy', { error: must('"destroy"') }),
  force: z.boolean({ error: must('true or false') }).default(false),
});

/** The schema of each operation that takes a body. */
export const bodySchemas = {
  'secrets.put': z
    .strictObject({ value: secret, encoding: encoding.exactOptional(), metadata: metadata.exactOptional() })
    .transform(decodeValue),
  'secrets.patch': z
    .strictObject({
      value: secret.exactOptional(),
      encoding: encoding.exactOptional(),
      metadata: metadata.exactOptional(),
    })
    .transform(decodeValue),
  'fields.put': z.strictObject({ value: secret, encoding: encoding.exactOptional() }).transform(decodeValue),
  'fields.putMany': z.strictObject({ fields }),
  'secrets.rename': z.strictObject({
    name: name('name'),
    environment: name('environment').exactOptional(),
  }),
  'secrets.import': z.strictObject({ secrets: importEntries }),
  'passwords.generate': passwordRequest,
  'tokens.create': createToken,
  'vault.unseal': z.strictObject({ passphrase: secret.exactOptional() }),
  'vault.destroy': destroy,
} as const;

export type BodyOperation = keyof typeof bodySchemas;
/** What the operation is asked to do. Members that were absent or null are absent, or have their default. */
export type BodyRequest<Name extends BodyOperation> = z.output<(typeof bodySchemas)[Name]>;

/** The members that are lists with a reader of their own. */
const LIST_READERS: ReadonlyMap<BodyOperation, ReadonlyMap<string, ListReader>> = new Map([
  ['secrets.import', new Map([['secrets', readImportEntries]])],
]);

/** Whether no body at all means `{}`. */
const IS_OPTIONAL: Readonly<Record<BodyOperation, boolean>> = {
  'secrets.put': false,
  'secrets.patch': false,
  'fields.put': false,
  'fields.putMany': false,
  'secrets.rename': false,
  'secrets.import': false,
  'passwords.generate': true,
  'tokens.create': false,
  'vault.unseal': true,
  'vault.destroy': false,
};

/**
 * The members, of any operation, whose strings are no secret: those that a schema describes with zod's own types. Secrets
 * and metadata are custom types, and a record's members may be secrets.
 */
export const PLAIN_MEMBERS: ReadonlySet<string> = new Set(
  (Object.keys(bodySchemas) as BodyOperation[]).flatMap((operation) =>
    Object.entries(shapeOf(operation))
      .filter(([, schema]) => isPlain(schema))
      .map(([name]) => name),
  ),
);

/**
 * Throws BodyError, and then has zeroed all secrets; else the caller zeroes the body and, when it is done, the request.
 */
export function parseRequest<Name extends BodyOperation>(
  operation: Name,
  body: Uint8Array | null,
): BodyRequest<Name> {
  const given = body?.length ? body : emptyBody(operation);
  const parsed = parseBody(given, PLAIN_MEMBERS, LIST_READERS.get(operation));
  dropNulls(parsed.members, operation);
  const result = bodySchemas[operation].safeParse(parsed.members);
  if (result.success) return result.data as BodyRequest<Name>;
  wipeParsedBody(parsed);
  throw explainIssues(result.error.issues);
}

/** Zeroes the secrets of a request, of whichever operation. */
export function wipeRequest(request: object): void {
  const { value, passphrase, fields = {}, secrets }: Secrets = request;
  value?.fill(0);
  passphrase?.fill(0);
  for (const field of Object.values(fields)) field.fill(0);
  secrets?.wipe();
}

interface Secrets {
  readonly value?: SecretBytes;
  readonly passphrase?: SecretBytes;
  readonly fields?: Readonly<Record<string, SecretBytes>>;
  readonly secrets?: ImportEntries;
}

/** The body's JSON Schema, as the OpenAPI document shows it. */
export function bodyJsonSchema(operation: BodyOperation): z.core.JSONSchema.BaseSchema {
  return toJsonSchema(bodySchemas[operation]);
}

/** Null is as good as absent; an unknown member stays unknown. */
function dropNulls(members: Record<string, unknown>, operation: BodyOperation): void {
  for (const name of Object.keys(shapeOf(operation))) {
    if (members[name] === null) delete members[name];
  }
}

function shapeOf(operation: BodyOperation): Readonly<Record<string, z.ZodType>> {
  const schema = bodySchemas[operation];
  return 'shape' in schema ? schema.shape : schema.in.shape;
}

function isPlain(schema: z.core.$ZodType): boolean {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'optional':
    case 'default':
    case 'prefault':
      return isPlain(def.innerType);
    case 'pipe':
      return isPlain(def.in);
    case 'array':
      return isPlain(def.element);
    default:
      return ['string', 'number', 'boolean', 'enum', 'literal'].includes(def.type);
  }
}

function emptyBody(operation: BodyOperation): Uint8Array {
  if (IS_OPTIONAL[operation]) return Buffer.from('{}');
  throw new BodyError('a JSON body is required');
}

function findFieldsProblem(record: Readonly<Record<string, unknown>>): string | null {
  const keys = Object.keys(record);
  if (keys.length === 0) return 'must have at least one member';
  for (const key of keys) {
    const problem = findNameProblem('field', key);
    if (problem !== null) return `has a member whose name ${problem}`;
  }
  return null;
}

/** Says the first issue in a sentence. An unknown member comes first: it is mostly why another one is missing. */
function explainIssues(issues: readonly z.core.$ZodIssue[]): BodyError {
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys')
      return new BodyError(
        `unknown member ${quotePath([...issue.path.filter(isName), issue.keys[0] ?? ''])}`,
      );
  }
  const { path = [], message = 'the body is not valid' } = issues[0] ?? {};
  // Of a list only the list is named, of an object the member.
  const names = path.filter(isName);
  const [member] = names;
  if (member === undefined) return new BodyError(message);
  const details = names.length === 1 ? { member, problem: message } : { member };
  return new BodyError(`${quotePath(names)} ${message}`, details);
}

function isName(step: PropertyKey): step is string {
  return typeof step === 'string';
}

function quotePath(names: readonly string[]): string {
  return names.map(quoteName).join('.');
}
