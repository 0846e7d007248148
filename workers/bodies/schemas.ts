/**
 * The schema of each operation's request body, and the function that reads and checks a body by it. Holds the SecretBytes
 * of one body: they are zeroed here if the body is refused, else by the caller with `wipeRequest`. zod's issues have names
 * and messages, never input.
 */
import { isAbsolute } from 'node:path';
import * as z from 'zod';
import { BodyError, quoteName } from '../errors/request-error.ts';
import { type ListReader, parseBody, wipeParsedBody } from '../json/parse.ts';
import type { SecretBytes } from '../json/secret-bytes.ts';
import type { SlotKind } from '../messages.ts';
import { parseDuration } from './durations.ts';
import { ImportEntries, MAX_ENTRIES, readImportEntries } from './import-entries.ts';
import {
  confirmSchema,
  metadataSchema,
  mustBe,
  nameSchema,
  reportProblem,
  TERM_MEMBERS,
  timeSchema,
} from './members.ts';
import { findNameProblem, type NameKind } from './names.ts';
import { passwordSchema } from './passwords.ts';
import { decodeValue, encodingSchema, fieldValueSchema, secretSchema, toJsonSchema } from './values.ts';

const TOKEN_SCOPES = ['read', 'write', 'generate', 'admin'] as const;

const fieldsSchema = z
  .record(z.string(), fieldValueSchema, { error: mustBe('an object of non-empty strings') })
  .superRefine((record, context) => reportProblem(context, findFieldsProblem(record)))
  .meta({ minProperties: 1 });

const scopesRule = mustBe(`a non-empty list of ${TOKEN_SCOPES.map((scope) => `"${scope}"`).join(', ')}`);
const scopesSchema = z
  .array(z.enum(TOKEN_SCOPES, { error: scopesRule }), { error: scopesRule })
  .min(1, { error: scopesRule })
  .transform((list) => [...new Set(list)]);

const lifetimeSchema = z.string({ error: mustBe('a string such as "24h"') }).transform((text, context) => {
  const duration = parseDuration(text);
  if ('seconds' in duration) return duration.seconds;
  reportProblem(context, duration.problem);
  return z.NEVER;
});

const MAX_PATTERNS = 100;

/** A list of environments, or of globs. Each is at most as long as a name, and may be empty. */
function patternsSchema(what: string, kind: NameKind) {
  const error = mustBe(`a list of 1 to ${MAX_PATTERNS} ${what}`);
  const pattern = z.string({ error }).superRefine((text, context) => {
    reportProblem(context, text === '' ? null : findNameProblem(kind, text));
  });
  return z.array(pattern, { error }).min(1, { error }).max(MAX_PATTERNS, { error });
}

const MAX_USES = 1_000_000_000;
const usesRule = mustBe(`a whole number from 1 to ${MAX_USES}`);
const usesSchema = z.int({ error: usesRule }).min(1, { error: usesRule }).max(MAX_USES, { error: usesRule });

const tokenSchema = z
  .strictObject({
    name: nameSchema('name'),
    scopes: scopesSchema,
    trusted: z.boolean().default(false),
    confirm: confirmSchema.prefault('never'),
    expires_in: lifetimeSchema.prefault('0'),
    not_before: timeSchema.exactOptional(),
    max_uses: usesSchema.exactOptional(),
    environments: patternsSchema('names of environments', 'environment').exactOptional(),
    names: patternsSchema('globs of names', 'name').exactOptional(),
    fields: patternsSchema('globs of fields; "" is the value itself', 'field').exactOptional(),
  })
  .transform(
    ({ expires_in: lifetimeSeconds, not_before: notBefore = null, max_uses: maxUses = null, ...rest }) => {
      const { environments, names, fields, ...others } = rest;
      const limits = {
        ...(environments === undefined ? {} : { environments }),
        ...(names === undefined ? {} : { names }),
        ...(fields === undefined ? {} : { fields }),
      };
      return { ...others, lifetimeSeconds, notBefore, maxUses, limits };
    },
  );

const rotationSchema = z
  .strictObject({ overlap: lifetimeSchema.prefault('0') })
  .transform(({ overlap: overlapSeconds }) => ({ overlapSeconds: overlapSeconds ?? 0 }));

/** For the OpenAPI document only: import-entries.ts reads and checks the entries, of which there may be a hundred thousand. */
const importEntrySchema = z.strictObject({
  name: nameSchema('name'),
  environment: nameSchema('environment').default(''),
  value: secretSchema.exactOptional(),
  encoding: encodingSchema.exactOptional(),
  metadata: metadataSchema.exactOptional(),
  fields: fieldsSchema.exactOptional(),
  ...TERM_MEMBERS,
  created_at: timeSchema.exactOptional(),
  updated_at: timeSchema.exactOptional(),
});

const importEntriesSchema = z
  .custom<ImportEntries>((input) => input instanceof ImportEntries && input.list.length > 0, {
    error: mustBe('a non-empty list of entries'),
  })
  .meta({
    type: 'array',
    minItems: 1,
    maxItems: MAX_ENTRIES,
    items: { ...toJsonSchema(importEntrySchema), anyOf: [{ required: ['value'] }, { required: ['fields'] }] },
  });

const DAILY_KINDS = ['keychain', 'passphrase', 'file'] as const satisfies readonly SlotKind[];
const SLOT_KINDS = [...DAILY_KINDS, 'recovery'] as const;
const nameKinds = (kinds: readonly string[]) =>
  mustBe(`one of ${kinds.map((kind) => `"${kind}"`).join(', ')}`);
const [kindRule, dailyRule] = [nameKinds(SLOT_KINDS), nameKinds(DAILY_KINDS)];
const pathRule = mustBe('an absolute path');
const pathSchema = z.string({ error: pathRule }).refine((path) => isAbsolute(path), { error: pathRule });

const destroySchema = z.strictObject({
  confirm: z.literal('destroy', { error: mustBe('"destroy"') }),
  force: z.boolean({ error: mustBe('true or false') }).default(false),
});

/** The schema of each operation that takes a body. */
export const bodySchemas = {
  'secrets.put': z
    .strictObject({
      value: secretSchema,
      encoding: encodingSchema.exactOptional(),
      metadata: metadataSchema.exactOptional(),
      ...TERM_MEMBERS,
    })
    .transform(decodeValue),
  'secrets.patch': z
    .strictObject({
      value: secretSchema.exactOptional(),
      encoding: encodingSchema.exactOptional(),
      metadata: metadataSchema.exactOptional(),
      ...TERM_MEMBERS,
    })
    .transform(decodeValue),
  'fields.put': z
    .strictObject({ value: secretSchema, encoding: encodingSchema.exactOptional() })
    .transform(decodeValue),
  'fields.putMany': z.strictObject({ fields: fieldsSchema }),
  'secrets.rename': z.strictObject({
    name: nameSchema('name'),
    environment: nameSchema('environment').exactOptional(),
  }),
  'secrets.rollback': z.strictObject({
    version: z
      .int({ error: mustBe('a whole number from 1') })
      .min(1, { error: mustBe('a whole number from 1') }),
  }),
  'secrets.import': z.strictObject({ secrets: importEntriesSchema }),
  'passwords.generate': passwordSchema,
  'tokens.create': tokenSchema,
  'tokens.rotate': rotationSchema,
  'vault.unseal': z.strictObject({
    passphrase: secretSchema.exactOptional(),
    recovery_code: secretSchema.exactOptional(),
  }),
  'keys.rotate': z.strictObject({
    passphrase: secretSchema.exactOptional(),
    recovery_code: secretSchema.exactOptional(),
    drop_recovery: z.boolean({ error: mustBe('true or false') }).exactOptional(),
  }),
  'vault.destroy': destroySchema,
  'keys.add': z.strictObject({
    kind: z.enum(SLOT_KINDS, { error: kindRule }),
    passphrase: secretSchema.exactOptional(),
    new_passphrase: secretSchema.exactOptional(),
    key_file: pathSchema.exactOptional(),
    key_directory: pathSchema.exactOptional(),
    recovery_code: secretSchema.exactOptional(),
  }),
  'vault.recover': z.strictObject({
    recovery_code: secretSchema,
    kind: z.enum(DAILY_KINDS, { error: dailyRule }),
    new_passphrase: secretSchema.exactOptional(),
    key_file: pathSchema.exactOptional(),
    key_directory: pathSchema.exactOptional(),
  }),
  'vault.init': z.strictObject({
    passphrase: secretSchema.exactOptional(),
    recovery_code: secretSchema.exactOptional(),
  }),
  'keys.remove': z.strictObject({ passphrase: secretSchema.exactOptional() }),
  'keys.changePassphrase': z.strictObject({ passphrase: secretSchema, new_passphrase: secretSchema }),
} as const;

export type BodyOperation = keyof typeof bodySchemas;
/** A checked request body. Members that were absent or null are absent, or have their default. */
export type BodyRequest<Name extends BodyOperation> = z.output<(typeof bodySchemas)[Name]>;

/** The readers of members that are long lists. */
const LIST_READERS: ReadonlyMap<BodyOperation, ReadonlyMap<string, ListReader>> = new Map([
  ['secrets.import', new Map([['secrets', readImportEntries]])],
]);

/** Whether a request without a body has the body `{}`. */
const IS_OPTIONAL: Readonly<Record<BodyOperation, boolean>> = {
  'secrets.put': false,
  'secrets.patch': false,
  'fields.put': false,
  'fields.putMany': false,
  'secrets.rename': false,
  'secrets.rollback': false,
  'secrets.import': false,
  'passwords.generate': true,
  'tokens.create': false,
  'tokens.rotate': true,
  'vault.unseal': true,
  'keys.rotate': true,
  'vault.destroy': false,
  'keys.add': false,
  'keys.remove': true,
  'keys.changePassphrase': false,
  'vault.recover': false,
  'vault.init': true,
};

/**
 * The members of each operation's body whose strings are not secret: those with one of zod's own types in the schema. Secrets
 * and metadata are custom types, and the members of a record may be secrets.
 */
const PLAIN_MEMBERS = new Map<BodyOperation, ReadonlySet<string>>(
  (Object.keys(bodySchemas) as BodyOperation[]).map((operation) => [operation, findPlainMembers(operation)]),
);

function findPlainMembers(operation: BodyOperation): ReadonlySet<string> {
  const members = Object.entries(getShape(operation)).filter(([, schema]) => isPlain(schema));
  return new Set(members.map(([name]) => name));
}

/** Returns the members of an operation's body that come as strings of JavaScript, not as bytes that are zeroed. */
export function plainMembersOf(operation: BodyOperation): ReadonlySet<string> {
  return PLAIN_MEMBERS.get(operation) ?? new Set();
}

/** Returns the request, which the caller zeroes with `wipeRequest`. Throws BodyError, and then all its secrets are zeroed. */
export function parseRequest<Name extends BodyOperation>(
  operation: Name,
  body: Uint8Array | null,
): BodyRequest<Name> {
  const given = body?.length ? body : getEmptyBody(operation);
  const parsed = parseBody(given, plainMembersOf(operation), LIST_READERS.get(operation));
  dropNulls(parsed.members, operation);
  const result = bodySchemas[operation].safeParse(parsed.members);
  if (result.success) return result.data as BodyRequest<Name>;
  wipeParsedBody(parsed);
  throw explainIssues(result.error.issues);
}

/** Zeroes the secrets of a request of any operation. */
export function wipeRequest(request: object): void {
  const {
    value,
    passphrase,
    new_passphrase: newPassphrase,
    recovery_code: recoveryCode,
    fields = {},
    secrets,
  }: Secrets = request;
  value?.fill(0);
  passphrase?.fill(0);
  newPassphrase?.fill(0);
  recoveryCode?.fill(0);
  for (const field of Object.values(fields)) field.fill(0);
  secrets?.wipe();
}

interface Secrets {
  readonly value?: SecretBytes;
  readonly passphrase?: SecretBytes;
  readonly new_passphrase?: SecretBytes;
  readonly recovery_code?: SecretBytes;
  readonly fields?: Readonly<Record<string, SecretBytes>>;
  readonly secrets?: ImportEntries;
}

/** Returns the JSON Schema of a body, as the OpenAPI document shows it. */
export function bodyJsonSchema(operation: BodyOperation): z.core.JSONSchema.BaseSchema {
  return toJsonSchema(bodySchemas[operation]);
}

/** A member that is null counts as absent. An unknown member stays, so that it is refused. */
function dropNulls(members: Record<string, unknown>, operation: BodyOperation): void {
  for (const name of Object.keys(getShape(operation))) {
    if (members[name] === null) delete members[name];
  }
}

function getShape(operation: BodyOperation): Readonly<Record<string, z.ZodType>> {
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

function getEmptyBody(operation: BodyOperation): Uint8Array {
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

/** Says the first issue in a sentence. An unknown member comes first: mostly it is the missing one, misspelt. */
function explainIssues(issues: readonly z.core.$ZodIssue[]): BodyError {
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys')
      return new BodyError(
        `unknown member ${quotePath([...issue.path.filter(isMemberName), issue.keys[0] ?? ''])}`,
      );
  }
  const { path = [], message = 'the body is not valid' } = issues[0] ?? {};
  // For an item of a list only the list is named, for a member of an object the member.
  const names = path.filter(isMemberName);
  const [member] = names;
  if (member === undefined) return new BodyError(message);
  const details = names.length === 1 ? { member, problem: message } : { member };
  return new BodyError(`${quotePath(names)} ${message}`, details);
}

function isMemberName(step: PropertyKey): step is string {
  return typeof step === 'string';
}

function quotePath(names: readonly string[]): string {
  return names.map(quoteName).join('.');
}
