/**
 * Reads and stores the rows of secrets. Encrypts values, which the caller zeroes. Decrypts a value only to verify its row,
 * and zeroes it at once (`verifyRow`).
 */

import { IntegrityError } from '../envelope/integrity.ts';
import { PAYLOAD_OVERHEAD } from '../envelope/payload.ts';
import type { RawMetadata } from '../json/parse.ts';
import { nowSeconds } from '../json/times.ts';
import type { Call, SecretName } from '../messages.ts';
import type { FieldHead, SecretRow } from '../store/columns.ts';
import type { ReadableVault, WritableVault } from '../vault.ts';
import { noSuchSecret, OWN_VALUE } from './access.ts';
import { abandonVersion, getChange, keepVersion, type NewRow, startRow } from './history.ts';
import { secretPlace } from './places.ts';
import { checkPreconditions } from './preconditions.ts';
import { type EncryptedRow, encryptRow, rewrapRow, verifyRow } from './row-crypto.ts';
import { buildSearchText } from './search-text.ts';

/** A secret's metadata: its JSON text, and what the indexes keep of it. */
export type Metadata = Pick<RawMetadata, 'text' | 'entries' | 'searchTexts'>;

/** When a secret should not be used any more, and when it should be replaced. Unix seconds; 0 for no such date. */
export type DueDates = Pick<SecretRow, 'expiresAt' | 'rotateBy'>;

export const NO_DUE_DATES: DueDates = { expiresAt: 0, rotateBy: 0 };

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
 * and the fields are deleted.
 */
export function storeSecret(
  vault: WritableVault,
  name: SecretName,
  existing: SecretRow | null,
  value: Uint8Array | null,
  metadata: Metadata,
  due: DueDates = NO_DUE_DATES,
): Stored {
  if (value !== null || metadata !== NO_METADATA) requireOwnValue(vault);
  const updatedAt = nowSeconds();
  const { id: knownId, revision, createdAt, fields } = keepVouchedFor(vault, name, existing);
  const version = value === null ? 0 : vault.nextVersion();
  // No id was ever the version of another value, so no new secret has the id of an old one.
  const id = knownId ?? (version === 0 ? vault.nextVersion() : version);
  const bound = {
    id,
    metadata: metadata.text,
    createdAt: createdAt ?? updatedAt,
    updatedAt,
    writtenBy: vault.author.id,
    accepted: vault.author.isTrusted && fields.every((field) => field.accepted === 1) ? 1 : 0,
    ...due,
    revision,
    change: getChange(vault),
    fields,
  };
  const encrypted = encryptRow(vault.keyring, secretPlace(name), bound, version, value);
  vault.writer.put({ ...name, ...bound, ...encrypted }, existing === null);
  if (existing !== null && createdAt === null) vault.writer.countFields(id);
  // If the metadata stays as it is, the indexes already match it.
  if (existing?.metadata !== metadata.text) indexMetadata(vault, id, name, metadata, existing === null);
  const valueBytes = value?.length ?? 0;
  return { id, revision, bytes: fields.length > 0 ? null : valueBytes + Buffer.byteLength(metadata.text) };
}

/** Value, metadata and due dates go together. Throws RequestError `not_found` for a token that may not reach the value. */
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

/** The parts of a replaced row that stay. `createdAt` is null if none does. */
interface KeptParts extends NewRow {
  readonly createdAt: number | null;
  readonly fields: readonly FieldHead[];
}

/** Keeps the replaced row as an old version. If nothing vouches for the row, deletes its fields. */
function keepVouchedFor(vault: WritableVault, name: SecretName, existing: SecretRow | null): KeptParts {
  if (existing === null) return { ...startRow(vault, name), createdAt: null, fields: [] };
  const { id, createdAt, revision } = existing;
  // All that lie there, whatever the row counts: one that was put back into the file must not be taken up by the next write.
  const fields = vault.secrets.listFieldHeads(id);
  try {
    keepVersion(vault, { ...existing, fields }, true);
    return { id, revision: revision + 1, createdAt, fields };
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
    const next = abandonVersion(vault, id);
    vault.writer.deleteFields(id);
    return { id, revision: next, createdAt: null, fields: [] };
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
  readonly due?: Partial<DueDates> | undefined;
  /** Changes the fields, which come with this version of the secret. Runs after the stored row was verified. */
  readonly changeFields?: (revision: number) => void;
  /** Another part of the change that made the current version: no version is kept of the state between them. */
  readonly continues?: true;
}

/**
 * Changes what is given, keeps the rest and sets the time of change. Throws IntegrityError if the row was changed without
 * the key: what is kept gets a new wrap, which must not make a forged row genuine. The list of fields is verified before
 * any field changes, so that a lost field is noticed.
 */
export function changeSecret(vault: WritableVault, row: SecretRow, change: SecretChange): Stored {
  const { value, metadata, due, changeFields, continues = false } = change;
  if (value !== undefined || metadata !== undefined || due !== undefined) requireOwnValue(vault);
  const place = secretPlace(row);
  const before = { ...row, fields: vault.secrets.listFieldHeads(row.id) };
  verifyRow(vault.keyring, place, before);
  if (!continues) keepVersion(vault, before, value !== undefined);
  const revision = continues ? row.revision : row.revision + 1;
  changeFields?.(revision);
  const fields = changeFields === undefined ? before.fields : vault.secrets.listFieldHeads(row.id);
  const { id, name, environment } = row;
  const bound = {
    id,
    metadata: metadata?.text ?? row.metadata,
    createdAt: row.createdAt,
    updatedAt: nowSeconds(),
    writtenBy: vault.author.id,
    accepted: isAcceptedAfter(vault, row, fields, value !== undefined) ? 1 : 0,
    expiresAt: due?.expiresAt ?? row.expiresAt,
    rotateBy: due?.rotateBy ?? row.rotateBy,
    revision,
    change: getChange(vault),
    fields,
  };
  const encrypted: EncryptedRow =
    value === undefined
      ? rewrapRow(vault.keyring, place, before, bound)
      : encryptRow(vault.keyring, place, bound, vault.nextVersion(), value);
  vault.writer.put({ name, environment, ...bound, ...encrypted }, false);
  if (changeFields !== undefined) vault.writer.countFields(id);
  if (metadata !== undefined && metadata.text !== row.metadata)
    indexMetadata(vault, id, row, metadata, false);
  const valueBytes = value?.length ?? measureValue(row);
  return { id, revision, bytes: fields.length > 0 ? null : valueBytes + Buffer.byteLength(bound.metadata) };
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
