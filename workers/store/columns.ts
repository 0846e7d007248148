/**
 * The rows and columns of each table, and the parts of statements that follow from them. A new column stands in `schema.ts`, here
 * and, if a row's wrap is to vouch for it, in the row digest (`envelope/row-digest.ts`). `test/columns.ts` compares them.
 */
import type { Change, SecretName, SlotKind } from '../messages.ts';

/** The columns that a list shows. */
export interface SecretSummary extends SecretName {
  /** JSON text, as it was given (compact). */
  readonly metadata: string;
  readonly fieldCount: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** `session`, or the id of the token that wrote it last. */
  readonly writtenBy: string;
  /** 1 if the owner wrote or accepted the value and every field, else 0. */
  readonly accepted: number;
  /** Unix times in seconds; 0 if the secret has no such date. */
  readonly expiresAt: number;
  readonly rotateBy: number;
  /** Whether the owner is asked before a value is read: 0 never, 1 once a session, 2 always (entries/confirm.ts). */
  readonly confirm: number;
  /** The secret's version as clients count it: 1 for a new secret, and one more with each change. */
  readonly revision: number;
}

export interface SecretRow extends SecretSummary {
  readonly id: number;
  /** The number of the encrypted value, unique in the vault; 0 if there is no payload. */
  readonly version: number;
  /** What made this version of the secret. */
  readonly change: Change;
  readonly wrappedDek: Buffer;
  readonly payload: Buffer | null;
}

/** A version of a secret that was replaced or deleted. Its columns are those of a secret, with `secret_id` in place of `id`. */
export type VersionRow = SecretRow & { readonly isOld: true };

/** An old version without its value. */
export type VersionHead = Omit<VersionRow, 'payload'>;

export interface FieldRow {
  readonly field: string;
  readonly version: number;
  /** The first version of the secret that has the field like this. */
  readonly revision: number;
  readonly wrappedDek: Buffer;
  readonly payload: Buffer;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly writtenBy: string;
  /** 1 if the owner wrote or accepted it, else 0. */
  readonly accepted: number;
}

/** A secret that was deleted and can be restored. Its versions have all else. */
export interface DeletedRow extends SecretName {
  readonly secretId: number;
  readonly deletedAt: number;
}

/** A field without its value. Its secret's row binds `field` and `version`. */
export type FieldHead = Pick<FieldRow, 'field' | 'version' | 'writtenBy' | 'accepted'>;

export interface TokenRow {
  readonly id: string;
  readonly hash: Buffer;
  readonly name: string;
  /** Comma-joined, in the order of read, write, generate, admin. */
  readonly scopes: string;
  /** 1 if what the token writes counts as accepted by the owner, else 0. */
  readonly trusted: number;
  /** Whether the owner is asked before the token reads a value; as of secrets. */
  readonly confirm: number;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly notBefore: number | null;
  /** The JSON of a list of Limits, all of which hold. */
  readonly limits: string;
  /** Null: as often as wanted. */
  readonly maxUses: number | null;
  /** Uses that were answered, or are reserved for it. */
  readonly uses: number;
  readonly lastUsedAt: number | null;
  readonly kekId: Buffer;
  readonly mac: Buffer;
}

export interface SlotRow {
  /** 8 hexadecimal digits. */
  readonly id: string;
  readonly kind: SlotKind;
  readonly blob: Uint8Array | null;
  readonly location: string | null;
  readonly createdAt: number;
  readonly mac: Buffer;
}

export interface KekRow {
  readonly id: Buffer;
  readonly generation: number;
  readonly wrapped: Buffer;
  /** How many keys it has wrapped, or a little more. */
  readonly wraps: number;
  readonly createdAt: number;
}

/** A rotation that is not finished. */
export interface RotationRow {
  /** The generation under which everything is wrapped in the end. */
  readonly generation: number;
  /** 1 if the values get new DEKs, too; else 0. */
  readonly reencrypts: number;
  /** What is worked on: first the secrets with their history, then tokens and audit segments, then looking for what is left. */
  readonly stage: 'secrets' | 'others' | 'left';
  /** The last id of a secret that the stage is done with. */
  readonly doneId: number;
  /** Rows that are done, and all that there were at the beginning. */
  readonly done: number;
  readonly total: number;
  /** Unix time in seconds. */
  readonly startedAt: number;
}

/** A segment of the audit log. The wrap of its key vouches for the rest of its row. */
export interface SegmentRow {
  readonly id: number;
  readonly openedAt: number;
  /** 0 while it is open. */
  readonly closedAt: number;
  /** Its file has at least so many bytes and entries, and exactly these once it is closed. */
  readonly bytes: number;
  readonly entries: number;
  /** The MAC of the last batch within these bytes, 32 bytes; empty if there are none. */
  readonly mac: Uint8Array;
  readonly wrappedKey: Uint8Array;
}

/** The MAC over the rows of the other tables. */
export interface RowSetRow {
  /** Counts the commits that changed a covered row. */
  readonly epoch: number;
  /** Unix seconds of the last of them. */
  readonly writtenAt: number;
  readonly wrappedKey: Uint8Array;
  /** The sums, encrypted. */
  readonly state: Uint8Array;
}

/** A column's name in SQL by its name in a row. */
export type Columns<Row> = { readonly [Key in keyof Row]-?: string };

export const SECRET_COLUMNS = {
  id: 'id',
  name: 'name',
  environment: 'environment',
  metadata: 'metadata',
  version: 'version',
  wrappedDek: 'wrapped_dek',
  fieldCount: 'field_count',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
  writtenBy: 'written_by',
  accepted: 'accepted',
  expiresAt: 'expires_at',
  rotateBy: 'rotate_by',
  confirm: 'confirm',
  revision: 'revision',
  change: 'change',
  payload: 'payload',
} as const satisfies Columns<SecretRow>;

export const VERSION_COLUMNS = { ...SECRET_COLUMNS, id: 'secret_id' } as const satisfies Columns<SecretRow>;

export const DELETED_COLUMNS = {
  secretId: 'secret_id',
  name: 'name',
  environment: 'environment',
  deletedAt: 'deleted_at',
} as const satisfies Columns<DeletedRow>;

export const FIELD_COLUMNS = {
  field: 'field',
  version: 'version',
  revision: 'revision',
  wrappedDek: 'wrapped_dek',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
  writtenBy: 'written_by',
  accepted: 'accepted',
  payload: 'payload',
} as const satisfies Columns<FieldRow>;

export const TOKEN_COLUMNS = {
  id: 'id',
  hash: 'hash',
  name: 'name',
  scopes: 'scopes',
  trusted: 'trusted',
  confirm: 'confirm',
  createdAt: 'created_at',
  expiresAt: 'expires_at',
  notBefore: 'not_before',
  limits: 'limits',
  maxUses: 'max_uses',
  uses: 'uses',
  lastUsedAt: 'last_used_at',
  kekId: 'kek_id',
  mac: 'mac',
} as const satisfies Columns<TokenRow>;

export const SLOT_COLUMNS = {
  id: 'id',
  kind: 'kind',
  blob: 'blob',
  location: 'location',
  createdAt: 'created_at',
  mac: 'mac',
} as const satisfies Columns<SlotRow>;

export const KEK_COLUMNS = {
  id: 'id',
  generation: 'generation',
  wrapped: 'wrapped',
  wraps: 'wraps',
  createdAt: 'created_at',
} as const satisfies Columns<KekRow>;

export const ROTATION_COLUMNS = {
  generation: 'generation',
  reencrypts: 'reencrypts',
  stage: 'stage',
  doneId: 'done_id',
  done: 'done',
  total: 'total',
  startedAt: 'started_at',
} as const satisfies Columns<RotationRow>;

export const SEGMENT_COLUMNS = {
  id: 'id',
  openedAt: 'opened_at',
  closedAt: 'closed_at',
  bytes: 'bytes',
  entries: 'entries',
  mac: 'mac',
  wrappedKey: 'wrapped_key',
} as const satisfies Columns<SegmentRow>;

export const ROW_SET_COLUMNS = {
  epoch: 'epoch',
  writtenAt: 'written_at',
  wrappedKey: 'wrapped_key',
  state: 'state',
} as const satisfies Columns<RowSetRow>;

type AnyColumns = Readonly<Record<string, string>>;

/** Returns the columns with these keys. */
export function pickColumns<All extends AnyColumns, Key extends keyof All>(
  columns: All,
  keys: readonly Key[],
): Pick<All, Key> {
  return Object.fromEntries(keys.map((key) => [key, columns[key]])) as Pick<All, Key>;
}

/** Returns the columns without those with these keys. */
export function omitColumns<All extends AnyColumns, Key extends keyof All>(
  columns: All,
  keys: readonly Key[],
): Omit<All, Key> & AnyColumns {
  const left = Object.entries(columns).filter(([key]) => !keys.includes(key as Key));
  return Object.fromEntries(left) as Omit<All, Key> & AnyColumns;
}

/** Returns `s.created_at AS createdAt, …`, for SELECT. */
export function selectColumns(columns: AnyColumns, alias = ''): string {
  const prefix = alias === '' ? '' : `${alias}.`;
  return Object.entries(columns)
    .map(([key, column]) => `${prefix}${column} AS ${key}`)
    .join(', ');
}

/** Returns `INSERT INTO table (created_at, …) VALUES (@createdAt, …)`. */
export function insertInto(table: string, columns: AnyColumns): string {
  const parameters = Object.keys(columns).map((key) => `@${key}`);
  return `INSERT INTO ${table} (${Object.values(columns).join(', ')}) VALUES (${parameters.join(', ')})`;
}

/** Returns `created_at = @createdAt, …`, for SET. */
export function setColumns(columns: AnyColumns): string {
  return Object.entries(columns)
    .map(([key, column]) => `${column} = @${key}`)
    .join(', ');
}

/** Returns `created_at = excluded.created_at, …`, for DO UPDATE SET. */
export function setExcluded(columns: AnyColumns): string {
  return Object.values(columns)
    .map((column) => `${column} = excluded.${column}`)
    .join(', ');
}
