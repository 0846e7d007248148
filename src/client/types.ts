/** The API's responses as the client returns them. Times are RFC 3339, UTC, to the second. */

import type { Change } from '../../workers/messages.ts';

export type JsonValue = string | number | boolean | null | JsonValue[] | { [member: string]: JsonValue };

export type Metadata = { readonly [key: string]: JsonValue };

/** A stored value inside JSON: text, or base64 if its bytes are not UTF-8. */
export type EncodedValue = string | { readonly value: string; readonly encoding: 'base64' };

/** A value to store: text, or any bytes. */
export type Value = string | Uint8Array;

/** The environment of a secret; absent for the default environment. */
export interface InEnvironment {
  readonly environment?: string | undefined;
}

/** For a write that must not undo another client's (RFC 9110 section 13.1). */
export interface Conditions {
  /** The `etag` of the secret as it was read. */
  readonly ifMatch?: string | undefined;
  /** `*`: only if there is no such secret yet. */
  readonly ifNoneMatch?: string | undefined;
}

export interface Health {
  readonly status: 'ok';
  readonly time: string;
  /** Absent while the vault is unsealed. */
  readonly sealed?: true;
  /** Once the database turned out to be damaged: nothing is written to it any more. */
  readonly damaged?: true;
  /** Once the daemon's program was replaced or removed: it is to be restarted. */
  readonly replaced?: true;
  /** For the command line's session only: how far an import or a rotation (writing) and a check (reading) are. */
  readonly progress?: { readonly [Kind in 'writing' | 'reading']?: Count };
}

export interface Count {
  readonly done: number;
  readonly total: number;
}

export interface SecretSummary {
  readonly name: string;
  readonly environment: string;
  readonly metadata: Metadata;
  /** Absent where there are no fields. */
  readonly field_count?: number;
  readonly created_at: string;
  readonly updated_at: string;
  /** `session` for the owner's own, else the id of the token that wrote it last. */
  readonly written_by: string;
  /** Whether the owner wrote or accepted all of it, its fields included. */
  readonly accepted: boolean;
  /** From then on the secret should not be used; absent if it does not expire. */
  readonly expires_at?: string;
  /** Until then the secret should be replaced; absent if there is no such date. */
  readonly rotate_by?: string;
  /** 1 for a new secret, and one more with each change. */
  readonly version: number;
}

export type { Change };

export interface Version {
  readonly version: number;
  /** When this version was made. */
  readonly created_at: string;
  /** `session` for the owner, else the id of the token. */
  readonly written_by: string;
  readonly change: Change;
  /** Present if the secret had another name or environment then. */
  readonly name?: string;
  readonly environment?: string;
  /** Present if this version fails verification. */
  readonly error?: string;
  readonly code?: 'integrity';
}

/** A secret that can be restored. */
export interface DeletedSecret extends Place {
  /** The number of the deletion, which is a version of its own; 0 if it fails verification. */
  readonly version: number;
  readonly deleted_at: string;
  readonly deleted_by: string;
  /** After this time it can no longer be restored. */
  readonly kept_until: string;
  /** Present if the deletion fails verification: it cannot be restored. */
  readonly error?: string;
  readonly code?: 'integrity';
}

/** RFC 3339, or `never` to remove a date. */
export interface DueDates {
  readonly expiresAt?: string | undefined;
  readonly rotateBy?: string | undefined;
}

/** What a write made of a secret. */
export interface Stored {
  readonly version: number;
}

/** One version of a secret; absent for the current one. */
export interface AtVersion extends InEnvironment {
  readonly version?: number | undefined;
}

export interface Secret extends SecretSummary {
  /** Absent in an entry that has fields only. */
  readonly value?: string;
  /** `base64` if the value's bytes are not UTF-8. */
  readonly encoding?: 'base64';
  readonly fields?: { readonly [field: string]: EncodedValue };
  /** Fields that the owner neither wrote nor accepted, each with the id of the token that wrote it; absent where there are none. */
  readonly unaccepted_fields?: { readonly [field: string]: string };
}

export interface FieldEntry {
  readonly name: string;
  readonly field: string;
  readonly value: string;
  /** `base64` if the value's bytes are not UTF-8. */
  readonly encoding?: 'base64';
}

/** An entry of an export that cannot be opened: its row was changed by somebody without the key. */
export interface UnreadableSecret {
  readonly name: string;
  readonly environment: string;
  readonly error: string;
  readonly code: 'integrity';
}

/** What a batch asks for: a secret, or one field of it. */
export interface SecretRef extends InEnvironment {
  readonly name: string;
  readonly field?: string | undefined;
}

/** One field, as a batch returns it. */
export interface BatchField extends FieldEntry {
  readonly environment: string;
}

/** Stands in a batch for what is not there, or cannot be opened. */
export interface BatchError {
  readonly name: string;
  readonly environment: string;
  /** Absent where the secret itself was asked for. */
  readonly field?: string;
  readonly error: string;
  readonly code: 'not_found' | 'integrity';
}

export interface ListFilter extends InEnvironment {
  readonly metadataKey?: string | undefined;
  readonly metadataValue?: string | undefined;
  /** RFC 3339: only secrets with a due date until then. */
  readonly dueBefore?: string | undefined;
}

export interface PageOptions {
  /** At most so many, 1 to 1000. */
  readonly limit?: number | undefined;
  /** Where the page before this one ended. */
  readonly cursor?: string | undefined;
}

export interface Page<T> {
  readonly items: T[];
  /** Where the next page starts; null at the end. */
  readonly cursor: string | null;
}

export interface GenerateOptions extends InEnvironment, DueDates {
  /** Stores it under this name. */
  readonly name?: string;
  readonly length?: number;
  readonly uppercase?: boolean;
  readonly lowercase?: boolean;
  readonly digits?: boolean;
  readonly symbols?: boolean;
  /** How many words to draw instead of characters. */
  readonly words?: number;
  readonly delimiter?: string;
  readonly metadata?: Metadata;
}

export interface Generated {
  readonly password: string;
  readonly name?: string;
  readonly stored: boolean;
  readonly entropy_bits: number;
}

/** An entry to import; what is absent is kept where the secret exists. */
export interface ImportEntry extends InEnvironment {
  readonly name: string;
  readonly value?: string;
  readonly encoding?: 'base64';
  readonly metadata?: Metadata;
  readonly fields?: { readonly [field: string]: EncodedValue };
  /** RFC 3339, or `never`. */
  readonly expires_at?: string;
  readonly rotate_by?: string;
}

export interface Place {
  readonly name: string;
  readonly environment: string;
}

export interface ImportResult {
  readonly dry_run: boolean;
  readonly added: Place[];
  readonly changed: Place[];
  readonly unchanged: Place[];
}

export interface Info {
  readonly dir: string;
  readonly db_path: string;
  readonly db_size_bytes: number;
  readonly secret_count: number;
  /** Secrets whose `expires_at` or `rotate_by` is over. */
  readonly due_count: number;
  /** Deleted secrets that can be restored. */
  readonly deleted_count: number;
  /** Old versions that are kept. */
  readonly version_count: number;
  readonly history_bytes: number;
  /** How many versions of a secret are kept, with the current one. */
  readonly keep_versions: number;
  /** For how many days a deleted secret can be restored; 0: deleting is for good. */
  readonly keep_deleted_days: number;
}

export type TokenScope = 'read' | 'write' | 'generate' | 'admin';

/** What a token may reach; an absent list limits nothing. */
export interface TokenLimits {
  readonly environments?: readonly string[];
  /** Globs: `*` within a segment, `**` across `/`. */
  readonly names?: readonly string[];
  /** Globs; the empty text stands for the value itself. */
  readonly fields?: readonly string[];
}

export interface Token {
  readonly id: string;
  readonly name: string;
  readonly scopes: TokenScope[];
  /** All of them hold; empty for a token that may reach everything. */
  readonly limits: TokenLimits[];
  /** How often it may be used; null: as often as wanted. */
  readonly max_uses: number | null;
  readonly uses: number;
  readonly not_before: string | null;
  /** Whether what it writes counts as accepted by the owner. */
  readonly trusted: boolean;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
}

export interface CreatedToken {
  /** Shown this once. */
  readonly token: string;
  readonly id: string;
  readonly name: string;
  readonly scopes: TokenScope[];
  /** Whether what it writes counts as accepted by the owner. */
  readonly trusted: boolean;
  readonly limits: TokenLimits[];
  /** How often it may be used; null: as often as wanted. */
  readonly max_uses: number | null;
  readonly uses: number;
  readonly not_before: string | null;
  readonly expires_at: string | null;
}

/** The token that asks; the session has no times, and the scope `session`. */
export type OwnToken = Omit<Token, 'scopes' | 'created_at'> & {
  readonly scopes: (TokenScope | 'session')[];
  readonly created_at: string | null;
};

export interface Status {
  readonly sealed: boolean;
  readonly vault_id: string;
  readonly key_stores: string[];
  /** Where the key file is, in a vault that has one. */
  readonly key_file: string | null;
  readonly kek_generation: number;
}

export interface Check {
  /** `ok`, or the first thing that SQLite found wrong. */
  readonly database: string;
  readonly secrets: number;
  readonly fields: number;
  /** Old versions, each deletion among them. */
  readonly versions: number;
  readonly tokens: number;
  /** At most 100. */
  readonly unreadable: Place[];
  readonly unreadable_count: number;
  /** At most 100. */
  readonly unreadable_versions: readonly (Place & Stored)[];
  readonly unreadable_version_count: number;
}
