/** The shapes that several answers of the API share, by hand. */
import { STATUS_OF } from '../../src/http/errors.ts';
import { REASONS } from '../../src/remedies.ts';
import type { CheckedTable, SlotKind } from '../../workers/messages.ts';

export type JsonSchema = { readonly [keyword: string]: unknown };

export const text: JsonSchema = { type: 'string' };
export const name: JsonSchema = {
  type: 'string',
  minLength: 1,
  description: 'Any UTF-8 without control characters, at most 512 bytes',
};
export const field: JsonSchema = {
  ...name,
  description: `${name.description}; not \`__proto__\``,
};
export const environment: JsonSchema = {
  type: 'string',
  description: 'Any UTF-8 without control characters, at most 512 bytes; empty: the default environment',
};
export const time: JsonSchema = {
  type: 'string',
  format: 'date-time',
  description: 'RFC 3339, UTC, to the second',
};
export const timeOrNull: JsonSchema = { ...time, type: ['string', 'null'] };
export const whole: JsonSchema = { type: 'integer', minimum: 0 };
export const value: JsonSchema = { type: 'string', minLength: 1 };
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
const SLOT_KINDS = ['keychain', 'passphrase', 'file', 'recovery'] as const satisfies readonly SlotKind[];
export const slotId: JsonSchema = { type: 'string', pattern: '^[0-9a-f]{8}$' };

/** What is told of a key slot that was just added. */
export const keySlot = {
  id: slotId,
  kind: { type: 'string', enum: SLOT_KINDS },
  location: { type: ['string', 'null'], description: 'Path of the key file; null for other kinds' },
} satisfies Record<string, JsonSchema>;

export const tokenId: JsonSchema = { type: 'string', pattern: '^[0-9a-f]{16}$' };
export const scopes: JsonSchema = {
  type: 'array',
  items: { type: 'string', enum: ['read', 'write', 'generate', 'admin'] },
};

/** Returns the schema of an object with these members. A member whose name ends in `?` may be absent. */
export function object(members: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const entries = Object.entries(members);
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([member, schema]) => [member.replace(/\?$/, ''), schema])),
    required: entries.filter(([member]) => !member.endsWith('?')).map(([member]) => member),
  };
}

export const BINARY = 'application/octet-stream';
export const bytes: JsonSchema = { contentMediaType: BINARY, description: 'The value, byte for byte' };
export const encoding: JsonSchema = {
  type: 'string',
  const: 'base64',
  description: 'Present if the stored bytes are not UTF-8: then `value` is their base64 (RFC 4648 section 4)',
};
export const fieldValues: JsonSchema = {
  type: 'object',
  additionalProperties: { anyOf: [value, object({ value, encoding })] },
};

export const ref = (kind: string, component: string): JsonSchema => ({
  $ref: `#/components/${kind}/${component}`,
});
export const done = (status: string, members: Readonly<Record<string, JsonSchema>>): JsonSchema =>
  object({ status: { type: 'string', const: status }, ...members });

const writtenBy: JsonSchema = {
  type: 'string',
  description: '`session` if the owner wrote it last, else the id of the token that did',
};
export const version: JsonSchema = {
  type: 'integer',
  minimum: 1,
  description: 'The number of this version: 1 for a new secret, and one more with each change',
};
const accepted: JsonSchema = {
  type: 'boolean',
  description: 'Whether the owner wrote or accepted all of it, its fields included',
};
export const trusted: JsonSchema = {
  type: 'boolean',
  description: 'Whether what the token writes counts as accepted by the owner',
};

const terms = {
  'expires_at?': {
    ...time,
    description: 'From then on the secret should not be used; absent if it does not expire',
  },
  'rotate_by?': {
    ...time,
    description: 'Until then the secret should be replaced; absent if there is no such date',
  },
  'confirm?': {
    type: 'string',
    enum: ['session', 'always'],
    description:
      'Whether the owner is asked before a value is read: once for a program until the vault is sealed, or each time; absent: never',
  },
} as const;

/** What can make a version. The type `Change` has the same names. */
const CHANGES = [
  ...['set', 'edit', 'fields', 'rename', 'import', 'generate', 'rollback', 'delete', 'restore'],
] as const satisfies readonly string[];

/** What a token may do, beside its id and its times. */
export const grant = {
  name,
  scopes,
  trusted,
  confirm: {
    type: 'string',
    enum: ['never', 'session', 'always'],
    description: 'Whether the owner is asked before the token reads a value',
  },
  limits: {
    type: 'array',
    items: ref('schemas', 'Limits'),
    description: 'All of them hold; empty for a token that may reach everything',
  },
  max_uses: {
    ...whole,
    type: ['integer', 'null'],
    description: 'How often it may be used; null: as often as wanted',
  },
  uses: {
    ...whole,
    description: 'How many of them are used, or reserved by the daemon for the next requests',
  },
  not_before: {
    ...timeOrNull,
    description: 'It is refused until then; null: it is valid from the beginning',
  },
} as const satisfies Readonly<Record<string, JsonSchema>>;

/** What can be wrong with the audit log. The type `ProblemKind` has the same names. */
export const CHECKED_TABLES: readonly CheckedTable[] = [
  'database',
  'secrets',
  'fields',
  'versions',
  'old_fields',
  'deleted',
  'tokens',
  'keks',
  'slots',
  'audit',
];

const PROBLEMS = [
  ...['changed', 'removed', 'reordered', 'duplicated', 'truncated', 'added', 'not_anchored', 'foreign'],
  ...['missing_file', 'missing_segment', 'unknown_file', 'changed_row'],
] as const satisfies readonly string[];

export const generation: JsonSchema = {
  ...whole,
  description: 'Generation of the key that wraps the keys of the secrets',
};

export const approvalId: JsonSchema = { type: 'string', pattern: '^[0-9a-f]{16}$' };

export const SCHEMAS = {
  Approval: object({
    id: approvalId,
    asked_at: time,
    expires_at: { ...time, description: 'Until then the owner can answer' },
    operation: { ...text, description: 'What the request is, such as `secrets.get`' },
    principal: {
      ...object({ id: text, name: text }),
      description: 'Who asks: the id and the name of a token, or twice `session`',
    },
    'uid?': { ...whole, description: 'The user who connected, as the kernel says' },
    'pid?': { type: ['integer', 'null'], description: 'The process that connected, as the kernel says' },
    'program?': {
      type: ['string', 'null'],
      description: 'Its program, at most 15 bytes of the name. A hint: the process may choose it',
    },
    'purpose?': { ...text, description: 'What the client says that it needs the answer for' },
    secrets: {
      type: 'array',
      items: object({
        name,
        environment,
        'field?': { ...field, description: 'Present if one field is asked for' },
        confirm: { type: 'string', enum: ['session', 'always'], description: 'How long a yes holds' },
      }),
    },
  }),
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
    'approval?': {
      ...ref('schemas', 'Approval'),
      description: 'What the owner has to approve, for a request with `X-Approval: ask`',
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
    ...terms,
    version,
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
    ...terms,
    version,
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
  DamagedRow: object({
    table: { type: 'string', enum: CHECKED_TABLES },
    'name?': {
      ...name,
      description: 'The secret; absent where the row is none of a secret, or cannot be read',
    },
    'environment?': environment,
    'version?': { ...whole, description: 'The version of the secret' },
    'field?': field,
    'id?': { ...text, description: 'Of a token, a key, a slot, or an entry or segment of the audit log' },
    problem: {
      type: 'string',
      enum: ['changed', 'unreadable'],
      description: '`changed`: it does not open. `unreadable`: the file is damaged there',
    },
    'detail?': { ...text, description: 'What is wrong, in more words' },
  }),
  Version: object({
    version,
    created_at: { ...time, description: 'When this version was made' },
    written_by: writtenBy,
    change: { type: 'string', enum: CHANGES, description: 'What made this version' },
    'name?': { ...name, description: 'Present if the secret had another name or environment then' },
    'environment?': environment,
    'error?': { ...text, description: 'Present if this version fails verification' },
    'code?': { type: 'string', const: 'integrity' },
  }),
  SecretChange: object({
    name,
    environment,
    version: { ...whole, description: 'The version after the change; 0 if nothing is left of the secret' },
    change: {
      type: 'string',
      enum: [...CHANGES, 'accept', 'purge'],
      description: 'What changed it. A renamed secret is told of under both names',
    },
    written_by: { ...text, description: '`session` for the owner, else the id of the token' },
    changed_at: time,
  }),
  DeletedSecret: object({
    name,
    environment,
    version: {
      ...whole,
      description: 'The number of the deletion, which is a version of its own; 0 if it fails verification',
    },
    deleted_at: time,
    deleted_by: { ...text, description: '`session` for the owner, else the id of the token' },
    kept_until: { ...time, description: 'After this time it can no longer be restored' },
    'error?': { ...text, description: 'Present if the deletion fails verification: it cannot be restored' },
    'code?': { type: 'string', const: 'integrity' },
  }),
  Limits: object({
    'environments?': { type: 'array', items: environment, description: 'The only environments' },
    'names?': {
      type: 'array',
      items: text,
      description: 'Globs of the only names: `*` within a segment, `**` across `/`',
    },
    'fields?': {
      type: 'array',
      items: text,
      description: 'Globs of the only fields; the empty text: the value itself',
    },
  }),
  AuditEntry: object({
    id: { type: 'string', pattern: '^[0-9]+\\.[0-9]+$', description: 'The segment, and the number in it' },
    at: { ...time, description: 'RFC 3339, UTC, to the millisecond' },
    op: {
      ...text,
      description:
        'The operation, such as `secrets.get`; or an event of the log itself: `audit.dropped` and others',
    },
    'by?': {
      ...text,
      description: '`session` for the owner, the id of a token, or empty if no principal asked',
    },
    'uid?': { ...whole, description: 'The user of the program that asked, by the word of the kernel' },
    'pid?': { ...whole, description: 'Its process' },
    'program?': { ...text, description: 'Its name' },
    'purpose?': { ...text, description: 'What it said that it asks for' },
    'request?': { ...text, description: 'The id of the request' },
    'approved?': { const: true, description: 'The owner was asked for it, and said yes' },
    'result?': { ...text, description: '`ok`, or the code of the error' },
    'secrets?': { type: 'array', items: ref('schemas', 'AuditSecret'), description: 'What it was about' },
    'environment?': { ...environment, description: 'The environment that a list was asked for' },
    'token?': { ...text, description: 'The token that was read, made, rotated or revoked' },
    'token_name?': text,
    'key?': { ...text, description: 'The key slot that it is about' },
    'backup?': { ...time, description: 'When the backup was made that the vault was restored from' },
    'generation?': generation,
    'segment?': { ...whole, description: 'The segment that an event of the log is about' },
    'through?': { ...whole, description: 'The last segment that was dropped, because it was old' },
    'entries?': { ...whole, description: 'How many entries were dropped' },
    'bytes?': { ...whole, description: 'How many bytes were cut off, because a crash left half of a batch' },
    'count?': { ...whole, description: 'For how many events the entry stands' },
    'damaged?': { ...whole, description: 'How many rows a rotation could not wrap again' },
  }),
  RotationProgress: object({
    kek_generation: {
      ...generation,
      description: 'The generation that is current, and is to be the only one',
    },
    reencrypt: { type: 'boolean', description: 'Whether the values get new keys, too' },
    done: { ...whole, description: 'Secrets, old versions, tokens and audit segments that are done' },
    total: { ...whole, description: 'All that there were at the beginning' },
    started_at: time,
  }),
  AuditSecret: object({
    name,
    environment,
    'version?': { ...whole, description: 'The version that was read, or that a change made; 0 for a purge' },
    'id?': { ...whole, description: 'The number of the secret, which it keeps when it is renamed' },
    'read?': { type: 'boolean', const: true, description: 'Present if values left the vault' },
    'value?': { type: 'boolean', const: true, description: "Present if the secret's own value did" },
    'fields?': { type: 'array', items: field, description: 'The fields whose values did' },
    'change?': { ...text, description: 'What a write did: as in versions, or `accept` or `purge`' },
  }),
  AuditProblem: object({
    segment: whole,
    entry: { ...text, type: ['string', 'null'], description: 'The first entry that is concerned' },
    line: {
      ...whole,
      type: ['integer', 'null'],
      description: 'The first line of the file that is concerned',
    },
    'last_line?': { ...whole, description: 'The last one, if it is another' },
    problem: { type: 'string', enum: PROBLEMS },
  }),
  AuditRead: object({
    name: { ...name, description: 'The name that the secret has now' },
    environment,
    'field?': { ...field, description: "Absent for the secret's own value" },
    version: { ...version, description: 'The version that was read' },
    first_read_at: time,
    last_read_at: time,
    count: { ...whole, minimum: 1, description: 'How often this version was read' },
    is_current: {
      type: 'boolean',
      description: 'Whether what was read may still be what is stored, so that it has to be rotated',
    },
  }),
  Key: object({ ...keySlot, created_at: time }),
  Token: object({
    id: tokenId,
    ...grant,
    created_at: time,
    expires_at: timeOrNull,
    last_used_at: timeOrNull,
  }),
} as const;

export const arrayOf = (component: keyof typeof SCHEMAS): JsonSchema => ({
  type: 'array',
  items: ref('schemas', component),
});

/** Where the vault's key is; in the answer to a destruction, where it was. */
export const keyStores: JsonSchema = {
  type: 'array',
  items: { type: 'string', enum: SLOT_KINDS },
};
