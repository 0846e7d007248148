/**
 * Reads and stores the rows of secrets. Encrypts values, which the caller zeroes. Decrypts a value only to verify its row,
 * and zeroes it at once (`verifyRow`).
 */

import { RequestError } from '../errors/request-error.ts';
import type { RawMetadata } from '../json/parse.ts';
import { nowSeconds } from '../json/times.ts';
import type { Call, SecretName } from '../messages.ts';
import type { FieldHead, SecretRow } from '../store/columns.ts';
import type { ReadableVault, WritableVault } from '../vault.ts';
import { secretPlace } from './places.ts';
import { checkPreconditions } from './preconditions.ts';
import { type EncryptedRow, encryptRow, isVouchedFor, rewrapRow, verifyRow } from './row-crypto.ts';
import { buildSearchText } from './search-text.ts';

/** A secret's metadata: its JSON text, and what the indexes keep of it. */
export type Metadata = Pick<RawMetadata, 'text' | 'entries' | 'searchTexts'>;

export const NO_METADATA: Metadata = { text: '{}', entries: [], searchTexts: [] };

/** Throws RequestError `not_found` if there is no such secret. */
export function getSecretRow(vault: ReadableVault, name: SecretName): SecretRow {
  const row = vault.secrets.find(name);
  if (row === null) throw noSuchSecret();
  return row;
}

function noSuchSecret(): RequestError {
  return new RequestError('not_found', 'no such secret in this environment');
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
 * Stores value (null: none of its own) and metadata under a name, new or existing, and returns the row's id. The fields of
 * an existing secret stay. But if its wrap does not vouch for the row, it does not vouch for the list of fields either,
 * and the fields are deleted.
 */
export function storeSecret(
  vault: WritableVault,
  name: SecretName,
  existing: SecretRow | null,
  value: Uint8Array | null,
  metadata: Metadata,
): number {
  const updatedAt = nowSeconds();
  const { createdAt, fields } = keepVouchedFor(vault, existing);
  const bound = {
    metadata: metadata.text,
    createdAt: createdAt ?? updatedAt,
    updatedAt,
    writtenBy: vault.author.id,
    accepted: vault.author.isTrusted && fields.every((field) => field.accepted === 1) ? 1 : 0,
    fields,
  };
  const version = value === null ? 0 : vault.nextVersion();
  const encrypted = encryptRow(vault.keyring, secretPlace(name), bound, version, value);
  const id = vault.writer.put({ id: existing?.id ?? null, ...name, ...bound, ...encrypted });
  if (existing !== null && createdAt === null) vault.writer.countFields(id);
  // If the metadata stays as it is, the indexes already match it.
  if (existing?.metadata !== metadata.text) indexMetadata(vault, id, name, metadata, existing === null);
  return id;
}

/** Returns the parts of a replaced row that stay; null for its time of creation if none does. Deletes fields that do not stay. */
function keepVouchedFor(
  vault: WritableVault,
  existing: SecretRow | null,
): { readonly createdAt: number | null; readonly fields: readonly FieldHead[] } {
  if (existing === null) return { createdAt: null, fields: [] };
  const fields = vault.secrets.listFieldHeads(existing.id);
  if (isVouchedFor(vault.keyring, secretPlace(existing), { ...existing, fields }))
    return { createdAt: existing.createdAt, fields };
  vault.writer.deleteFields(existing.id);
  return { createdAt: null, fields: [] };
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
  /** Changes the fields. Runs after the stored row was verified. */
  readonly changeFields?: () => void;
}

/**
 * Changes what is given, keeps the rest and sets the time of change. Throws IntegrityError if the row was changed without
 * the key: what is kept gets a new wrap, which must not make a forged row genuine. The list of fields is verified before
 * any field changes, so that a lost field is noticed.
 */
export function changeSecret(vault: WritableVault, row: SecretRow, change: SecretChange): void {
  const { value, metadata, changeFields } = change;
  const place = secretPlace(row);
  const before = { ...row, fields: vault.secrets.listFieldHeads(row.id) };
  verifyRow(vault.keyring, place, before);
  changeFields?.();
  const fields = changeFields === undefined ? before.fields : vault.secrets.listFieldHeads(row.id);
  const bound = {
    metadata: metadata?.text ?? row.metadata,
    createdAt: row.createdAt,
    updatedAt: nowSeconds(),
    writtenBy: vault.author.id,
    accepted: isAcceptedAfter(vault, row, fields, value !== undefined) ? 1 : 0,
    fields,
  };
  const encrypted: EncryptedRow =
    value === undefined
      ? rewrapRow(vault.keyring, place, before, bound)
      : encryptRow(vault.keyring, place, bound, vault.nextVersion(), value);
  const { id, name, environment } = row;
  vault.writer.put({ id, name, environment, ...bound, ...encrypted });
  if (changeFields !== undefined) vault.writer.countFields(id);
  if (metadata !== undefined && metadata.text !== row.metadata)
    indexMetadata(vault, id, row, metadata, false);
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
