/**
 * THE table: every route of the API, what it permits, what it does and where. The router, the 405 `Allow` header, the
 * scope check, the OpenAPI document and the tests read this and nothing else.
 */
import type { ControlOperation, ReadOperation, Scope, WriteOperation } from '../workers/messages.ts';

export type Method = 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';

interface RouteBase {
  readonly method: Method;
  /** find-my-way's notation: `:name` is a parameter. */
  readonly path: `/v1/${string}`;
  /** null: nobody needs to say who they are. */
  readonly scope: Scope | null;
  /** The scope that replacing an existing secret needs beside it. */
  readonly replaceScope?: Scope;
  /** The query parameters; any other one is an error, so that a misspelt `env` cannot hit the wrong environment. */
  readonly query: readonly string[];
  readonly body: 'none' | 'optional' | 'required';
  /** Bytes of its largest request body; absent: 1 MiB. */
  readonly maxBodySize?: number;
  /** Which of the two is bytes as they are; everything else is JSON, errors in any case. */
  readonly bytes?: 'body' | 'answer';
  /** A list that, without `limit`, is answered whole, piece by piece where it is long. */
  readonly streamed?: true;
  /** Takes long: it is not carried out, or rolled back, if its client goes away before it is committed. */
  readonly cancellable?: true;
  readonly success: 200 | 201;
  readonly summary: string;
}

/** Answered by the request thread itself; needs no key and no worker. */
export interface LocalRoute extends RouteBase {
  readonly pool: 'none';
  readonly operation: 'health' | 'openapi';
}

export interface ReaderRoute extends RouteBase {
  readonly pool: 'readers';
  readonly operation: ReadOperation;
}

export interface WriterRoute extends RouteBase {
  readonly pool: 'writer';
  readonly operation: WriteOperation;
}

/** On the vault's own state: the writer's, alone, and possible while the vault is sealed. */
export interface ControlRoute extends RouteBase {
  readonly pool: 'control';
  readonly operation: ControlOperation;
}

export type Route = LocalRoute | ReaderRoute | WriterRoute | ControlRoute;

const PAGE = ['limit', 'cursor'] as const;
/** 64 MiB: a whole vault at once, where any other body is about one entry. */
export const IMPORT_BODY_SIZE = 64 * 1_048_576;
/** Of one import: the command line says so of a file before it opens the vault. */
export const IMPORT_ENTRIES = 100_000;

export const routes: readonly Route[] = [
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
    pool: 'readers',
    operation: 'secrets.list',
    query: ['env', 'metadata_key', 'metadata_value', ...PAGE],
    body: 'none',
    streamed: true,
    success: 200,
    summary: 'List secrets, without values',
  },
  {
    method: 'POST',
    path: '/v1/secrets/batch-get',
    scope: 'read',
    pool: 'readers',
    operation: 'secrets.batchGet',
    query: [],
    body: 'required',
    success: 200,
    summary: 'Read many secrets and fields at once',
  },
  {
    method: 'GET',
    path: '/v1/secrets/:name',
    scope: 'read',
    pool: 'readers',
    operation: 'secrets.get',
    query: ['env'],
    body: 'none',
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
    success: 200,
    summary: 'Delete a secret and its fields',
  },
  {
    method: 'POST',
    path: '/v1/secrets/:name/rename',
    scope: 'write',
    pool: 'writer',
    operation: 'secrets.rename',
    query: ['env'],
    body: 'required',
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
    success: 200,
    summary: 'Accept what a token wrote, so that programs get it unasked',
  },
  {
    method: 'GET',
    path: '/v1/secrets/:name/value',
    scope: 'read',
    pool: 'readers',
    operation: 'values.get',
    query: ['env'],
    body: 'none',
    bytes: 'answer',
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
    success: 201,
    summary: 'Create a secret or replace its value, from bytes; metadata and fields stay',
  },

  {
    method: 'GET',
    path: '/v1/secrets/:name/fields',
    scope: 'read',
    pool: 'readers',
    operation: 'fields.list',
    query: ['env', 'names'],
    body: 'none',
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
    success: 201,
    summary: 'Set several fields, all or none',
  },
  {
    method: 'GET',
    path: '/v1/secrets/:name/fields/:field',
    scope: 'read',
    pool: 'readers',
    operation: 'fields.get',
    query: ['env'],
    body: 'none',
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
    success: 200,
    summary: 'Delete a field',
  },
  {
    method: 'GET',
    path: '/v1/secrets/:name/fields/:field/value',
    scope: 'read',
    pool: 'readers',
    operation: 'fieldValues.get',
    query: ['env'],
    body: 'none',
    bytes: 'answer',
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
    success: 201,
    summary: 'Set a field, from bytes',
  },

  {
    method: 'GET',
    path: '/v1/search',
    scope: 'read',
    pool: 'readers',
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
    success: 200,
    summary: 'Generate a password and perhaps store it',
  },
  {
    method: 'GET',
    path: '/v1/info',
    scope: 'read',
    pool: 'readers',
    operation: 'vault.info',
    query: [],
    body: 'none',
    success: 200,
    summary: 'Where the vault lies and how large it is',
  },

  {
    method: 'GET',
    path: '/v1/export',
    scope: 'read',
    pool: 'readers',
    operation: 'secrets.export',
    query: ['env', ...PAGE],
    body: 'none',
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
    success: 200,
    summary: 'Store many entries, all or none',
  },

  {
    method: 'GET',
    path: '/v1/tokens',
    scope: 'admin',
    pool: 'readers',
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
    path: '/v1/status',
    scope: 'session',
    pool: 'control',
    operation: 'vault.status',
    query: [],
    body: 'none',
    success: 200,
    summary: 'The state of the vault',
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
    query: [],
    body: 'optional',
    success: 200,
    summary: 'Wrap every key under a new generation of the KEK',
  },
  {
    method: 'GET',
    path: '/v1/check',
    scope: 'session',
    pool: 'readers',
    operation: 'vault.check',
    query: [],
    body: 'none',
    success: 200,
    summary: 'Check the database and open everything that is stored',
  },
  {
    method: 'POST',
    path: '/v1/destroy',
    scope: 'session',
    pool: 'control',
    operation: 'vault.destroy',
    query: [],
    body: 'required',
    success: 200,
    summary: 'Delete the vault and its key for ever',
  },
];
