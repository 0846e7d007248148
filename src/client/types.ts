/** The API's responses as the client returns them. Times are RFC 3339, UTC, to the second. */

import type { Change, ChangeKind } from '../../workers/messages.ts';

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
  /** Once the daemon found that rows, or the audit log, were changed without the key. */
  readonly changed?: true;
  /** For the session only: what was changed. */
  readonly changed_rows?: ChangedRows;
  /** Once the daemon's program was replaced or removed: it is to be restarted. */
  readonly replaced?: true;
  /** For the session only: when the daemon will seal the vault if no secret is asked for until then. */
  readonly idle_seal_at?: string;
  /** For the session only: when the daemon will seal the vault in any case. */
  readonly max_unsealed_at?: string;
  /** For the session only: what `seal_on` asks for and the daemon does not hear at present, and why. */
  readonly unheard?: readonly string[];
  /** For the command line's session only: how far an import (writing), a check (reading) and a rotation are. */
  readonly progress?: { readonly [Kind in 'writing' | 'reading' | 'rotating']?: Count };
}

/** What the last check of the whole vault found changed without the key. */
export interface ChangedRows {
  readonly found_at: string;
  /** Whether the file still says which rows it has, so that they could be compared with that. */
  readonly readable: boolean;
  /** Tables whose rows are not those that were stored, and how many more they have (below 0: fewer; 0: rows were exchanged). */
  readonly tables: readonly { readonly table: string; readonly more: number }[];
  /** Rows in words, such as `"db" was put back to version 3`. */
  readonly rows: readonly string[];
  /** The ids of segments of the audit log whose end is not the one that is known. */
  readonly audit_segments: readonly number[];
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
  /** Whether the owner is asked before a value is read; absent if never. */
  readonly confirm?: Exclude<Confirmation, 'never'>;
  /** 1 for a new secret, and one more with each change. */
  readonly version: number;
}

export type { Change, ChangeKind };

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

/** When the owner is asked: never, once for a program until the vault is sealed, or each time. */
export type Confirmation = 'never' | 'session' | 'always';

/** A request that waits for the owner's answer. */
export interface Approval {
  readonly id: string;
  readonly asked_at: string;
  /** Until then the owner can answer. */
  readonly expires_at: string;
  /** What the request is, such as `secrets.get`. */
  readonly operation: string;
  /** The id and the name of a token, or twice `session`. */
  readonly principal: { readonly id: string; readonly name: string };
  /** The process that connected, as the kernel says; absent where it does not. */
  readonly uid?: number;
  readonly pid?: number | null;
  /** A hint: the process may choose it. */
  readonly program?: string | null;
  readonly purpose?: string;
  readonly secrets: readonly (Place & {
    /** Present if one field is asked for. */
    readonly field?: string;
    /** How long a yes holds. */
    readonly confirm: Exclude<Confirmation, 'never'>;
  })[];
}

/** Under which terms a secret is used. */
export interface Terms {
  /** RFC 3339, or `never` to remove the date. */
  readonly expiresAt?: string | undefined;
  readonly rotateBy?: string | undefined;
  /** Only the owner can have a secret ask less. */
  readonly confirm?: Confirmation | undefined;
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

export interface GenerateOptions extends InEnvironment, Terms {
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

/** A change of a secret, without its value. */
export interface SecretChange extends Place {
  /** The version after the change; 0 if nothing is left of the secret. */
  readonly version: number;
  /** A renamed secret is told of under both names. */
  readonly change: ChangeKind;
  /** `session` for the owner, else the id of the token. */
  readonly written_by: string;
  readonly changed_at: string;
}

/** `reset`: what changed before is not told, so whoever keeps a copy has to read everything again. */
export type ChangeEvent =
  | { readonly event: 'reset'; readonly id: string }
  | ({ readonly event: 'change'; readonly id: string } & SecretChange);

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
  readonly confirm?: Confirmation;
  /** RFC 3339, for the owner's session and new entries only: when the secret was made and last changed elsewhere. */
  readonly created_at?: string;
  readonly updated_at?: string;
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
  /** How far the rotation is that is under way; null if there is none. */
  readonly rotation: RotationProgress | null;
}

export interface RotationProgress extends Count {
  /** The generation under which everything is wrapped in the end. What is written now is already. */
  readonly kek_generation: number;
  /** Whether the values get new keys, too. */
  readonly reencrypt: boolean;
  readonly started_at: string;
}

/** How a rotation ended. */
export interface Rotated {
  readonly kek_generation: number;
  /** Old generations that were not forgotten, because damaged rows are wrapped under them. */
  readonly kept_generations: readonly number[];
  /** What could not be wrapped again, because somebody without the key changed it. At most 100. */
  readonly damaged: readonly DamagedRow[];
  readonly damaged_count: number;
  /** What became of the keys of the vault; null unless it has a new root key. */
  readonly root_key: RenewedRootKey | null;
}

export interface RenewedRootKey {
  /** Those that were made again, each in the place of another. */
  readonly keys: readonly (AddedKey & { readonly replaces: string })[];
  /** Recovery codes that were dropped, as asked for. */
  readonly dropped: readonly AddedKey[];
  /** Keys of before that their key store did not let go of yet. They open nothing any more. */
  readonly kept: readonly AddedKey[];
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
  /** Whether the owner is asked before it reads a value. */
  readonly confirm: Confirmation;
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
  /** Whether the owner is asked before it reads a value. */
  readonly confirm: Confirmation;
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
  /** How many keys this generation has wrapped, or a little more. At 2^40 it is time to rotate. */
  readonly kek_wraps: number;
  /** Older generations that the vault still has: while it is rotated, and for damaged rows after it. */
  readonly old_kek_generations: readonly number[];
  /** How far the rotation is that is under way, or waits for the vault to be unsealed; null if there is none. */
  readonly rotation: RotationProgress | null;
}

/** One way to open the vault. */
export interface KeyEntry {
  readonly id: string;
  readonly kind: 'keychain' | 'passphrase' | 'file' | 'recovery';
  /** Where the key file is; null for other kinds. */
  readonly location: string | null;
  readonly created_at: string;
}

export type AddedKey = Pick<KeyEntry, 'id' | 'kind' | 'location'>;

/** `audit`: the entries of the audit log. `database`: the file itself. The others are tables. */
export type CheckedTable =
  | 'database'
  | 'secrets'
  | 'fields'
  | 'versions'
  | 'old_fields'
  | 'deleted'
  | 'tokens'
  | 'keks'
  | 'slots'
  | 'audit';

export interface DamagedRow extends Partial<Place> {
  readonly table: CheckedTable;
  /** The version of the secret. */
  readonly version?: number;
  readonly field?: string;
  /** Of a token, a key, a slot, or an entry or segment of the audit log. */
  readonly id?: string;
  /** `changed`: it does not open. `unreadable`: the file is damaged there. */
  readonly problem: 'changed' | 'unreadable';
  readonly detail?: string;
}

/** A backup is `head`, a newline, `mac`, a newline, and the bytes of the draft. */
export interface BackupDraft {
  readonly id: string;
  /** Path of the draft. */
  readonly file: string;
  /** JSON. */
  readonly head: string;
  readonly mac: string;
}

export interface CheckPage {
  /** How many rows of each table this page opened. */
  readonly rows: { readonly [Table in CheckedTable]?: number };
  readonly damaged: readonly DamagedRow[];
  /** Where the next page starts; null at the end. */
  readonly cursor: string | null;
}

/** A segment of the audit log that was given up. */
export interface ForgottenSegment {
  readonly segment: number;
  /** How many it had, as far as is known. */
  readonly entries: number;
  /** Where its file lies now; null if there was none. */
  readonly file: string | null;
}

/** Which entries of the audit log are listed; absent: all. */
export interface AuditFilter {
  /** RFC 3339; both times are included. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** A glob: `*` within a segment, `**` across `/`. */
  readonly name?: string | undefined;
  readonly environment?: string | undefined;
  /** The id of a token, or `session` for the owner. */
  readonly token?: string | undefined;
  /** Such as `secrets.get`, or the beginning of several: `secrets.*`. */
  readonly operation?: string | undefined;
  /** Absent: newest. */
  readonly order?: 'newest' | 'oldest' | undefined;
}

/** A secret in an entry of the audit log. */
export interface AuditSecret extends Place {
  /** The version that was read, or that a change made; 0 for a purge. */
  readonly version?: number;
  readonly id?: number;
  /** Present if values left the vault: the own value, or those of fields. */
  readonly read?: true;
  readonly value?: true;
  readonly fields?: readonly string[];
  readonly change?: Change | 'accept' | 'purge';
}

/** What was done, by whom, and how it ended. */
export interface AuditEntry {
  readonly id: string;
  /** To the millisecond. */
  readonly at: string;
  /** The operation, or an event of the log itself such as `audit.dropped`. */
  readonly op: string;
  /** `session` for the owner, the id of a token, or empty for nobody. */
  readonly by?: string;
  readonly uid?: number;
  readonly pid?: number;
  readonly program?: string;
  readonly purpose?: string;
  /** The id of the request. */
  readonly request?: string;
  /** The owner was asked for it, and said yes. */
  readonly approved?: true;
  /** `ok`, or the code of the error. */
  readonly result?: string;
  readonly secrets?: readonly AuditSecret[];
  /** The environment that a list was asked for. */
  readonly environment?: string;
  readonly token?: string;
  readonly token_name?: string;
  /** The id of the key slot that it is about. */
  readonly key?: string;
  /** When the backup was made that the vault was restored from, RFC 3339. */
  readonly backup?: string;
  readonly generation?: number;
  readonly segment?: number;
  readonly through?: number;
  readonly entries?: number;
  readonly bytes?: number;
  readonly count?: number;
  readonly damaged?: number;
}

export interface AuditPage extends Page<AuditEntry> {
  /** Lines of the log that could not be read, and were passed over. */
  readonly unreadable: number;
}

export type AuditProblemKind =
  | 'changed'
  | 'removed'
  | 'reordered'
  | 'duplicated'
  | 'truncated'
  | 'added'
  | 'not_anchored'
  | 'foreign'
  | 'missing_file'
  | 'missing_segment'
  | 'unknown_file'
  | 'changed_row';

export interface AuditProblem {
  readonly segment: number;
  readonly entry: string | null;
  readonly line: number | null;
  readonly last_line?: number;
  readonly problem: AuditProblemKind;
}

export interface AuditVerification {
  readonly status: 'intact' | 'broken';
  readonly segments: number;
  readonly entries: number;
  /** At most 100. */
  readonly problems: readonly AuditProblem[];
  readonly problem_count: number;
}

/** A value, or a field, of one version of a secret that a token has read. */
export interface AuditRead extends Place {
  /** Absent for the secret's own value. */
  readonly field?: string;
  readonly version: number;
  readonly first_read_at: string;
  readonly last_read_at: string;
  readonly count: number;
  /** Whether what was read may still be what is stored. */
  readonly is_current: boolean;
}

export interface AuditReads {
  /** `broken`: somebody changed the log without the key, so something may be missing in the list. */
  readonly status: 'intact' | 'broken';
  readonly secrets: readonly AuditRead[];
}
