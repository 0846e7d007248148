/**
 * The route table: every route of the API, what it takes, what it permits and which operation answers it. The router, the
 * `Allow` header of a 405, the scope check, the OpenAPI document, the client and the tests read this table and no other.
 */
import type {
  ControlOperation,
  LocalOperation,
  ReadOperation,
  Scope,
  WriteOperation,
} from '../workers/messages.ts';

export type Method = 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';

export type QueryParameter =
  | 'env'
  | 'metadata_key'
  | 'metadata_value'
  | 'dry_run'
  | 'names'
  | 'reencrypt'
  | 'root'
  | 'q'
  | 'version'
  | 'due_before'
  | 'wait'
  | 'since'
  | 'until'
  | 'name'
  | 'environment'
  | 'token'
  | 'operation'
  | 'backup'
  | 'order'
  | 'limit'
  | 'cursor';

interface RouteBase {
  readonly method: Method;
  /** In the notation of find-my-way: `:name` is a parameter. */
  readonly path: `/v1/${string}`;
  /** null: no token is needed. */
  readonly scope: Scope | null;
  /** The scope that is needed as well to replace an existing secret. */
  readonly replaceScope?: Scope;
  /** Any other parameter is an error, so that a misspelt `env` does not hit the wrong environment. */
  readonly query: readonly QueryParameter[];
  readonly body: 'none' | 'optional' | 'required';
  /** Limit of the request body in bytes; absent: 1 MiB. */
  readonly maxBodySize?: number;
  /** Which of the two bodies is raw bytes. All other bodies are JSON, and errors always are. */
  readonly bytes?: 'body' | 'response';
  /** A list: without `limit` the whole of it is sent, and a long one in pieces. */
  readonly streamed?: true;
  /** Takes long: it is not carried out, or is rolled back, if its client disconnects before the commit. */
  readonly cancellable?: true;
  /** Takes `If-Match` and `If-None-Match`, compared with the one secret of the path, or with each secret of the body. */
  readonly preconditions?: 'one' | 'each';
  /** It gives values out, so the owner may have to approve it. Takes `X-Approval`. */
  readonly givesValues?: true;
  /** The response has the entity tag of the secret. */
  readonly hasTag?: true;
  /** The response does not end by itself: it has an event for each change, and takes `Last-Event-ID`. */
  readonly isLive?: true;
  /** Its parameter `id` is the id of the token that asks. */
  readonly ofSelf?: true;
  /**
   * Programs ask it again and again, and it shows no secret: it does not keep the daemon from sealing the vault, and does not
   * unseal it.
   */
  readonly isUpkeep?: true;
  /** Can fail with 410. */
  readonly canBeGone?: true;
  /** Can fail with 409. */
  readonly canConflict?: true;
  /** This control operation writes to the database, so the disk can be full. Every operation of the writer does. */
  readonly canFillDisk?: true;
  /** 201: it creates what it names where that does not exist, so it never fails with 404. */
  readonly success: 200 | 201;
  readonly summary: string;
}

/** The request thread itself makes the response, without a key and without a worker. */
export interface LocalRoute extends RouteBase {
  readonly pool: 'none';
  readonly operation: 'health' | 'openapi' | LocalOperation;
}

/**
 * `long-readers`: a reader works on it for milliseconds (entries by the hundred), so it travels alone and never to all
 * readers at once. `changes`: the writer's thread answers, which knows what it has changed.
 */
export interface ReaderRoute extends RouteBase {
  readonly pool: 'readers' | 'long-readers' | 'changes';
  readonly operation: ReadOperation;
}

export interface WriterRoute extends RouteBase {
  readonly pool: 'writer';
  readonly operation: WriteOperation;
}

/** An operation on the state of the vault. The writer thread runs it outside of any batch, even while the vault is sealed. */
export interface ControlRoute extends RouteBase {
  readonly pool: 'control';
  readonly operation: ControlOperation;
}

export type Route = LocalRoute | ReaderRoute | WriterRoute | ControlRoute;
/** The routes that a call to the workers answers. */
export type WorkerRoute = Exclude<Route, LocalRoute>;
export type Pool = WorkerRoute['pool'];

const PAGE = ['limit', 'cursor'] as const;
/** 64 MiB: an import holds a whole vault; any other body is about one entry. */
export const IMPORT_BODY_SIZE = 64 * 1_048_576;
/** Entries in one import. The command line checks a file against it before it opens the vault. */
export const IMPORT_ENTRIES = 100_000;

const TABLE = [
  {
    method: 'GET',
    path: '/v1/health',
    scope: null,
    pool: 'none',
    operation: 'health',
    query: [],
    body: 'none',
    success: 200,
    summary: 'Whether the daemon is up, and whether the vault is sealed',
  },
  {
    method: 'GET',
    path: '/v1/openapi.json',
    scope: null,
    pool: 'none',
    operation: 'openapi',
    query: [],
    body: 'none',
    success: 200,
    summary: 'This document',
  },

  {
    method: 'GET',
    path: '/v1/secrets',
    scope: 'read',
    pool: 'long-readers',
    operation: 'secrets.list',
    query: ['env', 'metadata_key', 'metadata_value', 'due_before', ...PAGE],
    body: 'none',
    streamed: true,
    success: 200,
    summary: 'List secrets, without values',
  },
  {
    method: 'POST',
    path: '/v1/secrets/batch-get',
    scope: 'read',
    pool: 'long-readers',
    operation: 'secrets.batchGet',
    query: [],
    body: 'required',
    givesValues: true,
    success: 200,
    summary: 'Read many secrets and fields at once',
  },
  {
    method: 'GET',
    path: '/v1/secrets/:name',
    scope: 'read',
    pool: 'readers',
    operation: 'secrets.get',
    query: ['env', 'version'],
    body: 'none',
    hasTag: true,
    givesValues: true,
    success: 200,
    summary: 'Read a secret',
  },
  {
    method: 'PUT',
    path: '/v1/secrets/:name',
    scope: 'write',
    pool: 'writer',
    operation: 'secrets.put',
    query: ['env'],
    body: 'required',
    preconditions: 'one',
    success: 201,
    summary: 'Create a secret or replace its value and metadata',
  },
  {
    method: 'PATCH',
    path: '/v1/secrets/:name',
    scope: 'write',
    pool: 'writer',
    operation: 'secrets.patch',
    query: ['env'],
    body: 'required',
    preconditions: 'one',
    success: 200,
    summary: 'Change the value or the metadata of a secret',
  },
  {
    method: 'DELETE',
    path: '/v1/secrets/:name',
    scope: 'write',
    pool: 'writer',
    operation: 'secrets.delete',
    query: ['env'],
    body: 'none',
    preconditions: 'one',
    success: 200,
    summary: 'Delete a secret; it can be restored for some time',
  },
  {
    method: 'POST',
    path: '/v1/secrets/:name/rename',
    scope: 'write',
    pool: 'writer',
    operation: 'secrets.rename',
    query: ['env'],
    body: 'required',
    preconditions: 'one',
    canConflict: true,
    success: 200,
    summary: 'Give a secret another name or environment; metadata and fields go along',
  },
  {
    method: 'POST',
    path: '/v1/secrets/:name/accept',
    scope: 'session',
    pool: 'writer',
    operation: 'secrets.accept',
    query: ['env'],
    body: 'none',
    preconditions: 'one',
    success: 200,
    summary: 'Accept what a token wrote, so that programs get it unasked',
  },
  {
    method: 'GET',
    path: '/v1/secrets/:name/versions',
    scope: 'read',
    pool: 'readers',
    operation: 'secrets.versions',
    query: ['env'],
    body: 'none',
    success: 200,
    summary: 'List the versions of a secret, deleted or not, newest first, without values',
  },
  {
    method: 'POST',
    path: '/v1/secrets/:name/rollback',
    scope: 'write',
    pool: 'writer',
    operation: 'secrets.rollback',
    query: ['env'],
    body: 'required',
    preconditions: 'one',
    canBeGone: true,
    success: 200,
    summary: 'Make an old version of a secret the newest',
  },
  {
    method: 'POST',
    path: '/v1/secrets/:name/restore',
    scope: 'write',
    pool: 'writer',
    operation: 'secrets.restore',
    query: ['env'],
    body: 'none',
    canConflict: true,
    success: 200,
    summary: 'Restore a deleted secret',
  },
  {
    method: 'POST',
    path: '/v1/secrets/:name/purge',
    scope: 'write',
    pool: 'writer',
    operation: 'secrets.purge',
    query: ['env'],
    body: 'none',
    preconditions: 'one',
    success: 200,
    summary: 'Delete a secret for good, with all its versions',
  },
  {
    method: 'GET',
    path: '/v1/deleted',
    scope: 'read',
    pool: 'long-readers',
    operation: 'secrets.deleted',
    query: ['env', ...PAGE],
    body: 'none',
    success: 200,
    summary: 'List the deleted secrets that can be restored',
  },
  {
    method: 'GET',
    path: '/v1/changes',
    scope: 'read',
    pool: 'changes',
    operation: 'changes.list',
    isUpkeep: true,
    query: ['env'],
    body: 'none',
    isLive: true,
    success: 200,
    summary: 'Follow what changes, as it happens',
  },
  {
    method: 'GET',
    path: '/v1/secrets/:name/value',
    scope: 'read',
    pool: 'readers',
    operation: 'values.get',
    query: ['env', 'version'],
    body: 'none',
    bytes: 'response',
    hasTag: true,
    givesValues: true,
    success: 200,
    summary: 'Read the bytes of a value',
  },
  {
    method: 'PUT',
    path: '/v1/secrets/:name/value',
    scope: 'write',
    pool: 'writer',
    operation: 'values.put',
    query: ['env'],
    body: 'required',
    bytes: 'body',
    preconditions: 'one',
    success: 201,
    summary: 'Create a secret or replace its value, from bytes; metadata and fields stay',
  },

  {
    method: 'GET',
    path: '/v1/secrets/:name/fields',
    scope: 'read',
    pool: 'readers',
    operation: 'fields.list',
    query: ['env', 'version', 'names'],
    body: 'none',
    givesValues: true,
    success: 200,
    summary: 'Read all fields of a secret, or their names',
  },
  {
    method: 'PUT',
    path: '/v1/secrets/:name/fields',
    scope: 'write',
    pool: 'writer',
    operation: 'fields.putMany',
    query: ['env'],
    body: 'required',
    preconditions: 'one',
    success: 201,
    summary: 'Set several fields, all or none',
  },
  {
    method: 'GET',
    path: '/v1/secrets/:name/fields/:field',
    scope: 'read',
    pool: 'readers',
    operation: 'fields.get',
    query: ['env', 'version'],
    body: 'none',
    givesValues: true,
    success: 200,
    summary: 'Read a field',
  },
  {
    method: 'PUT',
    path: '/v1/secrets/:name/fields/:field',
    scope: 'write',
    pool: 'writer',
    operation: 'fields.put',
    query: ['env'],
    body: 'required',
    preconditions: 'one',
    success: 201,
    summary: 'Set a field',
  },
  {
    method: 'DELETE',
    path: '/v1/secrets/:name/fields/:field',
    scope: 'write',
    pool: 'writer',
    operation: 'fields.delete',
    query: ['env'],
    body: 'none',
    preconditions: 'one',
    success: 200,
    summary: 'Delete a field',
  },
  {
    method: 'GET',
    path: '/v1/secrets/:name/fields/:field/value',
    scope: 'read',
    pool: 'readers',
    operation: 'fieldValues.get',
    query: ['env', 'version'],
    body: 'none',
    bytes: 'response',
    hasTag: true,
    givesValues: true,
    success: 200,
    summary: 'Read the bytes of a field',
  },
  {
    method: 'PUT',
    path: '/v1/secrets/:name/fields/:field/value',
    scope: 'write',
    pool: 'writer',
    operation: 'fieldValues.put',
    query: ['env'],
    body: 'required',
    bytes: 'body',
    preconditions: 'one',
    success: 201,
    summary: 'Set a field, from bytes',
  },

  {
    method: 'GET',
    path: '/v1/search',
    scope: 'read',
    pool: 'long-readers',
    operation: 'secrets.search',
    query: ['q', ...PAGE],
    body: 'none',
    streamed: true,
    success: 200,
    summary: 'Search names, environments and metadata',
  },
  {
    method: 'POST',
    path: '/v1/generate',
    scope: 'generate',
    replaceScope: 'write',
    pool: 'writer',
    operation: 'passwords.generate',
    query: [],
    body: 'optional',
    preconditions: 'one',
    success: 200,
    summary: 'Generate a password and perhaps store it',
  },
  {
    method: 'GET',
    path: '/v1/info',
    scope: 'read',
    pool: 'readers',
    operation: 'vault.info',
    isUpkeep: true,
    query: [],
    body: 'none',
    success: 200,
    summary: 'Where the vault lies and how large it is',
  },

  {
    method: 'GET',
    path: '/v1/export',
    scope: 'read',
    pool: 'long-readers',
    operation: 'secrets.export',
    query: ['env', ...PAGE],
    body: 'none',
    givesValues: true,
    success: 200,
    summary: 'Read whole entries, page by page',
  },
  {
    method: 'POST',
    path: '/v1/import',
    scope: 'write',
    replaceScope: 'read',
    pool: 'writer',
    operation: 'secrets.import',
    query: ['dry_run'],
    body: 'required',
    maxBodySize: IMPORT_BODY_SIZE,
    cancellable: true,
    preconditions: 'each',
    success: 200,
    summary: 'Store many entries, all or none',
  },

  {
    method: 'GET',
    path: '/v1/tokens',
    scope: 'admin',
    pool: 'long-readers',
    operation: 'tokens.list',
    query: [],
    body: 'none',
    success: 200,
    summary: 'List tokens',
  },
  {
    method: 'POST',
    path: '/v1/tokens',
    scope: 'admin',
    pool: 'writer',
    operation: 'tokens.create',
    query: [],
    body: 'required',
    success: 201,
    summary: 'Create a token',
  },
  {
    method: 'GET',
    path: '/v1/tokens/self',
    scope: 'any',
    pool: 'readers',
    operation: 'tokens.self',
    isUpkeep: true,
    query: [],
    body: 'none',
    ofSelf: true,
    success: 200,
    summary: 'Read what the token that asks may do',
  },
  {
    method: 'GET',
    path: '/v1/tokens/:id',
    scope: 'admin',
    pool: 'readers',
    operation: 'tokens.get',
    query: [],
    body: 'none',
    success: 200,
    summary: 'Read what a token may do',
  },
  {
    method: 'POST',
    path: '/v1/tokens/:id/rotate',
    scope: 'any',
    pool: 'writer',
    operation: 'tokens.rotate',
    query: [],
    body: 'optional',
    success: 201,
    summary: 'Replace a token by a new one with the same limits',
  },
  {
    method: 'DELETE',
    path: '/v1/tokens/:id',
    scope: 'admin',
    pool: 'writer',
    operation: 'tokens.revoke',
    query: [],
    body: 'none',
    success: 200,
    summary: 'Revoke a token',
  },

  {
    method: 'GET',
    path: '/v1/audit',
    scope: 'admin',
    pool: 'long-readers',
    operation: 'audit.list',
    isUpkeep: true,
    query: ['since', 'until', 'name', 'environment', 'token', 'operation', 'order', ...PAGE],
    body: 'none',
    success: 200,
    summary: 'List what was done, and by whom, newest first',
  },
  {
    method: 'GET',
    path: '/v1/audit/verify',
    scope: 'admin',
    pool: 'long-readers',
    operation: 'audit.verify',
    isUpkeep: true,
    query: [],
    body: 'none',
    success: 200,
    summary: 'Verify that nobody without the key changed the audit log',
  },
  {
    method: 'POST',
    path: '/v1/audit/:id/forget',
    scope: 'session',
    pool: 'control',
    operation: 'audit.forget',
    query: [],
    body: 'none',
    canConflict: true,
    canFillDisk: true,
    success: 200,
    summary: 'Give up a segment of the audit log that was changed',
  },
  {
    method: 'GET',
    path: '/v1/audit/reads',
    scope: 'admin',
    pool: 'long-readers',
    operation: 'audit.reads',
    isUpkeep: true,
    query: ['token'],
    body: 'none',
    success: 200,
    summary: 'List the values that a token has read, by version',
  },

  {
    method: 'GET',
    path: '/v1/status',
    scope: 'session',
    pool: 'control',
    operation: 'vault.status',
    isUpkeep: true,
    query: [],
    body: 'none',
    success: 200,
    summary: 'The state of the vault',
  },
  {
    method: 'GET',
    path: '/v1/approvals',
    scope: 'session',
    pool: 'none',
    operation: 'approvals.list',
    query: ['wait'],
    body: 'none',
    success: 200,
    summary: 'List the requests that wait for the owner to approve them',
  },
  {
    method: 'POST',
    path: '/v1/approvals/:id/approve',
    scope: 'session',
    pool: 'none',
    operation: 'approvals.approve',
    query: [],
    body: 'none',
    success: 200,
    summary: 'Let a request have what it asks for',
  },
  {
    method: 'POST',
    path: '/v1/approvals/:id/deny',
    scope: 'session',
    pool: 'none',
    operation: 'approvals.deny',
    query: [],
    body: 'none',
    success: 200,
    summary: 'Refuse a request what it asks for',
  },
  {
    method: 'POST',
    path: '/v1/unseal',
    scope: 'session',
    pool: 'control',
    operation: 'vault.unseal',
    query: [],
    body: 'optional',
    success: 200,
    summary: 'Unseal the vault',
  },
  {
    method: 'POST',
    path: '/v1/seal',
    scope: 'session',
    pool: 'control',
    operation: 'vault.seal',
    query: [],
    body: 'none',
    success: 200,
    summary: 'Seal the vault',
  },
  {
    method: 'POST',
    path: '/v1/keys/rotate',
    scope: 'session',
    pool: 'control',
    operation: 'keys.rotate',
    query: ['reencrypt', 'root'],
    body: 'optional',
    canConflict: true,
    canFillDisk: true,
    success: 200,
    summary: 'Wrap every key under a new generation of the KEK',
  },
  {
    method: 'GET',
    path: '/v1/keys',
    scope: 'session',
    pool: 'control',
    operation: 'keys.list',
    isUpkeep: true,
    query: [],
    body: 'none',
    success: 200,
    summary: 'List the key slots: the ways to open the vault',
  },
  {
    method: 'POST',
    path: '/v1/keys',
    scope: 'session',
    pool: 'control',
    operation: 'keys.add',
    query: [],
    body: 'required',
    canConflict: true,
    canFillDisk: true,
    success: 201,
    summary: 'Add a key slot',
  },
  {
    method: 'POST',
    path: '/v1/keys/:id/remove',
    scope: 'session',
    pool: 'control',
    operation: 'keys.remove',
    query: [],
    body: 'optional',
    canConflict: true,
    canFillDisk: true,
    success: 200,
    summary: 'Remove a key slot, never the last one',
  },
  {
    method: 'POST',
    path: '/v1/keys/passphrase',
    scope: 'session',
    pool: 'control',
    operation: 'keys.changePassphrase',
    query: [],
    body: 'required',
    canConflict: true,
    canFillDisk: true,
    success: 200,
    summary: 'Change the passphrase',
  },
  {
    method: 'POST',
    path: '/v1/keys/recovery-code',
    scope: 'session',
    pool: 'control',
    operation: 'keys.newRecoveryCode',
    query: [],
    body: 'none',
    success: 200,
    summary: 'Make a recovery code, to be added as a key; nothing is kept of it',
  },
  {
    method: 'POST',
    path: '/v1/recover',
    scope: 'session',
    pool: 'control',
    operation: 'vault.recover',
    query: [],
    body: 'required',
    canConflict: true,
    canFillDisk: true,
    success: 200,
    summary: 'Unseal the vault by its recovery code, and add a key',
  },
  {
    method: 'GET',
    path: '/v1/check',
    scope: 'session',
    pool: 'long-readers',
    operation: 'vault.check',
    query: ['backup', ...PAGE],
    body: 'none',
    success: 200,
    summary: 'Open every row that is stored, a page at a time',
  },
  {
    method: 'POST',
    path: '/v1/backups',
    scope: 'session',
    pool: 'control',
    operation: 'vault.backup',
    query: [],
    body: 'optional',
    canConflict: true,
    canFillDisk: true,
    success: 200,
    summary: 'Copy the vault into a draft in its folder, while it is in use',
  },
  {
    method: 'POST',
    path: '/v1/destroy',
    scope: 'session',
    pool: 'control',
    operation: 'vault.destroy',
    query: [],
    body: 'required',
    canConflict: true,
    canFillDisk: true,
    success: 200,
    summary: 'Delete the vault and its key for ever',
  },
] as const satisfies readonly Route[];

/** The operations that have a route; the others are asked for by this program alone. */
export type RoutedOperation = (typeof TABLE)[number]['operation'];

export const routes: readonly (Route & { readonly operation: RoutedOperation })[] = TABLE;
