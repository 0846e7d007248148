/**
 * Fields: named values inside a secret. Decrypts a field into the caller's memory, which the caller zeroes, and encrypts
 * values that the caller holds. A field that changes also rewraps its secret's DEK, which binds the time of change.
 */

import { IntegrityError } from '../envelope/integrity.ts';
import type { BoundRow, FieldVersion } from '../envelope/row-digest.ts';
import { RequestError } from '../errors/request-error.ts';
import { base64Length } from '../json/base64.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import { nowSeconds } from '../json/times.ts';
import type { Call, SecretName } from '../messages.ts';
import type { FieldHead, FieldRow, SecretRow } from '../store/columns.ts';
import type { ReadableVault, WritableVault } from '../vault.ts';
import { changeSecret, findForWrite, NO_METADATA, type SecretChange, storeSecret } from './entries.ts';
import { checkEntrySize, LARGE, measureEntry, putOffIfLong } from './entry-size.ts';
import { fieldPlace } from './places.ts';
import { decryptRow, encryptRow, isVouchedFor, type MakeRoom } from './row-crypto.ts';

const NO_FIELDS: readonly FieldVersion[] = [];

export function noSuchField(): RequestError {
  return new RequestError('not_found', 'no such field in this secret');
}

/** All fields of a secret. */
export interface Fields {
  readonly heads: readonly FieldHead[];
  /** Can be iterated once. */
  readonly rows: Iterable<FieldRow>;
}

/**
 * Reads the fields of a large entry one by one, and makes room for them in the reply first: then memory holds the reply
 * and one field, no more. Throws IntegrityError if the number of fields is not the secret's own count: a damaged page may
 * have lost some.
 */
export function loadFields(vault: ReadableVault, secret: SecretRow, reply: ReplyBuffer): Fields {
  if (secret.fieldCount === 0) return { heads: [], rows: [] };
  const { secrets } = vault;
  const size = measureEntry(vault, secret);
  if (size <= LARGE) {
    const rows = checkFieldCount(secret, secrets.listFields(secret.id));
    return { heads: rows, rows };
  }
  reply.expect(base64Length(size));
  return { heads: listAllHeads(vault, secret), rows: secrets.readFields(secret.id) };
}

/** Returns the heads of all fields of a secret. Throws IntegrityError as loadFields does. */
export function listAllHeads({ secrets }: ReadableVault, secret: SecretRow): readonly FieldHead[] {
  return checkFieldCount(secret, secrets.listFieldHeads(secret.id));
}

function checkFieldCount<Head extends FieldHead>(
  { fieldCount }: SecretRow,
  fields: readonly Head[],
): readonly Head[] {
  if (fields.length !== fieldCount) throw new IntegrityError();
  return fields;
}

/**
 * Returns a secret's row with its present fields, as its wrap binds them. A row that counts no fields is taken at its word:
 * if it had some, the digest would differ from the bound one.
 */
export function withFields(vault: ReadableVault, row: SecretRow): SecretRow & BoundRow {
  return { ...row, fields: row.fieldCount === 0 ? NO_FIELDS : vault.secrets.listFieldHeads(row.id) };
}

/** Returns a field's row as its wrap binds it. */
export function asBoundField<Row extends Omit<BoundRow, 'metadata' | 'fields'>>(row: Row): Row & BoundRow {
  return { ...row, metadata: '', fields: NO_FIELDS };
}

/** Decrypts a field's value as `decryptRow` does. Throws RequestError `not_found` and IntegrityError. */
export function decryptField<Room extends Uint8Array>(
  vault: ReadableVault,
  secret: SecretRow,
  field: string,
  makeRoom: MakeRoom<Room>,
): Room {
  const row = vault.secrets.findField(secret.id, field);
  if (row === null) throw noSuchField();
  putOffIfLong(vault, row.payload);
  return decryptFieldRow(vault, secret, row, makeRoom);
}

/** As decryptField, for a row that was read already. */
export function decryptFieldRow<Room extends Uint8Array>(
  vault: ReadableVault,
  secret: SecretRow,
  row: FieldRow,
  makeRoom: MakeRoom<Room>,
): Room {
  const value = decryptRow(vault.keyring, fieldPlace(secret, row.field), asBoundField(row), makeRoom);
  if (value === null) throw new RangeError('a field has a value');
  return value;
}

/** Sets fields of a secret, and creates the secret if it is missing. Throws RequestError and IntegrityError. */
export function storeFields(
  vault: WritableVault,
  call: Call,
  name: SecretName,
  fields: readonly (readonly [field: string, value: Uint8Array])[],
): void {
  const existing = findForWrite(vault, call, name);
  const id = existing?.id ?? storeSecret(vault, name, null, null, NO_METADATA);
  setFields(vault, id, fields);
  checkEntrySize(vault, id, 'fields');
}

/** Stores fields of an existing secret and binds them to it. Throws IntegrityError. */
export function setFields(
  vault: WritableVault,
  secretId: number,
  fields: readonly (readonly [field: string, value: Uint8Array])[],
  change: Omit<SecretChange, 'changeFields'> = {},
): void {
  const secret = vault.secrets.findById(secretId);
  if (secret === null) throw new RangeError('no such secret');
  const changeFields = () => {
    for (const [field, value] of fields) storeField(vault, secret, field, value);
  };
  changeSecret(vault, secret, { ...change, changeFields });
}

function storeField(vault: WritableVault, secret: SecretRow, field: string, value: Uint8Array): void {
  const now = nowSeconds();
  const place = fieldPlace(secret, field);
  const row = vault.secrets.findField(secret.id, field);
  const isKnown = row !== null && isVouchedFor(vault.keyring, place, asBoundField(row));
  const { id, isTrusted } = vault.author;
  const bound = asBoundField({
    createdAt: isKnown ? row.createdAt : now,
    updatedAt: now,
    writtenBy: id,
    accepted: isTrusted ? 1 : 0,
  });
  const version = vault.nextVersion();
  const { wrappedDek, payload } = encryptRow(vault.keyring, place, bound, version, value);
  if (payload === null) throw new RangeError('a field has a value');
  vault.writer.putField({ ...bound, secretId: secret.id, field, version, wrappedDek, payload });
}
