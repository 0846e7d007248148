/** The shape of each operation's successful answer, by hand. */
import type { RoutedOperation } from '../../src/routes.ts';
import { MAX_REFS } from '../../workers/bodies/references.ts';
import {
  arrayOf,
  bytes,
  done,
  encoding,
  environment,
  field,
  fieldValues,
  generation,
  grant,
  type JsonSchema,
  keyStores,
  name,
  object,
  ref,
  text,
  time,
  timeOrNull,
  tokenId,
  value,
  version,
  whole,
} from './schemas.ts';

const count = object({ done: whole, total: whole });

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
  'secrets.put': done('stored', { name, version }),
  'secrets.patch': done('updated', { name, version }),
  'secrets.delete': done('deleted', { name }),
  'secrets.rename': done('renamed', { name, environment, version }),
  'secrets.versions': object({ versions: arrayOf('Version') }),
  'secrets.rollback': done('rolled_back', { name, version, restored_version: version }),
  'secrets.deleted': arrayOf('DeletedSecret'),
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
    versions: { ...whole, description: 'Old versions, each deletion among them' },
    tokens: whole,
    unreadable: {
      ...arrayOf('SecretName'),
      maxItems: 100,
      description: 'The first entries that do not open',
    },
    unreadable_count: whole,
    unreadable_versions: {
      ...arrayOf('VersionName'),
      maxItems: 100,
      description: 'The first old versions that do not open',
    },
    unreadable_version_count: whole,
  }),
  'vault.destroy': done('destroyed', { key_stores: keyStores }),
};
