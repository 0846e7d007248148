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
  readonly kind: SlotKind;
  readonly blob: Uint8Array | null;
  readonly location: string | null;
  readonly createdAt: number;
}

export interface KekRow {
  readonly id: Buffer;
  readonly generation: number;
  readonly wrapped: Buffer;
  readonly createdAt: number;
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
  kind: 'kind',
  blob: 'blob',
  location: 'location',
  createdAt: 'created_at',
} as const satisfies Columns<SlotRow>;

export const KEK_COLUMNS = {
  id: 'id',
  generation: 'generation',
  wrapped: 'wrapped',
  createdAt: 'created_at',
} as const satisfies Columns<KekRow>;

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
