/**
 * Reads and stores the rows of secrets. Encrypts values, which the caller zeroes. Decrypts a value only to verify its row,
 * and zeroes it at once (`verifyRow`).
 */

import { IntegrityError } from '../envelope/integrity.ts';
import { PAYLOAD_OVERHEAD } from '../envelope/payload.ts';
import type { BoundRow } from '../envelope/row-digest.ts';
import type { RawMetadata } from '../json/parse.ts';
import { nowSeconds } from '../json/times.ts';
import type { Call, SecretName } from '../messages.ts';
import type { ReadableVault, WritableVault } from '../open-vault.ts';
import type { FieldHead, SecretRow } from '../store/columns.ts';
import { noSuchSecret, OWN_VALUE } from './access.ts';
import { chooseConfirm } from './confirm.ts';
import { abandonVersion, getChange, keepVersion, type NewRow, startRow } from './history.ts';
import { secretPlace } from './places.ts';
import { checkPreconditions } from './preconditions.ts';
import { type EncryptedRow, encryptRow, rewrapRow, verifyRow } from './row-crypto.ts';
import { buildSearchText } from './search-text.ts';

/** A secret's metadata: its JSON text, and what the indexes keep of it. */
export type Metadata = Pick<RawMetadata, 'text' | 'entries' | 'searchTexts'>;

/** Under which terms a secret is used. */
export interface Terms {
  /** When it should not be used any more, and when it should be replaced. Unix seconds; 0 for no such date. */
  readonly expiresAt: number;
  readonly rotateBy: number;
  /** Whether the owner is asked, as stored; absent: as before. */
  readonly confirm?: number;
}

/** When a secret was made and last changed, in Unix seconds. */
export interface Times {
  readonly createdAt: number;
  readonly updatedAt: number;
}

export const NO_TERMS: Terms = { expiresAt: 0, rotateBy: 0 };

export const NO_METADATA: Metadata = { text: '{}', entries: [], searchTexts: [] };

/** Throws RequestError `not_found` if there is no such secret. */
export function getSecretRow(vault: ReadableVault, name: SecretName): SecretRow {
  const row = vault.secrets.find(name);
  if (row === null) throw noSuchSecret();
  return row;
}

/** Returns the secret that a write changes, or null. Throws RequestError unless the request's preconditions hold. */
export function findForWrite(vault: WritableVault, call: Call, name: SecretName): SecretRow | null {
  const row = vault.secrets.find(name);
  checkPreconditions(call, row);
  return row;
}

/** As findForWrite, but throws RequestError `not_found` if there is no such secret. */
export function getForWrite(vault: WritableVault, call: Call, name: SecretName): SecretRow {
  const row = findForWrite(vault, call, name);
  if (row === null) throw noSuchSecret();
  return row;
}

/**
 * Stores value (null: none of its own) and metadata under a name, new or existing. The fields of
 * an existing secret stay. But if its wrap does not vouch for the row, it does not vouch for the list of fields either,
 * and the fields are deleted. `times`: those of a new secret that comes from another vault; null: now.
 */
export function storeSecret(
  vault: WritableVault,
  name: SecretName,
  existing: SecretRow | null,
  value: Uint8Array | null,
  metadata: Metadata,
  terms: Terms = NO_TERMS,
  times: Times | null = null,
): Stored {
  if (value !== null || metadata !== NO_METADATA) requireOwnValue(vault);
  const kept = keepVouchedFor(vault, name, existing);
  const version = value === null ? 0 : vault.nextVersion();
  // No id was ever the version of another value, so no new secret has the id of an old one.
  const id = kept.id ?? (version === 0 ? vault.nextVersion() : version);
  const bound = buildStoredRow(vault, id, kept, metadata, { terms, times });
  const encrypted = encryptRow(vault.keyring, secretPlace(name), bound, version, value);
  vault.writer.put({ ...name, ...bound, ...encrypted }, existing === null);
  vault.noteChange(name, bound.revision, bound.change);
  if (existing !== null && kept.createdAt === null) vault.writer.countFields(id);
  // If the metadata stays as it is, the indexes already match it.
  if (existing?.metadata !== metadata.text) indexMetadata(vault, id, name, metadata, existing === null);
  return describeStored(bound, value?.length ?? 0);
}

/** What the wrap of a secret's row binds. */
type BoundSecret = BoundRow & Pick<SecretRow, 'change'>;

/** Returns the row of a secret that is stored as a whole, without its ciphertext. */
function buildStoredRow(
  vault: WritableVault,
  id: number,
  { createdAt, revision, confirm, fields }: KeptParts,
  metadata: Metadata,
  { terms, times }: { readonly terms: Terms; readonly times: Times | null },
): BoundSecret {
  const updatedAt = times?.updatedAt ?? nowSeconds();
  return {
    id,
    metadata: metadata.text,
    createdAt: createdAt ?? times?.createdAt ?? updatedAt,
    updatedAt,
    writtenBy: vault.author.id,
    accepted: vault.author.isTrusted && fields.every((field) => field.accepted === 1) ? 1 : 0,
    ...terms,
    confirm: chooseConfirm(vault.author, confirm, terms.confirm),
    revision,
    change: getChange(vault),
    fields,
  };
}

/** Value, metadata and terms go together. Throws RequestError `not_found` for a token that may not reach the value. */
function requireOwnValue({ access }: WritableVault): void {
  if (!access.allowsField(OWN_VALUE)) throw noSuchSecret();
}

/** Returns the bytes of a stored value. */
function measureValue({ payload }: SecretRow): number {
  return payload === null ? 0 : payload.length - PAYLOAD_OVERHEAD;
}

/** Where a secret was stored, and as which of its versions. */
export interface Stored {
  readonly id: number;
  readonly revision: number;
  /** The bytes of the whole entry; null if it has fields, which would have to be measured. */
  readonly bytes: number | null;
}

function describeStored({ id, revision, metadata, fields }: BoundSecret, valueBytes: number): Stored {
  return { id, revision, bytes: fields.length > 0 ? null : valueBytes + Buffer.byteLength(metadata) };
}

/** The parts of a replaced row that stay. `createdAt` is null if none does. */
interface KeptParts extends NewRow {
  readonly createdAt: number | null;
  readonly fields: readonly FieldHead[];
}

/** Keeps the replaced row as an old version. If nothing vouches for the row, deletes its fields. */
function keepVouchedFor(vault: WritableVault, name: SecretName, existing: SecretRow | null): KeptParts {
  if (existing === null) return { ...startRow(vault, name), createdAt: null, fields: [] };
  const { id, createdAt, revision, confirm } = existing;
  // All that lie there, whatever the row counts: one that was put back into the file must not be taken up by the next write.
  const fields = vault.secrets.listFieldHeads(id);
  try {
    keepVersion(vault, { ...existing, fields }, true);
    return { id, revision: revision + 1, confirm, createdAt, fields };
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
    const next = abandonVersion(vault, id);
    vault.writer.deleteFields(id);
    return { id, ...next, createdAt: null, fields: [] };
  }
}

/** Brings the indexes up to a row's name and metadata. `isNew`: no index has the row yet. */
export function indexMetadata(
  vault: WritableVault,
  id: number,
  name: SecretName,
  metadata: Metadata,
  isNew: boolean,
): void {
  const searchText = buildSearchText(name.name, name.environment, metadata.searchTexts);
  vault.writer.index(id, name, { entries: metadata.entries, searchText }, isNew);
}

/** The parts of a secret that change. Absent ones stay. */
export interface SecretChange {
  readonly value?: Uint8Array | undefined;
  readonly metadata?: Metadata | undefined;
  readonly terms?: Partial<Terms> | undefined;
  /** Changes the fields, which come with this version of the secret. Runs after the stored row was verified. */
  readonly changeFields?: (revision: number) => void;
  /** The time of change in Unix seconds, of a secret that comes from another vault; absent: now. */
  readonly updatedAt?: number | undefined;
  /** Another part of the change that made the current version: no version is kept of the state between them. */
  readonly continues?: true;
}

/**
 * Changes what is given, keeps the rest and sets the time of change. Throws IntegrityError if the row was changed without
 * the key: what is kept gets a new wrap, which must not make a forged row genuine. The list of fields is verified before
 * any field changes, so that a lost field is noticed.
 */
export function changeSecret(vault: WritableVault, row: SecretRow, change: SecretChange): Stored {
  const { value, metadata, terms, changeFields, continues = false } = change;
  if (value !== undefined || metadata !== undefined || terms !== undefined) requireOwnValue(vault);
  const place = secretPlace(row);
  const before = { ...row, fields: vault.secrets.listFieldHeads(row.id) };
  verifyRow(vault.keyring, place, before);
  if (!continues) keepVersion(vault, before, value !== undefined);
  const revision = continues ? row.revision : row.revision + 1;
  if (!continues) vault.noteChange(row, revision, getChange(vault));
  changeFields?.(revision);
  const fields = changeFields === undefined ? before.fields : vault.secrets.listFieldHeads(row.id);
  const bound = buildChangedRow(vault, row, change, revision, fields);
  const encrypted: EncryptedRow =
    value === undefined
      ? rewrapRow(vault.keyring, place, before, bound)
      : encryptRow(vault.keyring, place, bound, vault.nextVersion(), value);
  const { id, name, environment } = row;
  vault.writer.put({ name, environment, ...bound, ...encrypted }, false);
  if (changeFields !== undefined) vault.writer.countFields(id);
  if (metadata !== undefined && metadata.text !== row.metadata)
    indexMetadata(vault, id, row, metadata, false);
  return describeStored(bound, value?.length ?? measureValue(row));
}

/** Returns the row of a changed secret, without its ciphertext. `fields`: as they are after the change. */
function buildChangedRow(
  vault: WritableVault,
  row: SecretRow,
  { value, metadata, terms, updatedAt }: SecretChange,
  revision: number,
  fields: readonly FieldHead[],
): BoundSecret {
  return {
    id: row.id,
    metadata: metadata?.text ?? row.metadata,
    createdAt: row.createdAt,
    updatedAt: updatedAt ?? nowSeconds(),
    writtenBy: vault.author.id,
    accepted: isAcceptedAfter(vault, row, fields, value !== undefined) ? 1 : 0,
    expiresAt: terms?.expiresAt ?? row.expiresAt,
    rotateBy: terms?.rotateBy ?? row.rotateBy,
    confirm: chooseConfirm(vault.author, row.confirm, terms?.confirm),
    revision,
    change: getChange(vault),
    fields,
  };
}

/**
 * Returns whether the owner's acceptance covers the changed secret. The author of a new value answers for it. The author of
 * another change does not answer for the value that stays.
 */
function isAcceptedAfter(
  { author }: WritableVault,
  row: SecretRow,
  fields: readonly FieldHead[],
  hasNewValue: boolean,
): boolean {
  const isValueAccepted = author.isTrusted && (hasNewValue || row.accepted === 1);
  return isValueAccepted && fields.every(({ accepted }) => accepted === 1);
}
