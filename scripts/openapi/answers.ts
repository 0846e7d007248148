/** The shape of each operation's successful answer, by hand. */
import { EVENT_STREAM } from '../../src/http/change-streams.ts';
import type { RoutedOperation } from '../../src/routes.ts';
import { MAX_REFS } from '../../workers/bodies/references.ts';
import {
  approvalId,
  arrayOf,
  bytes,
  CHECKED_TABLES,
  done,
  encoding,
  environment,
  field,
  fieldValues,
  generation,
  grant,
  type JsonSchema,
  keySlot,
  keyStores,
  name,
  object,
  ref,
  slotId,
  text,
  time,
  timeOrNull,
  tokenId,
  value,
  version,
  whole,
} from './schemas.ts';

const count = object({ done: whole, total: whole });

const generations: JsonSchema = { type: 'array', items: whole };

const rotation: JsonSchema = {
  oneOf: [ref('schemas', 'RotationProgress'), { type: 'null' }],
  description: 'How far a rotation of the key is; null if there is none',
};

const auditStatus: JsonSchema = {
  type: 'string',
  enum: ['intact', 'broken'],
  description: '`broken`: somebody without the key changed the log, so something may be missing in it',
};

/** What creating and rotating a token return. */
const newToken = object({
  token: { type: 'string', pattern: '^mvt_[0-9a-f]{64}$', description: 'Shown only once' },
  id: tokenId,
  ...grant,
  expires_at: timeOrNull,
});

/** The body of each operation's successful answer. */
export const RESULTS: Readonly<Record<RoutedOperation, JsonSchema>> = {
  health: object({
    status: { type: 'string', const: 'ok' },
    time,
    'sealed?': { type: 'boolean', const: true, description: 'Present while the vault is sealed' },
    'damaged?': {
      type: 'boolean',
      const: true,
      description: 'Present after the database was found damaged; nothing is written to it any more',
    },
    'changed?': {
      type: 'boolean',
      const: true,
      description: 'Present after the daemon found that rows, or the audit log, were changed without the key',
    },
    'changed_rows?': {
      ...object({
        found_at: time,
        readable: {
          type: 'boolean',
          description:
            'Whether the file still says which rows it has, so that they could be compared with that',
        },
        tables: {
          type: 'array',
          items: object({ table: { type: 'string' }, more: { type: 'integer' } }),
          description:
            'How many more rows a table has than were stored; below 0: fewer; 0: rows were exchanged',
        },
        rows: { type: 'array', items: { type: 'string' }, description: 'Rows that could be named' },
        audit_segments: {
          type: 'array',
          items: { type: 'integer' },
          description: 'Segments of the audit log whose end is not the one that is known',
        },
      }),
      description: "Only with the session's token: what was changed without the key",
    },
    'replaced?': {
      type: 'boolean',
      const: true,
      description: "Present after the daemon's program was replaced or removed; the daemon must be restarted",
    },
    'progress?': {
      ...object({ 'writing?': count, 'reading?': count, 'rotating?': count }),
      description:
        "Only with the session's token: progress of an import (writing), a check (reading) and a rotation",
    },
    'idle_seal_at?': {
      ...time,
      description:
        "Only with the session's token: when the daemon will seal the vault if no secret is asked for until then",
    },
    'max_unsealed_at?': {
      ...time,
      description: "Only with the session's token: when the daemon will seal the vault in any case",
    },
    'unheard?': {
      type: 'array',
      minItems: 1,
      items: { type: 'string' },
      description:
        "Only with the session's token: what `seal_on` asks for and the daemon does not hear at present, and why",
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
  'approvals.list': object({ approvals: arrayOf('Approval') }),
  'approvals.approve': done('approved', { id: approvalId }),
  'approvals.deny': done('denied', { id: approvalId }),
  'secrets.put': done('stored', { name, version }),
  'secrets.patch': done('updated', { name, version }),
  'secrets.delete': done('deleted', { name }),
  'secrets.rename': done('renamed', { name, environment, version }),
  'secrets.versions': object({ versions: arrayOf('Version') }),
  'secrets.rollback': done('rolled_back', { name, version, restored_version: version }),
  'secrets.deleted': arrayOf('DeletedSecret'),
  'changes.list': {
    type: 'string',
    description: 'Server-sent events. The data of `reset` is an empty object',
    contentMediaType: EVENT_STREAM,
    contentSchema: {
      type: 'array',
      items: object({
        event: { type: 'string', enum: ['change', 'reset'] },
        id: text,
        data: {
          type: 'string',
          contentMediaType: 'application/json',
          contentSchema: ref('schemas', 'SecretChange'),
        },
      }),
    },
  },
  'secrets.restore': done('restored', { name, version }),
  'secrets.purge': done('purged', { name }),
  'secrets.accept': done('accepted', { name }),
  'values.get': bytes,
  'values.put': done('stored', { name, version }),
  'fields.list': {
    oneOf: [
      { ...fieldValues, description: 'Field to value' },
      { type: 'array', items: name, description: 'With names=true: the names' },
    ],
  },
  'fields.putMany': done('stored', {
    name,
    field_count: { ...whole, description: 'Number of fields that this request set' },
    version,
  }),
  'fields.get': object({ name, field, value, 'encoding?': encoding }),
  'fields.put': done('stored', { name, field, version }),
  'fields.delete': done('deleted', { name, field, version }),
  'fieldValues.get': bytes,
  'fieldValues.put': done('stored', { name, field, version }),
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
  'vault.info': object({
    dir: text,
    db_path: text,
    db_size_bytes: whole,
    secret_count: whole,
    due_count: { ...whole, description: 'Secrets whose `expires_at` or `rotate_by` is over' },
    deleted_count: { ...whole, description: 'Deleted secrets that can be restored' },
    version_count: { ...whole, description: 'Old versions that are kept, with those of deleted secrets' },
    history_bytes: {
      ...whole,
      description: 'Bytes of the values and metadata of what was replaced or deleted',
    },
    keep_versions: {
      ...whole,
      minimum: 1,
      description: 'How many versions of a secret are kept, with the current one',
    },
    keep_deleted_days: {
      ...whole,
      description: 'For how many days a deleted secret can be restored; 0: deleting is for good',
    },
    rotation,
  }),
  'tokens.list': arrayOf('Token'),
  'tokens.create': newToken,
  'tokens.get': ref('schemas', 'Token'),
  'tokens.self': object({
    ...grant,
    id: { ...text, description: 'The id of the token; `session` for the owner' },
    scopes: {
      type: 'array',
      items: { type: 'string', enum: ['read', 'write', 'generate', 'admin', 'session'] },
    },
    created_at: timeOrNull,
    expires_at: timeOrNull,
    last_used_at: timeOrNull,
  }),
  'tokens.rotate': newToken,
  'tokens.revoke': done('revoked', { id: tokenId }),
  'audit.list': object({
    entries: arrayOf('AuditEntry'),
    'unreadable?': {
      ...whole,
      minimum: 1,
      description:
        'Lines that are no entries, and were passed over. GET /v1/audit/verify says where they are',
    },
  }),
  'audit.verify': object({
    status: auditStatus,
    segments: whole,
    entries: whole,
    problems: { ...arrayOf('AuditProblem'), maxItems: 100 },
    problem_count: whole,
  }),
  'audit.forget': done('forgotten', {
    segment: whole,
    entries: { ...whole, description: 'How many it had, as far as is known' },
    file: { type: ['string', 'null'], description: 'Where its file lies now; null if there was none' },
  }),
  'audit.reads': object({ status: auditStatus, secrets: arrayOf('AuditRead') }),
  'vault.status': object({
    sealed: { type: 'boolean' },
    vault_id: { type: 'string', pattern: '^[0-9a-f]{32}$' },
    key_stores: keyStores,
    key_file: { type: ['string', 'null'], description: 'Path of the key file; null if there is none' },
    kek_generation: generation,
    kek_wraps: {
      ...whole,
      description:
        'How many keys that generation has wrapped, or a little more; at 2^40 it is time to rotate',
    },
    old_kek_generations: {
      ...generations,
      description: 'Older generations that the vault still has: during a rotation, and for damaged rows',
    },
    rotation,
  }),
  'vault.unseal': done('unsealed', {}),
  'vault.seal': done('sealed', {}),
  'keys.rotate': done('rotated', {
    kek_generation: generation,
    kept_generations: {
      ...generations,
      description: 'Old generations that were not forgotten, because damaged rows are wrapped under them',
    },
    damaged: {
      ...arrayOf('DamagedRow'),
      maxItems: 100,
      description: 'The first rows that could not be wrapped again',
    },
    damaged_count: whole,
    root_key: {
      ...object({
        keys: {
          type: 'array',
          items: object({
            ...keySlot,
            replaces: { ...slotId, description: 'The key that it is in place of' },
          }),
        },
        dropped: {
          type: 'array',
          items: object(keySlot),
          description: 'Recovery codes that were dropped, as `drop_recovery` said',
        },
        kept: {
          type: 'array',
          items: object(keySlot),
          description:
            'Keys of before that their key store did not let go of; they open nothing, and go with the next change of keys',
        },
      }),
      type: ['object', 'null'],
      description: 'What became of the keys of the vault; null unless there is a new root key',
    },
  }),
  'keys.list': object({ keys: arrayOf('Key') }),
  'keys.add': done('added', keySlot),
  'keys.remove': done('removed', {
    id: slotId,
    key_kept: {
      type: ['string', 'null'],
      description: 'Why the key store did not let go of the key; null if it did',
    },
  }),
  'keys.changePassphrase': done('changed', { id: slotId }),
  'keys.newRecoveryCode': object({
    recovery_code: { ...text, description: '24 words with a space between them' },
  }),
  'vault.recover': done('recovered', keySlot),
  'vault.check': object({
    rows: {
      type: 'object',
      propertyNames: { enum: CHECKED_TABLES },
      additionalProperties: { ...whole, description: 'How many rows of a table this page opened' },
    },
    damaged: arrayOf('DamagedRow'),
  }),
  'vault.backup': done('made', {
    id: { type: 'string', pattern: '^[0-9a-f]{32}$' },
    file: { ...text, description: 'Path of the draft. Take it away within an hour' },
    head: { ...text, description: 'The first line of the backup: JSON, of which vault it is' },
    mac: { type: 'string', pattern: '^[0-9a-f]{64}$', description: 'The second line' },
  }),
  'vault.destroy': done('destroyed', { key_stores: keyStores }),
};
